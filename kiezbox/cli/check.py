"""Look the box over and say what is wrong and what to do.

Exit code 0: fine or worth knowing. 1: something does not work as it was meant to.
"""

from __future__ import annotations

MARKS = {0: "ok  ", 1: "note", 2: "WARN", 3: "BAD "}


def main(argv: list[str]) -> int:
    """``kiezbox check [--json]``."""
    from kiezbox.checks import Examined, Level, run_all
    from kiezbox.cli._common import (
        Parser,
        open_clock,
        print_json,
        read_facts,
        read_toml,
        settings_path,
    )
    from kiezbox.cli.settings import check
    from kiezbox.errors import NotRunning

    parser = Parser("check", __doc__)
    parser.add_argument("--json", action="store_true", help="for programs")
    arguments = parser.parse_args(argv)
    settings = check(read_toml(settings_path(arguments.settings)))
    try:
        facts = read_facts(settings)
    except NotRunning:
        facts = None
    found = list(run_all(Examined(settings, open_clock(settings), facts)))
    if arguments.json:
        print_json(
            [
                {
                    "check": name,
                    "level": finding.level.name.lower(),
                    "message": finding.message,
                    "hint": finding.hint,
                }
                for name, finding in found
            ]
        )
    else:
        for _, finding in found:
            print(f"{MARKS[finding.level]}  {finding.message}")
            if finding.hint and finding.level > Level.FINE:
                print(f"      {finding.hint}")
    return int(any(finding.level >= Level.WARNING for _, finding in found))
