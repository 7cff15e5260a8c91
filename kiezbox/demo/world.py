"""What lies outside a box: its air, its grid, its battery, its cables. And what a person breaks.

One ``World`` per box holds the bench with the simulated chips; the box's node reaches it by
address only and cannot tell.
"""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any, NamedTuple

from kiezbox.demo.battery import FORCED_A, Battery
from kiezbox.demo.places import Site
from kiezbox.demo.recording import LABEL, Recording
from kiezbox.demo.weather import Weather
from kiezbox.hardware.simulated.bench import Bench
from kiezbox.hardware.simulated.bme280 import SimulatedBme280
from kiezbox.hardware.simulated.ina219 import SimulatedIna219
from kiezbox.hardware.simulated.sds011 import SimulatedSds011

CLIMATE_ADDRESS, GAUGE_ADDRESS = 0x76, 0x40
DUST_PORT = "ttyUSB0"
GRID_PIN = 17

#: What an inverter does when a fridge starts (0.2 to 0.8 s): too short for the box to act.
FLICKER_S = 0.5

#: The demo's battery in Ah at speed 1: full it carries an emergency for a quarter of an hour
#: instead of a day, so that a person can watch it.
CAPACITY_AH = 0.15
FIRST_CHARGE = 0.6


class Break(NamedTuple):
    """One way in which a part can fail, and the words for it on the page."""

    label: str
    kind: str
    #: Whether the cable or bus fails (``Bench.fault``), not the chip itself.
    on_cable: bool = False


#: part -> (its name, where it sits, the ways in which it fails)
PARTS: dict[str, tuple[str, int | str, tuple[Break, ...]]] = {
    "climate": (
        "Climate, BME280",
        CLIMATE_ADDRESS,
        (
            Break("cable pulled out", "silence"),
            Break("never finishes measuring", "stuck_status"),
            Break("a BMP280 was sold", "wrong_id"),
            Break("bus hangs", "hang", on_cable=True),
        ),
    ),
    "dust": (
        "Dust, SDS011",
        DUST_PORT,
        (
            Break("USB cable pulled out", "unplug", on_cable=True),
            Break("wrong checksums", "bad_checksum"),
            Break("half of each frame lost", "half_frame"),
            Break("silent", "silence"),
        ),
    ),
    "gauge": (
        "Battery, INA219",
        GAUGE_ADDRESS,
        (
            Break("cable pulled out", "silence"),
            Break("math overflow", "overflow"),
        ),
    ),
}


class Air(NamedTuple):
    """What surrounds the sensors; None where the recording has a gap."""

    climate: tuple[float, float, float] | None
    dust: tuple[float, float] | None
    sun_w_m2: float


class Sky:
    """Where the air comes from: simulated weather, or a recording with weather around it."""

    def __init__(self, weather: Weather, recording: Recording | None, *, starts_at: float) -> None:
        self._weather = weather
        self._recording = recording
        self._starts_at = starts_at

    def air(self, unix_s: float, number: int, site: Site) -> Air:
        """The air at the n-th box."""
        air = self._weather.at(unix_s, site)
        if self._recording is None:
            climate = (air.temperature_c, air.humidity_percent, air.pressure_hpa)
            return Air(climate, (air.pm2_5_ug_m3, air.pm10_ug_m3), air.sun_w_m2)
        elapsed_s = unix_s - self._starts_at
        recorded = self._recording.climate(elapsed_s, number)
        return Air(
            # A DHT22 has no barometer; the pressure is the simulated weather's.
            climate=None if recorded is None else (*_in_range(*recorded), air.pressure_hpa),
            dust=self._recording.dust(elapsed_s, number),
            sun_w_m2=air.sun_w_m2,
        )

    def words(self, unix_s: float) -> str:
        """What plays, named as what it is."""
        if self._recording is None:
            return "simulated weather"
        day = self._recording.day(unix_s - self._starts_at)
        return f"{LABEL}; plays {day} (pressure and sun are simulated)"


