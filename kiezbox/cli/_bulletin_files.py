"""Bulletins that are signed on a computer without a box, and carried to the boxes as files.

A file is text: what a person reads begins with #, and each signed line is one that ``trust.files``
writes. It is no secret. A *half* is what the first of two offices sends the other for scope city:
its body holds that office's second signature, and nobody has signed the whole yet.
"""

from __future__ import annotations

import sys
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

from kiezbox.errors import UsageError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Mapping, Sequence

    from kiezbox.records import Record
    from kiezbox.store.log import Log
    from kiezbox.trust import Key, Signed, Trust

__all__ = ["countersign", "meant", "record_of", "take_in", "to_file"]

_SCOPES = ("box", "kiez", "city")


def to_file(
    arguments: argparse.Namespace, kind: str, fields: dict[str, Any], lifetime_s: int
) -> None:
    """Sign it with the keys that are given, by this computer's clock, and write the file.

    Raises:
        UsageError: no key, or the keys do not fit the scope.
    """
    from kiezbox.cli._keys import desk_clock, issued_at, read_key
    from kiezbox.records import Scope
    from kiezbox.trust import sign

    scope = Scope[arguments.scope.upper()]
    is_half = bool(arguments.second and not arguments.sign)
    if not arguments.sign and not is_half:
        raise UsageError(
            "--to writes a signed file, and needs --sign KEYFILE",
            hint="Without a key, post it at the box itself: kiezbox bulletin post TEXT.",
        )
    if kind == "bulletin" and scope is Scope.CITY and not arguments.second:
        raise UsageError(
            "for a whole city two issuers must sign",
            hint="Here: --sign ONE --second OTHER. In two offices: in the first --second ONE --to"
            " half.txt, in the other `kiezbox bulletin sign half.txt --sign OTHER --to whole.txt`.",
        )
    at = issued_at(arguments.time, desk_clock())
    second = read_key(arguments.second, arguments.passphrase_file) if arguments.second else None
    key = read_key(arguments.sign, arguments.passphrase_file) if arguments.sign else None
    signed = sign(
        kind, {**fields, "issued_at": at, "serial": at}, key or second,  # type: ignore[arg-type]
        lifetime_s=lifetime_s, scope=scope, second=second,
        priority=0 if fields.get("severity", 0) >= 3 else None,
    )  # fmt: skip
    if is_half:
        signed = signed._replace(key=b"", signature=b"")
    who = _holder(key or second)
    _write(arguments.to, signed, f"half signed by {who}" if is_half else f"signed by {who}")


def countersign(arguments: argparse.Namespace) -> None:
    """``bulletin sign HALF --sign KEYFILE --to FILE``: the other office's name under it.

    Raises:
        UsageError: it is no half.
    """
    from kiezbox.cli._keys import read_key
    from kiezbox.records import kind_named
    from kiezbox.records.record import signed_bytes

    if not (arguments.sign and arguments.to):
        raise UsageError("bulletin sign needs --sign KEYFILE and --to FILE")
    halves = [each for each in _signed_in(arguments.what) if not each.key]
    if len(halves) != 1:
        raise UsageError(
            f"{arguments.what} holds no half-signed bulletin",
            hint="The first office makes one: kiezbox bulletin post … --scope city --second KEYFILE"
            " --to half.txt.",
        )
    half = halves[0]
    for line in _in_words(half):
        print(f"  {line}", file=sys.stderr)
    key = read_key(arguments.sign, arguments.passphrase_file)
    number = kind_named(half.kind).number
    message = signed_bytes(number, half.priority, int(half.scope), half.lifetime_s, half.body)
    whole = half._replace(key=key.id, signature=key.sign(message))
    _write(arguments.to, whole, f"signed by {_holder(key)} and a second issuer")


def meant(path: str) -> tuple[int, str]:
    """The issuer's number and the scope of the one bulletin in this file.

    Raises:
        UsageError: there is none, or several.
    """
    found = [each for each in _signed_in(path) if each.kind == "bulletin" and each.key]
    if len(found) != 1:
        raise UsageError(
            f"{path} holds {len(found)} signed bulletins, and one is meant",
            hint="The file that `kiezbox bulletin post … --to FILE` wrote.",
        )
    return int(_body(found[0]).get("serial", 0)), _SCOPES[int(found[0].scope)]


