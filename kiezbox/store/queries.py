"""Reading: the database joined with the journal's frames it does not have yet.

Plain functions over a ``query`` (SQL and parameters in, all rows out) and a list of frames, so
that the node (frames in memory) and every other process (frames read from the file) see the
same thing.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from operator import itemgetter
from typing import Any, NamedTuple

from kiezbox.model import Cursor, Fault, Series
from kiezbox.store import blocks
from kiezbox.store.boots import ClockMarks
from kiezbox.store.packing import Frame, Row, changes_of, rows_of

Query = Callable[..., list[tuple[Any, ...]]]

#: Larger than every serial.
END = 2**63 - 1


class Transition(NamedTuple):
    """One step of a state machine (grid, battery, mode), stored before it was carried out."""

    id: int
    at: float
    monotonic_ms: int
    boot: int
    machine: str
    before: str
    event: str
    after: str
    detail: Mapping[str, Any]
    carried_out_at: float | None
    clock_trusted: int


class Order(NamedTuple):
    """What the operator told the box to do. Times are Unix seconds; ``until`` may be open."""

    id: int
    at: float
    verb: str
    until: float | None
    detail: Mapping[str, Any]


class DeadLetter(NamedTuple):
    """A reading that a publisher's other side would not take; ``at`` is Unix seconds."""

    id: int
    publisher: str
    serial: int
    at: float
    why: str
    #: Whether a person wants it tried again.
    is_retried: int


def stored_rows(query: Query, position: int, limit: int, until: int) -> list[Row]:
    """The database's readings with position < serial <= until, oldest first."""
    rows = blocks.rows_after(query, position, limit, until)
    if rows and len(rows) >= limit:
        until = rows[-1][0]  # What was brought in later may still lie between them.
    more: list[Any] = query(
        "SELECT * FROM readings WHERE serial > ? AND serial <= ? ORDER BY serial LIMIT ?",
        (position, until, limit),
    )
    if not rows:
        return more
    if more and more[0][0] <= rows[-1][0]:
        both = {row[0]: row for row in [*rows, *more]}
        return [both[serial] for serial in sorted(both)][:limit]
    return [*rows, *more[: limit - len(rows)]]


def has_blocks(query: Query, position: int) -> bool:
    """Whether packed readings come after a serial."""
    return bool(query("SELECT 1 FROM blocks WHERE last > ? LIMIT 1", (position,)))


def count_stored(query: Query, position: int, until: int) -> int:
    """How many of the database's readings have position < serial <= until."""
    found = query(
        "SELECT count(*) FROM readings WHERE serial > ? AND serial <= ?", (position, until)
    )
    return int(found[0][0]) + blocks.count(query, position, until)


#: Enough of an ordinary reading; where there is more to say, the series is missing.
_BRIEF = """SELECT serial, CASE WHEN flag = 0 AND raw IS NULL AND clock_trusted = 1 THEN series END,
                   taken_ms, 0, value
            FROM readings WHERE serial > ? AND serial <= ? ORDER BY serial LIMIT ?"""


def brief_rows(query: Query, position: int, limit: int, until: int) -> list[Any]:
    """The same, but only up to ``value`` if that is all there is to say of these readings.

    For a draining backlog: each column costs 90 ns a row, and the whole way to the broker 1.4 us.
    The time since the machine's start is 0 then: it is there to correct an untrusted clock.
    """
    if has_blocks(query, position):
        return stored_rows(query, position, limit, until)
    rows = query(_BRIEF, (position, until, limit))
    if None in map(itemgetter(1), rows):
        return stored_rows(query, position, limit, until)
    return rows


def append_rows(
    rows: list[Row], frames: Sequence[Frame], position: int, limit: int, until: int
) -> None:
    """Add the frames' readings behind those of the database."""
    last = rows[-1][0] if rows else position
    for frame in frames:
        if len(rows) >= limit:
            return
        if frame.last <= last:
            continue
        if frame.first > until:
            return
        for row in rows_of(frame.payload):
            if last < row[0] <= until:
                rows.append(row)
                last = row[0]
        del rows[limit:]


def count_in(frames: Sequence[Frame], position: int, until: int) -> int:
    """How many readings of the frames lie in position < serial <= until."""
    count = 0
    for frame in frames:
        if frame.last <= position or frame.first > until:
            continue
        if frame.first > position and frame.last <= until:
            count += frame.readings
        else:
            count += sum(position < row[0] <= until for row in rows_of(frame.payload))
    return count


def changes_in(frames: Sequence[Frame], *names: str) -> Iterator[tuple[str, Sequence[Any]]]:
    """The frames' changes of these names, oldest first."""
    for frame in frames:
        for change in changes_of(frame.payload):
            if change[0] in names:
                yield change


def newest_stored(query: Query) -> int:
    """The highest serial in the database; 0 for none."""
    found = query("SELECT max(serial) FROM readings UNION ALL SELECT max(last) FROM blocks")
    return max(row[0] or 0 for row in found)


