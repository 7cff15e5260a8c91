"""What goes to the radio and comes from it, as plain values, and what it costs of the air."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

__all__ = ["BROADCAST", "TRIES", "Heard", "Neighbour", "Outgoing", "firmware_of", "on_air_bytes"]

BROADCAST = 0xFFFF_FFFF

#: What wants an acknowledgement is sent so often, at most (firmware: NUM_RELIABLE_RETX).
TRIES = 3

#: Meshtastic's header; its Data message around a payload at a port of two bytes, with bitfield;
#: nonce and tag of a packet that is encrypted for one node; what firmware 2.8 signs broadcasts
#: with, as long as the payload is no longer than this.
_HEADER_BYTES, _DATA_BYTES, _DIRECT_BYTES = 16, 7, 12
_SIGNATURE_BYTES, _SIGNED_MOST = 66, 165


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A frame to send. ``priority`` as in ``records.Priority``; ``hops``: how often others relay it
    at most; ``told``: for one node alone, and with an acknowledgement: how it went ("delivered", or
    why not), called once, in the link's thread.
    """

    payload: bytes
    priority: int
    hops: int = 0
    to: int = BROADCAST
    told: Callable[[str], None] | None = None


class Heard(NamedTuple):
    """A frame that came. ``sender``: the node's number, as the packet says and nobody vouches for;
    ``hops``: how often it was relayed; ``is_direct``: for this node alone.
    """

    payload: bytes
    sender: int
    snr_db: float
    rssi_dbm: int
    hops: int
    is_direct: bool


class Neighbour(NamedTuple):
    """A node that was heard, when (Unix seconds), and how well."""

    number: int
    heard_at: float
    snr_db: float
    rssi_dbm: int
    hops: int


def firmware_of(version: str) -> tuple[int, int]:
    """The first two numbers of a radio's version; what cannot be read is the newest.

    >>> firmware_of("2.7.26.54e0d8d"), firmware_of("?")
    ((2, 7), (99, 0))
    """
    try:
        major, minor = version.split(".")[:2]
        return int(major), int(minor)
    except ValueError:
        return 99, 0


def on_air_bytes(
    payload_bytes: int, firmware: tuple[int, int] = (2, 7), *, is_direct: bool = False
) -> int:
    """All bytes of a packet with such a payload at our port (Meshtastic's mesh.proto; measured on
    firmware 2.7.26).

    >>> on_air_bytes(89), on_air_bytes(200), on_air_bytes(89, (2, 8)), on_air_bytes(170, (2, 8))
    (112, 224, 178, 194)
    """
    # A length above 127 takes two bytes (protobuf's varint).
    size = _HEADER_BYTES + _DATA_BYTES + (payload_bytes > 127) + payload_bytes
    if is_direct:
        return size + _DIRECT_BYTES
    is_signed = firmware >= (2, 8) and payload_bytes <= _SIGNED_MOST
    return size + is_signed * _SIGNATURE_BYTES
