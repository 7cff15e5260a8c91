"""Whom to call, by country and region. A further country is a further line.

112 reaches ambulance, fire brigade and police in every country of the European Union (Directive
2018/1972, Art. 109), so it stands in for a country that is not here. A number that nobody could
show us a source for is not here either: the page says so, or says 112. Where each line is from, and
when that was looked up, stands in docs/facts.md, "Numbers to call".
"""

from __future__ import annotations

__all__ = ["COUNTRIES", "phones_of"]

_COLUMNS = ("emergency", "police", "fire", "ambulance", "doctor", "poison")

#: ISO 3166-1 → what people dial there. ``emergency`` reaches all, or leads to all. ``fire`` and
#: ``ambulance``: their own numbers, where the country still tells people to dial these.
#: ``doctor``: ill, but in no danger. ``poison``: the helpline for everybody; its hours follow in
#: brackets where it is not there at night. "": there is no one number, or none that we know.
COUNTRIES = {
    country: dict(zip(_COLUMNS, numbers, strict=True))
    for country, numbers in {
        "AT": ("112", "133", "122", "144", "141", "01 406 43 43"),
        "BE": ("112", "101", "", "", "", "070 245 245"),
        "BG": ("112", "112", "", "", "", "02 9154 233"),
        "CH": ("112", "117", "118", "144", "", "145"),
        "CY": ("112", "112", "", "", "", ""),
        "CZ": ("112", "158", "150", "155", "", "224 91 92 93"),
        "DE": ("112", "110", "", "", "116117", ""),
        "DK": ("112", "112", "", "", "", "82 12 12 12"),
        "EE": ("112", "112", "", "", "1220", "16662"),
        "ES": ("112", "112", "", "", "", "91 562 04 20"),
        "FI": ("112", "112", "", "", "116117", "0800 147 111"),
        "FR": ("112", "17", "18", "15", "", ""),
        "GB": ("999", "999", "", "", "111", ""),
        "GR": ("112", "100", "199", "166", "", ""),
        "HR": ("112", "192", "193", "194", "", ""),
        "HU": ("112", "107", "105", "104", "", "06 80 20 11 99"),
        "IE": ("112", "112", "", "", "", "01 809 2166 (08:00–22:00)"),
        "IT": ("112", "113", "115", "118", "", "06 305 43 43"),
        "LT": ("112", "112", "", "", "113", "+370 5 236 20 52"),
        "LU": ("112", "112", "", "", "", "8002 5500"),
        "LV": ("112", "112", "", "", "", "67 04 24 73"),
        "MT": ("112", "112", "", "", "", "1774 (08:00–20:00)"),
        "NL": ("112", "112", "", "", "", ""),
        "NO": ("112", "112", "110", "113", "116117", "22 59 13 00"),
        "PL": ("112", "997", "998", "999", "", ""),
        "PT": ("112", "112", "", "", "", "800 250 250"),
        "RO": ("112", "112", "", "", "", ""),
        "SE": ("112", "112", "", "", "", "010 456 67 00"),
        "SI": ("112", "113", "", "", "", ""),
        "SK": ("112", "158", "150", "155", "", "02 5477 4166"),
        "TR": ("112", "112", "", "", "", "114"),
        "UA": ("112", "102", "101", "103", "", ""),
        # Everywhere else.
        "": ("112", "112", "", "", "", ""),
    }.items()
}

#: ISO 3166-2 → code of the city whose poison centre answers for that Land, and the number there:
#: list of the Bundesamt für Verbraucherschutz und Lebensmittelsicherheit.
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
