"""VEDIRECT: Victron solar chargers and battery monitors at their VE.Direct port. 19200 baud.

Wiring: Victron's "VE.Direct to USB" cable needs nothing else and separates the circuits; give its
lasting name as the port (`ls /dev/serial/by-id`). Without it, at the four-pin plug (JST-PH): GND to
GND, TX to the Pi's RX (header pin 10); RX and power stay open: nothing is ever sent to the device.
Which pin is which stands in Victron's sheet and on some devices; it was not checked here.
Supply: its own. TX is 5 V at chargers (MPPT), 3.3 V at others: for 5 V a divider of 10 kΩ (to TX)
and 20 kΩ (to GND) goes between. The port has next to no protection.
Current: none from the box, 5 to 25 mA of the device's own.
Place: the minus of a charger's port is the battery's minus; where the box lives on the load
output, and that is switched in the minus wire, only the separated cable will do.

Pitfalls: `voltage_v` and `current_a` are the battery's, and charging counts positive. `power_w` is
the panel's at a charger (PPV), the battery's at a monitor (P). `energy_wh` (H20) is the yield since
the charger's own midnight, in steps of 10 Wh; a charger has no clock, and is said to count from
sunrise. A monitor knows no yield; it gives `charge_percent` instead, and leaves it out ("---")
until it was full once. A charger does not see what is drawn from the battery past its load output:
as `power.battery.sensor` take a monitor. A charger with error 116 (its calibration is lost) is
flagged SUSPECT "status".
How it is read: the device says all it knows once a second, in one block or two, and short HEX
records in between, at any place, which are left out. Values of one second belong together.
Package: pyserial; the blocks are taken apart here. vedirect 1.1.0 asks for the current under a
name that no device uses; vedirect-m8 opens the port by itself, without our deadline.
Source: Victron, "VE.Direct protocol", as in its FAQ (victronenergy.com/live/vedirect_protocol:faq)
with the reference implementation of the frame handler; captures by karioja/vedirect.
"""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from kiezbox.errors import SensorGarbled
from kiezbox.hardware import SensorHardware
from kiezbox.model import Flag, Measurement, Quantity
from kiezbox.sensors._border import translated
from kiezbox.sensors._line import opened
from kiezbox.settings import SensorSettings, setting

__all__ = ["QUANTITIES", "Parser", "Settings", "Vedirect", "open", "quantities"]

log = logging.getLogger("kiezbox")

_CHARGER = (Quantity.VOLTAGE_V, Quantity.CURRENT_A, Quantity.POWER_W, Quantity.ENERGY_WH)
QUANTITIES = (*_CHARGER, Quantity.CHARGE_PERCENT)

BAUDRATE = 19200
CR, LF, TAB, COLON = b"\r\n\t:"


class Field(NamedTuple):
    """Where a quantity stands, and what one step of it is."""

    quantity: Quantity
    label: str
    step: float


FIELDS = (
    Field(Quantity.VOLTAGE_V, "V", 0.001),
    Field(Quantity.CURRENT_A, "I", 0.001),
    Field(Quantity.POWER_W, "PPV", 1),
    Field(Quantity.POWER_W, "P", 1),
    Field(Quantity.ENERGY_WH, "H20", 10),
    Field(Quantity.CHARGE_PERCENT, "SOC", 0.1),
)
#: With one of each, nothing more is waited for.
ENOUGH = (("V",), ("I",), ("PPV", "P"), ("H20", "SOC"))
NOT_KNOWN = "---"
_NUMBER = re.compile("-?[0-9]{1,9}")
NO_ERROR, CALIBRATION_LOST = "0", "116"

#: Whole blocks come once a second; the first heard is cut.
PATIENCE_S = 3.5
#: What a device says that spreads it over two blocks.
CYCLE_S = 1.5

#: Longer than any of a device: the reference implementation has 9, 33 and 22.
MOST_LABEL, MOST_VALUE, MOST_FIELDS = 16, 64, 40

