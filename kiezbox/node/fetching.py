"""One source of official warnings: ask it, write down what is new, say what is wrong.

The log keeps each message once, signed by the box's own key: that signature says "this box fetched
these words from there, over TLS". When the source was asked last, and what it listed then, stands
in a small file beside the database (``source-NAME.json``): it is how old a copy really is, changes
with every look, and is no word for anybody else.
"""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Callable, Mapping
from functools import partial
from random import random
from types import ModuleType
from typing import Any, NamedTuple, Protocol

from kiezbox import sources
from kiezbox.clock import Clock
from kiezbox.errors import SourceError, StoreError
from kiezbox.node.fetched import Known, alarm_of, known_of, lifetime_of
from kiezbox.node.worker import Worker
from kiezbox.records.kinds import DAY_S, kind_named
from kiezbox.settings import BoxSettings, Settings, SourceSettings, parse
from kiezbox.situation.warnings import key_of
from kiezbox.sources import Found
from kiezbox.store.box_key import own_key
from kiezbox.store.log import Draft, Log
from kiezbox.trust import Key, Trust, sign
from kiezbox.vouched import beside

__all__ = ["Fetch", "Fetching", "Looked", "fetch_of", "looked_path"]

log = logging.getLogger("kiezbox")

#: A copy is written anew when it would be erased within so long: an outage must not outlive it.
RENEW_S = 4 * DAY_S

#: What is missing from so many lists in a row is gone; one list may be a server's hiccup.
MISSED_TO_BE_GONE = 2

#: Failures in a row, other than "no link", that make a fault: a person has to look at the settings.
FAILED_TO_BE_FAULT = 3

#: By which part of itself a pause is longer or shorter.
SPREAD = 0.2


class Faults(Protocol):
    """The part of ``store.Store`` that is needed."""

    def open_fault(self, source: str, kind: str, message: str, hint: str = "") -> bool: ...
    def close_fault(self, source: str) -> bool: ...


class Looked(NamedTuple):
    """What came of one look, in messages."""

    listed: int
    new: int
    changed: int
    gone: int
    problems: tuple[str, ...]


