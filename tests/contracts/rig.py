"""A bench, hardware that reaches it by address, and a reader that works as the node does."""

from __future__ import annotations

import importlib
import os
import time
from collections.abc import Callable, Mapping, Sequence
from types import ModuleType
from typing import Any

from kiezbox import sensors
from kiezbox.clock import SystemClock
from kiezbox.errors import SensorError
from kiezbox.hardware import Deadline, SensorHardware
from kiezbox.hardware.box import BoxHardware
from kiezbox.hardware.simulated.bench import Bench
from kiezbox.model import Measurement
from kiezbox.settings import HardwareSettings, parse


def wait_until(is_so: Callable[[], bool], limit_s: float = 10.0) -> None:
    """Return as soon as it is so; fail when it is not within the limit."""
    until = time.monotonic() + limit_s
    while not is_so():
        assert time.monotonic() < until, f"not within {limit_s:g} s"
        time.sleep(0.01)


class Rig:
    """One box's bench, over the same sockets and pseudo-terminals as in the demo."""

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        self.bench = Bench(folder)
        self.hardware = BoxHardware(
            HardwareSettings(
                i2c=self.bench.address, gpio=self.bench.address, onewire=self.bench.address
            )
        )

    def reader(self, driver: str, table: Mapping[str, Any] | None = None) -> Reader:
        """A reader for ``[sensors.x]`` with these settings."""
        return Reader(driver, dict(table or {}), self.hardware)

    def close(self) -> None:
        self.hardware.close()
        self.bench.close()

    def __enter__(self) -> Rig:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class Reader:
    """Opens when needed, reads within the deadline, closes after an error: as the node's worker."""

    def __init__(self, driver: str, table: dict[str, Any], hardware: BoxHardware) -> None:
        self.module = sensors.load(driver)
        self.settings = parse(self.module.Settings, {"driver": driver, **table})
        self.deadline = Deadline(SystemClock())
        self.hardware = SensorHardware(hardware, self.deadline)
        self.sensor: Any = None
        #: How long the last read took, in seconds.
        self.took_s = 0.0

    def read(self, deadline_s: float | None = None) -> Sequence[Measurement]:
        """One read, within the deadline of the settings or within this one."""
        began = time.monotonic()
        self.deadline.start(deadline_s or self.settings.deadline_s)
        try:
            if self.sensor is None:
                self.sensor = self.module.open(self.settings, self.hardware)
            measurements: Sequence[Measurement] = self.sensor.read()
        except SensorError:
            self.close()
            raise
        finally:
            self.took_s = time.monotonic() - began
        return measurements

    def close(self) -> None:
        if self.sensor is not None:
            sensor, self.sensor = self.sensor, None
            sensor.close()


class Wired:
    """One driver's twin on a rig, as ``contracts/twins/DRIVER.py`` says."""

    def __init__(self, driver: str, rig: Rig) -> None:
        self.twin = twin_of(driver)
        self.part = self.twin.make()
        self.target: int | str
        self.bench = rig.bench
        self.target, where = _WIRE[way_of(driver)](rig.bench, self.twin, self.part)
        self.world = self.twin.WORLDS[0]
        self.twin.show(self.part, self.world)
        self.reader = rig.reader(driver, {**self.twin.SETTINGS, **where})
        # What a sensor must know before it can say the truth, and learns in minutes.
        getattr(self.twin, "prepare", lambda wired: None)(self)

    def fault(self, kind: str | None, **detail: float) -> None:
        """Break the way to the sensor, or (None) mend it; the box has noticed when this returns."""
        self.bench.fault(self.target, kind, **detail)
        if kind == "vanish" and hasattr(self.twin, "PIN"):
            wait_until(lambda: is_gone(self.reader, self.twin.PIN))

    def exchange(self, part: object) -> None:
        """Another part in its place: on the same address, or at the same port."""
        _WIRE[way_of(self.reader.module.__name__.rpartition(".")[2])](self.bench, self.twin, part)

    def turn(self, n: int) -> None:
        """Let the world be another one, so that an old value is a wrong one."""
        self.world = self.twin.WORLDS[n % len(self.twin.WORLDS)]
        self.twin.show(self.part, self.world)

    def is_true(self, one: Measurement) -> bool:
        """Whether the value is what the world is."""
        if hasattr(self.twin, "is_true"):
            return bool(self.twin.is_true(self.world, one))
        tolerance: float = self.twin.TOLERANCE[one.quantity]
        return bool(abs(one.value - self.world[one.quantity]) <= tolerance)


def twin_of(driver: str) -> ModuleType:
    """``contracts/twins/DRIVER.py``; see docs/sensors.md."""
    return importlib.import_module(f"contracts.twins.{driver}")


def is_gone(reader: Reader, pin: int) -> bool:
    """Whether the box has noticed that the line's chip is gone."""
    try:
        reader.hardware.pin_factory().read(pin)
    except SensorError:
        return True
    return False


def way_of(driver: str) -> str:
    """How it is connected, by what its twin names: ADDRESS, ONEWIRE, PIN, or nothing."""
    twin = twin_of(driver)
    ways = {"ADDRESS": "i2c", "ONEWIRE": "onewire", "PIN": "pin"}
    return next((way for name, way in ways.items() if hasattr(twin, name)), "serial")


Where = tuple[int | str, dict[str, object]]


def _wire_i2c(bench: Bench, twin: Any, part: Any) -> Where:
    bench.attach(twin.ADDRESS, part)
    return twin.ADDRESS, {"address": twin.ADDRESS}


def _wire_onewire(bench: Bench, twin: Any, part: Any) -> Where:
    bench.attach_onewire(twin.ONEWIRE, part)
    return twin.ONEWIRE, {"id": twin.ONEWIRE}


def _wire_pin(bench: Bench, twin: Any, part: Any) -> Where:
    part.connect(lambda high: bench.set_pin(twin.PIN, high))
    return f"GPIO{twin.PIN}", {"pin": twin.PIN}


def _wire_serial(bench: Bench, twin: Any, part: Any) -> Where:
    return "ttyUSB0", {"port": bench.attach_serial("ttyUSB0", part)}


#: Way -> what connects a part to the bench; it gives the bench's name of it, and the settings.
_WIRE: dict[str, Callable[[Bench, Any, Any], Where]] = {
    "i2c": _wire_i2c,
    "onewire": _wire_onewire,
    "pin": _wire_pin,
    "serial": _wire_serial,
}
