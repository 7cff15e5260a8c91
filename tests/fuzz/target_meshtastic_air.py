"""What may come to a simulated Meshtastic radio from the air."""

from __future__ import annotations

from radio_air.town import Town

SLOW = 20

_town = Town("a", preset="SHORT_FAST")


def SEEDS() -> list[bytes]:
    town = Town("x", "a", preset="SHORT_FAST")
    town.send("x", b"hello")
    town.send("x", b"for you", "a", want_ack=True)
    town.radios["x"].send_node_info()
    town.pass_time(20)
    return [each.packet for each in town.air.recorded]


def one(data: bytes) -> None:
    _town.radios["a"].heard(data, -100.0, 5.0)
    _town.pass_time(0.5)
    assert len(_town.radios["a"].kept.nodes) <= 100
    assert len(_town.radios["a"]._seen) <= 400
    _town.readers["a"].packets.clear()
