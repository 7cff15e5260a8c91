"""What unchanged clients were told, and a plain one that can do what the library does not."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from typing import Any

from kiezbox.hardware.simulated.meshtastic_air import MeshtasticAir

#: How fast time passes on the air.
SPEED = 20


class Inbox:
    """All that the library publishes. Its listeners are weakly held, so this object must live."""

    def __init__(self) -> None:
        self.packets: list[tuple[Any, dict[str, Any]]] = []
        self.events: list[tuple[str, Any]] = []
        self.notices: list[str] = []

    def on_packet(self, packet: dict[str, Any], interface: Any) -> None:
        self.packets.append((interface, packet))

    def on_established(self, interface: Any) -> None:
        self.events.append(("established", interface))

    def on_lost(self, interface: Any) -> None:
        self.events.append(("lost", interface))

    def on_notice(self, notification: Any, interface: Any) -> None:
        self.notices.append(notification.message)

    def of(self, client: Any, port: str | int) -> list[dict[str, Any]]:
        """What a client was given on a port, by the library's name of it."""
        return [
            packet
            for interface, packet in list(self.packets)
            if interface is client and packet.get("decoded", {}).get("portnum") == port
        ]

    def events_of(self, client: Any) -> list[str]:
        """Of this client alone: one that an earlier test has closed may be heard of only now."""
        return [name for name, interface in list(self.events) if interface is client]

    def routing(self, client: Any, packet_id: int) -> list[tuple[int, str]]:
        """(who says it, reason) about a packet."""
        return [
            (packet["from"], packet["decoded"]["routing"]["errorReason"])
            for packet in self.of(client, "ROUTING_APP")
            if packet["decoded"].get("requestId") == packet_id
        ]


def until(holds: Callable[[], Any], why: str, limit_s: float = 20.0) -> Any:
    """Wait for it, and give it."""
    end = time.monotonic() + limit_s
    while not (found := holds()):
        assert time.monotonic() < end, f"waited {limit_s} s: {why}"
        time.sleep(0.01)
    return found


class Plain:
    """A connection of which each frame is seen."""

    def __init__(self, address: tuple[str, int]) -> None:
        from kiezbox.hardware.simulated.meshtastic_protobufs import protobufs

        self.pb = protobufs()
        self.socket = socket.create_connection(address, timeout=10)
        self._file = self.socket.makefile("rb")

    def __enter__(self) -> Plain:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()
        self.socket.close()

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def ask(self, nonce: int) -> None:
        """The handshake, to its end."""
        message = self.pb.mesh.ToRadio(want_config_id=nonce).SerializeToString()
        self.send(framed(message))
        assert self.next("config_complete_id").config_complete_id == nonce

    def next(self, kind: str) -> Any:
        """The next message of that kind; others are passed over."""
        while True:
            message = self.read()
            if message.WhichOneof("payload_variant") == kind:
                return message

    def read(self) -> Any:
        head = self._file.read(4)
        assert head[:2] == b"\x94\xc3", head
        message = self.pb.mesh.FromRadio()
        message.ParseFromString(self._file.read(int.from_bytes(head[2:], "big")))
        return message

    def is_over(self) -> bool:
        """Whether the other side has closed."""
        try:
            return self._file.read(1) == b""
        except ConnectionResetError:
            return True


def framed(message: bytes) -> bytes:
    return b"\x94\xc3" + len(message).to_bytes(2, "big") + message


def to_everybody(port: int, payload: bytes, packet_id: int, channel: int = 0) -> bytes:
    from meshtastic.protobuf import mesh_pb2

    packet = mesh_pb2.MeshPacket(to=0xFFFFFFFF, id=packet_id, hop_limit=3, channel=channel)
    packet.decoded.portnum = port  # type: ignore[assignment]
    packet.decoded.payload = payload
    return framed(mesh_pb2.ToRadio(packet=packet).SerializeToString())


def talk(kiez: MeshtasticAir, said: bytes, last: str) -> list[Any]:
    """All frames that a radio answers with, up to the first of a kind."""
    radio = kiez.add("lone", tcp=0)
    assert radio.address is not None
    heard = []
    with Plain(radio.address) as plain:
        plain.send(said)
        while not heard or heard[-1].WhichOneof("payload_variant") != last:
            heard.append(plain.read())
    return heard
