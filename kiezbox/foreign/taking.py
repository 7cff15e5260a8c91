"""One field after the other: what of it can be taken, and why the rest cannot."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from enum import IntEnum
from typing import Any, TypeVar

from kiezbox.foreign import wire
from kiezbox.foreign.messages import Dropped
from kiezbox.foreign.schema import Kind, Table

__all__ = ["FIRST_TIME", "Basket", "plausible_time"]

#: 2024-01-01: there were no such boxes before.
FIRST_TIME = 1_704_067_200
#: 2100-01-01, where nobody here knows the time.
_LAST_TIME = 4_102_444_800
_DAY_S = 86400

#: Beyond it nobody is told any more why a field was dropped: a hostile message has many.
_MOST_DROPPED = 24

_TYPES = {Kind.TEXT: wire.LENGTH, Kind.MESSAGE: wire.LENGTH}
_NUMBERS: dict[Kind, Callable[[int], int | bool]] = {
    Kind.INT32: wire.signed32,
    Kind.UINT32: lambda value: value & 0xFFFF_FFFF,
    Kind.INT64: wire.signed64,
    Kind.BOOL: wire.boolean,
}

_Word = TypeVar("_Word", bound=IntEnum)


def plausible_time(at: int, now: float | None) -> str:
    """Why this cannot be a moment of which a box tells, "" if it can; ``now``: None where nobody
    knows.
    """
    latest = _LAST_TIME if now is None else now + _DAY_S
    if FIRST_TIME <= at <= latest:
        return ""
    said = datetime.fromtimestamp(at, UTC).date() if 0 <= at < _LAST_TIME else at
    if at < FIRST_TIME:
        return f"{said} is before there were such boxes: its clock was not set"
    return f"{said} has not come yet: its clock is wrong"


class Basket:
    """Collects what is dropped while a message is read."""

    def __init__(self, now: float | None) -> None:
        """``now``: Unix seconds; a clock that was obviously never set counts as none."""
        self.now = now if now is not None and now >= FIRST_TIME else None
        self.dropped: list[Dropped] = []
        self.is_malformed = False

    def drop(self, path: str, why: str) -> None:
        if len(self.dropped) < _MOST_DROPPED:
            self.dropped.append(Dropped(path, why))

    def read(self, data: bytes, table: Table, path: str) -> dict[str, Any]:
        """Name → value of the fields that the table knows. As the standard has it, the last of
        several counts, several pieces of one message are put together, and what the table does not
        know is left unread.
        """
        try:
            found = wire.fields(data)
        except wire.BadMessage as error:
            self.malformed(path, error)
            return {}
        return self.sort(found, table, path)

    def malformed(self, path: str, error: wire.BadMessage) -> None:
        self.is_malformed = True
        self.drop(path, f"malformed: {error}")

    def sort(self, found: Iterable[wire.Field], table: Table, path: str) -> dict[str, Any]:
        taken: dict[str, Any] = {}
        for number, type_, value in found:
            if number not in table:
                continue
            name, kind = table[number]
            if type_ != _TYPES.get(kind, wire.VARINT):
                self.drop(f"{path}.{name}", f"sent as type {type_}, and not as {kind.value}")
            elif isinstance(value, int):
                taken[name] = _NUMBERS[kind](value)
            elif kind is Kind.MESSAGE:
                taken[name] = taken.get(name, b"") + value
            else:
                try:
                    taken[name] = value.decode("utf-8")
                except UnicodeDecodeError:
                    self.drop(f"{path}.{name}", "no text in UTF-8")
        return taken

    def time(self, taken: dict[str, Any], name: str, path: str) -> int | None:
        at = taken.get(name)
        if at is None:
            return None
        why = plausible_time(at, self.now)
        if why:
            self.drop(f"{path}.{name}", why)
            return None
        return int(at)

    def word(self, words: type[_Word], taken: dict[str, Any], name: str, path: str) -> _Word | None:
        """One of an enumeration."""
        number = taken.get(name)
        if number is None:
            return None
        try:
            return words(number)
        except ValueError:
            self.drop(f"{path}.{name}", f"{number} means nothing")
            return None

    def number(
        self, taken: dict[str, Any], name: str, path: str, most: int, least: int = 0
    ) -> int | None:
        found = taken.get(name)
        if found is None:
            return None
        if not least <= found <= most:
            self.drop(f"{path}.{name}", f"{found} is outside {least} to {most}")
            return None
        return int(found)
