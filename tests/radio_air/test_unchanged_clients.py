"""The package ``meshtastic``, unchanged, finds no difference to a radio (by what was measured)."""

from __future__ import annotations

import re
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from radio_air.clients import Inbox, Plain, talk, to_everybody, until

from kiezbox.airtime import PRESETS, airtime_s
from kiezbox.hardware.simulated import meshtastic_ports
from kiezbox.hardware.simulated.meshtastic_air import MeshtasticAir

Connect = Callable[..., Any]

#: The order of a lone node's first words (measured, firmware 2.7.26).
ORDER = (
    ["my_info", "deviceuiConfig", "node_info", "metadata"] + 8 * ["channel"] + 10 * ["config"]
    + 13 * ["moduleConfig"] + ["config_complete_id"]
)  # fmt: skip


def test_a_text_goes_from_one_client_to_the_other(
    kiez: MeshtasticAir, inbox: Inbox, connect: Connect
) -> None:
    north, south = kiez.add("north", tcp=0), kiez.add("south", tcp=0)
    one, other = connect(north), connect(south)

    one.sendText("Wärme im Kiez")

    (told,) = until(lambda: inbox.of(other, "TEXT_MESSAGE_APP"), "the text arrives")
    assert told["decoded"]["text"] == "Wärme im Kiez"
    assert (told["from"], told["hopLimit"], told["hopStart"]) == (north.number, 3, 3)
    assert inbox.of(one, "TEXT_MESSAGE_APP") == [], "a client is not told its own words"


def test_our_port_carries_two_hundred_bytes_and_the_destination_acknowledges(
    kiez: MeshtasticAir, inbox: Inbox, connect: Connect
) -> None:
    north, south, east = (kiez.add(name, tcp=0) for name in ("north", "south", "east"))
    one, other, third = connect(north), connect(south), connect(east)

    sent = one.sendData(bytes(range(200)), south.number, portNum=300, wantAck=True)

    (told,) = until(lambda: inbox.of(other, 300), "the frame arrives")
    until(lambda: (south.number, "NONE") in inbox.routing(one, sent.id), "the destination says so")
    assert told["decoded"]["payload"] == bytes(range(200))
    assert inbox.of(third, 300) == []


def test_a_client_on_a_serial_cable_is_served_alike(
    kiez: MeshtasticAir, inbox: Inbox, connect: Connect, tmp_path: Path
) -> None:
    cable = str(tmp_path / "ttyUSB0")
    north, south = kiez.add("north", terminal=cable), kiez.add("south", tcp=0)
    one, other = connect(north, terminal=cable), connect(south)

    one.sendText("by cable")
    until(lambda: inbox.of(other, "TEXT_MESSAGE_APP"), "the text arrives")
    other.sendText("back")

    until(lambda: inbox.of(one, "TEXT_MESSAGE_APP"), "the answer arrives")
    assert one.myInfo.my_node_num == north.number


def test_the_first_words_come_in_the_order_of_a_real_radio(kiez: MeshtasticAir) -> None:
    messages = talk(kiez, bytes.fromhex("94c3000418c0c407"), "config_complete_id")

    assert [each.WhichOneof("payload_variant") for each in messages] == ORDER
    assert messages[-1].config_complete_id == 123456
    assert [each.config.WhichOneof("payload_variant") for each in messages[12:22]] == [
        "device", "position", "power", "network", "display", "lora", "bluetooth", "security",
        "sessionkey", "device_ui",
    ]  # fmt: skip


def test_a_heartbeat_is_answered_with_the_queue(kiez: MeshtasticAir) -> None:
    """``94c300023a00``, as the library sends it every 300 s."""
    messages = talk(kiez, bytes.fromhex("94c3000418c0c40794c300023a00"), "queueStatus")

    status = messages[-1].queueStatus
    assert (status.res, status.free, status.maxlen, status.mesh_packet_id) == (0, 16, 16, 0)


