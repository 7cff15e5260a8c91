"""Tickets: somebody asks for help, or offers it. One table of states for all who work with them.

A ticket is a record; what becomes of it are further ones, each with an event, by whom as a role,
and for helpers which of them (``who``: a number that says nothing outside). They are walked in the
order of their stamps, so two boxes that were apart agree when they meet: whoever took the same
ticket on both sides has taken it, both are shown, until one yields. What the table does not have
changes nothing (taking what is done), nor does what is not proven: a box that lies can close
nobody's ticket.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import NamedTuple

__all__ = [
    "ENDED", "MAY", "MEANING", "START", "TRANSITIONS", "Event", "Role", "Said", "State", "Walked",
    "may", "walk",
]  # fmt: skip


class State(StrEnum):
    """Where a ticket is."""

    RECEIVED = "received"
    ACKNOWLEDGED = "acknowledged"
    FORWARDED = "forwarded"
    TAKEN = "taken"
    DONE = "done"
    CLOSED = "closed"
    WITHDRAWN = "withdrawn"
    MERGED = "merged"


class Event(StrEnum):
    """What somebody does with it."""

    ACKNOWLEDGE = "acknowledge"
    FORWARD = "forward"
    TAKE = "take"
    YIELD = "yield"
    #: Not said by anybody: the last who had taken it has yielded.
    LEFT = "left"
    DONE = "done"
    CLOSE = "close"
    WITHDRAW = "withdraw"
    MERGE = "merge"
    REOPEN = "reopen"


class Role(StrEnum):
    """Who works with tickets; a role, never a name."""

    RESIDENT = "resident"
    HELPER = "helper"
    OPERATOR = "operator"
    PROTECTION = "protection"


START = State.RECEIVED

#: What each event means, for the page and the diagram.
MEANING: dict[Event, str] = {
    Event.ACKNOWLEDGE: "somebody has read it",
    Event.FORWARD: "it was handed on to civil protection or an emergency call point",
    Event.TAKE: "somebody goes there; a second one may, too",
    Event.YIELD: "one of those who took it leaves it to the others",
    Event.LEFT: "the last who took it yields: it waits again",
    Event.DONE: "what was asked for was done",
    Event.CLOSE: "nothing more comes",
    Event.WITHDRAW: "the resident needs it no more (with the ticket's words)",
    Event.MERGE: "the same was asked for in another ticket, which goes on",
    Event.REOPEN: "it is not done after all",
}

#: The machine. A pair that is not here changes nothing.
TRANSITIONS: dict[tuple[State, Event], State] = {
    (State.RECEIVED, Event.ACKNOWLEDGE): State.ACKNOWLEDGED,
    (State.RECEIVED, Event.FORWARD): State.FORWARDED,
    (State.RECEIVED, Event.TAKE): State.TAKEN,
    (State.RECEIVED, Event.CLOSE): State.CLOSED,
    (State.RECEIVED, Event.WITHDRAW): State.WITHDRAWN,
    (State.RECEIVED, Event.MERGE): State.MERGED,
    (State.ACKNOWLEDGED, Event.FORWARD): State.FORWARDED,
    (State.ACKNOWLEDGED, Event.TAKE): State.TAKEN,
    (State.ACKNOWLEDGED, Event.CLOSE): State.CLOSED,
    (State.ACKNOWLEDGED, Event.WITHDRAW): State.WITHDRAWN,
    (State.ACKNOWLEDGED, Event.MERGE): State.MERGED,
    (State.FORWARDED, Event.TAKE): State.TAKEN,
    (State.FORWARDED, Event.DONE): State.DONE,
    (State.FORWARDED, Event.CLOSE): State.CLOSED,
    (State.FORWARDED, Event.WITHDRAW): State.WITHDRAWN,
    (State.FORWARDED, Event.MERGE): State.MERGED,
    (State.TAKEN, Event.FORWARD): State.FORWARDED,
    (State.TAKEN, Event.TAKE): State.TAKEN,
    (State.TAKEN, Event.YIELD): State.TAKEN,
    (State.TAKEN, Event.LEFT): State.ACKNOWLEDGED,
    (State.TAKEN, Event.DONE): State.DONE,
    (State.TAKEN, Event.CLOSE): State.CLOSED,
    (State.TAKEN, Event.WITHDRAW): State.WITHDRAWN,
    (State.TAKEN, Event.MERGE): State.MERGED,
    (State.DONE, Event.CLOSE): State.CLOSED,
    (State.DONE, Event.REOPEN): State.ACKNOWLEDGED,
    (State.CLOSED, Event.REOPEN): State.ACKNOWLEDGED,
    (State.WITHDRAWN, Event.REOPEN): State.RECEIVED,
}

#: Nothing is to be done in these; the list leaves them out.
ENDED = (State.DONE, State.CLOSED, State.WITHDRAWN, State.MERGED)

_ROLES, _EVENTS = frozenset(map(str, Role)), frozenset(map(str, Event))

_WORKING = frozenset((Role.HELPER, Role.OPERATOR, Role.PROTECTION))
_LEADING = frozenset((Role.OPERATOR, Role.PROTECTION))

#: Who may do it.
MAY: dict[Event, frozenset[Role]] = {
    Event.ACKNOWLEDGE: _WORKING,
    Event.FORWARD: _WORKING,
    Event.TAKE: _WORKING,
    Event.YIELD: _WORKING,
    Event.DONE: _WORKING,
    Event.CLOSE: _WORKING,
    Event.WITHDRAW: frozenset((Role.RESIDENT,)),
    Event.MERGE: _LEADING,
    Event.REOPEN: frozenset(Role),
}


class Said(NamedTuple):
    """One further record. ``is_proven``: the role has signed it, or for a resident the ticket's
    words; ``into``: the other ticket of a merge, as ``str(Ref)``.
    """

    event: str
    role: str
    who: str
    at: float
    is_proven: bool = False
    into: str = ""


class Walked(NamedTuple):
    """``takers``: (role, who) of those who have taken it and not yielded, the first first.
    ``role``: who brought it into this state, "" if nobody has. ``since``: Unix seconds.
    """

    state: State
    since: float
    role: str = ""
    takers: tuple[tuple[str, str], ...] = ()
    into: str = ""
    steps: tuple[tuple[str, str, float], ...] = ()


def may(role: str, event: str) -> bool:
    """Whether somebody of this role may do that at all."""
    is_known = role in _ROLES and event in _EVENTS
    return is_known and Role(role) in MAY.get(Event(event), frozenset())


def walk(received_at: float, said: Iterable[Said]) -> Walked:
    """Where all that was said about a ticket, in the order of the stamps, has brought it."""
    now = Walked(START, received_at)
    for each in said:
        now = _stepped(now, each)
    return now


def _stepped(now: Walked, said: Said) -> Walked:
    if not said.is_proven or not may(said.role, said.event):
        return now
    event, takers = Event(said.event), now.takers
    person = said.role, said.who
    if event is Event.YIELD:
        if person not in takers:
            return now
        takers = tuple(each for each in takers if each != person)
        event = event if takers else Event.LEFT
    elif event is Event.TAKE and person in takers:
        return now
    after = TRANSITIONS.get((now.state, event))
    if after is None:
        return now
    if event is Event.TAKE:
        takers = (*takers, person)
    elif after is not State.TAKEN:
        takers = ()
    # A second taker, or one of two who yields, does not change since when it is taken.
    is_same = after is now.state
    return Walked(
        state=after,
        since=now.since if is_same else said.at,
        role=now.role if is_same else said.role,
        takers=takers,
        into=said.into if event is Event.MERGE else "",
        steps=(*now.steps, (str(event), said.role, said.at)),
    )
