"""A city for a day: districts that do not hear each other, each on an air of its own.

An official record comes to one box of each district at the same time (a gateway with an uplink),
and from there by radio to all. So districts are independent, and as many run at once as there are
cores.
"""

from __future__ import annotations

import math
import tomllib
from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import NamedTuple

from kiezbox.city.agenda import Agenda
from kiezbox.city.air import MODEMS, Air
from kiezbox.city.boxes import Box, Boxes
from kiezbox.city.frames import frame_of, post_frame, posts
from kiezbox.city.places import district_of, settlement_named
from kiezbox.city.sizes import fits
from kiezbox.exchange.lora import lora_bearer
from kiezbox.frames import MOST_BYTES
from kiezbox.records import Ref
from kiezbox.records.kinds import Priority

__all__ = ["MOST_DISTRICT", "Plan", "Seen", "districts", "run_city", "run_district"]

HOUR_S, DAY_S = 3600.0, 86400.0

#: Boxes of a district.
MOST_DISTRICT = 1000

#: After the last record boxes have so long to become equal.
AFTER_S = 2 * HOUR_S


class Plan(NamedTuple):
    """One district, and one modem setting for a day."""

    settlement: str
    modem: str
    boxes: int
    hours: float
    seed: int


@dataclass(slots=True)
class Seen:
    """What was seen in a district, or in several."""

    #: Class → seconds until all boxes that a record is for had it; infinite: not all had.
    equal_s: dict[int, array[float]] = field(default_factory=dict)
    #: Class → (box, record) pairs there should have been, and that there were.
    wanted: dict[int, int] = field(default_factory=dict)
    came: dict[int, int] = field(default_factory=dict)
    #: Kind → packets, seconds on the air.
    kinds: dict[str, list[float]] = field(default_factory=dict)
    boxes: int = 0
    districts: int = 0
    audible: float = 0.0
    #: Share of time a box hears somebody (mean of boxes); share it sends: mean and worst.
    busy: float = 0.0
    duty: float = 0.0
    most_duty: float = 0.0
    heard: int = 0
    deaf: int = 0
    collided: int = 0
    faded: int = 0

    def add(self, other: Seen) -> None:
        """Another district's."""
        for priority, moments in other.equal_s.items():
            self.equal_s.setdefault(priority, array("d")).extend(moments)
            self.wanted[priority] = self.wanted.get(priority, 0) + other.wanted[priority]
            self.came[priority] = self.came.get(priority, 0) + other.came[priority]
        for kind, (packets, seconds) in other.kinds.items():
            mine = self.kinds.setdefault(kind, [0, 0])
            mine[0] += packets
            mine[1] += seconds
        for name in ("audible", "busy", "duty"):
            mean = getattr(self, name) * self.boxes + getattr(other, name) * other.boxes
            setattr(self, name, mean / (self.boxes + other.boxes))
        self.most_duty = max(self.most_duty, other.most_duty)
        for name in ("boxes", "districts", "heard", "deaf", "collided", "faded"):
            setattr(self, name, getattr(self, name) + getattr(other, name))


