"""The grid of public places: always the same middle, near enough and not nearer."""

from __future__ import annotations

from dataclasses import replace
from math import asin, cos, radians, sin, sqrt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiezbox.privacy.grid import public_box, snapped
from kiezbox.settings import BoxSettings, parse

LATITUDES = st.floats(-89.9, 89.9)
LONGITUDES = st.floats(-180, 179.999)


def metres(a: tuple[float, float], b: tuple[float, float]) -> float:
    """The haversine formula on a sphere of 6,371 km (IUGG's mean radius)."""
    north, east = radians(b[0] - a[0]), radians(b[1] - a[1])
    h = sin(north / 2) ** 2 + cos(radians(a[0])) * cos(radians(b[0])) * sin(east / 2) ** 2
    return 2 * 6_371_000 * asin(min(1.0, sqrt(h)))


@given(LATITUDES, LONGITUDES, st.sampled_from([50.0, 100.0, 1000.0]))
def test_a_place_is_never_farther_from_its_middle_than_is_said(
    latitude: float, longitude: float, grid_m: float
) -> None:
    there, east, off_m = snapped(latitude, longitude, grid_m)

    # A metre for the rounding, and what a sphere is off.
    assert metres((latitude, longitude), (there, east)) <= off_m * 1.01 + 1.5


@given(LATITUDES, LONGITUDES)
def test_the_middle_is_its_own_middle(latitude: float, longitude: float) -> None:
    first = snapped(latitude, longitude, 100)

    assert snapped(first[0], first[1], 100) == first


def test_all_places_of_a_cell_are_told_alike() -> None:
    # Ten metres apart, far from a cell's edge: a thousand asks reveal nothing more.
    middle = snapped(51.163, 10.448, 100)
    around = {
        snapped(middle[0] + n * 0.0001, middle[1] + m * 0.0001, 100)
        for n in range(-3, 4)
        for m in range(-3, 4)
    }
    assert around == {middle}


def test_cells_are_as_wide_as_they_say() -> None:
    seen = {snapped(51.163, 10 + n * 0.00001, 100)[1] for n in range(10_000)}
    apart = sorted(seen)
    widths = [metres((51.163, a), (51.163, b)) for a, b in zip(apart, apart[1:], strict=False)]

    assert widths and all(width == pytest.approx(100, abs=2) for width in widths)


def test_a_box_is_handed_on_with_its_public_place_only() -> None:
    box = parse(BoxSettings, {"id": "kb-1", "latitude": 51.16312, "longitude": 10.44812})

    told = public_box(box)

    assert (told.latitude, told.longitude) == snapped(51.16312, 10.44812, 100)[:2]
    assert told.accuracy_m == box.accuracy_m + 71
    assert public_box(replace(box, public_grid_m=0.0)).latitude == 51.16312
    assert public_box(parse(BoxSettings, {"id": "kb-1"})).latitude is None
