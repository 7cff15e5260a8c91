"""Record, show and end consents: an indoor sensor's readings leave the box only with one.

  kiezbox consent list [--all]           what holds (or all that ever was), and what stopped why
  kiezbox consent text [--to mqtt] [--language de]
                                         the text that people agree to, its version, and to whom
  kiezbox consent give SENSOR --to mqtt --person "who lives there" --purpose "what for" --for 365d
                                         [--quantity temperature_c ...]   all of them without
  kiezbox consent renew NUMBER --person "who lives there" [--for 365d]
                                         the same again: to where the publisher sends now
  kiezbox consent revoke NUMBER          at once: nothing more goes out, and what waited is not sent
  kiezbox consent moved SENSOR           somebody else lives there now: all consents of it end

--to names a publisher of kiezbox.toml, or "portal": the box's own public pages. A consent is for
the publisher at the address that kiezbox.toml has at that moment; with another address nothing more
goes out until somebody has agreed again. What was measured before a consent is never covered by it.
Let people read the text in a language they read (--language; fourteen, docs/languages.md); which
one is recorded. See docs/privacy.md.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Mapping
from typing import Any


def main(argv: list[str]) -> int:
    """``kiezbox consent ACTION …``."""
    from kiezbox.cli._common import Parser, load_settings, open_clock
    from kiezbox.errors import UsageError
    from kiezbox.i18n import LANGUAGES, is_checked

    parser = Parser("consent", __doc__)
    parser.add_argument("action", choices=("list", "give", "renew", "revoke", "moved", "text"))
    parser.add_argument("what", nargs="?", default="", metavar="SENSOR or NUMBER")
    parser.add_argument("--to", dest="recipient", metavar="PUBLISHER", help="who gets it")
    parser.add_argument("--person", metavar="NAME", help="who agrees")
    parser.add_argument("--purpose", metavar="TEXT", help="what for")
    parser.add_argument("--for", dest="duration", metavar="DURATION", help="such as 365d")
    parser.add_argument("--quantity", action="append", default=[], metavar="NAME")
    parser.add_argument("--language", choices=list(LANGUAGES), help="of the text; the terminal's")
    parser.add_argument("--all", action="store_true", help="list: also what has ended")
    parser.add_argument("--json", action="store_true", help="list: for programs")
    arguments = parser.parse_args(argv)
    if arguments.action == "text" and not is_checked(_language(arguments), ("consent",)):
        _warn("a machine translated this and nobody has checked it: let people read the German or"
              " English beside it")  # fmt: skip
    if arguments.action == "text" and not arguments.recipient:
        print(f"Version {_version(arguments)}\n\n{_words(arguments)}")
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
    return _ACTIONS[arguments.action](settings, open_clock(settings), arguments)


def _tell(settings: Any, file: Any, clock: Any) -> None:
    """The public pages hear of it at once, whether a node runs or not."""
    from kiezbox.privacy.places import public_since
    from kiezbox.privacy.shown import shown_of
    from kiezbox.store.consents import keep_shown

    consents = file.read()
    public = public_since(settings.sensors, consents)
    shown = shown_of(public, consents, clock.now(), is_sure=clock.is_trusted())
    keep_shown(file.path, shown, file.size)


_NEEDED = {
    "list": (), "text": (), "revoke": ("what",), "moved": ("what",), "renew": ("what", "person"),
    "give": ("what", "recipient", "person", "purpose", "duration"),
}  # fmt: skip
_SAID = {
    "what": "a sensor's name or a consent's number", "recipient": "--to", "person": "--person",
    "purpose": "--purpose", "duration": "--for",
}  # fmt: skip


def _file(settings: Any) -> Any:
    from kiezbox.store.consents import ConsentFile, consents_path

    return ConsentFile(consents_path(settings.store.path))


def _list(settings: Any, clock: Any, arguments: argparse.Namespace) -> int:
    from kiezbox.cli._common import print_json

    consents, now = _file(settings).read(), clock.now()
    recipients = _recipients(settings)
    astray = consents.astray(recipients, now)
    shown = consents.given if arguments.all else consents.holding(now)
    if arguments.json:
        print_json(
            [
                {**each._asdict(), "holds": each.holds(now) and each not in astray,
                 "stopped": _why(each, recipients) if each in astray else None}
                for each in shown
            ]
        )  # fmt: skip
    else:
        for each in shown:
            print(_line(each, now))
            if each in astray:
                print(f"      STOPPED: {_why(each, recipients)}")
        if not shown:
            print("no consent: nothing of an indoor sensor leaves this box")
    if shown and not clock.is_trusted():
        _warn("nobody has set this box's clock, so nobody can say whether a consent is over: until"
              " then nothing goes out by any (kiezbox clock)")  # fmt: skip
    if consents.is_damaged:
        from kiezbox.errors import StoreError

        lines = ", ".join(map(str, consents.damaged))
        raise StoreError(
            f"the ledger of consents cannot be read (line {lines})",
            hint="Nothing of indoor sensors is published until it can. Look at consents.jsonl"
            " beside the database; mend the line, or remove it if nobody can say what it was.",
        )
    return 0


def _warn(words: str) -> None:
    import sys

    print(f"kiezbox: {words}", file=sys.stderr)


def _recipients(settings: Any) -> dict[str, Any]:
    from kiezbox.privacy.recipient import recipients_of

    return recipients_of(settings.publishers)


def _why(each: Any, recipients: Mapping[str, Any]) -> str:
    """Why nothing goes out by a consent that was not ended."""
    from kiezbox.privacy.recipient import astray_words

    return astray_words(each.number, each.address, recipients.get(each.recipient))


def _line(each: Any, now: float) -> str:
    from kiezbox.privacy.consent import EVERYTHING
    from kiezbox.privacy.recipient import Recipient

    until = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(each.ends_at))
    what = "all" if EVERYTHING in each.quantities else ", ".join(each.quantities)
    state = "until" if each.holds(now) else "ended"
    return (
        f"{each.number:4}  {each.sensor}: {what} → {each.recipient}, {state} {until}\n"
        f"      {each.person}, for: {each.purpose} (text of {each.text_version})\n"
        f"      to {Recipient(each.recipient, each.address).words}"
    )


def _text(settings: Any, clock: Any, arguments: argparse.Namespace) -> int:
    from kiezbox.i18n import text_of
    from kiezbox.privacy.recipient import PORTAL

    text, recipient = (
        text_of(_language(arguments), "consent"),
        _recipient(settings, arguments.recipient),
    )
    shown = text["portal"] if recipient.name == PORTAL else recipient.words
    print(f"Version {_version(arguments)}\n\n{_words(arguments)}\n")
    print(text["to"].format(recipient=shown))
    return 0


def _words(arguments: argparse.Namespace) -> str:
    """The text that people agree to, in their language."""
    import textwrap

    from kiezbox.i18n import text_of

    return "\n\n".join(
        textwrap.fill(each, 100) for each in text_of(_language(arguments), "consent")["text"]
    )


def _version(arguments: argparse.Namespace) -> str:
    """Language and a digest of the words: no word changes without another version, in whichever
    language somebody corrects one. The words of an old one are in the project's history.
    """
    from hashlib import sha256

    from kiezbox.i18n import text_of

    language = _language(arguments)
    words = "\n".join(text_of(language, "consent")["text"])
    return f"{language}-{sha256(words.encode()).hexdigest()[:10]}"


def _language(arguments: argparse.Namespace) -> str:
    """The one asked for, or the terminal's."""
    from kiezbox.cli.advice import _of_terminal

    return str(arguments.language or _of_terminal())


