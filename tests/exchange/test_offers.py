"""Which record goes next."""

from __future__ import annotations

import pytest

from kiezbox.exchange import Measure
from kiezbox.exchange import offers as module
from kiezbox.exchange.offers import Measures, Offer, Offers
from kiezbox.records import Ref

OFFICIAL, LIFE, SAFE, BOARD, NUMBERS = 0, 1, 2, 5, 6


def offer(
    sequence: int, priority: int, *, since: float = 0.0, origin: str = "kb-a", to: str = ""
) -> Offer:
    return Offer(Ref(origin, sequence), priority, since=since, due_at=since, is_asked=False, to=to)


def sent_at(offers: Offers, now: float, *, least_urgent: int = NUMBERS, size: int = 100) -> int:
    """The number of what goes; 0 for none."""
    best = offers.best(now, least_urgent=least_urgent)
    if best is None:
        return 0
    offers.sent(best, size, now)
    return best.number.sequence


def test_the_most_urgent_goes_first_and_of_these_the_one_that_waits_longest() -> None:
    offers = Offers(ageing_s=1800, measures={})
    for sequence, (priority, since) in enumerate(
        [(NUMBERS, 0), (BOARD, 5), (LIFE, 9), (BOARD, 4), (OFFICIAL, 9)], 1
    ):
        offers.put(offer(sequence, priority, since=since))

    assert [sent_at(offers, 10) for _ in range(6)] == [5, 3, 4, 2, 1, 0]


def test_what_waits_rises_a_class_in_so_much_time_and_never_above_what_saves_lives() -> None:
    offers = Offers(ageing_s=1800, measures={})
    offers.put(offer(1, NUMBERS, since=0))
    offers.put(offer(2, BOARD, since=1900))
    offers.put(offer(3, LIFE, since=86400))

    assert [sent_at(offers, 86400) for _ in range(3)] == [3, 1, 2]


def test_a_thing_that_was_never_before_its_time_is_not_sent_before_it() -> None:
    offers = Offers(ageing_s=1800, measures={})
    offers.put(offer(1, OFFICIAL, since=7))

    assert (sent_at(offers, 6.9), offers.due_at(6.9, least_urgent=NUMBERS)) == (0, 7)
    assert sent_at(offers, 7) == 1


def test_while_the_channel_is_busy_only_what_is_urgent_enough_goes() -> None:
    offers = Offers(ageing_s=1, measures={})
    offers.put(offer(1, BOARD))
    offers.put(offer(2, SAFE))

    assert [sent_at(offers, 1e6, least_urgent=SAFE) for _ in range(2)] == [2, 0]
    assert offers.due_at(1e6, least_urgent=SAFE) == float("inf")


def test_one_who_says_much_waits_for_themselves_alone() -> None:
    offers = Offers(ageing_s=1800, measures={BOARD: Measure(burst=250, hourly=3600)})
    for sequence in range(1, 7):
        offers.put(offer(sequence, BOARD, origin="kb-loud"))
    offers.put(offer(77, BOARD, origin="kb-calm", since=1))
    offers.put(offer(88, LIFE, origin="kb-loud", since=2))

    assert [sent_at(offers, 2) for _ in range(6)] == [88, 1, 2, 3, 77, 0]
    # 300 bytes of 250 were sent: one byte a second comes back.
    assert offers.due_at(2, least_urgent=NUMBERS) == pytest.approx(53, abs=2)
    assert sent_at(offers, 54) == 4


def test_what_is_asked_for_does_not_wait_as_news_does() -> None:
    offers = Offers(ageing_s=1800, measures={})
    offers.put(Offer(Ref("kb-a", 1), BOARD, since=0, due_at=60, is_asked=False))
    offers.put(Offer(Ref("kb-a", 1), BOARD, since=1, due_at=1, is_asked=True))

    assert len(offers) == 1
    assert sent_at(offers, 1) == 1


def test_where_too_much_waits_the_least_urgent_is_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_OFFERS", 3)
    offers = Offers(ageing_s=1800, measures={})
    for sequence, priority in enumerate([NUMBERS, BOARD, LIFE, OFFICIAL], 1):
        offers.put(offer(sequence, priority))

    assert [sent_at(offers, 1) for _ in range(4)] == [4, 3, 2, 0]


def test_what_goes_to_one_box_is_not_what_goes_to_another() -> None:
    offers = Offers(ageing_s=1800, measures={})
    offers.put(offer(1, BOARD, to="kb-b"))
    offers.put(offer(1, BOARD, to="kb-c"))

    found = offers.best(1, least_urgent=NUMBERS, to="kb-c")

    assert found is not None
    assert found.to == "kb-c"
    assert len(offers) == 2


def test_measures_of_many_are_bounded_and_those_in_debt_are_kept(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "MOST_MEASURED", 10)
    measures, measure = Measures(), Measure(burst=10, hourly=1)
    measures.use("debtor", measure, 1000, 0)
    for number in range(100):
        measures.use(number, measure, 1, 0)

    assert measures.free_at("debtor", measure, 1) > 3600
    assert len(measures._left) <= 10