HINT = (
    "Is the plug in the device's VE.Direct port, and has the device its battery? TX of the device"
    " goes to the box's RX. The box tries again by itself."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings(SensorSettings):
    """``[sensors.NAME]`` with ``driver = "vedirect"``."""

    port: str = setting(
        "/dev/ttyUSB0",
        help="The serial port. /dev/serial/by-id/… stays the same when plugs change.",
    )


class Parser:
    """Finds blocks in a stream that may begin anywhere and break at any byte.

    A block is lines of CR, LF, label, tab, value, the last labelled "Checksum" with the one byte
    that makes the sum of all of them 0 modulo 256. A HEX record, from ":" to LF, may stand at any
    place but before that byte, and counts for nothing.

    The sum alone would let one broken block in 256 pass. So a block with a label twice (two that
    ran into one), or with bytes that are no text, is none either.

    >>> Parser().feed(bytes.fromhex("0d0a56093132" "3a4130300a" "0d0a436865636b73756d09d4"))
    [{'V': '12'}]
    """

    def __init__(self) -> None:
        self._place = BETWEEN
        self._is_in_hex = False
        self._begin()

    def _begin(self) -> None:
        self._sum = 0
        self._is_whole = True
        self._label = ""
        self._word = bytearray()
        self._fields: dict[str, str] = {}

    def feed(self, data: bytes) -> list[Mapping[str, str]]:
        """The blocks that these bytes complete, in their order. Never raises."""
        blocks: list[Mapping[str, str]] = []
        for byte in data:
            if self._is_in_hex:
                self._is_in_hex = byte != LF
            elif byte == COLON and self._place != CHECKSUM:
                self._is_in_hex = True
            else:
                self._sum += byte
                if self._place == CHECKSUM:
                    if self._is_whole and self._fields and self._sum & 0xFF == 0:
                        blocks.append(self._fields)
                    self._place = BETWEEN
                    self._begin()
                else:
                    _TAKES[self._place](self, byte)
        return blocks

    def _take_between(self, byte: int) -> None:
        if byte == LF:
            self._place = LABEL
            self._word.clear()
        elif byte != CR:
            self._is_whole = False

    def _take_label(self, byte: int) -> None:
        if byte == TAB:
            self._label = self._word.decode("ascii")
            self._place = CHECKSUM if self._label == "Checksum" else VALUE
            self._word.clear()
        elif byte == LF:
            self._is_whole = False
            self._word.clear()
        else:
            self._append(byte, MOST_LABEL)

    def _take_value(self, byte: int) -> None:
        if byte != CR:
            self._append(byte, MOST_VALUE)
            return
        if self._label in self._fields or len(self._fields) == MOST_FIELDS:
            self._is_whole = False
        else:
            self._fields[self._label] = self._word.decode("ascii")
        self._place = BETWEEN

    def _append(self, byte: int, most: int) -> None:
        if 0x20 <= byte < 0x7F and len(self._word) < most:
            self._word.append(byte)
        else:
            self._is_whole = False


#: Where in a block a byte stands.
BETWEEN, LABEL, VALUE, CHECKSUM = range(4)
_TAKES = (Parser._take_between, Parser._take_label, Parser._take_value)


class Vedirect:
    """An open VE.Direct port."""

    def __init__(self, settings: Settings, hardware: SensorHardware) -> None:
        self._part = f"the Victron device at {settings.port}"
        self._error = NO_ERROR
        self._line = opened(settings, hardware, BAUDRATE, Parser, self._part, HINT)

    def read(self) -> Sequence[Measurement]:
        with translated(self._part, HINT):
            said = self._listen()
        if not said:
            raise self._line.error()
        self._tell_of(said.get("ERR", NO_ERROR))
        doubt = (None, Flag.SUSPECT, "status") if self._error == CALIBRATION_LOST else ()
        measurements = [
            Measurement(field.quantity, value, *doubt)
            for field in FIELDS
            if (value := self._value(field, said)) is not None
        ]
        if not measurements:
            raise SensorGarbled(
                f"{self._part} says neither voltage nor current (product {said.get('PID', '?')})",
                hint="Chargers (MPPT) and battery monitors (BMV, SmartShunt) are read here.",
            )
        return measurements

    def close(self) -> None:
        """Give the port back."""
        self._line.close()

    def _listen(self) -> dict[str, str]:
        """What one second's blocks say."""
        self._line.begin()
        said: dict[str, str] = {}
        until = time.monotonic() + PATIENCE_S
        for block in self._line.frames(PATIENCE_S):
            if not said:
                until = time.monotonic() + CYCLE_S
            elif said.keys() & block.keys() or time.monotonic() > until:
                break  # the next second
            said.update(block)
            if all(any(label in said for label in labels) for labels in ENOUGH):
                break
        return said

    def _value(self, field: Field, said: Mapping[str, str]) -> float | None:
        text = said.get(field.label, NOT_KNOWN)
        if text == NOT_KNOWN:
            return None
        if _NUMBER.fullmatch(text) is None:
            raise SensorGarbled(
                f"{self._part} says {field.label} = {text!r}, which is no number", hint=HINT
            )
        return round(int(text) * field.step, 3)

    def _tell_of(self, error: str) -> None:
        """Its own error, once in the log: the charger then does not charge, but measures."""
        if error not in (NO_ERROR, self._error):
            log.warning("%s: error %s (see its manual)", self._part, error)
        self._error = error


def quantities(settings: Settings) -> tuple[Quantity, ...]:
    """A charger's. Only its first block tells a battery monitor, which says CHARGE_PERCENT instead
    of ENERGY_WH."""
    return _CHARGER


def open(settings: Settings, hardware: SensorHardware) -> Vedirect:
    """The device's port, open. Whether a device is behind it shows the first read.

    Raises:
        SensorMissing: no such port.
        SensorError: the port may not be opened, or another program has it.
    """
    return Vedirect(settings, hardware)
