"""Tell the neighbours something on the first page of this box, or take it back.

  kiezbox bulletin post TEXT [--language de]      put it up; it comes down by itself
  kiezbox bulletin post --code water_open --place "Musterplatz" --until 20:00
                                                  the same in every reader's language
  kiezbox bulletin post … --sign KEYFILE          official, if this box believes the key
  kiezbox bulletin list [--json]                  what is up now, newest first
  kiezbox bulletin withdraw ID [--sign KEYFILE]   take one down (the list has the IDs)
  kiezbox bulletin codes                          the codes and what they need
  kiezbox bulletin post … --sign KEYFILE --to FILE
                                                  the same on a computer without a box, as a file
  kiezbox bulletin import FILE...                 what was signed elsewhere, onto this box
  kiezbox bulletin withdraw FILE --sign KEYFILE --to FILE2
                                                  take that one back, as a file again
  kiezbox bulletin sign HALF --sign KEYFILE --to FILE
                                                  the second of two offices signs (--scope city)

Without --sign residents see it marked as "from the operator of this box, unverified", in every
mode. At most 1000 bytes of UTF-8; no links, no markup: it is shown as it is written. Signed ones
stand above all others as long as docs/trust.md allows; --scope city needs --second KEYFILE of
another issuer. --replaces ID takes the place of one of the same issuer.
"""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Any

from kiezbox.cli._bulletin_files import countersign, meant, record_of, take_in, to_file
from kiezbox.cli._bulletin_showing import list_codes, show
from kiezbox.errors import UsageError
from kiezbox.situation import plain_text

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping

    from kiezbox.clock import Clock
    from kiezbox.records.folds import Told
    from kiezbox.store.log import Log
    from kiezbox.trust import Trust

#: Of UTF-8; and a month: what must stay longer belongs on a poster.
MOST_BYTES, MOST_HOURS = 1000, 744.0

#: Options that are parameters of a code, and whether they are times.
_PARAMETERS = {"place": 0, "what": 0, "from": 1, "at": 1, "until": 1, "number": 0, "phone": 0}

#: What follows each action.
_NEEDS = {
    "post": "a text in quotes", "list": "nothing more", "withdraw": "an ID",
    "codes": "nothing more", "import": "one FILE or more", "sign": "a FILE",
}  # fmt: skip

_SCOPES = ("box", "kiez", "city")
_SEVERITIES = ("unknown", "minor", "moderate", "severe", "extreme")


def main(argv: list[str]) -> int:
    """``kiezbox bulletin post|list|withdraw|codes``."""
    arguments = _arguments(argv)
    if arguments.action == "codes":
        return list_codes()
    if arguments.action == "sign":
        countersign(arguments)
        return 0
    fields = _fields(arguments) if arguments.action == "post" else {}
    if arguments.hours is not None and not 0 < arguments.hours <= MOST_HOURS:
        raise UsageError(
            f"--hours {arguments.hours:g} is outside 0 to {MOST_HOURS:g}",
            hint="A bulletin that nobody takes down must come down by itself.",
        )
    if arguments.to:
        _to_file(arguments, fields)
        return 0
    from kiezbox.cli._common import load_settings, open_clock
    from kiezbox.store.believing import open_believing

    settings = load_settings(arguments.settings)
    clock = open_clock(settings)
    with closing(open_believing(settings, clock)) as log:
        desk = _Desk(log, clock, settings.trust.roots)
        if arguments.action == "import":
            return _import(desk, arguments)
        act = {"post": _post, "list": _list, "withdraw": _withdraw}[arguments.action]
        act(desk, arguments, fields)
    return 0


class _Desk:
    """What the actions work with."""

    def __init__(self, log: Log, clock: Clock, roots: tuple[str, ...]) -> None:
        from kiezbox.store.believing import trust_of

        self.log = log
        self.clock = clock
        self.trust: Trust = trust_of(log, roots, clock)


