"""What drivers of Sensirion's I²C chips share: who is it, and what is no climate."""

from __future__ import annotations

import errno
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from kiezbox.errors import SensorGarbled
from kiezbox.hardware import I2C
from kiezbox.model import Flag, Measurement, Quantity, is_sensor_name
from kiezbox.sensors._i2c import locked
from kiezbox.settings import setting

__all__ = ["climate", "introduced", "neighbour_setting"]

#: How "no acknowledge" looks, by controller (see ``_border``).
NO_ACKNOWLEDGE = (errno.EREMOTEIO, errno.ENXIO)

#: The longest measurement of those that are asked for one at a time: SHT3x, 15.5 ms.
BUSY_S = 0.02

#: The ends of the temperature words' scale, 0x0000 and 0xFFFF: a chip that can measure no such
#: temperature has not measured.
LEAST_C, MOST_C = -45.0, 130.0

#: Below is no air on Earth's surface, above none at all, but a wrong word.
LEAST_PERCENT, MOST_PERCENT = 0.1, 100.0

#: A step of 16 bits is 0.003 K and 0.002 %. More digits would be noise that every message carries.
DECIMALS = 3


@contextmanager
def introduced(bus: I2C, address: int, kind: str, hint: str) -> Iterator[None]:
    """Around the first commands to a chip: one that acknowledges its address and refuses every
    command is another one, of which several kinds share an address.

    A chip that works acknowledges nothing, so one that was left in the middle of a measurement
    gets ``BUSY_S`` to finish it.

    Raises:
        OSError: 121, nobody has the address.
        SensorGarbled: somebody else has it; ``hint`` says who that may be.
    """
    _wait_for(bus, address)
    try:
        yield
    except (OSError, RuntimeError) as error:
        # adafruit_scd4x says every OSError as a RuntimeError of its own.
        cause = error if isinstance(error, OSError) else error.__cause__
        if isinstance(cause, OSError) and cause.errno in NO_ACKNOWLEDGE:
            raise SensorGarbled(
                f"what answers at 0x{address:02x} takes no command of an {kind}", hint=hint
            ) from error
        raise


def _wait_for(bus: I2C, address: int) -> None:
    until = time.monotonic() + BUSY_S
    while True:
        try:
            with locked(bus):
                bus.writeto(address, b"")
            return
        except OSError as error:
            if error.errno not in NO_ACKNOWLEDGE or time.monotonic() >= until:
                raise
        time.sleep(BUSY_S / 10)


def climate(
    celsius: float, percent: float, least_c: float, most_c: float
) -> tuple[Measurement, Measurement]:
    """Temperature and humidity with flags. ``least_c`` to ``most_c`` is what the chip can do.

    A temperature that cannot be takes the humidity with it, for they are one answer. 100 % is
    fog, and true.
    """
    if celsius <= LEAST_C or celsius >= MOST_C:
        reasons = ("raw-sentinel", "raw-sentinel")
    elif not least_c <= celsius <= most_c:
        reasons = ("range", "cross")
    else:
        is_air = LEAST_PERCENT <= round(percent, DECIMALS) <= MOST_PERCENT
        reasons = ("", "" if is_air else "range")
    return (
        _measurement(Quantity.TEMPERATURE_C, celsius, reasons[0]),
        _measurement(Quantity.HUMIDITY_PERCENT, percent, reasons[1]),
    )


def _measurement(quantity: Quantity, value: float, reason: str) -> Measurement:
    flag = Flag.BAD if reason else Flag.GOOD
    return Measurement(quantity, round(value, DECIMALS), None, flag, reason)


def neighbour_setting(help: str) -> Any:
    """Declare the name of another sensor of this box, or empty (see ``SensorHardware``)."""

    def check(name: str) -> str:
        return "" if not name or is_sensor_name(name) else "is no name that a sensor can have"

    return setting("", help=help, check=check)
