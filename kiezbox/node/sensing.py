"""One sensor's work: wait for its interval, read within the deadline, judge, store, say what is
wrong.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from functools import partial
from types import ModuleType

from kiezbox import sensors
from kiezbox.clock import Clock, SystemClock
from kiezbox.errors import KiezboxError, SensorError
from kiezbox.hardware import Deadline, Hardware, SensorHardware
from kiezbox.model import Measurement
from kiezbox.node.clocking import Clocking, Timekeeper, neighbours_time
from kiezbox.node.judging import Judging, SensorJudge
from kiezbox.node.latest import Latest
from kiezbox.node.worker import Worker
from kiezbox.quality import SUFFIX
from kiezbox.sensors import Sensor
from kiezbox.settings import SensorSettings, Settings, parse
from kiezbox.store import Store

log = logging.getLogger("kiezbox")

#: A sensor that failed is asked again after so long, or after its interval if that is shorter:
#: whoever pushes a plug back in wants to see the answer before they climb down. One that took all
#: its time is asked no sooner: it may be holding a bus on which others want to be read.
RETRY_S = 10.0


def sensing_workers(
    settings: Settings,
    hardware: Hardware,
    store: Store,
    latest: Latest,
    clock: Clock,
    trouble: Callable[[str], Callable[[str, str], None]],
    timekeeper: Timekeeper | None = None,
) -> list[Worker]:
    """A worker for every ``[sensors.NAME]``. ``timekeeper`` hears those that know the time.

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
    return [
        Worker(
            f"sensors.{name}",
            partial(make, name, driver, its, hardware, store, latest, clock, judging.of(name)),
            clock,
            # Twice the deadline: the buses end a read themselves at the first; whoever is still
            # busy then hangs in a driver or in the kernel.
            step_limit_s=2 * its.deadline_s,
            on_trouble=trouble(f"sensors.{name}"),
        )
        for name, (driver, its) in known.items()
    ]


def clock_and_sensors(
    settings: Settings,
    hardware: Hardware,
    store: Store,
    latest: Latest,
    clock: Clock,
    trouble: Callable[[str], Callable[[str, str], None]],
) -> list[Worker]:
    """The sensors, and who listens to those that know the time. The demo's time is its own."""
    if not isinstance(clock, SystemClock):
        return sensing_workers(settings, hardware, store, latest, clock, trouble)
    timekeeper = Timekeeper(clock)

    def listen(counts: Callable[[], bool]) -> Clocking:
        run_dir, mesh_dir = settings.store.run_dir, settings.network.run_dir
        return Clocking(
            timekeeper, store, clock, run_dir, neighbours=lambda: neighbours_time(mesh_dir, clock)
        )

    workers = sensing_workers(settings, hardware, store, latest, clock, trouble, timekeeper)
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
    ) -> None:
        """``counts`` says whether this thread's results are still wanted (see ``Worker``)."""
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
        self._due_at = clock.monotonic()

    def step(self) -> float:
        try:
            self._deadline.start(self._settings.deadline_s)
            if self._sensor is None:
                self._sensor = self._driver.open(self._settings, self._hardware)
            measurements = self._sensor.read()
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
        self._latest.forget(self.name)
        self._latest.forget(self.name + SUFFIX)
        source = f"sensors.{self.name}"
        if kind != self._fault_kind:
            # It fails in another way now: one broken part is one fault, and the newest is true.
            self._store.close_fault(source)
            self._fault_kind = kind
        if self._store.open_fault(source, kind, f"{self.name}: {error}", error.hint):
            log.warning("%s: %s kind=%s", source, error, kind)
        self._due_at = self._clock.monotonic()
        return RETRY_S if kind == "timeout" else min(RETRY_S, self._settings.interval_s)

    def _until_next(self) -> float:
        """Seconds to the next full interval. A read that came late is followed by the next at once;
        what was missed for longer than an interval is left out, not queued."""
        now = self._clock.monotonic()
        self._due_at += self._settings.interval_s
        if self._due_at < now - self._settings.interval_s:
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
