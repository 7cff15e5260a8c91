"""Record, show and end consents: an indoor sensor's readings leave the box only with one.

  kiezbox consent list [--all]           what holds (or all that ever was)
  kiezbox consent give SENSOR --to mqtt --person "who lives there" --purpose "what for" --for 365d
                                         [--quantity temperature_c ...]   all of them without
  kiezbox consent revoke NUMBER          at once: nothing more goes out, and what waited is not sent
  kiezbox consent moved SENSOR           somebody else lives there now: all consents of it end
  kiezbox consent text                   the text that people agree to, with its version

--to names a publisher of kiezbox.toml, or "portal": the box's own public pages. What was measured
before a consent is never covered by it. See docs/privacy.md.
"""

from __future__ import annotations

import argparse
import time
from typing import Any

#: The version that is recorded. Change it with every word of TEXT.
TEXT_VERSION = "2026-11-30"

TEXT = """\
What this sensor measures in your rooms can show when somebody is at home, sleeps, cooks or airs.
Without your consent it stays in the box, and only you see it.

If you agree, the readings named here go to the recipient named here, for the purpose named here,
until the day named here. Agreeing is voluntary, and nothing gets worse for you if you do not. You
can end it at any time by telling whoever runs this box: from that moment nothing more is sent, and
what was waiting is not sent either. What a recipient already has lies with the recipient; whoever
runs this box tells you whom to ask. (Regulation (EU) 2016/679, Art. 6 (1) a, 7, 13.)

If somebody else moves in, all consents for these rooms end.
"""


def main(argv: list[str]) -> int:
    """``kiezbox consent ACTION …``."""
    from kiezbox.cli._common import Parser, load_settings, open_clock
    from kiezbox.errors import UsageError

    parser = Parser("consent", __doc__)
    parser.add_argument("action", choices=("list", "give", "revoke", "moved", "text"))
    parser.add_argument("what", nargs="?", default="", metavar="SENSOR or NUMBER")
    parser.add_argument("--to", dest="recipient", metavar="PUBLISHER", help="who gets it")
    parser.add_argument("--person", metavar="NAME", help="who agrees")
    parser.add_argument("--purpose", metavar="TEXT", help="what for")
    parser.add_argument("--for", dest="duration", metavar="DURATION", help="such as 365d")
    parser.add_argument("--quantity", action="append", default=[], metavar="NAME")
    parser.add_argument("--all", action="store_true", help="list: also what has ended")
    parser.add_argument("--json", action="store_true", help="list: for programs")
    arguments = parser.parse_args(argv)
    if arguments.action == "text":
        print(f"Version {TEXT_VERSION}\n\n{TEXT}", end="")
        return 0
    needed = _NEEDED[arguments.action]
    missing = [name for name in needed if not (getattr(arguments, name) or "").strip()]
    if missing:
        raise UsageError(
            f"consent {arguments.action} needs {_SAID[missing[0]]}",
            hint="A consent says who agreed that what goes to whom, what for and how long:"
            " `kiezbox consent --help`.",
        )
    settings = load_settings(arguments.settings)
    return _ACTIONS[arguments.action](settings, open_clock(settings).now(), arguments)


def _tell(settings: Any, file: Any, now: float) -> None:
    """The public pages hear of it at once, whether a node runs or not."""
    from kiezbox.node.private import public_sensors
    from kiezbox.privacy.shown import shown_of
    from kiezbox.store.consents import keep_shown

    keep_shown(file.path, shown_of(public_sensors(settings.sensors), file.read(), now))


_NEEDED = {
    "list": (), "revoke": ("what",), "moved": ("what",),
    "give": ("what", "recipient", "person", "purpose", "duration"),
}  # fmt: skip
_SAID = {
    "what": "a sensor's name or a consent's number", "recipient": "--to", "person": "--person",
    "purpose": "--purpose", "duration": "--for",
}  # fmt: skip


def _file(settings: Any) -> Any:
    from kiezbox.store.consents import ConsentFile, consents_path

    return ConsentFile(consents_path(settings.store.path))


