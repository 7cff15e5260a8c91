"""A record's frame: what is on the air, to the byte, and that nothing else is taken for one."""

from __future__ import annotations

from dataclasses import astuple, replace

import cborx
import pytest
from golden import BOX, GOLDEN, STAMP, Golden
from hypothesis import given
from hypothesis import strategies as st

from kiezbox.records import (
    KINDS,
    MOST_FRAME,
    MOST_STAMP,
    BadRecord,
    Record,
    kind_named,
    pack,
    pack_body,
    unpack,
    unpack_body,
)
from kiezbox.records.record import MOST_LIFETIME_S, decoded, encoded

by_name = pytest.mark.parametrize("golden", GOLDEN, ids=lambda golden: golden.name)


def envelope(record: Record) -> tuple[object, ...]:
    origin, sequence, stamp, kind, priority, scope, lifetime, clock, _, key, seal = astuple(record)
    return origin, sequence, stamp, kind, priority, scope, lifetime, int(clock), key, seal


# --- golden frames ------------------------------------------------------------------------------


@by_name
def test_a_frame_of_the_first_release_says_what_it_said(golden: Golden) -> None:
    record = unpack(golden.frame)

    assert envelope(record) == golden.says
    if golden.kind:
        assert unpack_body(kind_named(golden.kind), record.body) == (golden.fields, [])


@by_name
def test_what_was_said_gives_the_frame_of_the_first_release(golden: Golden) -> None:
    record = unpack(golden.frame)
    if golden.kind:
        record = replace(record, body=pack_body(kind_named(golden.kind), golden.fields))

    assert pack(record) == golden.frame


@by_name
def test_a_foreign_reader_reads_the_same_and_calls_it_canonical(golden: Golden) -> None:
    fields = cborx.loads(golden.frame[1:], canonical=True)

    body = fields.pop(8)
    assert tuple(fields) == golden.says
    assert isinstance(cborx.loads(body, canonical=True), dict)


@by_name
def test_a_foreign_writer_writes_the_same_bytes(golden: Golden) -> None:
    fields = cborx.loads(golden.frame[1:])

    assert b"\x01" + cborx.dumps(fields, canonical=True) == golden.frame


@by_name
def test_a_frame_that_was_cut_or_continued_is_refused(golden: Golden) -> None:
    for end in range(len(golden.frame)):
        with pytest.raises(BadRecord):
            unpack(golden.frame[:end])
    with pytest.raises(BadRecord):
        unpack(golden.frame + b"\0")


@by_name
def test_a_flipped_bit_is_refused_or_makes_another_record_with_a_frame_of_its_own(
    golden: Golden,
) -> None:
    for at in range(8 * len(golden.frame)):
        spoilt = bytearray(golden.frame)
        spoilt[at // 8] ^= 1 << at % 8
        try:
            found = unpack(bytes(spoilt))
        except BadRecord:
            continue
        assert pack(found) == spoilt
        assert found != unpack(golden.frame)


# --- records of any kind ------------------------------------------------------------------------

box_ids = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,29}[a-z0-9])?", fullmatch=True)

records = st.builds(
    Record,
    origin=box_ids,
    sequence=st.integers(1, 1 << 53),
    stamp=st.integers(0, MOST_STAMP),
    kind=st.integers(0, 255),
    priority=st.integers(0, 6),
    scope=st.integers(0, 2),
    lifetime_s=st.integers(1, MOST_LIFETIME_S),
    is_clock_trusted=st.booleans(),
    body=st.binary(max_size=200),
)


@given(record=records, is_signed=st.booleans())
def test_every_record_comes_back_out_of_its_frame(record: Record, is_signed: bool) -> None:
    if is_signed:
        record = replace(record, key=b"k" * 8, signature=b"s" * 64)

    frame = pack(record)

    assert unpack(frame) == record
    assert tuple(cborx.loads(frame[1:], canonical=True))[:3] == astuple(record)[:3]


GOOD = Record(BOX, 1, STAMP, 7, 5, 1, 86400, True, b"\xa0")


@pytest.mark.parametrize(
    "wrong",
    [
        {"origin": ""}, {"origin": "Späti"}, {"origin": "x" * 40}, {"origin": "a/b"}, {"origin": 1},
        {"sequence": 0}, {"sequence": (1 << 53) + 1}, {"sequence": -1}, {"sequence": "1"},
        {"stamp": -1}, {"stamp": MOST_STAMP + 1}, {"stamp": 1.5}, {"kind": 256}, {"kind": -1},
        {"priority": 7}, {"scope": 3}, {"lifetime_s": 0}, {"lifetime_s": MOST_LIFETIME_S + 1},
        {"body": "text"}, {"body": None}, {"key": b"k" * 8}, {"signature": b"s" * 64},
        {"key": b"k" * 7, "signature": b"s" * 64}, {"key": b"k" * 8, "signature": b"s" * 63},
        {"body": bytes(MOST_FRAME)},
    ],
    ids=str,
)  # fmt: skip
def test_a_value_out_of_range_makes_no_record(wrong: dict[str, object]) -> None:
    frame = pack(replace(GOOD, **wrong))  # type: ignore[arg-type]

    with pytest.raises(BadRecord):
        unpack(frame)


