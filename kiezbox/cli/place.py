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
  kiezbox place add KIND --at LAT,LON [--name "School, hall"] [--hours 24] [--days 7]
                                          a point that is in no package, open from now on
  kiezbox place correct ID [--name …] [--at …] [--opening "Mo-Fr 08:00-16:00"] [--days 7]
                                          what is wrong of a point; the rest stays as it is
  kiezbox place remove ID [--days 7]      there is no such point, whatever the package says

Building needs no box; .osm.pbf files need pyosmium (pip install 'kiezbox[place-build]'). What you
say of a point stands above what neighbours say, marked as yours, until its hours are over. What
you add, correct or remove is signed with the key of abuse.moderator_key (`kiezbox moderate keys`
makes it; --key FILE for another one), is under Where at once, and outlives a new package.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from kiezbox.errors import UsageError

if TYPE_CHECKING:
    import argparse

    from kiezbox.place.points import Package
    from kiezbox.settings import Settings

ACTIONS = (
    "build", "check", "install", "show", "report", "open", "close", "add", "correct", "remove",
)  # fmt: skip


def main(argv: list[str]) -> int:
    """``kiezbox place ACTION``."""
    from kiezbox.cli._common import Parser
    from kiezbox.place.reports import STATES

    parser = Parser("place", __doc__)
    parser.add_argument("action", choices=ACTIONS)
    parser.add_argument("what", nargs="*", metavar="FILE, KIND, ID or STATE")
    parser.add_argument("--name", default="", help="what the place or the point is called")
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
    parser.add_argument("--days", type=float, default=7.0, help="how long in the list (default 7)")
    parser.add_argument("--at", metavar="LAT,LON", help="where it is (add, correct)")
    parser.add_argument("--address", default="", help="street and number, in words")
    parser.add_argument("--opening", default="", metavar="HOURS", help="as OpenStreetMap has them")
    parser.add_argument("--phone", default="", help="of the point")
    parser.add_argument(
        "--detail", action="append", default=[], metavar="NAME=VALUE", help="wheelchair=yes, note=…"
    )
    parser.add_argument("--state", choices=STATES, help="of a new point (default: open, or works)")
    parser.add_argument("--key", metavar="FILE", help="the key that signs")
    parser.add_argument("--json", action="store_true", help="for programs")
    arguments = parser.parse_args(argv)
    least, most, needs = _WORDS[arguments.action]
    if not least <= len(arguments.what) <= most:
        raise UsageError(
            f"place {arguments.action} takes {needs} after it",
            hint="`kiezbox place --help` shows them all.",
        )
    return _ACTS[arguments.action](arguments)


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
    from kiezbox.cli._points import show

    return show(arguments)


def _in_the_field(arguments: argparse.Namespace) -> int:
    from kiezbox.cli import _pointing

    name = "report" if arguments.action in ("open", "close") else arguments.action
    done: int = getattr(_pointing, name)(arguments)
    return done


_ACTS = {
    "build": _build, "check": _check, "install": _install, "show": _show,
    "report": _in_the_field, "open": _in_the_field, "close": _in_the_field,
    "add": _in_the_field, "correct": _in_the_field, "remove": _in_the_field,
}  # fmt: skip

#: How many words follow each action, at least and at most, and what they are.
_WORDS = {
    "build": (0, 0, "nothing: all of it is in its options"), "check": (0, 1, "one FILE or nothing"),
    "install": (1, 1, "a FILE"), "show": (0, 1, "a KIND, an ID or nothing"),
    "report": (2, 2, "an ID and a STATE"), "open": (1, 1, "an ID"), "close": (1, 1, "an ID"),
    "add": (1, 1, "a KIND, such as warm_room"), "correct": (1, 1, "an ID"),
    "remove": (1, 1, "an ID"),
}  # fmt: skip
