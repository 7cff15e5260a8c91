"""Ask the street a question with a few answers; everybody has one voice, and nobody a name.

  kiezbox question ask TEXT ANSWER ANSWER ... [--days 7] [--language de]
  kiezbox question list [--json]   what is asked, and how the voices are
  kiezbox question close ID        no more voices; the result stays until its time is over

It stands on the page "Have a say", in the language it was asked in. Signed with the key of
abuse.moderator_key (--key FILE for another one; `kiezbox moderate keys` makes one).
"""

from __future__ import annotations

import sys
from contextlib import closing
from typing import TYPE_CHECKING

from kiezbox.errors import UsageError

if TYPE_CHECKING:
    from kiezbox.clock import Clock
    from kiezbox.records import Thing

MOST_DAYS = 31.0


def main(argv: list[str]) -> int:
    """``kiezbox question ask|list|close``."""
    from kiezbox.cli._common import Parser, load_settings, open_clock
    from kiezbox.cli.moderate import signing_key
    from kiezbox.i18n import DEFAULT, LANGUAGES
    from kiezbox.store import moderation
    from kiezbox.store.believing import open_believing

    parser = Parser("question", __doc__)
    parser.add_argument("action", choices=("ask", "list", "close"))
    parser.add_argument("what", nargs="*", metavar="TEXT and ANSWERS, or ID")
    parser.add_argument("--days", type=float, default=7.0, help="how long it stays (default 7)")
    parser.add_argument("--language", default=DEFAULT, choices=LANGUAGES, help="default de")
    parser.add_argument("--key", metavar="FILE", help="the key that signs")
    parser.add_argument("--json", action="store_true", help="for programs")
    arguments = parser.parse_args(argv)
    given = len(arguments.what)
    least = {"ask": 3, "list": 0, "close": 1}[arguments.action]
    if given < least or (arguments.action != "ask" and given > least):
        needs = {"ask": "a text and two answers", "list": "nothing more", "close": "an ID"}
        raise UsageError(
            f"question {arguments.action} needs {needs[arguments.action]}",
            hint="`kiezbox question --help` shows the three ways.",
        )
    if not 0 < arguments.days <= MOST_DAYS:
        raise UsageError(
            f"--days {arguments.days:g} is outside 0 to {MOST_DAYS:g}",
            hint="A question that nobody closes must end by itself.",
        )
    settings = load_settings(arguments.settings)
    clock = open_clock(settings)
    with closing(open_believing(settings, clock)) as log:
        if arguments.action == "list":
            found = moderation.questions(log)
        else:
            key = signing_key(arguments.key or settings.abuse.moderator_key)
            if arguments.action == "close":
                ref = moderation.ref_of(arguments.what[0])
                found = [moderation.close(log, ref, key, now=clock.now())]
            else:
                text, *answers = arguments.what
                lifetime_s = max(1, int(arguments.days * 86400))
                found = [
                    moderation.ask(
                        log, text, answers, key,
                        language=arguments.language, lifetime_s=lifetime_s, now=clock.now(),
                    )
                ]  # fmt: skip
    _show(found, clock, is_json=arguments.json)
    return 0


def _show(found: list[Thing], clock: Clock, *, is_json: bool) -> None:
    from kiezbox.cli._common import print_json
    from kiezbox.cli.mode import words

    if is_json:
        print_json(
            [
                {
                    "id": f"{each.origin}/{each.sequence}",
                    "text": each.text,
                    "state": each.state,
                    "is_hidden": each.is_hidden,
                    "by": each.issuer,
                    "expires_at": each.expires_at,
                    **each.data,
                }
                for each in found
            ]
        )
        return
    for each in found:
        rest = words(each.expires_at - clock.now())
        state = f"{each.state}{', hidden' if each.is_hidden else ''}, for another {rest}"
        print(f"{each.origin}/{each.sequence}  {state}\n  {each.text}")
        for answer, count in zip(each.data["answers"], each.data["counts"], strict=True):
            print(f"  {count:6}  {answer}")
    if not found:
        print("nothing is asked", file=sys.stderr)
