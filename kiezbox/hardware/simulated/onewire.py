"""A 1-Wire bus and the kernel's thermometer driver in front of it.

Written from drivers/w1/slaves/w1_therm.c (``w1_slave_show``) and its documentation. Modelled: the
text of ``w1_slave`` with the kernel's own checksum, YES and NO; that after NO the second line
repeats the scratchpad that was good last, while ``t=`` is of the bad one (kernels before 5.8; later
ones mostly say nothing at all then, which is the fault ``every_nth_error``); a sensor whose folder
is gone. Not modelled: the search that notices, 10 s later, who came and went; the retries.
"""

from __future__ import annotations

import errno
import threading
from dataclasses import dataclass
from typing import Protocol

from kiezbox.hardware.simulated.bus import BitFlip, BusFault, GiveUp, Hang, Slow

__all__ = ["FAULTS", "OneWirePart", "SimulatedOneWire"]


class OneWirePart(Protocol):
    """A thermometer: after a conversion it has nine bytes."""

    def convert(self) -> bytes:
        """Measure, as long as that takes; the scratchpad, its checksum last."""


@dataclass
class Vanish(BusFault):
    """Off the bus, and the kernel has noticed: the folder is gone."""

    def before(self, address: int, give_up: GiveUp) -> None:
        raise FileNotFoundError(errno.ENOENT, "no such sensor")


@dataclass
class EveryNthError(BusFault):
    """A bad contact: the kernel finds nobody, and each n-th read is an empty file."""

    n: int = 3
    seen: int = 0

    def after(self, data: bytes) -> bytes:
        self.seen += 1
        return data if self.seen % self.n else b""


FAULTS: dict[str, type[BusFault]] = {
    "vanish": Vanish,
    "every_nth_error": EveryNthError,
    "slow": Slow,
    "hang": Hang,
    "bit_flip": BitFlip,
}


class SimulatedOneWire:
    """The bus, with the kernel's driver in front of each sensor."""

    def __init__(self) -> None:
        self._places: dict[str, _Place] = {}

    def attach(self, identity: str, part: OneWirePart) -> None:
        self._places[identity] = _Place(part)

    def __contains__(self, identity: object) -> bool:
        return identity in self._places

    def fault(self, identity: str, fault: BusFault | None) -> None:
        """Let something go wrong on the way to a sensor, or (None) right again."""
        place = self._places[identity]
        before, place.fault = place.fault, fault or BusFault()
        before.lifted.set()

    def names(self) -> bytes:
        """The ids that the kernel knows."""
        return "\n".join(
            name for name, place in self._places.items() if not isinstance(place.fault, Vanish)
        ).encode()

    def text(self, identity: str, give_up: GiveUp) -> bytes:
        """What ``w1_slave`` says. ``give_up`` ends a wait on a fault."""
        place = self._places.get(identity)
        if place is None:
            raise FileNotFoundError(errno.ENOENT, "no such sensor")
        fault = place.fault
        fault.before(0, give_up)
        with place.turn:
            scratchpad = fault.after(place.part.convert())
            return place.told(scratchpad) if scratchpad else b""

    def close(self) -> None:
        """Lift every fault, so that nobody hangs on a bus that is gone. Idempotent."""
        for place in self._places.values():
            place.fault.lifted.set()


class _Place:
    def __init__(self, part: OneWirePart) -> None:
        self.part = part
        self.fault = BusFault()
        self.turn = threading.Lock()
        self._last_good = bytes(9)

    def told(self, scratchpad: bytes) -> bytes:
        crc = crc8(scratchpad[:8])
        is_good = crc == scratchpad[8]
        if is_good:
            self._last_good = scratchpad
        code = int.from_bytes(scratchpad[:2], "little", signed=True)
        return (
            f"{scratchpad.hex(' ')} : crc={crc:02x} {'YES' if is_good else 'NO'}\n"
            f"{self._last_good.hex(' ')} t={code * 1000 // 16}\n"
        ).encode()


def crc8(data: bytes) -> int:
    """Dallas/Maxim's checksum, x⁸ + x⁵ + x⁴ + 1, a bit at a time (application note 27).

    >>> hex(crc8(bytes.fromhex("021cb801000000")))
    '0xa2'
    """
    rest = 0
    for byte in data:
        for _ in range(8):
            mixed = (rest ^ byte) & 1
            rest >>= 1
            if mixed:
                rest ^= 0x8C
            byte >>= 1
    return rest
