"""What residents read, with the numbers to call where this box stands (``place.phones``).

Catalogues name them (``{emergency}``, ``{police}``) and hold no number, so that a box in another
country needs no other words.
"""

from __future__ import annotations

from kiezbox.i18n import text_of
from kiezbox.i18n.figures import filled
from kiezbox.place.phones import phones_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from kiezbox.situation import Facts

__all__ = ["phones_here", "text_here", "text_in"]

#: By language, room and country; a now.json that names one country after the other fills no memory.
_told: dict[tuple[str, str, str | None], dict[str, Any]] = {}
_MOST_KEPT = 64


def phones_here(facts: Facts) -> dict[str, str]:
    """What to dial where the box stands. The poison helpline is that of its region, which the node
    knows (``box.poison_phone``), or of the whole country.
    """
    box = facts["box"]
    numbers = phones_of(box["country"])
    return {**numbers, "poison": box["poison_phone"] or numbers["poison"]}


def text_here(facts: Facts, language: str, room: str = "now") -> dict[str, Any]:
    """``i18n.text_of`` with the numbers of the country where the box stands."""
    return text_in(facts["box"]["country"], language, room)


def text_in(country: str | None, language: str, room: str) -> dict[str, Any]:
    """The same for a country (ISO 3166), or for none in particular."""
    key = language, room, country
    found = _told.get(key)
    if found is None:
        phones = phones_of(country)
        values = {name: phones[name] for name in ("emergency", "police")}
        if len(_told) >= _MOST_KEPT:
            _told.clear()
        found = _told[key] = _filled(text_of(language, room), values)
    return found


def _filled(value: Any, values: dict[str, str]) -> Any:
    """What names no number is the same object: all rooms in all languages are 2 MiB."""
    if isinstance(value, str):
        return filled(value, values)
    made: Any
    if isinstance(value, tuple):
        made = tuple([_filled(each, values) for each in value])
    else:
        made = {name: _filled(each, values) for name, each in value.items()}
    return value if made == value else made
