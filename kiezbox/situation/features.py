"""What a box knows, as GeoJSON (RFC 7946) for programs and duty officers."""

from __future__ import annotations

from kiezbox.situation import LATEST_MOMENT, STALE_AFTER_S, is_exercise, plain_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any, Protocol

    from kiezbox.situation import Facts

    class Posted(Protocol):
        """What is needed of a ``portal.bulletins.Bulletin``."""

        @property
        def origin(self) -> str: ...
        @property
        def sequence(self) -> int: ...
        @property
        def written_at(self) -> float: ...
        @property
        def expires_at(self) -> float: ...
        @property
        def text(self) -> str: ...
        @property
        def language(self) -> str: ...
        @property
        def headline(self) -> str: ...
        @property
        def code(self) -> str: ...
        @property
        def parameters(self) -> dict[str, str]: ...
        @property
        def issuer(self) -> str: ...
        @property
        def standing(self) -> str: ...
        @property
        def severity(self) -> int: ...
        @property
        def is_all_clear(self) -> bool: ...
        @property
        def is_exercise(self) -> bool: ...

    class Warned(Protocol):
        """What is needed of a ``portal.official.Official``."""

        @property
        def cause(self) -> str: ...
        @property
        def event(self) -> str: ...
        @property
        def headline(self) -> str: ...
        @property
        def instruction(self) -> str: ...
        @property
        def language(self) -> str: ...
        @property
        def is_all_clear(self) -> bool: ...

        id: str
        data: dict[str, Any]
        source: str
        identifier: str
        issuer: str
        severity: str
        state: str
        is_official: bool
        is_exercise: bool
        areas: list[str]
        fetched_from: str
        copy_at: float
        sent_at: float | None
        starts_at: float | None
        ends_at: float | None


__all__ = ["collection"]

#: ``model.Flag`` in words. Anything else is a reading nobody may use as good either.
_QUALITY = {0: "good", 1: "suspect", 2: "bad"}


def collection(
    facts: Facts, bulletins: Iterable[Posted] | None, warnings: Iterable[Warned] = ()
) -> dict[str, Any]:
    """The FeatureCollection (RFC 7946): the box in front, behind it the official warnings it keeps.

    Times are RFC 3339 in UTC. ``observed_at`` is when the box knew it, ``served_at`` when this
    copy was made. The place is the one in the settings, or null: none is ever invented. A reading
    that is not good has ``value`` null and its number in ``flagged_value``, so that nobody who
    knows nothing of flags takes it for a value. ``bulletins`` None means that they cannot be read.
    """
    box = facts["box"]
    feature: dict[str, Any] = {"type": "Feature"}
    if box["id"] is not None:
        feature["id"] = box["id"]
    feature["geometry"] = _point(box["latitude"], box["longitude"])
    feature["properties"] = _properties(facts, bulletins)
    served_at = _utc(facts["now"])
    told = [_warning(each, feature["geometry"]) for each in warnings]
    return {"type": "FeatureCollection", "served_at": served_at, "features": [feature, *told]}


def _point(latitude: float | None, longitude: float | None) -> dict[str, Any] | None:
    if latitude is None or longitude is None:
        return None
    return {"type": "Point", "coordinates": [round(longitude, 7), round(latitude, 7)]}


def _properties(facts: Facts, bulletins: Iterable[Posted] | None) -> dict[str, Any]:
    box, mode, grid, store = facts["box"], facts["mode"], facts["grid"], facts["store"]
    order = mode["order"]
    return {
        "kind": "box",
        "box": box["id"],
        "name": box["name"],
        "accuracy_m": box["accuracy_m"] if box["latitude"] is not None else None,
        "source": {"node": "box", "store": "box, last known"}.get(facts["source"]),
        "exercise": is_exercise(facts),
        "state": facts["state"],
        "stale_after_s": STALE_AFTER_S,
        "observed_at": _utc(facts["written_at"]),
        "clock_trusted": facts["clock_trusted"],
        "mode": mode["name"],
        "since": _utc(mode["since"]),
        "causes": [{**cause, "since": _utc(cause["since"])} for cause in mode["causes"]],
        "wanted": mode["wanted"],
        "wanted_in_s": mode["wanted_in_s"],
        "order": order and {"mode": order["mode"], "until": _utc(order["until"])},
        "grid": {
            "state": grid["state"],
            "since": _utc(grid["since"]),
            "sensed": grid["is_sensed"],
            "sources": grid["sources"],
        },
        "battery": facts["battery"],
        "readings": [_reading(name, latest) for name, latest in facts["latest"].items()],
        "steps": [_step(each) for each in facts["steps"]],
        "faults": [{**fault, "opened_at": _utc(fault["opened_at"])} for fault in facts["faults"]],
        "store": store["state"],
        "buffered": store["buffered"],
        "publishers": {
            name: {**publisher, "confirmed_at": _utc(publisher["confirmed_at"])}
            for name, publisher in facts["publishers"].items()
        },
        "bulletins": None if bulletins is None else [_bulletin(each) for each in bulletins],
        "unreadable": facts["unreadable"],
    }