def _list(settings: Any, now: float, arguments: argparse.Namespace) -> int:
    from kiezbox.cli._common import print_json

    consents = _file(settings).read()
    shown = consents.given if arguments.all else consents.holding(now)
    if arguments.json:
        print_json([{**each._asdict(), "holds": each in consents.holding(now)} for each in shown])
    else:
        for each in shown:
            print(_line(each, now))
        if not shown:
            print("no consent: nothing of an indoor sensor leaves this box")
    if consents.is_damaged:
        from kiezbox.errors import StoreError

        lines = ", ".join(map(str, consents.damaged))
        raise StoreError(
            f"the ledger of consents cannot be read (line {lines})",
            hint="Nothing of indoor sensors is published until it can. Look at consents.jsonl"
            " beside the database; mend the line, or remove it if nobody can say what it was.",
        )
    return 0


def _line(each: Any, now: float) -> str:
    until = time.strftime("%Y-%m-%d", time.localtime(each.ends_at))
    what = ", ".join(each.quantities).replace("*", "all readings")
    state = "until" if each.given_at <= now < each.ends_at else "ended"
    return (
        f"{each.number:4}  {each.sensor}: {what} → {each.recipient}, {state} {until}\n"
        f"      {each.person}, for: {each.purpose} (text of {each.text_version})"
    )


def _give(settings: Any, now: float, arguments: argparse.Namespace) -> int:
    from kiezbox.cli.mode import seconds_of
    from kiezbox.errors import UsageError
    from kiezbox.model import Quantity
    from kiezbox.privacy.consent import EVERYTHING, PORTAL

    _known_sensor(settings, arguments.what)
    recipients = [*settings.publishers, PORTAL]
    if arguments.recipient not in recipients:
        raise UsageError(
            f"there is no publisher {arguments.recipient!r}",
            hint=f"--to takes one of: {', '.join(recipients)}.",
        )
    names = [quantity.value for quantity in Quantity]
    unknown = [each for each in arguments.quantity if each not in names]
    if unknown:
        raise UsageError(f"{unknown[0]!r} is no quantity", hint=f"There are: {', '.join(names)}.")
    file = _file(settings)
    number = file.append(
        {
            "change": "given", "at": now, "sensor": arguments.what,
            "quantities": arguments.quantity or [EVERYTHING], "recipient": arguments.recipient,
            "person": arguments.person.strip(), "purpose": arguments.purpose.strip(),
            "until": now + seconds_of(arguments.duration), "text_version": TEXT_VERSION,
        }
    )  # fmt: skip
    _tell(settings, file, now)
    print(f"consent {number} is recorded; `kiezbox consent revoke {number}` ends it")
    return 0


def _revoke(settings: Any, now: float, arguments: argparse.Namespace) -> int:
    from kiezbox.errors import UsageError

    file = _file(settings)
    found = [each for each in file.read().given if str(each.number) == arguments.what]
    if not found:
        raise UsageError(
            f"there is no consent {arguments.what}", hint="`kiezbox consent list` has them."
        )
    file.append({"change": "revoked", "at": now, "number": found[0].number})
    _tell(settings, file, now)
    print(f"ended: nothing of {found[0].sensor} goes to {found[0].recipient} by it any more")
    return 0


def _moved(settings: Any, now: float, arguments: argparse.Namespace) -> int:
    file = _file(settings)
    held = [each for each in file.read().holding(now) if each.sensor == arguments.what]
    if not held:
        _known_sensor(settings, arguments.what)
    file.append({"change": "moved", "at": now, "sensor": arguments.what})
    _tell(settings, file, now)
    print(f"{len(held)} consents for {arguments.what} have ended")
    return 0


def _known_sensor(settings: Any, name: str) -> None:
    from kiezbox.errors import UsageError
    from kiezbox.settings import PUBLIC_PLACES

    table = settings.sensors.get(name)
    if table is None:
        known = ", ".join(settings.sensors) or "none"
        raise UsageError(f"there is no sensor {name!r}", hint=f"kiezbox.toml has: {known}.")
    if table.get("where") in PUBLIC_PLACES:
        raise UsageError(
            f"{name} is {table['where']}: its readings need no consent",
            hint=f'If it hangs in somebody\'s rooms, set where = "indoor" in [sensors.{name}].',
        )


_ACTIONS = {"list": _list, "give": _give, "revoke": _revoke, "moved": _moved}
