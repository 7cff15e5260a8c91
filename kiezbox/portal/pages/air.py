"""Air and climate here: what is measured now and what it means, its course, open data.

``/air``; ``/air/day/SENSOR/QUANTITY`` and ``/air/week/…`` with a chart; ``/air/data`` leads to
``/air/day.csv`` and ``/air/week.csv``, the means of all, and ``/air/readings.csv/SERIAL``, the
readings themselves that come after that one, so many at a time.

All of it reads the store's history (tens of milliseconds on a computer, a second on a small box),
so all of it is made aside.
"""

from __future__ import annotations

import time

from kiezbox.portal import charts
from kiezbox.portal.answered import Answer, zipped
from kiezbox.portal.asking import Ask
from kiezbox.portal.pages.air_meaning import WIDTH_S, climates, is_old, meaning, with_unit
from kiezbox.portal.words import age, clock_time, duration, escape, number

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from kiezbox.model import Series
    from kiezbox.store.history import Span

    History = dict[Series, list[Span]]

#: How far a course goes back, the width of its means, of the rows of its table and between the
#: marks of its chart, in seconds.
COURSES = {"day": (86400, WIDTH_S, 10800, 21600), "week": (7 * 86400, 3600, 86400, 86400)}

#: A mean serves everybody for so long, if nothing has changed.
KEEP_S = 60.0

#: Of one page of readings: 180 kB, before it is zipped.
CSV_MOST = 1500

_STYLE = f"""{charts.STYLE}\
th a{{display:inline-block;padding:.55rem 0}}td small{{font-weight:400}}\
.v{{font-size:1.6rem;font-weight:700}}\
.w{{font-size:1.05rem}}.w td{{width:auto;font-weight:400}}\
.w td,.w th{{padding-inline-end:.4rem}}.w td,thead th{{overflow-wrap:normal}}\
@media(max-width:15rem){{.w{{font-size:.85rem}}}}"""

#: As on a weather station; others after them.
_ORDER = ("temperature_c", "humidity_percent", "pm2_5_ug_m3", "pm10_ug_m3", "pressure_hpa")

#: Course → (monotonic time, version of the files, means).
_kept: dict[str, tuple[float, Any, History]] = {}


def show(ask: Ask) -> Answer:
    return Answer(200, b"", is_slow=True)


def show_slowly(ask: Ask) -> Answer:
    from kiezbox.errors import StoreError

    match ask.rest:
        case ():
            return _now(ask)
        case ("data",):
            return _data(ask)
        case ("day.csv" | "week.csv" as name,):
            return _csv_of_means(ask, name.removesuffix(".csv"))
        case ("readings.csv", after) if after.isdecimal() and len(after) < 19:
            return _csv_of_readings(ask, int(after))
        case ("day" | "week" as course, sensor, quantity):
            try:
                history = _history(ask, course)
            except StoreError:
                history = {}
            found = next((s for s in history if (s.sensor, s.quantity) == (sensor, quantity)), None)
            if found and quantity in ask.text()["quantities"]:
                return _course(ask, course, found, history[found])
    return ask.see("air")


# --- now -----------------------------------------------------------------------------------------


def _now(ask: Ask) -> Answer:
    from kiezbox.errors import StoreError

    text = ask.text("air")
    try:
        history = _history(ask, "day")
    except StoreError:
        history = {}
    body = meaning(ask, history) + _table(ask, history) + f"<p>{text['honest']}</p>"
    if history:
        body += f"<p><a href={ask.path('air', 'data')}>{text['data']}</a></p>"
    return ask.page(text["title"], body, style=_STYLE, has_forms=False)


def _table(ask: Ask, history: History) -> str:
    """Each reading with its age and how far it can be believed, and a way to its course."""
    from kiezbox.indices import absolute_humidity_g_m3, dew_point_c

    text, basic = ask.text("air"), ask.text()
    labels: dict[str, Any] = basic["quantities"]
    courses = {str(series) for series in history}
    latest = [(*name.partition("/")[::2], each) for name, each in ask.facts["latest"].items()]
    latest = [each for each in latest if each[1] in labels]
    if not latest:
        return f"<p>{basic['readings_none']}</p>"
    quantities = [quantity for _, quantity, _ in latest]
    rows = []
    for sensor, quantity, each in sorted(latest, key=_place_in_table):
        label = escape(labels[quantity][0])
        if quantities.count(quantity) > 1:
            label += f" ({escape(sensor)})"
        if f"{sensor}/{quantity}" in courses:
            label = f"<a href={ask.path('air', 'day', sensor, quantity)}>{label}</a>"
        grey = " class=o" if is_old(ask, each["taken_at"]) else ""
        rows.append(
            f"<tr{grey}><th scope=row>{label}<br><small>{age(each['taken_at'], ask.now, basic)}"
            f"</small></th><td>{_value(each, labels[quantity], ask)}</td></tr>"
        )
    for temperature, humidity in list(climates(ask).values())[:1]:
        dew = dew_point_c(temperature, humidity)
        if dew is not None:
            rows.append(
                _row(
                    text["dew_point"],
                    basic["measured"].format(value=number(dew, 1, basic), unit="°C"),
                )
            )
        water = number(absolute_humidity_g_m3(temperature, humidity), 1, basic)
        rows.append(_row(text["water"], basic["measured"].format(value=water, unit="g/m³")))
    courses_hint = f"<p>{text['tap']}</p>" if courses else ""
    return f"<h2>{basic['readings']}</h2>{courses_hint}<table>{''.join(rows)}</table>"


