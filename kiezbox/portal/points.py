"""A point in words: what it is, how far, open or not, and what people say of it."""

from __future__ import annotations

from kiezbox.place.points import NEEDS
from kiezbox.place.ways import rounded_metres, walking_minutes
from kiezbox.portal.words import age, duration, escape, number

TYPE_CHECKING = False
if TYPE_CHECKING:
    from datetime import datetime

    from kiezbox.place.points import Point
    from kiezbox.place.reports import Standing
    from kiezbox.portal.asking import Ask
    from kiezbox.portal.places import Near, Surroundings

    Said = tuple[Standing | None, Standing | None]

__all__ = ["Moment", "distance_of", "kind_of", "moment_at", "name_of", "state_of", "way_to"]

#: Beyond this nobody walks with a bag.
WALKABLE_M = 6000


def name_of(ask: Ask, point: Point) -> str:
    if point.name:
        return f"<bdi>{escape(point.name)}</bdi>"
    return str(ask.text("where")["kinds"][point.kind])


def kind_of(ask: Ask, point: Point) -> str:
    """What it is, if its name is another; else which one."""
    kind = str(ask.text("where")["kinds"][point.kind])
    if point.name:
        return "" if kind.casefold() in point.name.casefold() else kind
    return f"<bdi>{escape(point.address)}</bdi>" if point.address else ""


def way_to(ask: Ask, near: Near) -> str:
    text = ask.text("where")
    if near.metres is None:
        return ""
    if near.metres < 25:
        return str(text["here"])
    distance = distance_of(ask, rounded_metres(near.metres))
    which = text["directions"][near.direction]
    if near.metres > WALKABLE_M:
        return str(text["way_far"].format(distance=distance, direction=which))
    minutes = duration(60 * walking_minutes(near.metres), ask.text())
    return str(text["way"].format(distance=distance, direction=which, minutes=minutes))


def distance_of(ask: Ask, metres: int) -> str:
    """A distance as such."""
    text = ask.text("where")
    if metres < 1000:
        return str(text["metres"].format(distance=metres))
    shown = number(metres / 1000, 1 if metres < 10_000 and metres % 1000 else 0, ask.text())
    return str(text["kilometres"].format(distance=shown))


class Moment:
    """The time at the place. ``holidays``: the public ones of the days around it; None: the
    package does not say.
    """

    def __init__(self, local: datetime, is_trusted: bool, days: frozenset[str]) -> None:
        from datetime import timedelta

        self.local = local
        self.is_trusted = is_trusted
        # A week on, because that is how far hours are looked at.
        around = [local.date() + timedelta(days=n) for n in range(-1, 9)]
        years = {day[:4] for day in days}
        is_known = all(str(day.year) in years for day in around)
        self.holidays = frozenset(d for d in around if d.isoformat() in days) if is_known else None


def moment_at(ask: Ask, around: Surroundings) -> Moment | None:
    """None: the place's zone is not known to this machine, so nothing is said of now."""
    from datetime import datetime

    is_trusted = ask.facts["clock_trusted"] is not False
    if not around.zone:
        return Moment(datetime.fromtimestamp(ask.now), is_trusted, around.holidays)
    from zoneinfo import ZoneInfo

    try:
        zone = ZoneInfo(around.zone)
    except (KeyError, ValueError, OSError):
        return None
    local = datetime.fromtimestamp(ask.now, zone).replace(tzinfo=None)
    return Moment(local, is_trusted, around.holidays)


def state_of(ask: Ask, point: Point, said: Said, moment: Moment | None) -> list[str]:
    """Reports first, then what the hours say, then what the source knows of the water."""
    text = ask.text("where")
    lines = [_reported(ask, each) for each in said if each]
    # What the operator says holds now, whatever is posted.
    if said[0] is None and (hours := _hours(ask, point, moment)):
        lines.append(hours)
    if point.kind in NEEDS["water"]:
        shown = [text["details"]["drinkable"][point.details.get("drinkable", "unknown")]]
        status = text["details"]["status"].get(point.details.get("status"))
        lines.append(" · ".join(each for each in (*shown, status) if each))
    if point.details.get("access") in ("customers", "permit"):
        lines.append(text["details"]["access"][point.details["access"]])
    return lines


def _reported(ask: Ask, standing: Standing) -> str:
    text = ask.text("where")
    who = text["by_neighbours"]
    if standing.by:
        is_own = standing.by == "operator"
        issuer = f"<b class=official><bdi>{escape(standing.by)}</bdi></b>"
        who = text["by_operator"] if is_own else text["by_issuer"].format(issuer=issuer)
    state = f"<b>{text['states'][standing.state]}</b>"
    if standing.voices > 1:
        state += f" ({text['voices'].format(number=standing.voices)})"
    when = age(standing.written_at, ask.now, ask.text())
    line = text["reported"].format(who=who, state=state, age=when)
    return str(line)


def _hours(ask: Ask, point: Point, moment: Moment | None) -> str:
    """Open now? Only where it can be told; else the hours as they were written."""
    text = ask.text("where")["hours"]
    if not point.hours:
        return str(text["lighthouse"]) if point.kind == "lighthouse" else ""
    from kiezbox.place.hours import parse

    understood = parse(point.hours)
    now = understood and moment and understood.now(moment.local, moment.holidays)
    if not now or not moment:
        return str(text["unsure"].format(hours=f"<bdi>{escape(point.hours)}</bdi>"))
    if now.changes_in_min is None:
        line = text["always"] if now.is_open else text["shut"]
    else:
        when = _clock(ask, moment.local, now.changes_in_min)
        line = text["open" if now.is_open else "closed"].format(time=when)
    doubts = [text["posted"]] if now.is_open and now.changes_in_min is not None else []
    if not now.is_sure:
        is_today = moment.local.date() in (moment.holidays or ())
        doubts.append(text["holiday_today" if is_today else "holiday"])
    if not moment.is_trusted:
        doubts.append(text["clock"])
    return f"{line} ({'; '.join(doubts)})" if doubts else str(line)


def _clock(ask: Ask, local: datetime, minutes: int) -> str:
    """The time of day so many minutes from now, with its weekday where that is another day."""
    from datetime import timedelta

    text = ask.text()
    then = local + timedelta(minutes=minutes)
    shown = text["clock_time"].format(hour=then.hour, minute=then.minute)
    if then.date() == local.date():
        return str(shown)
    return str(text["on_weekday"].format(weekday=text["weekdays"][then.weekday()], time=shown))