def _recipient(settings: Any, name: str) -> Any:
    from kiezbox.errors import UsageError

    recipients = _recipients(settings)
    if name not in recipients:
        raise UsageError(
            f"there is no publisher {name!r}", hint=f"--to takes one of: {', '.join(recipients)}."
        )
    return recipients[name]


def _give(settings: Any, clock: Any, arguments: argparse.Namespace) -> int:
    from kiezbox.cli.mode import seconds_of
    from kiezbox.errors import UsageError
    from kiezbox.model import Quantity
    from kiezbox.privacy.consent import EVERYTHING

    recipient = _recipient(settings, arguments.recipient)
    names = [quantity.value for quantity in Quantity]
    unknown = [each for each in arguments.quantity if each not in names]
    if unknown:
        raise UsageError(f"{unknown[0]!r} is no quantity", hint=f"There are: {', '.join(names)}.")
    now = clock.now()
    return _record(
        settings, clock, recipient, _version(arguments),
        {
            "at": now, "sensor": arguments.what, "quantities": arguments.quantity or [EVERYTHING],
            "person": arguments.person.strip(), "purpose": arguments.purpose.strip(),
            "until": now + seconds_of(arguments.duration),
        },
    )  # fmt: skip


def _renew(settings: Any, clock: Any, arguments: argparse.Namespace) -> int:
    """Somebody has been asked again. One line ends the old one and gives the new one, so that no
    power cut comes between.
    """
    from kiezbox.cli.mode import seconds_of
    from kiezbox.errors import UsageError

    before = _numbered(_file(settings), arguments.what)
    if before.ended_at is not None:
        raise UsageError(
            f"consent {before.number} was ended; it cannot be renewed",
            hint="Ask again, and record what is agreed to now: kiezbox consent give.",
        )
    now = clock.now()
    until = now + seconds_of(arguments.duration) if arguments.duration else before.until
    if until <= now:
        raise UsageError(f"consent {before.number} is over", hint="Say how long: --for 365d.")
    return _record(
        settings, clock, _recipient(settings, before.recipient), _version(arguments),
        {
            "at": now, "sensor": before.sensor, "quantities": list(before.quantities),
            "person": arguments.person.strip(), "purpose": before.purpose, "until": until,
            "instead_of": before.number,
        },
    )  # fmt: skip


