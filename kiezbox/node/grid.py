"""What knows whether the grid is there: one object per ``[power.grid.NAME]``; each has a vote."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, Protocol

from kiezbox.clock import Clock
from kiezbox.errors import KiezboxError
from kiezbox.hardware import Hardware
from kiezbox.model import Quantity
from kiezbox.node.latest import Latest
from kiezbox.settings import GridSourceSettings, Settings, parse
from kiezbox.store import Store

log = logging.getLogger("kiezbox")

#: A source that could not be opened is tried again after so long.
REOPEN_S = 30.0


class GridSource(Protocol):
    """Says "present", "lost" or "silent"; never raises."""

    def vote(self) -> str: ...
    def close(self) -> None: ...


class PinSource:
    """A GPIO line of a power supply or UPS board, by gpiozero; polarity as configured."""

    def __init__(
        self,
        name: str,
        settings: GridSourceSettings,
        *,
        hardware: Hardware,
        clock: Clock,
        on_edge: Callable[[], None],
        on_fault: Callable[[str, str, str], None],
        on_good: Callable[[str], object],
    ) -> None:
        """``on_fault`` gets (source, message, hint), ``on_good`` the source that answers again."""
        self._on_good = on_good
        self._name = name
        self._settings = settings
        self._hardware = hardware
        self._clock = clock
        self._on_edge = on_edge
        self._on_fault = on_fault
        self._device: Any = None
        self._reopen_at = clock.monotonic()

    def vote(self) -> str:
        if self._device is None and not self._open():
            return "silent"
        try:
            return "present" if self._device.is_active else "lost"
        except (OSError, KiezboxError) as error:
            # The chip went away under us: a driver reload, or the simulated bench's end.
            self._failed(error)
            self.close()
            return "silent"

    def _open(self) -> bool:
        if self._clock.monotonic() < self._reopen_at:
            return False
        self._reopen_at = self._clock.monotonic() + REOPEN_S
        try:
            import gpiozero
        except ImportError as error:
            self._failed(
                KiezboxError(f"{error.name} is not installed", hint="pip install 'kiezbox[pins]'")
            )
            return False
        try:
            pull = {"up": True, "down": False, "none": None}[self._settings.pull]
            # gpiozero takes active_state only where there is no pull; with one it follows from
            # the pull, so that our own setting is applied by hand below.
            device = gpiozero.DigitalInputDevice(
                self._settings.pin,
                pull_up=pull,
                active_state=self._settings.active_high if pull is None else None,
                pin_factory=self._hardware.pin_factory(),
            )
        except (OSError, KiezboxError, ValueError, gpiozero.GPIOZeroError) as error:
            self._failed(error)
            return False
        self._device = _Polarity(device, self._settings)
        self._on_good(f"power.grid.{self._name}")
        device.when_activated = device.when_deactivated = lambda: self._on_edge()
        return True

    def _failed(self, error: Exception) -> None:
        self._on_fault(
            f"power.grid.{self._name}",
            f"{self._name}: pin {self._settings.pin} cannot be read: {error}",
            getattr(error, "hint", "") or "Check the wire and the pin's number.",
        )

    def close(self) -> None:
        if self._device is not None:
            device, self._device = self._device, None
            device.close()


class _Polarity:
    """A gpiozero input seen with the polarity of kiezbox.toml, whatever its pull."""

    def __init__(self, device: Any, settings: GridSourceSettings) -> None:
        self._device = device
        self._active_high = settings.active_high

    @property
    def is_active(self) -> bool:
        # DigitalInputDevice.value is already turned around where the pull is up; pin.state is not.
        return bool(self._device.pin.state) == self._active_high

    def close(self) -> None:
        self._device.close()


class VoltageSource:
    """A sensor on the supply side: the grid is there while its voltage is high enough."""

    def __init__(
        self,
        settings: GridSourceSettings,
        *,
        latest: Latest,
        clock: Clock,
        silent_s: float,
    ) -> None:
        self._settings = settings
        self._series = f"{settings.sensor}/{Quantity.VOLTAGE_V.value}"
        self._latest = latest
        self._clock = clock
        self._silent_s = silent_s

    def vote(self) -> str:
        reading = self._latest.good(self._series)
        if reading is None:
            return "silent"
        if self._clock.monotonic() - reading.monotonic_ms / 1000 > self._silent_s:
            return "silent"
        return "present" if reading.value >= self._settings.least_v else "lost"

    def close(self) -> None:
        """Nothing was opened."""


def grid_sources(
    settings: Settings,
    hardware: Hardware,
    latest: Latest,
    clock: Clock,
    store: Store,
    on_edge: Callable[[], None],
) -> dict[str, GridSource]:
    """Every ``[power.grid.NAME]``; ``on_edge`` is called as soon as a pin changes."""

    def on_fault(source: str, message: str, hint: str) -> None:
        if store.open_fault(source, "missing", message, hint):
            log.warning("%s", message)

    sources: dict[str, GridSource] = {}
    for name, table in settings.power.grid.items():
        source = parse(GridSourceSettings, table, f"power.grid.{name}")
        if source.driver == "pin":
            sources[name] = PinSource(
                name,
                source,
                hardware=hardware,
                clock=clock,
                on_edge=on_edge,
                on_fault=on_fault,
                on_good=store.close_fault,
            )
        elif source.driver == "nut":
            from kiezbox.node.grid_nut import NutSource

            sources[name] = NutSource(
                name,
                source,
                clock=clock,
                on_edge=on_edge,
                on_fault=on_fault,
                on_good=store.close_fault,
            )
        else:
            interval_s = float(settings.sensors.get(source.sensor, {}).get("interval_s", 60.0))
            # A sensor that is read every minute is not silent because nobody asked it for 50 s.
            silent_s = max(settings.power.silent_s, 2.5 * interval_s)
            sources[name] = VoltageSource(source, latest=latest, clock=clock, silent_s=silent_s)
    return sources
