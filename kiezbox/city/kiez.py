"""A Kiez of a dozen boxes that all hear each other, and three nights it has to stand.

Every packet is lost at each hearer with the same chance, for himself; collisions, half-duplex and
the law's budget come on top. What boxes say is packed into frames and read from them again.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random
from statistics import median

from kiezbox.city.agenda import Agenda
from kiezbox.city.air import MODEMS, Air
from kiezbox.city.boxes import Box, Boxes
from kiezbox.city.frames import frame_of, post_frame, posts
from kiezbox.city.sizes import fits
from kiezbox.exchange.lora import lora_bearer
from kiezbox.frames import MOST_BYTES
from kiezbox.records import Ref
from kiezbox.records.kinds import Priority

__all__ = ["Kiez", "Night", "alert", "healing", "night"]

MINUTE_S, HOUR_S = 60.0, 3600.0

#: Before anything is written boxes have been up so long: their digests are rare by then.
QUIET_S = 4 * HOUR_S


@dataclass(slots=True)
class Night:
    """What was seen. Times in seconds from when it was written, or the air healed."""

    #: Class → when the last box had the last record of it; infinite: never.
    equal_s: dict[int, float] = field(default_factory=dict)
    #: When each box had it, of the alert.
    reached_s: list[float] = field(default_factory=list)
    #: Packets and seconds on the air until then, of each kind of message.
    kinds: dict[str, list[float]] = field(default_factory=dict)
    packets: int = 0
    airtime_s: float = 0.0
    busiest_minute: float = 0.0
    #: The most that any box has sent in any hour, as a share of it.
    most_duty: float = 0.0
    deaf: int = 0
    collided: int = 0
    faded: int = 0
    heard: int = 0


class Kiez:
    """Boxes that all hear each other."""

    def __init__(
        self, *, seed: int, boxes: int = 12, modem: str = "MediumFast", loss: float = 0.2
    ) -> None:
        random = Random(seed)
        self.random = random
        self.agenda = Agenda()
        links = [{b: 10.0 for b in range(boxes) if b != a} for a in range(boxes)]
        self.air = Air(self.agenda, MODEMS[modem], links, random, loss=loss)
        bearer = lora_bearer(fits, MODEMS[modem].airtime_s(MOST_BYTES))
        self.boxes = Boxes(self.agenda, self.air, [1] * boxes, bearer, random, is_to_the_byte=True)
        self.boxes.arrived = self._arrived
        #: Class → how many (box, record) are still missing; when the last one came.
        self.missing: dict[int, int] = {}
        self.last_s: dict[int, float] = {}
        self.when: dict[tuple[int, Ref], float] = {}
        self.night = Night()

    def write(self, box: int, priority: int, body: bytes) -> Ref:
        self.missing[priority] = self.missing.get(priority, 0) + len(self.boxes.boxes)
        return self.boxes.write(box, priority, body)

    def _arrived(self, box: Box, number: Ref, now: float) -> None:
        priority = self.boxes.stored[number].priority
        self.missing[priority] -= 1
        self.last_s[priority] = now
        self.when[box.number, number] = now

    def is_equal(self) -> bool:
        return not any(self.missing.values())

    def settle(self) -> None:
        """Hours in which nothing happens; nothing of them is counted."""
        self.agenda.run(self.agenda.now + QUIET_S)
        self._count_from_now()

    def _count_from_now(self) -> None:
        air = self.air
        air.packets = air.deaf = air.collided = air.faded = air.heard = 0
        air.airtime_s = 0.0
        self.boxes.kinds.clear()

    def let(self, most_s: float) -> Night:
        """Time passes until all is everywhere, or so much; what was seen."""
        begun, air, night = self.agenda.now, self.air, self.night
        while not self.is_equal() and self.agenda.now < begun + most_s:
            self.agenda.run(self.agenda.now + 10, self.is_equal)
            night.busiest_minute = max(night.busiest_minute, air.utilization(0))
            used = max(box.budget.used_s(self.agenda.now) for box in self.boxes.boxes)
            night.most_duty = max(night.most_duty, used / HOUR_S)
        for priority, missing in self.missing.items():
            last_s = self.last_s.get(priority, begun) - begun
            night.equal_s[priority] = float("inf") if missing else max(0.0, last_s)
        night.kinds = {name: list(seen) for name, seen in self.boxes.kinds.items()}
        night.packets, night.airtime_s = air.packets, air.airtime_s
        night.deaf, night.collided, night.faded = air.deaf, air.collided, air.faded
        night.heard = air.heard
        return night


def alert(seed: int, **how: object) -> Night:
    """An official alert, written at one box."""
    kiez = Kiez(seed=seed, **how)  # type: ignore[arg-type]
    kiez.settle()
    begun = kiez.agenda.now
    number = kiez.write(0, Priority.OFFICIAL, frame_of(Priority.OFFICIAL))
    seen = kiez.let(HOUR_S)
    seen.reached_s = sorted(
        moment - begun for (box, of), moment in kiez.when.items() if of == number and box != 0
    )
    return seen


def night(seed: int, **how: object) -> Night:
    """A night's two hundred posts, written while no radio was there; now it is."""
    kiez = Kiez(seed=seed, **how)  # type: ignore[arg-type]
    kiez.settle()
    order = list(range(len(posts())))
    kiez.random.shuffle(order)
    for place in order:
        box = kiez.random.randrange(len(kiez.boxes.boxes))
        kiez.write(box, Priority.BOARD, post_frame(place))
    return kiez.let(6 * HOUR_S)


def healing(seed: int, **how: object) -> Night:
    """Six hours in two halves, each with 100 posts, 36 hourly blocks of readings, three alerts and
    six tickets of its own; then they hear each other again.
    """
    kiez = Kiez(seed=seed, **how)  # type: ignore[arg-type]
    kiez.settle()
    half = len(kiez.boxes.boxes) // 2
    kiez.air.is_cut = lambda a, b: (a < half) != (b < half)
    begun, random = kiez.agenda.now, kiez.random
    for side in range(2):
        boxes = range(side * half, side * half + half)
        wanted: list[tuple[int, int, bytes]] = [
            (random.choice(boxes), Priority.BOARD, post_frame(100 * side + place))
            for place in range(100)
        ]
        wanted += [(random.choice(boxes), Priority.OFFICIAL, frame_of(0)) for _ in range(3)]
        wanted += [(random.choice(boxes), Priority.LIFE, frame_of(1)) for _ in range(6)]
        for what in wanted:
            kiez.agenda.at(begun + random.random() * 5.8 * HOUR_S, kiez.write, *what)
        for hour in range(6):
            for box in boxes:
                late_s = (hour + 0.95 * random.random()) * HOUR_S
                kiez.agenda.at(begun + late_s, kiez.write, box, Priority.NUMBERS, frame_of(6))
    kiez.agenda.run(begun + 6 * HOUR_S)
    kiez.air.is_cut = None
    kiez.missing = dict(kiez.missing)
    kiez._count_from_now()
    return kiez.let(12 * HOUR_S)


def middle(nights: list[float]) -> float:
    return median(nights)
