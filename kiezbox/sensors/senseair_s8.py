"""SENSEAIR_S8: carbon dioxide by infrared (S8 LP and Residential). Serial port, 9600 baud, Modbus.

Wiring: G+ to 5 V, G0 to GND, UART_TxD to the Pi's RX (header pin 10), UART_RxD to the Pi's TX
(header pin 8); UART_R/T and bCAL_in stay open (bCAL to G0 for four seconds calibrates it to
400 ppm). The port is /dev/serial0, with the console off (`raspi-config`, Interface, Serial), or
that of an adapter.
Supply: 4.5 to 5.25 V, unfiltered 5 V of a Pi is good enough; the UART is 3.3 V.
Current: 300 mA at each lamp's flash every two to four seconds, 18 mA on the mean: a thin cable
makes it fail.
Place: where people sit, not at a window, not in the sun; 0 to 50 °C: an indoor sensor.

Pitfalls: it is exact from 400 to 2000 ppm and says up to 10000. For half a minute after power-up it
says 0, which is flagged BAD "raw-sentinel". Its own word on itself is believed: "out of range" is
BAD "range", any other error BAD "status". Its automatic baseline takes the lowest value of
`abc_hours` for 400 ppm: right in a flat that is aired, wrong in a cellar or a greenhouse; 0
switches it off. The period is kept in the sensor's memory and written only when it is another one.
How it is read: status and value in one request, so that they belong together.
Package: pyserial; the frames are taken apart here. senseair-s8 checks no CRC and sees no status;
minimalmodbus, the judge in the tests, opens the port by itself, without our deadline.
Source: Senseair, "Modbus on Senseair S8" (TDE2067), as in jcomas/S8_UART and SFeli/ESP32_S8;
"MODBUS over serial line" V1.02, 6.2.2 (CRC). Supply and currents: product specification PSP126,
revision 8. That 0 is a cold sensor's is what users found.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from kiezbox.errors import SensorGarbled
from kiezbox.hardware import SensorHardware
from kiezbox.model import Flag, Measurement, Quantity
from kiezbox.sensors._border import translated
from kiezbox.sensors._line import opened
from kiezbox.settings import SensorSettings, setting

__all__ = ["QUANTITIES", "Frame", "Parser", "SenseairS8", "Settings", "crc16", "open"]

QUANTITIES = (Quantity.CO2_PPM,)

#: What the lamp draws on the mean, in A.
DRAWS_A = 0.018

BAUDRATE = 9600
#: Any S8 answers to this address.
ANY = 0xFE
READ_HOLDING, READ_INPUT, WRITE_ONE, REFUSED = 0x03, 0x04, 0x06, 0x80
#: Input registers IR1 (meter status) to IR4 (CO₂), counted from 0.
STATUS, CO2, COUNT = 0, 3, 4
#: Holding register HR32.
ABC_HOURS = 0x1F
OUT_OF_RANGE, ANY_ERROR = 0x20, 0x7F
#: More registers than it tells at once: no answer (TDE2067).
MOST_REGISTERS = 8

HINT = (
    "Look at 5 V (G+) and GND (G0), and whether UART_TxD goes to the box's RX and UART_RxD to the"
    " box's TX. The box tries again by itself."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings(SensorSettings):
    """``[sensors.NAME]`` with ``driver = "senseair_s8"``."""

    port: str = setting(
        "/dev/serial0",
        help="The serial port. /dev/serial/by-id/… stays the same when plugs change.",
    )
    abc_hours: int = setting(
        180,
        help="So long back it looks for the lowest value, which it takes for outdoor air. 0 where\n"
        "nobody airs (cellar, greenhouse).",
        unit="h",
        least=0,
        most=4800,
    )


class Frame(NamedTuple):
    """An answer: the function, and its bytes without count and CRC."""

    function: int
    data: bytes

    def register(self, number: int) -> int:
        """The n-th register of an answer to a read."""
        return int.from_bytes(self.data[2 * number : 2 * number + 2], "big")


def crc16(data: bytes) -> int:
    """Modbus's checksum; it is sent low byte first.

    >>> hex(crc16(bytes.fromhex("fe0400000004")))
    '0xc6e5'
    """
    rest = 0xFFFF
    for byte in data:
        rest ^= byte
        for _ in range(8):
            rest = rest >> 1 ^ 0xA001 if rest & 1 else rest >> 1
    return rest


def request(function: int, register: int, value: int) -> bytes:
    """A request: ``value`` is the number of registers to read, or what to write."""
    content = bytes((ANY, function)) + register.to_bytes(2, "big") + value.to_bytes(2, "big")
    return content + crc16(content).to_bytes(2, "little")


class Parser:
    """Finds answers in a stream that may begin anywhere and break at any byte.

    Modbus marks a frame by silence; here it is known by address, function, length and CRC. What
    does not fit costs one byte.

    >>> [frame.register(0) for frame in Parser().feed(bytes.fromhex("fe04020190acd8"))]
    [400]
    """

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> list[Frame]:
        """The answers that these bytes complete, in their order. Never raises."""
        data = self._rest + data
        frames: list[Frame] = []
        at = data.find(ANY)
        while at >= 0 and len(data) - at >= 3:
            length = _length(data[at + 1], data[at + 2])
            whole = data[at : at + length]
            if length and len(whole) < length:
                break
            if length and crc16(whole[:-2]) == int.from_bytes(whole[-2:], "little"):
                frames.append(_frame(whole))
                at += length
            else:
                at += 1
            at = data.find(ANY, at)
        self._rest = data[at:] if at >= 0 else b""
        return frames


def _length(function: int, count: int) -> int:
    """Of the whole answer; 0: it is none."""
    if function in (READ_HOLDING, READ_INPUT):
        return 5 + count if 0 < count <= 2 * MOST_REGISTERS and count % 2 == 0 else 0
    return _OTHER_LENGTHS.get(function, 0)


_OTHER_LENGTHS = {
    WRITE_ONE: 8,
    READ_HOLDING | REFUSED: 5,
    READ_INPUT | REFUSED: 5,
    WRITE_ONE | REFUSED: 5,
}


def _frame(whole: bytes) -> Frame:
    is_read = whole[1] in (READ_HOLDING, READ_INPUT)
    return Frame(whole[1], whole[3 if is_read else 2 : -2])


class SenseairS8:
    """An open S8."""

    def __init__(self, settings: Settings, hardware: SensorHardware) -> None:
        self._settings = settings
        self._part = f"the Senseair S8 at {settings.port}"
        self._is_told = False
        self._line = opened(settings, hardware, BAUDRATE, Parser, self._part, HINT)

    def read(self) -> Sequence[Measurement]:
        with translated(self._part, HINT):
            self._line.begin()
            if not self._is_told:
                self._tell()
            answer = self._ask(READ_INPUT, STATUS, COUNT)
        ppm, status = answer.register(CO2), answer.register(STATUS) & ANY_ERROR
        flag, reason = _judge(ppm, status)
        return (Measurement(Quantity.CO2_PPM, float(ppm), None, flag, reason),)

    def close(self) -> None:
        """Give the port back."""
        self._line.close()

    def _ask(self, function: int, register: int, value: int) -> Frame:
        answer = self._line.ask(
            request(function, register, value),
            lambda frame: frame.function in (function, function | REFUSED),
            patience_s=0.5,
        )
        if answer is None:
            raise self._line.error()
        wanted = 2 if function == READ_HOLDING else 2 * COUNT
        if answer.function != function or function != WRITE_ONE and len(answer.data) != wanted:
            raise SensorGarbled(
                f"{self._part} does not answer as an S8 does: {answer.data.hex()}",
                hint="Is it another Modbus device? Check `port` in kiezbox.toml.",
            )
        return answer

    def _tell(self) -> None:
        hours = self._ask(READ_HOLDING, ABC_HOURS, 1).register(0)
        if hours != self._settings.abc_hours:
            self._ask(WRITE_ONE, ABC_HOURS, self._settings.abc_hours)
        self._is_told = True


def _judge(ppm: int, status: int) -> tuple[Flag, str]:
    if status & ~OUT_OF_RANGE:
        return Flag.BAD, "status"
    if status:
        return Flag.BAD, "range"
    return (Flag.GOOD, "") if ppm else (Flag.BAD, "raw-sentinel")


def open(settings: Settings, hardware: SensorHardware) -> SenseairS8:
    """The sensor's port, open. Whether a sensor is behind it shows the first read.

    Raises:
        SensorMissing: no such port.
        SensorError: the port may not be opened, or another program has it.
    """
    return SenseairS8(settings, hardware)
