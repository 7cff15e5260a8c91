"""Which official warnings hold just now, out of all messages this box has: rules of CAP 1.2.

A message names by identifier those that it replaces (Update) or takes back (Cancel), and may come
before them or after them. Nothing is ever relabelled here: severity, urgency and certainty are the
sender's words, and only their order is ours. Pure, and as cheap to import as the rest of this room.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any, Protocol, TypeVar

    class Message(Protocol):
        """``data``: fields of the record kind "warning"."""

        @property
        def data(self) -> dict[str, Any]: ...
        @property
        def is_official(self) -> bool: ...

        @property
        def order(self) -> tuple[float, int]:
            """Of two with the same identifier and date, the later one is higher."""
            ...

    M = TypeVar("M", bound=Message)

__all__ = [
    "ACTIVE", "ALL_CLEAR", "CANCELLED", "CAUSES", "ENDED", "GONE", "cause_of", "gravity", "key_of",
    "standing",
]  # fmt: skip

#: How a message stands. "gone": its source lists it no more and has not said why.
ACTIVE, ALL_CLEAR, CANCELLED, ENDED, GONE = "active", "all_clear", "cancelled", "ended", "gone"

_ORDER = (ACTIVE, ALL_CLEAR, CANCELLED, ENDED, GONE)

#: CAP's severities (3.2.2), the gravest highest. Whatever else is said is 0.
_GRAVITY = {"extreme": 4, "severe": 3, "moderate": 2, "minor": 1}

#: What a warning may be about, as the portal's advice is sorted.
CAUSES = (
    "flood", "storm", "heat", "cold", "fire", "release", "power", "network", "drinking_water",
    "other",
)  # fmt: skip


def gravity(severity: str) -> int:
    """To sort by, and for nothing else."""
    return _GRAVITY.get(severity.strip().lower(), 0)


def key_of(identifier: str) -> str:
    """The same for the same message, whoever handed it on: NINA calls the DWD's ``dwd.2.49…`` and
    takes another language at its end.

    >>> key_of("dwd.2.49.0.0.276.0.DWD.PVW.1.a.DE") == key_of("2.49.0.0.276.0.DWD.PVW.1.a.MUL")
    True
    """
    key = identifier.strip().removeprefix("dwd.")
    if ".DWD." in key:
        key = key.removesuffix(".MUL").removesuffix(".DE").removesuffix(".EN")
    return key


def standing(
    messages: Iterable[M], now: float, *, is_clock_sure: bool = True
) -> list[tuple[M, str]]:
    """Those that are neither replaced nor taken back, each with how it stands; what holds first,
    the gravest of it in front. ``now``: Unix seconds; by a clock that nobody has set nothing ends.

    What this box did not fetch itself (not ``is_official``) never replaces or takes back what it
    did: anybody could have written it.
    """
    newest: dict[tuple[bool, str], M] = {}
    for message in messages:
        place = message.is_official, key_of(message.data["identifier"])
        if place not in newest or _rank(message) > _rank(newest[place]):
            newest[place] = message
    over = _over(newest)
    found = []
    for (is_official, key), message in newest.items():
        is_double = not is_official and (True, key) in newest
        if not is_double and (is_official, key) not in over:
            found.append((message, _state(message.data, now, is_clock_sure)))
    return sorted(found, key=_by_weight)


def _over(newest: dict[tuple[bool, str], M]) -> set[tuple[bool, str]]:
    """Those that another one replaces or takes back."""
    over = set()
    for (is_official, key), message in newest.items():
        if str(message.data.get("message_type", "")).lower() not in ("update", "cancel"):
            continue
        for reference in str(message.data.get("references", "")).split("\n"):
            other = key_of(reference)
            for place in ((True, other), (False, other)):
                if other == key or place not in newest or place[0] and not is_official:
                    continue
                # Two that name each other: the later one counts.
                if _sent(newest[place]) <= _sent(message) or not _sent(message):
                    over.add(place)
    return over


def _rank(message: Message) -> tuple[float, float, int]:
    return (_sent(message), *message.order)


def _sent(message: Message) -> float:
    return float(message.data.get("sent_at") or 0)


def _state(data: dict[str, Any], now: float, is_clock_sure: bool) -> str:
    if str(data.get("message_type", "")).lower() == "cancel":
        return ALL_CLEAR if data.get("is_all_clear") else CANCELLED
    if data.get("is_gone"):
        return GONE
    ends_at = data.get("ends_at")
    return ENDED if ends_at and is_clock_sure and ends_at <= now else ACTIVE


def _by_weight(found: tuple[Message, str]) -> tuple[int, int, float]:
    message, state = found
    grave = gravity(str(message.data.get("severity", ""))) if state == ACTIVE else 0
    return _ORDER.index(state), -grave, -_sent(message)


# --- what it is about ----------------------------------------------------------------------------

#: The federal event codes (BBK-EVC-…) by cause; the labels are those of the app NINA.
_FEDERAL = {
    # Deichbruch, Dammbruch, extremer Starkregen, Hochwasser, Starkregen, Sturmflut, Sturzflut,
    # Tsunami, Überschwemmung, Dauerregen.
    "flood": (15, 16, 21, 38, 62, 65, 66, 70, 71, 83),
    # Orkan, Gewitter, Hagel, Sturm, Tornado, schwere Gewitter.
    "storm": (23, 31, 36, 64, 68, 82, 85, 86, 87),
    # Hitze, UV.
    "heat": (37, 39),
    # Schneeverwehungen, Glatteis, Frost, Schneefall.
    "cold": (22, 24, 26, 32, 57, 58, 84),
    # Brandgefahr, Großbrand, Waldbrand.
    "fire": (11, 34, 77),
    # Biologische Gefahr, Brandgase, Chemieunfall, chemische Gefahr, Explosionsgefahr, Gasaustritt,
    # Gefahrgutunfall, Geruchsbelästigung, Luftverschmutzung, radiologische Gefahr, Kernkraftwerk.
    "release": (7, 10, 12, 14, 20, 27, 29, 30, 47, 51, 72),
    "power": (63,),
    # Angriff auf und Ausfall von IT-Systemen, Ausfall Notruf, Ausfall Telefon.
    "network": (1, 4, 5, 6),
    "drinking_water": (69,),
}

#: The DWD's GROUP.
_GROUPS = {
    "THUNDERSTORM": "storm", "WIND": "storm", "TORNADO": "storm", "HAIL": "storm",
    "POWERLINEVIBRATION": "storm", "RAIN": "flood", "THAW": "flood", "SNOWFALL": "cold",
    "SNOWDRIFT": "cold", "FROST": "cold", "GLAZE": "cold", "HEAT": "heat", "UV": "heat",
}  # fmt: skip

#: Words of an event or a headline, in the order in which they decide.
_SAYING = (
    ("release", "rauch brandgas chemie gefahrstoff gefahrgut gasaustritt giftig radio smoke"
     " hazardous chemical toxic"),
    ("power", "stromausfall stromversorgung power outage blackout"),
    ("network", "notruf telefon mobilfunk 112 emergency-call"),
    ("drinking_water", "trinkwasser leitungswasser drinking"),
    ("flood", "hochwasser überschwemm überflut sturmflut starkregen dauerregen flood heavy rain"
     " tsunami"),
    ("fire", "brand feuer fire"),
    ("storm", "gewitter sturm orkan windböen böen hagel tornado storm wind gust hail"),
    ("heat", "hitze heat"),
    ("cold", "frost glatteis glätte schnee kälte snow ice freez cold"),
)  # fmt: skip

_CATEGORIES = {"cbrne": "release", "fire": "fire"}


def cause_of(event: str, category: str = "", codes: str = "") -> str:
    """One of ``CAUSES``: which advice belongs to it. ``event`` in words, ``category`` and
    ``codes`` as in the record's fields.

    >>> cause_of("Gefahreninformation", "Fire", "BBK-EVC-010"), cause_of("STURMBÖEN")
    ('release', 'storm')
    """
    for code in codes.upper().split():
        name, _, value = code.partition("=")
        if name.startswith("BBK-EVC-") and name[8:].isdecimal():
            for cause, numbers in _FEDERAL.items():
                if int(name[8:]) in numbers:
                    return cause
        if name == "GROUP" and value in _GROUPS:
            return _GROUPS[value]
    said = event.lower()
    for cause, words in _SAYING:
        if any(word in said for word in words.split()):
            return cause
    for each in category.lower().split():
        if each in _CATEGORIES:
            return _CATEGORIES[each]
    return "other"
