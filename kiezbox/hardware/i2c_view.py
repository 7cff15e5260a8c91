"""A bus as one sensor sees it: CircuitPython's ``busio.I2C``, bound to the read's deadline."""

from __future__ import annotations

import errno
import threading
import time
from typing import Any, Protocol
from weakref import WeakSet

from kiezbox.hardware import Deadline

__all__ = ["BusLock", "BusView", "BusioShape", "Bus", "nack"]

#: Longest single transaction; ``LinuxBus`` asks the kernel for the same. The longest that a sensor
#: here stretches the clock is 150 ms (SCD30, once a day), and until it is over nobody else is read.
TRANSACTION_S = 0.5

#: A sensor whose last transaction took longer lets the others go first. At 10 kHz, the slowest bus
#: that a wiring guide asks for, the longest one (25 bytes) takes 25 ms.
SLOW_S = 0.05
#: So long after the last transaction of a quick sensor the bus is kept free of slow ones: its
#: read is many transactions with pauses, and one of a slow sensor in each pause would end it.
QUIET_S = 0.05

#: Addresses that are not reserved (NXP UM10204, table "Reserved addresses").
ADDRESSES = range(0x08, 0x78)


def nack(address: int) -> OSError:
    """What a driver sees when nobody acknowledges the address: errno 121, as under Linux."""
    return OSError(errno.EREMOTEIO, f"no acknowledge from I2C address 0x{address:02x}")


class Bus(Protocol):
    """A bus that carries out whole transactions, from any thread."""

    def transfer(
        self, address: int, out: bytes | None, count: int | None, timeout_s: float
    ) -> bytes:
        """Write ``out``, then (repeated start) read ``count`` bytes; None leaves a part out.

        ``b""`` is a write of the address alone, by which drivers look for a device.

        Raises:
            OSError: 121 nobody acknowledged, 110 (ETIMEDOUT) no end within ``timeout_s``.
            SensorMissing: the bus itself is not there.
        """

    def close(self) -> None:
        """Idempotent."""


class BusioShape:
    """``busio.I2C``'s calls, all expressed by one ``transfer``.

    ``stop=False`` is taken and ignored: a transaction here is always whole, and drivers that
    need a repeated start call ``writeto_then_readfrom``.
    """

    def transfer(self, address: int, out: bytes | None, count: int | None) -> bytes:
        raise NotImplementedError

    def scan(self) -> list[int]:
        """Addresses at which something lets itself be read, as ``i2cdetect -r`` does."""
        return [address for address in ADDRESSES if self._answers(address)]

    def _answers(self, address: int) -> bool:
        try:
            self.transfer(address, None, 1)
        except OSError as error:
            if error.errno != errno.EREMOTEIO:
                raise
            return False
        return True

    def writeto(
        self,
        address: int,
        buffer: Any,
        *,
        start: int = 0,
        end: int | None = None,
        stop: bool = True,
    ) -> None:
        self.transfer(address, bytes(buffer[start:end]), None)

    def readfrom_into(
        self,
        address: int,
        buffer: Any,
        *,
        start: int = 0,
        end: int | None = None,
        stop: bool = True,
    ) -> None:
        buffer[start:end] = self.transfer(address, None, len(buffer[start:end]))

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
    ) -> None:
        out = bytes(buffer_out[out_start:out_end])
        buffer_in[in_start:in_end] = self.transfer(address, out, len(buffer_in[in_start:in_end]))


class BusLock:
    """One driver at a time, in the order in which they came, and nobody for ever.

    A holder whose deadline has passed loses the bus: its next transaction raises SensorTimeout, so
    a driver that died between ``try_lock`` and ``unlock`` costs the others no more than that.

    Sensors are told apart by their deadline, which stays when a sensor is opened anew. One whose
    last transaction was slow or never ended waits until no quick one wants the bus, and then gives
    way between two of its transactions; the first quick transaction makes it quick again. So three
    hanging chips cost a good one half a second now and then, and never its reading.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._holder: BusView | None = None
        self._waiting: list[BusView] = []
        self._slow: WeakSet[Deadline] = WeakSet()
        self._last_quick_at = float("-inf")

    def acquire(self, view: BusView) -> bool:
        """Wait up to a second for the bus; False if it is not this view's turn by then."""
        until = time.monotonic() + 1.0
        with self._changed:
            self._waiting.append(view)
            try:
                while not self._is_turn_of(view):
                    left_s = min(until - time.monotonic(), view.deadline.remaining_s())
                    if left_s <= 0:
                        return False
                    self._changed.wait(min(left_s, self._longest_wait_s()))
                self._holder = view
                return True
            finally:
                self._waiting.remove(view)
                self._changed.notify_all()

    def release(self, view: BusView) -> None:
        """Give the bus back; nothing happens if it is no longer this view's."""
        with self._changed:
            if self._holder is view:
                self._holder = None
                self._changed.notify_all()

    def holds(self, view: BusView) -> bool:
        """Whether it is this view's turn just now."""
        return self._holder is view

    def took(self, view: BusView, seconds: float) -> None:
        """A transaction of this view is over, after so long."""
        with self._changed:
            if seconds > SLOW_S:
                self._slow.add(view.deadline)
            else:
                self._slow.discard(view.deadline)
                self._last_quick_at = time.monotonic()

    def give_way(self, view: BusView) -> None:
        """A slow holder lets those go first who are quick and wait.

        Chips at other addresses do not mind what is said between two transactions of this one.
        """
        with self._changed:
            if self._holder is not view or view.deadline not in self._slow or not self._quick():
                return
            self._holder = None
            self._changed.notify_all()
        while not self.acquire(view):
            view.deadline.check()

    def _is_turn_of(self, view: BusView) -> bool:
        holder = self._holder
        if holder is not None and holder.deadline.remaining_s() > 0:
            return False
        quick = self._quick()
        if quick:
            return quick[0] is view
        return self._waiting[0] is view and time.monotonic() >= self._last_quick_at + QUIET_S

    def _quick(self) -> list[BusView]:
        return [view for view in self._waiting if view.deadline not in self._slow]

    def _longest_wait_s(self) -> float:
        """When to look again, if nobody says that something has changed."""
        if self._holder is not None:
            return max(0.001, self._holder.deadline.remaining_s())
        return QUIET_S


class BusView(BusioShape):
    """One sensor's way to a shared bus. Every transaction asks the deadline first."""

    def __init__(self, bus: Bus, lock: BusLock, deadline: Deadline) -> None:
        self._bus = bus
        self._lock = lock
        self.deadline = deadline
        self._has_hung = False

    def try_lock(self) -> bool:
        # Drivers spin on this (``while not try_lock(): sleep(0)``), so it waits inside and ends
        # their loop when time is up.
        self.deadline.check()
        self._has_hung = False
        return self._lock.acquire(self)

    def unlock(self) -> None:
        self._lock.release(self)

    def transfer(self, address: int, out: bytes | None, count: int | None) -> bytes:
        self.deadline.check()
        self._lock.give_way(self)
        # Adafruit's I2CDevice knocks a second time, in another way, where nobody answered.
        if self._has_hung and self._lock.holds(self):
            raise TimeoutError(errno.ETIMEDOUT, "it has just hung")
        timeout_s = min(TRANSACTION_S, self.deadline.remaining_s())
        began = time.monotonic()
        try:
            return self._bus.transfer(address, out, count, timeout_s)
        except TimeoutError:
            self._has_hung = True
            self.deadline.check()
            raise
        finally:
            self._lock.took(self, time.monotonic() - began)
