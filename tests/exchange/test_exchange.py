"""What boxes say to each other, on an air in simulated time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from random import Random

import pytest
from air import LORA, Air, Box, size_of

from kiezbox.exchange import (
    Digest,
    Entry,
    Exchange,
    Give,
    Gone,
    Holdings,
    Item,
    Measure,
    Ranges,
    Sending,
    Want,
)
from kiezbox.records import Ref

BOARD, OFFICIAL = 5, 0
HOUR_S = 3600.0


def line(air: Air) -> Callable[[Box, Box], bool]:
    """Each box hears those beside it alone."""
    at = {box.name: n for n, box in enumerate(air.boxes)}
    return lambda a, b: abs(at[a.name] - at[b.name]) == 1


def write(air: Air, box: int, priority: int = BOARD) -> Ref:
    number = air.boxes[box].write(priority, air.now)
    air.wake(air.boxes[box])
    return number


def have(air: Air, number: Ref) -> int:
    return sum(number in box.stored for box in air.boxes)


# --- news ----------------------------------------------------------------------------------------


def test_news_reaches_everybody_in_reach_with_one_packet_and_few_who_repeat_it() -> None:
    air = Air(12)
    number = write(air, 0)

    assert air.run(1.0, lambda: have(air, number) == 12)
    assert air.kinds == {"Give": 1}

    air.run(25)
    # Enough is three: who heard it that often keeps silent; two more may speak at one moment.
    assert air.kinds["Give"] <= 6


def test_news_goes_down_a_line_of_boxes_by_itself() -> None:
    air = Air(8)
    air.hears = line(air)
    number = write(air, 0)

    assert air.run(8 * (LORA.spread_s + 1), lambda: have(air, number) == 8)


def test_an_official_alert_goes_before_a_full_board() -> None:
    air = Air(2)
    posts = [write(air, 0) for _ in range(200)]
    air.run(5)
    alert = write(air, 0, OFFICIAL)

    assert air.run(1.5, lambda: alert in air.boxes[1].stored)
    assert have(air, posts[-1]) == 1


# --- what was lost -------------------------------------------------------------------------------


def test_what_everybody_missed_is_found_by_digests_and_given_on_asking() -> None:
    air = Air(5, loss=1.0)
    number = write(air, 0)
    air.run(5)
    assert have(air, number) == 1
    air.loss = 0.0

    assert air.run(4 * LORA.pace.least_s, lambda: have(air, number) == 5)


def test_a_box_that_was_away_for_a_week_gets_all_it_missed_and_asks_nothing_twice() -> None:
    air = Air(4)
    air.hears = lambda a, b: "kb-3" not in (a.name, b.name)
    for n in range(60):
        write(air, n % 3)
        air.run(60)
    air.run(7 * 86400)
    air.hears = lambda a, b: True
    air.packets = air.bytes = 0
    air.kinds.clear()

    # The next digest comes within the longest interval; then it is minutes.
    assert air.run(2 * LORA.pace.most_s, air.are_equal)
    assert air.kinds["Give"] <= 65
    assert air.kinds["Want"] <= 10


def test_only_one_of_many_who_have_it_gives_what_somebody_asks_for() -> None:
    air = Air(10, loss=1.0)
    for n in range(10):
        write(air, n)
    air.loss = 0.0
    everything = [item for box in air.boxes for item in box.stored.values()]
    for box in air.boxes[:9]:
        for item in everything:
            if item.number not in box.stored:
                box.take(item, air.now, is_heard_here=True)
                air.say("kb-8", Give((item,)), [box])
    air.run(60)
    air.kinds.clear()

    assert air.run(2 * LORA.pace.most_s, air.are_equal)
    assert air.kinds.get("Give", 0) <= 12


def test_boxes_that_agree_say_less_and_less_and_never_more_for_being_many() -> None:
    few, many = Air(3), Air(30)
    for air in (few, many):
        write(air, 0)
        air.run(12 * HOUR_S)
        air.packets, air.bytes = 0, 0
        air.run(24 * HOUR_S)

    # RFC 6206: in each of 24 intervals of an hour few of them speak, however many they are.
    assert few.packets <= 3 * 26
    assert many.packets <= 8 * 26
    assert many.bytes <= many.packets * (24 + 17)


# --- what has gone -------------------------------------------------------------------------------


def test_what_expired_here_is_never_taken_again() -> None:
    air = Air(3)
    number = write(air, 0)
    air.run(60)
    air.boxes[1].lose(number)
    air.wake(air.boxes[1])
    air.run(12 * HOUR_S)

    assert number not in air.boxes[1].stored


def test_a_new_box_is_told_once_what_nobody_has_any_more() -> None:
    air = Air(2, loss=1.0)
    numbers = [write(air, 0) for _ in range(10)]
    air.run(30)
    for number in numbers[2:7]:
        air.boxes[0].lose(number)
    air.loss = 0.0
    air.run(4 * HOUR_S)

    assert len(air.boxes[1].stored) == 5
    assert air.kinds.get("Gone", 0) == 1
    assert air.are_equal()


def test_who_restarts_goes_on_with_what_is_on_its_card() -> None:
    air = Air(3, loss=0.3)
    numbers = [write(air, n % 3) for n in range(12)]
    air.run(20)
    air.boxes[0].lose(numbers[3])
    air.boxes[1].restart(air.now)
    air.boxes[0].restart(air.now)
    for box in air.boxes:
        air.wake(box)
    air.run(4 * HOUR_S)

    assert have(air, numbers[0]) == 3
    assert numbers[3] not in air.boxes[0].stored


# --- limits --------------------------------------------------------------------------------------


def exchange(**changes: object) -> tuple[Exchange, dict[Ref, Item]]:
    items: dict[Ref, Item] = {}
    bearer = replace(LORA, **changes)  # type: ignore[arg-type]
    return Exchange("me", bearer, Holdings(), items.get, random=Random(1), now=0.0), items


def all_of(talk: Exchange, now: float) -> list[Sending]:
    found = []
    while (sending := talk.next(now)) is not None:
        found.append(sending)
        assert len(found) < 1000
    return found


def test_who_asks_for_too_much_is_given_some_now_and_some_later() -> None:
    talk, items = exchange(answers=Measure(burst=8, hourly=960))
    for sequence in range(1, 33):
        item = Item(Ref("kb-a", sequence), BOARD, b"x" * 100)
        items[item.number] = item
        talk.holdings.add(*item.number)

    talk.heard(Want("me", (("kb-a", Ranges([(1, 32)])),)), "kb-greedy", 1.0)
    first = [s for s in all_of(talk, 1.0) if isinstance(s.message, Give)]
    # What it did not get it asks for again; 960 an hour are eight in 30 s.
    talk.heard(Want("me", (("kb-a", Ranges([(9, 32)])),)), "kb-greedy", 31.0)
    second = [s for s in all_of(talk, 31.0) if isinstance(s.message, Give)]

    assert (len(first), len(second)) == (8, 8)


def test_a_box_that_claims_and_never_gives_is_asked_more_and_more_seldom() -> None:
    talk, _ = exchange()
    asked = []
    now = 0.0
    while now < 24 * HOUR_S:
        claim = Digest(b"liarly", (Entry("kb-x", 1, 1 << 39, Ranges()),))
        talk.heard(claim, "kb-liar", now)
        asked += [now for s in all_of(talk, now) if isinstance(s.message, Want)]
        now += 5

    # 20, 40, 80 … 5,120 s: at most eight doublings, and then one in 85 minutes or more.
    assert 8 <= len(asked) <= 30


def test_one_origin_cannot_fill_a_box_faster_than_its_measure() -> None:
    talk, _ = exchange(intake=Measure(burst=1000, hourly=3600))
    taken = sum(
        len(talk.heard(Give((Item(Ref("kb-x", n), BOARD, b"x" * 100),)), "kb-y", 0.0))
        for n in range(1, 101)
    )
    others = talk.heard(Give((Item(Ref("kb-z", 1), BOARD, b"x" * 100),)), "kb-y", 0.0)

    assert taken == 10
    assert len(others) == 1


def test_everything_a_box_says_goes_into_a_frame() -> None:
    air = Air(40, loss=0.6, doubled=0.1, delay_s=2.0, seed=3)
    said: list[Sending] = []
    for box in air.boxes:
        ask = box.exchange.next

        def listened(now: float, ask: Callable[..., Sending | None] = ask) -> Sending | None:
            sending = ask(now)
            said.extend([sending] if sending else [])
            return sending

        box.exchange.next = listened  # type: ignore
    for n in range(200):
        write(air, n % 40)
        air.run(20)
    air.run(HOUR_S)

    assert {type(each.message) for each in said} == {Digest, Want, Give}
    assert max(size_of(each.message) for each in said) <= 200


def test_messages_from_oneself_are_an_echo() -> None:
    talk, _ = exchange()

    assert talk.heard(Give((Item(Ref("kb-x", 1), 0, b"x"),)), "me", 1.0) == []


@pytest.mark.parametrize("quality", [(1.0, 5.0), (5.0, 1.0)])
def test_the_best_of_those_who_claim_it_is_asked(quality: tuple[float, float]) -> None:
    talk, _ = exchange()
    for name, each in zip(("kb-1", "kb-2"), quality, strict=True):
        claim = Digest(b"12345" + name[-1:].encode(), (Entry("kb-x", 1, 1, Ranges()),))
        talk.heard(claim, name, 0.0, quality=each)

    (want,) = [s for s in all_of(talk, 10.0) if isinstance(s.message, Want)]

    assert want.to == ("kb-1" if quality[0] > quality[1] else "kb-2")


def test_what_another_box_asks_for_is_not_asked_for_meanwhile() -> None:
    talk, _ = exchange()
    talk.heard(Digest(b"123456", (Entry("kb-x", 1, 2, Ranges()),)), "kb-1", 0.0)
    talk.heard(Want("kb-1", (("kb-x", Ranges([(1, 1)])),)), "kb-2", 0.1)

    (want,) = [s.message for s in all_of(talk, 10.0) if isinstance(s.message, Want)]
    later = [s.message for s in all_of(talk, 200.0) if isinstance(s.message, Want)]

    assert want == Want("kb-1", (("kb-x", Ranges([(2, 2)])),))
    assert later
    assert 1 in dict(later[0].entries)["kb-x"]


def test_a_question_nobody_can_answer_is_answered_with_that() -> None:
    talk, _ = exchange()
    talk.holdings.lose("kb-x", 3)

    talk.heard(Want("me", (("kb-x", Ranges([(3, 4)])),)), "kb-2", 0.0)

    assert all_of(talk, 0.1) == [Sending(Gone((("kb-x", Ranges([(3, 4)])),)), 5, "kb-2")]
