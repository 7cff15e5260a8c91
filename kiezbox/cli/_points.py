"""The points that residents see on this box: its package, and what operators say above it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from kiezbox.errors import StoreError, UsageError

if TYPE_CHECKING:
    import argparse

    from kiezbox.place.added import Added
    from kiezbox.place.points import Package, Point
    from kiezbox.place.reports import Standing
    from kiezbox.settings import Settings
    from kiezbox.store.log import Log

__all__ = ["known_point", "show", "shown_points"]


def _package(settings: Settings) -> Package | None:
    """None: there is none, and a point may be added all the same."""
    from kiezbox.store.places import read_package

    path = settings.place.path(settings.store.path)
    return read_package(path) if os.path.exists(path) else None


def shown_points(settings: Settings, log: Log | None) -> dict[str, Point]:
    """All that residents see, by id."""
    package = _package(settings)
    found = {point.id: point for point in package.points} if package else {}
    for name, word in _added(log).items():
        found.pop(name, None)
        if word.point:
            found[name] = word.point
    return found


def _added(log: Log | None) -> dict[str, Added]:
    from kiezbox.store.pointing import added

    return added(log) if log else {}


def known_point(settings: Settings, log: Log, name: str) -> Point:
    """The point of this id; a removed one too, as its package has it.

    Raises:
        UsageError: there is none.
    """
    package = _package(settings)
    found = {point.id: point for point in package.points} if package else {}
    found |= shown_points(settings, log)
    if name in found:
        return found[name]
    from difflib import get_close_matches

    close = get_close_matches(name, found, 1)
    meant = f"; did you mean {close[0]}?" if close else ""
    raise UsageError(
        f"there is no point {name}{meant}",
        hint="`kiezbox place show` has the ids; `kiezbox place add KIND --at LAT,LON` a new one.",
    )


# --- showing -------------------------------------------------------------------------------------


def show(arguments: argparse.Namespace) -> int:
    """``place show [KIND or ID]``."""
    from kiezbox.cli._common import load_settings, open_clock, print_json
    from kiezbox.place.points import KINDS
    from kiezbox.place.ways import metres_between
    from kiezbox.store.believing import open_believing

    settings = load_settings(arguments.settings)
    clock = open_clock(settings)
    log = open_believing(settings, clock) if os.path.exists(settings.store.words_path) else None
    try:
        everything, added, said = shown_points(settings, log), _added(log), _standings(log)
    finally:
        if log is not None:
            log.close()
    if not everything:
        path = settings.place.path(settings.store.path)
        raise StoreError(
            f"there is no package {path}, and nobody has added a point",
            hint="Make one with `kiezbox place build` (docs/place.md), or `kiezbox place add`.",
        )
    wanted = arguments.what[0] if arguments.what else ""
    points = [point for point in everything.values() if wanted in ("", point.kind, point.id)]
    if wanted and not points:
        raise UsageError(f"no point is {wanted!r}", hint=f"An id, or one of: {', '.join(KINDS)}.")
    place = settings.box.latitude, settings.box.longitude

    def metres(point: Point) -> float | None:
        if place[0] is None or place[1] is None:
            return None
        return metres_between(place[0], place[1], point.latitude, point.longitude)

    points.sort(key=lambda point: (metres(point) or 0.0, point.id))
    if arguments.json:
        rows = []
        for point in points:
            operator, neighbours = said.get(point.id, (None, None))
            distance = metres(point)
            rows.append(
                {**point._asdict(), "details": dict(point.details),
                 "metres": None if distance is None else round(distance),
                 "added_by": added[point.id].issuer if point.id in added else None,
                 "operator": operator and operator._asdict(),
                 "neighbours": neighbours and neighbours._asdict()}
            )  # fmt: skip
        print_json(rows)
        return 0
    for point in points:
        distance = metres(point)
        far = "" if distance is None else f"{distance:7.0f} m  "
        whose = f"  (said by {added[point.id].issuer})" if point.id in added else ""
        print(f"{far}{point.id}  {point.kind}  {point.name or point.address}{whose}")
        for each in said.get(point.id, (None, None)):
            if each:
                print(f"{'':11}{_standing(each, clock.now())}")
    return 0


def _standing(standing: Standing, now: float) -> str:
    from kiezbox.cli.mode import words

    who = standing.by or f"{standing.voices} of the neighbours"
    return f"{who}: {standing.state}, {words(max(0.0, now - standing.written_at))} ago"


def _standings(log: Log | None) -> dict[str, tuple[Standing | None, Standing | None]]:
    from kiezbox.place.reports import Report, standing

    said: dict[str, list[Report]] = {}
    for thing in log.things("place_report", limit=10_000) if log else ():
        is_own = (
            bool(thing.data.get("is_by_operator")) and thing.origin == log.box if log else False
        )
        by = thing.issuer or ("operator" if is_own else "")
        report = Report(thing.state, thing.written_at, by, thing.lookup)
        said.setdefault(thing.topic, []).append(report)
    return {topic: standing(reports) for topic, reports in said.items()}
