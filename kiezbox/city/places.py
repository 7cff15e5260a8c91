"""Settlements as data, and a district of one: where boxes stand, and who hears whom how well."""

from __future__ import annotations

import math
import tomllib
from dataclasses import dataclass, fields
from pathlib import Path
from random import Random

from kiezbox.errors import UsageError

__all__ = ["District", "Settlement", "district_of", "settlement_named", "settlement_names"]

_FOLDER = Path(__file__).parent / "settlements"

#: What a box's radio gives (SX1262, with an antenna that makes up for its cable), and its noise:
#: -174 dBm/Hz over 250 kHz with a noise figure of 6 dB.
POWER_DBM = 22.0
NOISE_DBM = -174 + 10 * math.log10(250_000) + 6

#: Boxes of a Kiez.
LEAST_KIEZ, MOST_KIEZ = 12, 30


@dataclass(frozen=True, slots=True)
class Settlement:
    """One file of settlements/; its comments give the sources."""

    name: str
    boxes_per_km2: float
    loss_db: float
    distance_m: float
    exponent: float
    shadowing_db: float
    fading_db: float
    walls_db: float

    def snr_db(self, distance_m: float, random: Random) -> float:
        """Of a link, all day long."""
        lost = self.loss_db + 10 * self.exponent * math.log10(
            max(1.0, distance_m) / self.distance_m
        )
        lost += self.walls_db + random.gauss(0, self.shadowing_db)
        return POWER_DBM - lost - NOISE_DBM


def settlement_names() -> list[str]:
    """The files there are, without their ending."""
    return sorted(path.stem for path in _FOLDER.glob("*.toml"))


def settlement_named(name: str) -> Settlement:
    """
    Raises:
        UsageError: there is no such file.
    """
    path = _FOLDER / f"{name}.toml"
    if name not in settlement_names():
        raise UsageError(
            f"no settlement is called {name}", hint=f"There are: {', '.join(settlement_names())}."
        )
    table = tomllib.loads(path.read_text(encoding="utf-8"))
    return Settlement(**{field.name: table[field.name] for field in fields(Settlement)})


@dataclass(frozen=True, slots=True)
class District:
    """``kieze``: of each box. ``links[a][b]``: signal-to-noise ratio in dB at which b hears a."""

    kieze: list[int]
    links: list[dict[int, float]]

    @property
    def mean_audible(self) -> float:
        """How many others a box hears."""
        return sum(map(len, self.links)) / len(self.links)


def district_of(settlement: Settlement, boxes: int, limit_db: float, random: Random) -> District:
    """So many boxes in square Kieze of equal size, side by side, each with its share of boxes."""
    sizes: list[int] = []
    while sum(sizes) < boxes:
        sizes.append(random.randint(LEAST_KIEZ, MOST_KIEZ))
    sizes[-1] -= sum(sizes) - boxes
    if len(sizes) > 1 and sizes[-1] < LEAST_KIEZ:
        # Too few for a Kiez of their own.
        few = sizes.pop()
        sizes[-1] += few
    mean = boxes / len(sizes)
    side_m = 1000 * math.sqrt(mean / settlement.boxes_per_km2)
    columns = math.ceil(math.sqrt(len(sizes)))
    spots: list[tuple[float, float, int]] = []
    for kiez, size in enumerate(sizes):
        left, top = kiez % columns * side_m, kiez // columns * side_m
        for _ in range(size):
            x, y = left + random.random() * side_m, top + random.random() * side_m
            spots.append((x, y, kiez))
    links: list[dict[int, float]] = [{} for _ in spots]
    # Beyond this not even four standard deviations of shadowing help.
    best_db = POWER_DBM - NOISE_DBM - limit_db - settlement.loss_db - settlement.walls_db
    reach_db = best_db + 4 * settlement.shadowing_db
    reach_m = settlement.distance_m * 10 ** (reach_db / (10 * settlement.exponent))
    for a, (x, y, _) in enumerate(spots):
        for b in range(a):
            distance_m = math.hypot(x - spots[b][0], y - spots[b][1])
            if distance_m < reach_m:
                snr_db = settlement.snr_db(distance_m, random)
                if snr_db >= limit_db - settlement.fading_db:
                    links[a][b] = links[b][a] = snr_db
    return District([kiez for _, _, kiez in spots], links)
