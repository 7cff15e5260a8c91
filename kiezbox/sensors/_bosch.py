"""What drivers of Bosch's climate chips share: who is it, and what is no measurement."""

from __future__ import annotations

from kiezbox.errors import SensorGarbled
from kiezbox.model import Flag, Measurement, Quantity
from kiezbox.sensors._i2c import Registers

__all__ = ["CLIMATE", "RANGES", "check_id", "judged"]

CLIMATE = (Quantity.TEMPERATURE_C, Quantity.HUMIDITY_PERCENT, Quantity.PRESSURE_HPA)

#: What the chips are specified for (BST-BME280-DS002 1.2 to 1.4; BST-BME680-DS001 1.2 to 1.4 says
#: the same); beyond, they are guessing. The Adafruit drivers cut humidity to 0 and 100: fog is
#: 100, but 0 comes from a wrong code or wrong trimming values.
RANGES = {
    Quantity.TEMPERATURE_C: (-40.0, 85.0),
    Quantity.HUMIDITY_PERCENT: (0.1, 100.0),
    Quantity.PRESSURE_HPA: (300.0, 1100.0),
}

ID = 0xD0
#: Chip id -> what it is. 0x58: BST-BMP280-DS001 4.3.1; the others' sheets, register "id".
CHIPS = {0x60: "BME280", 0x58: "BMP280", 0x56: "BMP280", 0x57: "BMP280", 0x55: "BMP180",
         0x61: "BME680"}  # fmt: skip

WITH_DRIVER = ("BME280", "BME680")

#: Codes that are no measurement: skipped (BME280: 5.4.3, 5.4.5), and all bits equal, at 16 and 20
#: bits.
NO_20_BITS = frozenset((0x80000, 0x00000, 0xFFFF0, 0xFFFFF))
NO_16_BITS = frozenset((0x8000, 0x0000, 0xFFFF))


def check_id(registers: Registers, wanted: str) -> None:
    """Make sure that the chip is a ``wanted``.

    Raises:
        SensorGarbled: it is another one, or none; which, and what to do.
    """
    found = registers.read_register(ID, 1)[0]
    name = CHIPS.get(found)
    if name == wanted:
        return
    if name is None:
        raise SensorGarbled(
            f"what answers at 0x{registers.address:02x} is no {wanted} (its id reads"
            f" 0x{found:02x})",
            hint="An id of 0x00 or 0xff is a short circuit or a loose SDA; any other is"
            " another chip.",
        )
    raise SensorGarbled(
        f"the chip at 0x{registers.address:02x} is a {name}, not a {wanted} (its id reads"
        f" 0x{found:02x})",
        hint=f'Choose the driver that belongs to this chip: driver = "{name.lower()}".'
        if name in WITH_DRIVER
        else f"It looks like a {wanted}, and is often sold as one, but has no humidity sensor."
        " Exchange it.",
    )


def judged(values: dict[Quantity, float], data: bytes) -> list[Measurement]:
    """Values of ``CLIMATE`` with flags, and ``data``: their eight registers, from pressure on.

    What the chip cannot have measured is BAD, and what was computed from it. Temperature and
    pressure drag the others down: the three are one conversion, and a pressure that cannot be is
    often the only sign of a chip that was reset.
    """
    pressure = int.from_bytes(data[0:3], "big") >> 4
    temperature = int.from_bytes(data[3:6], "big") >> 4
    humidity = int.from_bytes(data[6:8], "big")
    if pressure in NO_20_BITS or temperature in NO_20_BITS or humidity in NO_16_BITS:
        reasons = dict.fromkeys(CLIMATE, "raw-sentinel")
    else:
        reasons = {
            q: "range" for q, (least, most) in RANGES.items() if not least <= values[q] <= most
        }
        if reasons.keys() - {Quantity.HUMIDITY_PERCENT}:
            reasons = dict.fromkeys(CLIMATE, "cross") | reasons
    return [
        Measurement(q, values[q], None, Flag.BAD if q in reasons else Flag.GOOD, reasons.get(q, ""))
        for q in CLIMATE
    ]
