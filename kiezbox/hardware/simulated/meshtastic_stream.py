"""Meshtastic's frames on a cable or a connection: 0x94 0xC3, length (high byte first), message.

What lies between frames is noise, or the 0xC3 by which a client wakes a radio; a length above 512
is noise, too (Meshtastic's "Client API", streaming version).
"""

from __future__ import annotations

from collections.abc import Iterator

__all__ = ["MOST_BYTES", "Deframer", "frame"]

START1, START2 = 0x94, 0xC3
HEADER_BYTES = 4
MOST_BYTES = 512


def frame(message: bytes) -> bytes:
    """The bytes to send.

    >>> frame(bytes.fromhex("18c0c407")).hex()
    '94c3000418c0c407'
    """
    return bytes((START1, START2)) + len(message).to_bytes(2, "big") + message


class Deframer:
    """Takes bytes in any pieces, gives messages. Holds 516 bytes at most."""

    def __init__(self) -> None:
        self._held = bytearray()

    def feed(self, data: bytes) -> Iterator[bytes]:
        """The messages that are complete now. Iterate to the end."""
        for byte in data:
            self._held.append(byte)
            if not self._is_plausible():
                # The byte that spoiled it may itself begin the next frame.
                self._held[:] = bytes((START1,)) if byte == START1 else b""
                continue
            if len(self._held) < HEADER_BYTES:
                continue
            if len(self._held) == HEADER_BYTES + int.from_bytes(self._held[2:4], "big"):
                message = bytes(self._held[HEADER_BYTES:])
                self._held.clear()
                yield message

    def _is_plausible(self) -> bool:
        held = self._held
        match len(held):
            case 1:
                return held[0] == START1
            case 2:
                return held[1] == START2
            case 4:
                return int.from_bytes(held[2:4], "big") <= MOST_BYTES
        return True
