"""The recorded half-year, faults put into it, and a reckoning of what the rules make of both.

Numbers in ``quality.limits`` were chosen by looking at TUNED_ON only; what docs/quality.md quotes
and the tests hold is measured on JUDGED_ON, months that nobody had looked at. Known bad there is a
humidity of 99.9 and above or 1.0 and below; everything else is reported and not judged.
"""

from __future__ import annotations

import csv
import gzip
import random
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from functools import cache
from math import pi, sin
from pathlib import Path
from typing import NamedTuple

from kiezbox.model import Flag, Measurement, Quantity
from kiezbox.quality import Judge, Witness

TUNED_ON, JUDGED_ON = (1, 3, 5), (2, 4, 6)

T, RH = Quantity.TEMPERATURE_C, Quantity.HUMIDITY_PERCENT
FINE, COARSE = Quantity.PM2_5_UG_M3, Quantity.PM10_UG_M3

#: What the archive calls it (docs: kiezbox/demo/recording.py).
COLUMNS = {"dht22": {T: "temperature", RH: "humidity"}, "sds011": {FINE: "P2", COARSE: "P1"}}


class Row(NamedTuple):
    at: float
    values: dict[Quantity, float]
    #: What was put into it, or "".
    fault: str = ""


@cache
def month(folder: Path, kind: str, number: int) -> list[Row]:
    """A month's rows of "dht22" or "sds011", oldest first."""
    rows = []
    for path in sorted(folder.glob(f"2022-{number:02d}-*_{kind}_*.csv.gz")):
        with gzip.open(path, "rt", encoding="utf-8") as file:
            for row in csv.DictReader(file, delimiter=";"):
                at = datetime.fromisoformat(row["timestamp"]).replace(tzinfo=UTC).timestamp()
                rows.append(Row(at, {q: float(row[name]) for q, name in COLUMNS[kind].items()}))
    return sorted(rows, key=lambda row: row.at)


def of(quantity: Quantity, rows: Sequence[Row]) -> list[Row]:
    """The same with one quantity only."""
    return [row._replace(values={quantity: row.values[quantity]}) for row in rows]


# --- faults --------------------------------------------------------------------------------------

#: Puts one fault over rows[start:]; how many rows it takes.
Fault = Callable[[random.Random, list[Row], int], int]

#: What sensors say when they have nothing to say: the DS18B20 without a wire and at power-up, the
#: DHT22's and a script's "no value", words of zeros and of ones through the formula of a chip.
CODES = {
    T: (-127.0, 85.0, -999.0, -140.88, 180.0),
    FINE: (0.0, 999.9, 6553.5, -1.0, 1999.9),
}


def _over(rows: list[Row], start: int, count: int, fault: str, change: Change) -> int:
    count = min(count, len(rows) - start)
    for n in range(start, start + count):
        rows[n] = Row(rows[n].at, {q: change(q, v) for q, v in rows[n].values.items()}, fault)
    return count


Change = Callable[[Quantity, float], float]


def spike(chance: random.Random, rows: list[Row], start: int) -> int:
    """One value far off: 7 to 40 K, 60 to 900 µg/m³ more."""
    kelvin, dust = chance.choice((-1, 1)) * chance.uniform(7, 40), chance.uniform(60, 900)
    return _over(rows, start, 1, "spike", lambda q, v: v + (kelvin if q is T else dust))


def dropout(chance: random.Random, rows: list[Row], start: int) -> int:
    """One to five rows of a code that is no measurement."""
    count = chance.randint(1, 5)
    code = {q: chance.choice(codes) for q, codes in CODES.items()}
    code[COARSE] = code[FINE]
    return _over(rows, start, count, "dropout", lambda q, v: code[q])


def stuck(chance: random.Random, rows: list[Row], start: int) -> int:
    """Six to twelve hours at one value: that of its first row."""
    held = dict(rows[start].values)
    until = rows[start].at + chance.uniform(6, 12) * 3600
    count = sum(row.at < until for row in rows[start : start + 500])
    return _over(rows, start, count, "stuck", lambda q, v: held[q])


def unit(chance: random.Random, rows: list[Row], start: int) -> int:
    """Half an hour to three in °F or K; tenths taken for whole µg/m³, up to fifty minutes."""
    is_kelvin = chance.random() < 0.5

    def change(q: Quantity, v: float) -> float:
        if q is not T:
            return 10 * v
        return v + 273.15 if is_kelvin else 1.8 * v + 32

    hours = chance.uniform(0.5, 2.9) if T in rows[start].values else chance.uniform(0.2, 0.8)
    until = rows[start].at + hours * 3600
    count = sum(row.at < until for row in rows[start : start + 500])
    return _over(rows, start, count, "unit", change)


