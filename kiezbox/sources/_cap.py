"""A CAP 1.2 message (OASIS, "Common Alerting Protocol Version 1.2") as it really comes.

Read leniently, field by field: a date that is none, a missing expiry, a text where a list should be
cost that field and never the message. Severity, urgency, certainty and the rest are kept in the
sender's own words. The document has the shape of CAP's JSON (NINA's); ``_xml`` makes the same of
XML.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from kiezbox.errors import SourceError
from kiezbox.situation import LATEST_MOMENT, plain_text

__all__ = ["OfficialWarning", "TEXTS_BYTES", "cut", "is_around", "moment_of", "read_cap"]

#: Of UTF-8, all languages together (``records.kinds``: warning.texts).
TEXTS_BYTES = 14_000

#: Longest instruction and description, in bytes, tried in turn until all languages fit: what to do
#: is the last to be shortened.
_CAPS = (
    (6000, 6000), (6000, 3000), (3000, 1500), (2000, 800), (1200, 400), (700, 200), (400, 0),
    (200, 0), (80, 0),
)  # fmt: skip

#: Of one text as it comes: whoever sends more sends no warning.
_MOST_LETTERS = 40_000

#: Status in which a message is for the public at all; what is no Actual one is marked.
_EXERCISES, _INTERNAL = ("exercise", "test"), ("system", "draft")

#: Messages of the federal event code that are tests by their meaning: "Probewarnung" and
#: "Sirenentest". They are sent with the status Actual, so that they reach everybody.
_TEST_CODES = ("BBK-EVC-050", "BBK-EVC-060")

_BREAK = re.compile(r"<(?:br|/p|/li|/div|/h\d)\b[^<>]{0,200}>", re.IGNORECASE)
_ITEM = re.compile(r"<li\b[^<>]{0,200}>", re.IGNORECASE)
_TAG = re.compile(r"</?[a-z][^<>]{0,500}>", re.IGNORECASE)
_LINES = re.compile(r"\n\s*\n\s*")


@dataclass(frozen=True, slots=True, kw_only=True)
class OfficialWarning:
    """One message. The fields are those of the record kind "warning", in the same units."""

    identifier: str
    sent_at: int = 0
    message_type: str = ""
    severity: str = ""
    urgency: str = ""
    certainty: str = ""
    event: str = ""
    issuer: str = ""
    starts_at: int | None = None
    ends_at: int | None = None
    areas: str = ""
    texts: str = "{}"
    references: str = ""
    is_all_clear: int = 0
    is_exercise: int = 0
    category: str = ""
    response: str = ""
    event_codes: str = ""

    def fields(self) -> dict[str, Any]:
        """For ``store.log.Draft``; what is not known is left out."""
        named = {name: getattr(self, name) for name in self.__dataclass_fields__}
        kept = {name: value for name, value in named.items() if value not in (None, "", 0)}
        return {**kept, "sent_at": self.sent_at}


def read_cap(
    document: Any,
    *,
    language: str,
    is_here: Callable[[Mapping[str, Any]], bool] | None = None,
) -> OfficialWarning | None:
    """The message, or None if it is not for this place or not for the public.

    ``language``: of texts that do not say theirs. ``is_here`` gets an area (a table) and says
    whether this box lies in it; without, all areas count. An info without areas counts everywhere.

    Raises:
        SourceError: no message, no identifier, or nothing to show.
    """
    if not isinstance(document, Mapping):
        raise SourceError("this is no warning", kind="garbled")
    identifier = cut(_word(document.get("identifier")), 200)
    if not identifier:
        raise SourceError("a warning without an identifier", kind="garbled")
    kind, status = _word(document.get("msgType")), _word(document.get("status")).lower()
    is_public = _word(document.get("scope")).lower() in ("public", "")
    if not is_public or status in _INTERNAL or kind.lower() in ("ack", "error"):
        return None
    infos = [info for info in _many(document.get("info")) if isinstance(info, Mapping)]
    here = [(info, names) for info in infos if (names := _names_here(info, is_here)) is not None]
    if infos and not here:
        return None
    texts = _texts(here, language)
    is_cancel = kind.lower() == "cancel"
    if not texts and not is_cancel:
        raise SourceError(f"{identifier}: a warning without words", kind="garbled")
    first = here[0][0] if here else {}
    codes = _codes(first)
    responses = [_words(info.get("responseType")) for info, _ in here]
    is_clear = bool(here) and all("allclear" in said.lower().split() for said in responses)
    is_test = status in _EXERCISES or any(code in codes for code in _TEST_CODES)
    sent_at = moment_of(document.get("sent")) or moment_of(first.get("effective"))
    return OfficialWarning(
        identifier=identifier,
        sent_at=sent_at or 0,
        message_type=cut(kind, 12),
        severity=cut(_word(first.get("severity")), 12),
        urgency=cut(_word(first.get("urgency")), 12),
        certainty=cut(_word(first.get("certainty")), 12),
        event=cut(_plain(first.get("event")), 200),
        issuer=cut(_issuer(first, document), 200),
        starts_at=moment_of(first.get("onset")) or moment_of(first.get("effective")),
        ends_at=_last_end(info for info, _ in here),
        areas=_joined((name for _, names in here for name in names), 1000, "\n"),
        texts=_fitted(texts),
        references=_joined(_references(document.get("references")), 2000, "\n"),
        is_all_clear=int(is_cancel and is_clear),
        is_exercise=int(is_test),
        category=cut(_words(first.get("category")), 60),
        response=cut(" ".join(dict.fromkeys(" ".join(responses).split())), 80),
        event_codes=_joined(codes.split(), 200, " "),
    )


# --- parts ---------------------------------------------------------------------------------------


def _names_here(
    info: Mapping[str, Any], is_here: Callable[[Mapping[str, Any]], bool] | None
) -> list[str] | None:
    """The names of the areas that this box lies in; None: it lies in none of them."""
    areas = [area for area in _many(info.get("area")) if isinstance(area, Mapping)]
    counted = [area for area in areas if is_here is None or is_here(area)]
    if areas and not counted:
        return None
    names = [_plain(area.get("areaDesc")) for area in counted]
    # DWD describes the polygon beside the places in it by these words.
    named = [name for name in names if name and name != "polygonal event area"]
    return list(dict.fromkeys(named))


def _texts(
    here: Iterable[tuple[Mapping[str, Any], Any]], language: str
) -> dict[str, dict[str, str]]:
    """By language; the first info of each counts."""
    found: dict[str, dict[str, str]] = {}
    for info, _ in here:
        parameters = _named(info.get("parameter"))
        texts = {
            "headline": _plain(info.get("headline")) or _plain(info.get("event")),
            "event": _plain(info.get("event")),
            "instruction": _plain(info.get("instruction"))
            or _plain(parameters.get("instructionText")),
            "description": _plain(info.get("description")),
            "contact": _plain(info.get("contact")),
        }
        if texts["headline"] or texts["instruction"] or texts["description"]:
            found.setdefault(_language(info.get("language"), language), texts)
    return dict(list(found.items())[:12])


def _fitted(texts: Mapping[str, Mapping[str, str]]) -> str:
    """As JSON, the long ones cut until all fit."""
    shown = ""
    for instruction, description in _CAPS:
        most = {
            "headline": 300, "event": 120, "instruction": instruction,
            "description": description, "contact": min(300, description),
        }  # fmt: skip
        small = {
            language: {name: cut(text, most[name]) for name, text in each.items() if most[name]}
            for language, each in texts.items()
        }
        whole = {
            language: {name: text for name, text in each.items() if text}
            for language, each in small.items()
        }
        shown = json.dumps(whole, ensure_ascii=False, separators=(",", ":"))
        if len(shown.encode()) <= TEXTS_BYTES:
            break
    return shown


def _issuer(info: Mapping[str, Any], document: Mapping[str, Any]) -> str:
    """Who warns, in words where they are given."""
    long_name = _plain(_named(info.get("parameter")).get("sender_langname"))
    return long_name or _plain(info.get("senderName")) or _plain(document.get("sender"))


def _codes(info: Mapping[str, Any]) -> str:
    """``GROUP=RAIN II=61``, or a federal code alone, which names its list itself."""
    pairs = _named(info.get("eventCode"))
    shown = []
    for name, value in pairs.items():
        code = _word(value)
        # Licences and colours stand there, too.
        if code and len(code) <= 24 and name not in ("AREA_COLOR", "PROFILE_VERSION"):
            said = code if code.startswith("BBK-") else f"{name[:24]}={code}"
            shown.append(said.replace(" ", "_"))
    return " ".join(shown)


def _references(value: Any) -> list[str]:
    """The identifiers in it. CAP 3.2.1: "sender,identifier,sent", several with blanks between;
    MoWaS sends all senders, then all identifiers, then one date, often of another year.
    """
    text = " ".join(map(_word, _many(value)))[:_MOST_LETTERS]
    parts = text.split(",")
    if len(parts) == 3:
        found = parts[1].split()
    else:
        triples = (each.split(",") for each in text.split())
        found = [each[1] if len(each) > 1 else each[0] for each in triples]
    return [each for each in found if len(each) >= 6]


def _last_end(infos: Iterable[Mapping[str, Any]]) -> int | None:
    """None: some part of it has no end."""
    ends = [moment_of(info.get("expires")) for info in infos]
    known = [end for end in ends if end is not None]
    return max(known) if known and len(known) == len(ends) else None


def moment_of(value: Any) -> int | None:
    """Unix seconds of an ISO 8601 time; None for what is none, or lies beyond 2096.

    Without an offset it is taken for UTC: in Germany that is an hour or two late, so nothing ends
    too early.

    >>> moment_of("2021-11-02T20:07:16+01:00"), moment_of("3021-11-22T05:19:00+01:00")
    (1635880036, None)
    """
    if not isinstance(value, (str, list)):
        return None
    try:
        moment = datetime.fromisoformat(_word(value)[:40])
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        seconds = moment.timestamp()
    except (ValueError, OverflowError):
        return None
    return int(seconds) if 0 < seconds < LATEST_MOMENT else None


def is_around(area: Mapping[str, Any], place: tuple[float, float]) -> bool:
    """Whether (latitude, longitude) lies in one of the area's polygons or circles (CAP 3.2.4:
    pairs "latitude,longitude", a circle with its radius in km).
    """
    for polygon in _many(area.get("polygon")):
        if _is_inside(_pairs(_word(polygon)), place):
            return True
    for circle in _many(area.get("circle")):
        centre, _, radius = _word(circle).partition(" ")
        pairs = _pairs(centre)
        try:
            if pairs and _distance_km(pairs[0], place) <= float(radius):
                return True
        except ValueError:
            continue
    return False


def _pairs(text: str) -> list[tuple[float, float]]:
    found = []
    for each in text.split():
        latitude, _, longitude = each.partition(",")
        try:
            found.append((float(latitude), float(longitude)))
        except ValueError:
            continue
    return found


def _is_inside(ring: list[tuple[float, float]], place: tuple[float, float]) -> bool:
    """By crossings of a ray to the north."""
    latitude, longitude = place
    is_inside = False
    for (lat1, lon1), (lat2, lon2) in zip(ring, ring[1:] + ring[:1], strict=True):
        if (lon1 > longitude) != (lon2 > longitude):
            crossing = lat1 + (lat2 - lat1) * (longitude - lon1) / (lon2 - lon1)
            is_inside ^= crossing > latitude
    return is_inside


def _distance_km(one: tuple[float, float], other: tuple[float, float]) -> float:
    """On a flat map: a warning's circle is small and its edge is not sharp."""
    from math import cos, hypot, radians

    north = (one[0] - other[0]) * 111.2
    east = (one[1] - other[1]) * 111.2 * cos(radians((one[0] + other[0]) / 2))
    return hypot(north, east)


