"""The audit by content, against the plainest model: whoever lacks something gets it."""

from __future__ import annotations

from collections import deque
from hashlib import blake2b
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kiezbox.exchange.audit import (
    MOST_BLOCKS,
    AuditMessage,
    Blocks,
    Contents,
    Ids,
    Origins,
    Root,
    Round,
)
from kiezbox.records import Ref

Holding = set[tuple[Ref, bytes]]


def record(origin: str, sequence: int, what: int = 0) -> tuple[Ref, bytes]:
    return Ref(origin, sequence), blake2b(
        f"{origin} {sequence} {what}".encode(), digest_size=16
    ).digest()


def compare(one: Holding, two: Holding, gone: Holding = frozenset()) -> int:  # type: ignore[assignment]
    """A whole round between two boxes; how many messages it took. ``gone``: nobody takes these."""
    rounds = {1: Round(Contents(one)), 2: Round(Contents(two))}
    holds = {1: one, 2: two}
    waiting: deque[tuple[int, AuditMessage]] = deque([(2, rounds[1].begin())])
    count = 0
    while waiting:
        to, message = waiting.popleft()
        count += 1
        assert count < 1000
        said, lacking = rounds[to].heard(message)
        waiting.extend((3 - to, each) for each in said)
        for origin, block, (ref, id_) in lacking:
            assert (origin, block) in rounds[3 - to].open, "nobody asked for this"
            assert ref.sequence // 64 == block and ref.origin == origin
            if (ref, id_) not in gone:
                holds[3 - to].add((ref, id_))
    return count


records = st.builds(
    record, st.sampled_from(["kb-a", "kb-b", "kb-c"]), st.integers(1, 300), st.integers(0, 2)
)


@settings(max_examples=150)
@given(st.sets(records, max_size=120), st.sets(records, max_size=120))
def test_both_have_what_either_had(one: Holding, two: Holding) -> None:
    both = one | two

    compare(one, two)

    assert one == two == both


@settings(max_examples=60)
@given(st.sets(records, max_size=60), st.sets(records, max_size=60))
def test_equal_roots_are_equal_contents(one: Holding, two: Holding) -> None:
    assert (Contents(one).root == Contents(two).root) == (one == two)


def test_where_all_is_well_it_takes_one_message_of_sixteen_bytes() -> None:
    same = {record("kb-a", n) for n in range(1, 2000)}

    assert compare(set(same), set(same)) == 1
    assert len(Round(Contents(same)).begin().hash) == 16


def test_one_record_among_thousands_is_found_with_few_messages() -> None:
    one = {record(f"kb-{n % 20}", n // 20 + 1) for n in range(20_000)}
    two = set(one)
    two.remove(record("kb-7", 500))

    assert compare(two, one) <= 6
    assert two == one


def test_two_records_of_one_number_are_had_by_both_afterwards() -> None:
    """A box that was given an old backup has given out its numbers again."""
    one, two = {record("kb-a", 5, 0)}, {record("kb-a", 5, 1)}

    compare(one, two)

    assert one == two == {record("kb-a", 5, 0), record("kb-a", 5, 1)}


def test_much_that_differs_is_healed_in_several_rounds() -> None:
    one = {record("kb-a", n) for n in range(1, 64 * 100)}
    two: Holding = set()
    rounds = 0
    while one != two:
        compare(two, one)
        rounds += 1
        assert rounds < 10


def test_a_round_looks_into_no_more_than_it_may_whatever_is_asked() -> None:
    audit = Round(Contents({record("kb-a", n) for n in range(1, 64 * 100)}))
    told = 0
    for _ in range(3):
        for block in range(100):
            said, lacking = audit.heard(Ids("kb-a", block, False, ()))
            told += len(said) + len(lacking)
    assert told <= 32 * 64
    assert len(audit.open) == 32
    assert audit.heard(Root(bytes(16)))[0] and not audit.heard(Root(bytes(16)))[0]


def test_an_answer_nobody_asked_for_gets_nothing() -> None:
    audit = Round(Contents({record("kb-a", 1)}))

    assert audit.heard(Ids("kb-a", 0, True, ())) == ([], [])


@settings(max_examples=80)
@given(st.integers(0, 1 << 32))
def test_no_lie_makes_it_raise_or_talk_without_end(seed: int) -> None:
    dice = Random(seed)
    audit = Round(Contents({record("kb-a", n) for n in range(1, 300)}))
    said = 0
    for _ in range(200):
        origin, hash_ = dice.choice(["kb-a", "kb-b"]), dice.randbytes(16)
        block = dice.randrange(1 << dice.randrange(1, 33))
        message = dice.choice([
            Root(hash_), Origins(((origin, hash_),)), Blocks(origin, ((block, hash_),)),
            Ids(origin, block, dice.random() < 0.5, ((block * 64, hash_),)),
        ])  # fmt: skip
        answers, lacking = audit.heard(message)
        said += len(answers) + len(lacking)
    assert said < 3000


@pytest.mark.parametrize("count", [1, MOST_BLOCKS * 64 + 10])
def test_messages_are_bounded(count: int) -> None:
    audit = Round(Contents({record("kb-a", n) for n in range(1, count + 1)}))

    (said,), _ = audit.heard(Origins((("kb-a", bytes(16)),)))

    assert isinstance(said, Blocks) and len(said.hashes) <= MOST_BLOCKS
