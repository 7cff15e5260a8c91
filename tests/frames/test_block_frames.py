"""Things larger than a frame, in blocks on the air."""

from __future__ import annotations

from hashlib import blake2b, sha256
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kiezbox.frames import MOST_BYTES, BadFrame, sealed
from kiezbox.frames.blocks import (
    MOST_THING_BYTES,
    Gathering,
    bundle,
    count_of,
    cut,
    unbundle,
)

KEY = bytes(range(32))


def some(size: int, seed: int = 1) -> bytes:
    return Random(seed).randbytes(size)


def gathered(frames: list[bytes], gathering: Gathering | None = None) -> list[bytes]:
    gathering = Gathering(KEY) if gathering is None else gathering
    return [thing for frame in frames if (thing := gathering.take(frame, 0.0)) is not None]


@settings(max_examples=40)
@given(st.binary(min_size=1, max_size=3000), st.randoms(use_true_random=False))
def test_any_so_many_blocks_in_any_order_give_the_thing_once(thing: bytes, random: Random) -> None:
    count = count_of(len(thing))
    frames = cut(thing, KEY, random.sample(range(256), count + 2))

    assert gathered([*frames, *frames]) == [thing]
    assert all(len(frame) <= MOST_BYTES for frame in frames)


def test_the_greatest_thing_comes_through_a_fifth_of_loss() -> None:
    thing, chance = some(MOST_THING_BYTES), Random(5)
    frames = [frame for frame in cut(thing, KEY, range(190)) if chance.random() >= 0.2]

    assert gathered(frames) == [thing]


def test_a_block_is_what_the_page_says() -> None:
    frame = cut(b"Wasser am Platz", KEY)[0]

    # By hand: the page's table.
    inner = b"\x27" + sha256(b"kiezbox thing 1\0Wasser am Platz").digest()[:4]
    inner += b"\x00\x0f\x00Wasser am Platz"
    assert frame == inner + blake2b(inner, key=KEY, digest_size=8).digest()


def test_blocks_are_as_alike_as_can_be() -> None:
    # 370 bytes need three blocks, of 124 rather than of 184, 184 and 2.
    assert [len(frame) for frame in cut(some(370), KEY)] == [8 + 124 + 8] * 3


def test_frames_come_out_of_a_thing_as_they_went_in() -> None:
    frames = [b"\x24" + some(n, n) for n in (150, 1, 420)]

    assert unbundle(bundle(frames)) == frames


@settings(max_examples=100)
@given(st.binary(max_size=300))
def test_whatever_a_thing_is_it_is_frames_or_refused(thing: bytes) -> None:
    try:
        frames = unbundle(thing)
    except BadFrame:
        return
    assert sum(2 + len(frame) for frame in frames) == len(thing)


@pytest.mark.parametrize("frames", [[], [b""], [b"\x27block"], [b"\x24" + bytes(24000)]])
def test_what_is_no_thing_is_not_bundled(frames: list[bytes]) -> None:
    with pytest.raises(ValueError):
        bundle(frames)


@pytest.mark.parametrize("thing", [b"", bytes(MOST_THING_BYTES + 1)])
def test_what_is_empty_or_too_long_is_not_cut(thing: bytes) -> None:
    with pytest.raises(ValueError, match="bytes"):
        cut(thing, KEY)
    with pytest.raises(ValueError, match="number"):
        cut(b"Wasser", KEY, [256])


# --- whoever is hostile --------------------------------------------------------------------------


def test_a_false_block_spoils_the_thing_once_and_not_for_ever() -> None:
    thing, gathering = some(500), Gathering(KEY)
    good = cut(thing, KEY)
    false = sealed(good[0][:-8][:-1] + b"\x00", KEY)
    if false == good[0]:
        false = sealed(good[0][:-8][:-1] + b"\x01", KEY)

    assert gathering.take(false, 0.0) is None
    with pytest.raises(BadFrame, match="not the thing"):
        gathered(good, gathering)
    assert (len(gathering.missing()), gathering.size_bytes) == (0, 0)
    assert gathered(good, gathering) == [thing]


def test_invented_things_push_each_other_out_and_not_the_one_that_grows() -> None:
    thing, gathering = some(2000), Gathering(KEY, most_things=8, most_bytes=9000)
    frames = cut(thing, KEY)
    found = gathered(frames[:2], gathering)
    for seed in range(1000):
        found += gathered(cut(some(5000, 10 + seed), KEY, [seed % 256]), gathering)
        assert len(gathering.missing()) <= 8
        assert gathering.size_bytes <= 9000
    found += gathered(frames[2:], gathering)

    assert found == [thing]


def test_bytes_are_bounded_even_if_one_thing_has_them_all() -> None:
    thing, gathering = some(20_000), Gathering(KEY, most_bytes=4000)

    assert gathered(cut(thing, KEY), gathering) == []
    assert gathering.size_bytes <= 4000


def test_what_is_no_more_heard_of_is_forgotten() -> None:
    gathering = Gathering(KEY, most_age_s=600)
    frames = cut(some(500), KEY)
    gathering.take(frames[0], 0.0)
    other = cut(some(500, 2), KEY)
    gathering.take(other[0], 601.0)

    assert gathering.missing() == {other[0][1:5]: 2}
    assert gathering.size_bytes == len(other[0]) - 16


def test_what_was_whole_is_not_gathered_again() -> None:
    thing, gathering = some(500), Gathering(KEY)
    assert gathered(cut(thing, KEY), gathering) == [thing]

    assert gathered(cut(thing, KEY, range(256)), gathering) == []
    assert len(gathering.missing()) == 0


@given(st.binary(max_size=192))
def test_whatever_somebody_with_the_key_sends_is_a_block_or_refused(body: bytes) -> None:
    gathering = Gathering(KEY)
    try:
        gathering.take(sealed(b"\x27" + body, KEY), 0.0)
    except BadFrame:
        assert gathering.size_bytes == 0


def test_a_block_that_was_changed_or_of_another_kiez_is_refused() -> None:
    frame = cut(some(300), KEY)[0]
    for at in range(len(frame)):
        changed = bytearray(frame)
        changed[at] ^= 1
        with pytest.raises(BadFrame):
            Gathering(KEY).take(bytes(changed), 0.0)
    with pytest.raises(BadFrame):
        Gathering(bytes(32)).take(frame, 0.0)
    with pytest.raises(BadFrame):
        Gathering(KEY).take(b"", 0.0)