def test_nothing_is_said_before_the_client_has_asked(kiez: MeshtasticAir) -> None:
    radio = kiez.add("north", tcp=0)
    assert radio.address is not None
    with socket.create_connection(radio.address, timeout=5) as plain:
        plain.sendall(b"\xc3" * 32 + bytes.fromhex("94c300023a00"))
        radio.ask(lambda each: each.client.tell_metrics())
        plain.settimeout(0.3)
        with pytest.raises(TimeoutError):
            plain.recv(1)


def test_each_minute_the_client_is_told_how_busy_the_air_is(
    kiez: MeshtasticAir, inbox: Inbox, connect: Connect
) -> None:
    radio = kiez.add("north", tcp=0)
    client = connect(radio)
    client.sendData(bytes(200), portNum=300)

    told = until(lambda: inbox.of(client, "TELEMETRY_APP"), "the minute's metrics")[0]

    metrics = told["decoded"]["telemetry"]["deviceMetrics"]
    on_air = sum(each.airtime_s for each in kiez.recorded())
    # Less what began after the metrics: nothing here but the radio's own NodeInfo, sent before.
    assert metrics["airUtilTx"] == pytest.approx(100 * on_air / 3600, rel=1e-3)
    assert metrics["channelUtilization"] > 0
    assert told["from"] == radio.number


def test_texts_come_two_seconds_apart_or_are_dropped_in_silence(
    kiez: MeshtasticAir, inbox: Inbox, connect: Connect
) -> None:
    """Measured: once per 2 s; the queue's status says 0 all the same. Seconds are the air's."""
    north, south = kiez.add("north", tcp=0), kiez.add("south", tcp=0)
    assert north.address is not None
    other = connect(south)
    with Plain(north.address) as plain:
        plain.ask(1)
        plain.send(to_everybody(1, b"first", 1) + to_everybody(1, b"too soon", 2))
        statuses = [plain.next("queueStatus").queueStatus for _ in range(2)]
        soon = north.ask(lambda each: each.agenda.now) + 2
        until(lambda: north.ask(lambda each: each.agenda.now) > soon, "two seconds of the air")
        plain.send(to_everybody(1, b"later", 3))
        until(lambda: len(inbox.of(other, "TEXT_MESSAGE_APP")) == 2, "two of the three texts")

    texts = [each["decoded"]["text"] for each in inbox.of(other, "TEXT_MESSAGE_APP")]
    assert texts == ["first", "later"]
    assert [(each.res, each.mesh_packet_id) for each in statuses] == [(0, 1), (0, 2)]


def test_our_own_port_is_not_throttled_and_an_id_counts_once(
    kiez: MeshtasticAir, inbox: Inbox, connect: Connect
) -> None:
    north, south = kiez.add("north", tcp=0), kiez.add("south", tcp=0)
    assert north.address is not None
    other = connect(south)
    with Plain(north.address) as plain:
        plain.ask(1)
        plain.send(
            to_everybody(300, b"a", 1) + to_everybody(300, b"b", 2) + to_everybody(300, b"a", 1)
        )
        plain.send(to_everybody(300, b"c", 3))
        until(lambda: len(inbox.of(other, 300)) == 3, "three of the four")

    assert [each["decoded"]["payload"] for each in inbox.of(other, 300)] == [b"a", b"b", b"c"]


def test_a_payload_that_is_too_large_is_refused(
    kiez: MeshtasticAir, inbox: Inbox, connect: Connect
) -> None:
    client = connect(kiez.add("north", tcp=0))

    sent = client.sendData(bytes(232), portNum=300)

    until(lambda: inbox.routing(client, sent.id), "the refusal")
    assert inbox.routing(client, sent.id) == [(client.myInfo.my_node_num, "TOO_LARGE")]


@pytest.mark.parametrize(
    ("payload", "channel", "is_over", "error"),
    [(b"x", 0, False, 0), (bytes(232), 0, False, 7), (b"x", 5, False, 6), (b"x", 0, True, 9)],
    ids=["queued", "too large", "no such channel", "no airtime left"],
)
def test_each_packet_is_answered_with_the_queues_status(
    kiez: MeshtasticAir, payload: bytes, channel: int, is_over: bool, error: int
) -> None:
    radio = kiez.add("north", tcp=0, says_who_it_is=False)
    assert radio.address is not None
    if is_over:
        radio.ask(lambda each: each.count.sent(each.agenda.now, 361))
    with Plain(radio.address) as plain:
        plain.ask(1)
        plain.send(to_everybody(300, payload, 77, channel=channel))
        status = plain.next("queueStatus").queueStatus

    assert (status.res, status.mesh_packet_id, status.maxlen) == (error, 77, 16)


