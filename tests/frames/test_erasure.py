"""Things larger than a frame, in blocks of which any so many are enough."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiezbox.frames import BadFrame
from kiezbox.frames.erasure import _EXPONENTS, _POWERS, block, blocks_of, joined


@given(st.binary(min_size=1, max_size=600), st.integers(20, 180), st.randoms(use_true_random=False))
def test_any_so_many_blocks_give_the_thing(thing: bytes, size: int, random: Random) -> None:
    parts = blocks_of(thing, size)
    numbers = random.sample(range(256), len(parts))

    assert joined(len(parts), {n: block(parts, n) for n in numbers}, len(thing)) == thing


def test_the_first_blocks_are_the_thing_itself() -> None:
    parts = blocks_of(b"Kundgebung am Platz um zwei", 10)

    assert [block(parts, n) for n in range(3)] == [b"Kundgebung", b" am Platz ", b"um zwei\0\0\0"]


def test_the_field_is_that_of_reed_solomon_codes() -> None:
    # ISO/IEC 18004 (QR code), table of powers of the generator: 2^8 = 29, 2^25 = 3, 2^255 = 1.
    assert (_POWERS[8], _POWERS[25], _POWERS[255]) == (29, 3, 1)
    assert sorted(_POWERS[:255]) == list(range(1, 256))
    assert all(_EXPONENTS[_POWERS[n]] == n for n in range(255))


def test_how_often_twelve_blocks_arrive_with_half_as_many_more() -> None:
    # The project's reference: at 20 % loss 94 % with 18 blocks; sending each twice 61 %.
    random, parts = Random(1), blocks_of(bytes(range(240)), 20)
    sent = [block(parts, n) for n in range(18)]
    arrived = 0
    for _ in range(2000):
        got = [each for each in sent if random.random() >= 0.2]
        arrived += len(got) >= 12

    assert arrived / 2000 == pytest.approx(0.95, abs=0.02)


@pytest.mark.parametrize(
    "count, got, size",
    [
        (2, {0: b"ab"}, 4),
        (2, {0: b"ab", 1: b"abc"}, 4),
        (0, {}, 0),
        (200, {n: b"a" for n in range(200)}, 200),
        (2, {0: b"ab", 300: b"cd"}, 4),
        (2, {-1: b"ab", 0: b"cd"}, 4),
        (2, {0: b"ab", 1: b"cd"}, 5),
        (1, {0: b""}, 1),
    ],
)
def test_what_cannot_be_blocks_of_one_thing_is_refused(
    count: int, got: dict[int, bytes], size: int
) -> None:
    with pytest.raises(BadFrame):
        joined(count, got, size)


@pytest.mark.parametrize("thing", [b"", bytes(129 * 20)])
def test_what_has_too_many_blocks_or_none_is_refused(thing: bytes) -> None:
    with pytest.raises(ValueError, match="blocks"):
        blocks_of(thing, 20)
