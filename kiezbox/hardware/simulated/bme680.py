"""A simulated BME680 or BME688 (temperature, humidity, pressure, gas), register by register.

Modelled: id and variant, trimming values, forced mode with its times, oversampling that skips,
status bits, gas plate with set-point, time and range, data registers, soft reset, power-on reset.
Not modelled: the IIR filter (its setting is kept, not applied), resolution by oversampling, heating
profiles beyond the first, parallel mode, that the plate warms the thermometer, noise, SPI.
Source: Bosch BST-BME680-DS001; sections are named where they are used. Measuring time: Bosch's
BME68x_SensorAPI, ``bme68x_get_meas_dur``.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from kiezbox.hardware.simulated import _bosch680, _chip
from kiezbox.hardware.simulated._bosch import code_for
from kiezbox.hardware.simulated._bosch680 import EXAMPLE, Calibration680
from kiezbox.hardware.simulated._chip import ByteRegisters, nack

__all__ = ["FAULTS", "SimulatedBme680"]

#: What can go wrong inside the chip (what goes wrong on the bus is ``simulated.bus.FAULTS``).
FAULTS = {
    "silence": "no acknowledge: unplugged; plugged in again it starts from power-on",
    "raw_zero": "every data register reads 0",
    "raw_reset": "every measurement is skipped: the data registers are in their reset state",
    "stuck_status": "never a new measurement: the status register reads 0x20, measuring",
    "cold_plate": "the gas plate does not reach its temperature",
    "wrong_id": "a BME280, sold as a BME680: its id reads 0x60",
    "zero_calibration": "every trimming value reads 0",
    **_chip.FAULTS,
}

STATUS, DATA = 0x1D, 0x1F
RES_HEAT, GAS_WAIT, CTRL_GAS_0, CTRL_GAS_1 = 0x5A, 0x64, 0x70, 0x71
CTRL_HUM, CTRL_MEAS, CONFIG = 0x72, 0x74, 0x75
ID, RESET, VARIANT = 0xD0, 0xE0, 0xF0
NEW_DATA, MEASURING, GAS_VALID, HEATER_STABLE = 0x80, 0x20, 0x20, 0x10
#: 0x1F to 0x2D after a reset: pressure, temperature, humidity, then both kinds' gas (5.3.4).
SKIPPED = bytes.fromhex("800000 800000 8000 000000 0004 0004")
#: osrs bits -> how often is sampled (5.3.2).
OVERSAMPLING = (0, 1, 2, 4, 8, 16, 16, 16)
#: Which may be written (5.2); the rest ignores it.
WRITABLE = {*range(0x50, 0x6E), CTRL_GAS_0, CTRL_GAS_1, CTRL_HUM, CTRL_MEAS, CONFIG}
#: "Approximately 20-30 ms are necessary for the heater to reach the intended temperature" (3.3.5).
HEATING_MS = 20


class SimulatedBme680(ByteRegisters):
    """The chip on its bus. ``set()`` is the air, ``fault`` what is wrong with the chip."""

    FAULTS = FAULTS

    def __init__(
        self,
        *,
        is_688: bool = False,
        calibration: Calibration680 = EXAMPLE,
        clock: Callable[[], float] = time.monotonic,
        seed: int = 1,
    ) -> None:
        super().__init__(clock, seed)
        self.is_688 = is_688
        self.calibration = calibration
        #: How many conversions were done since power-on: each one heats.
        self.conversions = 0
        self._trimming = calibration.registers()
        self._air: tuple[float, float, float, float] | None = (20.0, 50.0, 1013.25, 50_000.0)
        self.power_cycle()

    def set(
        self,
        temperature_c: float | None,
        humidity_percent: float | None,
        pressure_hpa: float | None,
        gas_ohm: float | None = 50_000.0,
    ) -> None:
        """Air from now on, in °C, %RH, hPa, Ω; None (a gap in a recording): unplugged."""
        values = (temperature_c, humidity_percent, pressure_hpa, gas_ohm)
        known = [value for value in values if value is not None]
        self._air = (known[0], known[1], known[2], known[3]) if len(known) == 4 else None

    def power_cycle(self) -> None:
        """The supply was away: every setting is lost."""
        self._pointer = 0
        self._registers = dict.fromkeys(WRITABLE, 0)
        self._data = SKIPPED
        self._is_new = False
        self._done_at: float | None = None
        self.conversions = 0

    def _answer(self) -> None:
        if self._fault == "silence" or self._air is None:
            raise nack()
        if self._done_at is not None and self._clock() >= self._done_at:
            self._convert(*self._air)

    def _get(self, register: int) -> int:
        if register in self._trimming:
            return 0 if self._fault == "zero_calibration" else self._trimming[register]
        if register == ID:
            return 0x60 if self._fault == "wrong_id" else 0x61
        if register == VARIANT:
            return int(self.is_688)
        if register == STATUS:
            if self._fault == "stuck_status":
                return MEASURING
            return NEW_DATA * self._is_new | MEASURING * (self._done_at is not None)
        if DATA <= register < DATA + len(SKIPPED):
            data = {"raw_zero": bytes(len(SKIPPED)), "raw_reset": SKIPPED}
            return data.get(self._fault or "", self._data)[register - DATA]
        return self._registers.get(register, 0)

    def _put(self, register: int, value: int) -> None:
        if register == RESET and value == 0xB6:
            conversions = self.conversions
            self.power_cycle()
            self.conversions = conversions
        elif register in WRITABLE:
            self._registers[register] = value
            if register == CTRL_MEAS and value & 3:
                self._is_new = False
                self._done_at = self._clock() + self._measuring_s()

    def _oversampling(self) -> tuple[int, int, int]:
        """How often temperature, pressure and humidity are sampled; 0: skipped."""
        ctrl_meas = self._registers[CTRL_MEAS]
        return (
            OVERSAMPLING[ctrl_meas >> 5],
            OVERSAMPLING[ctrl_meas >> 2 & 7],
            OVERSAMPLING[self._registers[CTRL_HUM] & 7],
        )

    def _heating_ms(self) -> int:
        """How long the plate is heated; 0: no gas is measured (3.3.5, 5.3.3)."""
        run_gas = 0x20 if self.is_688 else 0x10
        if not self._registers[CTRL_GAS_1] & run_gas or self._registers[CTRL_GAS_0] & 0x08:
            return 0
        wait = self._registers[GAS_WAIT]
        return int((wait & 0x3F) * 4 ** (wait >> 6))

    def _measuring_s(self) -> float:
        return (sum(self._oversampling()) * 1963 + 9 * 477 + 1000 * self._heating_ms()) / 1e6

    def _convert(self, celsius: float, percent: float, hpa: float, ohm: float) -> None:
        self.conversions += 1
        self._done_at = None
        self._registers[CTRL_MEAS] &= ~3  # "the sensor returns to sleep mode" (3.1)
        self._is_new = True
        self._data = self._climate(celsius, percent, hpa) + bytes(3) + self._gas(ohm)

    def _climate(self, celsius: float, percent: float, hpa: float) -> bytes:
        c = self.calibration
        t, p, h = self._oversampling()
        adc_t = code_for(celsius, lambda adc: _bosch680.temperature_c(adc, c), 20)
        t_fine = _bosch680.fine_temperature(adc_t, c)
        exact = t_fine / 5120
        adc_p = code_for(hpa, lambda adc: _bosch680.pressure_hpa(adc, t_fine, c), 20)
        adc_h = code_for(percent, lambda adc: _bosch680.humidity_percent(adc, exact, c), 16)
        return b"".join(
            (
                (adc_p << 4).to_bytes(3, "big") if p else SKIPPED[0:3],
                (adc_t << 4).to_bytes(3, "big") if t else SKIPPED[3:6],
                adc_h.to_bytes(2, "big") if h else SKIPPED[6:8],
            )
        )

    def _gas(self, ohm: float) -> bytes:
        """0x2A to 0x2D: code (10 bits), valid, stable, range; for a BME688 two registers later."""
        heating_ms = self._heating_ms()
        if not heating_ms:
            return SKIPPED[11:]
        code, gas_range = self._gas_code(ohm)
        is_hot = self._registers[RES_HEAT] > 0 and heating_ms >= HEATING_MS
        stable = HEATER_STABLE if is_hot and self._fault != "cold_plate" else 0
        word = (code << 6 | GAS_VALID | stable | gas_range).to_bytes(2, "big")
        return SKIPPED[11:13] + word if self.is_688 else word + SKIPPED[13:15]

    def _gas_code(self, ohm: float) -> tuple[int, int]:
        """The code and the range that come nearest."""

        def measured(code: int, gas_range: int) -> float:
            if self.is_688:
                return _bosch680.gas_ohm_688(code, gas_range)
            return _bosch680.gas_ohm(code, gas_range, self.calibration)

        codes = (
            (code_for(ohm, lambda code, r=gas_range: measured(code, r), 10), gas_range)  # type: ignore[misc]
            for gas_range in range(16)
        )
        return min(codes, key=lambda found: abs(measured(*found) - ohm))
