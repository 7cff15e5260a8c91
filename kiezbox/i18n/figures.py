"""Figures that lives depend on and that more than one text says: each once, with where it is from.

A catalogue has their names in braces (``{flood_person_cm}``), and ``text_of`` puts the numbers in,
so that no two pages and no two languages can say different ones. Every other fact, and where each
is from, stands in docs/facts.md.
"""

from __future__ import annotations

__all__ = ["FIGURES", "filled"]

FIGURES = {
    # Brought to a rolling boil once, then left to cool for so long: what German health offices
    # print in their orders ("einmalig sprudelnd aufkochen und dann langsam über mindestens 10
    # Minuten abkühlen", Landkreis Neustadt a.d.Aisch, "Abkochgebot"). The boil itself needs no
    # time: WHO, "Boil water" (2015). CDC and EPA ask for a minute of it, Health Canada as well
    # (compared in Emerging Infectious Diseases 31 (8), 2025, "Variance Among Public Health
    # Agencies' Boil Water Guidance"); ten minutes near the boil are more than that.
    "boil_stand_min": "10",
    # Six inches of moving water take a person off their feet, twelve float a car: US National
    # Weather Service, "Flood Dangers" (weather.gov, "Turn Around Don't Drown"). The water rescuers
    # of DLRG warn of water up to the knee; the lower of the two is said.
    "flood_person_cm": "15",
    "flood_car_cm": "30",
    # Cold taps, before the first drink after a boil notice: CDC, "When The Boil Water Advisory Is
    # Cancelled" ("continuously for at least 5 minutes").
    "water_run_min": "5",
    # Before appliances come on again, one by one: Hydro One, "Power restored" (10 to 15 minutes).
    # German network operators say "nach und nach" and no number.
    "power_wait_min": "10",
}


def filled(text: str, values: dict[str, str]) -> str:
    """The text with these names' values; other braces stay as they are, for whoever knows them.

    >>> filled("{flood_car_cm} cm, {when}", FIGURES)
    '30 cm, {when}'
    """
    if "{" in text:
        for name, value in values.items():
            text = text.replace(f"{{{name}}}", value)
    return text
