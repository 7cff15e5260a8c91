"""Invented warnings, by a small generator: CAP 1.2 as XML and as JSON, of a place that is nowhere.

The elements come in the order that the standard's schema wants; ``test_caps`` has cap12.xsd judge
them where it is at hand.
"""

from __future__ import annotations

import io
import zipfile
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from xml.sax.saxutils import escape

#: 00 is no Land: nowhere in Germany.
ARS = "000520030004"
CELL = "900520030"
HERE = (51.163, 10.448)

CAP = "urn:oasis:names:tc:emergency:cap:1.2"

#: In the standard's order (CAP 1.2, 3.2).
_ALERT = (
    "identifier", "sender", "sent", "status", "msgType", "source", "scope", "restriction",
    "addresses", "code", "note", "references", "incidents", "info",
)  # fmt: skip
_INFO = (
    "language", "category", "event", "responseType", "urgency", "severity", "certainty",
    "audience", "eventCode", "effective", "onset", "expires", "senderName", "headline",
    "description", "instruction", "web", "contact", "parameter", "resource", "area",
)  # fmt: skip
_AREA = ("areaDesc", "polygon", "circle", "geocode", "altitude", "ceiling")
_ORDERS = {"alert": _ALERT, "info": _INFO, "area": _AREA}


def time_of(moment: float) -> str:
    """As CAP wants it: with an offset, never Z, no fractions."""
    zone = timezone(timedelta(hours=1))
    return datetime.fromtimestamp(moment, UTC).astimezone(zone).isoformat(timespec="seconds")


def info(now: float, *, language: str = "de", **changes: Any) -> dict[str, Any]:
    """One language of a flood warning; None takes a field out."""
    words = {
        "de": ("Hochwasser am Mühlbach", "Gehen Sie nicht in Keller.", "Der Bach steigt bis heute"
               " Abend um etwa einen Meter."),
        "en": ("Flood of the mill brook", "Do not enter basements.", "The brook will rise by about"
               " a metre until tonight."),
    }[language]  # fmt: skip
    document = {
        "language": language,
        "category": ["Met"],
        "event": "Hochwasser",
        "responseType": ["Avoid"],
        "urgency": "Immediate",
        "severity": "Severe",
        "certainty": "Likely",
        "eventCode": [{"valueName": "profile:DE-BBK-EVENTCODE", "value": "BBK-EVC-038"}],
        "effective": time_of(now),
        "expires": time_of(now + 12 * 3600),
        "senderName": "Leitstelle Musterland",
        "headline": words[0],
        "description": words[2],
        "instruction": words[1],
        "contact": "Bürgertelefon",
        "parameter": [{"valueName": "warnVerwaltungsbereiche", "value": f"{ARS[:5]}0000000"}],
        "area": [
            {
                "areaDesc": "Musterstadt",
                "polygon": ["51.0,10.0 51.0,11.0 52.0,11.0 52.0,10.0 51.0,10.0"],
                "geocode": [{"valueName": "WARNCELLID", "value": CELL}],
            }
        ],
    }
    return _changed(document, changes)


def message(number: int, now: float, infos: Any = ..., **changes: Any) -> dict[str, Any]:
    """A message in two languages, number so-and-so of an invented authority."""
    both = [info(now), info(now, language="en")]
    document = {
        "identifier": f"mow.XX-{number:04}",
        "sender": "XX-MUSTER-W001",
        "sent": time_of(now),
        "status": "Actual",
        "msgType": "Alert",
        "scope": "Public",
        "info": both if infos is ... else infos,
    }
    return _changed(document, changes)


def referring(*others: dict[str, Any]) -> str:
    """CAP's references to these messages."""
    return " ".join(f"{o['sender']},{o['identifier']},{o['sent']}" for o in others)


def xml(document: dict[str, Any]) -> bytes:
    """The same message as XML."""
    inside = _inside(document, "alert")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<alert xmlns="{CAP}">{inside}</alert>'.encode()


def zipped(*messages: bytes) -> bytes:
    """As the DWD packs them."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for number, each in enumerate(messages):
            archive.writestr(f"message-{number}.xml", each)
    return out.getvalue()


def listed(*messages: dict[str, Any]) -> list[dict[str, Any]]:
    """A district's list, as NINA has it."""
    return [
        {
            "id": each["identifier"],
            "payload": {
                "version": 1, "type": "ALERT", "id": each["identifier"],
                "hash": f"{hash(str(each)) & 0xFFFFFFFF:08x}",
                "data": {
                    "headline": "Nur die Überschrift", "provider": "MOWAS", "severity": "Severe",
                    "msgType": each["msgType"], "transKeys": {"event": "BBK-EVC-038"},
                    "area": {"type": "ZGEM", "data": "1+1"},
                },
            },
            "i18nTitle": {"de": "Nur die Überschrift"},
            "sent": each["sent"],
        }
        for each in messages
    ]  # fmt: skip


def _changed(document: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    return {n: v for n, v in {**document, **changes}.items() if v is not None}


def _inside(document: dict[str, Any], kind: str) -> str:
    order = _ORDERS.get(kind, tuple(document))
    parts = []
    for name in (*order, *(n for n in document if n not in order)):
        values = document.get(name, [])
        for value in values if isinstance(values, list) else [values]:
            inner = _inside(value, name) if isinstance(value, dict) else escape(str(value))
            parts.append(f"<{name}>{inner}</{name}>")
    return "".join(parts)