def newest_serial(query: Query, frames: Sequence[Frame]) -> int:
    stored = newest_stored(query)
    return max([stored, *(frame.last for frame in frames)])


class Names(dict[int, Series]):
    """The names of series by their number.

    Where a damaged card has lost a name its readings still go out; the name is back with the
    sensor's next reading, because the number is made of it.
    """

    def __missing__(self, number: int) -> Series:
        return Series("unknown", f"series_{number}")


def series(query: Query, frames: Sequence[Frame]) -> Names:
    """The names of all series."""
    found = Names({row[0]: Series(row[1], row[2]) for row in query("SELECT * FROM series")})
    for _, (number, sensor, quantity) in changes_in(frames, "series"):
        found.setdefault(number, Series(sensor, quantity))
    return found


def cursors(query: Query, frames: Sequence[Frame]) -> dict[str, Cursor]:
    found = {row[0]: Cursor._make(row) for row in query("SELECT * FROM cursors ORDER BY name")}
    for _, row in changes_in(frames, "cursor"):
        found[row[0]] = Cursor._make(row)
    return found


def document(text: str) -> dict[str, Any] | None:
    """What was stored as JSON; None where a card has changed its letters unseen."""
    try:
        found = json.loads(text)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def kept(query: Query, frames: Sequence[Frame]) -> dict[str, tuple[int, str]]:
    """(version, JSON) of every kept document."""
    found = {row[0]: (row[1], row[2]) for row in query("SELECT name, version, body FROM kept")}
    for _, (name, version, body) in changes_in(frames, "kept"):
        if name not in found or version > found[name][0]:
            found[name] = (version, body)
    return found


def faults(query: Query, frames: Sequence[Frame], *, only_open: bool) -> dict[int, Fault]:
    """Faults by their number, oldest first."""
    rows = {row[0]: list(row[1:]) for row in query("SELECT * FROM faults ORDER BY id")}
    for name, row in changes_in(frames, "fault_opened", "fault_closed"):
        if name == "fault_opened":
            rows[row[0]] = list(row[1:])
        elif row[3] in rows:
            rows[row[3]][5:] = row[:2]
            rows[row[3]][2] = row[2]
    found = {number: Fault._make(row) for number, row in rows.items()}
    return {n: fault for n, fault in found.items() if not only_open or fault.closed_at is None}


def transitions(
    query: Query, frames: Sequence[Frame], machine: str | None, limit: int
) -> list[Transition]:
    """Newest first."""
    rows = {
        row[0]: list(row)
        for row in query(
            "SELECT * FROM transitions WHERE ?1 IS NULL OR machine = ?1 ORDER BY id DESC LIMIT ?2",
            (machine, limit),
        )
    }
    for name, row in changes_in(frames, "transition", "carried_out"):
        if name == "carried_out":
            if row[1] in rows:
                rows[row[1]][9] = row[0]
        elif machine in (None, row[4]):
            rows[row[0]] = list(row)
    newest = sorted(rows.values(), key=lambda row: -row[0])[:limit]
    return [Transition._make([*row[:8], document(row[8]) or {}, *row[9:]]) for row in newest]


def dead_letters(
    query: Query, frames: Sequence[Frame], publisher: str | None = None
) -> list[DeadLetter]:
    """Oldest first; of one publisher, or of all."""
    rows = {row[0]: tuple(row) for row in query("SELECT * FROM dead_letters")}
    for name, row in changes_in(frames, "dead_letter", "dead_letter_gone"):
        if name == "dead_letter":
            rows = {n: each for n, each in rows.items() if each[1:3] != tuple(row[1:3])}
            rows[row[0]] = tuple(row)
        else:
            rows.pop(row[0], None)
    letters = [DeadLetter._make(rows[number]) for number in sorted(rows)]
    return [each for each in letters if publisher in (None, each.publisher)]


def orders(query: Query, frames: Sequence[Frame]) -> list[Order]:
    """The orders nobody has taken yet, oldest first."""
    taken = {row[1] for _, row in changes_in(frames, "order_taken")}
    return [
        Order._make([*row[:4], document(row[4]) or {}])
        for row in query(
            "SELECT id, at, verb, until, detail FROM orders WHERE taken_at IS NULL ORDER BY id"
        )
        if row[0] not in taken
    ]


def clock_marks(query: Query, frames: Sequence[Frame]) -> ClockMarks:
    """The moments at which the clock was trusted, by boot."""
    found: ClockMarks = {}
    rows = query("SELECT * FROM clock_marks WHERE trusted = 1")
    rows += [tuple(row) for _, row in changes_in(frames, "clock_mark") if row[3]]
    for boot, monotonic_ms, wall_ms, _ in rows:
        found.setdefault(boot, []).append((monotonic_ms, wall_ms - monotonic_ms))
    return found
