"""What every publisher must keep to. A new file in kiezbox/publishers/ is picked up by its name;
its other side is told in contracts/receivers/, a file of the same name with a ``Receiver``.

What a carrier of the latest values must keep to instead is in test_publishers_latest.py.
"""

from __future__ import annotations

import importlib
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from broker import wait_for

from kiezbox import publishers
from kiezbox.clock import ManualClock
from kiezbox.errors import PublishError, Unreachable
from kiezbox.model import Batch, Flag, Reading, Series, serial_of
from kiezbox.publishers import Publisher
from kiezbox.senml import id_text
from kiezbox.settings import BoxSettings, PublisherSettings, parse

CARRIERS = publishers.carriers()


def receiver_of(carrier: str) -> Any:
    return importlib.import_module(f"contracts.receivers.{carrier}").Receiver


def is_latest(carrier: str) -> bool:
    try:
        return bool(getattr(receiver_of(carrier), "LATEST", False))
    except ModuleNotFoundError:
        return False  # its own tests say that its receiver is missing


#: Carriers of what is true now; the others carry every reading.
LATEST = [carrier for carrier in CARRIERS if is_latest(carrier)]
EVERY = [carrier for carrier in CARRIERS if carrier not in LATEST]

#: A reading's time says its counter, for other sides that keep the time and no id.
BASE_MS = 1_779_990_000_000
SERIES = {1: Series("roof", "temperature_c")}


def batch(first: int, count: int, *, flag: int = 0) -> Batch:
    """So many readings in a row; the counter of the first is given."""
    rows = [
        Reading(
            serial_of(3, first + number), 1, BASE_MS + 1000 * (first + number), 1000 * number,
            20.0 + number, None, flag, "stuck" if flag else "", 1,
        )
        for number in range(count)
    ]  # fmt: skip
    return Batch("kb-1", SERIES, rows)


def ids_of(sent: Batch) -> list[str]:
    return [id_text(reading.serial) for reading in sent]


class Bench:
    """One publisher and its other side."""

    def __init__(self, carrier: str, folder: Path, stack: ExitStack) -> None:
        self._stack = stack
        self.clock = ManualClock()
        self.module = publishers.load(carrier)
        self.receiver = receiver_of(carrier)(folder)
        stack.callback(self.receiver.close)

    def open(self) -> Publisher:
        settings = parse(self.module.Settings, self.receiver.settings())
        box = parse(BoxSettings, {"id": "kb-1"})
        publisher: Publisher = self.module.open(settings, box, self.clock, threading.Event().set)
        self._stack.callback(publisher.close)
        return publisher

    def just_now(self, sent: Batch) -> Batch:
        """The same readings, the last of them taken now."""
        late_ms = int(self.clock.now() * 1000) - max(row[2] for row in sent.readings)
        rows = [Reading(*row)._replace(taken_ms=row[2] + late_ms) for row in sent.readings]
        return Batch(sent.box, sent.series, rows)


@pytest.fixture(params=EVERY)
def bench(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Bench]:
    with ExitStack() as stack:
        yield Bench(request.param, tmp_path, stack)


@pytest.fixture(params=CARRIERS)
def any_bench(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Bench]:
    with ExitStack() as stack:
        yield Bench(request.param, tmp_path, stack)


def once_it_works(publish: Callable[[], None]) -> None:
    """Publish, as its worker does: again and again until it goes through."""

    def is_through() -> bool:
        try:
            publish()
        except Unreachable:
            return False
        return True

    wait_for(is_through, "the publisher gets through")


def test_settings_say_what_every_publishers_settings_say(any_bench: Bench) -> None:
    assert issubclass(any_bench.module.Settings, PublisherSettings)
    assert any_bench.module.__doc__


def test_what_publish_returned_for_is_at_the_other_side(bench: Bench) -> None:
    publisher, sent = bench.open(), batch(1, 7)

    once_it_works(lambda: publisher.publish(sent))

    wait_for(lambda: len(bench.receiver.ids()) >= 7, "seven readings")
    assert bench.receiver.ids() == ids_of(sent)
    assert publisher.link() == "connected"


def test_a_whole_window_is_taken_at_once(bench: Bench) -> None:
    publisher = bench.open()
    sent = batch(1, publisher.window)

    once_it_works(lambda: publisher.publish(sent))

    wait_for(lambda: len(bench.receiver.ids()) >= len(sent), "the window")
    assert bench.receiver.ids() == ids_of(sent)


def test_the_same_batch_again_has_the_same_ids(bench: Bench) -> None:
    publisher, sent = bench.open(), batch(1, 3)
    once_it_works(lambda: publisher.publish(sent))

    publisher.publish(sent)

    wait_for(lambda: len(bench.receiver.ids()) >= 6, "both")
    assert bench.receiver.ids() == ids_of(sent) * 2


@pytest.mark.parametrize("flag", [Flag.SUSPECT, Flag.BAD])
def test_a_flagged_reading_never_has_a_good_ones_name_at_the_other_side(
    bench: Bench, flag: Flag
) -> None:
    """It goes under another name or not at all; also between good ones, where a pack's records
    share what stands in the first, and also as the first.
    """
    publisher, sent = bench.open(), batch(1, 5)
    rows = [Reading(*row) for row in sent.readings]
    for n in (0, 2):
        rows[n] = rows[n]._replace(flag=flag, reason="step")
    good, flagged = "kb-1/roof/temperature_c", f"kb-1/roof/temperature_c:{flag.name.lower()}"

    once_it_works(lambda: publisher.publish(Batch(sent.box, sent.series, rows)))

    wait_for(lambda: bench.receiver.names().count(good) >= 3, "three good readings")
    names = bench.receiver.names()
    assert names.count(good) == 3
    assert set(names) <= {good, flagged}
    assert set(bench.receiver.ids()) >= {id_text(rows[n].serial) for n in (1, 3, 4)}
    assert len(names) == len(bench.receiver.ids())


def test_without_the_other_side_publish_says_unreachable_and_what_to_do(any_bench: Bench) -> None:
    any_bench.receiver.go_away()
    publisher = any_bench.open()

    with pytest.raises(Unreachable) as caught:
        publisher.publish(any_bench.just_now(batch(1, 3)))

    assert caught.value.confirmed == 0
    assert publisher.link() == "waiting"


def test_what_was_confirmed_when_the_other_side_went_is_there_and_the_rest_comes_later(
    bench: Bench,
) -> None:
    publisher, first, second = bench.open(), batch(1, 5), batch(6, 5)
    once_it_works(lambda: publisher.publish(first))

    bench.receiver.go_away()
    with pytest.raises(PublishError) as caught:
        publisher.publish(second)
    bench.receiver.come_back()

    assert isinstance(caught.value, Unreachable)
    once_it_works(lambda: publisher.publish(second))
    wait_for(lambda: len(set(bench.receiver.ids())) >= 10, "all ten")
    assert list(dict.fromkeys(bench.receiver.ids())) == ids_of(first) + ids_of(second)


def test_announcing_never_fails_whether_somebody_listens_or_not(any_bench: Bench) -> None:
    publisher = any_bench.open()
    document: dict[str, Any] = {"mode": {"name": "emergency"}, "reason": "Straße · 停電"}

    publisher.announce("state", document)
    any_bench.receiver.go_away()
    publisher.announce("state", document)
    publisher.announce("faults", {"faults": []})
    publisher.close()
    publisher.announce("state", {"mode": None})


def test_closing_twice_is_as_good_as_once(any_bench: Bench) -> None:
    publisher = any_bench.open()

    publisher.close()
    publisher.close()
