"""A simulated Senseair S8 (CO₂), byte by byte.

Modelled: Modbus RTU with CRC; the input registers meter status, alarm status, output status, CO₂,
sensor type and memory map; the holding registers acknowledgement and ABC period; reading any run of
them, writing one, refusals (exception answers) for what there is not; the address "any" (0xFE).
Not modelled: silence as the end of a frame (a frame ends where its length says), the special
command register and calibration, alarm, PWM.
Source: Senseair, "Modbus on Senseair S8" (TDE2067), registers as in jcomas/S8_UART; "MODBUS over
serial line" V1.02.
"""

from __future__ import annotations

from kiezbox.hardware.simulated import _talking

__all__ = ["FAULTS", "SimulatedSenseairS8"]

#: Bits of the meter status.
STATUS = {
    "fatal_error": 0x01,
    "offset_error": 0x02,
    "algorithm_error": 0x04,
    "output_error": 0x08,
    "self_diagnostics": 0x10,
    "out_of_range": 0x20,
    "memory_error": 0x40,
}
FAULTS = {
    **_talking.FAULTS,
    **{
        name: f"it says bit 0x{bit:02x} in its status, and a wrong value"
        for name, bit in STATUS.items()
    },
    "cold": "it has just got its supply and says 0 ppm",
    "foreign": "another Modbus device: it has no such register",
}

ANY = 0xFE
READ_HOLDING, READ_INPUT, WRITE_ONE, REFUSED = 3, 4, 6, 0x80
NO_FUNCTION, NO_REGISTER, NO_VALUE = 1, 2, 3
REQUEST_LENGTH = 8
ABC_HOURS = 0x1F


class SimulatedSenseairS8(_talking.Talking):
    """The sensor at its cable. ``set()`` is the air; ``holding`` its memory."""

    FAULTS = FAULTS

    def __init__(self, *, seed: int = 1) -> None:
        super().__init__(seed)
        self.holding = {0: 0, 1: 0, ABC_HOURS: 180}
        #: How often its memory was written; it wears.
        self.writes = 0
        self._air_ppm = 640
        self._heard = b""

    def set(self, co2_ppm: float) -> None:
        """The air from now on."""
        with self.lock:
            if not self.is_stuck:
                self._air_ppm = round(co2_ppm)

    def received(self, data: bytes) -> bytes:
        """Take requests in any pieces; answer the whole ones."""
        self._heard += data
        answers = b""
        while len(self._heard) >= REQUEST_LENGTH:
            request = self._heard[:REQUEST_LENGTH]
            if request[0] == ANY and _crc(request) == 0:
                self._heard = self._heard[REQUEST_LENGTH:]
                register = int.from_bytes(request[2:4], "big")
                value = int.from_bytes(request[4:6], "big")
                answers += self._obey(request[1], register, value)
            else:
                self._heard = self._heard[1:]
        return answers

    def due(self, now_monotonic: float) -> bytes:
        """It says nothing by itself."""
        return b""

    def _obey(self, function: int, register: int, value: int) -> bytes:
        if function == WRITE_ONE:
            if register not in self.holding:
                return self._refuse(function, NO_REGISTER)
            self.holding[register] = value
            self.writes += 1
            return self._frame(
                bytes((ANY, function)) + register.to_bytes(2, "big") + value.to_bytes(2, "big")
            )
        if function not in (READ_HOLDING, READ_INPUT):
            return self._refuse(function, NO_FUNCTION)
        if not 1 <= value <= 8:
            return self._refuse(function, NO_VALUE)
        registers = self.holding if function == READ_HOLDING else self._input()
        wanted = range(register, register + value)
        if self.fault == "foreign" or any(number not in registers for number in wanted):
            return self._refuse(function, NO_REGISTER)
        data = b"".join(registers[number].to_bytes(2, "big") for number in wanted)
        return self._frame(bytes((ANY, function, len(data))) + data)

    def _input(self) -> dict[int, int]:
        status = STATUS.get(self.fault or "", 0)
        ppm = 0 if self.fault == "cold" else self._air_ppm
        if status:
            ppm = 9999
        return {0: status, 1: 0, 2: 0, 3: ppm, 0x19: 0x0001, 0x1A: 0x0E01, 0x1B: 0x0006}

    def _refuse(self, function: int, code: int) -> bytes:
        return self._frame(bytes((ANY, function | REFUSED, code)))

    def _frame(self, content: bytes) -> bytes:
        crc = _crc(content) + self._off_by & 0xFFFF
        return self._spoilt(content + crc.to_bytes(2, "little"))


def _crc(data: bytes) -> int:
    """CRC-16/MODBUS; 0 over a frame with its own. Bit by bit from the right, as the standard has
    it in words."""
    register = 0xFFFF
    for byte in data:
        for bit in range(8):
            is_odd = (register ^ byte >> bit) & 1
            register = (register >> 1) ^ (0xA001 * is_odd)
    return register