def take_in(log: Log, trust: Trust, paths: Sequence[str], show: Callable[[list[str]], None]) -> int:
    """``bulletin import FILE…`` on a box; 1 if anything was not taken, each with its reason."""
    from kiezbox.store.log import Draft

    taken: list[str] = []
    refused = 0
    for path in paths:
        for signed in _signed_in(path):
            why = _objection(log, trust, signed)
            if why:
                refused += 1
                print(f"kiezbox: {path}: {why[0]}", file=sys.stderr)
                print(f"         {why[1]}", file=sys.stderr)
                continue
            once = blake2b(signed.signature, digest_size=16).digest()
            (added,) = log.add(Draft(**signed._asdict(), once=once))
            if not added.is_new:
                print(f"{path}: this box has it already, as {added.ref}", file=sys.stderr)
            elif signed.kind == "bulletin":
                taken.append(str(added.ref))
            else:
                print(f"{path}: one bulletin of its issuer is taken back")
    if taken:
        show(taken)
    return 1 if refused else 0


# --- inside --------------------------------------------------------------------------------------


def _objection(log: Log, trust: Trust, signed: Signed) -> tuple[str, str] | None:
    """Why this box does not take it in, and what to do; None: it does."""
    if signed.kind not in ("bulletin", "withdrawal"):
        return f"it holds a {signed.kind}", "`kiezbox trust import` takes that in."
    if not signed.key:
        return (
            "only the first of two issuers has signed it",
            "The second one does: kiezbox bulletin sign FILE --sign KEYFILE --to FILE2.",
        )
    body = _body(signed)
    verdict = trust.verdict(record_of(log.box, signed), body)
    if not verdict.name:
        return (
            f"this box would not call it official: {verdict.why}",
            "`kiezbox trust list` shows whom it believes; a new issuer's certificate comes by"
            " `kiezbox trust import`.",
        )
    for told in log.records(signed.kind):
        is_same = told.record.key == signed.key and told.body.get("serial") == body.get("serial")
        if is_same and told.record.signature != signed.signature:
            return (
                "its issuer has given its number to another one already",
                "Two were signed in the same second: sign it once more.",
            )
    return None


def record_of(box: str, signed: Signed) -> Record:
    """As it would be here, for the judge."""
    from kiezbox.records import Record, kind_named

    return Record(
        box, 1, 0, kind_named(signed.kind).number, signed.priority, signed.scope,
        signed.lifetime_s, True, signed.body, signed.key, signed.signature,
    )  # fmt: skip


def _signed_in(path: str) -> list[Signed]:
    """
    Raises:
        UsageError: it cannot be read, or nothing signed is in it.
    """
    from kiezbox.cli._keys import read_text
    from kiezbox.trust import Certificate, NotTaken, lines_of

    found: list[Signed] = []
    for each in lines_of(read_text(path)):
        if isinstance(each, NotTaken):
            raise UsageError(
                f"{path}, line {each.number}: {each.why}",
                hint="The line is damaged. Carry the file itself, or send it as an attachment.",
            )
        if not isinstance(each, Certificate):
            found.append(each)
    if not found:
        raise UsageError(
            f"{path} holds nothing signed",
            hint="`kiezbox bulletin post … --sign KEYFILE --to FILE` writes such a file;"
            " certificates come by `kiezbox trust import`.",
        )
    return found


def _body(signed: Signed) -> Mapping[str, Any]:
    from kiezbox.records import kind_named, unpack_body

    return unpack_body(kind_named(signed.kind), signed.body)[0]


def _in_words(signed: Signed) -> list[str]:
    """For whoever looks into the file, or signs it second."""
    import time

    from kiezbox.records.codes import CODES

    body = _body(signed)
    what = str(body.get("text", ""))
    if "code" in body:
        code = CODES.get(body["code"])
        given = (f"{name} {value}" for name, value in body.get("parameters", {}).items())
        what = ", ".join((code.name if code else str(body["code"]), *given))
    if signed.kind == "withdrawal":
        what = f"takes back number {body.get('issuer_serial')} of its issuer"
    since = time.strftime("%Y-%m-%d %H:%M", time.localtime(body.get("issued_at", 0)))
    until_s = body.get("issued_at", 0) + signed.lifetime_s
    until = time.strftime("%Y-%m-%d %H:%M", time.localtime(until_s))
    head = f"{signed.kind} for {_SCOPES[int(signed.scope)]}, {since} to {until}"
    return [head, *filter(None, (body.get("headline", ""), *what.splitlines()))]


def _holder(key: Key | None) -> str:
    return (key.name or key.id.hex()) if key else ""


def _write(path: str, signed: Signed, who: str) -> None:
    from kiezbox.cli._keys import write_new
    from kiezbox.trust import signed_line

    lines = [*_in_words(signed), who]
    head = "".join(f"# {line}\n" for line in lines)
    write_new(path, f"{head}{signed_line(signed)}\n")
    print(path)
