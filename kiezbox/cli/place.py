"""The surroundings of the box: make their package, look at it, say what is open.

  kiezbox place build --name NAME --out FILE [--osm FILE ...] [--geojson FILE --table FILE ...]
                [--around LAT,LON [--reach KM]] [--zone ZONE] [--as-of DAY]
                [--country DE [--region DE-SN]]
                                          a package, from files that you fetched (docs/place.md)
  kiezbox place build --invented SEED --out FILE
                                          one of a Kiez that is nowhere, to try things
  kiezbox place check [FILE]              what is in a package, and what is wrong with it
  kiezbox place install FILE              make it the package of this box
  kiezbox place show [KIND or ID] [--json]
                                          the points, nearest first, and what is said of them
  kiezbox place report ID STATE [--hours 24]
                                          works, closed, broken or open, in the operator's name
  kiezbox place open ID, close ID         the same, shorter: a lighthouse, a warm room

Building needs no box; .osm.pbf files need pyosmium (pip install 'kiezbox[place-build]'). What you
say of a point stands above what neighbours say, marked as yours, until its hours are over.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

from kiezbox.errors import UsageError

if TYPE_CHECKING:
    import argparse

    from kiezbox.place.points import Package, Point
    from kiezbox.place.reports import Standing
    from kiezbox.settings import Settings

ACTIONS = ("build", "check", "install", "show", "report", "open", "close")

#: As long as a record of a report may live.
MOST_HOURS = 72.0


def main(argv: list[str]) -> int:
    """``kiezbox place ACTION``."""
    from kiezbox.cli._common import Parser

    parser = Parser("place", __doc__)
    parser.add_argument("action", choices=ACTIONS)
    parser.add_argument("what", nargs="*", metavar="FILE, KIND, ID or STATE")
    parser.add_argument("--name", default="", help="what the place is called (build)")
    parser.add_argument("--out", metavar="FILE", help="where to write the package (build)")
    parser.add_argument("--osm", action="append", default=[], metavar="FILE", help=".osm or .pbf")
    parser.add_argument(
        "--geojson", action="append", default=[], metavar="FILE", help="open data, with a --table"
    )
    parser.add_argument(
        "--table", action="append", default=[], metavar="FILE", help="which column is what (TOML)"
    )
    parser.add_argument("--around", metavar="LAT,LON", help="the middle (default: the files' own)")
    parser.add_argument("--reach", type=float, default=3.0, metavar="KM", help="default 3")
    parser.add_argument("--zone", default="", help="IANA name of the place's time")
    parser.add_argument("--country", default="", help="ISO 3166-1: numbers to call, holidays")
    parser.add_argument("--region", default="", help="ISO 3166-2, as in DE-SN: the same, closer")
    parser.add_argument("--as-of", default="", metavar="DAY", help="of the OpenStreetMap data")
    parser.add_argument("--invented", type=int, metavar="SEED", help="a Kiez that is nowhere")
    parser.add_argument("--hours", type=float, default=24.0, help="how long it holds (default 24)")
    parser.add_argument("--json", action="store_true", help="for programs")
    arguments = parser.parse_args(argv)
    least, most = _WORDS[arguments.action]
    if not least <= len(arguments.what) <= most:
        raise UsageError(
            f"place {arguments.action} takes {_said(least, most)} after it",
            hint="`kiezbox place --help` shows them all.",
        )
    return _ACTS[arguments.action](arguments)


def _said(least: int, most: int) -> str:
    if most == 0:
        return "nothing"
    return f"{most} word{'s' * (most > 1)}" if least == most else f"up to {most} words"


# --- packages ------------------------------------------------------------------------------------


def _build(arguments: argparse.Namespace) -> int:
    from kiezbox.cli._place_building import build
    from kiezbox.store.places import write_package

    if not arguments.out:
        raise UsageError("place build needs --out FILE", hint="For example --out place.db.")
    package = build(arguments)
    size = write_package(package, arguments.out)
    print(f"{arguments.out}: {_summary(package)}, {size / 1024:.0f} KiB")
    return 0


def _check(arguments: argparse.Namespace) -> int:
    from kiezbox.cli._common import load_settings, print_json
    from kiezbox.place.package import problems
    from kiezbox.store.places import read_package

    settings = None if arguments.what else load_settings(arguments.settings)
    path = arguments.what[0] if arguments.what else _path(settings)
    package = read_package(path)
    found = problems(package)
    counts = _counts(package)
    if arguments.json:
        print_json(
            {"path": path, "name": package.name, "bounds": list(package.bounds), "points": counts,
             "lines": len(package.lines), "zone": package.zone, "country": package.country,
             "region": package.region, "holidays": len(package.holidays),
             "builtAt": package.built_at,
             "sources": [source._asdict() for source in package.sources], "problems": found}
        )  # fmt: skip
        return 1 if found else 0
    print(f"{path}: {_summary(package)}")
    for kind, count in counts.items():
        print(f"  {kind:20} {count:6}")
    for source in package.sources:
        as_of = f", as of {source.as_of}" if source.as_of else ""
        print(f"  data: {source.name} ({source.licence}){as_of}")
    for hint in _hints(package, counts):
        print(f"  {hint}")
    for problem in found[:20]:
        print(f"  problem: {problem}")
    if len(found) > 20:
        print(f"  and {len(found) - 20} problems more")
    return 1 if found else 0


def _hints(package: Package, counts: dict[str, int]) -> list[str]:
    """What a neighbour will miss."""
    from kiezbox.place.hours import parse

    hints = []
    missing = [kind for kind in ("lighthouse", "warm_room", "well") if kind not in counts]
    if missing:
        hints.append(f"none of: {', '.join(missing)} (the authority's lists have them)")
    if not package.country:
        hints.append(
            "no country (--country, --region when it was built): residents are told 112 for"
            " everything, and that hours may differ on public holidays"
        )
    unclear = [p for p in package.points if p.hours and parse(p.hours) is None]
    if unclear:
        hints.append(
            f"{len(unclear)} points have opening hours that are shown as they are, without 'open"
            f" now', such as {unclear[0].id}: {unclear[0].hours.splitlines()[0]}"
        )
    return hints


def _install(arguments: argparse.Namespace) -> int:
    from kiezbox.cli._common import load_settings
    from kiezbox.errors import KiezboxError
    from kiezbox.place.package import problems
    from kiezbox.store.places import read_package, write_package

    settings = load_settings(arguments.settings)
    package = read_package(arguments.what[0])
    found = problems(package)
    if found:
        raise KiezboxError(
            f"{arguments.what[0]} is not in order: {found[0]}", hint="`kiezbox place check` it."
        )
    path = _path(settings)
    try:
        os.makedirs(os.path.dirname(os.path.abspath(path)), mode=0o755, exist_ok=True)
    except OSError as error:
        raise KiezboxError(f"cannot make the folder of {path}: {error}", hint="sudo?") from error
    write_package(package, path)
    print(f"{path}: {_summary(package)}")
    place = settings.box.latitude, settings.box.longitude
    if place[0] is None or place[1] is None:
        print("but box.latitude and box.longitude are not set: no distances", file=sys.stderr)
    elif not package.bounds.has(place[0], place[1]):
        print("but the box stands outside of it (box.latitude, box.longitude)", file=sys.stderr)
    return 0


def _path(settings: Settings | None) -> str:
    assert settings is not None
    return settings.place.path(settings.store.path)


def _summary(package: Package) -> str:
    return f"{package.name}, {len(package.points)} points, {len(package.lines)} lines"


def _counts(package: Package) -> dict[str, int]:
    from collections import Counter

    return dict(sorted(Counter(point.kind for point in package.points).items()))


# --- points --------------------------------------------------------------------------------------


def _show(arguments: argparse.Namespace) -> int:
    from kiezbox.cli._common import load_settings, open_clock, print_json
    from kiezbox.place.points import KINDS
    from kiezbox.place.ways import metres_between
    from kiezbox.store.places import read_package

    settings = load_settings(arguments.settings)
    wanted = arguments.what[0] if arguments.what else ""
    points = [
        point
        for point in read_package(_path(settings)).points
        if wanted in ("", point.kind, point.id)
    ]
    if wanted and not points:
        raise UsageError(f"no point is {wanted!r}", hint=f"An id, or one of: {', '.join(KINDS)}.")
    place = settings.box.latitude, settings.box.longitude

    def metres(point: Point) -> float | None:
        if place[0] is None or place[1] is None:
            return None
        return metres_between(place[0], place[1], point.latitude, point.longitude)

    points.sort(key=lambda point: (metres(point) or 0.0, point.id))
    said = _standings(settings)
    now = open_clock(settings).now()
    if arguments.json:
        rows = []
        for point in points:
            operator, neighbours = said.get(point.id, (None, None))
            distance = metres(point)
            rows.append(
                {**point._asdict(), "details": dict(point.details),
                 "metres": None if distance is None else round(distance),
                 "operator": operator and operator._asdict(),
                 "neighbours": neighbours and neighbours._asdict()}
            )  # fmt: skip
        print_json(rows)
        return 0
    for point in points:
        distance = metres(point)
        far = "" if distance is None else f"{distance:7.0f} m  "
        print(f"{far}{point.id}  {point.kind}  {point.name or point.address}")
        for each in said.get(point.id, (None, None)):
            if each:
                print(f"{'':11}{_standing(each, now)}")
    return 0


def _standing(standing: Standing, now: float) -> str:
    from kiezbox.cli.mode import words

    who = "operator" if standing.by else f"{standing.voices} of the neighbours"
    return f"{who}: {standing.state}, {words(max(0.0, now - standing.written_at))} ago"


def _standings(settings: Settings) -> dict[str, tuple[Standing | None, Standing | None]]:
    from kiezbox.cli._common import open_clock
    from kiezbox.place.reports import Report, standing
    from kiezbox.store.log import Log

    if not os.path.exists(settings.store.words_path):
        return {}
    log = Log.open(settings.store.words_path, open_clock(settings))
    try:
        said: dict[str, list[Report]] = {}
        for thing in log.things("place_report", limit=10_000):
            is_own = bool(thing.data.get("is_by_operator")) and thing.origin == log.box
            by = thing.issuer or ("operator" if is_own else "")
            report = Report(thing.state, thing.written_at, by, thing.lookup)
            said.setdefault(thing.topic, []).append(report)
    finally:
        log.close()
    return {topic: standing(reports) for topic, reports in said.items()}


def _report(arguments: argparse.Namespace) -> int:
    from kiezbox.cli._common import load_settings, open_clock
    from kiezbox.place.reports import STATES
    from kiezbox.store.log import Draft, Log
    from kiezbox.store.places import read_package

    name = arguments.what[0]
    state = {"open": "open", "close": "closed"}.get(arguments.action) or arguments.what[1]
    if state not in STATES:
        raise UsageError(f"{state!r} is no state", hint=f"One of {', '.join(STATES)}.")
    if not 0 < arguments.hours <= MOST_HOURS:
        raise UsageError(
            f"--hours {arguments.hours:g} is outside 0 to {MOST_HOURS:g}",
            hint="What nobody has looked at for three days is not known any more.",
        )
    settings = load_settings(arguments.settings)
    if not any(point.id == name for point in read_package(_path(settings)).points):
        raise UsageError(f"there is no point {name}", hint="`kiezbox place show` has the ids.")
    log = Log.open(settings.store.words_path, open_clock(settings))
    try:
        fields: dict[str, Any] = {
            "place": name, "state": STATES.index(state), "is_by_operator": 1,
        }  # fmt: skip
        log.add(Draft(kind="place_report", fields=fields, lifetime_s=int(arguments.hours * 3600)))
    finally:
        log.close()
    print(f"{name}: {state}, for {arguments.hours:g} h, in the operator's name")
    return 0


_ACTS = {
    "build": _build, "check": _check, "install": _install, "show": _show, "report": _report,
    "open": _report, "close": _report,
}  # fmt: skip

#: How many words follow each action, at least and at most.
_WORDS = {
    "build": (0, 0), "check": (0, 1), "install": (1, 1), "show": (0, 1), "report": (2, 2),
    "open": (1, 1), "close": (1, 1),
}  # fmt: skip
