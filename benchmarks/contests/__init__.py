"""One file per benchmark: ``measure(options) -> Outcome``."""