def _place_in_table(named: tuple[str, str, Any]) -> tuple[int, str, str]:
    sensor, quantity, _ = named
    return _ORDER.index(quantity) if quantity in _ORDER else 99, quantity, sensor


def _row(label: str, value: str) -> str:
    return f"<tr><th scope=row>{label}</th><td>{value}</td></tr>"


def _value(latest: dict[str, Any], label: tuple[str, str, str], ask: Ask) -> str:
    """What was measured, and why it is doubted."""
    basic = ask.text()
    if latest["flag"] == 0 and latest["value"] is not None:
        return with_unit(latest["value"], label, basic)
    said = str(basic["unusable"])
    if latest["value"] is not None and latest["flag"] == 1:
        said = basic["suspect"].format(value=with_unit(latest["value"], label, basic))
    reasons = ask.text("air")["reasons"]
    return f"{said}<br><small>{reasons.get(latest.get('reason'), reasons['other'])}</small>"


# --- a course ------------------------------------------------------------------------------------


def _course(ask: Ask, course: str, series: Series, spans: list[Span]) -> Answer:
    """A chart, and the same in words."""
    text, basic = ask.text("air"), ask.text()
    length_s, width_s, row_s, mark_s = COURSES[course]
    label = basic["quantities"][series.quantity]
    until = ask.now
    since = until - length_s
    lowest, highest = min(each.low for each in spans), max(each.high for each in spans)
    said = text["from_to"].format(
        low=with_unit(lowest, label, basic), high=with_unit(highest, label, basic)
    )
    title = f"{escape(label[0])} ({escape(series.sensor)})"
    marks = _marks(since, until, mark_s)
    drawn = charts.chart(
        spans, since, until, width_s, f"{title}, {text['courses'][course]}: {said}", marks,
        lambda value: number(value, 0 if value == round(value) else 1, basic),
    )  # fmt: skip
    rows = "".join(
        f"<tr><th scope=row>{_named(start, ask, row_s)}</th><td><bdi>{mean}</bdi></td>"
        f"<td><bdi>{low} – {high}</bdi></td></tr>"
        for start, mean, low, high in _rows(spans, row_s, label, basic)
    )
    other = "week" if course == "day" else "day"
    steps = text["steps"].format(steps=duration(row_s, basic, "days_left"), unit=label[1])
    body = (
        f"<p>{text['courses'][course]}: {said}</p><figure>{drawn}</figure>"
        f"<p><a href={ask.path('air', other, series.sensor, series.quantity)}>"
        f"{text['courses'][other]}</a></p><h2>{text['in_words']}</h2>"
        f"<table class=w><thead><tr><th scope=col>{text['columns']['from']}</th><th scope=col>"
        f"{text['columns']['mean']}</th><th scope=col>{text['columns']['range']}</th></tr></thead>"
        f"<tbody>{rows}</tbody></table><p><small>{steps}</small></p>"
        f"<p><a href={ask.path('air')}>{text['title']}</a></p>"
    )
    return ask.page(title, body, style=_STYLE, has_forms=False)


def _named(start: float, ask: Ask, row_s: float) -> str:
    """A day by its name, a span of hours by its beginning."""
    if row_s < 86400:
        return clock_time(start, ask.now, ask.text())
    then = time.localtime(start)
    return f"{ask.text()['weekdays'][then.tm_wday]}, {then.tm_mday}."


def _marks(since: float, until: float, step_s: float) -> list[tuple[float, str]]:
    """Whole hours or midnights of the box's zone."""
    first = time.localtime(since)
    midnight = time.mktime((*first[:3], 0, 0, 0, 0, 0, -1))
    found = []
    for n in range(int((until - midnight) / step_s) + 2):
        at = midnight + n * step_s
        if since + 0.02 * (until - since) < at < until - 0.03 * (until - since):
            then = time.localtime(at)
            is_day = step_s >= 86400
            found.append((at, str(then.tm_mday) + "." if is_day else f"{then.tm_hour}:00"))
    return found


