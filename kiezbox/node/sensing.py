"""One sensor's work: wait for its interval, read within the deadline, judge, store, say what is
wrong.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from functools import partial
from types import ModuleType

from kiezbox import sensors, sparing
from kiezbox.clock import Clock, SystemClock
from kiezbox.errors import KiezboxError, SensorError
from kiezbox.hardware import Deadline, Hardware, SensorHardware
from kiezbox.mode import Mode
from kiezbox.model import Measurement
from kiezbox.node.clocking import Clocking, Timekeeper, neighbours_time
from kiezbox.node.judging import Judging, SensorJudge
from kiezbox.node.latest import Latest
from kiezbox.node.sparing import Sparing
from kiezbox.node.worker import Worker
from kiezbox.quality import SUFFIX
from kiezbox.sensors import Sensor
from kiezbox.settings import SensorSettings, Settings, parse
from kiezbox.sparing import Rhythm
from kiezbox.store import Store

log = logging.getLogger("kiezbox")

#: A sensor that failed is asked again after so long, or after its interval if that is shorter:
#: whoever pushes a plug back in wants to see the answer before they climb down. One that took all
#: its time is asked no sooner: it may be holding a bus on which others want to be read.
RETRY_S = 10.0
#: The same while the box saves: each try may mean a fan's half minute.
RETRY_SPARED_S = 60.0
#: One that is not read in this mode looks after itself so often.
NEVER_S = 3600.0


def sensing_workers(
    settings: Settings,
    hardware: Hardware,
    store: Store,
    latest: Latest,
    clock: Clock,
    trouble: Callable[[str], Callable[[str, str], None]],
    timekeeper: Timekeeper | None = None,
    spares: Sparing | None = None,
) -> list[Worker]:
    """A worker for every ``[sensors.NAME]``. ``timekeeper`` hears those that know the time;
    ``spares`` says the mode, by which they are read more or less often.

    Raises:
        KiezboxError: a setting, a driver that is not there, a package that is missing.
    """
    known: dict[str, tuple[ModuleType, SensorSettings]] = {}
    for name, table in settings.sensors.items():
        driver = sensors.load(table.get("driver", ""))
        table = sensors.completed(driver, table, settings.box)
        known[name] = driver, parse(driver.Settings, table, f"sensors.{name}")
    judging = Judging(known, store, clock)
    make = partial(Sensing, timekeeper=timekeeper)
    needed, spares = sparing.needed(settings), spares or Sparing(Mode.NORMAL)

    def rhythm(name: str) -> Callable[[], Rhythm]:
        driver, its = known[name]
        has_load = sparing.draws_a(driver) > 0
        in_modes = sparing.rhythms(its, has_load=has_load, is_needed=name in needed)
        return lambda: in_modes[spares.mode]

    workers = [
        Worker(
            f"sensors.{name}",
            partial(
                make,
                name,
                driver,
                its,
                hardware,
                store,
                latest,
                clock,
                judging.of(name),
                rhythm=rhythm(name),
            ),  # fmt: skip
            clock,
            # Twice the deadline: the buses end a read themselves at the first; whoever is still
            # busy then hangs in a driver or in the kernel.
            step_limit_s=2 * its.deadline_s,
            on_trouble=trouble(f"sensors.{name}"),
        )
        for name, (driver, its) in known.items()
    ]
    spares.wakes += [worker.nudge for worker in workers]
    return workers


def clock_and_sensors(
    settings: Settings,
    hardware: Hardware,
    store: Store,
    latest: Latest,
    clock: Clock,
    trouble: Callable[[str], Callable[[str, str], None]],
    spares: Sparing | None = None,
) -> list[Worker]:
    """The sensors, and who listens to those that know the time. The demo's time is its own."""
    if not isinstance(clock, SystemClock):
        return sensing_workers(settings, hardware, store, latest, clock, trouble, spares=spares)
    timekeeper = Timekeeper(clock)

    def listen(counts: Callable[[], bool]) -> Clocking:
        run_dir, mesh_dir = settings.store.run_dir, settings.network.run_dir
        return Clocking(
            timekeeper, store, clock, run_dir, neighbours=lambda: neighbours_time(mesh_dir, clock)
        )

    workers = sensing_workers(settings, hardware, store, latest, clock, trouble, timekeeper, spares)
    return [Worker("clock", listen, clock, on_trouble=trouble("clock.worker")), *workers]


