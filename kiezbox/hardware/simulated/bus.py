"""A simulated I²C bus: chips with real registers, and the faults a real bus has.

Modelled: addresses that acknowledge or do not, whole transactions in the order in which they
come, the repeated start between a write and a read, a released data line reading as 0xFF.
Not modelled: clock speed, arbitration, and that a chip which holds the clock or the data line
blocks the whole bus: here a hanging chip hangs alone, and the others go on.
"""

from __future__ import annotations

import errno
import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from kiezbox.hardware.i2c_view import BusioShape, nack
from kiezbox.hardware.simulated._noise import one_bit_flipped

__all__ = ["FAULTS", "BusFault", "Chip", "SimulatedBus"]


class Chip(Protocol):
    """What sits at an address. One thread at a time calls it.

    Raises:
        OSError: errno 121, where the real chip would not acknowledge.
    """

    def write(self, data: bytes) -> None:
        """Take the bytes after the address; none at all is a driver looking for a device."""

    def read(self, count: int) -> bytes:
        """Give so many bytes. Fewer are filled up with 0xFF."""


GiveUp = Callable[[], bool]


def _never() -> bool:
    return False


@dataclass
class BusFault:
    """What goes wrong at one address. ``lifted`` is set when the fault is taken away."""

    lifted: threading.Event = field(default_factory=threading.Event, kw_only=True, repr=False)

    def before(self, address: int, give_up: GiveUp) -> None:
        """Called as the transaction starts; may raise or take its time."""

    def after(self, data: bytes) -> bytes:
        """What of the chip's answer arrives."""
        return data

    def _pause(self, seconds: float, give_up: GiveUp) -> None:
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            if self.lifted.wait(max(0.0, min(0.1, until - time.monotonic()))):
                return
            if give_up():
                raise TimeoutError(errno.ETIMEDOUT, "the transaction did not finish")


@dataclass
class Vanish(BusFault):
    """The chip is off the bus: no acknowledge."""

    def before(self, address: int, give_up: GiveUp) -> None:
        raise nack(address)


@dataclass
class EveryNthError(BusFault):
    """A bad contact: each n-th transaction is not acknowledged."""

    n: int = 3
    seen: int = 0

    def before(self, address: int, give_up: GiveUp) -> None:
        self.seen += 1
        if self.seen % self.n == 0:
            raise nack(address)


@dataclass
class Error(BusFault):
    """SDA or SCL is held down: the controller gives each transaction up, and says ``number``.

    Which errno that is differs from controller to controller (Documentation/i2c/fault-codes.rst):
    EIO, EAGAIN where another master seems to win, ETIMEDOUT, EPROTO, EBUSY.
    """

    number: int = errno.EIO

    def before(self, address: int, give_up: GiveUp) -> None:
        raise OSError(int(self.number), "the transaction failed")


@dataclass
class Slow(BusFault):
    """The chip stretches the clock for so long in every transaction."""

    seconds: float = 0.2

    def before(self, address: int, give_up: GiveUp) -> None:
        self._pause(self.seconds, give_up)


@dataclass
class Hang(BusFault):
    """The chip holds the clock until the fault is lifted."""

    def before(self, address: int, give_up: GiveUp) -> None:
        self._pause(float("inf"), give_up)


@dataclass
class BitFlip(BusFault):
    """A disturbed line: in each n-th answer one bit is wrong."""

    n: int = 1
    seed: int = 1
    seen: int = 0

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)

    def after(self, data: bytes) -> bytes:
        if not data:
            return data
        self.seen += 1
        if self.seen % self.n:
            return data
        return one_bit_flipped(data, self._random)


FAULTS: dict[str, type[BusFault]] = {
    "vanish": Vanish,
    "every_nth_error": EveryNthError,
    "error": Error,
    "slow": Slow,
    "hang": Hang,
    "bit_flip": BitFlip,
}


class SimulatedBus(BusioShape):
    """The bus itself; also ``busio.I2C`` for whoever wants it in the same process."""

    def __init__(self) -> None:
        self._places: dict[int, _Place] = {}
        self._lock = threading.Lock()

    def attach(self, address: int, chip: Chip) -> None:
        """Solder a chip in, or another one in its stead."""
        if not 0 <= address < 0x80:
            raise ValueError(f"0x{address:x} is no 7-bit I2C address")
        self._places[address] = _Place(chip)

    def __contains__(self, address: int) -> bool:
        return address in self._places

    def fault(self, address: int, fault: BusFault | None) -> None:
        """Let something go wrong at an address, or (None) right again."""
        place = self._places[address]
        before, place.fault = place.fault, fault or BusFault()
        before.lifted.set()

    def carry_out(
        self, address: int, out: bytes | None, count: int | None, give_up: GiveUp = _never
    ) -> bytes:
        """One transaction, as ``i2c_view.Bus.transfer``; ``give_up`` ends a wait on a fault."""
        place = self._places.get(address)
        if place is None:
            raise nack(address)
        fault = place.fault
        fault.before(address, give_up)
        with place.turn:
            if out is not None:
                place.chip.write(out)
            if count is None:
                return b""
            return fault.after(place.chip.read(count)[:count].ljust(count, b"\xff"))

    def transfer(
        self,
        address: int,
        out: bytes | None,
        count: int | None,
        timeout_s: float = float("inf"),
    ) -> bytes:
        until = time.monotonic() + timeout_s
        return self.carry_out(address, out, count, lambda: time.monotonic() > until)

    def try_lock(self) -> bool:
        return self._lock.acquire(blocking=False)

    def unlock(self) -> None:
        self._lock.release()

    def close(self) -> None:
        """Lift every fault, so that nobody hangs on a bus that is gone. Idempotent."""
        for place in self._places.values():
            place.fault.lifted.set()


class _Place:
    def __init__(self, chip: Chip) -> None:
        self.chip = chip
        self.fault = BusFault()
        self.turn = threading.Lock()
