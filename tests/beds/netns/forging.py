"""Frames that no honest guest sends, written by hand: RFC 894, 791, 768, 793, 2131, 8200."""

from __future__ import annotations

import ipaddress
import os
import random
import socket
import struct
from collections.abc import Iterable

BROADCAST = b"\xff" * 6


def packet_socket(interface: str = "wlan0") -> socket.socket:
    """Takes whole Ethernet frames; to be opened inside a guest's network."""
    found = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
    found.bind((interface, 0))
    return found


def send(frames: Iterable[bytes], through: socket.socket) -> int:
    """As fast as it goes; how many."""
    count = 0
    for frame in frames:
        through.send(frame)
        count += 1
    return count


def hardware(text: str) -> bytes:
    return bytes.fromhex(text.replace(":", ""))


def checksum(data: bytes) -> int:
    """RFC 1071."""
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def ethernet(source: bytes, to: bytes, packet: bytes) -> bytes:
    kind = 0x0800 if packet[0] >> 4 == 4 else 0x86DD
    return to + source + struct.pack("!H", kind) + packet


def ip(source: str, to: str, protocol: int, payload: bytes) -> bytes:
    """Either family; transport checksums are put in where they belong."""
    here, there = ipaddress.ip_address(source).packed, ipaddress.ip_address(to).packed
    at = {6: 16, 17: 6}[protocol]
    pseudo = here + there + struct.pack("!IHBB", len(payload), 0, 0, protocol)
    found = checksum(pseudo + payload)
    payload = payload[:at] + struct.pack("!H", found) + payload[at + 2 :]
    if len(here) == 16:
        return struct.pack("!IHBB", 6 << 28, len(payload), protocol, 64) + here + there + payload
    head = (
        struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(payload), 1, 0, 64, protocol, 0) + here + there
    )
    return head[:10] + struct.pack("!H", checksum(head)) + head[12:] + payload


def udp(port: int, to_port: int, data: bytes) -> bytes:
    return struct.pack("!HHHH", port, to_port, 8 + len(data), 0) + data


def tcp_syn(port: int, to_port: int) -> bytes:
    number = random.randrange(1 << 32)
    return struct.pack("!HHIIBBHHH", port, to_port, number, 0, 5 << 4, 2, 64240, 0, 0)


def tcp_ack(port: int, to_port: int) -> bytes:
    """A piece from the middle of a connection that there never was."""
    return struct.pack("!HHIIBBHHH", port, to_port, 1, 1, 5 << 4, 16, 64240, 0, 0)


def dhcp_discover(source: bytes, client: bytes, identifier: bytes = b"") -> bytes:
    """A frame that asks for an address at once (rapid commit, RFC 4039)."""
    options = b"\x35\x01\x01" + b"\x50\x00"
    if identifier:
        options += bytes([61, len(identifier)]) + identifier
    packet = ip("0.0.0.0", "255.255.255.255", 17, udp(68, 67, dhcp(client, options)))
    return ethernet(source, BROADCAST, packet)


def dhcp_release(source: bytes, client: bytes, address: str, box: bytes, server: str) -> bytes:
    """A frame that gives the client's address back."""
    here = ipaddress.ip_address(server).packed
    message = dhcp(client, b"\x35\x01\x07\x36\x04" + here, address)
    return ethernet(source, box, ip(address, server, 17, udp(68, 67, message)))


def dhcp(client: bytes, options: bytes, address: str = "0.0.0.0") -> bytes:
    """A client's message (RFC 2131, section 2)."""
    head = struct.pack("!BBBBIHH", 1, 1, 6, 0, random.randrange(1 << 32), 0, 0x8000)
    addresses = ipaddress.ip_address(address).packed + bytes(12)
    return head + addresses + client + bytes(202) + b"\x63\x82\x53\x63" + options + b"\xff"


def arp_claim(source: bytes, address: str, to: bytes = BROADCAST) -> bytes:
    """A frame that says: this address is mine (RFC 826, a reply nobody asked for)."""
    own = ipaddress.ip_address(address).packed
    message = struct.pack("!HHBBH", 1, 0x0800, 6, 4, 2) + source + own + to + own
    return to + source + struct.pack("!H", 0x0806) + message


def station() -> bytes:
    """An invented hardware address: locally administered, of one station."""
    return b"\x06" + os.urandom(5)
