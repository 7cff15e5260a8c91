"""A published grid: the place of a box, as far as others may know it.

The grid is the same for everybody and needs no key. Rows are as high as ``grid_m``; within a row,
cells are as wide as ``grid_m`` at the row's middle. A place becomes the middle of its cell, always
the same one, whoever asks and however often: noise that is drawn anew each time averages out, and a
middle does not. One degree of latitude is taken as 111,320 m (WGS84's equator; 0.5 % off at most).
"""

from __future__ import annotations

import dataclasses
from math import cos, floor, hypot, radians

from kiezbox.settings import BoxSettings

__all__ = ["METRES_PER_DEGREE", "public_box", "snapped"]

METRES_PER_DEGREE = 111_320.0

#: Decimals of what is told: about a metre.
_DECIMALS = 5


def snapped(latitude: float, longitude: float, grid_m: float) -> tuple[float, float, float]:
    """Latitude and longitude of the cell's middle, and how far off the place may be from it (m).

    0: as it is.

    >>> snapped(51.163, 10.448, 100)
    (51.16286, 10.44768, 71)
    """
    if grid_m <= 0:
        return latitude, longitude, 0.0
    height = grid_m / METRES_PER_DEGREE
    row = floor(latitude / height)
    middle = min(90.0, (row + 0.5) * height)
    # Near the poles a row is one cell.
    width = min(360.0, height / max(cos(radians(middle)), height / 360.0))
    column = floor(longitude / width)
    there = min(180.0, (column + 0.5) * width)
    return round(middle, _DECIMALS), round(there, _DECIMALS), round(hypot(grid_m, grid_m) / 2)


def public_box(box: BoxSettings) -> BoxSettings:
    """The box as others may know it: all that publishers, programs and neighbours are handed."""
    if box.latitude is None or box.longitude is None:
        return box
    latitude, longitude, off_m = snapped(box.latitude, box.longitude, box.public_grid_m)
    accuracy_m = min(5000.0, box.accuracy_m + off_m)
    return dataclasses.replace(box, latitude=latitude, longitude=longitude, accuracy_m=accuracy_m)
