"""Say which version this is."""

from __future__ import annotations

import kiezbox
from kiezbox import __version__


def main(argv: list[str]) -> int:
    """``kiezbox version [--json]``."""
    import platform
    import sqlite3

    from kiezbox.cli._common import Parser, print_json

    parser = Parser("version", __doc__)
    parser.add_argument("--json", action="store_true", help="for programs")
    arguments = parser.parse_args(argv)
    facts = {
        "kiezbox": __version__,
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
        "machine": platform.machine(),
    }
    if arguments.json:
        # Where the program lies: kiezbox-respondd is started from there (provisioning/40-program).
        print_json(facts | {"folder": kiezbox.__path__[0]})
    else:
        print(" ".join(f"{name} {value}" for name, value in facts.items()))
    return 0