def _arguments(argv: list[str]) -> argparse.Namespace:
    from kiezbox.cli._common import Parser

    parser = Parser("bulletin", __doc__)
    parser.add_argument("action", choices=tuple(_NEEDS))
    parser.add_argument("what", nargs="*", metavar="TEXT, ID or FILE")
    parser.add_argument("--hours", type=float, help="how long it stays (default 24, or --until)")
    parser.add_argument("--language", default="de", help="of TEXT (default de)")
    parser.add_argument("--headline", default="", help="a few words above TEXT")
    parser.add_argument("--code", help="instead of TEXT: see `kiezbox bulletin codes`")
    for name, is_time in _PARAMETERS.items():
        kind = "TIME" if is_time else "TEXT"
        parser.add_argument(f"--{name}", metavar=kind, dest=f"parameter_{name}", help="of the code")
    parser.add_argument("--severity", choices=_SEVERITIES, default="unknown")
    parser.add_argument("--scope", choices=_SCOPES, default="kiez", help="how far it travels")
    parser.add_argument("--all-clear", action="store_true", help="a danger is over")
    parser.add_argument("--exercise", action="store_true", help="only practising")
    parser.add_argument("--replaces", metavar="ID", help="an earlier one of the same issuer")
    parser.add_argument("--sign", metavar="KEYFILE", help="in the name of this key's issuer")
    parser.add_argument("--second", metavar="KEYFILE", help="a second issuer, for --scope city")
    parser.add_argument("--passphrase-file", metavar="FILE", help="of KEYFILE, for programs")
    parser.add_argument("--to", metavar="FILE", help="sign here, without a box, into a new file")
    parser.add_argument("--time", metavar="TIME", help="now, where the box's clock is not set")
    parser.add_argument("--json", action="store_true", help="for programs")
    arguments = parser.parse_args(argv)
    given, action = arguments.what, arguments.action
    is_bare = action in ("list", "codes") or (action == "post" and bool(arguments.code))
    if bool(given) == is_bare or (len(given) > 1 and action != "import"):
        needs = "a text or a code" if action == "post" and arguments.code else _NEEDS[action]
        raise UsageError(
            f"bulletin {action} needs {needs}", hint="`kiezbox bulletin --help` shows the ways."
        )
    if arguments.to and action not in ("post", "withdraw", "sign"):
        raise UsageError(f"bulletin {action} writes no file")
    if action != "import":
        arguments.what = given[0] if given else None
    return arguments


def _fields(arguments: argparse.Namespace) -> dict[str, Any]:
    """What is said, without when and by whom."""
    from kiezbox.i18n import is_language

    fields: dict[str, Any] = {
        "severity": _SEVERITIES.index(arguments.severity),
        "is_all_clear": int(arguments.all_clear),
        "is_exercise": int(arguments.exercise),
        "headline": plain_text(arguments.headline, 160),
    }
    if arguments.code:
        return fields | _coded(arguments)
    if not is_language(arguments.language):
        raise UsageError(
            f"--language {arguments.language} is none that this box has",
            hint="`kiezbox languages` lists them.",
        )
    return fields | {"text": checked(arguments.what), "language": arguments.language}


def _coded(arguments: argparse.Namespace) -> dict[str, Any]:
    """
    Raises:
        UsageError: there is no such code, or it needs a parameter.
    """
    from kiezbox.records.codes import code_named

    try:
        code = code_named(arguments.code)
    except KeyError as error:
        raise UsageError(
            f"there is no code {arguments.code}", hint="`kiezbox bulletin codes` lists them."
        ) from error
    given = {name: vars(arguments)[f"parameter_{name}"] for name in _PARAMETERS}
    missing = [f"--{name}" for name in code.needs if not given[name]]
    if missing:
        raise UsageError(f"{code.name} says nothing without {' and '.join(missing)}")
    return {
        "code": code.number,
        "parameters": {n: plain_text(v, 120) for n, v in given.items() if v},
    }


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


# --- posting -------------------------------------------------------------------------------------


def _lifetime_s(arguments: argparse.Namespace, fields: dict[str, Any], now: float) -> int:
    """How long it is up; its times become Unix seconds."""
    from kiezbox.cli._keys import moment

    parameters = fields.get("parameters", {})
    for name in parameters:
        if _PARAMETERS[name]:
            parameters[name] = str(int(moment(parameters[name], now)))
    hours = arguments.hours
    if hours is None:
        hours = min((float(parameters.get("until", now + 86400)) - now) / 3600, MOST_HOURS)
    return max(60, int(hours * 3600))


def _to_file(arguments: argparse.Namespace, fields: dict[str, Any]) -> None:
    from kiezbox.cli._keys import desk_clock, issued_at, needs_signing
    from kiezbox.records import Ref

    needs_signing()
    now = issued_at(arguments.time, desk_clock())
    if arguments.action == "withdraw":
        # Which number a box gave it nobody here knows; the issuer's own is what counts.
        serial, arguments.scope = meant(arguments.what)
        fields = {"of": Ref("nowhere", serial), "issuer_serial": serial}
        arguments.hours = arguments.hours or MOST_HOURS
    elif arguments.replaces:
        fields["supersedes"], _ = meant(arguments.replaces)
    kind = "withdrawal" if arguments.action == "withdraw" else "bulletin"
    to_file(arguments, kind, fields, _lifetime_s(arguments, fields, now))


def _import(desk: _Desk, arguments: argparse.Namespace) -> int:
    from kiezbox.store.believing import trust_of

    def shown(taken: list[str]) -> None:
        show(desk, [_found(desk, name) for name in taken], is_json=arguments.json)

    code = take_in(desk.log, desk.trust, arguments.what, shown)
    # What was taken back here is nobody's word from now on, and not only when the node looks.
    desk.log.judge_by(trust_of(desk.log, map(bytes.hex, desk.trust.roots), desk.clock).judge)
    return code


