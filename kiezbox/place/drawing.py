"""The surroundings as an SVG: streets, water, green, and numbered points. No tiles, no script.

Colours are the page's own (``portal.style``) or see-through, so that the drawing is right in the
dark and on paper. It is for eyes only: beside it stands a list in words, to which the numbers lead.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from html import escape
from math import atan2, cos, degrees, hypot, radians
from typing import NamedTuple

from kiezbox.place.points import Line, LineKind, Point
from kiezbox.place.shapes import clip_area, clip_line, simplified
from kiezbox.place.ways import METRES_PER_DEGREE

__all__ = ["STYLE", "Drawing", "drawn", "kinds_at", "window"]

#: The drawing is a square of so many units: on a narrow phone a unit is half a pixel.
SIZE = 600
HALF = SIZE / 2

#: Points nearer than this share a number: two digits need the room.
MARKER = 17
MOST_LABELS = 22

#: Letters of a street's name are about so wide (units).
LETTER = 10.2

#: Classes, lowest first.
_CLASSES = {
    LineKind.GREEN: "g", LineKind.WATER: "w", LineKind.STREAM: "f", LineKind.RAIL: "r",
    LineKind.PATH: "t", LineKind.STREET: "s", LineKind.MAIN_STREET: "h",
}  # fmt: skip

#: Beyond this reach (metres) what is drawn so would only be grey.
_MOST_REACH = {LineKind.PATH: 900.0, LineKind.STREET: 1500.0}

STYLE = """\
.m{width:100%;max-width:34rem;height:auto;margin-top:.8rem;border:1px solid var(--l)}\
.m path{fill:none;stroke-linecap:round;stroke-linejoin:round}\
.m .g{fill:#4a9a3c4d}.m .w{fill:#3b86cc80}.m .f{stroke:#3b86cc80;stroke-width:6}\
.m .r{stroke:var(--m);stroke-width:3;stroke-dasharray:9 6}\
.m .t{stroke:var(--m);stroke-width:1.4;stroke-dasharray:5 4}\
.m .s{stroke:var(--l);stroke-width:5}.m .h{stroke:var(--m);stroke-opacity:.6;stroke-width:8}\
.m text{font:18px system-ui,sans-serif;fill:var(--t);text-anchor:middle;paint-order:stroke;\
stroke:var(--b);stroke-width:4px}\
.m .k circle{fill:var(--a);stroke:var(--b);stroke-width:2}\
.m .k text{font-size:22px;font-weight:700;fill:var(--b);stroke:none}\
.m .b{fill:#d81b60;stroke:var(--b);stroke-width:3}.m .p{fill:var(--b)}\
.m .z{stroke:var(--t);stroke-width:3}.m~ol a{display:block;padding:.55rem 0}\
@media print{.m *{print-color-adjust:exact}}"""


class Drawing(NamedTuple):
    """``numbered``: which points stand at number 1, 2, …"""

    svg: str
    numbered: list[list[Point]]


class _View(NamedTuple):
    latitude: float
    longitude: float
    reach_m: float

    def at(self, latitude: float, longitude: float) -> tuple[float, float]:
        """Units from the left and from the top."""
        unit = HALF / self.reach_m
        east = (longitude - self.longitude) * METRES_PER_DEGREE * cos(radians(self.latitude))
        north = (latitude - self.latitude) * METRES_PER_DEGREE
        return HALF + east * unit, HALF - north * unit


def window(latitude: float, longitude: float, reach_m: float) -> tuple[int, int, int, int]:
    """South, west, north, east in hundred-thousandths of a degree: what such a drawing needs."""
    north = reach_m / METRES_PER_DEGREE * 1e5
    east = north / max(0.01, cos(radians(latitude)))
    middle = latitude * 1e5, longitude * 1e5
    return (
        int(middle[0] - north) - 1, int(middle[1] - east) - 1,
        int(middle[0] + north) + 1, int(middle[1] + east) + 1,
    )  # fmt: skip


def kinds_at(reach_m: float) -> list[LineKind]:
    """What is drawn at all, so far out."""
    return [kind for kind in LineKind if reach_m <= _MOST_REACH.get(kind, reach_m)]


def drawn(
    lines: Iterable[Line],
    points: Sequence[Point],
    *,
    latitude: float,
    longitude: float,
    reach_m: float,
    title: str,
    description: str,
    north: str,
    measure: Callable[[int], str] = "{} m".format,
    has_box: bool = True,
    most_bytes: int = 40_000,
) -> Drawing:
    """The square ``reach_m`` around a place. ``north``: the letter on the arrow; ``measure``:
    metres in words, for the scale. ``most_bytes`` of paths, which are half as many gzipped: where a
    dense city has more, it is drawn coarser, and then without its shortest streets.
    """
    view = _View(latitude, longitude, reach_m)
    shapes = _shapes(lines, view)
    # The shortest path takes ten bytes.
    while len(shapes) * 10 > most_bytes:
        shapes = _fewer(shapes)
    tolerance = 0.8
    paths = _paths(shapes, tolerance)
    while len(paths) > most_bytes:
        if tolerance < 5:
            tolerance *= 2
        else:
            shapes = _fewer(shapes)
        paths = _paths(shapes, tolerance)
    numbered, markers = _markers(points, view)
    taken = [(x, y, MARKER + 4.0) for x, y, _ in markers] + [(HALF, HALF, 14.0)]
    taken += [(x, 580.0, 16.0) for x in range(20, 150, 20)] + [(580.0, 40.0, 34.0)]
    names = _names(shapes, taken)
    shown = "".join(
        f"<g class=k><circle cx={x:.0f} cy={y:.0f} r={MARKER} /><text x={x:.0f} y={y + 8:.0f}>"
        f"{n}</text></g>"
        for x, y, n in markers
    )
    box = f"<circle class=b cx={HALF:.0f} cy={HALF:.0f} r=10 />" if has_box else ""
    svg = (
        f'<svg class=m viewBox="0 0 {SIZE} {SIZE}" role=img aria-labelledby="mt md">'
        f"<title id=mt>{escape(title)}</title><desc id=md>{escape(description)}</desc>"
        f"{paths}{names}{box}{shown}{_scale(reach_m, measure)}{_arrow(north)}</svg>"
    )
    return Drawing(svg, numbered)


# --- lines ---------------------------------------------------------------------------------------

Shape = tuple[LineKind, str, list[tuple[float, float]]]


def _shapes(lines: Iterable[Line], view: _View) -> list[Shape]:
    found: list[Shape] = []
    edge = (-8.0, -8.0, SIZE + 8.0, SIZE + 8.0)
    for line in lines:
        corners = [view.at(a / 1e5, b / 1e5) for a, b in line.corners]
        if line.kind.is_area:
            ring = clip_area(corners, edge)
            if ring:
                found.append((line.kind, line.name, ring))
        else:
            found += [(line.kind, line.name, piece) for piece in clip_line(corners, edge)]
    return found


def _fewer(shapes: list[Shape]) -> list[Shape]:
    """The longer half; main streets, rails and water last of all."""

    def weight(shape: Shape) -> tuple[bool, float]:
        kind, _, corners = shape
        length = sum(
            hypot(b[0] - a[0], b[1] - a[1]) for a, b in zip(corners, corners[1:], strict=False)
        )
        return kind not in (LineKind.PATH, LineKind.STREET), length

    return sorted(shapes, key=weight, reverse=True)[: len(shapes) // 2]


def _paths(shapes: Iterable[Shape], tolerance: float) -> str:
    written: dict[LineKind, list[str]] = {kind: [] for kind in _CLASSES}
    for kind, _, corners in shapes:
        written[kind].append(_path(simplified(corners, tolerance), is_area=kind.is_area))
    return "".join(
        f'<path class={_CLASSES[kind]} d="{"".join(pieces)}"/>'
        for kind, pieces in written.items()
        if any(pieces)
    )


def _path(corners: Sequence[tuple[float, float]], *, is_area: bool) -> str:
    """Whole units, each corner from the one before: ``M12 7l5-3``."""
    x, y = round(corners[0][0]), round(corners[0][1])
    steps = []
    at = x, y
    for corner in corners[1:]:
        to = round(corner[0]), round(corner[1])
        if to != at:
            step = to[1] - at[1]
            steps.append(f"{to[0] - at[0]}{'' if step < 0 else ' '}{step}")
            at = to
    if not steps:
        return ""
    whole = steps[0] + "".join(s if s[0] == "-" else f" {s}" for s in steps[1:])
    return f"M{x} {y}l{whole}{'z' if is_area else ''}"


# --- names ---------------------------------------------------------------------------------------


def _names(shapes: Iterable[Shape], taken: list[tuple[float, float, float]]) -> str:
    """Streets' names along their longest straight piece, big streets first, none over another."""
    best: dict[str, tuple[int, float, tuple[float, float], tuple[float, float]]] = {}
    streets: dict[tuple[int, str], list[list[tuple[float, float]]]] = {}
    for kind, name, corners in shapes:
        if name and not kind.is_area and kind not in (LineKind.RAIL, LineKind.PATH):
            streets.setdefault((int(kind), name), []).append(corners)
    for (rank, name), pieces in streets.items():
        for start, end in _straights(pieces):
            length = hypot(end[0] - start[0], end[1] - start[1])
            found = (rank, length, start, end)
            if name not in best or found[:2] > best[name][:2]:
                best[name] = found
    texts: list[str] = []
    for name, (_, length, start, end) in sorted(best.items(), key=lambda e: (-e[1][0], -e[1][1])):
        width = len(name) * LETTER
        if len(texts) == MOST_LABELS or width > length * 1.15:
            continue
        for share in (0.5, 0.3, 0.7):
            text = _label(name, width, share, start, end, taken)
            if text:
                texts.append(text)
                break
    return "".join(texts)


def _straights(
    pieces: list[list[tuple[float, float]]],
) -> Iterator[tuple[tuple[float, float], tuple[float, float]]]:
    """The straight parts of a street, whose pieces are put end to end first."""
    waiting = list(pieces)
    while waiting:
        whole = waiting.pop()
        found = True
        while found:
            found = False
            for n, piece in enumerate(waiting):
                if piece[0] == whole[-1]:
                    whole = whole + piece[1:]
                elif piece[-1] == whole[0]:
                    whole = piece + whole[1:]
                else:
                    continue
                del waiting[n]
                found = True
                break
        rough = simplified(whole, 10.0)
        yield from zip(rough, rough[1:], strict=False)


def _label(
    name: str,
    width: float,
    share: float,
    start: tuple[float, float],
    end: tuple[float, float],
    taken: list[tuple[float, float, float]],
) -> str:
    x, y = (a + share * (b - a) for a, b in zip(start, end, strict=True))
    turn = degrees(atan2(end[1] - start[1], end[0] - start[0]))
    # Never upside down.
    turn = turn - 180 if turn > 90 else turn + 180 if turn <= -90 else turn
    across, down = cos(radians(turn)), cos(radians(turn - 90))
    beads = []
    steps = max(1, int(width / 16))
    for n in range(steps + 1):
        off = (n / steps - 0.5) * width
        beads.append((x + off * across, y + off * down, 9.0))
    for bead in beads:
        if not (4 < bead[0] < SIZE - 4 and 10 < bead[1] < SIZE - 10):
            return ""
        for other in taken:
            if hypot(bead[0] - other[0], bead[1] - other[1]) < bead[2] + other[2]:
                return ""
    taken += beads
    spin = f' transform="rotate({turn:.0f} {x:.0f} {y:.0f})"' if abs(turn) >= 1 else ""
    return f"<text x={x:.0f} y={y + 6:.0f}{spin}>{escape(name)}</text>"


# --- points --------------------------------------------------------------------------------------


def _markers(
    points: Sequence[Point], view: _View
) -> tuple[list[list[Point]], list[tuple[float, float, int]]]:
    numbered: list[list[Point]] = []
    markers: list[tuple[float, float, int]] = []
    for point in points:
        x, y = view.at(point.latitude, point.longitude)
        if not (0 <= x <= SIZE and 0 <= y <= SIZE):
            continue
        x, y = (min(SIZE - MARKER, max(MARKER, each)) for each in (x, y))
        near = next((n for a, b, n in markers if hypot(a - x, b - y) < 1.6 * MARKER), None)
        if near is not None:
            numbered[near - 1].append(point)
        else:
            numbered.append([point])
            markers.append((x, y, len(numbered)))
    return numbered, markers


def _scale(reach_m: float, measure: Callable[[int], str]) -> str:
    """A bar of a round number of metres, at the lower left."""
    metres = next(each for each in (2000, 1000, 500, 200, 100, 50) if each <= reach_m / 2.2)
    length = metres * HALF / reach_m
    return (
        f"<rect class=p x=4 y=556 width={length + 20:.0f} height=40 />"
        f'<path class=z d="M14 586h{length:.0f}"/>'
        f"<text x={14 + length / 2:.0f} y=578>{escape(measure(metres))}</text>"
    )


def _arrow(north: str) -> str:
    return "<rect class=p x=562 y=4 width=36 height=72 />" + (
        f'<path class=z d="M580 46v-34l-7 11m7-11l7 11"/><text x=580 y=66>{escape(north)}</text>'
    )
