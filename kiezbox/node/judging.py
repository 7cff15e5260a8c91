"""The judges of all sensors, and what they know of each other; kept while workers come and go.

What a judge remembers is made anew at a start by showing it the last stored readings. It does not
matter which of them were flagged: the same rules see the same values again.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from itertools import groupby
from typing import Any

from kiezbox.clock import Clock
from kiezbox.errors import SettingsError
from kiezbox.model import Flag, Measurement, Quantity, Reading
from kiezbox.quality import REASONS, Judge, Witness, corrected, rows_of, wrong_wishes
from kiezbox.quality.limits import DUST
from kiezbox.settings import SensorSettings
from kiezbox.store import Store

__all__ = ["Judging", "SensorJudge"]

log = logging.getLogger("kiezbox")

#: Readings looked at when the first sensor has been read: three hours of twenty series a minute, a
#: fifth of a second on a desktop computer. What is longer ago costs a doubt less, nothing else.
LOOK_BACK = 4000

#: What is not believed for so long is said aloud, as a fault.
DOUBTED_S = 3600.0

#: Two clocks' readings of one start of the machine differ by no more.
SAME_START_S = 5.0

_HUMIDITY = Quantity.HUMIDITY_PERCENT.value

#: Reasons that the judge gives itself, and will find anew.
_OWN = frozenset({"range", "step", "stuck", "saturated", "warm-up", "cross", "rh-high"})

_KNOWN = frozenset(quantity.value for quantity in Quantity)


class SensorJudge:
    """One sensor's judge, with the witness it listens to. One thread uses it."""

    def __init__(
        self,
        name: str,
        settings: SensorSettings,
        clock: Clock,
        witnesses: Mapping[str, Witness],
        listens_to: str,
        prepare: Callable[[], None],
    ) -> None:
        """``prepare`` is called before the first judgement, and waits until all is ready."""
        self._name = name
        self._prepare = prepare
        self._offset_k = settings.temperature_offset_k
        self._clock = clock
        self._judge = Judge(rows_of(settings))
        self._witnesses = witnesses
        self._listens_to = listens_to
        #: Series → its newest reason, and since when none of its values was good.
        self._doubted: dict[str, tuple[str, float]] = {}
        self._judged_at = 0.0

    def judged(self, measurements: Sequence[Measurement]) -> list[Measurement]:
        """One read's measurements of just now, with flags and reasons; values as they were."""
        self._prepare()
        return self.at(self._clock.monotonic(), measurements)

    def at(self, at: float, measurements: Sequence[Measurement]) -> list[Measurement]:
        """The same, of some moment of the monotonic clock."""
        witness = self._witnesses.get(self._listens_to)
        own = self._listens_to == self._name
        found = self._judge.judged(
            at, measurements, witness.says(at) if witness and not own else None
        )
        for one in found:
            if one.quantity is Quantity.HUMIDITY_PERCENT:
                self._witnesses[self._name].hears(at, one.value, one.flag, one.reason)
                if own and witness:
                    found = self._judge.humid(found, witness.says(at))
                break
        self._follow(at, found)
        return found

    def doubt(self) -> tuple[str, str, str] | None:
        """Kind, message and hint, where a series has not been believed for an hour on end and the
        weather is no excuse.
        """
        # What only contradicts another value comes last: the other one is to blame.
        by_cause = sorted(self._doubted.items(), key=lambda item: item[1][0] == "cross")
        for series, (reason, since) in by_cause:
            if self._judged_at - since >= DOUBTED_S:
                what, hint, _ = REASONS.get(reason, (reason, "", False))
                return reason, f"{series} has not been believed for an hour: {what}", hint
        return None

    def _follow(self, at: float, judged: Sequence[Measurement]) -> None:
        self._judged_at = at
        for one in judged:
            series = f"{self._name}/{one.quantity.value}"
            known = REASONS.get(one.reason)
            if one.flag == Flag.GOOD or (known is not None and known.is_expected):
                self._doubted.pop(series, None)
            else:
                _, since = self._doubted.get(series, ("", at))
                self._doubted[series] = one.reason, since

    def corrected(self, judged: Sequence[Measurement]) -> list[Measurement]:
        """The rows of NAME_corrected; none where nothing is to be corrected."""
        return corrected(judged, self._offset_k) if self._offset_k else []

    def lost(self) -> None:
        """The sensor has failed: when it is back it warms up."""
        self._judge.lost()