def _record(
    settings: Any, clock: Any, recipient: Any, version: str, said: Mapping[str, Any]
) -> int:
    from kiezbox.errors import KiezboxError

    _known_sensor(settings, str(said["sensor"]))
    if not clock.is_trusted():
        raise KiezboxError(
            "nobody has set this box's clock, so a consent would begin and end at a wrong time",
            hint="`kiezbox clock` says who could. (A consent can be revoked all the same.)",
        )
    file = _file(settings)
    line = {"change": "given", "recipient": recipient.name, **said}
    number = file.append({**line, "address": recipient.address, "text_version": version})
    _tell(settings, file, clock)
    print(
        f"consent {number} is recorded; `kiezbox consent revoke {number}` ends it\n"
        f"It holds for {recipient.words}"
    )
    return 0


def _numbered(file: Any, number: str) -> Any:
    from kiezbox.errors import UsageError

    found = [each for each in file.read().given if str(each.number) == number]
    if not found:
        raise UsageError(f"there is no consent {number}", hint="`kiezbox consent list` has them.")
    return found[0]


def _revoke(settings: Any, clock: Any, arguments: argparse.Namespace) -> int:
    file = _file(settings)
    found = _numbered(file, arguments.what)
    file.append({"change": "revoked", "at": clock.now(), "number": found.number})
    _tell(settings, file, clock)
    print(f"ended: nothing of {found.sensor} goes to {found.recipient} by it any more")
    return 0


def _moved(settings: Any, clock: Any, arguments: argparse.Namespace) -> int:
    file = _file(settings)
    # Also those that a wrong clock takes for over, or for not begun.
    held = [
        each
        for each in file.read().given
        if each.sensor == arguments.what and each.ended_at is None and clock.now() < each.until
    ]
    if not held:
        _known_sensor(settings, arguments.what)
    file.append({"change": "moved", "at": clock.now(), "sensor": arguments.what})
    _tell(settings, file, clock)
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


_ACTIONS = {
    "list": _list, "text": _text, "give": _give, "renew": _renew, "revoke": _revoke,
    "moved": _moved,
}  # fmt: skip
