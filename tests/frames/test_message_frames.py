"""Digests, questions and their answers as frames."""

from __future__ import annotations

from hashlib import blake2b, sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiezbox.exchange import Digest, Entry, Gone, Ranges, Want
from kiezbox.frames import BadFrame, origin_id
from kiezbox.frames.messages import pack_message, unpack_message

KEY = bytes(range(32))
BOXES = [f"kb-{n}" for n in range(12)]
IDS = {origin_id(box): box for box in BOXES}

PAIRS = st.lists(st.tuples(st.integers(1, 3000), st.integers(0, 40)), min_size=1, max_size=6)
NUMBERS = PAIRS.map(lambda pairs: Ranges((first, first + more) for first, more in pairs))
NAMES = st.sampled_from(BOXES)


@st.composite
def entries(draw: st.DrawFn) -> Entry:
    numbers = draw(NUMBERS)
    holes = Ranges([(numbers.oldest, numbers.newest)]) - numbers
    return Entry(draw(NAMES), numbers.oldest, numbers.newest, holes)


WANTED = st.lists(st.tuples(NAMES, NUMBERS), max_size=4, unique_by=lambda each: each[0]).map(tuple)
MESSAGES = st.one_of(
    st.builds(
        Digest, st.binary(min_size=6, max_size=6), st.lists(entries(), max_size=5).map(tuple)
    ),
    st.builds(Want, NAMES, WANTED),
    st.builds(Gone, WANTED),
)


@given(MESSAGES, NAMES)
def test_what_is_said_is_what_is_heard(message: Digest | Want | Gone, sender: str) -> None:
    assert unpack_message(pack_message(message, sender, KEY), KEY, IDS.get) == (sender, message)


def test_agreement_takes_nineteen_bytes_whoever_agrees() -> None:
    frame = pack_message(Digest(b"sixsix"), "kb-1", KEY)

    # By hand: the page's table.
    inner = b"\x20" + sha256(b"kiezbox origin 1\0kb-1").digest()[:4] + b"sixsix"
    assert frame == inner + blake2b(inner, key=KEY, digest_size=8).digest()
    assert len(frame) == 19


def test_twelve_boxes_with_a_thousand_records_each_go_into_one_frame() -> None:
    said = tuple(Entry(box, 900, 1000, Ranges()) for box in BOXES)

    # "12-origin vector: 88 bytes" without floors, of the project's reference, and 19 around them.
    assert len(pack_message(Digest(b"sixsix", said), "kb-1", KEY)) <= 150


def test_entries_of_boxes_that_nobody_knows_are_passed_over_and_the_others_read() -> None:
    said = Digest(b"sixsix", tuple(Entry(b, 1, 9, Ranges()) for b in ("kb-1", "kb-new", "kb-2")))
    want = Want("kb-new", (("kb-new", Ranges([(1, 2)])), ("kb-2", Ranges([(1, 1)]))))

    _, heard = unpack_message(pack_message(said, "kb-1", KEY), KEY, IDS.get)
    _, asked = unpack_message(pack_message(want, "kb-1", KEY), KEY, IDS.get)

    assert isinstance(heard, Digest)
    assert [entry.origin for entry in heard.entries] == ["kb-1", "kb-2"]
    assert asked == Want("", (("kb-2", Ranges([(1, 1)])),))


# --- whoever is hostile --------------------------------------------------------------------------


@given(MESSAGES, st.data())
def test_a_frame_that_was_changed_or_cut_is_refused(
    message: Digest | Want | Gone, data: st.DataObject
) -> None:
    frame = pack_message(message, "kb-1", KEY)
    at = data.draw(st.integers(0, len(frame) * 8 - 1))
    changed = bytearray(frame)
    changed[at // 8] ^= 1 << at % 8

    for bad in (bytes(changed), frame[: at // 8], frame + b"\0"):
        with pytest.raises(BadFrame):
            unpack_message(bad, KEY, IDS.get)


@given(st.binary(max_size=200), st.sampled_from([0x20, 0x21, 0x2B]))
def test_whatever_somebody_with_the_key_sends_is_a_message_or_refused(
    body: bytes, first: int
) -> None:
    inner = bytes([first]) + origin_id("kb-1") + body
    frame = inner + blake2b(inner, key=KEY, digest_size=8).digest()

    try:
        _, message = unpack_message(frame, KEY, IDS.get)
    except BadFrame:
        return
    claimed = message.entries
    for entry in claimed:
        numbers = entry.claimed if isinstance(entry, Entry) else entry[1]
        assert numbers.count <= 129


def test_a_frame_of_nobody_of_this_kiez_is_refused() -> None:
    with pytest.raises(BadFrame, match="not of this Kiez"):
        unpack_message(pack_message(Digest(b"sixsix"), "kb-new", KEY), KEY, IDS.get)
    with pytest.raises(BadFrame, match="sealed"):
        unpack_message(pack_message(Digest(b"sixsix"), "kb-1", bytes(32)), KEY, IDS.get)
