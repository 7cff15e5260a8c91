"""A packet as it is on the air: sixteen bytes of header in the clear, then the encrypted Data.

=======  =====  =============================================================
offset   bytes  field (numbers: low byte first)
=======  =====  =============================================================
0        4      to: a node's number, or 0xFFFFFFFF for everybody
4        4      from
8        4      id, of the sender's choice
12       1      flags: hop limit (bits 0-2), wants an acknowledgement (3),
                came by MQTT (4), hop limit at the start (5-7)
13       1      the channel's hash; 0 for a message to one node's own key
14       1      next hop: last byte of the node that shall relay it, 0: any
15       1      relay: last byte of the node that sends it now
=======  =====  =============================================================

Source: Meshtastic firmware 2.7, ``PacketHeader`` in ``RadioInterface.h``.
"""

from __future__ import annotations

import struct
from typing import NamedTuple

__all__ = ["BROADCAST", "HEADER_BYTES", "MOST_BYTES", "AirPacket"]

BROADCAST = 0xFFFF_FFFF
HEADER_BYTES = 16
#: The largest packet that a LoRa chip sends.
MOST_BYTES = 255

_HEADER = struct.Struct("<IIIBBBB")
WANT_ACK, VIA_MQTT = 0x08, 0x10


class AirPacket(NamedTuple):
    """``body``: the Data as it is sent, encrypted unless the channel has no key."""

    to: int
    sender: int
    id: int
    hop_limit: int
    hop_start: int
    want_ack: bool
    channel: int
    body: bytes
    next_hop: int = 0
    relay: int = 0
    via_mqtt: bool = False

    @property
    def key(self) -> tuple[int, int]:
        """By this, a packet that comes again is known."""
        return self.sender, self.id

    @property
    def is_broadcast(self) -> bool:
        return self.to == BROADCAST

    def pack(self) -> bytes:
        """The bytes on the air.

        >>> AirPacket(BROADCAST, 0x0A0B0C0D, 1, 3, 3, True, 8, b"?", relay=13).pack().hex()
        'ffffffff0d0c0b0a010000006b08000d3f'
        """
        flags = self.hop_limit | self.hop_start << 5
        flags |= (WANT_ACK if self.want_ack else 0) | (VIA_MQTT if self.via_mqtt else 0)
        head = (self.to, self.sender, self.id, flags, self.channel, self.next_hop, self.relay)
        return _HEADER.pack(*head) + self.body

    @classmethod
    def unpack(cls, data: bytes) -> AirPacket | None:
        """None for what no radio sends: too short, too long, or from nobody."""
        if not HEADER_BYTES <= len(data) <= MOST_BYTES:
            return None
        to, sender, number, flags, channel, next_hop, relay = _HEADER.unpack_from(data)
        if sender in (0, BROADCAST):
            return None
        return cls(
            to, sender, number, flags & 7, flags >> 5, bool(flags & WANT_ACK), channel,
            data[HEADER_BYTES:], next_hop, relay, bool(flags & VIA_MQTT),
        )  # fmt: skip
