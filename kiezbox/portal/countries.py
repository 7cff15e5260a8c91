"""Whom to call, by country. A further country is a further line.

112 works in every country of the European Union (Directive 2018/1972, Art. 109), so it stands in
for a country that is not here.
"""

from __future__ import annotations

__all__ = ["PHONES", "phones_of"]

#: ISO 3166 → what to dial: fire brigade and ambulance, police, a doctor on call ("": there is no
#: one number).
PHONES = {
    "DE": {"emergency": "112", "police": "110", "doctor": "116117"},
}

_ELSEWHERE = {"emergency": "112", "police": "112", "doctor": ""}


def phones_of(country: str | None) -> dict[str, str]:
    """The numbers of a country.

    >>> phones_of("DE")["doctor"], phones_of(None)["emergency"]
    ('116117', '112')
    """
    return PHONES.get(country or "", _ELSEWHERE)