def test_above_its_share_of_the_hour_the_client_is_told_three_times_over(
    kiez: MeshtasticAir, inbox: Inbox, connect: Connect
) -> None:
    radio = kiez.add("north", tcp=0, region="UA_868", says_who_it_is=False)
    client = connect(radio)
    # 36 s of an hour; as if it had been sent before.
    radio.ask(lambda each: each.count.sent(each.agenda.now, 36.1))

    sent = client.sendData(b"x", portNum=300)

    until(lambda: inbox.routing(client, sent.id), "the refusal")
    assert inbox.routing(client, sent.id) == [(radio.number, "DUTY_CYCLE_LIMIT")]
    until(lambda: inbox.notices, "the notice")
    # A minute may begin between the two.
    assert re.fullmatch(
        "Duty cycle limit exceeded. You can send again in (59|60) mins", inbox.notices[0]
    )
    assert kiez.recorded() == []


def test_without_a_neighbour_the_client_learns_that_nobody_answered(
    kiez: MeshtasticAir, inbox: Inbox, connect: Connect
) -> None:
    radio = kiez.add("north", tcp=0, preset="SHORT_FAST", says_who_it_is=False)
    client = connect(radio)

    sent = client.sendData(b"x", 0x999, portNum=300, wantAck=True)

    until(lambda: inbox.routing(client, sent.id), "the refusal")
    assert inbox.routing(client, sent.id) == [(radio.number, "MAX_RETRANSMIT")]
    assert len(kiez.recorded()) == 3


def test_of_twenty_packets_at_once_some_are_refused_and_it_is_said_when_there_is_room_again(
    kiez: MeshtasticAir,
) -> None:
    """Sixteen wait; 32 is the firmware's ERRNO_UNKNOWN. All twenty come as one piece."""
    radio = kiez.add("north", tcp=0, says_who_it_is=False)
    assert radio.address is not None
    answers, room = [], []
    with Plain(radio.address) as plain:
        plain.ask(1)
        plain.send(b"".join(to_everybody(300, bytes(100), 100 + each) for each in range(20)))
        while len(answers) < 20 or not room:
            status = plain.next("queueStatus").queueStatus
            (answers if status.mesh_packet_id else room).append(status)

    assert [each.mesh_packet_id for each in answers] == list(range(100, 120))
    assert [each.res for each in answers] == [0] * 16 + [32] * 4
    assert {each.free for each in answers if each.res} == {0}
    assert (room[0].res, room[0].free) == (0, 1)


def test_what_was_heard_while_no_client_was_there_waits_for_one(
    kiez: MeshtasticAir, inbox: Inbox, connect: Connect
) -> None:
    north, south = kiez.add("north", tcp=0), kiez.add("south", tcp=0)
    connect(north).sendText("to whom it may concern")
    until(lambda: any("south" in each.heard_by for each in kiez.recorded()), "it is heard")

    late = connect(south)

    until(lambda: inbox.of(late, "TEXT_MESSAGE_APP"), "the text that waited")


def test_a_second_client_takes_the_radio_from_the_first(kiez: MeshtasticAir) -> None:
    radio = kiez.add("north", tcp=0)
    assert radio.address is not None
    with Plain(radio.address) as first:
        first.ask(1)
        with Plain(radio.address) as second:
            second.ask(2)

            assert first.is_over()
            second.send(bytes.fromhex("94c300023a00"))
            assert second.next("queueStatus").queueStatus.free == 16


