"""A record and its frame: one version byte (1), then canonical CBOR (RFC 8949, 4.2.1), an array of
origin (text), sequence, stamp, kind, priority, scope, lifetime_s, is_clock_trusted (0 or 1), body
(bytes: a CBOR map of its own), key id (bytes, none or 8), signature (bytes, none or 64).

The signature is Ed25519 (RFC 8032) over ``signed_bytes``: what the issuer says, and not where it
was taken in, so that the same bulletin is worth the same from every box.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

from kiezbox.errors import KiezboxError
from kiezbox.model import is_box_id
from kiezbox.records.kinds import Priority, Scope
from kiezbox.records.stamps import MOST_STAMP, moment_of

__all__ = [
    "MOST_FRAME", "VERSION", "BadRecord", "Record", "Ref", "decoded", "encoded", "is_origin",
    "pack", "unpack",
]  # fmt: skip

VERSION = 1

#: Longest frame. A warning in several languages is the longest there is.
MOST_FRAME = 20_000

#: A record lives ten years at most (certificates do).
MOST_LIFETIME_S = 3660 * 86400

#: Said before what is signed, so that no signature of ours is ever one for something else.
_DOMAIN = b"kiezbox record 1\0"

_MOST_SEQUENCE = 1 << 53


class BadRecord(KiezboxError, ValueError):
    """Bytes that are no record, or no longer one."""


class Ref(NamedTuple):
    """A record's id: the box that took it in, and its number there."""

    origin: str
    sequence: int

    def __str__(self) -> str:
        return f"{self.origin}/{self.sequence}"


@dataclass(frozen=True, slots=True)
class Record:
    """One record. ``body`` is packed (``bodies``); ``stamp`` see ``stamps``."""

    origin: str
    sequence: int
    stamp: int
    kind: int
    priority: int
    scope: int
    lifetime_s: int
    is_clock_trusted: bool
    body: bytes
    key: bytes = b""
    signature: bytes = b""

    @property
    def ref(self) -> Ref:
        return Ref(self.origin, self.sequence)

    @property
    def written_at(self) -> float:
        """Unix seconds by the clock of its box."""
        return moment_of(self.stamp)

    def signed_bytes(self) -> bytes:
        """What a signature is over: what is said, for how long and how far."""
        return signed_bytes(self.kind, self.priority, self.scope, self.lifetime_s, self.body)


def signed_bytes(kind: int, priority: int, scope: int, lifetime_s: int, body: bytes) -> bytes:
    """As ``Record.signed_bytes``, before there is a record."""
    return _DOMAIN + encoded([kind, priority, scope, lifetime_s, body])


def pack(record: Record) -> bytes:
    """The frame."""
    return bytes([VERSION]) + encoded(
        [
            record.origin,
            record.sequence,
            record.stamp,
            record.kind,
            record.priority,
            record.scope,
            record.lifetime_s,
            int(record.is_clock_trusted),
            record.body,
            record.key,
            record.signature,
        ]
    )


def unpack(frame: bytes) -> Record:
    """The record of a frame. A kind that is not known is one all the same: it is passed on.

    Raises:
        BadRecord: too long, another version, not CBOR, not canonical, or a value out of range.
    """
    if not 1 < len(frame) <= MOST_FRAME:
        raise BadRecord(f"a record of {len(frame)} bytes", hint=f"At most {MOST_FRAME}.")
    if frame[0] != VERSION:
        raise BadRecord(
            f"a record of version {frame[0]}", hint="A newer Kiezbox wrote it; update this one."
        )
    fields = decoded(frame[1:])
    if not isinstance(fields, list) or len(fields) != len(_CHECKS):
        raise BadRecord(f"a record is an array of {len(_CHECKS)}")
    for value, (name, check) in zip(fields, _CHECKS, strict=True):
        if not check(value):
            raise BadRecord(f"a record whose {name} is none")
    first, (is_clock_trusted, *last) = fields[:7], fields[7:]
    record = Record(*first, bool(is_clock_trusted), *last)  # type: ignore[call-arg]
    if bool(record.key) != bool(record.signature):
        raise BadRecord("a record with a key and no signature, or the other way round")
    return record


def is_origin(value: Any) -> bool:
    """Whether this names a box."""
    return isinstance(value, str) and is_box_id(value)


def _within(least: int, most: int) -> Any:
    return lambda value: type(value) is int and least <= value <= most


def _sized(*sizes: int) -> Any:
    return lambda value: isinstance(value, bytes) and len(value) in sizes


_CHECKS = (
    ("origin", is_origin),
    ("sequence", _within(1, _MOST_SEQUENCE)),
    ("stamp", _within(0, MOST_STAMP)),
    ("kind", _within(0, 255)),
    ("priority", _within(min(Priority), max(Priority))),
    ("scope", _within(min(Scope), max(Scope))),
    ("lifetime", _within(1, MOST_LIFETIME_S)),
    ("clock", _within(0, 1)),
    ("body", lambda value: isinstance(value, bytes)),
    ("key", _sized(0, 8)),
    ("signature", _sized(0, 64)),
)


# --- CBOR, as far as it is used here -----------------------------------------------------------


def encoded(value: Any) -> bytes:
    """Canonical CBOR of whole numbers, texts, bytes, arrays and maps with such keys."""
    from cbor2 import dumps

    return dumps(value, canonical=True)


def decoded(data: bytes) -> Any:
    """The value of canonical CBOR without tags, floats and indefinite lengths, and nothing behind.

    Raises:
        BadRecord: it is none.
    """
    from cbor2 import loads

    try:
        value = loads(data, max_depth=5, allow_indefinite=False, allow_duplicate_keys=False)
        is_plain = _is_plain(value) and encoded(value) == data
    except BadRecord:
        raise
    except Exception as error:
        # The decoder raises what its own tags raise: ValueError, TypeError, re.error, Overflow …
        raise BadRecord(f"not CBOR: {type(error).__name__}") from error
    if not is_plain:
        raise BadRecord("not canonical CBOR")
    return value


def _is_plain(value: Any) -> bool:
    kind = type(value)
    if kind is int:
        # Beyond, it had a tag: a bignum.
        return bool(-(1 << 64) <= value < 1 << 64)
    if kind is str or kind is bytes:
        return True
    if kind is list:
        return all(map(_is_plain, value))
    return kind is dict and all(_is_plain(k) and _is_plain(v) for k, v in value.items())
