"""``kiezbox readings quality``: per series and day, what was good, and what became of the rest."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from kiezbox import sparing
from kiezbox.errors import MissingPackage, SettingsError
from kiezbox.quality import REASONS, SUFFIX
from kiezbox.quality.days import Day, Days
from kiezbox.sparing import Change, stretches
from kiezbox.store.boots import corrected_ms

if TYPE_CHECKING:
    from kiezbox.clock import Clock
    from kiezbox.mode import Mode
    from kiezbox.settings import Settings
    from kiezbox.store import StoreReader

__all__ = ["days_of", "document", "sentences"]

#: Readings taken in at once.
PAGE = 5000

DAY_S = 86400.0

#: The newest changes of mode that are asked for; a box makes a handful in a blackout.
MOST_CHANGES = 10_000


def days_of(
    store: StoreReader, settings: Settings, clock: Clock, days: int, sensors: Iterable[str]
) -> list[Day]:
    """The last so many days of the box's own zone, today included; no sensor means all."""
    chosen, now = set(sensors), clock.now()
    year, month, day = time.localtime(now)[:3]
    since = _first_moment(year, month, day - days + 1)
    marks = store.clock_marks()
    counted = Days(midnight, stretches(_changes(store), now))
    # A day more, so that the first one is expected from its beginning on.
    position = store.position_since(int((since - DAY_S) * 1000))
    while batch := store.after(position, PAGE):
        position = batch.readings[-1][0]
        for reading in batch:
            series = batch.series[reading.series]
            if series.sensor.endswith(SUFFIX):
                continue  # It shares the verdicts of its sensor's own series.
            if chosen and not chosen & {series.sensor, str(series)}:
                continue
            at = corrected_ms(
                marks, reading.boot, reading.monotonic_ms, reading.taken_ms, reading.clock_trusted
            )
            is_sure = bool(reading.clock_trusted) or reading.boot in marks
            counted.add(series, at / 1000, reading.flag, reading.reason, is_sure=is_sure)
    intervals, spared = _intervals(settings)
    return counted.report(since, now, intervals, store.faults(only_open=False), spared)


def _changes(store: StoreReader) -> list[Change]:
    """The box's changes of mode, oldest first; of a moment nobody is sure of there is none."""
    marks, found = store.clock_marks(), []
    for each in store.transitions("mode", MOST_CHANGES):
        if each.clock_trusted or each.boot in marks:
            at_ms = round(each.at * 1000)
            at = corrected_ms(marks, each.boot, each.monotonic_ms, at_ms, each.clock_trusted)
            found.append(Change(at / 1000, each.before, each.after))
    return sorted(found)


def midnight(at: float) -> tuple[float, float]:
    """Beginning and end of that moment's day in the box's zone; days of 23 and 25 hours, too."""
    year, month, day = time.localtime(at)[:3]
    return _first_moment(year, month, day), _first_moment(year, month, day + 1)


def _first_moment(year: int, month: int, day: int) -> float:
    """Of a day, which begins at 0:00, or at 1:00 where that is left out in spring (Cairo), or has
    it twice in autumn (Havana).
    """
    found = time.mktime((year, month, day, 0, 0, 0, 0, 0, -1))
    before = found - 3600
    return before if time.localtime(before)[2] == time.localtime(found)[2] else found


def _intervals(settings: Settings) -> tuple[dict[str, float], dict[Mode, dict[str, float]]]:
    """How often each sensor of kiezbox.toml is read, and in which mode more seldom."""
    from kiezbox import sensors
    from kiezbox.settings import parse

    found, needed = {}, sparing.needed(settings)
    seldom: dict[Mode, dict[str, float]] = {mode: {} for mode in sparing.SPARING}
    for name, table in settings.sensors.items():
        try:
            driver = sensors.load(table.get("driver", ""))
            its = parse(driver.Settings, table, f"sensors.{name}")
        except (MissingPackage, SettingsError):
            found[name] = float(table.get("interval_s", 60.0))
            continue
        found[name] = its.interval_s
        has_load = sparing.draws_a(driver) > 0
        in_modes = sparing.rhythms(its, has_load=has_load, is_needed=name in needed)
        for mode, row in seldom.items():
            row[name] = in_modes[mode].interval_s
    return found, seldom


def document(days: Iterable[Day]) -> list[dict[str, Any]]:
    """For programs: an object per series and day."""
    return [
        {
            "sensor": day.series.sensor,
            "quantity": day.series.quantity,
            "day": _name(day),
            "good": day.good,
            "suspect": day.suspect,
            "bad": day.bad,
            "missing": day.missing,
            "reasons": dict(day.reasons),
            "faults": list(day.faults),
            "rhythm_s": day.rhythm_s,
        }
        for day in days
    ]


def sentences(days: list[Day]) -> list[str]:
    """A table, and what its words mean."""
    if not days:
        return ["Nothing was measured in these days."]
    width = max(len(str(day.series)) for day in days)
    head = f"{'good':>6} {'suspect':>7} {'bad':>6} {'missing':>7}  why"
    lines = [f"{'day':<10}  {'':<{width}}  {head}"]
    for day in days:
        lines.append(
            f"{_name(day) or 'unknown':<10}  {str(day.series):<{width}}  {day.good:>6}"
            f" {day.suspect:>7} {day.bad:>6} {day.missing:>7}  {_why(day)}".rstrip()
        )
    said = {reason for day in days for reason in day.reasons}
    lines += [""] * bool(said)
    for reason, known in REASONS.items():
        if reason in said:
            lines += [f"{reason}: {known.what}", f"    {known.hint}"]
    return lines


def _why(day: Day) -> str:
    parts = [f"{reason} {count}" for reason, count in day.reasons.items()]
    if day.missing:
        kinds = ", ".join(day.faults) or "no fault is known: the box was off, or had just started"
        parts.append(f"missing: {kinds}")
    return "; ".join(parts)


def _name(day: Day) -> str | None:
    if day.starts_at is None:
        return None
    return time.strftime("%Y-%m-%d", time.localtime(day.starts_at))