def test_a_client_that_says_nothing_for_a_quarter_of_an_hour_is_sent_away(
    kiez: MeshtasticAir, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of real time, so here a fifth of a second; looked at each minute of the air."""
    monkeypatch.setattr(meshtastic_ports, "IDLE_S", 0.2)
    radio = kiez.add("north", tcp=0)
    assert radio.address is not None
    with Plain(radio.address) as plain:
        assert plain.is_over()


def test_after_a_restart_the_radio_has_forgotten_its_hour_and_the_client_finds_it_again(
    kiez: MeshtasticAir, inbox: Inbox, connect: Connect
) -> None:
    radio = kiez.add("north", tcp=0)
    client = connect(radio)
    client.sendData(bytes(200), portNum=300)
    until(lambda: radio.ask(lambda each: each.count.sent_share(each.agenda.now)), "it has sent")

    client.localNode.reboot(0)

    until(lambda: radio.ask(lambda each: each.kept.reboots) == 2, "it restarts")
    again = connect(radio)
    assert again.myInfo.reboot_count == 2
    assert radio.ask(lambda each: each.count.sent_share(each.agenda.now)) == 0


def test_on_a_serial_cable_a_restart_is_said_and_the_client_stays(
    kiez: MeshtasticAir, inbox: Inbox, connect: Connect, tmp_path: Path
) -> None:
    cable = str(tmp_path / "ttyUSB0")
    radio = kiez.add("north", terminal=cable)
    client = connect(radio, terminal=cable)

    radio.reboot()

    until(
        lambda: inbox.events_of(client) == ["established", "lost", "established"],
        "the client starts over by itself",
    )
    assert client.myInfo.reboot_count == 2


def test_a_plug_that_is_pulled_is_noticed_and_one_that_is_put_back_works(
    kiez: MeshtasticAir, inbox: Inbox, connect: Connect, tmp_path: Path
) -> None:
    cable = str(tmp_path / "ttyUSB0")
    radio = kiez.add("north", terminal=cable)
    client = connect(radio, terminal=cable)

    radio.unplug()
    until(lambda: "lost" in inbox.events_of(client), "the loss is noticed")
    assert not Path(cable).exists()
    radio.plug_in()

    assert connect(radio, terminal=cable).myInfo.my_node_num == radio.number


def test_a_radio_that_is_off_refuses_and_neither_hears_nor_relays(
    kiez: MeshtasticAir, inbox: Inbox, connect: Connect
) -> None:
    north, south = kiez.add("north", tcp=0), kiez.add("south", tcp=0)
    client = connect(north)
    south.unplug()

    client.sendText("anybody?")
    (sent,) = until(kiez.recorded, "it is sent")

    assert sent.heard_by == ()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(south.address, timeout=5)


def test_a_radio_that_hangs_stays_connected_and_says_nothing(kiez: MeshtasticAir) -> None:
    radio = kiez.add("north", tcp=0)
    assert radio.address is not None
    with Plain(radio.address) as plain:
        plain.ask(1)
        radio.hang()
        plain.send(bytes.fromhex("94c300023a00"))
        plain.socket.settimeout(0.3)
        with pytest.raises(TimeoutError):
            plain.socket.recv(1)


def test_region_preset_and_a_channel_of_our_own_are_set_as_on_any_radio(
    kiez: MeshtasticAir, inbox: Inbox, connect: Connect
) -> None:
    radios = [kiez.add(name, tcp=0, region="UNSET") for name in ("north", "south")]
    clients = [connect(each) for each in radios]
    for client in clients:
        node = client.localNode
        node.localConfig.lora.region = 3  # EU_868
        node.localConfig.lora.modem_preset = 4  # MEDIUM_FAST
        node.writeConfig("lora")
        channel = node.channels[1]
        channel.role = 2
        channel.settings.name, channel.settings.psk = "Kiez", bytes(range(32))
        node.writeChannel(1)

    clients[0].sendData(b"among us", portNum=300, channelIndex=1)

    (told,) = until(lambda: inbox.of(clients[1], 300), "our own channel's frame")
    assert told["channel"] == 1
    sent = next(each for each in kiez.recorded() if len(each.packet) == 16 + 8 + 7)
    assert sent.airtime_s == airtime_s(31, PRESETS["MEDIUM_FAST"])
    assert connect(radios[0]).localNode.channels[1].settings.name == "Kiez"
