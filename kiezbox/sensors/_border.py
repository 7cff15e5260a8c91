"""Where foreign errors enter: whatever a library raises leaves as a ``SensorError``."""

from __future__ import annotations

import errno
import os
import struct
from collections.abc import Iterator
from contextlib import contextmanager

from kiezbox.errors import SensorError, SensorGarbled, SensorMissing, SensorTimeout

__all__ = ["translated"]

#: What libraries raise for what a sensor did: OSError (also pyserial's), ValueError ("No I2C
#: device at address"), RuntimeError (wrong chip id), ArithmeticError (empty calibration).
_FOREIGN = (OSError, ValueError, RuntimeError, ArithmeticError, struct.error)

#: errno -> what it means. Linux reports "no acknowledge" as 121 on a Raspberry Pi and as 6 on
#: other controllers (Documentation/i2c/fault-codes.rst).
_MEANING: dict[int, tuple[type[SensorError], str]] = {
    errno.EREMOTEIO: (SensorMissing, "does not answer"),
    errno.ENXIO: (SensorMissing, "does not answer"),
    errno.ENODEV: (SensorMissing, "does not answer"),
    errno.ETIMEDOUT: (SensorTimeout, "started to answer and never finished"),
}


@contextmanager
def translated(part: str, hint: str) -> Iterator[None]:
    """Say in our words what a library raises inside. ``part`` starts the message: "the BME280
    at 0x76"; ``hint`` is for the person who can reach it.

    Raises:
        SensorError: instead of anything in ``_FOREIGN``; other SensorErrors pass unchanged.
    """
    try:
        yield
    except SensorError:
        raise
    except _FOREIGN as error:
        raise _translation(part, hint, error) from error


def _translation(part: str, hint: str, error: Exception) -> SensorError:
    # Adafruit's I2CDevice turns every OSError of its first contact into a bare ValueError; the
    # reason is still there as its context.
    cause = error.__context__ if isinstance(error.__context__, OSError) else error
    if isinstance(cause, SensorError):
        return cause
    if isinstance(cause, OSError):
        number = cause.errno or 0
        known = _MEANING.get(number)
        if known is not None:
            kind, words = known
            return kind(f"{part} {words}", hint=hint)
        words = os.strerror(number) if number else str(cause)
        return SensorGarbled(f"{part} cannot be read: {words}", hint=hint)
    return SensorGarbled(f"{part} answers nonsense: {error}", hint=hint)
