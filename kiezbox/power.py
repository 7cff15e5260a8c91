"""Is the grid there? A table of transitions over what the sources say; nothing else decides.

Sources (a pin, a voltage) are asked about once a second, and their answers are votes. Who is
silent does not vote. All who vote must agree; where they do not, nobody knows, and that is a
fault, never an emergency. Time comes in as monotonic seconds. docs/power.md draws the machine
and gives the reasons for the defaults.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from math import isfinite
from typing import Any, NamedTuple

from kiezbox.settings import PowerSettings

#: Sums of floats may fall short of a limit by less than a clock can tell.
TICK_S = 1e-6


class Grid(StrEnum):
    """What the box believes about the grid."""

    PRESENT = "present"
    BRIDGING = "bridging"
    LOST = "lost"
    RETURNING = "returning"
    UNKNOWN = "unknown"


class GridEvent(StrEnum):
    """What can happen to that belief."""

    SEEN = "seen"
    GONE = "gone"
    UNSURE = "unsure"
    CONFIRMED = "confirmed"
    HELD = "held"
    FADED = "faded"


#: What each event means, for the diagram.
MEANING: dict[GridEvent, str] = {
    GridEvent.SEEN: "every source that votes says: present",
    GridEvent.GONE: "every source that votes says: lost",
    GridEvent.UNSURE: "all sources are silent, or contradict each other for silent_s",
    GridEvent.CONFIRMED: "gone for bridge_s (one source) or agreed_bridge_s (two or more)",
    GridEvent.HELD: "seen for return_hold_s without a break",
    GridEvent.FADED: "silent or contradictory for return_hold_s without a break",
}

#: The machine. A pair that is not here changes nothing.
TRANSITIONS: dict[tuple[Grid, GridEvent], Grid] = {
    (Grid.UNKNOWN, GridEvent.SEEN): Grid.PRESENT,
    (Grid.UNKNOWN, GridEvent.GONE): Grid.BRIDGING,
    (Grid.PRESENT, GridEvent.GONE): Grid.BRIDGING,
    (Grid.PRESENT, GridEvent.UNSURE): Grid.UNKNOWN,
    (Grid.BRIDGING, GridEvent.SEEN): Grid.PRESENT,
    (Grid.BRIDGING, GridEvent.UNSURE): Grid.UNKNOWN,
    (Grid.BRIDGING, GridEvent.CONFIRMED): Grid.LOST,
    (Grid.LOST, GridEvent.SEEN): Grid.RETURNING,
    # Not at once: an emergency does not end because a wire broke in it.
    (Grid.LOST, GridEvent.FADED): Grid.UNKNOWN,
    # Without a new bridge: the grid has just shown that it does not hold.
    (Grid.RETURNING, GridEvent.GONE): Grid.LOST,
    (Grid.RETURNING, GridEvent.HELD): Grid.PRESENT,
    (Grid.RETURNING, GridEvent.FADED): Grid.UNKNOWN,
}

START = Grid.UNKNOWN

#: The states in which the neighbourhood has no reliable electricity.
OUTAGE = frozenset({Grid.LOST, Grid.RETURNING})


class Vote(StrEnum):
    """What the sources say together."""

    SEEN = "seen"
    GONE = "gone"
    SILENT = "silent"
    DISPUTED = "disputed"


class Fired(NamedTuple):
    """An arrow that was taken, as the store keeps it (``Store.put_transition``)."""

    machine: str
    before: str
    event: str
    after: str
    detail: Mapping[str, Any]


class Trouble(NamedTuple):
    """A fault to open while it is in a step's result, and to close when it no longer is."""

    source: str
    kind: str
    message: str
    hint: str


@dataclass(frozen=True, slots=True)
class PowerState:
    """``since``: when ``grid`` was entered. All times are monotonic seconds.

    ``vote_since`` is when the sources began to say together what they still say, and
    ``heard_at`` the last step: nothing is bridged or held over a time nobody listened in.
    """

    grid: Grid = START
    since: float = 0.0
    vote: Vote = Vote.SILENT
    vote_since: float = 0.0
    heard_at: float = 0.0

    def to_dict(self, now: float) -> dict[str, Any]:
        """A document for ``Store.keep``; ages instead of times, for monotonic time restarts."""
        return {"grid": str(self.grid), "age_s": max(0.0, now - self.since)}

    @classmethod
    def from_dict(
        cls, document: Mapping[str, Any], now: float, off_s: float | None = None
    ) -> PowerState:
        """Go on with a kept state; whatever was being bridged or held down begins anew.

        ``off_s``: seconds between keeping and ``now`` where known. A document that makes no
        sense is a box that knows nothing.
        """
        try:
            grid, age = Grid(document["grid"]), float(document["age_s"]) + (off_s or 0.0)
        except (KeyError, TypeError, ValueError):
            grid, age = START, 0.0
        since = now - age if isfinite(age) and age > 0 else now
        return cls(grid=grid, since=since, vote_since=now, heard_at=now)


