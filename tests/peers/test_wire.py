"""Messages as bytes: there and back, as a foreign reader sees them, and whatever else may come."""

from __future__ import annotations

import cborx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kiezbox.exchange import Digest, Entry, Give, Gone, Item, Message, Ranges, Want
from kiezbox.exchange.audit import AuditMessage, Blocks, Heal, Ids, Origins, Root
from kiezbox.peers.handshake import MOST_PLAIN
from kiezbox.peers.peers import IP
from kiezbox.peers.wire import BadMessage, pack, size_of, unpack
from kiezbox.records import Ref

origins = st.sampled_from(["kb-a", "kb-musterplatz-1", "x" * 31])
numbers = st.integers(1, 1 << 39)
ranges = st.lists(st.tuples(numbers, st.integers(0, 50)), min_size=0, max_size=20).map(
    lambda pairs: Ranges((first, min(first + more, 1 << 39)) for first, more in pairs)
)
bodies = st.binary(min_size=65, max_size=300)
entries = st.lists(st.tuples(origins, ranges), max_size=8).map(tuple)
hashes = st.binary(min_size=16, max_size=16)
messages = st.one_of(
    st.builds(
        Digest,
        st.binary(min_size=6, max_size=6),
        st.lists(
            st.builds(
                lambda o, a, b, h: Entry(o, min(a, b), max(a, b), h),
                origins, numbers, numbers, ranges,
            ),
            max_size=8,
        ).map(tuple),
    ),
    st.builds(Want, origins, entries),
    st.builds(Gone, entries),
    st.builds(
        Give,
        st.lists(
            st.builds(Item, st.builds(Ref, origins, numbers), st.integers(0, 6), bodies),
            max_size=8,
        ).map(tuple),
    ),
    st.builds(Root, hashes),
    st.builds(Origins, st.lists(st.tuples(origins, hashes), max_size=8).map(tuple)),
    st.builds(
        Blocks, origins,
        st.lists(st.tuples(st.integers(0, 1 << 33), hashes), max_size=8).map(tuple),
    ),
    st.builds(
        Ids, origins, st.integers(0, 1 << 33), st.booleans(),
        st.lists(st.tuples(numbers, hashes), max_size=8).map(tuple),
    ),
    st.builds(
        Heal, origins, st.integers(0, 1 << 33), st.lists(bodies, max_size=3).map(tuple)
    ),
)  # fmt: skip


@settings(max_examples=150)
@given(messages)
def test_what_is_said_is_what_is_heard(message: Message | AuditMessage) -> None:
    data = pack(message)

    assert unpack(data) == message
    assert isinstance(cborx.loads(data), list)


@settings(max_examples=150)
@given(messages)
def test_nobody_says_more_than_was_planned_for(message: Message | AuditMessage) -> None:
    if isinstance(message, Digest | Want | Gone | Give):
        assert len(pack(message)) <= size_of(message)


@settings(max_examples=300)
@given(st.one_of(st.binary(max_size=200), messages.map(pack)), st.integers(0, 1 << 20))
def test_any_bytes_are_a_message_or_a_bad_one(data: bytes, at: int) -> None:
    spoilt = bytearray(data)
    if spoilt:
        spoilt[at % len(spoilt)] ^= 1 << at % 8
    for each in (data, bytes(spoilt)):
        try:
            unpack(each)
        except BadMessage:
            pass


def test_the_longest_of_each_goes_into_a_frame() -> None:
    most = Item(Ref("x" * 31, 1 << 39), 6, bytes(64 + 20_000))
    give = Give((most,))
    while IP.fits(Give((*give.items, most))):
        give = Give((*give.items, most))
    ids = tuple((1 << 39, bytes(16)) for _ in range(512))
    for message in (
        give,
        Origins((("x" * 31, bytes(16)),) * 1024),
        Blocks("x" * 31, ((1 << 33, bytes(16)),) * 1024),
        Ids("x" * 31, 1 << 33, True, ids),
        Heal("x" * 31, 1 << 33, (most.body,)),
    ):
        assert len(pack(message)) <= MOST_PLAIN


@pytest.mark.parametrize(
    "data", [b"\x81\x18\x4d", b"\x82\x18\x4d\xa1\x01\x02", b"\x81\x00", b"\x83\x00\x01\x02"]
)
def test_what_a_newer_box_says_is_passed_over(data: bytes) -> None:
    assert unpack(data) is None
