"""Whom to call, by country and region. A further country is a further line.

112 reaches ambulance, fire brigade and police in every country of the European Union (Directive
2018/1972, Art. 109) and in Switzerland, so it stands in for a country that is not here; a number
that nobody could show us a source for is not here either, and the page says so or says 112.

Sources, as looked up in November 2026:

- DE: 112, 110, and 116117 for a doctor on call (§ 75 SGB V). Poison centres by Land: list of the
  Bundesamt für Verbraucherschutz und Lebensmittelsicherheit; each is reached by its city's code and
  19240, that of Erfurt by 0361 730730.
- AT: RTR, "Notrufe": 112, 133, 141. Poison: Gesundheit Österreich, "VIZ".
- CH: 112 works, police 117 (and 118, 144); poison 145, Tox Info Suisse.
- BE, LU: the poison centre of both, politie.be, "Antigif Centrum".
- PL: 997 works beside 112, info-migrator.pl, "How to make emergency calls".
"""

from __future__ import annotations

__all__ = ["COUNTRIES", "phones_of"]

#: ISO 3166-1 → what people dial there: fire brigade and ambulance, police, a doctor on call, the
#: poison helpline. "": there is no one number, or none that we know.
COUNTRIES = {
    country: dict(zip(("emergency", "police", "doctor", "poison"), numbers, strict=True))
    for country, numbers in {
        "DE": ("112", "110", "116117", ""),
        "AT": ("112", "133", "141", "01 406 43 43"),
        "CH": ("112", "117", "", "145"),
        "BE": ("112", "112", "", "070 245 245"),
        "LU": ("112", "112", "", "8002 5500"),
        "PL": ("112", "997", "", ""),
        # Everywhere else.
        "": ("112", "112", "", ""),
    }.items()
}

#: ISO 3166-2 → code of the city whose poison centre answers for that Land, and the number there.
_POISON = {
    "DE-BB": ("030", "19240"), "DE-BE": ("030", "19240"), "DE-BW": ("0761", "19240"),
    "DE-BY": ("089", "19240"), "DE-HB": ("0551", "19240"), "DE-HE": ("06131", "19240"),
    "DE-HH": ("0551", "19240"), "DE-MV": ("0361", "730730"), "DE-NI": ("0551", "19240"),
    "DE-NW": ("0228", "19240"), "DE-RP": ("06131", "19240"), "DE-SH": ("0551", "19240"),
    "DE-SL": ("06841", "19240"), "DE-SN": ("0361", "730730"), "DE-ST": ("0361", "730730"),
    "DE-TH": ("0361", "730730"),
}  # fmt: skip


def phones_of(country: str | None, region: str | None = "") -> dict[str, str]:
    """The numbers of a country (ISO 3166-1), with the poison helpline of its region (ISO 3166-2).

    >>> phones_of("DE", "DE-BY")["poison"], phones_of(None)["police"]
    ('089 19240', '112')
    """
    found = COUNTRIES.get(country or "", COUNTRIES[""])
    if region and region.startswith(f"{country}-") and region in _POISON:
        return {**found, "poison": " ".join(_POISON[region])}
    return found
