"""Whether residents are shown what is around the box, and how old that is."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import date

from kiezbox.checks import Examined, Finding, Level
from kiezbox.errors import StoreError
from kiezbox.store.places import read_package

#: Wells are closed, pharmacies move: a package is made anew once a year.
OLD_DAYS = 400


def run(box: Examined) -> Iterator[Finding]:
    place = box.settings.box.latitude, box.settings.box.longitude
    if None in place:
        yield Finding(
            Level.WARNING,
            "this box does not know where it stands: residents read no distances",
            "sudo kiezbox init --place LATITUDE,LONGITUDE --yes, and restart the node.",
        )
    path = box.settings.place.path(box.settings.store.path)
    if not os.path.exists(path):
        yield Finding(
            Level.WARNING,
            "this box has no package of its surroundings: it shows no well, no hospital, no map",
            "kiezbox place build on any computer, sudo kiezbox place install here: docs/place.md.",
        )
        return
    try:
        package = read_package(path)
    except StoreError as error:
        yield Finding(Level.BROKEN, str(error), error.hint)
        return
    latitude, longitude = place
    is_known = latitude is not None and longitude is not None
    if is_known and not package.bounds.has(latitude or 0.0, longitude or 0.0):
        yield Finding(
            Level.WARNING,
            f"the box stands outside of its package {package.name}",
            "Is it the right one? And are box.latitude and box.longitude in the right order?",
        )
    days = _age_days(package.built_at, box.clock.now())
    if days is not None and days > OLD_DAYS and box.clock.is_trusted():
        yield Finding(
            Level.NOTE,
            f"the package of the surroundings was made {days} days ago",
            "Fetch the files again, kiezbox place build and install: docs/place.md. What you added"
            " here stays.",
        )
    else:
        yield Finding(
            Level.FINE, f"the surroundings are there: {package.name}, {len(package.points)} points"
        )


def _age_days(built_at: str, now: float) -> int | None:
    try:
        return (date.fromtimestamp(now) - date.fromisoformat(built_at)).days
    except (ValueError, OverflowError, OSError):
        return None
