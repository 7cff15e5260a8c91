"""Meshtastic's packets, by the definitions and the stream of its own library."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiezbox.foreign.envelope import config_of, config_poll, frames, from_radio, to_radio

pytest.importorskip("meshtastic", reason="skipped, because Meshtastic's library is not installed")

from meshtastic.protobuf import admin_pb2, mesh_pb2  # noqa: E402

UINT32 = st.integers(0, 2**32 - 1)


@st.composite
def packets(draw: st.DrawFn) -> mesh_pb2.MeshPacket:
    packet = mesh_pb2.MeshPacket(
        to=draw(UINT32),
        channel=draw(st.integers(0, 7)),
        id=draw(UINT32),
        rx_time=draw(UINT32),
        rx_snr=draw(st.floats(-30, 30, width=32)),
        hop_limit=draw(st.integers(0, 7)),
        rx_rssi=draw(st.integers(-200, -1)),
        priority=draw(st.sampled_from([10, 64, 70])),
        decoded=mesh_pb2.Data(
            portnum=draw(st.sampled_from([1, 6, 67, 258, 300])),
            payload=draw(st.binary(max_size=233)),
            want_response=draw(st.booleans()),
            request_id=draw(UINT32),
        ),
    )
    setattr(packet, "from", draw(UINT32))
    return packet


@given(packets(), st.booleans())
def test_a_packet_of_the_library_s_is_read_as_it_was_made(
    made: mesh_pb2.MeshPacket, is_heard: bool
) -> None:
    whole = mesh_pb2.FromRadio(id=7, packet=made) if is_heard else mesh_pb2.ToRadio(packet=made)

    found = (from_radio if is_heard else to_radio)(whole.SerializeToString())

    assert found is not None
    assert (found.sender, found.to, found.id) == (getattr(made, "from"), made.to, made.id)
    assert (found.port, found.payload) == (made.decoded.portnum, made.decoded.payload)
    assert (found.channel, found.hop_limit, found.heard_at) == (
        made.channel, made.hop_limit, made.rx_time,
    )  # fmt: skip
    assert found.rssi_dbm == made.rx_rssi
    assert (found.snr_db or 0.0) == made.rx_snr
    assert found.wants_response == made.decoded.want_response


def test_what_a_radio_cannot_decrypt_is_no_message() -> None:
    packet = mesh_pb2.MeshPacket(to=1, encrypted=b"\x01" * 40)

    assert from_radio(mesh_pb2.FromRadio(packet=packet).SerializeToString()) is None


@given(st.lists(st.binary(min_size=0, max_size=512), max_size=6), st.sampled_from([b"", b"ok\r\n"]))
def test_frames_are_found_between_debug_text(bodies: list[bytes], text: bytes) -> None:
    """Framed as StreamInterface._sendToRadioImpl does it: 94 C3, the length in two bytes."""
    stream = b"".join(
        text + b"\x94\xc3" + bytes((len(body) >> 8, len(body) & 255)) + body for body in bodies
    )

    assert list(frames(stream)) == bodies


def test_the_poll_is_a_request_for_a_module_s_settings() -> None:
    """The number 13 is Kiezbox 2.0's own; in Meshtastic's definitions it may be nobody's, or
    another's.
    """
    asked = admin_pb2.AdminMessage.FromString(config_poll())

    assert asked.WhichOneof("payload_variant") == "get_module_config_request"
    assert asked.get_module_config_request == 13


def test_other_answers_of_an_administrator_s_port_are_none_of_ours() -> None:
    answer = admin_pb2.AdminMessage()
    answer.get_module_config_response.mqtt.enabled = True

    assert config_of(answer.SerializeToString()) is None
    assert config_of(admin_pb2.AdminMessage(get_owner_request=True).SerializeToString()) is None
