"""Tell the neighbours something on the first page of this box, or take it back.

  kiezbox bulletin post TEXT [--hours 24]   put it up; it comes down by itself
  kiezbox bulletin list [--json]            what is up now, newest first
  kiezbox bulletin withdraw ID              take one down (the list has the IDs)

Residents see it marked as "from the operator of this box, unverified", in every mode. At most 1000
bytes of UTF-8; no links, no markup: it is shown as it is written.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from kiezbox.errors import UsageError
from kiezbox.situation import plain_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kiezbox.clock import Clock
    from kiezbox.model import Bulletin
    from kiezbox.store import StoreWriter

#: Of UTF-8: two of them fit on the first page beside everything else.
MOST_BYTES = 1000

#: A month; what must stay longer belongs on a poster.
MOST_HOURS = 744.0


def main(argv: list[str]) -> int:
    """``kiezbox bulletin post|list|withdraw``."""
    from kiezbox.cli._common import Parser, load_settings, open_clock
    from kiezbox.store import StoreWriter

    parser = Parser("bulletin", __doc__)
    parser.add_argument("action", choices=("post", "list", "withdraw"))
    parser.add_argument("what", nargs="?", metavar="TEXT or ID")
    parser.add_argument("--hours", type=float, default=24.0, help="how long it stays (default 24)")
    parser.add_argument("--json", action="store_true", help="for programs")
    arguments = parser.parse_args(argv)
    if (arguments.what is None) != (arguments.action == "list"):
        needs = {"post": "a text in quotes", "list": "nothing more", "withdraw": "an ID"}
        raise UsageError(
            f"bulletin {arguments.action} needs {needs[arguments.action]}",
            hint="`kiezbox bulletin --help` shows the three ways.",
        )
    text = checked(arguments.what) if arguments.action == "post" else ""
    if not 0 < arguments.hours <= MOST_HOURS:
        raise UsageError(
            f"--hours {arguments.hours:g} is outside 0 to {MOST_HOURS:g}",
            hint="A bulletin that nobody takes down must come down by itself.",
        )
    settings = load_settings(arguments.settings)
    clock = open_clock(settings)
    with StoreWriter(settings.store.path, clock=clock) as store:
        if arguments.action == "post":
            posted = store.post(text, clock.now() + arguments.hours * 3600)
            _show([posted], clock, is_json=arguments.json)
        elif arguments.action == "withdraw":
            _withdraw(store, arguments.what)
        else:
            _show(store.bulletins(), clock, is_json=arguments.json)
    return 0


def checked(text: str) -> str:
    """The text as it is stored.

    Raises:
        UsageError: it is empty, too long, or not UTF-8.
    """
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise UsageError(
            "the text is not UTF-8", hint="Set the terminal to UTF-8 (LANG=C.UTF-8)."
        ) from error
    cleaned = plain_text(text, len(text), lines=True)
    if not cleaned:
        raise UsageError("the text is empty")
    size = len(cleaned.encode())
    if size > MOST_BYTES:
        raise UsageError(
            f"the text has {size} bytes, and {MOST_BYTES} fit (ä, ö, ü, ß count two)",
            hint="Say what to do first, and post the rest as a second one.",
        )
    return cleaned


def _withdraw(store: StoreWriter, given: str) -> None:
    origin, _, sequence = given.rpartition("/")
    up = [each for each in store.bulletins() if str(each.sequence) == sequence]
    found = [each for each in up if origin in ("", each.origin)]
    if len(found) != 1 or not store.withdraw(found[0].origin, found[0].sequence):
        raise UsageError(
            f"there is no bulletin {given}", hint="`kiezbox bulletin list` shows what is up."
        )
    print(f"{found[0].origin}/{found[0].sequence} is taken down")


def _show(bulletins: Sequence[Bulletin], clock: Clock, *, is_json: bool) -> None:
    from kiezbox.cli._common import print_json
    from kiezbox.cli.mode import words

    if is_json:
        print_json([each._asdict() for each in bulletins])
        return
    for each in bulletins:
        rest = words(each.expires_at - clock.now())
        print(f"{each.origin}/{each.sequence}  up for another {rest}")
        print("".join(f"  {line}\n" for line in each.text.splitlines()), end="")
    if not bulletins:
        print("no bulletin is up", file=sys.stderr)
