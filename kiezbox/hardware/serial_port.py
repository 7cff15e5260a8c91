"""A serial port that knows the read's deadline and says in our words what went wrong."""

from __future__ import annotations

import errno
import os
import termios
from collections.abc import Callable
from typing import Any

import serial

from kiezbox.errors import SensorError, SensorMissing
from kiezbox.hardware import Deadline

#: The longest a single read or write waits; the seam's promise to every driver.
PATIENCE_S = 1.0


def open_port(port: str, baudrate: int, deadline: Deadline) -> Port:
    """Open the port for this process alone.

    Raises:
        SensorMissing: no such port.
        SensorError: it may not be opened, or somebody else has it.
        SensorTimeout: the deadline has passed.
    """
    deadline.check()
    try:
        return Port(port, baudrate, deadline)
    except (OSError, termios.error) as error:
        number = _number(error)
        reason, hint = _REASONS.get(number, (os.strerror(number).lower(), _CABLE))
        kind = SensorMissing if number in _ABSENT else SensorError
        raise kind(f"cannot open {port}: {reason}", hint=hint) from error


def _number(error: BaseException) -> int:
    """The error number; pyserial puts it into words when it cannot configure a port."""
    cause: BaseException | None = error
    while cause is not None:
        if cause.args and isinstance(cause.args[0], int):
            return cause.args[0]
        cause = cause.__context__
    return errno.EIO


_CABLE = "Is the cable plugged in at both ends? The box tries again by itself."
_BUSY = (
    "another program has it",
    "Only one program can read a port. `fuser -v PORT` tells which; gpsd and ModemManager are"
    " known to take every new one.",
)
_REASONS = {
    errno.ENOENT: ("there is no such port", _CABLE + " `ls /dev/serial/by-id` lists what is."),
    errno.ENXIO: ("there is no device behind it", _CABLE),
    errno.ENODEV: ("there is no device behind it", _CABLE),
    errno.EACCES: (
        "permission denied",
        "By hand: with sudo. For the node: sudo usermod -aG dialout kiezbox, then restart it.",
    ),
    errno.EBUSY: _BUSY,
    errno.EAGAIN: _BUSY,
    errno.ENOTTY: ("it is not a serial port", "Check `port` of this sensor in kiezbox.toml."),
}
_ABSENT = {errno.ENOENT, errno.ENXIO, errno.ENODEV, errno.EIO}


class Port(serial.Serial):  # type: ignore[misc]  # pyserial has no types
    """``serial.Serial``; its reads return after at most a second, with what has come so far.

    A port that fails while open raises SensorMissing: the cable was pulled.
    """

    def __init__(self, port: str, baudrate: int, deadline: Deadline) -> None:
        self._deadline = deadline
        super().__init__(
            port, baudrate, timeout=PATIENCE_S, write_timeout=PATIENCE_S, exclusive=True
        )

    def read(self, size: int = 1) -> bytes:
        return bytes(self._guarded(super().read, size))

    def write(self, data: Any) -> int:
        return int(self._guarded(super().write, data))

    def reset_input_buffer(self) -> None:
        self._guarded(super().reset_input_buffer)

    @property
    def in_waiting(self) -> int:
        return int(self._guarded(lambda: super(Port, self).in_waiting))

    def _guarded(self, call: Callable[..., Any], *arguments: Any) -> Any:
        self._deadline.check()
        try:
            return call(*arguments)
        except serial.SerialTimeoutException:
            raise  # a full line, not a lost one
        except (OSError, TypeError, termios.error) as error:
            # TypeError: pyserial selects on a file number that close() has set to None.
            raise SensorMissing(f"{self.port} is gone", hint=_CABLE) from error
