"""The kernel's I²C bus, ``/dev/i2c-N``, through smbus2's combined transfers (I2C_RDWR)."""

from __future__ import annotations

import errno
import fcntl
import threading
from contextlib import suppress

from smbus2 import SMBus, i2c_msg

from kiezbox.errors import SensorMissing
from kiezbox.hardware.i2c_view import TRANSACTION_S, nack

#: linux/i2c-dev.h: how long the adapter waits for the end of a transaction, in steps of 10 ms; one
#: second unless somebody says otherwise (drivers/i2c/i2c-core-base.c).
I2C_TIMEOUT = 0x0702

_OPENING = {
    errno.ENOENT: (
        "there is no such bus",
        "Switch I2C on (sudo raspi-config nonint do_i2c 0, then restart), or correct hardware.i2c;"
        " `ls /dev/i2c-*` lists what is.",
    ),
    errno.EACCES: (
        "permission denied",
        "By hand: with sudo. For the node: sudo usermod -aG i2c kiezbox, then restart it.",
    ),
    errno.ENOTTY: ("it is not an I2C bus", "Correct hardware.i2c; `ls /dev/i2c-*` lists them."),
}


class LinuxBus:
    """One open bus. A stuck transaction is ended by the kernel after the adapter's time-out."""

    def __init__(self, path: str) -> None:
        """Raises SensorMissing, with what to do, if the bus cannot be opened."""
        self._path = path
        self._turn = threading.Lock()
        try:
            self._bus = SMBus(path)
            assert self._bus.fd is not None
        except OSError as error:
            reason, hint = _OPENING.get(error.errno or 0, (error.strerror or str(error), ""))
            raise SensorMissing(f"cannot open {path}: {reason}", hint=hint) from error
        with suppress(OSError):  # an adapter that does not take it keeps its own time
            fcntl.ioctl(self._bus.fd, I2C_TIMEOUT, round(TRANSACTION_S * 100))

    def transfer(
        self, address: int, out: bytes | None, count: int | None, timeout_s: float
    ) -> bytes:
        messages = []
        if out is not None:
            messages.append(i2c_msg.write(address, out))
        if count is not None:
            messages.append(i2c_msg.read(address, count))
        if not self._turn.acquire(timeout=timeout_s):
            raise TimeoutError(errno.ETIMEDOUT, "the bus is busy")
        try:
            if self._bus.fd is None:
                raise SensorMissing(f"{self._path} was closed")
            self._bus.i2c_rdwr(*messages)
        except OSError as error:
            # For an address that nobody acknowledges most adapters report ENXIO, as the kernel's
            # Documentation/i2c/fault-codes.rst asks, the Raspberry Pi's bcm2835 EREMOTEIO.
            if error.errno == errno.ENXIO:
                raise nack(address) from error
            raise
        finally:
            self._turn.release()
        return bytes(messages[-1]) if count is not None else b""

    def close(self) -> None:
        with self._turn:
            self._bus.close()
