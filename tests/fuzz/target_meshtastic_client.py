"""What a client may send to a simulated Meshtastic radio: frames, messages, orders."""

from __future__ import annotations

from radio_air.clients import framed, to_everybody
from radio_air.town import Town

from kiezbox.hardware.simulated.meshtastic_client import Client
from kiezbox.hardware.simulated.meshtastic_protobufs import protobufs

SLOW = 40

_town = Town("a", "b", preset="SHORT_FAST")
_client = Client(_town.radios["a"])


def SEEDS() -> list[bytes]:
    pb = protobufs()
    order = pb.admin.AdminMessage()
    order.set_config.lora.region = 3
    channel = pb.admin.AdminMessage()
    channel.set_channel.index = 1
    channel.set_channel.settings.name = "Kiez"
    seeds = [
        framed(pb.mesh.ToRadio(want_config_id=5).SerializeToString()),
        bytes.fromhex("94c300023a00"),
        to_everybody(300, b"payload", 7),
        to_everybody(1, b"text", 8),
    ]
    for message in (order, channel):
        packet = pb.mesh.MeshPacket(to=0x101, id=9, want_ack=True)
        packet.decoded.portnum = 6
        packet.decoded.payload = message.SerializeToString()
        seeds.append(framed(pb.mesh.ToRadio(packet=packet).SerializeToString()))
    return seeds


def one(data: bytes) -> None:
    _client.received(data)
    for _ in range(300):
        if _client.next_frame() is None:
            break
    _town.pass_time(0.5)
    # A frame's length swallows what follows; the next input begins anew.
    _client.begin()
    assert _town.radios["a"].outbox.free >= 0
    assert len(_town.radios["a"].kept.nodes) <= 100
    _town.readers["b"].packets.clear()
