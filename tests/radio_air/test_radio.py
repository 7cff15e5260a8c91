"""A radio as firmware 2.7.26 was seen to behave (shared reference "meshtastic"), without client."""

from __future__ import annotations

import random

import pytest
from radio_air.town import Town, in_a_line, until

from kiezbox.hardware.simulated.air_packet import AirPacket
from kiezbox.hardware.simulated.air_paths import Links

EVERYBODY = 0xFFFF_FFFF


def test_what_one_says_the_other_reads() -> None:
    town = Town("a", "b")

    assert town.send("a", b"hello") == 0
    town.pass_time(10)

    assert town.readers["b"].payloads() == [b"hello"]
    assert town.readers["a"].payloads() == []


def test_on_the_air_nobody_reads_what_is_said() -> None:
    town = Town("a", "b")

    town.send("a", b"a secret of the Kiez")
    town.pass_time(10)

    assert all(b"secret" not in each.packet for each in town.air.recorded)


@pytest.mark.parametrize(
    ("length", "airtime_ms", "preset"),
    [
        (20, 559, "LONG_FAST"), (50, 805, "LONG_FAST"), (200, 1911, "LONG_FAST"),
        (20, 160, "MEDIUM_FAST"), (50, 232, "MEDIUM_FAST"), (100, 345, "MEDIUM_FAST"),
        (200, 570, "MEDIUM_FAST"), (20, 48, "SHORT_FAST"), (200, 181, "SHORT_FAST"),
    ],
)  # fmt: skip
def test_a_private_packet_is_on_the_air_as_long_as_the_table_says(
    length: int, airtime_ms: int, preset: str
) -> None:
    """The table of "LoRa figures" in the reference, payloads at PRIVATE_APP."""
    town = Town("a", preset=preset)

    town.send("a", bytes(length), port=256)
    town.pass_time(10)

    assert abs(1000 * town.air.recorded[0].airtime_s - airtime_ms) < 0.6


def test_in_a_line_of_three_the_one_in_the_middle_relays() -> None:
    """A's broadcast reaches C with hop_limit 2 and B's last byte as relay_node."""
    town = Town("a", "b", "c", paths=in_a_line("a", "b", "c"))

    town.send("a", b"hello")
    town.pass_time(20)

    (told,) = [each for each in town.readers["c"].packets if each.decoded.portnum == 300]
    assert (told.hop_limit, told.hop_start, told.relay_node) == (2, 3, 0x02)
    assert getattr(told, "from") == 0x101


def test_after_three_hops_a_packet_goes_no_further() -> None:
    names = ("a", "b", "c", "d", "e", "f")
    town = Town(*names, paths=in_a_line(*names))

    town.send("a", b"hello")
    town.pass_time(60)

    assert [bool(town.readers[name].payloads()) for name in names[1:]] == [True] * 4 + [False]


def test_with_the_same_seed_the_same_words_take_the_same_way() -> None:
    def run(seed: int) -> list[tuple[float, str, tuple[str, ...]]]:
        town = Town(*"abcdef", paths=Links(others=0.3), seed=seed)
        for name in "abcabc":
            town.send(name, name.encode() * 50)
            town.pass_time(3)
        return [(each.at, each.sender, each.heard_by) for each in town.air.recorded]

    assert run(1) == run(1) != run(2)


def test_each_radio_sends_a_packet_on_once_at_most() -> None:
    names = tuple("abcdefgh")
    town = Town(*names)

    town.send("a", b"hello")
    town.pass_time(60)

    assert all(len(town.sent_by(name)) <= 1 for name in names)
    assert all(town.readers[name].payloads() == [b"hello"] for name in names[1:])


def test_who_hears_another_relay_does_not_relay_himself() -> None:
    """So among eight that all hear each other, few transmissions are made, and not eight."""
    counts = []
    for seed in range(10):
        town = Town(*"abcdefgh", seed=seed)
        town.send("a", b"hello")
        town.pass_time(60)
        counts.append(len(town.air.recorded))

    assert sum(counts) / 10 < 4


def test_a_packet_for_one_is_acknowledged_by_it_and_by_nobody_else() -> None:
    town = Town("a", "b", "c")

    town.send("a", b"for b", "b", want_ack=True, packet_id=77)
    town.pass_time(30)

    assert town.readers["b"].payloads() == [b"for b"]
    assert town.readers["c"].payloads() == []
    assert (0x102, 77, 0) in town.readers["a"].routing()
    own = [AirPacket.unpack(each.packet) for each in town.sent_by("a")]
    assert [each.id for each in own if each and each.sender == 0x101] == [77]


def test_a_relay_by_a_neighbour_counts_as_an_acknowledgement_from_oneself() -> None:
    """Measured: a packet for a node that does not exist was "acknowledged", and never refused."""
    town = Town("a", "b")

    town.send("a", b"for nobody", 0x999, want_ack=True, packet_id=77)
    town.pass_time(60)

    assert town.readers["a"].routing() == [(0x101, 77, 0)]