#: What one sensor said helps another for so long: air pressure moves 1 hPa in a quarter of an hour,
#: which is 0.1 % of a CO₂ value.
NEIGHBOUR_S = 900.0


class Sensing:
    """The task of one ``[sensors.NAME]``."""

    def __init__(
        self,
        name: str,
        driver: ModuleType,
        settings: SensorSettings,
        hardware: Hardware,
        store: Store,
        latest: Latest,
        clock: Clock,
        judge: SensorJudge,
        counts: Callable[[], bool],
        timekeeper: Timekeeper | None = None,
        rhythm: Callable[[], Rhythm] | None = None,
    ) -> None:
        """``counts`` says whether this thread's results are still wanted (see ``Worker``);
        ``rhythm`` how the sensor is to be read now, as long as it is always asked the same.
        """
        self.name = name
        self._driver = driver
        self._settings = settings
        self._store = store
        self._latest = latest
        self._clock = clock
        self._judge = judge
        self._counts = counts
        # Real time, also where the demo's clock runs faster: buses know no speed.
        self._deadline = Deadline(SystemClock())
        self._timekeeper = timekeeper
        true_time = timekeeper.true_time if timekeeper is not None else lambda: None
        self._hardware = SensorHardware(hardware, self._deadline, self._neighbour, true_time)
        self._sensor: Sensor | None = None
        self._fault_kind = ""
        self._is_ending = False
        #: What stands as a fault about its values; "": not looked yet, the last start's may stand.
        self._doubt: tuple[str, str, str] | str | None = ""
        self._due_at = self._next_at = clock.monotonic()
        self._is_nudged = rhythm is not None
        self._wanted = rhythm or (lambda: Rhythm(settings.interval_s))
        self._rhythm = self._wanted()
        #: Whether it sleeps because this mode does not read it.
        self._is_off = False

    def step(self) -> float:
        if (wanted := self._wanted()) != self._rhythm:
            if (failed_s := self._change(wanted)) is not None:
                return self._again_in(failed_s)
        # A nudge says that the mode may be another one; whose time has not come waits on.
        wait_s = self._next_at - self._clock.monotonic()
        if self._is_nudged and wait_s > 0:
            return wait_s
        if self._rhythm.interval_s:
            return self._again_in(self._read())
        return self._again_in(self._switch_off())

    def _again_in(self, pause_s: float) -> float:
        self._next_at = self._clock.monotonic() + pause_s
        return pause_s

    # --- the mode -----------------------------------------------------------------------------

    def _change(self, wanted: Rhythm) -> float | None:
        """Take another rhythm; seconds until the next try where the sensor would not rest."""
        now, before = self._clock.monotonic(), self._rhythm
        self._rhythm, self._is_off = wanted, False
        log.info("sensors.%s: read every %g s (before %g)", self.name, wanted[0], before[0])
        if wanted.interval_s > before.interval_s > 0:
            # From the last reading on, which was at the old pace.
            self._next_at = self._due_at = max(now, self._due_at + wanted[0] - before[0])
        elif wanted.interval_s != before.interval_s:
            self._next_at = self._due_at = now
        try:
            if wanted.is_spared and wanted.interval_s:
                self._lay_down()
        except (SensorError, KiezboxError) as error:
            return self._failed(error)
        self.close()  # it is opened with the settings of its new rhythm
        return None

    def _switch_off(self) -> float:
        """This mode does not read it: let it sleep, whoever woke it."""
        if self._is_off:
            return NEVER_S
        try:
            if sparing.draws_a(self._driver):
                self._open()
                self._lay_down(always=True)
        except (SensorError, KiezboxError) as error:
            return self._failed(error)
        self.close()
        self._is_off = True
        self._forget()
        return NEVER_S

    def _lay_down(self, *, always: bool = False) -> None:
        """Stop fan, laser, lamp or heater. One whose ``warm_up_s`` is 0 has been told never to rest
        between two readings: nothing would let its values settle afterwards.
        """
        may_rest = always or getattr(self._adapted(), "rests", True)
        if self._sensor is not None and may_rest and hasattr(self._sensor, "rest"):
            self._deadline.start(self._settings.deadline_s)
            self._sensor.rest()
            self.close()

    def _adapted(self) -> SensorSettings:
        return sparing.adapted(self._settings, self._rhythm)

    def _forget(self) -> None:
        self._latest.forget(self.name)
        self._latest.forget(self.name + SUFFIX)

    # --- reading ------------------------------------------------------------------------------

    def _open(self) -> Sensor:
        self._deadline.start(self._settings.deadline_s)
        if self._sensor is None:
            self._sensor = self._driver.open(self._adapted(), self._hardware)
        return self._sensor

    def _read(self) -> float:
        try:
            measurements = self._open().read()
        except (SensorError, KiezboxError) as error:
            return self._failed(error)
        if not self._counts():
            return 0.0
        if self._timekeeper is not None:
            self._timekeeper.heard(self.name, self._sensor)
        judged = self._judge.judged(measurements)
        self._keep(self.name, judged)
        self._keep(self.name + SUFFIX, self._judge.corrected(judged))
        self._say_doubt()
        self._fault_kind = ""
        if self._store.close_fault(f"sensors.{self.name}"):
            log.info("sensors.%s: answers again", self.name)
        try:
            if self._rhythm.is_spared:
                self._lay_down()
        except (SensorError, KiezboxError) as error:
            return self._failed(error)
        return self._until_next()

    def _neighbour(self, series: str) -> float | None:
        """What another sensor of this box says, if it is good and recent."""
        reading = self._latest.good(series)
        if reading is None:
            return None
        age_s = self._clock.monotonic() - reading.monotonic_ms / 1000
        return reading.value if age_s <= NEIGHBOUR_S else None

    def _keep(self, name: str, measurements: Sequence[Measurement]) -> None:
        if measurements:
            readings = self._store.add(name, measurements)
            self._latest.update(name, [one.quantity.value for one in measurements], readings)

    def _say_doubt(self) -> None:
        """A sensor that answers nonsense for an hour is a fault, or it does so for years."""
        source, doubt = f"sensors.{self.name}.quality", self._judge.doubt()
        if doubt == self._doubt:
            return
        self._store.close_fault(source)
        self._doubt = doubt
        if doubt:
            kind, message, hint = doubt
            self._store.open_fault(source, kind, message, hint)
            log.warning("%s: %s kind=%s", source, message, kind)

    def _failed(self, error: KiezboxError) -> float:
        self.close()
        # A read that was ended from outside has not failed: nothing to tell at the next start.
        if self._is_ending or not self._counts():
            return 0.0
        kind = getattr(error, "kind", "failed")
        self._judge.lost()
        self._forget()
        source = f"sensors.{self.name}"
        if kind != self._fault_kind:
            # It fails in another way now: one broken part is one fault, and the newest is true.
            self._store.close_fault(source)
            self._fault_kind = kind
        if self._store.open_fault(source, kind, f"{self.name}: {error}", error.hint):
            log.warning("%s: %s kind=%s", source, error, kind)
        self._due_at = self._clock.monotonic()
        if self._rhythm.is_spared:
            return RETRY_SPARED_S
        return RETRY_S if kind == "timeout" else min(RETRY_S, self._settings.interval_s)

    def _until_next(self) -> float:
        """Seconds to the next full interval. A read that came late is followed by the next at once;
        what was missed for longer than an interval is left out, not queued."""
        now = self._clock.monotonic()
        self._due_at += self._rhythm.interval_s
        if self._due_at < now - self._rhythm.interval_s:
            self._due_at = now
        return max(0.0, self._due_at - now)

    def interrupt(self) -> None:
        self._is_ending = True
        # A particulate sensor warms up for half a minute; its next look at the bus ends that.
        self._deadline.start(0.0)

    def close(self) -> None:
        if self._sensor is not None:
            sensor, self._sensor = self._sensor, None
            try:
                sensor.close()
            except OSError as error:
                # The port is gone together with the cable; there is nothing left to give back.
                log.debug("sensors.%s: close: %s", self.name, error)
