"""An invented Kiez: streets, points and warnings of a place that is nowhere.

For the demo and the tests, so that the repository carries nobody's city. The same seed gives the
same Kiez. The names are made of birds and trees; what is like a real street's is so by chance.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from math import cos, radians
from typing import Any

from kiezbox.place.building import around
from kiezbox.place.points import Line, LineKind, Package, Point, Source
from kiezbox.place.ways import METRES_PER_DEGREE

__all__ = ["LATITUDE", "LONGITUDE", "invented", "warnings"]

#: A field near the middle of Germany, as in the demo's plan.
LATITUDE, LONGITUDE = 51.163, 10.448

SOURCE = Source("invented", "Kiezbox, erfundener Kiez · invented", "CC0 1.0")

#: Where its signs are in the language that they are.
COUNTRY = "DE"

#: Crossings from west to east and from south to north, and metres between them.
COLUMNS, ROWS, BLOCK_M = 11, 9, 115.0

_BEGINNINGS = (
    "Amsel Birken Distel Erlen Falken Ginster Hasel Iltis Kiebitz Lerchen Mohn Nelken Otter"
    " Pappel Quitten Reiher Schlehen Tauben Ulmen Veilchen Weiden Zeisig"
).split()
_MAIN_ENDS = ("straße", "allee")
_ENDS = ("weg", "gasse", "pfad", "zeile")

#: kind, how many, names, hours, details
_POINTS: tuple[tuple[str, int, tuple[str, ...], str, dict[str, str]], ...] = (
    ("lighthouse", 1, ("Katastrophenschutz-Leuchtturm Turnhalle",), "", {"wheelchair": "yes"}),
    ("emergency_call", 2, ("",), "24/7", {}),
    ("fire_station", 1, ("Feuerwache",), "24/7", {}),
    ("police", 1, ("Polizeiwache",), "24/7", {}),
    ("info", 1, ("Rathaus",), "Mo-Fr 08:00-16:00; PH off", {"wheelchair": "yes"}),
    ("hospital", 1, ("Krankenhaus",), "24/7", {"emergency": "yes"}),
    ("pharmacy", 4, ("Löwen-Apotheke", "Linden-Apotheke", "Apotheke am Markt", "Stern-Apotheke"),
     "Mo-Fr 08:30-18:30; Sa 09:00-14:00", {}),
    ("defibrillator", 3, ("",), "Mo-Sa 08:00-20:00", {"note": "Im Eingang links"}),
    ("well", 6, ("",), "", {"drinkable": "yes", "status": "works"}),
    ("drinking_fountain", 3, ("",), "Apr-Oct", {"drinkable": "yes"}),
    ("warm_room", 2, ("Gemeindesaal", "Bibliothek"), "Mo-Su 10:00-20:00", {"wheelchair": "yes"}),
    ("shelter", 1, ("Schulkeller",), "", {}),
    ("toilet", 4, ("",), "24/7", {"fee": "no", "wheelchair": "yes"}),
    ("charging", 2, ("Werkhof", "Späti"), "Mo-Sa 09:00-21:00", {}),
)  # fmt: skip


class _Chance:
    """The same row of numbers for the same seed, on every machine and for ever."""

    def __init__(self, seed: int) -> None:
        self._seed, self._count = seed, 0

    def number(self) -> float:
        """0 up to 1."""
        self._count += 1
        data = f"{self._seed}/{self._count}".encode()
        return int.from_bytes(blake2b(data, digest_size=6).digest(), "big") / 2**48

    def between(self, least: float, most: float) -> float:
        return least + self.number() * (most - least)

    def below(self, count: int) -> int:
        return int(self.number() * count)


def invented(seed: int = 1, *, zone: str = "") -> Package:
    """The Kiez of a seed, about 1.1 km wide."""
    chance = _Chance(seed)
    crossings = {
        (column, row): (
            (column - (COLUMNS - 1) / 2) * BLOCK_M + chance.between(-22, 22),
            (row - (ROWS - 1) / 2) * BLOCK_M + chance.between(-22, 22),
        )
        for column in range(COLUMNS)
        for row in range(ROWS)
    }
    rows = [[crossings[column, row] for column in range(COLUMNS)] for row in range(ROWS)]
    columns = [[crossings[column, row] for row in range(ROWS)] for column in range(COLUMNS)]
    streets = [(each, n % 4 == 1) for way in (rows, columns) for n, each in enumerate(way)]
    names = _names(chance, [is_main for _, is_main in streets])
    lines = [
        _line(LineKind.MAIN_STREET if is_main else LineKind.STREET, name, corners)
        for (corners, is_main), name in zip(streets, names, strict=True)
    ]
    lines += _green_and_water(chance, crossings)
    points = _points(chance, [c for c, _ in streets], names)
    bounds = around(LATITUDE, LONGITUDE, 750)
    return Package("Musterkiez", bounds, [SOURCE], points, lines, zone, country=COUNTRY)


def _names(chance: _Chance, mains: list[bool]) -> list[str]:
    beginnings = sorted(_BEGINNINGS, key=lambda _: chance.number())
    found = []
    for n, is_main in enumerate(mains):
        ends = _MAIN_ENDS if is_main else _ENDS
        found.append(beginnings[n % len(beginnings)] + ends[chance.below(len(ends))])
    return found


def _green_and_water(
    chance: _Chance, crossings: dict[tuple[int, int], tuple[float, float]]
) -> list[Line]:
    """A park over four blocks with paths and a pond, a canal, a railway at the edge."""
    column, row = 1 + chance.below(COLUMNS - 4), 1 + chance.below(ROWS - 4)
    corners = [(column, row), (column + 2, row), (column + 2, row + 2), (column, row + 2)]
    park = [_inside(crossings[each], crossings[column + 1, row + 1]) for each in corners]
    east, north = crossings[column + 1, row + 1]
    pond = [
        (east + x, north + y) for x, y in ((-40, -12), (-5, -30), (38, -8), (20, 24), (-22, 20))
    ]
    canal_row = 1 if row > 3 else ROWS - 2
    canal = [
        (crossings[c, canal_row][0], crossings[c, canal_row][1] - 45 + 8 * (c % 3))
        for c in range(COLUMNS)
    ]
    edge = (ROWS / 2) * BLOCK_M
    return [
        _line(LineKind.GREEN, "Stadtpark", [*park, park[0]]),
        _line(LineKind.WATER, "Parkteich", [*pond, pond[0]]),
        _line(LineKind.STREAM, "Stichkanal", canal),
        _line(LineKind.RAIL, "", [(-640, edge - 90), (0, edge - 20), (640, edge)]),
        _line(LineKind.PATH, "", [park[0], pond[0], park[2]]),
        _line(LineKind.PATH, "", [park[1], pond[3], park[3]]),
    ]


def _inside(corner: tuple[float, float], middle: tuple[float, float]) -> tuple[float, float]:
    """A little away from the street."""
    return tuple(c + 0.08 * (m - c) for c, m in zip(corner, middle, strict=True))  # type: ignore[return-value]


def _points(
    chance: _Chance, streets: list[list[tuple[float, float]]], names: list[str]
) -> list[Point]:
    found = []
    for kind, count, titles, hours, details in _POINTS:
        for n in range(count):
            number = chance.below(len(streets))
            corners = streets[number]
            first = chance.below(len(corners) - 1)
            share = chance.between(0.2, 0.8)
            east, north = (
                a + share * (b - a) for a, b in zip(corners[first], corners[first + 1], strict=True)
            )
            latitude, longitude = _degrees(east, north + 9)
            more = dict(details)
            if kind == "well" and n % 3 == 2:
                more = {"drinkable": "no", "status": "broken" if n == 5 else "works"}
            house = 2 * (10 * first + int(10 * share)) + 1
            found.append(
                Point(
                    f"{kind.replace('_', '-')}-{n + 1}",
                    kind,
                    titles[n % len(titles)],
                    latitude,
                    longitude,
                    f"{names[number]} {house}",
                    hours,
                    "",
                    more,
                    SOURCE.key,
                )  # fmt: skip
            )
    return sorted(found, key=lambda point: point.id)


def _line(kind: LineKind, name: str, corners: list[tuple[float, float]]) -> Line:
    degrees = (_degrees(*corner) for corner in corners)
    return Line(kind, name, [(round(a * 1e5), round(b * 1e5)) for a, b in degrees], SOURCE.key)


def _degrees(east_m: float, north_m: float) -> tuple[float, float]:
    latitude = LATITUDE + north_m / METRES_PER_DEGREE
    longitude = LONGITUDE + east_m / (METRES_PER_DEGREE * cos(radians(LATITUDE)))
    return round(latitude, 6), round(longitude, 6)


def warnings(now: float) -> list[dict[str, Any]]:
    """Two warnings as NINA has them (CAP 1.2 as JSON), marked as an exercise: what a power cut
    looks like in official words, without an authority that exists. ``now``: Unix seconds.
    """
    return [_warning(now, *each) for each in _WARNINGS]


_WARNINGS: tuple[tuple[str, int, str, str, dict[str, tuple[str, str, str]]], ...] = (
    ("power", 5400, "Severe", "Stromausfall", {
        "DE": ("Stromausfall im Musterkiez",
               "Schalten Sie Herd, Heizlüfter und Werkzeug aus, bevor der Strom wiederkommt.",
               "Ein Erdkabel ist beschädigt. Die Reparatur dauert bis in die Nacht."),
        "EN": ("Power cut in Musterkiez",
               "Switch off stoves, heaters and tools before the power returns.",
               "An underground cable is damaged. Repairs will last into the night."),
    }),
    ("frost", 14400, "Moderate", "Frost", {
        "DE": ("Strenger Frost in der Nacht",
               "Bleiben Sie in einem Raum zusammen. Sehen Sie nach Nachbarn, die allein leben.",
               "Es wird bis zu zwölf Grad unter null kalt."),
        "EN": ("Severe frost tonight",
               "Stay together in one room. Look after neighbours who live alone.",
               "Temperatures fall to twelve degrees below zero."),
    }),
)  # fmt: skip


def _warning(
    now: float, name: str, age_s: int, severity: str, event: str,
    texts: dict[str, tuple[str, str, str]],
) -> dict[str, Any]:  # fmt: skip
    sent = datetime.fromtimestamp(int(now) - age_s, UTC)
    shared = {
        "category": ["Infra" if name == "power" else "Met"],
        "event": event,
        "urgency": "Immediate",
        "severity": severity,
        "certainty": "Observed",
        "senderName": "Leitstelle Musterkreis (erfunden)",
        "expires": (sent + timedelta(days=1)).isoformat(),
        "area": [{"areaDesc": "Musterkiez"}],
    }
    parts = ("headline", "instruction", "description")
    return {
        "identifier": f"erfunden.{name}.{int(sent.timestamp())}",
        "sender": "musterkreis",
        "sent": sent.isoformat(),
        "status": "Exercise",
        "msgType": "Alert",
        "scope": "Public",
        "info": [
            {"language": language, **shared, **dict(zip(parts, said, strict=True))}
            for language, said in texts.items()
        ],
    }