class PowerStep(NamedTuple):
    """``next_in_s``: a step that comes later than this confirms or ends later than it could."""

    state: PowerState
    fired: tuple[Fired, ...]
    troubles: tuple[Trouble, ...]
    next_in_s: float


def start(now: float) -> PowerState:
    """A box that has heard nothing yet."""
    return PowerState(since=now, vote_since=now, heard_at=now)


def step(
    state: PowerState, votes: Mapping[str, str], now: float, settings: PowerSettings
) -> PowerStep:
    """One look at the sources: the new state, the arrows taken, the faults there are.

    ``votes`` maps a source's name to "present", "lost" or "silent" (any other word is silence).
    A ``now`` that is not finite is no look at all.
    """
    if not isfinite(now):
        return PowerStep(state, (), (), settings.interval_s)
    vote = count(votes)
    longest_pause_s = max(settings.silent_s, 2 * settings.interval_s)
    is_continued = vote is state.vote and 0 <= now - state.heard_at <= longest_pause_s
    vote_since = state.vote_since if is_continued else now
    state = replace(state, vote=vote, vote_since=vote_since, heard_at=now)
    agreeing = sum(word in ("present", "lost") for word in votes.values())
    limits = _limits(vote, agreeing, settings)
    age = now - vote_since + TICK_S
    fired = []
    for event, limit in limits:
        after = TRANSITIONS.get((state.grid, event)) if age >= limit else None
        if after is not None:
            detail = {"votes": dict(votes)}
            fired.append(Fired("grid", str(state.grid), str(event), str(after), detail))
            state = replace(state, grid=after, since=now)
    waits = [limit - age for event, limit in limits if limit > age]
    return PowerStep(
        state,
        tuple(fired),
        _troubles(state, votes, age, settings),
        min([settings.interval_s, *(wait + 2 * TICK_S for wait in waits)]),
    )


def count(votes: Mapping[str, str]) -> Vote:
    """What the sources say together. One dissenter makes it a dispute: neither side is right."""
    words = {word for word in votes.values() if word in ("present", "lost")}
    if not words:
        return Vote.SILENT
    if len(words) > 1:
        return Vote.DISPUTED
    return Vote.SEEN if "present" in words else Vote.GONE


def _limits(
    vote: Vote, agreeing: int, settings: PowerSettings
) -> tuple[tuple[GridEvent, float], ...]:
    """The events a vote brings about, each after it has lasted so many seconds, soonest first."""
    bridge_s = settings.agreed_bridge_s if agreeing >= 2 else settings.bridge_s
    return {
        Vote.SEEN: ((GridEvent.SEEN, 0.0), (GridEvent.HELD, settings.return_hold_s)),
        Vote.GONE: ((GridEvent.GONE, 0.0), (GridEvent.CONFIRMED, bridge_s)),
        Vote.SILENT: ((GridEvent.UNSURE, 0.0), (GridEvent.FADED, settings.return_hold_s)),
        # Two sources never change in the same instant; while an old word may still stand, a
        # contradiction says nothing.
        Vote.DISPUTED: (
            (GridEvent.UNSURE, settings.silent_s),
            (GridEvent.FADED, max(settings.silent_s, settings.return_hold_s)),
        ),
    }[vote]


def _troubles(
    state: PowerState, votes: Mapping[str, str], age: float, settings: PowerSettings
) -> tuple[Trouble, ...]:
    if state.vote is not Vote.DISPUTED or age < settings.silent_s:
        return ()
    said = ", ".join(f"{name} says {word}" for name, word in sorted(votes.items()))
    return (
        Trouble(
            "power.grid",
            "contradiction",
            f"the grid sources contradict each other: {said}",
            "One of them is wired or set wrongly (active_high? least_v?): pull the plug once and "
            "watch `kiezbox status`. Until then the box does not open by itself.",
        ),
    )