def _step(each: dict[str, Any]) -> dict[str, Any]:
    """How high the water stands by its operator's steps; the value where it is still true."""
    kept = ("sensor", "quantity", "step", "datum", "marks")
    return {name: each[name] for name in kept} | {
        "since": _utc(each["since"]),
        "stale": each["is_stale"] is not False,
        "value": each["value"] if each["is_stale"] is False else None,
        "observed_at": _utc(each["taken_at"]),
    }


def _reading(name: str, latest: dict[str, Any]) -> dict[str, Any]:
    # Here, not above: units brings model along, 8 ms that the first page does not have.
    from kiezbox.model import Quantity
    from kiezbox.units import UNITS

    sensor, _, quantity = name.partition("/")
    is_known = quantity in {known.value for known in Quantity}
    quality = "unknown" if latest["value"] is None else _QUALITY.get(latest["flag"], "unknown")
    is_good = quality == "good"
    return {
        "sensor": sensor,
        "quantity": quantity,
        "value": latest["value"] if is_good else None,
        "unit": UNITS[Quantity(quantity)].text if is_known else None,
        "qc": quality,
        "flagged_value": None if is_good else latest["value"],
        "reason": latest["reason"] or None,
        "observed_at": _utc(latest["taken_at"]),
    }


#: ``portal.bulletins``' standings, for programs.
_SOURCES = {
    "operator": "operator of this box",
    "box": "operator of another box",
}


def _bulletin(bulletin: Posted) -> dict[str, Any]:
    return {
        "id": f"{plain_text(bulletin.origin, 64)}/{bulletin.sequence}",
        "headline": plain_text(bulletin.headline, 160) or None,
        "text": plain_text(bulletin.text, lines=True),
        "language": plain_text(bulletin.language, 12) or None,
        "code": bulletin.code or None,
        "parameters": {name: plain_text(value, 200) for name, value in bulletin.parameters.items()},
        "severity": bulletin.severity,
        "all_clear": bulletin.is_all_clear,
        "exercise": bulletin.is_exercise,
        "written_at": _utc(bulletin.written_at),
        "expires_at": _utc(bulletin.expires_at),
        "source": _SOURCES.get(bulletin.standing) or plain_text(bulletin.issuer, 80),
        "verified": bulletin.standing == "official",
    }


def _warning(warning: Warned, place: dict[str, Any] | None) -> dict[str, Any]:
    """A warning stands where the box stands: it was kept because the box lies in one of its areas,
    which are named. Severity, urgency and certainty are CAP's words as they came.
    """
    data = warning.data
    return {
        "type": "Feature",
        "id": f"warning {warning.id}",
        "geometry": place,
        "properties": {
            "kind": "warning",
            "geometry_of": "box",
            "id": warning.id,
            "identifier": plain_text(warning.identifier, 200),
            "source": plain_text(warning.source, 40) or None,
            "issuer": plain_text(warning.issuer, 200) or None,
            "verified": warning.is_official,
            "state": warning.state,
            "exercise": warning.is_exercise,
            "all_clear": warning.is_all_clear,
            "message_type": plain_text(str(data.get("message_type", "")), 20) or None,
            "severity": plain_text(warning.severity, 20) or None,
            "urgency": plain_text(str(data.get("urgency", "")), 20) or None,
            "certainty": plain_text(str(data.get("certainty", "")), 20) or None,
            "cause": warning.cause,
            "event": plain_text(warning.event, 200) or None,
            "headline": plain_text(warning.headline, 300),
            "instruction": plain_text(warning.instruction, 4000, lines=True) or None,
            "language": plain_text(warning.language, 12) or None,
            "areas": [plain_text(each, 200) for each in warning.areas],
            "sent_at": _utc(warning.sent_at),
            "starts_at": _utc(warning.starts_at),
            "ends_at": _utc(warning.ends_at),
            "fetched_from": plain_text(warning.fetched_from, 80) or None,
            "fetched_at": _utc(warning.copy_at),
        },
    }


def _utc(moment: float | None) -> str | None:
    """RFC 3339, whole seconds.

    >>> _utc(0)
    '1970-01-01T00:00:00Z'
    """
    from datetime import UTC, datetime

    if moment is None or not 0 <= moment <= LATEST_MOMENT:
        return None
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
