"""Boxes that talk by radio: real logs and keys on disk, the unchanged Meshtastic library, simulated
radios on one air.
"""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from peers.boxes import Box, settled, wait_for

from kiezbox.clock import Clock, ScaledClock
from kiezbox.exchange.lora import Turns, lora_bearer
from kiezbox.frames import MOST_BYTES
from kiezbox.hardware.simulated.meshtastic_air import MeshtasticAir
from kiezbox.peers.home import Home
from kiezbox.radio.keys import channel_key
from kiezbox.radio.link import Link
from kiezbox.radio.packets import Heard, Outgoing
from kiezbox.radio.talk import Talk, boxes_of, fits, signers_of
from kiezbox.radio.wanted import Pace, Wanted
from kiezbox.radio.wire import Address
from kiezbox.records import Scope
from kiezbox.store.airtime_ledger import AirtimeLedger
from kiezbox.store.log import Draft

pytest.importorskip("meshtastic")

KEY = bytes(range(32))
PACE = Pace(ask_s=0.05, setting_s=0.05, retry_s=(0.1, 0.2), close_s=1.0)


#: So much faster do exchange and air run here than the test.
SPEED = 20.0


class Station:
    """A box with its radio; its talk is taken step by step, as the node's worker does."""

    def __init__(self, box: Box, air: MeshtasticAir, clock: Clock, key: bytes) -> None:
        self.box = box
        self.radio = air.add(box.name, tcp=0, says_who_it_is=False)
        assert self.radio.address is not None
        self.home = Home(box.settings, clock)
        self.ledger = AirtimeLedger(str(box.folder / "air"), 0.10, clock)
        wanted = Wanted("EU_868", "SHORT_FAST", 3, "Kiez", channel_key(key))
        self.link = Link(Address("", *self.radio.address), wanted, self.ledger, clock, pace=PACE)
        self.talk = Talk(
            box.name, self.home.sharing, lora_bearer(fits, self.link.airtime_s(MOST_BYTES)),
            self.link, Turns(random.Random(box.name)), key=key,
            members=boxes_of(box.settings.kiez.members, box.name),
            signers=signers_of(lambda: []), clock=clock, random=random.Random(box.name),
        )  # fmt: skip
        self.link.start()

    def close(self) -> None:
        self.link.close()
        self.home.close()


class Kiez:
    def __init__(self, air: MeshtasticAir, clock: Clock) -> None:
        self.air, self.clock = air, clock
        self.stations: list[Station] = []

    def add(self, *boxes: Box, key: bytes = KEY) -> list[Station]:
        made = [Station(box, self.air, self.clock, key) for box in boxes]
        self.stations += made
        wait_for(lambda: all(each.link.is_up for each in made), "all are set up")
        return made

    def until(self, what: object, why: str, limit_s: float = 30.0) -> None:
        def step() -> bool:
            for each in self.stations:
                each.talk.step()
            return bool(what())  # type: ignore[operator]

        wait_for(step, why, limit_s)


@pytest.fixture
def kiez() -> Iterator[Kiez]:
    clock = ScaledClock(SPEED, time.time())
    with MeshtasticAir(clock) as air:
        made = Kiez(air, clock)
        yield made
        for station in made.stations:
            station.close()


@pytest.fixture
def boxes(tmp_path: Path) -> list[Box]:
    return settled(tmp_path, "kb-a", "kb-b", "kb-c")


def test_a_post_is_in_the_other_box_in_one_packet(kiez: Kiez, boxes: list[Box]) -> None:
    kiez.add(*boxes[:2])

    boxes[0].post("Wasser gibt es am Platz, bis 18 Uhr")
    kiez.until(lambda: boxes[1].texts(), "it has come")

    assert boxes[1].texts() == {"Wasser gibt es am Platz, bis 18 Uhr"}
    first = [each for each in kiez.air.recorded() if each.sender == "kb-a"][0]
    assert len(first.packet) < 175
    assert kiez.stations[1].talk.counts["taken"] == 1


def test_what_was_posted_before_the_other_had_a_radio_is_found_by_digests(
    kiez: Kiez, boxes: list[Box]
) -> None:
    boxes[0].post("eins", "zwei")
    (a,) = kiez.add(boxes[0])
    kiez.until(lambda: a.talk.counts["sent: digest"] >= 1, "nobody hears what it has")

    kiez.add(boxes[1])
    kiez.until(lambda: len(boxes[1].texts()) == 2, "it has come", limit_s=60)

    assert kiez.stations[1].talk.counts["sent: want"] >= 1


def test_a_text_that_fits_no_packet_goes_in_blocks(kiez: Kiez, boxes: list[Box]) -> None:
    a, b = kiez.add(*boxes[:2])
    chance = random.Random(7)
    text = "".join(chr(chance.randrange(0x4E00, 0x9FA0)) for _ in range(250))

    boxes[0].post(text)
    kiez.until(lambda: boxes[1].texts(), "it has come")

    assert boxes[1].texts() == {text}
    assert b.talk.counts["heard: block"] >= 4
    assert all(len(each.packet) <= 224 for each in kiez.air.recorded())


def test_what_came_by_radio_is_handed_on_with_its_proof(kiez: Kiez, boxes: list[Box]) -> None:
    a, b = kiez.add(*boxes[:2])
    boxes[0].post("weiter")
    kiez.until(lambda: boxes[1].texts(), "b has it")
    a.link.close()
    a.radio.unplug()
    kiez.stations.remove(a)

    kiez.add(boxes[2])
    kiez.until(lambda: boxes[2].texts() == {"weiter"}, "c has it of b", limit_s=60)
    a.close()


