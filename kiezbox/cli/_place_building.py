"""``kiezbox place build``: from the operator's files to a package."""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
import time
from collections.abc import Iterator
from typing import Any

from kiezbox.cli._common import read_toml
from kiezbox.cli._osm_files import bounds_of, read_osm
from kiezbox.errors import KiezboxError, MissingPackage, SettingsError, UsageError
from kiezbox.place.building import around, built
from kiezbox.place.mapping import Mapped, mapped
from kiezbox.place.osm import Element
from kiezbox.place.points import Bounds, Package

__all__ = ["build", "public_holidays"]

#: So many years from the one in which a package is built; whoever keeps one longer is told, as
#: before, that hours may differ on public holidays.
HOLIDAY_YEARS = 5


def build(arguments: argparse.Namespace) -> Package:
    """The package that the options ask for.

    Raises:
        UsageError: options that do not go together.
        KiezboxError: a file that cannot be read, or is not what it should be.
    """
    zone = _zone(arguments.zone)
    country, region = _country(arguments.country, arguments.region)
    this_year = int(time.strftime("%Y"))
    holidays = public_holidays(country, region, this_year) if country else []
    if arguments.invented is not None:
        from kiezbox.place.invented import invented

        found = invented(arguments.invented, zone=zone)
        return found._replace(country=country or found.country, region=region, holidays=holidays)
    if not arguments.osm and not arguments.geojson:
        raise UsageError(
            "place build needs --osm FILE or --geojson FILE, or --invented SEED",
            hint="docs/place.md says where to fetch them.",
        )
    if not arguments.name:
        raise UsageError("place build needs --name", hint="What people call this place.")
    if len(arguments.geojson) != len(arguments.table):
        raise UsageError(
            f"{len(arguments.geojson)} --geojson and {len(arguments.table)} --table",
            hint="Each file needs a table that says which column is what (docs/place.md).",
        )
    bounds = _bounds(arguments)
    pairs = zip(arguments.geojson, arguments.table, strict=True)
    further = [_mapped(file, table, number) for number, (file, table) in enumerate(pairs, 1)]
    return built(
        arguments.name,
        bounds,
        _elements(arguments.osm),
        further,
        zone=zone,
        built_at=time.strftime("%Y-%m-%d"),
        osm_as_of=arguments.as_of,
        country=country,
        region=region,
        holidays=holidays,
    )


def _country(country: str, region: str) -> tuple[str, str]:
    """ISO 3166-1 and 3166-2; the region says the country as well."""
    country = country or region.partition("-")[0]
    if not re.fullmatch("([A-Z]{2})?", country):
        raise UsageError(f"--country {country} is no country", hint="Two capital letters: DE.")
    if region and not re.fullmatch(f"{country}-[A-Z0-9]{{1,3}}", region):
        raise UsageError(
            f"--region {region} is no region of {country}", hint="As ISO 3166-2 has it: DE-SN."
        )
    return country, region


def public_holidays(country: str, region: str, first_year: int) -> list[str]:
    """The days of ``HOLIDAY_YEARS`` years, as ISO 8601: what a package carries, because a box could
    not be told. [] where the library does not know the country, with a word about it.
    """
    try:
        import holidays
    except ImportError as error:
        raise MissingPackage(
            "--country needs the calendar of public holidays",
            hint="pip install 'kiezbox[place-build]'",
        ) from error
    years = range(first_year, first_year + HOLIDAY_YEARS)
    try:
        found = holidays.country_holidays(
            country, subdiv=region.partition("-")[2] or None, years=years
        )
    except NotImplementedError:
        where = region or country
        print(f"kiezbox: no calendar of public holidays for {where}", file=sys.stderr)
        return []
    return sorted(day.isoformat() for day in found)


def _elements(paths: list[str]) -> Iterator[Element]:
    for path in paths:
        yield from read_osm(path)


def _bounds(arguments: argparse.Namespace) -> Bounds:
    if arguments.around:
        try:
            latitude, longitude = map(float, arguments.around.split(","))
        except ValueError as error:
            raise UsageError(
                f"--around {arguments.around} is no place", hint="As in --around 51.163,10.448."
            ) from error
        if not (-90 <= latitude <= 90 and -180 <= longitude <= 180 and 0 < arguments.reach <= 100):
            raise UsageError("--around or --reach is out of range", hint="At most 100 km.")
        return around(latitude, longitude, arguments.reach * 1000)
    found = [bounds for path in arguments.osm if (bounds := bounds_of(path))]
    if not found:
        raise UsageError(
            "the files do not say which area they hold", hint="Say it: --around LAT,LON."
        )
    return Bounds(
        min(each.south for each in found), min(each.west for each in found),
        max(each.north for each in found), max(each.east for each in found),
    )  # fmt: skip


def _mapped(file: str, table_path: str, number: int) -> Mapped:
    try:
        with open(file, encoding="utf-8") as opened:
            document: Any = json.load(opened)
        table = read_toml(table_path)
    except SettingsError as error:
        raise KiezboxError(f"--table: {error}", hint="docs/place.md shows one.") from error
    except (OSError, ValueError) as error:
        raise KiezboxError(f"{file} cannot be read: {error}", hint="It must be GeoJSON.") from error
    stem = os.path.splitext(os.path.basename(table_path))[0].lower()
    key = "".join(sign if sign.isascii() and sign.isalnum() else "-" for sign in stem)[:20]
    found = mapped(document, table, key.strip("-") or f"data{number}")
    if found.columnless:
        print(
            f"kiezbox: {file} has no such column: {', '.join(found.columnless)}\n"
            f"         It has: {', '.join(found.columns[:40])}.",
            file=sys.stderr,
        )
    if found.placeless:
        some = "; ".join(found.placeless[:5])
        print(
            f"kiezbox: {file}: {len(found.placeless)} without coordinates are left out: {some}",
            file=sys.stderr,
        )
    return found


def _zone(given: str) -> str:
    """The zone if this machine knows it; without, the one it is set to itself."""
    from zoneinfo import ZoneInfo

    if not given:
        _, found, name = os.path.realpath("/etc/localtime").partition("/zoneinfo/")
        given = name if found else ""
    try:
        return ZoneInfo(given).key if given else ""
    except (KeyError, ValueError, OSError) as error:
        raise UsageError(
            f"there is no time zone {given!r}", hint="As the IANA names it, such as Europe/Vienna."
        ) from error