def _post(desk: _Desk, arguments: argparse.Namespace, fields: dict[str, Any]) -> None:
    from kiezbox.records import Scope
    from kiezbox.store.log import Draft

    lifetime_s = _lifetime_s(arguments, fields, desk.clock.now())
    scope = Scope[arguments.scope.upper()]
    if arguments.replaces:
        fields["supersedes"] = _found(desk, arguments.replaces).body.get("serial")
    if not arguments.sign:
        if scope is Scope.CITY or arguments.second:
            raise UsageError("what is for a whole city must be signed, by two issuers")
        draft = Draft(kind="bulletin", fields=fields, lifetime_s=lifetime_s, scope=scope)
    else:
        draft = _signed(desk, arguments, "bulletin", fields, lifetime_s)
    (added,) = desk.log.add(draft)
    show(desk, [_found(desk, str(added.ref))], is_json=arguments.json)


def _signed(
    desk: _Desk, arguments: argparse.Namespace, kind: str, fields: dict[str, Any], lifetime_s: int
) -> Any:
    """A draft in the name of an issuer whom this box believes.

    Raises:
        UsageError: it would not be official here.
    """
    from kiezbox.cli._keys import issued_at, read_key
    from kiezbox.records import Scope, kind_named, unpack_body
    from kiezbox.store.log import Draft
    from kiezbox.trust import sign

    key = read_key(arguments.sign, arguments.passphrase_file)
    second = read_key(arguments.second, arguments.passphrase_file) if arguments.second else None
    at = issued_at(arguments.time, desk.clock)
    used = [told.body.get("serial", 0) for name in ("bulletin", "withdrawal")
            for told in desk.log.records(name) if told.record.key == key.id]  # fmt: skip
    fields = fields | {"issued_at": at, "serial": max([at, *(number + 1 for number in used)])}
    severity = fields.get("severity", 0)
    signed = sign(
        kind, fields, key,
        lifetime_s=lifetime_s, scope=Scope[arguments.scope.upper()], second=second,
        # What is grave goes first where the way is narrow.
        priority=0 if severity >= 3 else None,
    )  # fmt: skip
    record = record_of(desk.log.box, signed)
    verdict = desk.trust.verdict(record, unpack_body(kind_named(kind), signed.body)[0])
    if not verdict.name:
        raise UsageError(
            f"this box would not call it official: {verdict.why}",
            hint="`kiezbox trust list` shows whom it believes, and how far.",
        )
    return Draft(**signed._asdict())


# --- taking back ---------------------------------------------------------------------------------


def _withdraw(desk: _Desk, arguments: argparse.Namespace, _: Mapping[str, Any]) -> None:
    from kiezbox.records import Scope
    from kiezbox.store.log import Draft

    told = _found(desk, arguments.what)
    record = told.record
    of: dict[str, Any] = {"of": record.ref}
    rest_s = max(60, int(told.expires_at - desk.clock.now()) + 1)
    if not record.key:
        if record.origin != desk.log.box:
            raise UsageError(f"{record.ref} is another box's", hint="Its operator takes it down.")
        draft = Draft(kind="withdrawal", fields=of, lifetime_s=rest_s)
    elif not arguments.sign:
        raise UsageError(
            f"{record.ref} is signed; only its issuer takes it back",
            hint="Give the issuer's key with --sign KEYFILE.",
        )
    else:
        arguments.scope = Scope(record.scope).name.lower()
        of |= {"issuer_serial": told.body.get("serial")}
        draft = _signed(desk, arguments, "withdrawal", of, rest_s)
        if draft.key != record.key:
            raise UsageError(f"{record.ref} was signed with another key")
    desk.log.add(draft)
    print(f"{record.ref} is taken down")


def _found(desk: _Desk, given: str) -> Told:
    """The bulletin of this ID: SEQUENCE of this box, or ORIGIN/SEQUENCE."""
    origin, _, sequence = given.rpartition("/")
    fitting = [
        told
        for told in _up(desk)
        if str(told.record.sequence) == sequence and origin in ("", told.record.origin)
    ]
    if not origin and len(fitting) > 1:
        fitting = [told for told in fitting if told.record.origin == desk.log.box]
    if len(fitting) != 1:
        raise UsageError(
            f"there is no bulletin {given}", hint="`kiezbox bulletin list` shows what is up."
        )
    return fitting[0]


# --- showing -------------------------------------------------------------------------------------


def _list(desk: _Desk, arguments: argparse.Namespace, _: Mapping[str, Any]) -> None:
    show(desk, _up(desk), is_json=arguments.json)


def _up(desk: _Desk) -> list[Told]:
    """What is neither expired nor taken back, newest first."""
    found = desk.log.records("bulletin")
    things = {told.record.ref: desk.log.thing(told.record.ref) for told in found}
    return [
        told
        for told in reversed(found)
        if (thing := things[told.record.ref]) is not None and thing.state == "up"
    ]
