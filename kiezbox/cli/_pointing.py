"""``kiezbox place`` in the field: points that are in no package, and what is open just now."""

from __future__ import annotations

import os
import sys
from contextlib import closing
from typing import TYPE_CHECKING, Any

from kiezbox.cli._points import known_point, shown_points
from kiezbox.errors import KiezboxError, UsageError

if TYPE_CHECKING:
    import argparse

    from kiezbox.clock import Clock
    from kiezbox.place.points import Point
    from kiezbox.settings import Settings
    from kiezbox.store.log import Log
    from kiezbox.trust import Key

__all__ = ["add", "correct", "remove", "report"]

DAY_S = 86400

#: As long as a record of a report may live, and one of a point.
MOST_HOURS, MOST_DAYS = 72.0, 366.0

#: Further from the box nobody adds a point by hand: the numbers are in the wrong order.
FAR_M = 100_000

#: What is said of a new point of these kinds; of all others that it is open.
_WORKS = frozenset(
    ("well", "drinking_fountain", "defibrillator", "emergency_call", "charging", "toilet")
)

#: Option → field of a point.
_TEXTS = {"name": "name", "address": "address", "opening": "hours", "phone": "phone"}


# --- adding, correcting, taking away -------------------------------------------------------------


def add(arguments: argparse.Namespace) -> int:
    """``place add KIND --at LAT,LON``."""
    from kiezbox.cli._common import load_settings, open_clock
    from kiezbox.place.added import SOURCE, new_id
    from kiezbox.place.points import KINDS, Point
    from kiezbox.store.pointing import added, put, report, used_ids

    kind = arguments.what[0]
    if kind not in KINDS:
        raise UsageError(f"{kind!r} is no kind of point", hint=f"One of: {', '.join(KINDS)}.")
    if not arguments.at:
        raise UsageError(
            f"where is the {kind}? place add needs --at LAT,LON",
            hint="A phone's map shows both numbers when a finger rests on the place.",
        )
    latitude, longitude = _place(arguments.at)
    _hours(arguments)
    _days(arguments)
    details, texts = _details(arguments, {}), _texts(arguments)
    settings = load_settings(arguments.settings)
    _near_the_box(settings, latitude, longitude)
    state = arguments.state or ("works" if kind in _WORKS else "open")
    clock, key = open_clock(settings), _key(settings, arguments)
    with closing(_log(settings, clock)) as log:
        name = new_id(log.box, (*used_ids(log), *added(log)))
        point = Point(name, kind, texts.pop("name", ""), latitude, longitude, **texts,
                      details=details, source=SOURCE)  # fmt: skip
        for twin in _twins(point, shown_points(settings, log)):
            print(f"note: {_called(twin)} ({twin.id}) is there already, and near", file=sys.stderr)
        put(log, point, key, lifetime_s=int(arguments.days * DAY_S), now=clock.now())
        report(log, name, state, key, lifetime_s=int(arguments.hours * 3600), now=clock.now())
    _said(arguments, name, f"{_called(point)} is under Where now: {state}, for"
          f" {arguments.hours:g} h; in the list for {arguments.days:g} days")  # fmt: skip
    if not arguments.json:
        print(f"when that changes: kiezbox place close {name}, kiezbox place remove {name}")
    return 0


def correct(arguments: argparse.Namespace) -> int:
    """``place correct ID --…``: what is not said stays as it is."""
    from kiezbox.cli._common import load_settings, open_clock
    from kiezbox.place.added import SOURCE
    from kiezbox.store.pointing import put

    name = arguments.what[0]
    texts = _texts(arguments)
    _days(arguments)
    settings = load_settings(arguments.settings)
    clock = open_clock(settings)
    with closing(_log(settings, clock)) as log:
        before = known_point(settings, log, name)
        changes: dict[str, Any] = dict(texts)
        if arguments.at:
            changes["latitude"], changes["longitude"] = _place(arguments.at)
            _near_the_box(settings, changes["latitude"], changes["longitude"])
        if arguments.detail:
            changes["details"] = _details(arguments, dict(before.details))
        if not changes:
            raise UsageError(
                f"what is wrong with {name}?",
                hint="--name, --at, --address, --opening, --phone or --detail NAME=VALUE.",
            )
        point = before._replace(**changes, source=SOURCE)
        key = _key(settings, arguments)
        put(log, point, key, lifetime_s=int(arguments.days * DAY_S), now=clock.now())
    _said(arguments, name, f"{_called(point)} is as you say, for {arguments.days:g} days")
    return 0


def remove(arguments: argparse.Namespace) -> int:
    """``place remove ID``."""
    from kiezbox.cli._common import load_settings, open_clock
    from kiezbox.store.pointing import take_away

    name = arguments.what[0]
    _days(arguments)
    settings = load_settings(arguments.settings)
    clock = open_clock(settings)
    with closing(_log(settings, clock)) as log:
        point = known_point(settings, log, name)
        key = _key(settings, arguments)
        take_away(log, name, key, lifetime_s=int(arguments.days * DAY_S), now=clock.now())
    _said(arguments, name, f"{_called(point)} is in no list any more, for {arguments.days:g} days")
    return 0


