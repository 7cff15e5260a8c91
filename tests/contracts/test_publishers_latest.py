"""What every carrier of the latest values must keep to: what is true now, at its own pace, and
never anything that is old or not believed.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from broker import wait_for
from contracts.test_publishers import LATEST, Bench, batch, once_it_works

from kiezbox.errors import Unreachable
from kiezbox.model import Batch, Flag, Reading
from kiezbox.publishers import Latest, carriers, carries_past

NAME = "kb-1/roof/temperature_c"


@pytest.fixture(params=LATEST)
def bench(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Bench]:
    with ExitStack() as stack:
        yield Bench(request.param, tmp_path, stack)


def opened(bench: Bench) -> Latest:
    publisher = bench.open()
    assert isinstance(publisher, Latest)
    return publisher


def until_it_is_sent(bench: Bench, publisher: Latest, sent: Batch) -> None:
    """As its worker does: when it is due, and again when it failed; time passes meanwhile."""

    def is_sent() -> bool:
        before = publisher.sent
        bench.clock.advance(max(0.0, publisher.due_in_s()))
        try:
            publisher.publish(bench.just_now(sent))
        except Unreachable:
            return False
        return publisher.sent > before

    wait_for(is_sent, "the values are sent")


def test_a_module_says_whether_it_carries_the_past() -> None:
    assert [name for name in carriers() if not carries_past(name)] == LATEST


def test_it_wants_readings_at_once(bench: Bench) -> None:
    assert opened(bench).due_in_s() <= 0


def test_of_several_readings_the_newest_is_carried_and_no_other(bench: Bench) -> None:
    publisher = opened(bench)

    once_it_works(lambda: publisher.publish(bench.just_now(batch(1, 7))))

    wait_for(lambda: bench.receiver.values(), "a value")
    assert bench.receiver.names() == [NAME]
    assert bench.receiver.values() == [26.0]
    assert publisher.sent == 1
    assert publisher.link() == "connected"


def test_it_keeps_its_pace_whatever_is_handed_to_it(bench: Bench) -> None:
    publisher = opened(bench)
    once_it_works(lambda: publisher.publish(bench.just_now(batch(1, 7))))

    wait_for(lambda: bench.receiver.values() == [26.0], "the first value")
    pause_s = publisher.due_in_s()
    assert pause_s > 0
    bench.clock.advance(pause_s / 2)
    publisher.publish(bench.just_now(batch(8, 3)))
    assert publisher.sent == 1

    until_it_is_sent(bench, publisher, batch(8, 3))
    assert bench.receiver.values() == [26.0, 22.0]


@pytest.mark.parametrize("flag", [Flag.SUSPECT, Flag.BAD])
def test_where_the_newest_is_not_believed_the_good_one_before_it_is_carried(
    bench: Bench, flag: Flag
) -> None:
    publisher, sent = opened(bench), bench.just_now(batch(1, 5))
    rows = [Reading(*row) for row in sent.readings]
    rows[4] = rows[4]._replace(flag=flag, reason="step")

    once_it_works(lambda: publisher.publish(Batch(sent.box, sent.series, rows)))

    wait_for(lambda: bench.receiver.values(), "a value")
    assert bench.receiver.values() == [23.0]


def test_what_is_not_believed_is_never_carried(bench: Bench) -> None:
    publisher = opened(bench)

    publisher.publish(bench.just_now(batch(1, 5, flag=Flag.SUSPECT)))

    assert bench.receiver.values() == [] and publisher.sent == 0


def test_what_is_old_is_passed_over(bench: Bench) -> None:
    publisher, sent = opened(bench), bench.just_now(batch(1, 5))
    bench.clock.advance(86_400)

    publisher.publish(sent)

    assert bench.receiver.values() == [] and publisher.sent == 0
    assert publisher.due_in_s() <= 0


def test_when_the_other_side_is_back_it_carries_what_is_true_then(bench: Bench) -> None:
    publisher = opened(bench)
    until_it_is_sent(bench, publisher, batch(1, 3))
    wait_for(lambda: bench.receiver.values() == [22.0], "the first value")

    bench.receiver.go_away()
    bench.clock.advance(publisher.due_in_s())
    with pytest.raises(Unreachable):
        publisher.publish(bench.just_now(batch(4, 4)))
    assert publisher.due_in_s() > 0, "it does not hammer"
    bench.receiver.come_back()

    until_it_is_sent(bench, publisher, batch(8, 5))
    assert bench.receiver.values() == [22.0, 24.0]
