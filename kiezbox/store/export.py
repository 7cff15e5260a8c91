"""Readings as files: CSV, JSON, SenML, written as they are read, whatever their number."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple, TextIO

from kiezbox import senml
from kiezbox.model import Batch, Flag, Reading, Series
from kiezbox.store.boots import corrected_ms
from kiezbox.store.reader import StoreReader
from kiezbox.units import UNITS

_UNIT_OF = {quantity.value: unit.senml for quantity, unit in UNITS.items()}

#: Readings in one SenML pack.
PACK = 1000

#: ``taken_at`` is corrected, ``taken_ms`` what the clock said; ``clock`` tells how they relate.
COLUMNS = (
    "box", "boot", "counter", "sensor", "quantity", "unit", "value", "raw", "flag", "reason",
    "taken_at", "clock", "taken_ms", "monotonic_ms",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """Which readings. Times are Unix milliseconds, by the corrected clock."""

    since_ms: int | None = None
    until_ms: int | None = None
    #: Sensors, or sensors with a quantity ("roof", "roof/temperature_c"); none means all.
    sensors: Sequence[str] = ()
    #: Only what comes after this serial, and at most so many of them.
    after: int = 0
    most: int | None = None
    #: Whether this one may be shown, by series and Unix milliseconds; None: all may.
    may_show: Callable[[Series, int], bool] | None = None

    def has(self, series: Series, at_ms: int) -> bool:
        return (
            (self.since_ms is None or at_ms >= self.since_ms)
            and (self.until_ms is None or at_ms < self.until_ms)
            and (not self.sensors or series.sensor in self.sensors or str(series) in self.sensors)
            and (self.may_show is None or self.may_show(series, at_ms))
        )


class _Dated(NamedTuple):
    reading: Reading
    at_ms: int
    #: "trusted", "corrected" by what was known later, or "untrusted".
    clock: str


def write(store: StoreReader, form: str, out: TextIO, choice: Choice) -> int:
    """Write the chosen readings, oldest first; how many they were."""
    return _FORMS[form](store, out, choice)


def forms() -> list[str]:
    """The formats there are."""
    return list(_FORMS)


def _chosen(store: StoreReader, choice: Choice) -> Iterator[tuple[Batch, list[_Dated]]]:
    """The chosen readings with their right times, a thousand at a time."""
    marks = store.clock_marks()
    position, left = choice.after, choice.most
    while batch := store.after(position, PACK if left is None else min(PACK, left)):
        position = batch.readings[-1][0]
        left = None if left is None else left - len(batch)
        dated = []
        for reading in batch:
            at_ms = corrected_ms(
                marks, reading.boot, reading.monotonic_ms, reading.taken_ms, reading.clock_trusted
            )
            clock = "trusted" if reading.clock_trusted else "untrusted"
            if clock == "untrusted" and reading.boot in marks:
                clock = "corrected"
            if choice.has(batch.series[reading.series], at_ms):
                dated.append(_Dated(reading, at_ms, clock))
        if dated:
            yield batch, dated


def _records(store: StoreReader, choice: Choice) -> Iterator[dict[str, Any]]:
    for batch, some in _chosen(store, choice):
        for reading, at_ms, clock in some:
            sensor, quantity = batch.series[reading.series]
            at = datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="milliseconds")
            yield {
                "box": batch.box,
                "boot": reading.boot,
                "counter": reading.counter,
                "sensor": sensor,
                "quantity": quantity,
                "unit": _UNIT_OF.get(quantity, ""),
                "value": reading.value,
                "raw": reading.raw,
                "flag": Flag(reading.flag).name.lower(),
                "reason": reading.reason,
                "taken_at": at.replace("+00:00", "Z"),
                "clock": clock,
                "taken_ms": reading.taken_ms,
                "monotonic_ms": reading.monotonic_ms,
            }


def _csv(store: StoreReader, out: TextIO, choice: Choice) -> int:
    """RFC 4180, but with a bare line feed; no value is an empty field."""
    table = csv.writer(out, lineterminator="\n")
    table.writerow(COLUMNS)
    count = 0
    for count, record in enumerate(_records(store, choice), 1):  # noqa: B007
        table.writerow(record.values())
    return count


def _json(store: StoreReader, out: TextIO, choice: Choice) -> int:
    """One array, a reading per line."""
    count = 0
    for count, record in enumerate(_records(store, choice), 1):
        out.write("[\n" if count == 1 else ",\n")
        json.dump(record, out, ensure_ascii=False, separators=(",", ":"))
    out.write("\n]\n" if count else "[]\n")
    return count


def _senml(store: StoreReader, out: TextIO, choice: Choice) -> int:
    """A pack (RFC 8428) per line, each complete in itself, of up to a thousand readings."""
    count = 0
    for batch, some in _chosen(store, choice):
        rows = [
            reading._replace(taken_ms=at_ms, clock_trusted=int(clock != "untrusted"))
            for reading, at_ms, clock in some
        ]
        out.write(senml.pack(Batch(batch.box, batch.series, rows)).decode("utf-8") + "\n")
        count += len(rows)
    return count


_FORMS: dict[str, Callable[[StoreReader, TextIO, Choice], int]] = {
    "csv": _csv,
    "json": _json,
    "senml": _senml,
}