def test_the_destination_acknowledges_after_the_neighbour_that_relays() -> None:
    town = Town("a", "b", "c", paths=in_a_line("a", "b", "c"))

    town.send("a", b"for c", "c", want_ack=True, packet_id=77)
    town.pass_time(60)

    assert town.readers["a"].routing() == [(0x101, 77, 0), (0x103, 77, 0)]


def test_without_a_neighbour_it_tries_three_times_and_gives_up() -> None:
    """Measured with LongFast: three transmissions about 7 s apart, refused after 22 to 23 s."""
    town = Town("a", "b", paths=Links(others=1.0))

    town.send("a", bytes(20), "b", want_ack=True, packet_id=77)
    took_s = until(town, lambda: bool(town.readers["a"].routing()))

    times = [each.at for each in town.sent_by("a")]
    assert len(times) == 3
    assert all(6.5 < after - before < 8 for before, after in zip(times, times[1:], strict=False))
    assert town.readers["a"].routing() == [(0x101, 77, 5)]
    assert 21 < took_s < 24


def test_an_acknowledgement_that_was_lost_is_sent_again() -> None:
    town = Town("a", "b", paths=Links({("b", "a"): 0.6}))

    for packet_id in range(100, 130):
        town.send("a", bytes(20), "b", want_ack=True, packet_id=packet_id)
        town.pass_time(40)

    payloads, routing = town.readers["b"].payloads(), town.readers["a"].routing()
    assert len(payloads) == 30, "a repeated packet is told once"
    assert len(town.sent_by("b")) > 30
    # 1 - 0.6^3 = 0.78 of thirty
    assert 15 < sum(sender == 0x102 for sender, _, _ in routing) < 30


def test_a_broadcast_does_not_ask_for_acknowledgement_on_the_air() -> None:
    town = Town("a", "b")

    town.send("a", b"all", want_ack=True, packet_id=77)
    town.pass_time(30)

    packet = AirPacket.unpack(town.sent_by("a")[0].packet)
    assert packet is not None and not packet.want_ack
    assert town.readers["a"].routing() == [(0x101, 77, 0)]


@pytest.mark.parametrize(("port", "most"), [(256, 231), (300, 231), (1, 232)])
def test_the_largest_payload_is_the_firmwares(port: int, most: int) -> None:
    """Measured: PRIVATE_APP 231, text 232; one more is TOO_LARGE (7)."""
    town = Town("a", preset="SHORT_FAST")

    assert town.send("a", bytes(most), port=port) == 0
    assert town.send("a", bytes(most + 1), port=port, packet_id=78) == 7
    assert town.readers["a"].routing() == [(0x101, 78, 7)]


def test_above_its_share_of_an_hour_a_radio_refuses_to_send_and_says_so() -> None:
    """Region UA_868 (1 %, 36 s of an hour): error 9, a refusal, a notice with the minutes."""
    town = Town("a", "b", region="UA_868")

    results = []
    for index in range(40):
        results.append(town.send("a", bytes(200), packet_id=1000 + index))
        town.pass_time(5)

    refused = results.index(9)
    sent_s = sum(each.airtime_s for each in town.sent_by("a"))
    assert set(results[refused:]) == {9}
    assert 36 < sent_s < 36 + 2
    assert town.readers["a"].routing()[0] == (0x101, 1000 + refused, 9)
    assert "Duty cycle limit exceeded. You can send again in" in town.readers["a"].notices[0]


def test_a_radio_that_was_refused_may_send_when_the_minutes_have_passed() -> None:
    town = Town("a", region="UA_868")
    while town.send("a", bytes(200)) != 9:
        town.pass_time(5)
    minutes = int(town.readers["a"].notices[-1].rsplit("in ", 1)[1].split()[0])

    town.pass_time(60 * (minutes - 2))
    early = town.send("a", bytes(20))
    town.pass_time(60 * 3)

    assert (early, town.send("a", bytes(20))) == (9, 0)


def test_above_its_share_a_radio_hears_on_and_relays_in_silence_no_more() -> None:
    town = Town("a", "b", "c", paths=in_a_line("a", "b", "c"), region="UA_868")
    town.radios["a"].kept.config.device.role = 1  # CLIENT_MUTE: spends nothing on what b says
    while town.send("b", bytes(200)) != 9:
        town.pass_time(5)
    town.pass_time(60)  # what c relays of it would collide with a, which c does not hear
    town.readers["c"].packets.clear()
    notices = len(town.readers["b"].notices)

    town.send("a", b"hello")
    town.pass_time(20)

    assert b"hello" in town.readers["b"].payloads()
    assert town.readers["c"].payloads() == []
    assert len(town.readers["b"].notices) == notices


def test_a_radio_without_a_region_is_silent_and_deaf() -> None:
    town = Town("a", "b")
    town.radios["a"].kept.config.lora.region = 0

    result = town.send("a", b"hello")
    town.send("b", b"hello")
    town.pass_time(10)

    assert result == 34  # ERRNO_DISABLED
    assert town.sent_by("a") == [] and town.readers["a"].payloads() == []


