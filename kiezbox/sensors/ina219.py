"""INA219: voltage, current and power of a battery or a supply. I²C address 0x40 to 0x4F.

Wiring (Raspberry Pi header): VCC to 3.3 V (pin 1), GND to pin 6, SDA to pin 3, SCL to pin 5.
The plus cable to be measured is cut; current from VIN+ to VIN- counts positive, and the voltage
is that of VIN- against GND, so all grounds must be one. [8.3.1] For a battery cut the battery's
own lead, so that charging and discharging both pass, with VIN- at the battery: then the voltage
is the battery's, and charging is positive, as `[power.battery] charge_is_positive` has it unless
told otherwise.
Address: A0 and A1 to GND give 0x40, A0 to VS 0x41, A1 to VS 0x44, both 0x45; Waveshare's UPS HAT
has 0x42. [table 1]
Supply: 3 to 5.5 V; VCC decides the level of SDA and SCL, so 3.3 V on a Pi. [7.3]
Current: 1 mA at most, all the time. [7.5]
Pull-ups: the Pi has 1.8 kΩ; nothing to add.
Range: 0 to 26 V on VIN+ and VIN-, never more [7.1, 8.3.1]; current up to 0.32 V / shunt. With
the 0.1 Ω that boards bring that is 3.2 A: a 12 V LiFePO4 box (14.6 V at the end of charge) that
draws 3 A is just inside, loses 0.3 V in the shunt and makes 0.9 W of heat in it, and a start-up
peak above 3.2 A is cut off. For more than 2 A for long take a shunt of 0.02 or 0.01 Ω, and say
so in `shunt_ohm`.

Pitfalls: a wrong `shunt_ohm` scales every current and nothing notices; check once against a
multimeter. A current beyond the range does not set the chip's overflow flag, it just stands at
the end; both are flagged BAD with the reason "overflow". An INA226 looks the same and has other
registers; this driver says so. A supply dip makes the chip forget its settings: they are checked
at each read and made anew.
The data have no checksum, so every register is read until two readings agree.
Package: adafruit-circuitpython-ina219, unchanged. Its `set_calibration_32V_2A` assumes 0.1 Ω and
makes the current register equal to the shunt register (4096 / 4096), for any shunt; so its
milliamperes, times 0.1 Ω / `shunt_ohm`, are the current. Power is voltage times current, with
its sign: the chip's own power register has none.
Source: Texas Instruments SBOS448G; sections in square brackets.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import adafruit_ina219
from adafruit_ina219 import ADCResolution, Gain, Mode

from kiezbox.errors import SensorGarbled, SettingsError
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

__all__ = ["QUANTITIES", "Ina219", "Settings", "open"]

QUANTITIES = (Quantity.VOLTAGE_V, Quantity.CURRENT_A, Quantity.POWER_W)

#: The chip's shunt ranges [8.3.1.2, table 4]: volts, and the Adafruit driver's name.
SHUNT_RANGES = (
    (0.04, Gain.DIV_1_40MV),
    (0.08, Gain.DIV_2_80MV),
    (0.16, Gain.DIV_4_160MV),
    (0.32, Gain.DIV_8_320MV),
)
#: One step of the shunt register, in all ranges [8.6.3.1].
SHUNT_STEP_V = 10e-6
#: The Adafruit driver's shunt, and the milliamperes of one step of its current register.
ITS_SHUNT_OHM, ITS_STEP_MA = 0.1, 0.1
#: What the pins stand [7.1, 8.3.1]; the register goes on to 32 V.
MOST_V = 26.0

#: Averaged over 128 samples, so that the peaks of a WLAN are in the value and not beside it: two
#: conversions of 68.10 ms, 10 % more at worst [7.5, table 5].
CONVERSION_S = 2 * 68.10e-3 * 1.1

CONFIGURATION = 0x00
#: Everything as at power-on [8.6.2.1].
RESET = bytes((CONFIGURATION, 0x80, 0x00))
#: Configuration after power-on of chips that look alike (SBOS547, SBOS576, SBOS656).
STRANGERS = {0x4127: "INA226", 0x7127: "INA3221", 0x6127: "INA260"}

HINT = wiring_hint("VCC (3.3 V)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings(SensorSettings):
    """``[sensors.NAME]`` with ``driver = "ina219"``."""

    address: int = address_setting(0x40, range(0x40, 0x50))
    shunt_ohm: float = setting(
        0.1,
        help="The shunt on the board: R100 is 0.1, R010 is 0.01. Currents scale with it.",
        unit="ohm",
        least=0.0001,
        most=10,
    )
    most_a: float = setting(
        3.2,
        help="The largest current to be measured; more is flagged. Times shunt_ohm at most 0.32 V.",
        unit="A",
        least=0.001,
        most=500,
    )

    def __post_init__(self) -> None:
        if self.most_a * self.shunt_ohm > SHUNT_RANGES[-1][0] + 1e-9:
            raise SettingsError(
                f"most_a = {self.most_a:g} with shunt_ohm = {self.shunt_ohm:g} is more than the"
                " INA219 can see",
                hint=f"It measures up to 0.32 V, here {0.32 / self.shunt_ohm:.3g} A. Take a"
                " smaller shunt for more.",
            )


class _Sample(NamedTuple):
    """One reading of the registers."""

    configuration: int
    bus_v: float
    is_overflow: bool
    shunt: int
    current_ma: float


class Ina219:
    """An open INA219."""

    def __init__(self, settings: Settings, hardware: SensorHardware) -> None:
        self._bus = Doubted(hardware.i2c())
        self._registers = Registers(self._bus, settings.address)
        self._address = settings.address
        self._part = f"the INA219 at 0x{settings.address:02x}"
        self._scale = ITS_SHUNT_OHM / settings.shunt_ohm
        full_scale_v, self._gain = _shunt_range(settings.most_a * settings.shunt_ohm)
        self._full_scale = round(full_scale_v / SHUNT_STEP_V)
        with translated(self._part, HINT):
            self._start()

    def read(self) -> Sequence[Measurement]:
        with translated(self._part, HINT):
            if self._configuration() != self._wanted:
                self._start()
            sample = self._steady()
        is_clipped = sample.is_overflow or abs(sample.shunt) >= self._full_scale
        bus_reason = "range" if sample.bus_v > MOST_V else ""
        current_reason = "overflow" if is_clipped else ""
        current_a = sample.current_ma / 1000 * self._scale
        return (
            _measurement(Quantity.VOLTAGE_V, sample.bus_v, bus_reason),
            _measurement(Quantity.CURRENT_A, current_a, current_reason),
            _measurement(Quantity.POWER_W, sample.bus_v * current_a, current_reason or bus_reason),
        )

    def close(self) -> None:
        """Nothing to give back: the bus is shared, and the chip needs 1 mA."""

    def _start(self) -> None:
        """Make the settings (the Adafruit driver) and wait for the first conversion."""
        stranger = STRANGERS.get(self._configuration())
        if stranger is not None:
            raise SensorGarbled(
                f"the chip at 0x{self._address:02x} is an {stranger}, not an INA219",
                hint="It looks the same and has other registers; exchange it.",
            )
        # The Adafruit driver changes some bits and keeps the others as it reads them: what a
        # disturbed line has once put there would stay for good.
        with locked(self._bus):
            self._bus.writeto(self._address, RESET)
        with ADAFRUIT_REGISTER:
            self._chip = adafruit_ina219.INA219(self._bus, self._address)
            self._chip.gain = self._gain
            self._chip.bus_adc_resolution = ADCResolution.ADCRES_12BIT_128S
            self._chip.shunt_adc_resolution = ADCResolution.ADCRES_12BIT_128S
            self._chip.mode = Mode.SANDBVOLT_CONTINUOUS
        until = time.monotonic() + CONVERSION_S
        while time.monotonic() < until and not self._is_ready():
            time.sleep(0.01)

    @property
    def _wanted(self) -> int:
        """The configuration register as ``_start`` leaves it [8.6.2.1]: 32 V, our shunt range."""
        averaging: int = ADCResolution.ADCRES_12BIT_128S
        return 0x2000 | self._gain << 11 | averaging << 7 | averaging << 3 | 0x7

    def _is_ready(self) -> bool:
        with ADAFRUIT_REGISTER:
            return bool(self._chip.conversion_ready)

    def _steady(self) -> _Sample:
        """A reading under our settings, with the current that its shunt has.

        Raises:
            SensorGarbled: none in three attempts.
        """
        for _ in range(3):
            sample = self._sample()
            is_ours = sample.configuration == self._wanted
            # A conversion that ends between the two registers makes them differ, once.
            is_whole = abs(sample.current_ma - sample.shunt * ITS_STEP_MA) < 1.5 * ITS_STEP_MA
            if is_ours and (is_whole or sample.is_overflow):
                return sample
        raise SensorGarbled(
            f"{self._part} contradicts itself" if is_ours else f"{self._part} forgets its settings",
            hint="Its supply dips or the line is disturbed: give VCC its own wire to the 3.3 V"
            " pin, shorten the cable.",
        )

    def _sample(self) -> _Sample:
        configuration = self._configuration()
        with ADAFRUIT_REGISTER:
            chip = self._chip
            # ``current`` first: it writes the calibration, which a dip of the supply clears.
            current_ma = chip.current
            return _Sample(
                configuration, chip.bus_voltage, chip.overflow, chip.raw_shunt_voltage, current_ma
            )

    def _configuration(self) -> int:
        return int.from_bytes(self._registers.read_register(CONFIGURATION, 2), "big")


def _shunt_range(most_v: float) -> tuple[float, int]:
    """The narrowest range for so many volts at the shunt: it has the finest steps."""
    for full_scale_v, gain in SHUNT_RANGES:
        if most_v <= full_scale_v + 1e-9:
            return full_scale_v, gain
    raise AssertionError("Settings has refused this shunt")


def _measurement(quantity: Quantity, value: float, reason: str) -> Measurement:
    # Six digits: the finest step is 1 µA (shunt of 10 Ω); beyond is floating-point noise.
    return Measurement(quantity, round(value, 6), None, Flag.BAD if reason else Flag.GOOD, reason)


def open(settings: Settings, hardware: SensorHardware) -> Ina219:
    """The sensor, ready to read.

    Raises:
        SensorMissing: nobody answers at the address.
        SensorGarbled: another chip.
    """
    return Ina219(settings, hardware)