class World:
    """All that surrounds one box. ``step`` is the main thread's; the rest is for any thread."""

    def __init__(self, folder: Path, number: int, *, speed: float) -> None:
        self.battery = Battery(capacity_ah=CAPACITY_AH * speed, charge=FIRST_CHARGE)
        self.has_grid = True
        #: part -> the kind of its break; only what is broken.
        self.broken: dict[str, str] = {}
        self._speed = speed
        self._lock = threading.Lock()
        self._stepped_at: float | None = None
        self.bench = Bench(folder)
        self._climate = SimulatedBme280(seed=number + 1)
        self._gauge = SimulatedIna219(seed=number + 1)
        # Asked more often than once a second where time runs faster.
        self._dust = SimulatedSds011(report_s=max(0.1, 1 / speed), seed=number + 1)
        self._chips: dict[str, Any] = {
            "climate": self._climate,
            "dust": self._dust,
            "gauge": self._gauge,
        }
        self.bench.attach(CLIMATE_ADDRESS, self._climate)
        self.bench.attach(GAUGE_ADDRESS, self._gauge)
        self.dust_port = self.bench.attach_serial(DUST_PORT, self._dust)
        self.bench.set_pin(GRID_PIN, True)

    def step(self, unix_s: float, air: Air, mode: str) -> None:
        """Bring everything to this moment of the demo's time, in this air."""
        dt_s = 0.0 if self._stepped_at is None else max(0.0, unix_s - self._stepped_at)
        self._stepped_at = unix_s
        self._climate.set(*(air.climate or (None, None, None)))
        self._dust.set(*(air.dust or (None, None)))
        self.battery.step(dt_s, mode=mode, has_grid=self.has_grid, sun_w_m2=air.sun_w_m2)
        self._gauge.set(self.battery.voltage_v, self.battery.current_a)

    def set_grid(self, is_there: bool) -> None:
        """Cut the grid, or bring it back."""
        self.has_grid = is_there
        self.bench.set_pin(GRID_PIN, is_there)

    def flicker(self) -> None:
        """The grid is away for half a second."""
        if self.has_grid:
            self.bench.set_pin(GRID_PIN, False)
            timer = threading.Timer(FLICKER_S / self._speed, self._flicker_over)
            timer.daemon = True
            timer.start()

    def _flicker_over(self) -> None:
        self.bench.set_pin(GRID_PIN, self.has_grid)

    def force_battery(self, what: str | None) -> None:
        """Put a heavy load on the battery ("drain") or a strong charger ("charge"), or neither.

        Raises:
            ValueError: anything else.
        """
        if what is not None and what not in FORCED_A:
            raise ValueError(f"{what!r} is not one of {', '.join(FORCED_A)}")
        self.battery.forced = what

    def break_part(self, part: str, kind: str | None) -> None:
        """Break a part in one of its ways, or (None) mend it.

        Raises:
            ValueError: there is no such part, or it does not fail like that.
        """
        if part not in PARTS:
            raise ValueError(f"there is no part {part!r}; there are: {', '.join(PARTS)}")
        _, target, ways = PARTS[part]
        way = next((way for way in ways if way.kind == kind), None)
        if kind is not None and way is None:
            raise ValueError(
                f"{part} does not fail like {kind!r}; it knows: "
                + ", ".join(way.kind for way in ways)
            )
        with self._lock:
            self.bench.fault(target, way.kind if way and way.on_cable else None)
            self._chips[part].fault = way.kind if way and not way.on_cable else None
            self.broken.pop(part, None)
            if way:
                self.broken[part] = way.kind

    def close(self) -> None:
        """Unplug everything. Idempotent."""
        self.bench.close()


def _in_range(temperature_c: float, humidity_percent: float) -> tuple[float, float]:
    """What a BME280's registers can hold (-40 to 85 °C, 0 to 100 %): it cannot say more."""
    return max(-40.0, min(85.0, temperature_c)), max(0.0, min(100.0, humidity_percent))
