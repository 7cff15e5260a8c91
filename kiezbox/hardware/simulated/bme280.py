"""A simulated BME280 (temperature, humidity, pressure), register by register.

Modelled: chip id, trimming values, control registers and when they take effect, forced and
normal mode with the data sheet's measuring times, the resolution that oversampling gives,
skipped measurements, soft reset, power-on reset after the supply was away.
Not modelled: the IIR filter (its setting is kept, not applied), noise, self-heating, SPI.
Source: Bosch BST-BME280-DS002, revision 1.6; sections are named where they are used.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from kiezbox.hardware.simulated import _chip
from kiezbox.hardware.simulated._bosch import (
    EXAMPLE,
    Calibration,
    code_for,
    fine_temperature,
    humidity_percent,
    pressure_hpa,
    temperature_c,
)
from kiezbox.hardware.simulated._chip import ByteRegisters, nack

__all__ = ["FAULTS", "SimulatedBme280"]

#: What can go wrong inside the chip (what goes wrong on the bus is ``simulated.bus.FAULTS``).
FAULTS = {
    "silence": "no acknowledge: unplugged; plugged in again it starts from power-on",
    "raw_zero": "every data register reads 0",
    "raw_reset": "every measurement is skipped: the data registers are in their reset state",
    "stuck_status": "the status register reads 0xFF: always measuring",
    "wrong_id": "a BMP280, sold as a BME280: its id reads 0x58",
    "zero_calibration": "every trimming value reads 0",
    **_chip.FAULTS,
}

ID, RESET, CTRL_HUM, STATUS, CTRL_MEAS, CONFIG = 0xD0, 0xE0, 0xF2, 0xF3, 0xF4, 0xF5
DATA = 0xF7
#: Pressure, temperature (20 bits each, left-aligned in 24) and humidity (16) after a reset, and
#: what a skipped measurement leaves (sections 5.3, 5.4.3 and 5.4.5).
SKIPPED = bytes((0x80, 0, 0, 0x80, 0, 0, 0x80, 0))
MEASURING = 0x08
SLEEP, NORMAL = 0, 3
#: osrs bits -> how often is sampled (table 20 and following).
OVERSAMPLING = (0, 1, 2, 4, 8, 16, 16, 16)
#: t_sb bits -> milliseconds between two conversions in normal mode (table 27).
STANDBY_MS = (0.5, 62.5, 125.0, 250.0, 500.0, 1000.0, 10.0, 20.0)


class SimulatedBme280(ByteRegisters):
    """The chip on its bus. ``set()`` is the weather, ``fault`` what is wrong with the chip."""

    FAULTS = FAULTS

    def __init__(
        self,
        *,
        calibration: Calibration = EXAMPLE,
        clock: Callable[[], float] = time.monotonic,
        seed: int = 1,
    ) -> None:
        super().__init__(clock, seed)
        self.calibration = calibration
        #: How many conversions were done since power-on: each one heats.
        self.conversions = 0
        self._trimming = calibration.registers()
        self._weather: tuple[float, float, float] | None = (20.0, 50.0, 1013.25)
        self.power_cycle()

    def set(
        self,
        temperature_c: float | None,
        humidity_percent: float | None,
        pressure_hpa: float | None,
    ) -> None:
        """The weather from now on, in °C, %RH, hPa; None (a gap in a recording): unplugged."""
        if temperature_c is None or humidity_percent is None or pressure_hpa is None:
            self._weather = None
        else:
            self._weather = (temperature_c, humidity_percent, pressure_hpa)

    def power_cycle(self) -> None:
        """The supply was away: every setting is lost (section 5.3, column "Reset state")."""
        self._pointer = 0
        self._ctrl_hum = self._pending_ctrl_hum = 0
        self._ctrl_meas = self._config = 0
        self._data = SKIPPED
        self._done_at: float | None = None
        self.conversions = 0

    def _answer(self) -> None:
        if self._fault == "silence" or self._weather is None:
            raise nack()
        if self._done_at is not None and self._clock() >= self._done_at:
            self._convert()

    def _get(self, register: int) -> int:
        if register == ID:
            return 0x58 if self._fault == "wrong_id" else 0x60
        if register in self._trimming:
            return 0 if self._fault == "zero_calibration" else self._trimming[register]
        if register == CTRL_HUM:
            return self._pending_ctrl_hum
        if register == STATUS:
            is_measuring = self._done_at is not None and self._ctrl_meas & 3 != SLEEP
            return 0xFF if self._fault == "stuck_status" else MEASURING * is_measuring
        if register == CTRL_MEAS:
            return self._ctrl_meas
        if register == CONFIG:
            return self._config
        if DATA <= register < DATA + len(self._data):
            data = {"raw_zero": bytes(8), "raw_reset": SKIPPED}.get(self._fault or "", self._data)
            return data[register - DATA]
        return 0

    def _put(self, register: int, value: int) -> None:
        if register == RESET and value == 0xB6:
            conversions = self.conversions
            self.power_cycle()
            self.conversions = conversions
        elif register == CTRL_HUM:
            self._pending_ctrl_hum = value & 0x07
        elif register == CTRL_MEAS:
            # Only this makes ctrl_hum effective (section 5.4.3).
            self._ctrl_hum = self._pending_ctrl_hum
            self._ctrl_meas = value
            is_awake = value & 3 != SLEEP
            self._done_at = self._clock() + self._measuring_s() if is_awake else None
        elif register == CONFIG:
            self._config = value

    def _oversampling(self) -> tuple[int, int, int]:
        """How often temperature, pressure and humidity are sampled; 0: skipped."""
        return (
            OVERSAMPLING[self._ctrl_meas >> 5],
            OVERSAMPLING[self._ctrl_meas >> 2 & 7],
            OVERSAMPLING[self._ctrl_hum],
        )

    def _measuring_s(self) -> float:
        """The typical measuring time (section 9.1)."""
        t, p, h = self._oversampling()
        return (1 + 2 * t + (2 * p + 0.5) * (p > 0) + (2 * h + 0.5) * (h > 0)) / 1000

    def _convert(self) -> None:
        assert self._done_at is not None and self._weather is not None
        self.conversions += 1
        self._data = self._measured(*self._weather)
        if self._ctrl_meas & 3 == NORMAL:
            cycle_s = STANDBY_MS[self._config >> 5] / 1000 + self._measuring_s()
            missed = int((self._clock() - self._done_at) / cycle_s)
            self.conversions += missed
            self._done_at += (missed + 1) * cycle_s
        else:
            self._ctrl_meas &= ~3  # a forced conversion ends in sleep (section 3.3.3)
            self._done_at = None

    def _measured(self, celsius: float, percent: float, hpa: float) -> bytes:
        """The data registers for this weather (section 5.4.7 and following)."""
        t, p, h = self._oversampling()
        c = self.calibration
        adc_t = _resolved(code_for(celsius, lambda adc: temperature_c(adc, c), 20), t)
        t_fine = fine_temperature(adc_t, c)
        adc_p = _resolved(code_for(hpa, lambda adc: pressure_hpa(adc, t_fine, c), 20), p)
        adc_h = code_for(percent, lambda adc: humidity_percent(adc, t_fine, c), 16)
        return b"".join(
            (
                (adc_p << 4).to_bytes(3, "big") if p else SKIPPED[0:3],
                (adc_t << 4).to_bytes(3, "big") if t else SKIPPED[3:6],
                adc_h.to_bytes(2, "big") if h else SKIPPED[6:8],
            )
        )


def _resolved(code: int, oversampling: int) -> int:
    """Without the filter, a code has 16 bits and one more per doubling (section 3.4.2)."""
    lost = 4 - max(1, oversampling).bit_length() + 1
    step = 1 << max(0, lost)
    return min(round(code / step) * step, (1 << 20) - step)
