"""One sensor's task: when it is read, when it is asked again, what it may ask its neighbours."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from kiezbox.clock import ManualClock
from kiezbox.errors import SensorMissing, SensorTimeout
from kiezbox.model import Flag, Measurement, Quantity
from kiezbox.node.judging import Judging
from kiezbox.node.latest import Latest
from kiezbox.node.sensing import NEIGHBOUR_S, Sensing
from kiezbox.settings import SensorSettings, StoreSettings
from kiezbox.store import Store

T, P = Quantity.TEMPERATURE_C, Quantity.PRESSURE_HPA


class Part:
    """A sensor that does what it is told at each read."""

    def __init__(self, act: Callable[[], Measurement]) -> None:
        self._act = act

    def read(self) -> list[Measurement]:
        return [self._act()]

    def close(self) -> None:
        pass


class Post:
    """What a node has around a sensor; ``act`` is its driver's read."""

    def __init__(self, store: Store, clock: ManualClock) -> None:
        self.clock = clock
        self.latest = Latest(lambda: None)
        self._store = store

    def faults(self) -> list[str]:
        return [fault.message for fault in self._store.faults()]

    def sensing(
        self, name: str, act: Callable[[Any], Measurement], interval_s: float = 10.0
    ) -> Sensing:
        def open(settings: SensorSettings, hardware: Any) -> Part:
            return Part(lambda: act(hardware))

        driver = SimpleNamespace(open=open, QUANTITIES=(T, P))
        settings = SensorSettings(driver="x", interval_s=interval_s)
        judge = Judging({name: (driver, settings)}, self._store, self.clock).of(name)
        return Sensing(
            name,
            driver,  # type: ignore[arg-type]
            settings,
            SimpleNamespace(),  # type: ignore[arg-type]
            self._store,
            self.latest,
            self.clock,
            judge,
            lambda: True,
        )


@pytest.fixture
def post(tmp_path: Path) -> Iterator[Post]:
    clock = ManualClock()
    store = Store.open(StoreSettings(path=str(tmp_path / "kiezbox.db")), "kb-test", clock)
    yield Post(store, clock)
    store.close()


def test_a_read_that_comes_late_by_less_than_an_interval_costs_no_reading(post: Post) -> None:
    takes = iter([0.0, 14.0, 0.0, 0.0])

    def act(_: Any) -> Measurement:
        post.clock.advance(next(takes))
        return Measurement(T, 20.0)

    sensing = post.sensing("roof", act)
    began = post.clock.monotonic()
    starts = []
    for _ in range(4):
        starts.append(post.clock.monotonic() - began)
        post.clock.advance(sensing.step())

    # Due at 0, 10, 20, 30: the second one ends at 24, the third follows at once.
    assert starts == [0, 10, 24, 30]


def test_what_was_missed_for_longer_is_left_out_and_not_queued(post: Post) -> None:
    takes = iter([35.0, 0.0, 0.0])

    def act(_: Any) -> Measurement:
        post.clock.advance(next(takes))
        return Measurement(T, 20.0)

    sensing = post.sensing("roof", act)
    began = post.clock.monotonic()
    starts = []
    for _ in range(3):
        starts.append(post.clock.monotonic() - began)
        post.clock.advance(sensing.step())

    assert starts == [0, 35, 45]


@pytest.mark.parametrize(
    ("error", "pause_s"),
    [(SensorMissing("gone", hint="look"), 2.0), (SensorTimeout("hangs", hint="look"), 10.0)],
)
def test_a_sensor_that_took_all_its_time_is_asked_again_later_than_one_that_is_gone(
    post: Post, error: Exception, pause_s: float
) -> None:
    def act(_: Any) -> Measurement:
        raise error

    assert post.sensing("roof", act, interval_s=2.0).step() == pause_s


def test_a_read_that_the_nodes_end_cut_off_is_no_fault(post: Post) -> None:
    def act(hardware: Any) -> Measurement:
        sensing.interrupt()  # as another thread does, while a sensor warms up
        hardware.deadline.check()
        raise AssertionError("the deadline has not passed")

    sensing = post.sensing("dust", act)

    sensing.step()

    assert post.faults() == []


def test_a_sensor_is_told_what_another_says_if_it_is_good_and_recent(post: Post) -> None:
    said = Measurement(P, 987.5)
    heard: list[float | None] = []

    def listen(hardware: Any) -> Measurement:
        heard.append(hardware.neighbour("roof/pressure_hpa"))
        return Measurement(T, 20.0)

    roof = post.sensing("roof", lambda _: said)
    cellar = post.sensing("cellar", listen)

    cellar.step()  # before there is anything
    roof.step()
    cellar.step()
    post.clock.advance(NEIGHBOUR_S + 1)
    cellar.step()
    said = Measurement(P, 1200.0, None, Flag.BAD, "range")
    roof.step()
    cellar.step()

    assert heard == [None, 987.5, None, None]