class Fetching:
    """The task of one ``[sources.NAME]``."""

    def __init__(
        self,
        name: str,
        module: ModuleType,
        settings: SourceSettings,
        *,
        box: BoxSettings,
        open_log: Callable[[], Log],
        key: Callable[[], Key],
        faults: Faults,
        clock: Clock,
        counts: Callable[[], bool] = lambda: True,
        chance: Callable[[], float] = random,
    ) -> None:
        """``open_log`` and ``key`` are called by the first step; ``counts`` says whether this
        thread's results are still wanted (see ``Worker``); ``chance`` is from 0 to 1.
        """
        self.name = name
        self._settings = settings
        self._source = module.open(settings, _place_of(box))
        self._open_log = open_log
        self._make_key = key
        self._faults = faults
        self._clock = clock
        self._counts = counts
        self._chance = chance
        self._log: Log | None = None
        self._key: Key | None = None
        self._failed = 0
        self._silent_since: float | None = None
        self._missed: dict[str, int] = {}
        #: What the gravest warning that holds says, and until when (Unix seconds; 0: for ever).
        self._alarm: tuple[str, float] | None = None

    def alarm(self) -> str | None:
        """What the mode's cause ``official_warning`` is told; None: nothing. From any thread."""
        alarm = self._alarm
        is_over = alarm is None or 0 < alarm[1] <= self._clock.now()
        return None if alarm is None or is_over else alarm[0]

    def step(self) -> float:
        """Ask once; seconds until the next time."""
        try:
            self._opened()
            looked = self.look()
        except SourceError as error:
            return self._went_wrong(error)
        except StoreError as error:
            # A full card: the store's own fault says so, too. The source is not to blame.
            source = f"sources.{self.name}"
            if self._faults.open_fault(source, "unwritable", f"{self.name}: {error}", error.hint):
                log.warning("%s: %s", source, error)
            return self._spread(self._settings.interval_s)
        self._failed, self._silent_since = 0, None
        if self._faults.close_fault(f"sources.{self.name}"):
            log.info("sources.%s: answers again", self.name)
        for problem in looked.problems[:5]:
            log.warning("sources.%s: %s", self.name, problem)
        if looked.new or looked.changed or looked.gone:
            log.info(
                "sources.%s: %d listed, %d new, %d changed, %d gone",
                self.name, looked.listed, looked.new, looked.changed, looked.gone,
            )  # fmt: skip
        if looked.problems:
            return self._spread(min(self._settings.retry_least_s, self._settings.interval_s))
        return self._spread(self._settings.interval_s)

    def look(self) -> Looked:
        """Ask, and write down what is new.

        Raises:
            SourceError: nothing came that can be used.
            StoreError: it cannot be written down.
        """
        found: Found = self._source.fetch()
        if not self._counts():
            return Looked(0, 0, 0, 0, ())
        words = self._opened()
        looked = self._write(found, words)
        self._alarm = alarm_of(known_of(words, self.name), self._clock)
        self._note(found, words)
        return looked

    def interrupt(self) -> None:
        self._source.interrupt()

    def close(self) -> None:
        if self._log is not None:
            self._log.close()
            self._log = None

    # --- into the log ----------------------------------------------------------------------------

    def _opened(self) -> Log:
        if self._log is None:
            self._log = self._open_log()
            # A box that starts in an outage knows what held before it.
            self._alarm = alarm_of(known_of(self._log, self.name), self._clock)
        return self._log

    def _write(self, found: Found, words: Log) -> Looked:
        now = self._clock.now()
        known = known_of(words, self.name)
        drafts: list[Draft] = []
        counts = {"new": 0, "changed": 0, "gone": 0}
        for warning in found.warnings:
            fields = warning.fields()
            before = known.get(warning.identifier)
            is_same = before is not None and before.fields == fields and not before.is_gone
            ends_at = warning.ends_at
            is_past = ends_at is not None and ends_at <= now
            if is_same and before is not None and (before.expires_at - now > RENEW_S or is_past):
                continue
            if not is_same:
                counts["new" if before is None else "changed"] += 1
            drafts.append(self._draft(fields, lifetime_of(fields, now), before))
        for identifier in self._gone(found, known, now):
            before = known[identifier]
            counts["gone"] += 1
            # As long as there is a record that says otherwise.
            lifetime_s = int(max(DAY_S, before.expires_at - now + 1))
            drafts.append(self._draft({**before.fields, "is_gone": 1}, lifetime_s, before))
        if drafts:
            words.add(*drafts)
        return Looked(
            len(found.listed), counts["new"], counts["changed"], counts["gone"], found.problems
        )

    def _gone(self, found: Found, known: Mapping[str, Known], now: float) -> list[str]:
        """Those that hold as far as the log knows, and that the source lists no more."""
        if not found.is_whole:
            return []
        listed = {key_of(each) for each in found.listed}
        replaced = {
            key_of(reference)
            for warning in found.warnings
            for reference in warning.references.split("\n")
        }
        missing = []
        for identifier, each in known.items():
            ends_at = each.fields.get("ends_at")
            is_over = each.is_gone or (ends_at is not None and ends_at <= now)
            is_cancel = str(each.fields.get("message_type", "")).lower() == "cancel"
            key = key_of(identifier)
            if not (is_over or is_cancel or key in listed or key in replaced):
                missing.append(identifier)
        self._missed = {each: self._missed.get(each, 0) + 1 for each in missing}
        return [each for each, times in self._missed.items() if times >= MISSED_TO_BE_GONE]

    def _draft(self, fields: Mapping[str, Any], lifetime_s: int, before: Known | None) -> Draft:
        if self._key is None:
            self._key = self._make_key()
        now = int(self._clock.now())
        whole = {
            **fields, "source": self.name, "fetched_at": now,
            "fetched_from": self._source.host[:80],
        }  # fmt: skip
        most = kind_named("warning").most_s
        signed = sign("warning", whole, self._key, lifetime_s=min(lifetime_s, most))
        return Draft(**signed._asdict(), once=self._once(fields, before))

    def _once(self, fields: Mapping[str, Any], before: Known | None) -> bytes:
        """The same for two processes that fetched the same at the same time."""
        from hashlib import blake2b

        said = json.dumps(
            [self.name, dict(fields), before.sequence if before else 0], sort_keys=True
        )
        return blake2b(said.encode(), digest_size=16).digest()

    # --- what else is said -----------------------------------------------------------------------

    def _note(self, found: Found, words: Log) -> None:
        """When it was asked last, and what it listed: for how old a copy is."""
        path = looked_path(words.path, self.name)
        document = {
            "version": 1, "checked_at": self._clock.now(), "host": self._source.host,
            "listed": sorted(found.listed)[:500],
        }  # fmt: skip
        try:
            with open(f"{path}.new", "w", encoding="utf-8") as file:
                json.dump(document, file)
                file.flush()
                # Once in ten minutes: after the power cut that this is for, how old a copy is must
                # still be known.
                os.fsync(file.fileno())
            os.replace(f"{path}.new", path)
        except OSError as error:
            log.warning("sources.%s: cannot write %s: %s", self.name, path, error)

    def _went_wrong(self, error: SourceError) -> float:
        now = self._clock.monotonic()
        self._failed += 1
        if self._silent_since is None:
            self._silent_since = now
        is_long = now - self._silent_since >= self._settings.silent_s
        is_odd = error.kind != "unreachable" and self._failed >= FAILED_TO_BE_FAULT
        if is_long or is_odd:
            source = f"sources.{self.name}"
            if self._faults.open_fault(source, error.kind, f"{self.name}: {error}", error.hint):
                log.warning("%s: %s kind=%s", source, error, error.kind)
        elif self._failed == 1:
            log.info("sources.%s: %s", self.name, error)
        pause_s = self._settings.retry_least_s * 2.0 ** min(self._failed - 1, 20)
        return self._spread(min(pause_s, self._settings.interval_s))

    def _spread(self, pause_s: float) -> float:
        """A fifth sooner or later: when the power comes back, all boxes of a city start at once,
        and must not ask in the same second for ever.
        """
        return pause_s * (1 - SPREAD + 2 * SPREAD * self._chance())


