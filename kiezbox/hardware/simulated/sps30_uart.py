"""A simulated SPS30 at its serial port, byte by byte.

Modelled: SHDLC frames both ways with byte stuffing; idle, measuring and sleeping and which commands
each allows; a new measurement every ``sample_s``, an empty answer where there is none; floats and
whole numbers; product type, serial number, version, cleaning interval, status register, reset; the
port that is off while it sleeps, and how it is nudged.
Not modelled: start-up time, fan cleaning, number concentrations and typical size (constants), an
interface choice by SEL.
Source: Sensirion, "Datasheet SPS30" 1.0 (2020), sections 4 and 5, as quoted in the documentation of
sensirion-uart-sps30 1.0.0 and sensirion-shdlc-driver 1.0.2.
"""

from __future__ import annotations

import struct
import time
from collections.abc import Callable

from kiezbox.hardware.simulated import _talking

__all__ = ["FAULTS", "SimulatedSps30Uart"]

FAULTS = {
    **_talking.FAULTS,
    "fan": "its fan is switched on and does not turn; it says so in its status",
    "laser": "its laser's current is out of range; it says so in its status",
    "speed": "its fan turns at the wrong speed; it says so in its status",
    "zeros": "all ten values are 0",
    "refuses": "it refuses every command with 0x04, illegal parameter",
}

IDLE, MEASURING, SLEEPING = "idle", "measuring", "sleeping"
OK, WRONG_LENGTH, UNKNOWN, ILLEGAL, NOT_NOW = 0x00, 0x01, 0x02, 0x04, 0x43
REGISTER = {"fan": 1 << 4, "laser": 1 << 5, "speed": 1 << 21}
#: A port that was nudged stays on so long.
NUDGED_S = 0.1
STUFFED = {0x7E: b"\x7d\x5e", 0x7D: b"\x7d\x5d", 0x11: b"\x7d\x31", 0x13: b"\x7d\x33"}


