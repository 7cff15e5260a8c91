"""What a frame says, for people."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from kiezbox.exchange import Digest, Want
from kiezbox.frames import BadFrame, Kind
from kiezbox.frames.messages import Named, unpack_message
from kiezbox.frames.words import unpack_record
from kiezbox.radio.talk import named_by
from kiezbox.records import KINDS

__all__ = ["said_by"]

_RECORDS = {Kind.RECORD, Kind.SIGNED_RECORD, Kind.CODED_RECORD}
_MESSAGES = {Kind.DIGEST, Kind.WANT, Kind.GONE}


def said_by(frame: bytes, kind: Kind, key: bytes | None, members: Iterable[str]) -> dict[str, Any]:
    """As far as it can be read with this key, by a box of this Kiez; else "why_not"."""
    named = named_by(members)
    try:
        if kind in _RECORDS:
            return _record(frame, named)
        if kind in _MESSAGES:
            if key is None:
                return {"why_not": "this box has no key of a Kiez"}
            return _message(frame, key, named)
    except BadFrame as error:
        return {"why_not": str(error)}
    return {"why_not": "frames of this kind are not looked into here"}


def _record(frame: bytes, named: Named) -> dict[str, Any]:
    # Whoever signed it: here nobody is asked whether he is believed.
    records, proof = unpack_record(frame, named, lambda begin: [begin.ljust(8, b"\0")])
    record = records[0]
    return {
        "record": f"{record.origin} {record.sequence}",
        "is": KINDS[record.kind].name,
        "priority": record.priority,
        "is_signed": bool(record.signature),
        "is_proven": bool(proof),
    }


def _message(frame: bytes, key: bytes, named: Named) -> dict[str, Any]:
    sender, message = unpack_message(frame, key, named)
    said: dict[str, Any] = {"from": sender}
    if isinstance(message, Digest):
        said["fingerprint"] = message.fingerprint.hex()
        said["holds"] = {
            each.origin: f"{each.floor} to {each.newest}, {len(each.holes)} missing"
            for each in message.entries
        }
    else:
        if isinstance(message, Want):
            said["asks"] = message.of or "a box that is unknown here"
        said["numbers"] = {
            origin: ", ".join(f"{first}-{last}" for first, last in numbers.pairs())
            for origin, numbers in message.entries
        }
    return said
