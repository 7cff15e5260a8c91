"""A line that switches the external access point or a radio: the actuator of load shedding.

A plain relay holds while the line is active. A latching relay has two coils and keeps its position
without current, also while the box is off: one line is pulsed to switch on, the other to switch
off. Which position it was left in nobody knows, so the first word after a start is always given.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Any

from kiezbox.clock import Clock, SystemClock
from kiezbox.errors import KiezboxError
from kiezbox.hardware import Hardware
from kiezbox.settings import AccessPointSettings

log = logging.getLogger("kiezbox")

#: How long a coil is given current. Small latching relays ask for 10 to 30 ms at the nominal
#: voltage; a tired battery has less.
PULSE_S = 0.1

#: Lines that could not be had are asked for again after so long.
REOPEN_S = 30.0

SOURCE = "network.access_point"


class Switch:
    """``turn`` never raises; what goes wrong is a fault."""

    def __init__(
        self,
        settings: AccessPointSettings,
        *,
        hardware: Hardware,
        clock: Clock,
        on_fault: Callable[[str, str, str], None],
        on_good: Callable[[str], object],
    ) -> None:
        """``on_fault`` gets (source, message, hint), ``on_good`` the source that works again."""
        self._settings = settings
        self._hardware = hardware
        self._clock = clock
        self._on_fault = on_fault
        self._on_good = on_good
        self._lines: dict[bool, Any] = {}
        self._is_on: bool | None = None
        self._retry_at = clock.monotonic()

    @property
    def is_latching(self) -> bool:
        return self._settings.off_pin >= 0

    def turn(self, on: bool) -> None:
        """Bring the relay into this position, if it is not known to be in it."""
        if on is self._is_on or self._clock.monotonic() < self._retry_at:
            return
        try:
            if not self._lines:
                self._open(on)
            if self.is_latching:
                self._pulse(self._lines[on])
            else:
                self._lines[True].value = on
        except ImportError as error:
            self._failed(
                KiezboxError(f"{error.name} is not installed", hint="pip install 'kiezbox[pins]'")
            )
        except (OSError, KiezboxError, ValueError) as error:
            self._failed(error)
        else:
            self._is_on = on
            self._on_good(SOURCE)
            log.info("network: access point switched %s", "on" if on else "off")

    def _open(self, on: bool) -> None:
        """Each line becomes an output with the right level at once: no coil is pulled by accident,
        and a relay that was on before the node's restart is not let go by its first breath.
        """
        import gpiozero

        pins = {True: self._settings.pin, False: self._settings.off_pin}
        levels = {True: on and not self.is_latching, False: False}
        try:
            for which, pin in pins.items():
                if pin >= 0:
                    self._lines[which] = gpiozero.DigitalOutputDevice(
                        pin,
                        active_high=self._settings.pin_active_high,
                        initial_value=levels[which],
                        pin_factory=self._hardware.pin_factory(),
                    )
        except gpiozero.GPIOZeroError as error:
            raise KiezboxError(
                str(error),
                hint="Each pin of kiezbox.toml has one task; `power.grid` has some, too.",
            ) from error

    def _pulse(self, line: Any) -> None:
        """Current through one coil, in real time also where the demo's runs faster."""
        line.on()
        try:
            SystemClock().wait(threading.Event(), PULSE_S)
        finally:
            line.off()

    def _failed(self, error: Exception) -> None:
        self.close()
        self._retry_at = self._clock.monotonic() + REOPEN_S
        self._on_fault(
            SOURCE,
            f"the access point cannot be switched by pin {self._settings.pin}: {error}",
            getattr(error, "hint", "") or "Check the wire and the pin's number.",
        )

    def close(self) -> None:
        """Give the lines back; a latching relay stays as it is. Idempotent."""
        lines, self._lines, self._is_on = self._lines, {}, None
        for line in lines.values():
            line.close()
