"""Which steps the water, the heat and the dust have reached: what ``mode.thresholds`` is asked.

A part of the power worker. What is reached is kept in the store before anything follows from it, so
a box that dies in a flood wakes in it. Only good values count, and of a sensor whose temperature is
corrected those of the corrected series. Steps indoors are said to whoever lives there (``kiezbox
advice``, the desk) and open nothing: a cellar of one flat is no emergency of the street.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any

from kiezbox.clock import Clock
from kiezbox.mode.thresholds import Level, Limits, feed, look, start
from kiezbox.model import Flag, Quantity, Reading
from kiezbox.node.latest import Latest
from kiezbox.node.outage import Absence
from kiezbox.settings import PUBLIC_PLACES, STEP_NAMES, Settings, StepSettings, parse
from kiezbox.store import Store
from kiezbox.store.rooms import fresh_s, series_of
from kiezbox.units import UNITS

__all__ = ["Thresholds"]

log = logging.getLogger("kiezbox")

#: Name of the kept document.
KEPT = "thresholds"


class _Watched:
    """One ``[sensors.NAME.steps.QUANTITY]``."""

    def __init__(self, settings: Settings, sensor: str, quantity: Quantity, said: StepSettings):
        table = settings.sensors[sensor]
        self.sensor, self.quantity, self.said = sensor, quantity, said
        self.series = str(series_of(settings.sensors, sensor, quantity))
        self.room = str(table.get("room") or "")
        self.is_public = table.get("where", "indoor") in PUBLIC_PLACES
        self.fresh_s = fresh_s(table)
        # In mode saving it is read more seldom, and a flood may come all the same.
        gap_s = max(self.fresh_s, 2.5 * float(table.get("saving_interval_s", 600.0)))
        self.limits = Limits(
            said.marks, said.back_of(quantity.value), said.held_s, said.lost_s, gap_s
        )
        self.level = start(self.limits)
        self.serial = 0
        #: The last good value, also of a sensor that has failed since.
        self.last: Reading | None = None

    def hear(self, reading: Reading | None) -> None:
        if reading is None or reading.flag != Flag.GOOD or reading.serial == self.serial:
            return
        self.serial, self.last = reading.serial, reading
        self.level = feed(self.level, reading.value, reading.monotonic_ms / 1000, self.limits)

    def is_stale(self, now: float) -> bool:
        heard = self.level.heard
        return heard is None or self.last is None or now - heard > self.fresh_s


class Thresholds:
    """All of them. For the power worker's thread."""

    def __init__(
        self,
        settings: Settings,
        *,
        latest: Latest,
        store: Store,
        clock: Clock,
        absence: Absence,
        tell: Callable[[list[dict[str, Any]]], None],
    ) -> None:
        """``tell`` gets now.json's ``steps`` at every look."""
        self._latest, self._store, self._clock = latest, store, clock
        self._absence, self._tell = absence, tell
        self._offset_s = clock.now() - clock.monotonic()
        self._watched = [
            _Watched(
                settings,
                sensor,
                Quantity(name),
                parse(StepSettings, said, f"sensors.{sensor}.steps.{name}"),
            )
            for sensor, table in settings.sensors.items()
            for name, said in (table.get("steps") or {}).items()
        ]
        if self._watched:
            self._resume()

    def _resume(self) -> None:
        kept = self._store.kept(KEPT) or {}
        levels, off_s = kept.get("levels"), self._absence.since(kept) or 0.0
        now = self._clock.monotonic()
        for each in self._watched:
            document = levels.get(each.series) if isinstance(levels, Mapping) else None
            if isinstance(document, Mapping):
                each.level = Level.from_dict(document, now, off_s, each.limits)

    def look(self, now: float) -> None:
        """Take in what was measured, and keep what has changed."""
        if not self._watched:
            return
        is_changed = False
        for each in self._watched:
            before = each.level
            each.hear(self._latest.good(each.series))
            each.level = look(each.level, now, each.limits)
            if each.level.step != before.step:
                log.warning(
                    "steps: %s %s -> %s", each.series, before.step or "-", each.level.step or "-"
                )
            is_changed = is_changed or each.level.lasting != before.lasting
        if is_changed:
            levels = {each.series: each.level.to_dict(now) for each in self._watched}
            self._store.keep(KEPT, {"levels": levels, **self._absence.mark()})
        offset_s = self._clock.now() - now
        if abs(offset_s - self._offset_s) > 1.0:
            self._offset_s = offset_s
        self._tell([self._facts(each, now) for each in self._watched])

    def alarm(self) -> str | None:
        """Which sensor outdoors is at its alarm step: ``brook/water_level_m ≥ 1.50 m``; the first
        of several in the order of kiezbox.toml. None: none is.
        """
        for each in self._watched:
            if each.is_public and each.level.step == STEP_NAMES[-1]:
                limit = UNITS[each.quantity].say(each.limits.marks[STEP_NAMES[-1]])
                return f"{each.sensor}/{each.quantity.value} ≥ {limit}"
        return None

    def _facts(self, each: _Watched, now: float) -> dict[str, Any]:
        since = each.level.since
        return {
            "sensor": each.sensor,
            "quantity": each.quantity.value,
            "room": each.room or None,
            "step": each.level.step or None,
            # On the wall clock, steady to the second.
            "since": None if since is None else round(self._offset_s + since),
            "value": None if each.last is None else each.last.value,
            "taken_at": None if each.last is None else each.last.taken_at,
            "is_stale": each.is_stale(now),
            "datum": each.said.datum,
            "marks": dict(each.limits.marks),
        }
