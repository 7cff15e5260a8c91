"""The invented Kiez: where its boxes stand. The streets are drawn in ``web/plan.svg``."""

from __future__ import annotations

from typing import NamedTuple

from kiezbox.errors import UsageError

#: The middle of the plan: a field near the middle of Germany, where no such Kiez is.
LATITUDE, LONGITUDE = 51.163, 10.448

#: Of that field, above the sea.
HEIGHT_M = 210.0


class Site(NamedTuple):
    """One box's place and what the air is like there.

    ``east_m`` and ``north_m`` count from the middle of the plan; ``traffic`` is 0 (courtyard)
    to 1 (crossing), ``green`` 0 (asphalt) to 1 (under trees), ``height_m`` above the street.
    """

    id: str
    name: str
    east_m: float
    north_m: float
    traffic: float
    green: float
    height_m: float

    @property
    def latitude(self) -> float:
        return round(LATITUDE + self.north_m / 111_320, 6)

    @property
    def longitude(self) -> float:
        # 111,320 m a degree at the equator, times the cosine of the latitude.
        return round(LONGITUDE + self.east_m / 69_800, 6)


#: In the order in which ``--boxes`` takes them: the first three lie well apart.
SITES = (
    Site("kb-marktplatz", "Marktplatz", -41, 139, 0.7, 0.2, 6),
    Site("kb-kanalufer", "Kanalufer", -278, -118, 0.3, 0.5, 4),
    Site("kb-stadtpark", "Stadtpark", 201, 174, 0.1, 1.0, 3),
    Site("kb-amseleck", "Späti Amseleck", 212, 12, 1.0, 0.1, 5),
    Site("kb-wasserturm", "Wasserturm", -382, 188, 0.2, 0.6, 22),
    Site("kb-suedhafen", "Südhafen", 154, -195, 0.4, 0.3, 5),
    Site("kb-feuerwache", "Feuerwache", -232, 49, 0.6, 0.1, 12),
    Site("kb-schule", "Gesamtschule", 351, -58, 0.3, 0.5, 9),
    Site("kb-bibliothek", "Bibliothek", 57, 246, 0.4, 0.4, 10),
    Site("kb-werkhof", "Werkhof", -212, -225, 0.5, 0.2, 7),
    Site("kb-gartenweg", "Gartenweg", -236, 216, 0.1, 0.8, 3),
    Site("kb-bruecke", "Alte Brücke", -81, -120, 0.8, 0.3, 4),
)


def sites(count: int) -> tuple[Site, ...]:
    """The places of so many boxes.

    Raises:
        UsageError: the plan has no room for so many.
    """
    if not 1 <= count <= len(SITES):
        raise UsageError(
            f"demo: --boxes {count} is outside 1 to {len(SITES)}",
            hint="Each box is two processes and about 80 MB; three are a good start.",
        )
    return SITES[:count]
