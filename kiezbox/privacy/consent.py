"""Consents: who agreed that which readings go to whom, for what, until when, to which text.

The ledger is a file of lines, each a JSON object that says what changed; nothing in it is ever
changed (Regulation (EU) 2016/679, Art. 7 (1): the controller must be able to show the consent).
``Consents`` is the fold of it. A consent covers what is measured while it holds, and nothing from
before: what was queued when it was revoked is not sent after a later one either. Once its end
stands in the ledger it is over, whatever a clock that was wrong then or is wrong now says.

It is given to somebody: to a publisher, at the address that was shown (``recipient``). Lines from
before the address was recorded do not say to whom, so they give nothing until somebody has been
asked again.

A line that cannot be read takes nobody's protection away: it gives no consent. If it was a
revocation, we cannot know whose, so nothing is published until somebody has looked at it
(``is_damaged``).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from kiezbox.privacy.recipient import Recipient

__all__ = ["CHANGES", "EVERYTHING", "Consent", "Consents", "read_ledger"]

#: What a line may say. "moved": another person lives there; all consents of the sensor end.
#: "placed": where a sensor hangs from then on (``places``).
CHANGES = ("given", "revoked", "moved", "placed")

#: In place of a list of quantities: all that the sensor measures.
EVERYTHING = "*"


class Consent(NamedTuple):
    """Times are Unix seconds; ``until`` is when it ends at the latest."""

    number: int
    sensor: str
    quantities: tuple[str, ...]
    recipient: str
    person: str
    purpose: str
    text_version: str
    given_at: float
    until: float
    #: None while nobody has ended it.
    ended_at: float | None = None
    #: Where the recipient was when it was given; "": nobody has written it down.
    address: str = ""

    @property
    def ends_at(self) -> float:
        return self.until if self.ended_at is None else min(self.until, self.ended_at)

    def holds(self, now: float) -> bool:
        """Whether it holds now. What was ended has ended, also where the clock that stamped the end
        ran ahead.
        """
        return self.ended_at is None and self.given_at <= now < self.until

    def covers(self, quantity: str, taken_at: float) -> bool:
        """Whether what was measured then is covered."""
        is_meant = quantity in self.quantities or EVERYTHING in self.quantities
        return is_meant and self.given_at <= taken_at < self.ends_at

    def is_for(self, recipient: Recipient) -> bool:
        """Whether it was given to this one, where it is now."""
        return (self.recipient, self.address) == recipient


@dataclass(slots=True)
class Consents:
    """All that were given, in their order."""

    given: list[Consent] = field(default_factory=list)
    #: Numbers of lines that cannot be read.
    damaged: list[int] = field(default_factory=list)
    #: Sensor → where it hangs, as far as it was noted, and since when.
    placed: dict[str, tuple[str, float]] = field(default_factory=dict)

    @property
    def is_damaged(self) -> bool:
        return bool(self.damaged)

    def holding(self, now: float) -> list[Consent]:
        """Those that hold now."""
        return [each for each in self.given if each.holds(now)]

    def covers(
        self, sensor: str, quantity: str, recipient: Recipient, taken_at: float, now: float
    ) -> bool:
        """Whether this reading may go to this recipient now: a consent that covers it holds."""
        return not self.is_damaged and any(
            each.sensor == sensor
            and each.is_for(recipient)
            and each.holds(now)
            and each.covers(quantity, taken_at)
            for each in self.given
        )

    def astray(self, recipients: Mapping[str, Recipient], now: float) -> list[Consent]:
        """Those that hold and were given to somebody who is not there, or elsewhere now: nothing
        goes anywhere by them. ``recipients``: all there are, by name.
        """
        return [
            each
            for each in self.holding(now)
            if each.recipient not in recipients or not each.is_for(recipients[each.recipient])
        ]


def read_ledger(lines: Iterable[str]) -> Consents:
    """The fold of a ledger. Raises nothing."""
    found = Consents()
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            _apply(json.loads(line), number, found)
        except (ValueError, TypeError, KeyError, RecursionError):
            found.damaged.append(number)
    return found


def _apply(said: Mapping[str, Any], number: int, found: Consents) -> None:
    at = _number(said["at"])
    match said["change"]:
        case "given":
            found.given.append(
                Consent(
                    number, _text(said["sensor"]), tuple(map(_text, said["quantities"])),
                    _text(said["recipient"]), _text(said["person"]), _text(said["purpose"]),
                    _text(said["text_version"]), at, _number(said["until"]),
                    address=_text(said["address"]) if said.get("address") else "",
                )
            )  # fmt: skip
            _end(found, at, lambda each: each.number == said.get("instead_of"))
        case "revoked":
            _end(found, at, lambda each: each.number == said["number"])
        case "moved":
            sensor = _text(said["sensor"])
            _end(found, at, lambda each: each.sensor == sensor)
        case "placed":
            found.placed[_text(said["sensor"])] = _text(said["where"]), at
        case other:
            raise ValueError(other)


def _end(found: Consents, at: float, is_meant: Any) -> None:
    meant = [n for n, each in enumerate(found.given) if is_meant(each)]
    for n in meant:
        if found.given[n].ended_at is None:
            found.given[n] = found.given[n]._replace(ended_at=at)


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise TypeError(value)
    return value


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < 1e12:
        raise TypeError(value)
    return float(value)
