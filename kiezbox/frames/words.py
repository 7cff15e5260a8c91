"""Records as frames: what people write, and what authorities say in codes.

The first byte, then one stream of bits that cost what they tell (``coder``), then signatures of 64
bytes each. There is no seal: the signatures say more.

==================  =====================================================================
in the stream       as
==================  =====================================================================
origin id           32 bits
sequence            number
kind                6 bits
stamp               ?0: milliseconds since 2025-01-01, 42 bits; ?1: since 1970, 47 bits; then
                    the counter, ?0: 0; ?1: number
priority            ?0: that of its kind; ?1: 3 bits
scope               0: the Kiez; 1: the city
lifetime            0: that of its kind; 1: 0: minutes, number; 1: seconds, number
is_clock_trusted    ?0: yes; ?1: no
signer              0: none; 1: the first four bytes of the key's id
body                ?0: its fields, in their order in ``records.kinds``, the language in front; ?1:
                    count of its bytes: number; and these as they are
==================  =====================================================================

A "number" is ``coder.gamma``. A field that is not required begins with a bit that says whether it
is there. A bit that is seldom 1 (?) has the chance 8/256, and learns nothing. A count of up to 255
has as many bits as its greatest value, a moment is a bit (1: later) and its distance from the
stamp's (number with a size of 6 bits, as sequences and greater counts have), a language a bit (0:
one of ``text.LANGUAGES``, 4 bits), a text ``text.text``, bytes a bit (0: as many as there may be;
1: a number of them), codes their count (number, 4 bits) and 8 bits each, a record's name an origin
id and a sequence, parameters for each name a bit and a text.

Behind the stream, by the frame's kind: the signer's signature (``CODED_RECORD``), the proof of the
box that took it in (``RECORD``, see ``store.proofs``), or one after the other (``SIGNED_RECORD``).
A coded record is worth what its signer is: whom everybody believes needs no box that vouches.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

from kiezbox.errors import UsageError
from kiezbox.frames.coder import Chance, Coder, Reader, Writer, gamma
from kiezbox.frames.header import BadFrame, Kind, first_byte, kind_of
from kiezbox.frames.messages import Named
from kiezbox.frames.origins import ORIGIN_BYTES, origin_id
from kiezbox.frames.text import LANGUAGES, language_number, text
from kiezbox.records import KINDS, BadRecord, Record, Ref, Scope, pack_body, unpack_body
from kiezbox.records.bodies import MOST_PARAMETER
from kiezbox.records.kinds import PARAMETERS, Field
from kiezbox.records.kinds import Kind as RecordKind

__all__ = ["SIGNATURE_BYTES", "Signers", "Unfit", "pack_record", "unpack_record"]

SIGNATURE_BYTES = 64

#: 2025-01-01, in milliseconds.
_EPOCH_MS = 1_735_689_600_000
_COUNTER_BITS = 16
_COUNTER_MOST = (1 << _COUNTER_BITS) - 1
_ID_BITS, _KEY_BYTES = 8 * ORIGIN_BYTES, 4

#: Bytes of a body that are taken as they are; a frame has far fewer.
_MOST_RAW = 2000

#: The keys' ids (eight bytes) that begin with these four.
Signers = Callable[[bytes], Iterable[bytes]]


class Unfit(ValueError):
    """A record that no frame of this version can say: it goes by other ways."""


#: Frame kind → whether a signature is behind it, and a proof.
_BEHIND = {
    Kind.RECORD: (False, True),
    Kind.SIGNED_RECORD: (True, True),
    Kind.CODED_RECORD: (True, False),
}


def pack_record(record: Record, proof: bytes = b"") -> bytes:
    """The frame; a coded one, without a proof.

    Raises:
        Unfit: it cannot be said so.
    """
    if record.scope == Scope.BOX:
        raise Unfit("what is for one box alone is not sent")
    behind = bool(record.signature), bool(proof)
    kind = next((each for each, parts in _BEHIND.items() if parts == behind), None)
    if kind is None:
        raise Unfit("what nobody vouches for is not sent")
    coder = Writer()
    try:
        _record(coder, record, lambda _: record.origin, is_signed=behind[0])
    except (ValueError, UsageError) as error:
        raise Unfit(str(error)) from error
    return first_byte(kind) + coder.getvalue() + record.signature + proof


def unpack_record(frame: bytes, named: Named, signers: Signers) -> tuple[list[Record], bytes]:
    """The record, and its proof (b"" with a coded one): several where several signers are meant by
    the same four bytes; whose signature is good is the one.

    Raises:
        BadFrame: no record, not whole, of no box of this Kiez, or by nobody who is known here.
    """
    kind = kind_of(frame)
    if kind not in _BEHIND:
        raise BadFrame(f"a frame of kind {kind.name} where a record was to be")
    is_signed, is_proven = _BEHIND[kind]
    size = SIGNATURE_BYTES * (is_signed + is_proven)
    if len(frame) <= 1 + size:
        raise BadFrame("a record that was cut short")
    stream, behind = frame[1:-size], frame[-size:]
    coder = Reader(stream)
    record = _record(coder, _BLANK, named, is_signed=is_signed)
    coder.end()
    found = [record]
    if is_signed:
        signature = behind[:SIGNATURE_BYTES]
        found = [replace(record, key=key, signature=signature) for key in signers(record.key)]
        if not found:
            raise BadFrame("a record signed by somebody who is not known here")
    return found, behind[-SIGNATURE_BYTES:] if is_proven else b""


#: What is said where somebody reads.
_BLANK = Record("", 0, _EPOCH_MS << _COUNTER_BITS, 0, 0, Scope.KIEZ, 0, False, b"")


def _record(coder: Coder, said: Record, named: Named, *, is_signed: bool) -> Record:
    """Writes what is said, or reads what was said whatever ``said`` is; ``key`` is four bytes."""
    origin = _origin(coder, said.origin, named)
    sequence = gamma(coder, said.sequence, 6)
    number = coder.direct(6, min(said.kind, 63))
    kind = KINDS.get(number)
    if kind is None:
        raise BadFrame(f"a record of kind {number}, which this box does not know")
    stamp = _stamp(coder, said.stamp)
    priority = int(kind.priority)
    if _rarely(coder, said.priority != priority):
        priority = coder.direct(3, said.priority)
    scope = Scope.CITY if coder.direct(1, said.scope == Scope.CITY) else Scope.KIEZ
    lifetime_s = _lifetime(coder, said.lifetime_s, kind)
    is_clock_trusted = not _rarely(coder, not said.is_clock_trusted)
    key = _bytes(coder, said.key[:_KEY_BYTES].ljust(_KEY_BYTES, b"\0"), 4) if is_signed else b""
    body = _body(coder, said, kind, stamp, named)
    return Record(
        origin, sequence, stamp, number, priority, scope, lifetime_s, is_clock_trusted, body, key
    )


def _rarely(coder: Coder, is_so: bool) -> bool:
    """A bit that is seldom 1: it costs a twentieth of one, and five where it is."""
    return bool(coder.bit(Chance(8), int(is_so)))


def _origin(coder: Coder, origin: str, named: Named) -> str:
    number = coder.direct(_ID_BITS, int.from_bytes(origin_id(origin), "big"))
    found = named(number.to_bytes(ORIGIN_BYTES, "big"))
    if found is None:
        raise BadFrame("a record of a box that is not of this Kiez")
    return found


def _stamp(coder: Coder, stamp: int) -> int:
    """``records.stamps``: milliseconds, and a counter that is mostly 0."""
    milliseconds = stamp >> _COUNTER_BITS
    # A box whose clock was never set has other years.
    is_odd = not 0 <= milliseconds - _EPOCH_MS < 1 << 42
    if _rarely(coder, is_odd):
        milliseconds = coder.direct(47, milliseconds)
    else:
        milliseconds = coder.direct(42, milliseconds - _EPOCH_MS) + _EPOCH_MS
    counter = stamp & _COUNTER_MOST
    counter = gamma(coder, counter) if _rarely(coder, counter != 0) else 0
    if counter > _COUNTER_MOST:
        raise BadFrame("a stamp that no clock gives")
    return milliseconds << _COUNTER_BITS | counter


def _lifetime(coder: Coder, lifetime_s: int, kind: RecordKind) -> int:
    if not coder.direct(1, lifetime_s != kind.lifetime_s):
        return kind.lifetime_s
    if coder.direct(1, lifetime_s % 60 != 0):
        return gamma(coder, lifetime_s)
    return 60 * gamma(coder, lifetime_s // 60)


def _bytes(coder: Coder, data: bytes, size: int) -> bytes:
    """So many bytes; what is written has so many."""
    padded = data.ljust(size, b"\0")
    return bytes(coder.direct(8, padded[place]) for place in range(size))


# --- bodies --------------------------------------------------------------------------------------

#: A count that may be so great is a moment (``records.kinds``): in seconds, milliseconds, or a
#: stamp. It is said by how far it is from the record's own.
_MOMENTS: dict[int, Callable[[int], int]] = {
    1 << 40: lambda stamp: (stamp >> _COUNTER_BITS) // 1000,
    1 << 45: lambda stamp: stamp >> _COUNTER_BITS,
    1 << 63: lambda stamp: stamp,
}


def _body(coder: Coder, said: Record, kind: RecordKind, stamp: int, named: Named) -> bytes:
    fields = _plain_fields(said, kind)
    if _rarely(coder, fields is None):
        size = gamma(coder, len(said.body))
        if size > _MOST_RAW:
            raise BadFrame(f"a body of {size} bytes in a frame")
        return _bytes(coder, said.body, size)
    told = _Told(coder, stamp, named)
    found = {}
    # The language first: by it the texts are read.
    for field in sorted(kind.fields, key=lambda field: field.name != "language"):
        value = (fields or {}).get(field.name)
        if field.is_required or coder.direct(1, value is not None):
            found[field.name] = told.value(field, value)
    try:
        return pack_body(kind, found)
    except UsageError as error:
        raise BadFrame(f"a {kind.name} that cannot be: {error}") from error


def _plain_fields(said: Record, kind: RecordKind) -> dict[str, Any] | None:
    """The fields of a body that is nothing but its fields; None: it is to go as it is. Whoever
    reads has none yet.
    """
    if said is _BLANK:
        return {}
    try:
        fields, unusable = unpack_body(kind, said.body)
        is_plain = not unusable and pack_body(kind, fields) == said.body
    except (BadRecord, UsageError):
        return None
    return fields if is_plain and all(map(_is_short, fields.values())) else None


def _is_short(value: Any) -> bool:
    """Whether it can go field by field: no zero character, no longer than a text may be."""
    texts = value.values() if isinstance(value, dict) else [value]
    return all(not isinstance(t, str) or ("\0" not in t and len(t.encode()) <= 1500) for t in texts)


class _Told:
    """One body's values, each by its type in ``records.kinds``."""

    def __init__(self, coder: Coder, stamp: int, named: Named) -> None:
        self._coder = coder
        self._stamp = stamp
        self._named = named
        #: Of the texts to come: that of the record, as soon as it was said.
        self._language = 0

    def value(self, field: Field, value: Any) -> Any:
        found: Any = getattr(self, f"_{field.type}")(field, value)
        return found

    def _count(self, field: Field, value: int | None) -> int:
        said = value or 0
        if field.most in _MOMENTS:
            base = _MOMENTS[field.most](self._stamp)
            is_later = self._coder.direct(1, said > base)
            apart = gamma(self._coder, abs(said - base), 6)
            return base + apart if is_later else base - apart
        if field.most <= 255:
            return self._coder.direct(field.most.bit_length(), said)
        return gamma(self._coder, said, 6)

    def _text(self, field: Field, value: str | None) -> str:
        said = value or ""
        if field.name == "language":
            if not self._coder.direct(1, said not in LANGUAGES):
                self._language = self._coder.direct(4, language_number(said))
                if self._language >= len(LANGUAGES):
                    raise BadFrame("a language that has no number")
                return LANGUAGES[self._language]
            found = text(self._coder, said, 0, field.most)
            self._language = language_number(found)
            return found
        return text(self._coder, said, self._language, field.most)

    def _bytes(self, field: Field, value: bytes | None) -> bytes:
        said = value or b""
        if self._coder.direct(1, len(said) != field.most):
            size = gamma(self._coder, len(said))
            if size > _MOST_RAW:
                raise BadFrame(f"{size} bytes in a frame")
            return _bytes(self._coder, said, size)
        return _bytes(self._coder, said, field.most)

    def _codes(self, field: Field, value: list[int] | None) -> list[int]:
        said = value or []
        size = gamma(self._coder, len(said), 4)
        padded = [*said, *[0] * size]
        return [self._coder.direct(8, padded[place]) for place in range(size)]

    def _ref(self, field: Field, value: Ref | None) -> Ref:
        said = value or Ref("", 0)
        return Ref(
            _origin(self._coder, said.origin, self._named), gamma(self._coder, said.sequence, 6)
        )

    def _parameters(self, field: Field, value: dict[str, str] | None) -> dict[str, str]:
        said = value or {}
        return {
            name: text(self._coder, said.get(name, ""), self._language, MOST_PARAMETER)
            for name in PARAMETERS
            if self._coder.direct(1, name in said)
        }
