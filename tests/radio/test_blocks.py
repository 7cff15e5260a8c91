"""What does not fit a frame: blocks that are enough make it whole, and no liar fills the table."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiezbox.frames import MOST_BYTES, BadFrame, origin_id
from kiezbox.radio.blocks import MOST_AGE_S, MOST_OF_ONE, MOST_THINGS, Blocks, Thing, What, cut

KEY = bytes(range(32))
NAMES = [f"kb-{number}" for number in range(40)]
NAMED = {origin_id(name): name for name in NAMES}.get


def frames(thing: bytes, sender: str = "kb-0", first: int = 0) -> list[bytes]:
    return [frame for _, frame in cut(thing, What.BODY, sender, KEY, first=first)]


@given(st.binary(min_size=1, max_size=4000), st.integers(0, 255), st.randoms())
def test_any_blocks_that_are_enough_make_it_whole(
    thing: bytes, first: int, chance: random.Random
) -> None:
    sent = frames(thing, first=first)
    assert all(len(frame) <= MOST_BYTES for frame in sent)
    table = Blocks(KEY, NAMED)
    chance.shuffle(sent)
    needed = -(-len(thing) // 178)

    made = [table.take(frame, 0.0) for frame in sent[:needed]]

    assert made[-1] == Thing("kb-0", What.BODY, thing)
    assert made[:-1] == [None] * (needed - 1)
    # What comes after it is whole makes it no second time.
    assert [table.take(frame, 0.0) for frame in sent] == [None] * len(sent)
    assert len(table) == 0


def test_who_sends_it_again_sends_other_blocks() -> None:
    thing = random.Random(3).randbytes(1700)
    table = Blocks(KEY, NAMED)
    # Ten are needed. Of the first twelve five came, of the next twelve another five.
    for frame in frames(thing)[:5]:
        assert table.take(frame, 0.0) is None
    again = [table.take(frame, 9.0) for frame in frames(thing, first=12)[:5]]

    assert again[-1] == Thing("kb-0", What.BODY, thing)


def test_a_box_that_begins_a_thousand_things_has_four_and_the_others_keep_theirs() -> None:
    table, honest = Blocks(KEY, NAMED), random.Random(4).randbytes(500)
    table.take(frames(honest, "kb-1")[0], 0.0)
    for number in range(1000):
        table.take(frames(bytes([number % 256, number // 256]) * 300, "kb-0")[0], 1.0)

    assert len(table) == 1 + MOST_OF_ONE
    made = [table.take(frame, 2.0) for frame in frames(honest, "kb-1")[1:3]]
    assert made[-1] == Thing("kb-1", What.BODY, honest)


def test_the_table_has_an_end_whoever_fills_it() -> None:
    table = Blocks(KEY, NAMED)
    for name in NAMES:
        for number in range(3):
            _, first = next(cut(bytes([number]) * 20_000, What.BODY, name, KEY))
            table.take(first, 0.0)

    assert len(table) <= MOST_THINGS


def test_what_never_gets_whole_is_forgotten() -> None:
    table = Blocks(KEY, NAMED)
    table.take(frames(b"a" * 400)[0], 0.0)
    table.take(frames(b"b" * 400)[0], MOST_AGE_S + 1)

    assert len(table) == 1


def test_blocks_of_another_thing_under_its_name_are_found_out() -> None:
    one, other = random.Random(1).randbytes(300), random.Random(2).randbytes(300)
    from kiezbox.frames.header import sealed

    (first, *_), (_, second, *_) = frames(one), frames(other)
    lie = sealed(second[:5] + first[5:9] + second[9:-8], KEY)
    table = Blocks(KEY, NAMED)
    table.take(first, 0.0)

    with pytest.raises(BadFrame, match="no whole"):
        table.take(lie, 0.0)
    # And it can still come as it is.
    assert [table.take(frame, 1.0) for frame in frames(one)[:2]][-1] == Thing(
        "kb-0", What.BODY, one
    )


@given(st.binary(max_size=220))
def test_no_bytes_do_more_than_be_refused(data: bytes) -> None:
    from kiezbox.frames.header import sealed

    table = Blocks(KEY, NAMED)
    for frame in (data, sealed(data, KEY), sealed(b"\x27" + origin_id("kb-0") + data, KEY)):
        try:
            table.take(frame, 0.0)
        except BadFrame:
            pass
    assert len(table) <= 1
