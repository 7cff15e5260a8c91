"""MAX17048 and MAX17049: voltage and charge of a small lithium battery, as on many UPS boards; also
their elders MAX17040, MAX17043 and MAX17044. I²C address 0x36.

Wiring (Raspberry Pi header): a UPS board that sits on the header is wired already. A single board:
its battery plug between battery and charger, SDA to pin 3, SCL to pin 5, GND to pin 6; VIN, if it
has one, to 3.3 V (pin 1) for the bus's pull-ups. The chip itself lives on the battery: without one
nobody answers.
Address: 0x36 and no other, so one on a bus. The MAX17049 and MAX17044 for two cells in series have
the same; then `cells = 2`.
Supply: from the battery, 2.5 to 4.5 V a cell.
Current: 23 µA, 3 µA where it finds little happening.

Pitfalls: its charge is a model of lithium-ion cells with 4.2 V, burnt in. For LiFePO4, whose
voltage says next to nothing about its charge, it is wrong: say `chemistry = "lifepo4"`, then the
voltage counts and every charge is flagged BAD with the reason "model" (an INA226 and
`[power.battery]` know such a battery better). After the battery was exchanged the charge is a first
guess from the voltage, which a load or a charger shifts; it finds the truth within hours. The chip
goes on to 101 or 103 % at the end of charging: such a value is cut to 100, with what it said as
raw.
The data have no checksum, so every register is read until two readings agree.
Package: adafruit-circuitpython-max1704x. Left out is what it does first of all, a reset: the chip
would forget what it has learned of the battery at every start of the box. (A chip that is reset
does not acknowledge that one write, and the package takes an acknowledge for a failure.) The elders
it refuses; their two registers are read here, for they count the same.
Source: Maxim, "MAX17048/MAX17049", 19-6171 revision 7, tables "Register Summary" and section
"Power-on reset"; the reset's times and "8-bit writes cause no effect" as the package and the sheet
of the UNIT board repeat them. Maxim, "MAX17043/MAX17044", "VCELL Register", "SOC Register".
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

from adafruit_max1704x import MAX17048

from kiezbox.errors import SensorGarbled
from kiezbox.hardware import SensorHardware
from kiezbox.model import Flag, Measurement, Quantity
from kiezbox.sensors._border import translated
from kiezbox.sensors._i2c import (
    ADAFRUIT_REGISTER,
    Doubted,
    Registers,
    address_setting,
    locked,
    wiring_hint,
)
from kiezbox.settings import SensorSettings, setting

__all__ = ["QUANTITIES", "Max17048", "Settings", "open"]

QUANTITIES = (Quantity.VOLTAGE_V, Quantity.CHARGE_PERCENT)

VCELL, SOC, VERSION, STATUS = 0x02, 0x04, 0x08, 0x1A
#: Volts and percent of one step. The elders have a sixteenth of the steps, in the upper bits.
STEP_V, STEP_PERCENT = 78.125e-6, 1 / 256
#: "Reset indicator": the chip has restarted since somebody last cleared it.
RESET_INDICATOR = 0x0100
#: After a restart VCELL and SOC read 0 until the first conversion (the package's figure).
RESTART_S = 0.192

#: Volts a cell from which the chip works.
LEAST_V, MOST_V = 2.5, 4.5
#: Above 100 % is the end of charging; so far above is no charge.
MOST_PERCENT = 110.0

#: The elders' versions: below these bits.
ELDER_MASK = 0xFFF0

HINT = wiring_hint("the battery (the chip lives on it), 3.3 V")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings(SensorSettings):
    """``[sensors.NAME]`` with ``driver = "max17048"``."""

    address: int = address_setting(0x36, range(0x36, 0x37))
    cells: int = setting(1, help="Cells in series: 2 with a MAX17049.", least=1, most=2)
    chemistry: str = setting(
        "liion",
        help="The chip's charge is right for liion only; with lifepo4 it is flagged.",
        choices=("liion", "lifepo4"),
    )


class _Gauge(MAX17048):  # type: ignore[misc]
    """The package's chip, which is not reset by being opened."""

    def reset(self) -> None:
        """It has learned the battery; only a new battery is a reason to begin again."""


class Max17048:
    """An open MAX17048."""

    def __init__(self, settings: Settings, hardware: SensorHardware) -> None:
        self._settings = settings
        self._bus = Doubted(hardware.i2c())
        self._registers = Registers(self._bus, settings.address)
        self._part = f"the MAX17048 at 0x{settings.address:02x}"
        with translated(self._part, HINT):
            self._version = self._get(VERSION)
            self._is_elder = self._version != 0 and not self._version & ELDER_MASK
            if not self._is_elder:
                with ADAFRUIT_REGISTER:
                    self._chip = _Gauge(self._bus, settings.address)

    def read(self) -> Sequence[Measurement]:
        with translated(self._part, HINT):
            self._check_version()
            cell_v, percent = self._elders() if self._is_elder else self._gauged()
            self._check_version()
        return self._judged(cell_v, percent)

    def close(self) -> None:
        """Nothing to give back: the bus is shared, and the chip needs microamperes."""

    def _check_version(self) -> None:
        # Before and after: on a line that disturbs every answer this one never comes out right.
        if self._get(VERSION) != self._version:
            raise SensorGarbled(f"{self._part} is another chip each time it is asked", hint=HINT)

    def _gauged(self) -> tuple[float, float]:
        """Volts of a cell and percent, from the package."""
        if self._get(STATUS) & RESET_INDICATOR:
            self._restarted()
        with ADAFRUIT_REGISTER:
            return self._chip.cell_voltage, self._chip.cell_percent

    def _elders(self) -> tuple[float, float]:
        """The same from a MAX17040, MAX17043 or MAX17044."""
        return self._get(VCELL) * STEP_V, self._get(SOC) * STEP_PERCENT

    def _restarted(self) -> None:
        """Clear the indicator and wait for the first conversion."""
        cleared = self._get(STATUS) & ~RESET_INDICATOR
        with locked(self._bus):
            # Both bytes: the chip ignores writes of one, as the package's are.
            self._bus.writeto(self._settings.address, bytes((STATUS, *cleared.to_bytes(2, "big"))))
        time.sleep(RESTART_S)

    def _judged(self, cell_v: float, percent: float) -> Sequence[Measurement]:
        if cell_v == 0.0:
            # 0 until the first conversion; a cell with 0 V could not feed the chip.
            volts = charge = "raw-sentinel"
        elif not LEAST_V <= cell_v <= MOST_V:
            volts, charge = "range", "cross"
        else:
            volts, charge = "", "range" if percent > MOST_PERCENT else ""
        if not charge and self._settings.chemistry != "liion":
            charge = "model"
        is_over = not charge and percent > 100
        return (
            _measurement(Quantity.VOLTAGE_V, round(cell_v * self._settings.cells, 6), None, volts),
            _measurement(
                Quantity.CHARGE_PERCENT,
                100.0 if is_over else round(percent, 3),
                round(percent, 3) if is_over else None,
                charge,
            ),
        )

    def _get(self, register: int) -> int:
        return int.from_bytes(self._registers.read_register(register, 2), "big")


def _measurement(quantity: Quantity, value: float, raw: float | None, reason: str) -> Measurement:
    return Measurement(quantity, value, raw, Flag.BAD if reason else Flag.GOOD, reason)


def open(settings: Settings, hardware: SensorHardware) -> Max17048:
    """The sensor, ready to read.

    Raises:
        SensorMissing: nobody answers at the address.
        SensorGarbled: another chip.
    """
    return Max17048(settings, hardware)
