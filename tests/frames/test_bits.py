"""Bits, the first byte, seals, names in four bytes."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kiezbox.errors import KiezboxError
from kiezbox.frames import BadFrame, Kind, kind_of, origin_id, sealed, unsealed
from kiezbox.frames.bits import BitReader, BitWriter
from kiezbox.frames.header import first_byte

KEY = bytes(range(32))

FIELDS = st.lists(
    st.integers(0, 40).flatmap(lambda w: st.tuples(st.integers(0, (1 << w) - 1), st.just(w))),
    max_size=30,
)


@settings(max_examples=100, deadline=None)
@given(FIELDS, st.lists(st.integers(0, 1 << 38), max_size=5), st.binary(max_size=9))
def test_what_was_written_is_read(
    fields: list[tuple[int, int]], numbers: list[int], data: bytes
) -> None:
    writer = BitWriter()
    for number, width in fields:
        writer.put(number, width)
    for number in numbers:
        writer.gamma(number)
    writer.put_bytes(data)
    reader = BitReader(writer.getvalue())

    assert [reader.take(width) for _, width in fields] == [number for number, _ in fields]
    assert [reader.gamma() for _ in numbers] == numbers
    assert reader.take_bytes(len(data)) == data
    reader.end()


def test_the_highest_bit_of_a_byte_comes_first() -> None:
    writer = BitWriter()
    writer.put(1, 1)
    writer.put(3, 9)

    assert writer.getvalue() == bytes((0b1000_0000, 0b1100_0000))


def test_numbers_from_nought_have_the_gamma_code_of_the_next_one() -> None:
    writer = BitWriter()
    for number in (0, 1, 2, 8):  # Elias 1975: 1, 010, 011, 0001001
        writer.gamma(number)

    assert writer.getvalue() == bytes((0b1_010_011_0, 0b001001_00))


@pytest.mark.parametrize(("number", "width"), [(4, 2), (-1, 8), (1, 0)])
def test_a_number_that_does_not_fit_is_refused(number: int, width: int) -> None:
    with pytest.raises(ValueError, match="does not fit"):
        BitWriter().put(number, width)


def test_nothing_is_read_past_the_end() -> None:
    reader = BitReader(b"\x00\x00")

    with pytest.raises(BadFrame):
        reader.take(17)
    with pytest.raises(BadFrame):
        reader.gamma()


def test_a_number_of_endless_zeros_ends() -> None:
    with pytest.raises(BadFrame, match="too long"):
        BitReader(bytes(100)).gamma()


@pytest.mark.parametrize("rest", [b"\x00\x00", b"\x80"])
def test_something_behind_the_end_is_no_frame(rest: bytes) -> None:
    with pytest.raises(BadFrame):
        BitReader(rest).end()


def test_a_first_byte_holds_version_and_kind() -> None:
    assert first_byte(Kind.READINGS) == b"\x22"
    assert kind_of(b"\x22rest") is Kind.READINGS


@pytest.mark.parametrize("frame", [b"", b"\x42", b"\x02", b"\xe2", b"\x3f"])
def test_unknown_versions_and_kinds_are_bad_frames_and_nothing_worse(frame: bytes) -> None:
    with pytest.raises(BadFrame) as caught:
        kind_of(frame)

    assert isinstance(caught.value, KiezboxError)
    assert isinstance(caught.value, ValueError)


def test_a_seal_is_the_keyed_blake2b_of_rfc_7693_in_eight_bytes() -> None:
    frame = sealed(b"\x22abc", KEY)

    assert frame[:-8] == b"\x22abc"
    # openssl mac -macopt hexkey:000102…1f -macopt size:8 BLAKE2BMAC
    assert frame[-8:].hex() == "9a0a377cbb5cbd8b"
    assert unsealed(frame, KEY) == b"\x22abc"


def test_every_changed_bit_breaks_the_seal() -> None:
    frame = sealed(b"\x22abc", KEY)

    for bit in range(8 * len(frame)):
        changed = bytearray(frame)
        changed[bit // 8] ^= 1 << bit % 8
        with pytest.raises(BadFrame):
            unsealed(bytes(changed), KEY)


def test_every_cut_and_every_other_key_breaks_the_seal() -> None:
    frame = sealed(b"\x22abc", KEY)

    for size in range(len(frame)):
        with pytest.raises(BadFrame):
            unsealed(frame[:size], KEY)
    with pytest.raises(BadFrame):
        unsealed(frame, KEY[::-1])


@pytest.mark.parametrize("key", [b"", b"short", bytes(65)])
def test_a_key_that_is_no_key_is_our_mistake_and_no_bad_frame(key: bytes) -> None:
    with pytest.raises(ValueError) as caught:
        sealed(b"\x22", key)

    assert not isinstance(caught.value, BadFrame)


def test_an_origin_is_four_bytes_of_sha_256() -> None:
    # printf 'kiezbox origin 1\0kb-kanalufer' | sha256sum
    assert origin_id("kb-kanalufer").hex() == "0dca6f76"
    assert origin_id("kb-kanalufer") != origin_id("kb-marktplatz")