def swapped(chance: random.Random, rows: list[Row], start: int) -> int:
    """Both fields of a particulate sensor exchanged, for one to twenty rows."""
    count = min(chance.randint(1, 20), len(rows) - start)
    for n in range(start, start + count):
        fine, coarse = rows[n].values[FINE], rows[n].values[COARSE]
        rows[n] = Row(rows[n].at, {FINE: coarse, COARSE: fine}, "swapped")
    return count


def drift(chance: random.Random, rows: list[Row], start: int) -> int:
    """Two days in which it wanders off, to 8 K or threefold."""
    first, length = rows[start].at, 48 * 3600.0
    count = sum(row.at < first + length for row in rows[start : start + 2000])
    for n in range(start, start + count):
        share = (rows[n].at - first) / length
        values = {q: v + 8 * share if q is T else v * (1 + 2 * share)
                  for q, v in rows[n].values.items()}  # fmt: skip
        rows[n] = Row(rows[n].at, values, "drift")
    return count


def with_faults(
    rows: Sequence[Row], seed: int, faults: Sequence[Fault], apart: int = 60
) -> list[Row]:
    """A copy with these faults by turns, and so many sound rows at least between them."""
    chance, found = random.Random(seed), list(rows)
    position, turn = apart, 0
    while position < len(found):
        position += faults[turn % len(faults)](chance, found, position)
        position += apart + chance.randint(0, apart)
        turn += 1
    return found


def generated(kind: str, days: int, seed: int) -> list[Row]:
    """A smaller twin of the recording, for whoever does not have it: days of weather with the noise
    and the resolution of its sensors, a row every 166 s as there.
    """
    chance, rows = random.Random(seed), []
    drifted, dust, at = 0.0, 9.0, 1_640_995_200.0
    for _ in range(int(days * 86400 / 166)):
        at += 166
        drifted = 0.998 * drifted + chance.gauss(0, 0.15)
        dust = min(60.0, max(1.5, dust * chance.lognormvariate(0, 0.06) ** 0.8 + 0.02 * (9 - dust)))
        day = sin((at % 86400) / 86400 * 2 * pi - 2)
        if kind == "dht22":
            rows.append(Row(at, {T: round(9 + 5 * day + drifted, 1)}))
        else:
            fine = dust * chance.lognormvariate(0, 0.08)
            coarse = fine * (1.5 + chance.lognormvariate(-1, 0.4))
            rows.append(Row(at, {FINE: round(fine, 2), COARSE: round(coarse, 2)}))
    return rows


# --- judging -------------------------------------------------------------------------------------


def judged(
    rows: Sequence[Row], humidity: Sequence[Row] = ()
) -> Iterator[tuple[Row, list[Measurement]]]:
    """Every row with the rules' verdicts; ``humidity``: rows of a sensor that hangs beside it."""
    judge, beside, witness = Judge(), Judge(), Witness()
    position = 0
    for row in rows:
        while position < len(humidity) and humidity[position].at <= row.at:
            other = humidity[position]
            for one in beside.judged(
                other.at, [Measurement(q, v) for q, v in other.values.items()]
            ):
                if one.quantity is RH:
                    witness.hears(other.at, one.value, one.flag, one.reason)
            position += 1
        percent = witness.says(row.at) if humidity else None
        yield row, judge.judged(row.at, [Measurement(q, v) for q, v in row.values.items()], percent)


class Reckoning(NamedTuple):
    """Counted in values. ``stuck`` is judged from an hour (dust) or three (else) on: before, equal
    values are no fault that anybody could see.
    """

    sound: int
    wrongly: Counter[str]
    faulty: Counter[str]
    caught: Counter[str]

    def __add__(self, other: object) -> Reckoning:
        assert isinstance(other, Reckoning)
        return Reckoning(*(mine + its for mine, its in zip(self, other, strict=True)))

    @property
    def wrongly_share(self) -> float:
        return sum(self.wrongly.values()) / self.sound

    def caught_share(self, *faults: str) -> float:
        chosen = faults or tuple(self.faulty)
        return sum(self.caught[f] for f in chosen) / sum(self.faulty[f] for f in chosen)


def reckon(rows: Sequence[Row], humidity: Sequence[Row] = ()) -> Reckoning:
    sound, wrongly, faulty, caught = 0, Counter[str](), Counter[str](), Counter[str]()
    stuck_from: float | None = None
    for row, measurements in judged(rows, humidity):
        stuck_from = None if row.fault != "stuck" else row.at if stuck_from is None else stuck_from
        for one in measurements:
            visible_s = 3600 if one.quantity in (FINE, COARSE) else 3 * 3600
            if stuck_from is not None and row.at - stuck_from < visible_s:
                continue
            if row.fault:
                faulty[row.fault] += 1
                caught[row.fault] += one.flag != Flag.GOOD
            else:
                sound += 1
                wrongly[one.reason] += one.flag != Flag.GOOD
    return Reckoning(sound, +wrongly, faulty, caught)
