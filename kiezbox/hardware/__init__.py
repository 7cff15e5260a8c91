"""Buses, ports and pins, each real or simulated; drivers get them passed in and cannot tell.

An address decides: ``/dev/i2c-1`` is the kernel's bus, ``sim:/path/bench.sock`` a bus whose
chips live in another process (``kiezbox demo``). 1-Wire is a folder of the kernel's, or a bench.
Serial ports need no such word: a simulated sensor sits at the other end of a pseudo-terminal.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

from kiezbox.clock import Clock
from kiezbox.errors import SensorTimeout

if TYPE_CHECKING:
    from kiezbox.settings import HardwareSettings

__all__ = ["I2C", "Deadline", "Hardware", "OneWire", "SensorHardware", "open_hardware"]


class Deadline:
    """The moment by which one sensor's read must be over.

    The buses handed to a driver ask it before every transaction, so that a driver that loops
    for ever on a stuck status register (the Adafruit BME280 driver does) is stopped by its next
    transaction. Real time always, also where the demo's time runs faster.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._until = float("inf")
        self._seconds = float("inf")

    def start(self, seconds: float) -> None:
        """The read begins now and may take so long."""
        self._seconds = seconds
        self._until = self._clock.monotonic() + seconds

    def remaining_s(self) -> float:
        """Seconds left, never below 0."""
        return max(0.0, self._until - self._clock.monotonic())

    def check(self) -> None:
        """Raises SensorTimeout once the moment has passed."""
        if self._clock.monotonic() > self._until:
            raise SensorTimeout(
                f"no complete reading within {self._seconds:g} s",
                hint="Check the wiring and the supply; the box tries again by itself.",
            )


class I2C(Protocol):
    """The part of CircuitPython's ``busio.I2C`` that drivers use (same names, same meaning).

    A device that does not acknowledge raises ``OSError(errno.EREMOTEIO)`` (121), as Linux does.
    """

    def try_lock(self) -> bool: ...
    def unlock(self) -> None: ...
    def scan(self) -> list[int]: ...
    def writeto(
        self,
        address: int,
        buffer: Any,
        *,
        start: int = 0,
        end: int | None = None,
        stop: bool = True,
    ) -> None: ...
    def readfrom_into(
        self,
        address: int,
        buffer: Any,
        *,
        start: int = 0,
        end: int | None = None,
        stop: bool = True,
    ) -> None: ...
    def writeto_then_readfrom(
        self,
        address: int,
        buffer_out: Any,
        buffer_in: Any,
        *,
        out_start: int = 0,
        out_end: int | None = None,
        in_start: int = 0,
        in_end: int | None = None,
        stop: bool = False,
    ) -> None: ...


class OneWire(Protocol):
    """A 1-Wire bus behind the kernel's driver (``w1_therm``), which speaks text."""

    def scan(self) -> list[str]:
        """The ids that the kernel knows, as it writes them: "28-00000a1b2c3d".

        Raises:
            SensorMissing: there is no 1-Wire bus.
        """

    def read(self, identity: str) -> bytes:
        """A conversion (up to 750 ms), and what ``w1_slave`` says of it; may be empty.

        Raises:
            FileNotFoundError: no such id.
            OSError: the kernel could not read it.
        """


class Hardware(Protocol):
    """All that is wired to one box."""

    def i2c(self, deadline: Deadline) -> I2C:
        """The I²C bus, as one sensor sees it."""

    def serial(self, port: str, baudrate: int, deadline: Deadline) -> Any:
        """An open ``serial.Serial`` whose reads return after at most 1 s."""

    def onewire(self, deadline: Deadline) -> OneWire:
        """The 1-Wire bus, as one sensor sees it."""

    def pin_factory(self) -> Any:
        """A gpiozero pin factory."""

    def close(self) -> None:
        """Give everything back. Idempotent."""


def _nobody(series: str) -> float | None:
    return None


def _unsure() -> float | None:
    return None


class SensorHardware:
    """The hardware as handed to one driver: every bus it opens knows the read's deadline.

    ``neighbour("roof/pressure_hpa")`` is what another sensor of this box says now, or None where
    there is no such series, or no good and recent value of it: a CO₂ sensor wants the air
    pressure. None is always an answer, so a driver must do without (`kiezbox read` has nobody).
    """

    def __init__(
        self,
        hardware: Hardware,
        deadline: Deadline,
        neighbour: Callable[[str], float | None] = _nobody,
        true_time: Callable[[], float | None] = _unsure,
    ) -> None:
        """``true_time`` is what the box's clock says, in Unix seconds, while GPS or NTP vouches for
        it: a clock chip may be set by it.
        """
        self._hardware = hardware
        self.deadline = deadline
        self.neighbour = neighbour
        self.true_time = true_time
        #: What a driver counts for the next read, and must not lose when it is opened anew.
        self.kept: dict[str, Any] = {}

    def i2c(self) -> I2C:
        return self._hardware.i2c(self.deadline)

    def serial(self, port: str, baudrate: int) -> Any:
        return self._hardware.serial(port, baudrate, self.deadline)

    def onewire(self) -> OneWire:
        return self._hardware.onewire(self.deadline)

    def pin_factory(self) -> Any:
        return self._hardware.pin_factory()


def open_hardware(settings: HardwareSettings) -> Hardware:
    """The hardware behind kiezbox.toml's addresses; each bus is opened when first asked for."""
    from kiezbox.hardware.box import BoxHardware

    return BoxHardware(settings)
