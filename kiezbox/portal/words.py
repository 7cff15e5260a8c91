"""Times, spans and numbers as a resident reads them, and text made safe for HTML.

``text`` is always one language of ``texts.TEXTS``; times are Unix seconds, shown in the zone the
machine is set to.
"""

from __future__ import annotations

import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["age", "band", "clock_time", "duration", "escape", "number", "shortened"]

_ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;"})

MINUTE_S, HOUR_S, DAY_S = 60, 3600, 86400


def escape(text: str) -> str:
    """Safe between tags and inside quoted attributes.

    >>> escape('<a href="x">')
    '&lt;a href=&quot;x&quot;&gt;'
    """
    return text.translate(_ESCAPES)


def shortened(text: str, most: int) -> str:
    """The beginning of the text, cut between words, so that escaped it has at most ``most`` bytes.

    >>> shortened("Wasser am Platz", 14)
    'Wasser am …'
    """
    if len(escape(text).encode()) <= most:
        return text
    room = most - len(" …".encode())
    # The longest beginning that fits, by halving: a letter is one byte to thirty.
    end, beyond = 0, min(len(text), room) + 1
    while beyond - end > 1:
        middle = (end + beyond) // 2
        if len(escape(text[:middle]).encode()) <= room:
            end = middle
        else:
            beyond = middle
    words = text[:end].rpartition(" ")[0] or text[:end]
    return f"{words.rstrip()} …"


def duration(seconds: float, text: dict[str, Any], days: str = "days") -> str:
    """A span in its largest unit. ``days``: the entry for days; with "ago" they may need another
    case ("vor 3 Tagen") than alone (``days_left``: "3 Tage").
    """
    if seconds < HOUR_S:
        return _counted(max(1, int(seconds // MINUTE_S)), text["minutes"])
    if seconds < 2 * DAY_S:
        return _counted(int(seconds // HOUR_S), text["hours"])
    return _counted(int(seconds // DAY_S), text[days])


def _counted(count: int, forms: tuple[str, ...]) -> str:
    """One form for all counts (Turkish, abbreviations), two (1 and more) or four (Arabic: 1, 2, 3
    to 10, more).
    """
    if len(forms) == 4 and count > 1:
        which = 1 if count == 2 else 2 if 3 <= count % 100 <= 10 else 3
    else:
        which = 0 if count == 1 else -1
    return forms[which].format(count=count)


def age(then: float | None, now: float, text: dict[str, Any]) -> str:
    """How long ago; of a time that lies ahead nothing can be said."""
    if then is None or then > now + MINUTE_S:
        return str(text["age_unknown"])
    if now - then < MINUTE_S:
        return str(text["just_now"])
    return str(text["ago"].format(duration=duration(now - then, text)))


def clock_time(moment: float, now: float, text: dict[str, Any]) -> str:
    """The time of day; with its weekday or date where it was not today."""
    then, today = time.localtime(moment), time.localtime(now)
    shown = text["clock_time"].format(hour=then.tm_hour, minute=then.tm_min)
    if then[:3] == today[:3]:
        return str(shown)
    if 0 <= now - moment < 6 * DAY_S:
        return str(text["on_weekday"].format(weekday=text["weekdays"][then.tm_wday], time=shown))
    return str(
        text["on_date"].format(day=then.tm_mday, month=then.tm_mon, year=then.tm_year, time=shown)
    )


def band(hours_low: float | None, hours_high: float | None, text: dict[str, Any]) -> str | None:
    """How long the box lasts, never narrower than what is known; None if nothing is.

    The lower end is rounded down and the upper one up; from two days on both count days.
    """
    if hours_low is not None and hours_high is not None:
        hours_low, hours_high = sorted((hours_low, hours_high))
    shortest, longest = hours_low or 0.0, hours_high
    if longest is None:
        if shortest < 1:
            return None
    elif longest < 1:
        return str(text["band_soon"])
    unit, forms = (24, text["days_left"]) if shortest >= 48 else (1, text["hours"])
    low = int(shortest // unit)
    if longest is None:
        return str(text["band_from"].format(low=_counted(low, forms)))
    high = -int(-longest // unit)
    if low == high:
        return str(text["band_about"].format(high=_counted(high, forms)))
    if low == 0:
        return str(text["band_to"].format(high=_counted(high, forms)))
    return str(text["band"].format(low=low, high=_counted(high, forms)))


def number(value: float, decimals: int, text: dict[str, Any]) -> str:
    """A number with the language's decimal sign and a real minus."""
    return f"{value:.{decimals}f}".replace(".", text["decimal"]).replace("-", "\u2212")
