"""What may leave the box: asked for every reading on its way out, by every publisher's worker."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from kiezbox import sensors as drivers
from kiezbox.clock import Clock
from kiezbox.errors import StoreError
from kiezbox.model import Batch, Row, Series
from kiezbox.privacy.consent import EVERYTHING, Consents
from kiezbox.privacy.places import public_since, to_be_noted
from kiezbox.privacy.recipient import Recipient, astray_words, recipient_of
from kiezbox.privacy.shown import Shown, shown_of
from kiezbox.quality import SUFFIX
from kiezbox.store.consents import ConsentFile, keep_shown

log = logging.getLogger("kiezbox")

__all__ = ["Filter", "Privacy"]

#: How often a publisher's worker looks at least while a consent holds: so soon after its end what
#: the publisher keeps for others to fetch is gone. Without one nobody need look.
LOOK_S = 1.0

Tables = Mapping[str, Mapping[str, Any]]


class Privacy:
    """For all publishers of a node. Thread-safe as long as each has one of its own (``of``)."""

    def __init__(
        self, sensors: Tables, path: str, clock: Clock, publishers: Tables | None = None
    ) -> None:
        """``sensors``, ``publishers``: the tables of kiezbox.toml; ``path``: of the ledger."""
        self._sensors = sensors
        self._publishers = publishers or {}
        self._path = path
        self._ledger = ConsentFile(path)
        self._shown: tuple[Shown, int] | None = None
        self._trouble = ""
        self._told_of: tuple[Consents, bool] | None = None
        self._clock = clock

    def of(self, name: str) -> Filter:
        """The filter of one publisher, by its name in kiezbox.toml."""
        recipient = recipient_of(name, self._publishers.get(name, {}))
        return Filter(self._sensors, ConsentFile(self._path), recipient, self._clock)

    def tell_the_portal(self) -> None:
        """Note where sensors hang now, and keep the table of what the public pages may show; each
        is written only if it is another one.
        """
        consents, is_sure = self._ledger.read(), self._clock.is_trusted()
        if self._told_of == (consents, is_sure) and not consents.given:
            return  # Nothing in it ends by itself. This is asked up to four times a second.
        try:
            self._note_places()
            consents = self._ledger.read()
            public = public_since(self._sensors, consents)
            shown = shown_of(public, consents, self._clock.now(), is_sure=is_sure)
            found = shown, self._ledger.size
            if found != self._shown:
                keep_shown(self._path, *found)
                self._shown = found
            self._told_of, self._trouble = (consents, is_sure), ""
        except StoreError as error:
            # Tried again with the next now.json, up to four times a second; said once.
            if str(error) != self._trouble:
                self._trouble = str(error)
                log.warning("privacy: %s", error)

    def _note_places(self) -> None:
        consents = self._ledger.read()
        if self._ledger.size < 0:
            return  # It cannot be read, so nobody knows what it says already.
        is_sure = self._clock.is_trusted()
        for line in to_be_noted(self._sensors, consents, self._clock.now(), is_sure=is_sure):
            self._ledger.append(line)
            log.info("privacy: %s is noted as %s", line["sensor"], line["where"])


class Filter:
    """For one recipient, in one thread."""

    def __init__(
        self, sensors: Tables, ledger: ConsentFile, recipient: Recipient, clock: Clock
    ) -> None:
        self._sensors = sensors
        self._intervals: dict[str, dict[str, float]] = {}
        self._ledger = ledger
        self._recipient = recipient
        self._clock = clock
        self._public: tuple[Consents | None, dict[str, float]] = (None, {})
        self._is_watching = False
        self._astray: set[int] = set()

    def passed(self, batch: Batch) -> Batch:
        """The batch without what may not go; itself if all of it may."""
        consents = self._ledger.read()
        public = self._public_since(consents)
        # Not those that are private: a damaged card may have lost a series' name, and then nobody
        # knows whose it is.
        free = {number for number, each in batch.series.items() if public.get(each.sensor) == 0.0}
        if len(free) == len(batch.series) and self._is_all_public(public, consents):
            return batch
        now, is_sure = self._clock.now(), self._clock.is_trusted()
        kept = [
            row
            for row in batch.readings
            if row[1] in free
            or (is_sure and self._may_go(batch.series[row[1]], row, consents, public, now))
        ]
        return batch if len(kept) == len(batch.readings) else Batch(batch.box, batch.series, kept)

    def _is_all_public(self, public: dict[str, float], consents: Consents) -> bool:
        return all(public.get(name) == 0.0 for name in {*self._sensors, *consents.placed})

    def _may_go(
        self, series: Series, row: Row, consents: Consents, public: dict[str, float], now: float
    ) -> bool:
        """Of what needs a consent, or was measured before its sensor left a flat: whether this may
        go. What was stamped by a clock that nobody had set may be from any time.
        """
        if len(row) > 5 and not row[8]:
            return False
        taken_at = row[2] / 1000
        if series.sensor in public:
            return taken_at >= public[series.sensor]
        # A corrected series (bedroom_corrected) says what its sensor's own says.
        sensor = series.sensor.removesuffix(SUFFIX)
        return consents.covers(sensor, series.quantity, self._recipient, taken_at, now)

    def _public_since(self, consents: Consents) -> dict[str, float]:
        if self._public[0] is not consents:
            self._public = consents, public_since(self._sensors, consents)
        return self._public[1]

    def told(self) -> dict[str, Any]:
        """What a publisher is told as "sensors": of each whose readings may go out now, how often
        it is read, and which of its quantities (None: all).
        """
        consents, now = self._ledger.read(), self._clock.now()
        public = self._public_since(consents)
        holding = [] if consents.is_damaged else consents.holding(now)
        if not self._clock.is_trusted() and not consents.is_damaged:
            # No reading goes out, but what was said of the sensor may stay: Home Assistant would
            # forget at each power cut how people there have called it.
            holding = [each for each in consents.given if each.ended_at is None]
        quantities: dict[str, set[str]] = {}
        for each in holding:
            if each.is_for(self._recipient):
                quantities.setdefault(each.sensor, set()).update(each.quantities)
        self._is_watching = bool(quantities)
        self._say_astray(consents, now)
        found: dict[str, Any] = {}
        for name in self._sensors:
            agreed = {EVERYTHING} if name in public else quantities.get(name)
            if agreed:
                found[name] = {
                    **self._intervals_of(name),
                    "quantities": None if EVERYTHING in agreed else sorted(agreed),
                }
        return {"sensors": found}

    def pace_s(self) -> float:
        """How long the worker may rest at most, by what was told last."""
        return LOOK_S if self._is_watching else float("inf")

    def _say_astray(self, consents: Consents, now: float) -> None:
        """Once each: somebody wonders why nothing arrives."""
        name = self._recipient.name
        for each in consents.astray({name: self._recipient}, now):
            if each.recipient == name and each.number not in self._astray:
                self._astray.add(each.number)
                why = astray_words(each.number, each.address, self._recipient)
                log.warning("privacy: nothing of %s goes to %s: %s", each.sensor, name, why)

    def _intervals_of(self, name: str) -> dict[str, float]:
        """Its ``interval_s``, and in mode saving its ``saving_interval_s`` where that is longer."""
        if name not in self._intervals:
            table = self._sensors[name]
            kind = drivers.load(str(table.get("driver") or name)).Settings
            known: dict[str, Any] = {field.name: field.default for field in fields(kind)}
            known.update(table)
            found = {"interval_s": float(known["interval_s"])}
            # 0: it is not read then.
            saving_s = float(known.get("saving_interval_s", 0))
            if saving_s > found["interval_s"]:
                found["saving_interval_s"] = saving_s
            self._intervals[name] = found
        return self._intervals[name]
