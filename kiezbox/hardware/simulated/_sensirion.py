"""What Sensirion's I²C chips have in common: commands, and words with a checksum each.

A write is a command (16 bits, for some chips 8) and words for it, each followed by its CRC-8. The
chip then works for a while and acknowledges nothing; after that a read gives the words of the
answer, each followed by its CRC-8. A chip with nothing to say does not acknowledge a read.
Modelled: that, and what breaks in any such chip. Not modelled: clock stretching, that some chips
take a new command while they work, the general call reset.
Source: Sensirion, data sheets of SHT3x-DIS (sections 4.1 and 4.12), SCD4x (3.3 and 3.11), SGP40
(3.1 and 4.6), which say the same of all of them; the checksum's printed examples are in the tests.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import ClassVar, NamedTuple

from kiezbox.hardware.simulated import _chip
from kiezbox.hardware.simulated._chip import SimulatedChip, nack

__all__ = ["FAULTS", "RAW_FAULTS", "Done", "SensirionChip", "checked", "crc", "nack", "words"]

#: What can go wrong inside any of them (what goes wrong on the bus is ``simulated.bus.FAULTS``).
FAULTS = {
    "silence": "no acknowledge: unplugged; plugged in again it starts from power-on",
    "wrong_crc": "the last bit of every checksum is wrong",
    **_chip.FAULTS,
}

#: Two more, for chips of which no true answer looks like that.
RAW_FAULTS = {
    "raw_zero": "every word reads 0x0000, with the checksum that belongs to it",
    "raw_ones": "every word reads 0xFFFF, with the checksum that belongs to it",
}

#: The words of an answer, or how to come by them once the chip has done its work.
Reply = Sequence[int] | Callable[[], Sequence[int]]


class Done(NamedTuple):
    """What a command comes to: so long the chip works, then it can be read."""

    takes_s: float = 0.0
    reply: Reply | None = None


def crc(word: bytes) -> int:
    """The checksum: CRC-8, polynomial 0x31, start 0xFF, nothing reflected, nothing added.

    >>> hex(crc(bytes((0xBE, 0xEF))))
    '0x92'
    """
    rest = 0xFF
    for byte in word:
        rest ^= byte
        for _ in range(8):
            rest = rest << 1 ^ (0x131 if rest & 0x80 else 0)
    return rest


def checked(*values: int) -> bytes:
    """Words (16 bits, big endian), each followed by its checksum.

    >>> checked(0xBEEF).hex()
    'beef92'
    """
    return b"".join(
        word + bytes((crc(word),)) for word in (value.to_bytes(2, "big") for value in values)
    )


def words(data: bytes) -> list[int] | None:
    """The words of bytes with checksums; None where a checksum is wrong or a piece is missing."""
    triples = [data[n : n + 3] for n in range(0, len(data), 3)]
    if any(len(each) < 3 or crc(each[:2]) != each[2] for each in triples):
        return None
    return [int.from_bytes(each[:2], "big") for each in triples]


class SensirionChip(SimulatedChip):
    """A chip of commands and words. A subclass says what each command does in ``carry_out``.

    ``fault`` is what is wrong with the chip, one of ``FAULTS``. A subclass may have more of them.
    """

    FAULTS: ClassVar[dict[str, str]] = FAULTS
    #: The length of a command: 2, and 1 for the SHT4x.
    COMMAND_BYTES: ClassVar[int] = 2

    def __init__(self, *, clock: Callable[[], float] = time.monotonic, seed: int = 1) -> None:
        """``clock`` may run faster than real time: then the chip works so much faster."""
        super().__init__(clock, seed)
        self.clock = clock
        #: Every command that was carried out, in its order.
        self.commands: list[int] = []
        #: Unplugged, as by a gap in a recording.
        self.is_away = False
        self.power_cycle()

    # --- what a subclass says -----------------------------------------------------------------

    def carry_out(self, command: int, arguments: list[int]) -> Done:
        """Do what the command says.

        Raises:
            OSError: ``nack()``, where the chip would not acknowledge: no such command, not now.
        """
        raise NotImplementedError

    def start(self) -> None:
        """The supply has come: all settings are those of power-on."""

    # --- from outside -------------------------------------------------------------------------

    def power_cycle(self) -> None:
        """The supply was away."""
        self._free_at = float("-inf")
        self._reply: Reply | None = None
        self.start()

    # --- the bus's side -----------------------------------------------------------------------

    def write(self, data: bytes) -> None:
        """A command with its words; no bytes at all is a driver looking for a device."""
        self._answer()
        if not data:
            return
        arguments = words(data[self.COMMAND_BYTES :])
        if len(data) < self.COMMAND_BYTES or arguments is None:
            raise nack()  # half a command, or a wrong checksum: it is not carried out
        command = int.from_bytes(data[: self.COMMAND_BYTES], "big")
        self._reply = None
        done = self.carry_out(command, arguments)
        self.commands.append(command)
        self._free_at = self.clock() + done.takes_s
        self._reply = done.reply

    def read(self, count: int) -> bytes:
        """The answer to the last command, once."""
        self._answer()
        reply, self._reply = self._reply, None
        if reply is None:
            raise nack()
        said = reply() if callable(reply) else reply
        if self._fault in RAW_FAULTS:
            said = [0 if self._fault == "raw_zero" else 0xFFFF] * len(said)
        data = checked(*said)[:count]
        if self._fault == "wrong_crc":
            return bytes(byte ^ (n % 3 == 2) for n, byte in enumerate(data))
        return self._spoilt(data)

    def _answer(self) -> None:
        if self.is_away or self._fault == "silence" or self.clock() < self._free_at:
            raise nack()