@pytest.mark.parametrize("version", [0, 2, 255])
def test_a_frame_of_another_version_is_refused(version: int) -> None:
    with pytest.raises(BadRecord, match="version"):
        unpack(bytes([version]) + pack(GOOD)[1:])


# --- CBOR ---------------------------------------------------------------------------------------

#: Encodings of RFC 8949, Appendix A, that are canonical and of the types used here.
RFC_GOOD = {
    "00": 0, "01": 1, "0a": 10, "17": 23, "1818": 24, "1819": 25, "1864": 100, "1903e8": 1000,
    "1a000f4240": 1000000, "1b000000e8d4a51000": 1000000000000, "20": -1, "29": -10,
    "3863": -100, "3903e7": -1000, "40": b"", "4401020304": b"\1\2\3\4", "60": "", "6161": "a",
    "6449455446": "IETF", "62225c": '"\\', "62c3bc": "ü", "63e6b0b4": "水", "64f0908591": "𐅑",
    "80": [], "83010203": [1, 2, 3], "8301820203820405": [1, [2, 3], [4, 5]], "a0": {},
    "a201020304": {1: 2, 3: 4}, "826161a161626163": ["a", {"b": "c"}],
    "98190102030405060708090a0b0c0d0e0f101112131415161718181819": list(range(1, 26)),
}  # fmt: skip

#: Those of other types, of indefinite length, or longer than they need be.
RFC_BAD = (
    "f90000", "f93c00", "fb3ff199999999999a", "f97e00", "f4", "f5", "f6", "f7", "f0", "f8ff",
    "c074323031332d30332d32315432303a30343a30305a", "c11a514b67b0", "d74401020304",
    "d818456449455446",
    "c249010000000000000000", "c349010000000000000000", "5f42010243030405ff",
    "7f657374726561646d696e67ff", "9fff", "9f018202039f0405ffff", "83018202039f0405ff",
    "bf61610161629f0203ffff", "1800", "1817", "190018", "1a00000018", "1b0000000000000018",
    "5800", "7800", "9800", "b800", "a203040102", "a201020103", "0000", "",
)  # fmt: skip


@pytest.mark.parametrize("given", RFC_GOOD)
def test_the_standards_own_examples_are_read_and_written(given: str) -> None:
    data = bytes.fromhex(given)

    assert decoded(data) == RFC_GOOD[given]
    assert encoded(RFC_GOOD[given]) == data == cborx.dumps(RFC_GOOD[given], canonical=True)


@pytest.mark.parametrize("given", RFC_BAD)
def test_what_is_no_plain_canonical_cbor_is_refused(given: str) -> None:
    with pytest.raises(BadRecord):
        decoded(bytes.fromhex(given))


@pytest.mark.parametrize("depth", [6, 100, 100_000])
def test_nesting_is_bounded(depth: int) -> None:
    with pytest.raises(BadRecord):
        decoded(b"\x81" * depth + b"\x00")


@pytest.mark.parametrize("head", ["9b7fffffffffffffff", "bb7fffffffffffffff", "5b7fffffffffffffff",
                                  "7b7fffffffffffffff", "9affffffff"])  # fmt: skip
def test_a_length_that_is_a_lie_costs_nothing(head: str) -> None:
    with pytest.raises(BadRecord):
        decoded(bytes.fromhex(head) + b"\x00" * 10)


@given(data=st.binary(max_size=60))
def test_what_is_taken_a_foreign_reader_takes_as_canonical(data: bytes) -> None:
    try:
        value = decoded(data)
    except BadRecord:
        return
    assert cborx.loads(data, canonical=True) == value


def test_every_kind_has_a_number_and_a_name_of_its_own() -> None:
    assert len({kind.name for kind in KINDS.values()}) == len(KINDS)
    assert all(number == kind.number for number, kind in KINDS.items())
    for kind in KINDS.values():
        numbers = [field.number for field in kind.fields]
        assert len(set(numbers)) == len(numbers) == len({field.name for field in kind.fields})
        assert numbers and min(numbers) == 1 and max(numbers) <= 23, "one byte of CBOR"
        assert 0 < kind.lifetime_s <= kind.most_s <= MOST_LIFETIME_S
        assert not kind.changes or kind.fields[0].name == "of"
