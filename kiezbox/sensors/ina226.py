"""INA226: voltage, current and power of a battery or a supply, finer than an INA219. I²C address
0x40 to 0x4F.

Wiring (Raspberry Pi header): VCC to 3.3 V (pin 1), GND to pin 6, SDA to pin 3, SCL to pin 5.
The cable to be measured is cut; current from IN+ to IN- counts positive. Voltage has a pin of its
own, VBUS (VBS on many boards), and without a wire it reads 0 V: join it to IN- for the voltage
behind the shunt. For a battery cut the battery's own lead, with IN- and VBUS at the battery: then
the voltage is the battery's, and charging is positive, as `[power.battery] charge_is_positive` has
it unless told otherwise. All grounds must be one. [6.3.1, 8.2.1]
Address: A0 and A1 to GND give 0x40, A0 to VS 0x41, A1 to VS 0x44, both 0x45. [table 6-2]
Supply: 2.7 to 5.5 V; VCC decides nothing about SDA and SCL, but pull-ups to VCC do: 3.3 V on a Pi.
Current: 0.42 mA at most, all the time. [5.5]
Pull-ups: the Pi has 1.8 kΩ; nothing to add.
Range: 0 to 36 V on IN+, IN- and VBUS, never more [5.1, 5.5]; current up to 81.9 mV / shunt [7.1.2].
With the 0.1 Ω (R100) of the small boards that is 0.8 A; with 0.01 Ω (R010) 8 A, with 0.002 Ω
(R002) 40 A, in steps of 1.25 mA.

Pitfalls: a wrong `shunt_ohm` scales every current and nothing notices; check once against a
multimeter. A current beyond the range stands at the end of it; current and power are then flagged
BAD with the reason "overflow". An INA219 looks the same and has other registers; this driver says
so. A supply dip makes the chip forget its settings: they are checked before and after each reading
and made anew.
The data have no checksum, so every register is read until two readings agree.
Package: none; no driver for it is on PyPI. The chip's own current and power registers are not used:
they are the shunt register times a calibration, rounded, and the power register has no sign.
Source: Texas Instruments SBOS547B; sections in square brackets.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

from kiezbox.errors import SensorGarbled
from kiezbox.hardware import SensorHardware
from kiezbox.model import Flag, Measurement, Quantity
from kiezbox.sensors._border import translated
from kiezbox.sensors._i2c import Doubted, Registers, address_setting, locked, wiring_hint
from kiezbox.settings import SensorSettings, setting

__all__ = ["QUANTITIES", "Ina226", "Settings", "open"]

QUANTITIES = (Quantity.VOLTAGE_V, Quantity.CURRENT_A, Quantity.POWER_W)

CONFIGURATION, SHUNT, BUS, MASK_ENABLE, MANUFACTURER, DIE = 0x00, 0x01, 0x02, 0x06, 0xFE, 0xFF
#: "TI", and the die's number, whose last four bits are its revision [7.1.9, 7.1.10].
TI, DIE_ID, DIE_MASK = 0x5449, 0x2260, 0xFFF0
#: One step of the registers [7.1.2, 7.1.3].
SHUNT_STEP_V, BUS_STEP_V = 2.5e-6, 1.25e-3
#: The ends of the shunt register: 81.92 mV either way, and the true value may be beyond.
LEAST_SHUNT, MOST_SHUNT = -0x8000, 0x7FFF
#: What the pins stand [5.1]; the register goes on to 40.96 V.
MOST_V = 36.0

#: Mean of 64, 1.1 ms each for shunt and bus, without end [7.1.1]: the peaks of a WLAN are in the
#: value and not beside it. Bit 14 always reads 1.
WANTED = 0x4000 | 0b011 << 9 | 0b100 << 6 | 0b100 << 3 | 0b111
#: Two times 64 conversions of 1.21 ms at worst [5.5].
CONVERSION_S = 2 * 64 * 1.21e-3
CONVERSION_READY = 0x0008

#: Configuration after power-on of chips that look alike (SBOS448, SBOS576).
STRANGERS = {0x399F: "INA219", 0x7127: "INA3221"}

HINT = wiring_hint("VCC (3.3 V)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings(SensorSettings):
    """``[sensors.NAME]`` with ``driver = "ina226"``."""

    address: int = address_setting(0x40, range(0x40, 0x50))
    shunt_ohm: float = setting(
        0.1,
        help="The shunt on the board: R100 is 0.1, R010 is 0.01, R002 is 0.002. Currents scale\n"
        "with it, and 0.0819 V / shunt_ohm is the largest.",
        unit="ohm",
        least=0.00001,
        most=10,
    )


class Ina226:
    """An open INA226."""

    def __init__(self, settings: Settings, hardware: SensorHardware) -> None:
        self._bus = Doubted(hardware.i2c())
        self._registers = Registers(self._bus, settings.address)
        self._address = settings.address
        self._part = f"the INA226 at 0x{settings.address:02x}"
        self._shunt_ohm = settings.shunt_ohm
        with translated(self._part, HINT):
            self._check_id()
            self._start()

    def read(self) -> Sequence[Measurement]:
        with translated(self._part, HINT):
            if self._get(CONFIGURATION) != WANTED:
                self._start()
            bus_v = self._get(BUS) * BUS_STEP_V
            shunt = _signed(self._get(SHUNT))
            self._check_id()
            if self._get(CONFIGURATION) != WANTED:
                raise SensorGarbled(
                    f"{self._part} forgets its settings",
                    hint="Its supply dips: give VCC its own wire to the 3.3 V pin.",
                )
        bus_reason = "range" if bus_v > MOST_V else ""
        shunt_reason = "" if LEAST_SHUNT < shunt < MOST_SHUNT else "overflow"
        current_a = shunt * SHUNT_STEP_V / self._shunt_ohm
        return (
            _measurement(Quantity.VOLTAGE_V, bus_v, bus_reason),
            _measurement(Quantity.CURRENT_A, current_a, shunt_reason),
            _measurement(Quantity.POWER_W, bus_v * current_a, shunt_reason or bus_reason),
        )

    def close(self) -> None:
        """Nothing to give back: the bus is shared, and the chip needs half a milliampere."""

    def _check_id(self) -> None:
        if self._get(MANUFACTURER) == TI and self._get(DIE) & DIE_MASK == DIE_ID:
            return
        stranger = STRANGERS.get(self._get(CONFIGURATION))
        if stranger is not None:
            raise SensorGarbled(
                f"the chip at 0x{self._address:02x} is an {stranger}, not an INA226",
                hint=f'It looks the same: driver = "{stranger.lower()}", or exchange it.',
            )
        raise SensorGarbled(
            f"what answers at 0x{self._address:02x} is no INA226",
            hint="Another chip at this address, or SDA is loose or shorted.",
        )

    def _start(self) -> None:
        """Make the settings and wait for the first conversion under them."""
        self._put(CONFIGURATION, WANTED)
        until = time.monotonic() + CONVERSION_S
        while time.monotonic() < until and not self._get(MASK_ENABLE) & CONVERSION_READY:
            time.sleep(0.01)

    def _get(self, register: int) -> int:
        return int.from_bytes(self._registers.read_register(register, 2), "big")

    def _put(self, register: int, value: int) -> None:
        with locked(self._bus):
            self._bus.writeto(self._address, bytes((register, value >> 8, value & 0xFF)))


def _signed(word: int) -> int:
    """
    >>> _signed(0x8300)  # SBOS547 [7.1.2]: -80 mV
    -32000
    """
    return word - 0x10000 if word & 0x8000 else word


def _measurement(quantity: Quantity, value: float, reason: str) -> Measurement:
    # Seven digits: 2.5 µV over 10 Ω are 0.25 µA; beyond is floating-point noise.
    return Measurement(quantity, round(value, 7), None, Flag.BAD if reason else Flag.GOOD, reason)


def open(settings: Settings, hardware: SensorHardware) -> Ina226:
    """The sensor, ready to read.

    Raises:
        SensorMissing: nobody answers at the address.
        SensorGarbled: another chip.
    """
    return Ina226(settings, hardware)
