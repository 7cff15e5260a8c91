"""A bus as one sensor sees it: CircuitPython's ``busio.I2C``, bound to the read's deadline."""

from __future__ import annotations

import errno
import threading
from typing import Any, Protocol

from kiezbox.hardware import Deadline

__all__ = ["BusLock", "BusView", "BusioShape", "Bus", "nack"]

#: Longest single transaction. Linux gives up after the same time (``i2c_adapter.timeout``, one
#: second unless the adapter's driver says otherwise: drivers/i2c/i2c-core-base.c).
TRANSACTION_S = 1.0

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
    """One driver at a time, and nobody for ever: a holder whose deadline has passed loses it.

    Such a holder cannot use the bus any more (its next transaction raises SensorTimeout), so a
    driver that died between ``try_lock`` and ``unlock`` costs the others no more than its own
    deadline.
    """

    def __init__(self) -> None:
        self._freed = threading.Condition()
        self._holder: BusView | None = None

    def acquire(self, view: BusView) -> bool:
        """Wait up to a second for the bus; False if somebody else still has it."""
        with self._freed:
            holder = self._holder
            if holder is not None:
                self._freed.wait(
                    min(1.0, view.deadline.remaining_s(), holder.deadline.remaining_s())
                )
            holder = self._holder
            if holder is not None and holder.deadline.remaining_s() > 0:
                return False
            self._holder = view
            return True

    def release(self, view: BusView) -> None:
        """Give the bus back; nothing happens if it is no longer this view's."""
        with self._freed:
            if self._holder is view:
                self._holder = None
                self._freed.notify()


class BusView(BusioShape):
    """One sensor's way to a shared bus. Every transaction asks the deadline first."""

    def __init__(self, bus: Bus, lock: BusLock, deadline: Deadline) -> None:
        self._bus = bus
        self._lock = lock
        self.deadline = deadline

    def try_lock(self) -> bool:
        # Drivers spin on this (``while not try_lock(): sleep(0)``), so it waits inside and ends
        # their loop when time is up.
        self.deadline.check()
        return self._lock.acquire(self)

    def unlock(self) -> None:
        self._lock.release(self)

    def transfer(self, address: int, out: bytes | None, count: int | None) -> bytes:
        self.deadline.check()
        timeout_s = min(TRANSACTION_S, self.deadline.remaining_s())
        try:
            return self._bus.transfer(address, out, count, timeout_s)
        except TimeoutError:
            self.deadline.check()
            raise