def _rows(
    spans: list[Span], row_s: float, label: tuple[str, str, str], basic: dict[str, Any]
) -> list[tuple[float, str, str, str]]:
    """Start, mean, lowest and highest of every few hours or every day, newest first."""
    blocks: dict[float, list[Span]] = {}
    for each in spans:
        then = time.localtime(each.starts_at)
        midnight = time.mktime((*then[:3], 0, 0, 0, 0, 0, -1))
        start = midnight + (each.starts_at - midnight) // row_s * row_s
        blocks.setdefault(start, []).append(each)
    found = []
    for start, some in sorted(blocks.items(), reverse=True):
        mean = sum(each.mean * each.readings for each in some) / sum(s.readings for s in some)
        low, high = min(each.low for each in some), max(each.high for each in some)
        shown = [number(value, int(label[2]), basic) for value in (mean, low, high)]
        found.append((start, shown[0], shown[1], shown[2]))
    return found


def _history(ask: Ask, course: str) -> History:
    """Raises StoreError."""
    from kiezbox.store.reader import StoreReader

    length_s, width_s, _, _ = COURSES[course]
    version = ask.sight.measured()
    kept = _kept.get(course)
    if kept and kept[1] == version and time.monotonic() - kept[0] < KEEP_S:
        return kept[2]
    with StoreReader(ask.sight.store_path) as reader:
        spans = reader.spans(int((ask.now - length_s) * 1000), width_s * 1000)
    found = {series: _public(ask, series, each) for series, each in spans.items()}
    found = {series: each for series, each in found.items() if each}
    _kept[course] = time.monotonic(), version, found
    return found


def _public(ask: Ask, series: Series, spans: list[Span]) -> list[Span]:
    """Those that a public page may show: none of a flat without a consent."""
    may_show = ask.sight.may_show
    return [each for each in spans if may_show(series.sensor, series.quantity, each.starts_at)]


# --- open data -----------------------------------------------------------------------------------


def _data(ask: Ask) -> Answer:
    """What there is to take away, and that it may be."""
    text = ask.text("air")
    files = ("day.csv",), ("week.csv",), ("readings.csv", "0")
    listed = "".join(
        f"<li><a href={ask.path('air', *file)}>{text['csv'][file[0][:-4]]}</a></li>"
        for file in files
    )
    body = f"<p>{text['data_what']}</p><ul class=cards>{listed}</ul><p>{text['licence']}</p>"
    return ask.page(text["data"], body + f"<p><a href={ask.path('air')}>{text['title']}</a></p>")


def _csv_of_means(ask: Ask, course: str) -> Answer:
    from kiezbox.errors import StoreError
    from kiezbox.units import UNITS

    try:
        history = _history(ask, course)
    except StoreError:
        return ask.see("air")
    units = {quantity.value: unit.senml for quantity, unit in UNITS.items()}
    lines = ["box,sensor,quantity,unit,from,seconds,mean,lowest,highest,readings"]
    box, width_s = ask.facts["box"]["id"] or "", COURSES[course][1]
    for series, spans in sorted(history.items()):
        for each in spans:
            when = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(each.starts_at))
            lines.append(
                f"{box},{series.sensor},{series.quantity},{units.get(series.quantity, '')},{when},"
                f"{width_s},{each.mean:.6g},{each.low:.6g},{each.high:.6g},{each.readings}"
            )
    return _csv(ask, f"kiezbox-{course}.csv", "\n".join([*lines, ""]))


def _csv_of_readings(ask: Ask, after: int) -> Answer:
    """A page of ``kiezbox readings export``; the header Link (RFC 8288) names the next one."""
    import io

    from kiezbox.errors import StoreError
    from kiezbox.store import export
    from kiezbox.store.reader import StoreReader

    def may_show(series: Series, at_ms: int) -> bool:
        return ask.sight.may_show(series.sensor, series.quantity, at_ms / 1000)

    out = io.StringIO()
    choice = export.Choice(after=after, most=CSV_MOST, may_show=may_show)
    try:
        with StoreReader(ask.sight.store_path) as reader:
            export.write(reader, "csv", out, choice)
            read = reader.after(after, CSV_MOST).readings
    except StoreError:
        return ask.see("air")
    link = ""
    if len(read) == CSV_MOST:
        last = read[-1][0]
        link = f', <{ask.path("air", "readings.csv", str(last))}>; rel="next"'
    return _csv(ask, f"kiezbox-readings-{after}.csv", out.getvalue(), link)


def _csv(ask: Ask, name: str, content: str, link: str = "") -> Answer:
    found = Answer(
        200, content.encode(), "text/csv; charset=utf-8; header=present",
        ("Content-Disposition", f'attachment; filename="{name}"'),
        ("Link", f'<https://creativecommons.org/publicdomain/zero/1.0/>; rel="license"{link}'),
        ("Cache-Control", "no-store"),
    )  # fmt: skip
    return zipped(found, ask.request.headers)
