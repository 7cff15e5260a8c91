"""The node's advice for its home: what helps in which room, into now.json, for the operator's desk.

The desk may read neither kiezbox.toml nor the store (systemd hides them from it), so it cannot ask
``store.rooms`` itself. Codes and numbers only; the words are the reader's. Nothing of it is
published, and the residents' pages do not know it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from kiezbox.clock import Clock
from kiezbox.errors import KiezboxError
from kiezbox.indices.advice import advise
from kiezbox.node.facts import Facts
from kiezbox.node.latest import Latest
from kiezbox.node.worker import Worker
from kiezbox.settings import Settings
from kiezbox.store import Store, StoreReader
from kiezbox.store.rooms import HOUR_S, WEEK_S, gather, needs_history

__all__ = ["SOURCE", "Advising", "advisers"]

#: Name of the worker, and of its faults.
SOURCE = "advice"

STEP_S = 10.0

#: Hours of a week do not change faster; reading them costs a small box a second.
HISTORY_S = 900.0

Trouble = Callable[[str], Callable[[str, str], None]]


def advisers(
    settings: Settings, store: Store, latest: Latest, clock: Clock, facts: Facts, trouble: Trouble
) -> Sequence[Worker]:
    """The worker, or none where nothing hangs indoors: then there is no thread for this."""
    if all(table.get("where", "indoor") != "indoor" for table in settings.sensors.values()):
        return ()

    def make(counts: Callable[[], bool]) -> Advising:
        return Advising(settings, store, latest, clock, facts.set_advice)

    return [Worker(SOURCE, make, clock, on_trouble=trouble(SOURCE))]


class Advising:
    """The task of the worker."""

    def __init__(
        self,
        settings: Settings,
        store: Store,
        latest: Latest,
        clock: Clock,
        tell: Callable[[list[dict[str, Any]]], None],
    ) -> None:
        self._sensors = settings.sensors
        self._latest = latest
        self._clock = clock
        self._tell = tell
        self._store = store
        self._reader = StoreReader(settings.store.path, clock=clock)
        self._needs_history = needs_history(settings.sensors)
        self._history: Mapping[Any, Any] = {}
        self._read_at = -HISTORY_S

    def step(self) -> float:
        now = self._clock.now()
        if self._needs_history and self._clock.monotonic() - self._read_at >= HISTORY_S:
            self._read_at = self._clock.monotonic()
            try:
                self._history = self._reader.spans(int((now - WEEK_S) * 1000), HOUR_S * 1000)
            except KiezboxError as error:
                # Advice about now needs no week; that of mould comes when the store can be read.
                self._history = {}
                self._store.open_fault(
                    SOURCE, "unreadable", f"nobody counts how long walls are damp: {error}"
                )
            else:
                self._store.close_fault(SOURCE)
        latest = {
            name: {"value": each.value, "flag": each.flag, "taken_at": each.taken_at}
            for name, each in self._latest.snapshot().items()
        }
        home = gather(self._sensors, latest, now, self._history)
        self._tell([each._asdict() for each in advise(home.rooms, home.outside, home.outside_air)])
        return STEP_S

    def interrupt(self) -> None:
        """A step is short."""

    def close(self) -> None:
        self._reader.close()
