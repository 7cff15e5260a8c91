"""Bearers on which each box is spoken to alone: no wait for what others might overhear."""

from __future__ import annotations

from random import Random

from kiezbox.exchange import (
    Bearer,
    Digest,
    Entry,
    Exchange,
    Give,
    Holdings,
    Item,
    Pace,
    Ranges,
    Want,
)
from kiezbox.records import Ref

ALONE = Bearer(
    fits=lambda message: True, pace=Pace(1, 60, 1 << 30), is_shared=False, spread_s=0.0,
    ask_again_s=10.0,
)  # fmt: skip


def box(*held: Ref) -> Exchange:
    holdings = Holdings()
    for number in held:
        holdings.add(*number)
    items = {number: Item(number, 5, b"x") for number in held}
    return Exchange("kb-1", ALONE, holdings, items.get, random=Random(1), now=0.0)


def wants(talk: Exchange, now: float) -> list[Want]:
    found = []
    while (sending := talk.next(now)) is not None:
        if isinstance(sending.message, Want):
            found.append(sending.message)
    return found


def claim(last: int) -> Digest:
    return Digest(b"\x01" * 6, (Entry("kb-x", 1, last, Ranges()),))


def test_who_has_given_all_is_asked_for_the_rest_at_once() -> None:
    talk = box()
    talk.heard(claim(100), "kb-2", 0.0)
    (first,) = wants(talk, 0.1)

    for origin, numbers in first.entries:
        for sequence in numbers:
            for item in talk.heard(Give((Item(Ref(origin, sequence), 5, b"x"),)), "kb-2", 0.2):
                talk.holdings.add(*item.number)
                talk.added(item.number, 5, 0.2, is_heard_here=True)

    (second,) = wants(talk, 0.2)
    assert second.of == "kb-2" and second != first


def test_one_who_claims_and_never_gives_keeps_nobody_from_being_asked() -> None:
    talk = box()
    talk.heard(claim(30), "kb-liar", 0.0)
    assert [each.of for each in wants(talk, 0.1)] == ["kb-liar"]

    talk.heard(Digest(b"\x01" * 6, (Entry("kb-2", 1, 1, Ranges()),)), "kb-2", 0.2)

    assert [each.of for each in wants(talk, 0.2)] == ["kb-2"]


def test_two_that_ask_for_the_same_are_both_given_it() -> None:
    number = Ref("kb-x", 1)
    talk = box(number)
    question = Want("kb-1", (("kb-x", Ranges([(1, 1)])),))
    for asks in ("kb-2", "kb-3"):
        talk.heard(question, asks, 1.0)
        given = []
        while (sending := talk.next(1.0)) is not None:
            given += [sending.to] * isinstance(sending.message, Give)
        assert given == [asks]