class Fetch:
    """One ``[sources.NAME]`` of kiezbox.toml: its settings, and the task that works just now."""

    def __init__(self, name: str, settings: SourceSettings, make: Callable[..., Fetching]) -> None:
        self.name = name
        self.settings = settings
        self._make = make
        # Now and not in the worker: what is wrong with its settings is told before anything runs.
        self._current = make()

    def task(self, counts: Callable[[], bool] = lambda: True) -> Fetching:
        """A new one; after a crash another."""
        self._current = self._make(counts=counts)
        return self._current

    def worker(self, clock: Clock, on_trouble: Callable[[str, str], None]) -> Worker:
        return Worker(
            f"sources.{self.name}",
            self.task,
            clock,
            # A source ends each answer itself, and all of them within four times that.
            step_limit_s=8 * self.settings.timeout_s + 60,
            on_trouble=on_trouble,
        )

    def alarm(self) -> str | None:
        """See ``Fetching.alarm``."""
        return self._current.alarm()


def fetch_of(
    name: str,
    settings: Settings,
    faults: Faults,
    clock: Clock,
    *,
    chance: Callable[[], float] = random,
) -> Fetch:
    """``[sources.NAME]``, ready to be asked.

    Raises:
        SettingsError: there is no such source, or its settings are wrong.
    """
    table = settings.sources[name]
    module = sources.load(table.get("driver") or name)
    source_settings = parse(module.Settings, table, f"sources.{name}")

    def key() -> Key:
        return own_key(settings.store.path, settings.store.words_path, settings.box.id)

    def open_log() -> Log:
        # It folds warnings only, and of them only the box's own key says anything.
        judge = Trust((), clock, own=key().public).judge
        path = settings.store.words_path
        return Log.open(path, clock, box=settings.box.id, judge=judge)

    make = partial(
        Fetching, name, module, source_settings, box=settings.box, open_log=open_log, key=key,
        faults=faults, clock=clock, chance=chance,
    )  # fmt: skip
    return Fetch(name, source_settings, make)


def looked_path(words_path: str, name: str) -> str:
    """Where it stands when a source was asked last."""
    return beside(words_path, f"source-{name}.json")


def _place_of(box: BoxSettings) -> tuple[float, float] | None:
    """(latitude, longitude), if both are set."""
    if box.latitude is None or box.longitude is None:
        return None
    return box.latitude, box.longitude