# --- single values -------------------------------------------------------------------------------


def _many(value: Any) -> list[Any]:
    """One or several: CAP's JSON says both."""
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def _word(value: Any) -> str:
    """A short text as it is, the first of several; "" for everything else."""
    first = next(iter(_many(value)), "")
    if isinstance(first, int) and not isinstance(first, bool):
        first = str(first)
    return plain_text(first, _MOST_LETTERS) if isinstance(first, str) else ""


def _words(value: Any) -> str:
    return " ".join(filter(None, map(_word, _many(value))))


def _named(value: Any) -> dict[str, Any]:
    """``[{"valueName": n, "value": v}, …]`` as {n: v}; the first of a name counts."""
    found: dict[str, Any] = {}
    for each in _many(value):
        if isinstance(each, Mapping):
            found.setdefault(_word(each.get("valueName")), each.get("value"))
    return found


def _plain(value: Any) -> str:
    """A text for people: without the HTML that MoWaS puts in, with its line breaks."""
    first = next(iter(_many(value)), "")
    if not isinstance(first, str):
        return ""
    text = _TAG.sub("", _ITEM.sub("\n- ", _BREAK.sub("\n", first[:_MOST_LETTERS])))
    text = plain_text(html.unescape(text).replace("\xa0", " "), _MOST_LETTERS, lines=True)
    return _LINES.sub("\n\n", text)


def _language(value: Any, default: str) -> str:
    """BCP 47's primary subtag: "de-DE" and "DE" are "de"."""
    primary = _word(value).replace("_", "-").partition("-")[0].lower()
    return primary if primary.isascii() and primary.isalpha() and len(primary) <= 3 else default


def _joined(values: Iterable[str], most: int, between: str) -> str:
    """Each once, as many as fit in whole."""
    found, size = [], 0
    for value in dict.fromkeys(values):
        size += len((value + between).encode())
        if size > most:
            break
        found.append(value)
    return between.join(found)


def cut(text: str, most: int) -> str:
    """At most so many bytes of UTF-8, "…" at the end where something is missing.

    >>> cut("äöü", 5), cut("äöü", 6)
    ('ä…', 'äöü')
    """
    encoded = text.encode()
    if len(encoded) <= most:
        return text
    return encoded[: max(0, most - 3)].decode("utf-8", "ignore").rstrip() + "…" if most >= 3 else ""
