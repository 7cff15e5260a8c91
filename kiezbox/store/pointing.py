"""What an operator says of points in the field: one is there that no package has, one is gone, one
is open. The command line and the desk are two faces of these functions.

A point is signed with the moderator's key, so that it may go to other boxes; whether one is open
just now is signed where there is such a key, and else counts on this box alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kiezbox.errors import UsageError
from kiezbox.place.added import Added, fields_of, latest, point_of
from kiezbox.place.reports import STATES
from kiezbox.store.log import Draft, Log
from kiezbox.trust import Key, sign

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kiezbox.place.points import Point
    from kiezbox.records import Ref

__all__ = ["added", "put", "report", "take_away", "used_ids"]


def added(log: Log) -> dict[str, Added]:
    """By id, what counts on this box; also of those that were taken away (``point`` is None)."""
    found = []
    for thing in log.things("place_point", limit=10_000):
        fields = {**thing.data, "point": thing.topic, "name": thing.text}
        point = point_of(fields) if thing.state == "up" else None
        issued_at = thing.data.get("issued_at", 0)
        order = thing.origin, thing.sequence
        found.append(Added(thing.topic, point, thing.issuer, issued_at, order))
    return latest(found)


def used_ids(log: Log) -> list[str]:
    """All that were given, believed or not."""
    return [told.body["point"] for told in log.records("place_point")]


def put(log: Log, point: Point, key: Key, *, lifetime_s: int, now: float) -> None:
    """This point is there, and is as it says, whatever a package says of it.

    Raises:
        UsageError: a text is too long, or this box does not believe the key.
    """
    _say(log, fields_of(point), key, lifetime_s=lifetime_s, now=now)


def take_away(log: Log, name: str, key: Key, *, lifetime_s: int, now: float) -> None:
    """There is no such point, whatever a package says.

    Raises:
        UsageError: this box does not believe the key.
    """
    _say(log, {"point": name, "is_gone": 1}, key, lifetime_s=lifetime_s, now=now)


def report(
    log: Log, name: str, state: str, key: Key | None, *, lifetime_s: int, now: float
) -> None:
    """It is open, closed, broken, works: in the operator's name.

    Raises:
        UsageError: that is no state, or this box does not believe the key.
    """
    if state not in STATES:
        raise UsageError(f"{state!r} is no state", hint=f"One of {', '.join(STATES)}.")
    fields: dict[str, Any] = {"place": name, "state": STATES.index(state), "is_by_operator": 1}
    if key is None:
        log.add(Draft(kind="place_report", fields=fields, lifetime_s=lifetime_s))
        return
    signed = sign("place_report", {**fields, "issued_at": int(now)}, key, lifetime_s=lifetime_s)
    with log.group():
        (told,) = log.add(Draft(**signed._asdict()))
        _must_be_believed(log, told.ref, key)


def _say(log: Log, fields: Mapping[str, Any], key: Key, *, lifetime_s: int, now: float) -> None:
    # Two words on one point within a second: the later one must count.
    name = str(fields["point"])
    before = max((each.issued_at for each in added(log).values() if each.id == name), default=0)
    said = {**fields, "issued_at": max(int(now), int(before) + 1)}
    signed = sign("place_point", said, key, lifetime_s=lifetime_s)
    with log.group():
        (told,) = log.add(Draft(**signed._asdict()))
        _must_be_believed(log, told.ref, key)


def _must_be_believed(log: Log, ref: Ref, key: Key) -> None:
    told = log.told(ref)
    if told is None or not told[0].issuer:
        raise UsageError(
            f"this box does not believe the key {key.id.hex()}",
            hint="`kiezbox moderate keys` makes one that it believes; docs/board.md says how.",
        )
