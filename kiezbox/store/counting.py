"""How many stored readings lie behind a serial, cheaply enough to ask every second."""

from __future__ import annotations

from kiezbox.store.queries import Query, count_stored, newest_stored

_ANCHORS_MOST = 8


class Counter:
    """Counts once, then only the way from a position that was asked for before.

    Serials have gaps (between boots, where a card forgot), so they cannot simply be subtracted;
    and counting a week of backlog each second is what a small box must not do.
    """

    def __init__(self, query: Query) -> None:
        self._query = query
        #: Serial → how many stored readings lie above it; the last used at the end.
        self._anchors: dict[int, int] = {}

    def forget(self) -> None:
        """The table has changed (a fold, once in hours)."""
        self._anchors.clear()

    def between(self, position: int, until: int) -> int:
        """Stored readings with position < serial <= until."""
        return self._above(position) - self._above(until) if until > position else 0

    def _above(self, serial: int) -> int:
        if not self._anchors:
            newest = newest_stored(self._query)
            self._anchors[newest] = 0
            self._newest = newest
        if serial >= self._newest:
            return 0
        near = min(self._anchors, key=lambda anchor: abs(anchor - serial))
        count = self._anchors.pop(near)
        self._anchors[near] = count
        if near < serial:
            count -= count_stored(self._query, near, serial)
        elif near > serial:
            count += count_stored(self._query, serial, near)
        self._anchors[serial] = count
        if len(self._anchors) > _ANCHORS_MOST:
            del self._anchors[next(iter(self._anchors))]
        return count