def report(arguments: argparse.Namespace) -> int:
    """``place report ID STATE``, ``place open ID``, ``place close ID``."""
    from kiezbox.cli._common import load_settings, open_clock
    from kiezbox.place.reports import STATES
    from kiezbox.store import pointing

    name = arguments.what[0]
    state = {"open": "open", "close": "closed"}.get(arguments.action) or arguments.what[1]
    if state not in STATES:
        raise UsageError(f"{state!r} is no state", hint=f"One of {', '.join(STATES)}.")
    _hours(arguments)
    settings = load_settings(arguments.settings)
    clock = open_clock(settings)
    with closing(_log(settings, clock)) as log:
        known_point(settings, log, name)
        key = _key(settings, arguments, is_needed=False)
        lifetime_s = int(arguments.hours * 3600)
        pointing.report(log, name, state, key, lifetime_s=lifetime_s, now=clock.now())
    whose = f"signed by {key.name or key.id.hex()}" if key else "in the operator's name"
    _said(arguments, name, f"{state}, for {arguments.hours:g} h, {whose}")
    return 0


# --- what was given ------------------------------------------------------------------------------


def _place(given: str) -> tuple[float, float]:
    try:
        latitude, longitude = (float(each) for each in given.replace(";", ",").split(","))
    except ValueError as error:
        raise UsageError(f"--at {given} is no place", hint="As in --at 51.163,10.448.") from error
    if not (-90 <= latitude <= 90 and -180 <= longitude <= 180):
        raise UsageError(f"--at {given} is nowhere", hint="Latitude first, then longitude.")
    return latitude, longitude


def _near_the_box(settings: Settings, latitude: float, longitude: float) -> None:
    from kiezbox.place.ways import metres_between

    box = settings.box
    if box.latitude is None or box.longitude is None:
        return
    metres = metres_between(box.latitude, box.longitude, latitude, longitude)
    if metres > FAR_M:
        raise UsageError(
            f"{latitude:g},{longitude:g} is {metres / 1000:.0f} km from this box",
            hint="Latitude first, then longitude; and is the box's own place right?",
        )


def _hours(arguments: argparse.Namespace) -> None:
    if not 0 < arguments.hours <= MOST_HOURS:
        raise UsageError(
            f"--hours {arguments.hours:g} is outside 0 to {MOST_HOURS:g}",
            hint="What nobody has looked at for three days is not known any more.",
        )


def _days(arguments: argparse.Namespace) -> None:
    if not 0 < arguments.days <= MOST_DAYS:
        raise UsageError(
            f"--days {arguments.days:g} is outside 0 to {MOST_DAYS:g}",
            hint="What stays longer belongs into the package: docs/place.md.",
        )


def _texts(arguments: argparse.Namespace) -> dict[str, str]:
    """Those that were given, cleaned, by the point's field."""
    from kiezbox.place.points import MOST_TEXT
    from kiezbox.situation import plain_text

    found = {}
    for option, field in _TEXTS.items():
        given = getattr(arguments, option)
        if given:
            found[field] = plain_text(given, MOST_TEXT)
    return found


def _details(arguments: argparse.Namespace, before: dict[str, str]) -> dict[str, str]:
    """``--detail NAME=VALUE``; NAME= takes one away."""
    from kiezbox.place.points import DETAILS
    from kiezbox.situation import plain_text

    found = dict(before)
    for given in arguments.detail:
        name, _, value = given.partition("=")
        values = DETAILS.get(name)
        if values is None or (value and values and value not in values):
            known = "; ".join(f"{key} ({', '.join(v) or 'a text'})" for key, v in DETAILS.items())
            raise UsageError(f"--detail {given} is none", hint=f"NAME=VALUE of {known}.")
        found[name] = plain_text(value, 120)
    return {name: value for name, value in found.items() if value}


def _key(settings: Settings, arguments: argparse.Namespace, *, is_needed: bool = True) -> Any:
    """The moderator's key; None where it is not needed and not there, or not to be read."""
    from kiezbox.cli.moderate import signing_key

    path = arguments.key or settings.abuse.moderator_key
    if not is_needed and not arguments.key and not os.access(path, os.R_OK):
        return None
    try:
        key: Key = signing_key(path)
    except KiezboxError as error:
        raise KiezboxError(
            f"{error}: what is added here is signed by it",
            hint=error.hint or "`kiezbox moderate keys` makes one.",
        ) from error
    return key


def _log(settings: Settings, clock: Clock) -> Log:
    from kiezbox.store.believing import open_believing

    return open_believing(settings, clock)


def _said(arguments: argparse.Namespace, name: str, text: str) -> None:
    if arguments.json:
        from kiezbox.cli._common import print_json

        print_json({"id": name})
    else:
        print(f"{name}: {text}")


def _called(point: Point) -> str:
    return f"{point.kind} {point.name or point.address}".strip()


def _twins(point: Point, points: dict[str, Point]) -> list[Point]:
    from kiezbox.place.merge import OTHERWISE_M, SAME_WITHIN_M
    from kiezbox.place.ways import metres_between

    reach = SAME_WITHIN_M.get(point.kind, OTHERWISE_M)
    return [
        each
        for each in points.values()
        if each.kind == point.kind
        and metres_between(point.latitude, point.longitude, each.latitude, each.longitude) <= reach
    ]