def districts(boxes: int) -> list[int]:
    """How many boxes each district has.

    >>> districts(2500)
    [834, 833, 833]
    """
    count = max(1, math.ceil(boxes / MOST_DISTRICT))
    return [boxes // count + (place < boxes % count) for place in range(count)]


class _Tracker:
    """Who has which record already."""

    def __init__(self, boxes: Boxes) -> None:
        self._boxes = boxes
        self._sizes: dict[int, int] = {}
        for box in boxes.boxes:
            self._sizes[box.kiez] = self._sizes.get(box.kiez, 0) + 1
        self._missing: dict[Ref, int] = {}
        self._written_at: dict[Ref, float] = {}
        self.seen = Seen()
        boxes.arrived = self.arrived

    def write(self, number: int, priority: int, body: bytes, is_for_all: bool) -> None:
        self._boxes.write(number, priority, body, is_for_all=is_for_all)

    def arrived(self, box: Box, number: Ref, now: float) -> None:
        item = self._boxes.stored[number]
        seen, priority = self.seen, item.priority
        if number not in self._missing:
            is_for_all = number in self._boxes.for_all
            count = len(self._boxes.boxes) if is_for_all else self._sizes[box.kiez]
            self._missing[number] = count
            self._written_at[number] = now
            seen.wanted[priority] = seen.wanted.get(priority, 0) + count
        seen.came[priority] = seen.came.get(priority, 0) + 1
        self._missing[number] -= 1
        if not self._missing[number]:
            late_s = now - self._written_at[number]
            seen.equal_s.setdefault(priority, array("d")).append(late_s)

    def end(self) -> Seen:
        for number, missing in self._missing.items():
            moments = self.seen.equal_s.setdefault(self._boxes.stored[number].priority, array("d"))
            if missing:
                moments.append(float("inf"))
        return self.seen


def _moments(random: Random, a_day: float, seconds: float) -> Iterator[float]:
    """Of what comes by chance, so many a day (Poisson)."""
    moment = 0.0
    while a_day:
        moment += random.expovariate(a_day / DAY_S)
        if moment >= seconds:
            return
        yield moment


def _plan_traffic(agenda: Agenda, tracker: _Tracker, plan: Plan, random: Random) -> None:
    table = tomllib.loads((Path(__file__).parent / "traffic.toml").read_text(encoding="utf-8"))
    seconds = plan.hours * HOUR_S
    for name, a_day in table["per_box"].items():
        priority = Priority[name.upper()]
        for box in range(plan.boxes):
            if priority == Priority.NUMBERS:
                # Each box at its own minute of the hour.
                phase = random.random() * min(HOUR_S, seconds)
                moments = [
                    phase + HOUR_S * hour for hour in range(max(1, int(plan.hours * a_day / 24)))
                ]
            else:
                moments = list(_moments(random, a_day, seconds))
            for moment in moments:
                body = frame_of(priority)
                if priority == Priority.BOARD:
                    body = post_frame(random.randrange(len(posts())))
                agenda.at(moment, tracker.write, box, priority, body, False)
    for moment in _moments(random, table["official_a_day"], seconds):
        box = random.randrange(plan.boxes)
        agenda.at(moment, tracker.write, box, Priority.OFFICIAL, frame_of(0), True)


def run_district(plan: Plan) -> Seen:
    """One district's day."""
    random = Random(f"{plan.seed} {plan.settlement} {plan.modem}")
    settlement, modem = settlement_named(plan.settlement), MODEMS[plan.modem]
    district = district_of(settlement, plan.boxes, modem.limit_db, random)
    agenda = Agenda()
    air = Air(agenda, modem, district.links, random, fading_db=settlement.fading_db)
    bearer = lora_bearer(fits, modem.airtime_s(MOST_BYTES))
    boxes = Boxes(agenda, air, district.kieze, bearer, random)
    tracker = _Tracker(boxes)
    _plan_traffic(agenda, tracker, plan, random)
    agenda.run(plan.hours * HOUR_S + AFTER_S)
    seen = tracker.end()
    seconds = agenda.now
    seen.kinds = boxes.kinds
    seen.boxes, seen.districts = plan.boxes, 1
    seen.audible = district.mean_audible
    seen.busy = sum(air.busy_s) / seconds / plan.boxes
    seen.duty = sum(air.sent_s) / seconds / plan.boxes
    seen.most_duty = max(air.sent_s) / seconds
    seen.heard, seen.deaf, seen.collided, seen.faded = (
        air.heard, air.deaf, air.collided, air.faded
    )  # fmt: skip
    return seen


def run_city(
    settlement: str, modem: str, boxes: int, hours: float, seed: int, *, jobs: int
) -> Seen:
    """All districts of a city; ``jobs``: how many at once."""
    plans = [
        Plan(settlement, modem, count, hours, seed + place)
        for place, count in enumerate(districts(boxes))
    ]
    whole = Seen()
    if jobs <= 1 or len(plans) == 1:
        for plan in plans:
            whole.add(run_district(plan))
        return whole
    from multiprocessing import get_context

    # In order, so that the same seed gives the same sum whichever district is done first.
    with get_context("spawn").Pool(min(jobs, len(plans))) as pool:
        for seen in pool.imap(run_district, plans):
            whole.add(seen)
    return whole
