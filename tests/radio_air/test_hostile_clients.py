"""Whatever a client, or the air, says: a radio keeps its wits, and its memory."""

from __future__ import annotations

import random
import socket

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from radio_air.clients import Plain, framed, to_everybody, until
from radio_air.town import Town

from kiezbox.hardware.simulated.meshtastic_air import MeshtasticAir
from kiezbox.hardware.simulated.meshtastic_client import Client
from kiezbox.hardware.simulated.meshtastic_stream import Deframer

HEARTBEAT = bytes.fromhex("94c300023a00")


@pytest.mark.parametrize(
    "noise",
    [
        b"\xc3" * 32, b"\x94", b"\x94\x94", b"\x94\xc3\xff\xff", b"\x94\xc3\x02\x01" + bytes(40),
        b"AT\r\n", bytes(600), b"\x94\xc3\x00\x00",
    ],
)  # fmt: skip
def test_after_noise_the_next_frame_is_understood(noise: bytes) -> None:
    """0x0201 is 513, one more than a frame may have."""
    messages = list(Deframer().feed(noise + HEARTBEAT))

    assert messages[-1:] == [b"\x3a\x00"]


def test_a_frame_of_512_bytes_is_the_largest() -> None:
    assert list(Deframer().feed(framed(bytes(512)))) == [bytes(512)]
    assert list(Deframer().feed(framed(b"\x01" * 513))) == []


@given(st.binary(max_size=3000), st.integers(1, 700))
@settings(max_examples=100)
def test_bytes_in_any_pieces_are_bounded_and_raise_nothing(data: bytes, piece: int) -> None:
    deframer = Deframer()
    whole = list(Deframer().feed(data))
    pieces = []
    for at in range(0, len(data), piece):
        pieces += deframer.feed(data[at : at + piece])
        assert len(deframer._held) <= 516

    assert pieces == whole


@given(st.lists(st.binary(max_size=512), max_size=8))
@settings(max_examples=100)
def test_any_message_leaves_the_radio_as_it_was(messages: list[bytes]) -> None:
    town = Town("a")
    client = Client(town.radios["a"])

    client.received(b"".join(framed(each) for each in messages))
    client.received(framed(client.pb.mesh.ToRadio(want_config_id=5).SerializeToString()))
    frames = []
    while frame := client.next_frame():
        frames.append(frame)

    assert len(frames) > 30


def test_a_message_with_any_byte_changed_leaves_the_radio_as_it_was() -> None:
    town = Town("a", "b", preset="SHORT_FAST")
    client = Client(town.radios["a"])
    chance = random.Random(1)
    good = to_everybody(300, b"payload", 7)
    for at in range(len(good)):
        spoiled = bytearray(good)
        spoiled[at] = chance.randrange(256)
        client.received(bytes(spoiled) + bytes(512))
        town.pass_time(1)
    client.received(framed(b""))

    client.received(to_everybody(300, b"still here", 0x7654321))
    town.pass_time(10)

    assert b"still here" in town.readers["b"].payloads()


@given(
    st.integers(0, 2**32 - 1), st.integers(0, 2**32 - 1), st.integers(0, 2**32 - 1),
    st.integers(0, 127), st.integers(0, 511), st.binary(max_size=237), st.booleans(),
)  # fmt: skip
@settings(max_examples=100)
def test_any_packet_of_a_client_is_sent_refused_or_dropped(
    to: int, channel: int, hops: int, priority: int, port: int, payload: bytes, want_ack: bool
) -> None:
    town = Town("a", "b", preset="SHORT_FAST")
    client = Client(town.radios["a"])
    packet = client.pb.mesh.MeshPacket(
        to=to, channel=channel, hop_limit=hops, want_ack=want_ack, id=hops
    )
    packet.priority = priority
    packet.decoded.portnum = port
    packet.decoded.payload = payload

    client.received(framed(client.pb.mesh.ToRadio(packet=packet).SerializeToString()))
    town.pass_time(60)

    assert town.radios["a"].outbox.free == 16
    assert not town.radios["a"]._pending


@given(st.binary(max_size=300))
@settings(max_examples=100)
def test_any_bytes_from_the_air_are_dropped_or_relayed(data: bytes) -> None:
    town = Town("a", preset="SHORT_FAST")

    town.radios["a"].heard(data, -90.0, 5.0)
    town.pass_time(10)

    assert len(town.air.recorded) <= 1


@given(st.binary(max_size=230))
@settings(max_examples=100)
def test_any_order_of_a_client_leaves_the_radio_in_reach(payload: bytes) -> None:
    town = Town("a")
    client = Client(town.radios["a"])
    packet = client.pb.mesh.MeshPacket(to=0x101, id=9, want_ack=True)
    packet.decoded.portnum = 6  # settings
    packet.decoded.payload = payload
    packet.decoded.want_response = True

    client.received(framed(client.pb.mesh.ToRadio(packet=packet).SerializeToString()))
    client.received(framed(client.pb.mesh.ToRadio(want_config_id=5).SerializeToString()))

    assert client.next_frame() is not None


@pytest.mark.parametrize(
    ("index", "name", "psk", "role"),
    [(8, "x", b"", 2), (-1, "x", b"", 2), (1, "x" * 12, b"", 2), (1, "x", bytes(33), 2),
     (0, "x", b"", 0)],
)  # fmt: skip
def test_a_channel_that_no_radio_has_is_not_taken(
    index: int, name: str, psk: bytes, role: int
) -> None:
    """Eight channels, names of eleven bytes, keys of 32, and a first one that is the primary."""
    kept = Town("a").radios["a"].kept
    channel = kept.pb.channel.Channel(index=index, role=role)
    channel.settings.name, channel.settings.psk = name, psk
    before = [each.SerializeToString() for each in kept.channels]

    assert kept.set_channel(channel) is False
    assert [each.SerializeToString() for each in kept.channels] == before


def test_settings_that_make_no_sense_silence_no_radio() -> None:
    town = Town("a")
    lora = town.radios["a"].kept.config.lora
    lora.use_preset, lora.bandwidth, lora.spread_factor, lora.coding_rate = False, 60_000, 99, 99
    lora.hop_limit = 99
    assert town.send("a", b"x") == 0
    lora.spread_factor = 7
    assert town.send("a", b"x") == 0
    town.pass_time(30)

    assert len(town.air.recorded) == 2


def test_who_connects_and_never_reads_stops_nobody(kiez: MeshtasticAir) -> None:
    radio, other = kiez.add("north", tcp=0), kiez.add("south", tcp=0)
    assert radio.address is not None and other.address is not None
    with socket.create_connection(radio.address, timeout=5) as deaf:
        ask = framed(bytes.fromhex("18c0c407"))
        deaf.setblocking(False)
        sent = 0
        try:
            while sent < 2_000_000:
                sent += deaf.send(ask * 200)
        except BlockingIOError:
            pass
        with Plain(other.address) as plain:
            plain.ask(1)
            plain.send(to_everybody(300, b"x", 5))
            until(lambda: any(each.heard_by for each in kiez.recorded()), "the other is served")


def test_two_hundred_who_come_and_go_leave_nothing_behind(kiez: MeshtasticAir) -> None:
    radio = kiez.add("north", tcp=0)
    assert radio.address is not None
    for index in range(200):
        with socket.create_connection(radio.address, timeout=5) as plain:
            plain.sendall(b"\x94\xc3" * (index % 7) + HEARTBEAT)
    with Plain(radio.address) as plain:
        plain.ask(1)

    # The listener, the wake-up, and no more than the last client.
    until(lambda: len(kiez.loop._selector.get_map()) <= 3, "the connections are closed")
