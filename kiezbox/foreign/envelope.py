"""What lies around a message: Meshtastic's packet, and its stream over a cable.

The stream is ``94 C3``, a length of two bytes (the high one first, at most 512), and so many bytes
of a protocol buffer; whatever else stands on the line is a radio's debug text. The link to a radio
is another room's; this reads what somebody has recorded (``kiezbox foreign decode``, ``take``), and
names the packets that Kiezbox 2.0 is sent and polled with.

Source: meshtastic.org, "Client API (Serial/TCP/BLE)"; the numbers of ``kiezbox_control`` in
AdminMessage and ModuleConfig are those of Kiezbox 2.0's firmware alone. Newer Meshtastic may use
them for something else: only for nodes that were heard on port 258.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from kiezbox.foreign import wire

__all__ = ["ADMIN_PORT", "EVERYBODY", "Packet", "config_of", "config_poll", "frames", "from_radio",
           "to_radio"]  # fmt: skip

#: Meshtastic's port for administrators, and its address of everybody.
ADMIN_PORT, EVERYBODY = 6, 0xFFFF_FFFF

_START = b"\x94\xc3"
_HEAD_BYTES = 4

#: Of AdminMessage and ModuleConfig, as their firmware has them.
_GET_CONFIG, _CONFIG_ANSWER, _KIEZBOX_CONFIG, _KIEZBOX_CONTROL = 7, 8, 13, 14


@dataclass(frozen=True, slots=True, kw_only=True)
class Packet:
    """A MeshPacket that the radio has decrypted. ``channel``: its index at this radio."""

    sender: int
    to: int
    port: int
    payload: bytes
    channel: int = 0
    id: int = 0
    #: By the clock of the radio that heard it, Unix seconds; 0: it has none.
    heard_at: int = 0
    rssi_dbm: int | None = None
    snr_db: float | None = None
    hop_limit: int = 0
    wants_response: bool = False


def frames(stream: bytes) -> Iterator[bytes]:
    """The protocol buffers in what was recorded from a cable; a last one that was cut is left out.

    >>> [frame.hex() for frame in frames(bytes.fromhex("0d0a94c3000240011b94c3"))]
    ['4001']
    """
    at = stream.find(_START)
    while at >= 0 and at + _HEAD_BYTES <= len(stream):
        size = int.from_bytes(stream[at + 2 : at + 4], "big")
        end = at + _HEAD_BYTES + size
        if size > wire.MOST_BYTES:
            # No length: the two bytes stood there by chance.
            end = at + 2
        elif end > len(stream):
            end = at + 2
        else:
            yield stream[at + _HEAD_BYTES : end]
        at = stream.find(_START, end)


def from_radio(frame: bytes) -> Packet | None:
    """The packet in a FromRadio, None if it carries something else.

    Raises:
        BadMessage: it cannot be read.
    """
    return _packet_in(frame, 2)


def to_radio(frame: bytes) -> Packet | None:
    """The packet in a ToRadio, None if it carries something else.

    Raises:
        BadMessage: it cannot be read.
    """
    return _packet_in(frame, 1)


def _packet_in(frame: bytes, number: int) -> Packet | None:
    for found in wire.fields(frame):
        if found.number == number and isinstance(found.value, bytes) and found.type == wire.LENGTH:
            return _packet(found.value)
    return None


def _packet(data: bytes) -> Packet | None:
    numbers, inner = _sorted(data)
    if 4 not in inner:
        # Encrypted with a key that this radio has not.
        return None
    told, bodies = _sorted(inner[4])
    snr, rssi = numbers.get(8), numbers.get(12)
    return Packet(
        sender=numbers.get(1, 0) & EVERYBODY,
        to=numbers.get(2, 0) & EVERYBODY,
        port=told.get(1, 0),
        payload=bodies.get(2, b""),
        channel=numbers.get(3, 0),
        id=numbers.get(6, 0) & EVERYBODY,
        heard_at=numbers.get(7, 0) & EVERYBODY,
        rssi_dbm=None if rssi is None else wire.signed32(rssi),
        snr_db=None if snr is None else _float(snr),
        hop_limit=numbers.get(9, 0),
        wants_response=wire.boolean(told.get(3, 0)),
    )


def _sorted(data: bytes) -> tuple[dict[int, int], dict[int, bytes]]:
    """Numbers and bodies by field number, the last of several."""
    numbers: dict[int, int] = {}
    bodies: dict[int, bytes] = {}
    for number, _, value in wire.fields(data):
        if isinstance(value, int):
            numbers[number] = value
        else:
            bodies[number] = value
    return numbers, bodies


def _float(bits: int) -> float | None:
    (value,) = struct.unpack("<f", struct.pack("<I", bits & EVERYBODY))
    return float(value) if abs(value) < 1000 else None


def config_poll() -> bytes:
    """Payload for ``ADMIN_PORT`` that asks a node of Kiezbox 2.0 for its settings; the packet must
    want a response.
    """
    return wire.put_varint(_GET_CONFIG, _KIEZBOX_CONFIG)


def config_of(payload: bytes) -> bytes | None:
    """The KiezboxControlConfig in a payload of ``ADMIN_PORT``, for ``decode_config``; None if there
    is none.

    Raises:
        BadMessage: it cannot be read.
    """
    answer = _sorted(payload)[1].get(_CONFIG_ANSWER)
    return None if answer is None else _sorted(answer)[1].get(_KIEZBOX_CONTROL)
