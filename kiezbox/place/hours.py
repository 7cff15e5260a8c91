"""Opening hours: is it open now? Rather "unknown" than wrong.

Understood is the common part of OpenStreetMap's ``opening_hours`` (wiki.openstreetmap.org, "Key:
opening_hours/specification"): days, months and dates, spans of time, ``off``, ``24/7``, rules
parted by ``;``. ``PH`` are public holidays: which days those are a package may say (``place
build --country``); without, it may always be otherwise today. Line breaks, ``24h`` and German days
stand for what they mean, because cities' open data have them. Everything else (sunset, school
holidays, weeks, comments, open ends, ``||``) is not guessed at: ``parse`` gives None, and pages
show the text as it is.

Checked against the foreign parser ``opening-hours-py`` (tests/place/test_hours.py), which is not
used here: 5 MB and native code, for the portal's 40 MiB.
"""

from __future__ import annotations

import re
from collections.abc import Set
from datetime import date, datetime, timedelta
from typing import NamedTuple

__all__ = ["Hours", "Now", "parse"]

DAY_MIN = 24 * 60

_DAYS = {
    "mo": 0, "tu": 1, "we": 2, "th": 3, "fr": 4, "sa": 5, "su": 6,
    "di": 1, "mi": 2, "do": 3, "so": 6,
}  # fmt: skip

_MONTHS = {
    name: number
    for number, name in enumerate(
        "jan feb mar apr may jun jul aug sep oct nov dec".split(), start=1
    )
}

_CLOSED = ("off", "closed", "geschlossen")
_ALWAYS = ("24/7", "24h", "24 h", "00:00-24:00")

_DAY = "(?:mo|tu|we|th|fr|sa|su|di|mi|do|so|ph)"
_DAYS_PART = re.compile(rf"({_DAY}(?:-{_DAY})?(?:,{_DAY}(?:-{_DAY})?)*):?(?:\s+|$)")
_MONTH = "(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)"
_DATE = rf"{_MONTH}(?: \d\d?)?"
_DATES_PART = re.compile(
    rf"({_DATE}(?:-(?:{_DATE}|\d\d?))?(?:,{_DATE}(?:-(?:{_DATE}|\d\d?))?)*):?(?:\s+|$)"
)
_SPAN = re.compile(r"(\d\d?):(\d\d)-(\d\d?):(\d\d)")


class Now(NamedTuple):
    """``is_open``: by the hours posted. ``changes_in_min``: until that ends; None: not within a
    week. ``is_sure``: False where a public holiday makes, or could make, it otherwise: where nobody
    says which days are holidays, and the hours say something of them; and on a holiday, where the
    hours say nothing of them (many a shop that is posted as open then is not).
    """

    is_open: bool
    changes_in_min: int | None
    is_sure: bool


class _Rule(NamedTuple):
    """``dates``: (month, day) from and to, both included; () is the whole year. ``days``: () is
    every day. ``spans``: minutes of the day; the end may lie behind midnight. () is closed.
    """

    dates: tuple[tuple[tuple[int, int], tuple[int, int]], ...]
    days: frozenset[int]
    on_holidays: bool
    spans: tuple[tuple[int, int], ...]

    def holds(self, day: date, *, is_holiday: bool) -> bool:
        today = (day.month, day.day)
        if self.dates and not any(_is_within(today, *each) for each in self.dates):
            return False
        if not self.days and not self.on_holidays:
            return True
        # A weekday's rule holds on a holiday, too, unless one for holidays comes after it.
        return (is_holiday and self.on_holidays) or day.weekday() in self.days


class Hours(NamedTuple):
    """What was understood."""

    rules: tuple[_Rule, ...]

    def now(self, local: datetime, holidays: frozenset[date] | None = None) -> Now | None:
        """At a moment by the place's own clock; None: it cannot be told. ``holidays``: those of the
        days around it; None: nobody knows.
        """
        if holidays is None:
            usual, holiday = self._now(local, frozenset()), self._now(local, {local.date()})
            if usual is None or holiday is None:
                return None
            return Now(*usual, usual == holiday)
        found = self._now(local, holidays)
        if found is None:
            return None
        changes = local + timedelta(minutes=found[1] or 0)
        is_sure = self._minds_holidays or not holidays & {local.date(), changes.date()}
        return Now(*found, is_sure)

    @property
    def _minds_holidays(self) -> bool:
        """Whether the hours say what holds on public holidays; what is always open does."""
        is_always = all(rule == _ALWAYS_OPEN for rule in self.rules)
        return is_always or any(rule.on_holidays for rule in self.rules)

    def _now(self, local: datetime, holidays: Set[date]) -> tuple[bool, int | None] | None:
        minute = local.hour * 60 + local.minute
        spans: list[tuple[int, int]] = []
        for offset in range(-1, 8):
            day = local.date() + timedelta(days=offset)
            found = self._rule(day, day in holidays)
            for start, end in found.spans if found else ():
                spans.append((start + offset * DAY_MIN, end + offset * DAY_MIN))
            next_day = day + timedelta(days=1)
            after = self._rule(next_day, next_day in holidays)
            is_late = found is not None and any(end > DAY_MIN for _, end in found.spans)
            if offset == -1 and is_late and after is not found:
                # Whether last night's hours go on into a day of another rule, readers differ.
                last = max(end for _, end in found.spans) - DAY_MIN  # type: ignore[union-attr]
                if minute < last:
                    return None
        return _state(_joined(spans), minute)

    def _rule(self, day: date, is_holiday: bool) -> _Rule | None:
        """The last one that holds: a later rule replaces an earlier one for its days."""
        found = None
        for rule in self.rules:
            if rule.holds(day, is_holiday=is_holiday):
                found = rule
        return found