class SimulatedSps30Uart(_talking.Talking):
    """The sensor at its cable. ``set()`` is the air, ``state`` what it does."""

    FAULTS = FAULTS

    def __init__(
        self,
        *,
        sample_s: float = 1.0,
        firmware: tuple[int, int] = (2, 2),
        clock: Callable[[], float] = time.monotonic,
        seed: int = 1,
    ) -> None:
        super().__init__(seed)
        self.sample_s = sample_s
        self.firmware = firmware
        self.cleaning_s = 604800
        #: How often it was told to clean its fan.
        self.cleanings = 0
        self._clock = clock
        self._air = (4.0, 6.0, 7.0, 8.0)
        self.power_cycle()

    def set(self, pm1: float, pm2_5: float, pm4: float, pm10: float) -> None:
        """The air from now on, in µg/m³."""
        with self.lock:
            if not self.is_stuck:
                self._air = (pm1, pm2_5, pm4, pm10)

    def power_cycle(self) -> None:
        """The supply was away."""
        self.state = IDLE
        self._heard = b""
        self._is_float = True
        self._next_at = 0.0
        self._nudged_until = 0.0

    def received(self, data: bytes) -> bytes:
        """Take commands in any pieces; answer the whole ones."""
        if self.fault == "silence":
            return b""
        answers = b""
        for byte in data:
            if self.state == SLEEPING and self._clock() > self._nudged_until:
                # The first low bit wakes the port; the byte itself is lost.
                self._nudged_until = self._clock() + NUDGED_S
                self._heard = b""
                continue
            if byte != 0x7E:
                self._heard += bytes((byte,))
            elif len(self._heard) > 1 and self._heard.startswith(b"\x7e"):
                content, self._heard = _unstuffed(self._heard[1:]), b""
                answers += self._answer(content)
            else:
                self._heard = b"\x7e"
        return answers

    def due(self, now_monotonic: float) -> bytes:
        """It says nothing by itself."""
        return b""

    def _answer(self, content: bytes) -> bytes:
        is_whole = len(content) >= 4 and len(content) == content[2] + 4
        if not is_whole or content[0] != 0 or ~sum(content[:-1]) & 0xFF != content[-1]:
            return b""
        command, data = content[1], content[3:-1]
        if self.state == SLEEPING and command != 0x11:
            return b""
        code, answer = self._obey(command, data)
        if self.fault == "refuses":
            code, answer = ILLEGAL, b""
        error = 0x80 if self.fault in REGISTER else 0
        frame = bytes((0, command, code | error, len(answer))) + answer
        frame += bytes((~sum(frame) + self._off_by & 0xFF,))
        stuffed = b"".join(STUFFED.get(byte, bytes((byte,))) for byte in frame)
        return self._spoilt(b"\x7e" + stuffed + b"\x7e")

    def _obey(self, command: int, data: bytes) -> tuple[int, bytes]:
        known = _COMMANDS.get(command)
        if known is None or command == 0xD2 and self.firmware < (2, 0):
            return UNKNOWN, b""
        lengths, states, carry_out = known
        if len(data) not in lengths:
            return WRONG_LENGTH, b""
        if self.state not in states:
            return NOT_NOW, b""
        answer = carry_out(self, data)
        return (ILLEGAL, b"") if answer is None else (OK, answer)

    def _start(self, data: bytes) -> bytes | None:
        if data not in (b"\x01\x03", b"\x01\x05"):
            return None
        self._is_float = data[1] == 3
        self.state = MEASURING
        self._next_at = self._clock() + self.sample_s
        return b""

    def _stop(self, data: bytes) -> bytes:
        self.state = IDLE
        return b""

    def _read(self, data: bytes) -> bytes:
        if self._clock() < self._next_at:
            return b""
        self._next_at = self._clock() + self.sample_s
        values = (*self._air, 30.0, 35.0, 36.0, 36.5, 36.6, 0.54)
        if self.fault == "zeros":
            values = (0.0,) * 10
        if self._is_float:
            return struct.pack(">10f", *values)
        return struct.pack(">10H", *(round(value) for value in values))

    def _sleep(self, data: bytes) -> bytes:
        self.state = SLEEPING
        self._nudged_until = 0.0
        return b""

    def _wake(self, data: bytes) -> bytes:
        self.state = IDLE
        return b""

    def _clean(self, data: bytes) -> bytes:
        self.cleanings += 1
        return b""

    def _cleaning(self, data: bytes) -> bytes | None:
        if data[0] != 0:
            return None
        if len(data) == 1:
            return self.cleaning_s.to_bytes(4, "big")
        self.cleaning_s = int.from_bytes(data[1:], "big")
        return b""

    def _information(self, data: bytes) -> bytes | None:
        return {0: b"00080000\0", 3: b"5D8DD4F1A2B3C4D5\0"}.get(data[0])

    def _version(self, data: bytes) -> bytes:
        return bytes((*self.firmware, 0, 7, 0, 2, 0))

    def _status(self, data: bytes) -> bytes:
        return REGISTER.get(self.fault or "", 0).to_bytes(4, "big") + b"\0"

    def _reset(self, data: bytes) -> bytes:
        self.power_cycle()
        return b""


def _unstuffed(data: bytes) -> bytes:
    for byte, stuffed in STUFFED.items():
        if byte != 0x7D:
            data = data.replace(stuffed, bytes((byte,)))
    return data.replace(b"\x7d\x5d", b"\x7d")


_Command = tuple[
    tuple[int, ...], tuple[str, ...], Callable[[SimulatedSps30Uart, bytes], bytes | None]
]
_AWAKE = (IDLE, MEASURING)
#: Command: lengths of its data, states in which it is allowed, what it does.
_COMMANDS: dict[int, _Command] = {
    0x00: ((2,), (IDLE,), SimulatedSps30Uart._start),
    0x01: ((0,), (MEASURING,), SimulatedSps30Uart._stop),
    0x03: ((0,), (MEASURING,), SimulatedSps30Uart._read),
    0x10: ((0,), (IDLE,), SimulatedSps30Uart._sleep),
    0x11: ((0,), (SLEEPING,), SimulatedSps30Uart._wake),
    0x56: ((0,), (MEASURING,), SimulatedSps30Uart._clean),
    0x80: ((1, 5), _AWAKE, SimulatedSps30Uart._cleaning),
    0xD0: ((1,), _AWAKE, SimulatedSps30Uart._information),
    0xD1: ((0,), _AWAKE, SimulatedSps30Uart._version),
    0xD2: ((1,), _AWAKE, SimulatedSps30Uart._status),
    0xD3: ((0,), _AWAKE, SimulatedSps30Uart._reset),
}
