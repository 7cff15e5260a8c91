"""What residents read, in their languages: how complete it is, and whether a person has checked it.

  kiezbox languages [--json]    per language and room: there, checked by a person, outdated
  kiezbox languages problems    what is wrong in the catalogues; exit code 1 if anything is
  kiezbox languages build       make what the box reads (.mo) out of what people edit (.po)

A text marked "fuzzy" was translated by a machine and nobody has checked it. docs/languages.md says
how to translate and check. For checkouts, not for boxes: needs Babel.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kiezbox.cli._catalogues import Share


def main(argv: list[str]) -> int:
    """``kiezbox languages [share|problems|build]``."""
    from kiezbox.cli._common import Parser

    parser = Parser("languages", __doc__)
    parser.add_argument("action", nargs="?", choices=list(_ACTIONS), default="share")
    parser.add_argument("--json", action="store_true", help="for programs")
    arguments = parser.parse_args(argv)
    return _ACTIONS[arguments.action](is_json=arguments.json)


def _shares() -> Iterator[tuple[str, str, Share]]:
    from kiezbox.cli import _catalogues
    from kiezbox.i18n import LANGUAGES

    for language in LANGUAGES:
        for room in _catalogues.rooms():
            yield language, room, _catalogues.share(language, room)


def _share(*, is_json: bool) -> int:
    from kiezbox.cli._catalogues import EVERYWHERE
    from kiezbox.cli._common import print_json

    tables: dict[str, dict[str, Any]] = {}
    for language, room, found in _shares():
        tables.setdefault(language, {})[room] = {
            **found._asdict(), "is_obligatory": room in EVERYWHERE,
        }  # fmt: skip
    if is_json:
        print_json(tables)
        return 0
    print(f"{'language':11}{'room':11}{'there':>12}{'checked':>9}{'machine':>9}{'outdated':>10}")
    for language, shares in tables.items():
        for room, each in shares.items():
            there = f"{each['present']}/{each['wanted']}"
            machine = each["present"] - each["checked"]
            mark = " *" if each["is_obligatory"] else ""
            print(
                f"{language:11}{room:11}{there:>12}{each['checked']:>9}{machine:>9}"
                f"{each['outdated']:>10}{mark}"
            )
    print("* must be complete in every language")
    return 0


def _problems(*, is_json: bool) -> int:
    from kiezbox.cli import _catalogues
    from kiezbox.cli._common import print_json
    from kiezbox.i18n import LANGUAGES

    found = [
        problem
        for language in LANGUAGES
        for room in _catalogues.rooms()
        for problem in _catalogues.problems(language, room)
    ]
    if is_json:
        print_json(found)
    else:
        print("\n".join(found) or "nothing is wrong")
    return 1 if found else 0


def _build(*, is_json: bool) -> int:
    from kiezbox.cli import _catalogues
    from kiezbox.cli._common import print_json

    made = _catalogues.build()
    if is_json:
        print_json({"made": made})
    else:
        print(f"{made} files made anew")
    return 0


_ACTIONS = {"share": _share, "problems": _problems, "build": _build}
