"""What a source has said before: the messages of one source in the log, and what they mean now."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, NamedTuple

from kiezbox.clock import Clock
from kiezbox.records.folds import Told
from kiezbox.records.kinds import DAY_S, kind_named
from kiezbox.situation.warnings import ACTIVE, gravity, standing
from kiezbox.store.log import Log

__all__ = ["OURS", "Known", "alarm_of", "as_known", "known_of", "lifetime_of"]

#: Fields of the record that are not the message's own.
OURS = ("source", "fetched_at", "fetched_from", "is_gone")


class Known(NamedTuple):
    """The newest record of one message in the log."""

    fields: dict[str, Any]
    expires_at: float
    is_gone: bool
    sequence: int


class _Message:
    """A message as ``situation.warnings`` takes it."""

    is_official = True

    def __init__(self, known: Known) -> None:
        self.data = {**known.fields, "is_gone": known.is_gone}
        self.order = (0.0, known.sequence)


def known_of(words: Log, source: str) -> dict[str, Known]:
    """The newest record of each message that this box fetched from this source."""
    found: dict[str, Known] = {}
    for told in words.records("warning"):
        is_own = told.record.origin == words.box and bool(told.issuer)
        if is_own and told.body.get("source") == source:
            found[told.body["identifier"]] = as_known(told)
    return found


def as_known(told: Told) -> Known:
    fields = {name: value for name, value in told.body.items() if name not in OURS}
    is_gone = bool(told.body.get("is_gone"))
    return Known(fields, told.expires_at, is_gone, told.record.sequence)


def lifetime_of(fields: Mapping[str, Any], now: float) -> int:
    """A week, or a day longer than it holds."""
    kind = kind_named("warning")
    ends_at = fields.get("ends_at", 0)
    return int(min(kind.most_s, max(kind.lifetime_s, ends_at - now + DAY_S)))


def alarm_of(known: Mapping[str, Known], clock: Clock) -> tuple[str, float] | None:
    """Severe and extreme ones that hold, are meant and ask to act at once (CAP, 3.2.2)."""
    messages = map(_Message, known.values())
    for message, state in standing(messages, clock.now(), is_clock_sure=clock.is_trusted()):
        data = message.data
        is_urgent = data.get("urgency", "").lower() == "immediate"
        is_grave = gravity(data.get("severity", "")) >= 3
        if state == ACTIVE and is_grave and is_urgent and not data.get("is_exercise"):
            return _headline(data), float(data.get("ends_at") or 0)
    return None


def _headline(data: Mapping[str, Any]) -> str:
    with suppress(ValueError, StopIteration, AttributeError):
        first = next(iter(json.loads(data["texts"]).values()))
        return str(first.get("headline") or data.get("event", ""))
    return str(data.get("event", ""))
