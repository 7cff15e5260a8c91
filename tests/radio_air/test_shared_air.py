"""Who hears whom, and what is lost on the way."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

from kiezbox.airtime import PRESETS
from kiezbox.hardware.simulated.air import Air, Tuning
from kiezbox.hardware.simulated.air_agenda import Agenda
from kiezbox.hardware.simulated.air_paths import Distances, Links, Paths, needed_snr_db

EU = Tuning("EU_868", PRESETS["LONG_FAST"])


@dataclass
class Ear:
    name: str
    tuning: Tuning | None = EU
    packets: list[bytes] = field(default_factory=list)
    busy_s: float = 0.0

    def heard(self, packet: bytes, rssi_dbm: float, snr_db: float) -> None:
        self.packets.append(packet)

    def noticed(self, airtime_s: float) -> None:
        self.busy_s += airtime_s


def an_air(*ears: Ear, paths: Paths | None = None) -> tuple[Agenda, Air]:
    agenda = Agenda()
    air = Air(agenda, paths or Links(), random.Random(1))
    for ear in ears:
        air.join(ear)
    return agenda, air


def nothing() -> None:
    pass


def test_a_packet_arrives_when_all_of_it_was_sent() -> None:
    """559 ms for 43 bytes with LongFast: the firmware's own log says so (meshtastic.md)."""
    a, b = Ear("a"), Ear("b")
    agenda, air = an_air(a, b)

    seconds = air.send(a, bytes(43), nothing)
    agenda.run_until(0.5585)
    before = list(b.packets)
    agenda.run_until(0.5595)

    assert round(seconds * 1000) == 559
    assert (before, b.packets, a.packets) == ([], [bytes(43)], [])


def test_two_at_once_spoil_each_other_and_are_noticed_all_the_same() -> None:
    a, b, c = Ear("a"), Ear("b"), Ear("c")
    agenda, air = an_air(a, b, c)

    air.send(a, bytes(43), nothing)
    agenda.run_until(0.4)
    air.send(b, bytes(43), nothing)
    agenda.run_until(5)

    assert (a.packets, b.packets, c.packets) == ([], [], [])
    assert round(c.busy_s, 3) == round(2 * 0.559, 3)


def test_one_that_is_six_decibels_stronger_is_received_all_the_same() -> None:
    """Places whose distances differ by more than a factor of two, without shadows."""
    paths = Distances(
        {"near": (0.0, 0.0), "far": (400.0, 0.0), "ear": (20.0, 0.0)}, shadow_db=0, fading_db=0
    )
    near, far, ear = Ear("near"), Ear("far"), Ear("ear")
    agenda, air = an_air(near, far, ear, paths=paths)

    air.send(near, b"near" * 5, nothing)
    air.send(far, b"far!" * 5, nothing)
    agenda.run_until(5)

    assert ear.packets == [b"near" * 5]


def test_those_who_do_not_hear_each_other_collide_where_both_are_heard() -> None:
    """The hidden station: the channel is free for either, and busy between them."""
    paths = Links({("a", "m"): 0.0, ("b", "m"): 0.0}, others=1.0)
    a, b, middle = Ear("a"), Ear("b"), Ear("m")
    agenda, air = an_air(a, b, middle, paths=paths)

    air.send(a, bytes(43), nothing)
    agenda.run_until(0.2)
    is_busy = (air.is_busy_for(b), air.is_busy_for(middle))
    air.send(b, bytes(43), nothing)
    agenda.run_until(5)

    assert is_busy == (False, True)
    assert middle.packets == []


def test_a_packet_whose_sender_loses_its_power_is_heard_by_nobody() -> None:
    a, b = Ear("a"), Ear("b")
    agenda, air = an_air(a, b)

    air.send(a, bytes(43), nothing)
    agenda.run_until(0.3)
    air.leave(a)
    agenda.run_until(5)

    assert b.packets == []


def test_a_channel_is_free_for_a_moment_after_somebody_began() -> None:
    a, b = Ear("a"), Ear("b")
    agenda, air = an_air(a, b)

    air.send(a, bytes(43), nothing)
    at_once = air.is_busy_for(b)
    agenda.run_until(2 * 2048 / 250_000 + 1e-6)

    assert (at_once, air.is_busy_for(b)) == (False, True)


def test_a_radio_on_another_preset_neither_hears_nor_disturbs() -> None:
    a, b = Ear("a"), Ear("b")
    other = Ear("other", Tuning("EU_868", PRESETS["SHORT_FAST"]))
    agenda, air = an_air(a, b, other)

    air.send(a, bytes(43), nothing)
    air.send(other, bytes(43), nothing)
    agenda.run_until(5)

    assert (len(b.packets), other.packets, a.packets) == (1, [], [])


def test_a_table_of_losses_loses_so_many() -> None:
    a, b = Ear("a"), Ear("b")
    agenda, air = an_air(a, b, paths=Links({("a", "b"): 0.2}))

    for _ in range(1000):
        air.send(a, bytes(20), nothing)
        agenda.run_until(agenda.now + 1)

    # Three standard deviations of a binomial distribution (0.0126 each).
    assert 0.762 < len(b.packets) / 1000 < 0.838


def test_the_same_seed_gives_the_same_air() -> None:
    def run() -> list[tuple[str, ...]]:
        a, b, c = Ear("a"), Ear("b"), Ear("c")
        agenda, air = an_air(a, b, c, paths=Links(others=0.5))
        for _ in range(50):
            air.send(a, bytes(20), nothing)
            agenda.run_until(agenda.now + 1)
        return [each.heard_by for each in air.recorded]

    assert run() == run()


def test_with_distance_less_arrives_and_a_slower_preset_reaches_farther() -> None:
    """Semtech's table: each spreading factor more needs 2.5 dB less."""
    places = {"a": (0.0, 0.0)} | {
        f"{metres}": (float(metres), 0.0) for metres in range(10, 1000, 10)
    }
    reached = {}
    for preset in ("SHORT_FAST", "MEDIUM_FAST", "LONG_FAST"):
        tuning = Tuning("EU_868", PRESETS[preset])
        ears = [Ear(name, tuning) for name in places]
        agenda, air = an_air(*ears, paths=Distances(places, shadow_db=0, fading_db=0))
        air.send(ears[0], bytes(20), nothing)
        agenda.run_until(10)
        reached[preset] = max(int(ear.name) for ear in ears[1:] if ear.packets)

    assert reached["SHORT_FAST"] < reached["MEDIUM_FAST"] < reached["LONG_FAST"]
    assert needed_snr_db(PRESETS["SHORT_FAST"]) - needed_snr_db(PRESETS["LONG_FAST"]) == 10
    # 10 dB more are a factor of 10^(10 / 20.8) in distance (exponent 2.08), to steps of 10 m.
    assert abs(reached["LONG_FAST"] / reached["SHORT_FAST"] - 10 ** (10 / 20.8)) < 0.15