_ALWAYS_OPEN = _Rule((), frozenset(), False, ((0, DAY_MIN),))


def parse(text: str) -> Hours | None:
    """None: not understood, or nothing there.

    >>> parse("Mo-Fr 08:00-18:00; Sa 10:00-14:00").now(datetime(2026, 1, 3, 9, 0))
    Now(is_open=False, changes_in_min=60, is_sure=True)
    >>> parse("sunrise-sunset") is None
    True
    """
    lines = [each.strip() for each in text.strip().splitlines()]
    whole = "; ".join(each.rstrip(";") for each in lines if each).lower().replace("–", "-")
    if not whole or len(whole) > 300:
        return None
    rules = []
    for part in whole.split(";"):
        part = re.sub(r"\s*([,-])\s*", r"\1", part.strip())
        if not part:
            continue
        rule = _rule_of(part)
        if rule is None:
            return None
        rules.append(rule)
    return Hours(tuple(rules)) if rules else None


def _rule_of(part: str) -> _Rule | None:
    if part in _ALWAYS:
        return _ALWAYS_OPEN
    dates: tuple[tuple[tuple[int, int], tuple[int, int]], ...] = ()
    days: frozenset[int] = frozenset()
    on_holidays = False
    if found := _DATES_PART.match(part):
        read = _dates(found.group(1))
        if read is None:
            return None
        dates, part = read, part[found.end() :]
    if found := _DAYS_PART.match(part):
        days, on_holidays = _days(found.group(1))
        if not days and not on_holidays:
            return None
        part = part[found.end() :]
    if dates and not days and not part:
        # A fountain's "Apr-Oct": all day, in these months.
        return _Rule(dates, days, on_holidays, ((0, DAY_MIN),))
    if part in _CLOSED:
        return _Rule(dates, days, on_holidays, ())
    if part in _ALWAYS:
        return _Rule(dates, days, on_holidays, ((0, DAY_MIN),))
    spans = _spans(part)
    return _Rule(dates, days, on_holidays, spans) if spans else None


def _spans(part: str) -> tuple[tuple[int, int], ...]:
    """() if anything in it is something else."""
    spans = []
    for each in part.split(","):
        found = _SPAN.fullmatch(each)
        if not found:
            return ()
        from_h, from_min, to_h, to_min = map(int, found.groups())
        start, end = from_h * 60 + from_min, to_h * 60 + to_min
        if max(from_min, to_min) > 59 or start >= DAY_MIN or end > DAY_MIN or start == end:
            return ()
        spans.append((start, end if end > start else end + DAY_MIN))
    return tuple(spans)


def _days(part: str) -> tuple[frozenset[int], bool]:
    days: set[int] = set()
    on_holidays = False
    for each in part.split(","):
        first, _, last = each.partition("-")
        if "ph" in (first, last):
            if last:
                return frozenset(), False
            on_holidays = True
            continue
        start, end = _DAYS[first], _DAYS[last or first]
        days.update((start + n) % 7 for n in range((end - start) % 7 + 1))
    return frozenset(days), on_holidays


def _dates(part: str) -> tuple[tuple[tuple[int, int], tuple[int, int]], ...] | None:
    found = []
    for each in part.split(","):
        first, _, last = each.partition("-")
        month, day = _date(first)
        if not last:
            found.append(((month, day or 1), (month, day or 31)))
            continue
        if last.isdecimal():
            to_month, to_day = month, int(last)
        else:
            to_month, to_day = _date(last)
        if bool(day) != bool(to_day):
            return None  # "Apr 15-Sep": which end is meant?
        found.append(((month, day or 1), (to_month, to_day or 31)))
    is_sound = all(1 <= d <= 31 for pair in found for _, d in pair)
    return tuple(found) if is_sound else None


def _date(text: str) -> tuple[int, int]:
    month, _, day = text.partition(" ")
    return _MONTHS[month], int(day or 0)


def _is_within(day: tuple[int, int], first: tuple[int, int], last: tuple[int, int]) -> bool:
    """Over the turn of the year as well ("Nov-Mar")."""
    if first <= last:
        return first <= day <= last
    return day >= first or day <= last


def _joined(spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    joined: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if joined and start <= joined[-1][1]:
            joined[-1] = joined[-1][0], max(end, joined[-1][1])
        else:
            joined.append((start, end))
    return joined


def _state(spans: list[tuple[int, int]], minute: int) -> tuple[bool, int | None]:
    for start, end in spans:
        if start <= minute < end:
            left = end - minute
            return True, left if left < 6 * DAY_MIN else None
        if start > minute:
            return False, start - minute
    return False, None
