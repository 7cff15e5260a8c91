"""Readings, and their means, as files, written as they are read, whatever their number."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import IO, Any, NamedTuple

from kiezbox import senml
from kiezbox.model import COUNTER_BITS, Batch, Flag, Reading, Series
from kiezbox.store.boots import ClockMarks, corrected_ms
from kiezbox.store.reader import StoreReader
from kiezbox.units import UNITS

UNIT_OF = {quantity.value: unit.senml for quantity, unit in UNITS.items()}

#: Readings in one pack (SenML, line protocol).
PACK = 1000

#: Readings asked of the database at once.
AT_ONCE = 10_000

#: ``taken_at`` is corrected, ``taken_ms`` what the clock said; ``clock`` tells how they relate.
COLUMNS = (
    "box", "boot", "counter", "sensor", "quantity", "unit", "value", "raw", "flag", "reason",
    "taken_at", "clock", "taken_ms", "monotonic_ms",
)  # fmt: skip

_FLAGS = {int(flag): flag.name.lower() for flag in Flag}

#: Called now and then with how far the export is, 0 to 1.
Progress = Callable[[float], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """Which readings. Times are Unix milliseconds, by the corrected clock."""

    since_ms: int | None = None
    until_ms: int | None = None
    #: Sensors, or sensors with a quantity ("roof", "roof/temperature_c"); none means all.
    sensors: Sequence[str] = ()
    #: Quantities ("temperature_c"); none means all.
    quantities: Sequence[str] = ()
    #: Only what comes after this serial, and at most so many of them.
    after: int = 0
    most: int | None = None
    #: Whether this one may be shown, by series and Unix milliseconds; None: all may.
    may_show: Callable[[Series, int], bool] | None = None
    progress: Progress | None = None

    def has_series(self, series: Series) -> bool:
        return (
            not self.sensors or series.sensor in self.sensors or str(series) in self.sensors
        ) and (not self.quantities or series.quantity in self.quantities)

    def has_time(self, at_ms: int) -> bool:
        return (self.since_ms is None or at_ms >= self.since_ms) and (
            self.until_ms is None or at_ms < self.until_ms
        )

    def has(self, series: Series, at_ms: int) -> bool:
        return (
            self.has_time(at_ms)
            and self.has_series(series)
            and (self.may_show is None or self.may_show(series, at_ms))
        )


class Dated(NamedTuple):
    """A reading with its right time (Unix ms)."""

    reading: Reading
    at_ms: int
    #: "trusted", "corrected" by what was known later, or "untrusted".
    clock: str


def write(store: StoreReader, form: str, out: IO[Any], choice: Choice) -> int:
    """Write the chosen single readings, oldest first; how many they were."""
    return _FORMS[form](store, out, choice)


def forms() -> list[str]:
    """The formats there are."""
    return list(_FORMS)


def batches(store: StoreReader, choice: Choice, at_once: int) -> Iterator[Batch]:
    """All readings that may be among the chosen ones, some at a time."""
    position, left = choice.after, choice.most
    if choice.since_ms is not None:
        position = max(position, store.position_since(choice.since_ms))
    whole = _count(store, position, choice.until_ms) if choice.progress else 0
    done = 0
    while batch := store.after(position, at_once if left is None else min(at_once, left)):
        position = batch.readings[-1][0]
        left = None if left is None else left - len(batch)
        yield batch
        if choice.until_ms is not None and _is_past(batch.readings[-1], choice.until_ms):
            position |= (1 << COUNTER_BITS) - 1  # The rest of this start of the node.
        done += len(batch)
        if choice.progress:
            choice.progress(min(1.0, done / max(1, whole)))


def _count(store: StoreReader, position: int, until_ms: int | None) -> int:
    """About how many readings there are to look at."""
    end = None if until_ms is None else store.position_since(until_ms)
    return store.count_after(position, end) if end is None or end > position else 0


def _is_past(row: Any, until_ms: int) -> bool:
    """Whether what was measured later in the same start of the node is after a moment as well.

    A day is more than a clock is ever set back while it is trusted.
    """
    return bool(row[8]) and row[2] > until_ms + 86_400_000


def clock_of(reading_boot: int, trusted: int, marks: ClockMarks) -> str:
    """How ``taken_at`` and ``taken_ms`` relate."""
    return "trusted" if trusted else "corrected" if reading_boot in marks else "untrusted"


def dated(
    store: StoreReader, choice: Choice, at_once: int = AT_ONCE
) -> Iterator[tuple[Batch, list[Dated]]]:
    """The chosen readings with their right times, some at a time."""
    marks = store.clock_marks()
    for batch in batches(store, choice, at_once):
        found = []
        for reading in batch:
            at_ms = corrected_ms(
                marks, reading.boot, reading.monotonic_ms, reading.taken_ms, reading.clock_trusted
            )
            if choice.has(batch.series[reading.series], at_ms):
                clock = clock_of(reading.boot, reading.clock_trusted, marks)
                found.append(Dated(reading, at_ms, clock))
        if found:
            yield batch, found


def moment(at_ms: int) -> str:
    """RFC 3339 in UTC, to the millisecond; empty beyond the year 9999 (a rotten card)."""
    try:
        at = datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="milliseconds")
    except (ValueError, OverflowError, OSError):
        return ""
    return at.replace("+00:00", "Z")


class Second:
    """Moments as text, where many lie in one second."""

    def __init__(self) -> None:
        self._of, self._text = -1, ""

    def moment(self, at_ms: int) -> str:
        """The same as ``moment``."""
        second, millisecond = divmod(at_ms, 1000)
        if second != self._of:
            self._of, self._text = second, moment(at_ms)[: -len("000Z")]
        return f"{self._text}{millisecond:03d}Z" if self._text else ""


def records(store: StoreReader, choice: Choice) -> Iterator[dict[str, Any]]:
    """The chosen readings, each with all ``COLUMNS``."""
    second = Second()
    for batch, some in dated(store, choice):
        for reading, at_ms, clock in some:
            sensor, quantity = batch.series[reading.series]
            yield {
                "box": batch.box,
                "boot": reading.boot,
                "counter": reading.counter,
                "sensor": sensor,
                "quantity": quantity,
                "unit": UNIT_OF.get(quantity, ""),
                "value": reading.value,
                "raw": reading.raw,
                "flag": _FLAGS.get(reading.flag, "bad"),
                "reason": reading.reason,
                "taken_at": second.moment(at_ms),
                "clock": clock,
                "taken_ms": reading.taken_ms,
                "monotonic_ms": reading.monotonic_ms,
            }


def quoted(text: str) -> str:
    """A field of a CSV file (RFC 4180)."""
    if any(letter in text for letter in ',"\n\r'):
        return '"' + text.replace('"', '""') + '"'
    return text


def _csv(store: StoreReader, out: IO[Any], choice: Choice) -> int:
    """RFC 4180, but with a bare line feed; no value is an empty field.

    Of a year of readings each microsecond a line is five seconds: what a line shares with the
    one before is made once.
    """
    out.write(",".join(COLUMNS) + "\n")
    marks = store.clock_marks()
    count, counters = 0, (1 << COUNTER_BITS) - 1
    last_boot, head, last_ms, last_up_ms, when = -1, "", -1, -1, ""
    names: dict[int, str] = {}
    since_ms = -math.inf if choice.since_ms is None else choice.since_ms
    until_ms = math.inf if choice.until_ms is None else choice.until_ms
    second, may_show = Second(), choice.may_show
    for batch in batches(store, choice, AT_ONCE):
        lines: list[str] = []
        add = lines.append
        rows: Any = batch.readings  # All fields: only ``Store.after`` gives brief ones.
        for serial, number, taken_ms, monotonic_ms, value, raw, flag, reason, trusted in rows:
            if number not in names:
                series = batch.series[number]
                texts = (series.sensor, series.quantity, UNIT_OF.get(series.quantity, ""))
                is_chosen = choice.has_series(series)
                names[number] = ",".join(map(quoted, texts)) if is_chosen else ""
            if not (named := names[number]):
                continue
            if (boot := serial >> COUNTER_BITS) != last_boot:
                last_boot, head, last_ms = boot, f"{quoted(batch.box)},{boot},", -1
            at_ms, clock = taken_ms, "trusted"
            if not trusted:
                at_ms = corrected_ms(marks, boot, monotonic_ms, taken_ms, trusted)
                clock = clock_of(boot, trusted, marks)
            if not since_ms <= at_ms < until_ms:
                continue
            if may_show is not None and not may_show(batch.series[number], at_ms):
                continue
            if not (trusted and at_ms == last_ms and monotonic_ms == last_up_ms):
                when = f"{second.moment(at_ms)},{clock},{taken_ms},{monotonic_ms}\n"
                last_ms, last_up_ms = at_ms if trusted else -1, monotonic_ms
            if flag == 0 and raw is None and not reason:  # Nearly all.
                add(f"{head}{serial & counters},{named},{value!r},,good,,{when}")
                continue
            raw_text = "" if raw is None else repr(raw)
            add(
                f"{head}{serial & counters},{named},{value!r},{raw_text},"
                f"{_FLAGS.get(flag, 'bad')},{quoted(reason) if reason else ''},{when}"
            )
        out.write("".join(lines))
        count += len(lines)
    return count


def write_array(out: IO[Any], some: Iterator[dict[str, Any]]) -> int:
    """One JSON array, a record per line; how many they were."""
    count = 0
    for count, record in enumerate(some, 1):
        out.write("[\n" if count == 1 else ",\n")
        json.dump(record, out, ensure_ascii=False, separators=(",", ":"))
    out.write("\n]\n" if count else "[]\n")
    return count


def _json(store: StoreReader, out: IO[Any], choice: Choice) -> int:
    """One array, a reading per line."""
    return write_array(out, records(store, choice))


def write_packs(
    pack: Callable[[Batch], str], store: StoreReader, out: IO[Any], choice: Choice
) -> int:
    """So many readings in one text, with their right times."""
    count = 0
    for batch, some in dated(store, choice, PACK):
        rows = [
            reading._replace(taken_ms=at_ms, clock_trusted=int(clock != "untrusted"))
            for reading, at_ms, clock in some
        ]
        out.write(pack(Batch(batch.box, batch.series, rows)))
        count += len(rows)
    return count


def _as_senml(batch: Batch) -> str:
    """A pack (RFC 8428) per line, each complete in itself, of up to a thousand readings."""
    return senml.pack(batch).decode("utf-8") + "\n"


_FORMS: dict[str, Callable[[StoreReader, IO[Any], Choice], int]] = {
    "csv": _csv,
    "json": _json,
    "senml": partial(write_packs, _as_senml),
}
