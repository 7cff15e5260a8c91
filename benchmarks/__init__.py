"""Kiezbox against its peers: ``python -m benchmarks run all``. See docs/benchmarks.md."""
