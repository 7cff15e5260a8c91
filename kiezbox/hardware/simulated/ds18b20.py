"""A simulated DS18B20: its scratchpad after a conversion.

Written from what Maxim's sheet 19-7487 is quoted to say, and judged by w1thermsensor. Modelled:
the scratchpad with temperature, alarm bytes, configuration and checksum, the time of a conversion
by resolution, the value after power-up. Not modelled: parasite power, alarms, the bus itself (see
``simulated.onewire``).
"""

from __future__ import annotations

import time
from collections.abc import Callable

from kiezbox.hardware.simulated.onewire import crc8

__all__ = ["FAULTS", "SimulatedDs18b20"]

FAULTS = {
    "reset": "it lost its supply during the conversion: 85.0, as after power-up",
    "raw_zero": "the data line is shorted: nine zeros, whose checksum is zero",
    "all_ones": "nobody pulls the line down: nine bytes 0xff",
    "wrong_crc": "the checksum is off by one",
    "too_hot": "127.9375 degrees, which some counterfeits say for ever",
}

#: Table 2 "power-up", with the bytes that the sheet calls reserved as parts have them.
POWER_UP = bytes.fromhex("50 05 4b 46 7f ff 0c 10")

#: Bits of resolution -> the longest conversion, seconds (table 2).
CONVERSION_S = {9: 0.09375, 10: 0.1875, 11: 0.375, 12: 0.75}


class SimulatedDs18b20:
    FAULTS = FAULTS

    def __init__(self, resolution: int = 12, sleep: Callable[[float], object] = time.sleep) -> None:
        self.fault: str | None = None
        self.resolution = resolution
        self._sleep = sleep
        self._celsius = 20.0
        #: Conversions so far.
        self.conversions = 0

    def set(self, temperature_c: float) -> None:
        self._celsius = temperature_c

    def convert(self) -> bytes:
        self._sleep(CONVERSION_S[self.resolution])
        self.conversions += 1
        if self.fault == "raw_zero":
            return bytes(9)
        if self.fault == "all_ones":
            return b"\xff" * 9
        eight = POWER_UP if self.fault == "reset" else self._measured()
        return eight + bytes((crc8(eight) + (self.fault == "wrong_crc") & 0xFF,))

    def _measured(self) -> bytes:
        celsius = 127.9375 if self.fault == "too_hot" else self._celsius
        step = 1 << (12 - self.resolution)
        code = round(celsius * 16 / step) * step
        configuration = (self.resolution - 9) << 5 | 0x1F
        return code.to_bytes(2, "little", signed=True) + bytes(
            (0x4B, 0x46, configuration, 0xFF, 0x10 - (code & 0xF), 0x10)
        )
