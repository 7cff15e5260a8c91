"""One sensor's task: when it is read, when it is asked again, what it may ask its neighbours."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
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
from kiezbox.sparing import Rhythm
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


@dataclass(frozen=True, kw_only=True)
class FanSettings(SensorSettings):
    warm_up_s: float = 30.0

    @property
    def rests(self) -> bool:
        return 0 < self.warm_up_s <= self.interval_s / 2


class Fan(Part):
    """A sensor with a fan, which reads start and ``rest`` or settings that rest stop."""

    is_on = True
    broken = False

    def __init__(self, act: Callable[[], Measurement], settings: FanSettings) -> None:
        super().__init__(act)
        self._settings = settings

    def read(self) -> list[Measurement]:
        Fan.is_on = not self._settings.rests
        return super().read()

    def rest(self) -> None:
        if Fan.broken:
            raise SensorMissing("gone", hint="look")
        Fan.is_on = False


class Post:
    """What a node has around a sensor; ``act`` is its driver's read."""

    def __init__(self, store: Store, clock: ManualClock) -> None:
        self.clock = clock
        self.latest = Latest(lambda: None)
        self._store = store

    def faults(self) -> list[str]:
        return [fault.message for fault in self._store.faults()]

    def fan(self, rhythm: Callable[[], Rhythm], interval_s: float = 50.0) -> Sensing:
        """One whose fan (30 s of warm-up) cannot rest at its usual interval."""
        Fan.is_on, Fan.broken, self.reads = False, False, 0

        def act() -> Measurement:
            self.reads += 1
            return Measurement(Quantity.PM2_5_UG_M3, 8.0 + self.reads)

        driver = SimpleNamespace(
            open=lambda settings, hardware: Fan(act, settings),
            QUANTITIES=(Quantity.PM2_5_UG_M3,),
            DRAWS_A=0.07,
        )
        return self._made("dust", driver, FanSettings(driver="x", interval_s=interval_s), rhythm)

    def sensing(
        self, name: str, act: Callable[[Any], Measurement], interval_s: float = 10.0
    ) -> Sensing:
        def open(settings: SensorSettings, hardware: Any) -> Part:
            return Part(lambda: act(hardware))

        driver = SimpleNamespace(open=open, QUANTITIES=(T, P))
        return self._made(name, driver, SensorSettings(driver="x", interval_s=interval_s), None)

    def _made(
        self,
        name: str,
        driver: Any,
        settings: SensorSettings,
        rhythm: Callable[[], Rhythm] | None,
    ) -> Sensing:
        judge = Judging({name: (driver, settings)}, self._store, self.clock).of(name)
        return Sensing(
            name,
            driver,
            settings,
            SimpleNamespace(),
            self._store,
            self.latest,
            self.clock,
            judge,
            lambda: True,
            rhythm=rhythm,
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


NORMAL, SAVING, NOT_READ = Rhythm(50.0), Rhythm(600.0, True), Rhythm(0.0, True)


def test_in_mode_saving_a_fan_stops_at_once_and_its_sensor_is_read_every_ten_minutes(
    post: Post,
) -> None:
    mode = NORMAL
    dust = post.fan(lambda: mode)
    assert dust.step() == 50
    assert Fan.is_on  # warm-up and interval leave it no rest

    mode = SAVING
    post.clock.advance(20)
    assert dust.step() == 580  # nudged: ten minutes after the last reading
    assert not Fan.is_on
    assert post.reads == 1

    post.clock.advance(580)
    assert dust.step() == 600
    assert post.reads == 2
    assert not Fan.is_on


def test_after_saving_the_sensor_is_read_at_once_and_at_its_own_interval_again(post: Post) -> None:
    mode = SAVING
    dust = post.fan(lambda: mode)
    dust.step()

    mode = NORMAL
    post.clock.advance(120)

    assert dust.step() == 50
    assert post.reads == 2


def test_a_nudge_without_another_mode_reads_nothing(post: Post) -> None:
    dust = post.fan(lambda: SAVING)
    dust.step()

    post.clock.advance(100)

    assert dust.step() == 500
    assert post.reads == 1


def test_what_is_not_read_in_a_mode_sleeps_and_its_last_values_are_no_longer_true(
    post: Post,
) -> None:
    mode = NORMAL
    dust = post.fan(lambda: mode)
    dust.step()
    assert post.latest.snapshot()

    mode = NOT_READ
    dust.step()
    for _ in range(5):
        post.clock.advance(dust.step())

    assert (post.reads, Fan.is_on, post.latest.snapshot()) == (1, False, {})
    mode = NORMAL
    assert dust.step() == 50
    assert post.reads == 2


def test_a_box_that_wakes_in_mode_dark_stops_the_fan_that_still_runs(post: Post) -> None:
    dust = post.fan(lambda: NOT_READ)
    Fan.is_on = True  # since before the node was killed

    dust.step()

    assert not Fan.is_on
    assert post.reads == 0


def test_a_fan_that_cannot_be_stopped_is_a_fault_and_is_told_again(post: Post) -> None:
    mode = NORMAL
    dust = post.fan(lambda: mode)
    dust.step()
    mode, Fan.broken = NOT_READ, True

    pause_s = dust.step()
    assert post.faults() == ["dust: gone"]

    Fan.broken = False
    post.clock.advance(pause_s)
    dust.step()
    assert not Fan.is_on