class Judging:
    """Made once by ``assemble``, before any sensor is read."""

    def __init__(
        self, sensors: Mapping[str, tuple[Any, SensorSettings]], store: Store, clock: Clock
    ) -> None:
        """``sensors``: name → (driver module, settings).

        Raises:
            SettingsError: what a sensor's quality settings ask for cannot be.
        """
        wrong = [
            problem
            for name, (driver, settings) in sensors.items()
            for problem in wrong_wishes(name, settings, driver.QUANTITIES, sensors)
        ]
        if wrong:
            raise SettingsError("\n".join(wrong), hint="See docs/quality.md.")
        self._clock = clock
        self._witnesses: dict[str, Witness] = {
            name: Witness()
            for name, (driver, _) in sensors.items()
            if Quantity.HUMIDITY_PERCENT in driver.QUANTITIES
        }
        self._judges = {
            name: SensorJudge(
                name,
                settings,
                clock,
                self._witnesses,
                self._witness_of(name, settings, sensors),
                self._recall_once,
            )
            for name, (_, settings) in sensors.items()
        }
        self._store = store
        self._recalling = threading.Lock()
        self._is_recalled = False

    def of(self, name: str) -> SensorJudge:
        return self._judges[name]

    def _witness_of(
        self, name: str, settings: SensorSettings, sensors: Mapping[str, tuple[Any, SensorSettings]]
    ) -> str:
        """Whose humidity counts for a sensor's particulates; "" for nobody's."""
        for quantity in DUST:
            said = settings.quality.get(quantity.value)
            if said is not None and said.humidity_sensor:
                return said.humidity_sensor
        if name in self._witnesses:
            return name
        near = [each for each in self._witnesses if sensors[each][1].where == settings.where]
        return near[0] if len(near) == 1 else ""

    def _recall_once(self) -> None:
        """In the first sensor's thread: a box that wakes in a blackout has more urgent things."""
        with self._recalling:
            if not self._is_recalled:
                self._is_recalled = True
                self._recall()

    def _recall(self) -> None:
        newest = self._store.newest_serial
        batch = self._store.after(max(0, newest - LOOK_BACK), LOOK_BACK)
        now, started_at = self._clock.monotonic(), self._clock.now() - self._clock.monotonic()
        is_trusted = self._clock.is_trusted()
        count = 0
        for (sensor, taken_ms), some in groupby(
            batch, lambda reading: (batch.series[reading.series].sensor, reading.taken_ms)
        ):
            judge, readings = self._judges.get(sensor), list(some)
            if judge is None:
                continue
            then_started_at = (taken_ms - readings[0].monotonic_ms) / 1000
            is_same_start = abs(then_started_at - started_at) < SAME_START_S
            # Of another start only what two right clocks say tells how long ago it was.
            if not is_same_start and not (is_trusted and readings[0].clock_trusted):
                continue
            at = taken_ms / 1000 - started_at
            if at > now:
                continue  # the clock was set back
            named = ((reading, batch.series[reading.series].quantity) for reading in readings)
            judge.at(at, [_measurement(each, name) for each, name in named if name in _KNOWN])
            if not is_same_start:
                judge.lost()
            count += len(readings)
        log.debug("quality: %d readings recalled", count)


def _measurement(reading: Reading, quantity: str) -> Measurement:
    """As the driver had returned it."""
    by_driver = reading.flag == Flag.BAD or reading.reason not in _OWN
    return Measurement(
        Quantity(quantity),
        reading.value,
        reading.raw,
        Flag(reading.flag) if by_driver else Flag.GOOD,
        reading.reason if by_driver else "",
    )
