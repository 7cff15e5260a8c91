"""What simulated I²C chips have in common: how one can be broken, and two ways to reach registers.

Nothing that a chip measures or computes is here, and nothing is shared with any driver.
"""

from __future__ import annotations

import errno
import random
from collections.abc import Callable
from typing import ClassVar

__all__ = ["FAULTS", "ByteRegisters", "SimulatedChip", "WordRegisters", "nack"]

#: What can go wrong with the bytes of any of them (on the bus: ``simulated.bus.FAULTS``).
FAULTS = {
    "garbage": "every byte read is any byte",
    "stuck_high": "the data line is never pulled down: every byte reads 0xFF",
    "stuck_low": "the data line is shorted to ground: every byte reads 0x00",
}


def nack() -> OSError:
    """The chip does not acknowledge: errno 121, as under Linux."""
    return OSError(errno.EREMOTEIO, "no acknowledge")


class SimulatedChip:
    """A chip that can be broken: ``fault`` is what is wrong with it, one of ``FAULTS``."""

    FAULTS: ClassVar[dict[str, str]] = FAULTS
    #: Faults in which it is without power now and then: mended, it starts from power-on.
    FORGETS: ClassVar[frozenset[str]] = frozenset({"silence"})

    def __init__(self, clock: Callable[[], float], seed: int) -> None:
        """``clock`` may run faster than real time: then the chip works so much faster."""
        self._clock = clock
        self._random = random.Random(seed)
        self._fault: str | None = None

    @property
    def fault(self) -> str | None:
        """One of ``FAULTS``, or None."""
        return self._fault

    @fault.setter
    def fault(self, kind: str | None) -> None:
        if kind is not None and kind not in self.FAULTS:
            raise ValueError(f"{kind!r} is not one of {', '.join(self.FAULTS)}")
        if self._fault in self.FORGETS:
            self.power_cycle()
        self._fault = kind

    def power_cycle(self) -> None:
        """The supply was away."""
        raise NotImplementedError

    def _spoilt(self, data: bytes) -> bytes:
        """What of an answer gets onto the bus."""
        if self._fault == "garbage":
            return self._random.randbytes(len(data))
        if self._fault in ("stuck_high", "stuck_low"):
            return (b"\xff" if self._fault == "stuck_high" else b"\x00") * len(data)
        return data


class _Registers(SimulatedChip):
    _pointer = 0

    def _answer(self) -> None:
        """Before each transaction. Raises OSError where the chip would not acknowledge."""
        raise NotImplementedError

    def _get(self, register: int) -> int:
        raise NotImplementedError

    def _put(self, register: int, value: int) -> None:
        raise NotImplementedError


class WordRegisters(_Registers):
    """Registers of 16 bits, high byte first, behind a pointer that stays where it was put (Texas
    Instruments SBOS448G 8.5.6, SBOS547B 6.5.5.3, SBAS444D "Writing to and reading from registers").
    """

    def write(self, data: bytes) -> None:
        """A register's number, and with two more bytes a value for it."""
        self._answer()
        if data:
            self._pointer = data[0]
        if len(data) >= 3:
            self._put(self._pointer, data[1] << 8 | data[2])

    def read(self, count: int) -> bytes:
        """The register under the pointer, again and again."""
        self._answer()
        word = self._get(self._pointer).to_bytes(2, "big")
        return self._spoilt((word * (count // 2 + 1))[:count])


class ByteRegisters(_Registers):
    """Registers of 8 bits, behind a pointer that moves along as they are read (Bosch
    BST-BME280-DS002 and BST-BME680-DS001, 6.2.1 and 6.2.2).
    """

    def write(self, data: bytes) -> None:
        """A register alone is where reading starts; else pairs of register and value."""
        self._answer()
        for n in range(0, len(data) - 1, 2):
            self._put(data[n], data[n + 1])
        if len(data) % 2:
            self._pointer = data[-1]

    def read(self, count: int) -> bytes:
        """Registers from the pointer on."""
        self._answer()
        data = bytes(self._get(self._pointer + n & 0xFF) for n in range(count))
        self._pointer = self._pointer + count & 0xFF
        return self._spoilt(data)
