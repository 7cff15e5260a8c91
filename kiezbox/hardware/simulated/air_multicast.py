"""Lets foreign programs join the simulated air by UDP multicast, as Meshtastic nodes on a LAN do.

Each datagram is a ``MeshPacket`` whose Data is encrypted (firmware 2.7's "Mesh via UDP", group
224.0.0.69, port 4403; ``mudp`` and ``vnode`` speak it). What comes from the group is sent on the
air by a station of its own, with all that this takes; what that station hears goes to the group.
Use it in a network namespace: on a real network it would talk to real radios.
"""

from __future__ import annotations

import random
import socket
from typing import Any

from kiezbox.airtime import PRESETS
from kiezbox.hardware.simulated.air import Air, Tuning
from kiezbox.hardware.simulated.air_loop import AirLoop
from kiezbox.hardware.simulated.air_packet import AirPacket
from kiezbox.hardware.simulated.meshtastic_count import AirCount
from kiezbox.hardware.simulated.meshtastic_outbox import Outbox
from kiezbox.hardware.simulated.meshtastic_protobufs import protobufs

__all__ = ["GROUP", "PORT", "Multicast"]

GROUP, PORT = "224.0.0.69", 4403


class Multicast:
    """A station on the air that is a multicast group; ``name`` is its name to the air's paths.

    Raises:
        OSError: the machine has no route for multicast, or may not use it.
    """

    def __init__(
        self, loop: AirLoop, air: Air, *, name: str = "multicast", region: str = "EU_868",
        preset: str = "LONG_FAST", seed: int = 1, group: str = GROUP, port: int = PORT,
    ) -> None:  # fmt: skip
        self.name = name
        self.tuning: Tuning | None = Tuning(region, PRESETS[preset])
        self.bad_datagrams = 0
        self._pb = protobufs()
        self._loop = loop
        self._air = air
        self._to = (group, port)
        self._sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._listener = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            self._sender.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, 1)
            self._sender.bind(("", 0))
            self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            self._listener.bind((group, port))
            member = socket.inet_aton(group) + socket.inet_aton("0.0.0.0")
            self._listener.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, member)
            self._listener.setblocking(False)
            self._sender.setblocking(False)
        except OSError:
            self._sender.close()
            self._listener.close()
            raise
        self._own_port = self._sender.getsockname()[1]

        def join() -> None:
            count, chance = AirCount(), random.Random(f"{seed} {name}")
            self._outbox = Outbox(air, self, count, chance, lambda: None)
            air.join(self)
            loop.watch(self._listener, self._ready)

        loop.call(join)

    def close(self) -> None:
        """Leave the air and the group."""

        def leave() -> None:
            self._air.leave(self)
            self._outbox.close()
            self._loop.unwatch(self._listener)

        self._loop.call(leave)
        self._listener.close()
        self._sender.close()

    def heard(self, packet: bytes, rssi_dbm: float, snr_db: float) -> None:
        """To the group."""
        read = AirPacket.unpack(packet)
        if read is None:
            return
        told = self._pb.mesh.MeshPacket(
            to=read.to, id=read.id, channel=read.channel, encrypted=read.body,
            hop_limit=read.hop_limit, hop_start=read.hop_start, want_ack=read.want_ack,
            via_mqtt=read.via_mqtt, next_hop=read.next_hop, relay_node=read.relay,
        )  # fmt: skip
        setattr(told, "from", read.sender)
        try:
            self._sender.sendto(told.SerializeToString(), self._to)
        except OSError:
            pass  # nobody there, or the network is gone: as on the air, it is lost

    def noticed(self, airtime_s: float) -> None:
        """It may not be sent by anybody's count."""

    def _ready(self, mask: int) -> None:
        try:
            data, (_, port) = self._listener.recvfrom(2048)
        except OSError:
            return
        if port == self._own_port:
            return
        said = self._pb.mesh.MeshPacket()
        try:
            said.ParseFromString(data)
        except Exception:  # DecodeError: anybody may send there
            self.bad_datagrams += 1
            return
        packet = self._on_air(said)
        # What does not fit on the air, or has no sender, is none.
        if packet is None or AirPacket.unpack(packet.pack()) is None:
            self.bad_datagrams += 1
            return
        self._outbox.put(packet, 64)

    @staticmethod
    def _on_air(said: Any) -> AirPacket | None:
        if not said.encrypted or max(said.hop_limit, said.hop_start) > 7 or said.channel > 0xFF:
            return None
        sender = getattr(said, "from")
        return AirPacket(
            said.to, sender, said.id, said.hop_limit, said.hop_start, said.want_ack, said.channel,
            said.encrypted, said.next_hop & 0xFF, said.relay_node & 0xFF or sender & 0xFF,
            said.via_mqtt,
        )  # fmt: skip