def test_words_for_one_box_alone_are_never_on_the_air(kiez: Kiez, boxes: list[Box]) -> None:
    kiez.add(*boxes[:2])
    boxes[0].post("nur hier", scope=Scope.BOX)
    boxes[0].post("für alle")

    kiez.until(lambda: boxes[1].texts(), "one has come")

    assert boxes[1].texts() == {"für alle"}


def test_another_kiez_on_the_same_channel_is_not_understood(kiez: Kiez, tmp_path: Path) -> None:
    (tmp_path / "x").mkdir()
    ours, theirs = settled(tmp_path, "kb-a", "kb-b"), settled(tmp_path / "x", "kb-x")
    a, b = kiez.add(*ours)
    (x,) = kiez.add(theirs[0])
    theirs[0].post("fremd")

    kiez.until(lambda: x.talk.counts["sent: give"], "it is said")
    kiez.until(lambda: a.talk.counts["dropped: no record that can be read here"], "it is dropped")

    assert ours[0].texts() == set()


class Deaf:
    """A radio's place in a test: what is put in is heard, what is sent is kept."""

    channel_utilization = 0.0

    def __init__(self) -> None:
        self.waiting: list[Heard] = []
        self.sent: list[Outgoing] = []
        self.least_urgent = 6
        self.room = 1000

    @property
    def has_room(self) -> bool:
        return self.room > 0

    def airtime_s(self, payload_bytes: int) -> float:
        return 0.2

    def may_send(self, payload_bytes: int, priority: int) -> bool:
        return priority <= self.least_urgent

    def send(self, frame: Outgoing) -> bool:
        self.sent.append(frame)
        self.room -= 1
        return True

    def next_heard(self) -> Heard | None:
        return self.waiting.pop(0) if self.waiting else None

    def hear(self, payload: bytes, sender: int = 7) -> None:
        self.waiting.append(Heard(payload, sender, 5.0, -80, 0, False))


@pytest.fixture
def alone(boxes: list[Box]) -> Iterator[tuple[Box, Home, Deaf, Talk]]:
    box, air = boxes[1], Deaf()
    home = Home(box.settings, box.clock)
    yield box, home, air, talk_of(box, home, air)
    home.close()


def talk_of(box: Box, home: Home, air: Deaf) -> Talk:
    return Talk(
        box.name, home.sharing, lora_bearer(fits, 0.2), air, Turns(random.Random(2)), key=KEY,
        members=boxes_of(box.settings.kiez.members, box.name), signers=signers_of(lambda: []),
        clock=box.clock, random=random.Random(1),
    )  # fmt: skip


def frame_of(box: Box, text: str) -> bytes:
    from kiezbox.frames.words import pack_record
    from kiezbox.records import unpack

    (ref,) = box.post(text)
    home = Home(box.settings, box.clock)
    item = home.sharing.fetch(ref)
    home.close()
    assert item is not None
    return pack_record(unpack(item.body[64:]), item.body[:64])


def test_a_record_with_any_bit_flipped_is_not_taken(
    boxes: list[Box], alone: tuple[Box, Home, Deaf, Talk]
) -> None:
    box, _, air, talk = alone
    good = frame_of(boxes[0], "Biete Kerzen")
    for place in range(len(good)):
        air.hear(good[:place] + bytes([good[place] ^ 1 << place % 8]) + good[place + 1 :])
    while air.waiting:
        talk.step()

    assert box.texts() == set()
    assert sum(n for why, n in talk.counts.items() if why.startswith("dropped")) == len(good)
    air.hear(good)
    talk.step()
    assert box.texts() == {"Biete Kerzen"}


def test_any_bytes_at_all_end_in_a_count(alone: tuple[Box, Home, Deaf, Talk]) -> None:
    _, _, air, talk = alone
    chance = random.Random(11)
    for number in range(3000):
        head = bytes([0x20 | number % 32]) if number % 4 else b""
        air.hear(head + chance.randbytes(chance.randrange(0, 201)), sender=number)
    while air.waiting:
        talk.step()

    assert sum(n for why, n in talk.counts.items() if why.startswith("dropped")) == 3000
    assert len(talk.facts()["boxes"]) == 0


def test_what_saves_lives_passes_a_long_post_that_is_on_its_way(
    alone: tuple[Box, Home, Deaf, Talk],
) -> None:
    box, _, air, talk = alone
    box.post("".join(chr(0x4E00 + 37 * n % 0x5000) for n in range(250)))
    # Until its first block is out; others may come before it.
    while not any(each.priority == 5 and len(each.payload) > 150 for each in air.sent):
        air.room = 1
        talk.step()
    assert talk.facts()["waiting"] >= 3
    log = box.log()
    ticket = {"what": 0, "needs": [1, 4], "block": "Hof 3", "language": "de"}
    log.add(Draft(kind="ticket", fields=ticket))
    log.close()

    air.sent.clear()
    air.room = 1
    talk.step()

    # Also while the box rests, so that others may speak.
    assert talk._turns.free_at > box.clock.monotonic()
    assert [(each.priority, each.hops) for each in air.sent] == [(1, 0)]


def test_a_post_waits_while_the_channel_is_busy(alone: tuple[Box, Home, Deaf, Talk]) -> None:
    box, _, air, talk = alone
    box.post("Suche Kocher")
    air.least_urgent = 4

    talk.step()
    assert [each for each in air.sent if each.priority == 5] == []
    air.least_urgent = 6
    talk.step()

    assert [each.priority for each in air.sent][-1:] == [5]


def test_a_box_says_nothing_in_an_hour_that_is_used_up(alone: tuple[Box, Home, Deaf, Talk]) -> None:
    box, _, air, talk = alone
    box.post("Suche Kocher")
    air.least_urgent = -1

    pause_s = talk.step()

    assert air.sent == []
    assert pause_s >= 1.0