def test_two_channels_are_kept_apart_and_relayed_all_the_same() -> None:
    town = Town("a", "b", "c", paths=in_a_line("a", "b", "c"))
    for name in ("a", "c"):
        kept = town.radios[name].kept
        settings = kept.pb.channel.ChannelSettings(name="Kiez", psk=bytes(range(32)))
        assert kept.set_channel(kept.pb.channel.Channel(index=1, role=2, settings=settings))

    town.send("a", b"among us", channel=1)
    town.pass_time(20)

    assert town.readers["b"].payloads() == []
    (told,) = [each for each in town.readers["c"].packets if each.decoded.portnum == 300]
    assert (told.channel, told.decoded.payload) == (1, b"among us")


def test_a_channel_that_is_not_there_is_refused() -> None:
    town = Town("a")

    assert town.send("a", b"x", channel=5, packet_id=7) == 6
    assert town.readers["a"].routing() == [(0x101, 7, 6)]


def test_seventeen_at_once_are_one_too_many_and_the_least_urgent_gives_way() -> None:
    town = Town("a")

    results = [town.send("a", bytes(200), priority=70) for _ in range(17)]
    urgent = town.send("a", b"!", priority=100, packet_id=99)
    town.pass_time(60)

    assert results == [0] * 16 + [32]
    assert urgent == 0
    first = AirPacket.unpack(town.sent_by("a")[0].packet)
    assert first is not None and first.id == 99
    assert len(town.air.recorded) == 16


def test_channel_utilization_and_own_airtime_are_what_was_on_the_air() -> None:
    town = Town("a", "b")
    for _ in range(10):
        town.send("a", bytes(100))
        town.pass_time(5)

    now = town.agenda.now
    on_air = sum(each.airtime_s for each in town.air.recorded)
    own = sum(each.airtime_s for each in town.sent_by("b"))
    recent = sum(each.airtime_s for each in town.air.recorded if each.at > now - 50)
    assert abs(town.radios["b"].count.sent_share(now) - own / 3600) < 1e-9
    assert on_air and abs(town.radios["b"].count.busy_share(now) - recent / 60) < 0.05


def test_what_a_radio_says_of_its_hour_is_what_the_recorded_air_says() -> None:
    """Three busy hours of six radios with loss; after each quarter of an hour the last sixty
    minutes are counted anew from the record, minute by minute as the firmware does.
    """
    town = Town(*"abcdef", paths=Links(others=0.2), preset="MEDIUM_FAST")
    chance = random.Random(5)
    for _ in range(12):
        for _ in range(60):
            town.send(chance.choice("abcdef"), bytes(chance.randrange(20, 200)))
            town.pass_time(15)
        now = town.agenda.now
        for name, radio in town.radios.items():
            recent = [each for each in town.sent_by(name) if each.at // 60 > now // 60 - 60]
            on_air = sum(each.airtime_s for each in recent) / 3600
            assert abs(radio.count.sent_share(now) - on_air) < 0.6 / 3600, "but for one on its way"


def test_no_hour_has_more_than_the_law_and_what_was_queued_when_it_was_reached() -> None:
    """The firmware looks at its hour when a packet is queued; sixteen may wait then."""
    town = Town("a", region="UA_868", preset="SHORT_FAST")
    for _ in range(3 * 360):
        for _ in range(4):
            town.send("a", bytes(200))
        town.pass_time(10)

    sent = [(each.at, each.airtime_s) for each in town.sent_by("a")]
    most = max(sum(s for at, s in sent if 0 <= at - begin < 3540) for begin, _ in sent[::20])
    assert len(sent) > 400
    assert 36 < most < 36 + 17 * max(s for _, s in sent)


def test_a_restart_forgets_the_hour_and_what_waited() -> None:
    town = Town("a", region="UA_868")
    while town.send("a", bytes(200)) != 9:
        town.pass_time(5)

    town.radios["a"].switch_off()
    town.radios["a"].switch_on()

    assert town.radios["a"].count.sent_share(town.agenda.now) == 0
    assert town.send("a", bytes(200)) == 0


def test_who_is_asked_for_settings_from_afar_refuses() -> None:
    town = Town("a", "b")
    radio = town.radios["a"]
    ask = radio.pb.admin.AdminMessage(get_owner_request=True).SerializeToString()
    data = radio.pb.mesh.Data(portnum=6, payload=ask, want_response=True)

    radio.send(data, 0x102, packet_id=5)
    town.pass_time(20)

    assert town.readers["a"].routing()[-1] == (0x102, 5, 33)  # NOT_AUTHORIZED


def test_nodes_that_say_who_they_are_become_known_and_memory_stays_bounded() -> None:
    town = Town("a", "b")
    town.radios["a"].send_node_info()
    town.pass_time(20)
    known = town.radios["b"].kept.nodes[0x101]

    for number in range(0x1000, 0x2000):
        town.radios["b"].heard(AirPacket(EVERYBODY, number, 9, 0, 3, False, 8, b"?").pack(), -90, 5)

    assert (known.user.id, known.user.long_name) == ("!00000101", "a")
    assert len(town.radios["b"].kept.nodes) < 100
