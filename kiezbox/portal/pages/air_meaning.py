"""What the readings mean: the part above the table of ``/air``. Pure text out of what may be shown.

Dust above 70 % humidity is doubtful ("rh-high"), and in a Central European winter that is most of
the day. A class of it is shown all the same, called doubtful and with the reason, but no advice is
made of it: where droplets count as dust, the class is too bad and never too good.
"""

from __future__ import annotations

import time

from kiezbox.portal.meaning import MEASURED_TOPICS
from kiezbox.portal.measured import with_datum
from kiezbox.portal.words import age, escape, number

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from kiezbox.indices import AirIndex
    from kiezbox.model import Series
    from kiezbox.portal.asking import Ask
    from kiezbox.store.history import Span

    History = dict[Series, list[Span]]

    #: One reading of the last hour: series, Unix seconds, value, flag, reason.
    Row = tuple[Series, float, float, int, str]

#: Readings older than this are grey, and no class of air is made of them.
OLD_S = 900.0

#: The width of the day's means: the store has them ready (``store.tiers``). Of quarters of an hour
#: it had to make them anew of all readings, five times as long.
WIDTH_S = 600

#: A mean of 24 hours stands for the day if so many of its hours have a value: three quarters, as
#: directive 2008/50/EC asks in its annex XI. Of spans they would be too few where a sensor saves
#: and is read every quarter of an hour.
LEAST_SHARE = 0.75

#: Of one hour: ten sensors that speak every ten seconds.
_MOST_ROWS = 50_000

_DUST = ("pm2_5_ug_m3", "pm10_ug_m3")

#: Electrochemical cells, all that a box has for gases, drift: they complete no index.
_INDICATIVE = ("no2_ug_m3", "o3_ug_m3")

_SYMBOLS = {
    "pm2_5_ug_m3": "PM2.5", "pm10_ug_m3": "PM10", "no2_ug_m3": "NO₂", "o3_ug_m3": "O₃",
    "so2_ug_m3": "SO₂",
}  # fmt: skip

#: From here on Canadians speak of discomfort (Environment Canada, humidex ranges).
_HUMIDEX_FROM = 30.0

#: Path of the store → (monotonic time, version of the files, rows).
_kept: dict[str, tuple[float, Any, list[Row]]] = {}
_KEEP_S = 60.0


def meaning(ask: Ask, history: History) -> str:
    """Water and other steps, classes of air, heat and CO₂, rain, in words, with what to do."""
    first = "".join(_step(ask, each) for each in ask.facts["steps"])
    return first + _air(ask, history) + _co2(ask) + _heat(ask, history) + _rain(ask, history)


def climates(ask: Ask) -> dict[str, tuple[float, float]]:
    """Sensor → temperature and humidity, both good and fresh."""
    found = {}
    for sensor in {name.partition("/")[0] for name in ask.facts["latest"]}:
        both = [_good(ask, f"{sensor}/{each}") for each in ("temperature_c", "humidity_percent")]
        if both[0] is not None and both[1] is not None:
            found[sensor] = both[0], both[1]
    return found


def is_old(ask: Ask, taken_at: float | None) -> bool:
    return taken_at is None or not -60 <= ask.now - taken_at <= OLD_S


def with_unit(value: float, label: tuple[str, str, str], basic: dict[str, Any]) -> str:
    """``label``: of ``quantities`` in the catalogue: name, unit, decimals."""
    return str(basic["measured"].format(value=number(value, int(label[2]), basic), unit=label[1]))


def _good(ask: Ask, name: str) -> float | None:
    latest = ask.facts["latest"].get(name)
    if latest is None or latest["flag"] != 0 or is_old(ask, latest["taken_at"]):
        return None
    value: float | None = latest["value"]
    return value


# --- steps that the operator set -----------------------------------------------------------------


def _step(ask: Ask, each: dict[str, Any]) -> str:
    """Of a water level always, of others while a step is reached."""
    from kiezbox.i18n.advising import of_step

    basic, said = ask.text(), of_step(each, ask.language)
    label = basic["quantities"].get(each["quantity"])
    if not said or label is None:
        return ""
    of_kind = [other for other in ask.facts["steps"] if other["quantity"] == each["quantity"]]
    name = escape(label[0]) + (f" ({escape(each['sensor'] or '')})" if len(of_kind) > 1 else "")
    shown = ""
    if each["value"] is not None:
        look = "v o" if each["is_stale"] is not False else "v"
        shown = (
            f'<p class="{look}">{with_datum(each, basic, "<bdi>{}</bdi>")}</p>'
            f"<p><small>{age(each['taken_at'], ask.now, basic)}</small></p>"
        )
    reached = basic["step_names"].get(each["step"])
    if reached and said != reached:
        said = f"<b>{reached}.</b> {said}"
    more, topic = "", MEASURED_TOPICS.get(each["quantity"])
    if topic and each["step"] in ("warning", "alarm"):
        words = f"{basic['tasks']['steps']}: {basic['dangers'][topic]}"
        more = f"<p><a href={ask.path('steps', topic)}>{words}</a></p>"
    how = f"<p><small>{ask.text('air')['steps_how']}</small></p>"
    return f"<h2>{name}</h2>{shown}<p>{said}</p>{more}{how}"


# --- air -----------------------------------------------------------------------------------------


def _air(ask: Ask, history: History) -> str:
    from kiezbox.indices import classify, index_on

    text, day = ask.text("air"), time.strftime("%Y-%m-%d", time.localtime(ask.now))
    german, european = index_on("uba_lqi", day), index_on("eaqi", day)
    if german is None or european is None:
        return ""
    means, is_damp = _means(ask, history, german), False
    if not any(quantity in means for quantity in _DUST):
        damp = _damp_dust(ask)
        means, is_damp = means | damp, bool(damp)
    found = classify(means, german, indicative=_INDICATIVE)
    if found is None:
        return f"<p>{text['no_dust']}</p>" + _who(ask, history)
    named = text["air_classes"][german.classes[found.number]]
    shown, advice = named
    if is_damp:
        shown, advice = ask.text()["suspect"].format(value=shown), text["damp_air"]
    small = [text["air_how"]]
    if found.is_incomplete:
        names = ", ".join(_SYMBOLS[each] for each in found.missing)
        small.append(text["incomplete"].format(names=f"<bdi>{names}</bdi>"))
    beside = classify(_means(ask, history, european), european, indicative=_INDICATIVE)
    if beside is not None and not is_damp:
        name = text["eaqi_classes"][european.classes[beside.number]]
        small.append(text["eaqi"].format(name=name))
    return (
        f"<h2>{text['air']}</h2><p class=v>{shown}</p><p>{advice}</p>"
        f"<p><small>{' '.join(small)}</small></p>" + _who(ask, history)
    )


def _means(ask: Ask, history: History, index: AirIndex) -> dict[str, float]:
    """By quantity, over as long as the index asks, of the sensor that has the highest one."""
    found: dict[str, float] = {}
    for series, spans in history.items():
        wanted_s = index.mean_s.get(series.quantity)
        if wanted_s is None or spans[-1].starts_at < ask.now - OLD_S - WIDTH_S:
            continue
        if wanted_s > 3600 and _hours(spans) < LEAST_SHARE * 24:
            continue
        some = [each for each in spans if each.starts_at >= ask.now - wanted_s]
        if some:
            found[series.quantity] = max(_mean(some), found.get(series.quantity, 0.0))
    return found


def _damp_dust(ask: Ask) -> dict[str, float]:
    """Means of the last hour of dust that is doubted for its humidity alone."""
    values: dict[Series, list[float]] = {}
    for series, _, value, flag, reason in _last_hour(ask):
        if series.quantity in _DUST and flag == 1 and reason == "rh-high":
            values.setdefault(series, []).append(value)
    found: dict[str, float] = {}
    for series, some in values.items():
        found[series.quantity] = max(sum(some) / len(some), found.get(series.quantity, 0.0))
    return found


def _who(ask: Ask, history: History) -> str:
    """The mean of 24 hours beside the guideline value, where three quarters of them are good."""
    from kiezbox.indices import WHO_2021_UG_M3

    text, basic, said = ask.text("air"), ask.text(), []
    for quantity in _DUST:
        days = [
            _mean(spans)
            for series, spans in history.items()
            if series.quantity == quantity and _hours(spans) >= LEAST_SHARE * 24
        ]
        if days:
            label, limit = basic["quantities"][quantity], WHO_2021_UG_M3[quantity]["day"]
            said.append(
                text["who"].format(
                    name=f"<bdi>{label[0]}</bdi>",
                    value=f"<bdi>{with_unit(max(days), label, basic)}</bdi>",
                    limit=f"<bdi>{with_unit(limit, (label[0], label[1], '0'), basic)}</bdi>",
                )
            )
    return "".join(f"<p>{each}</p>" for each in said)


def _hours(spans: list[Span]) -> int:
    """In how many hours something good was measured."""
    return len({each.starts_at // 3600 for each in spans})


def _mean(spans: list[Span]) -> float:
    return sum(each.mean * each.readings for each in spans) / sum(s.readings for s in spans)


def _co2(ask: Ask) -> str:
    from kiezbox.indices import CO2_CLASSES, co2_class

    names = [name for name in ask.facts["latest"] if name.endswith("/co2_ppm")]
    values = [ppm for name in names if (ppm := _good(ask, name)) is not None]
    if not values:
        return ""
    label = ask.text()["quantities"]["co2_ppm"]
    said = ask.text("air")["co2_classes"][CO2_CLASSES[co2_class(max(values))]]
    shown = with_unit(max(values), label, ask.text())
    return f"<h2>{label[0]}</h2><p class=v>{shown}</p><p>{said}</p>"


# --- heat ----------------------------------------------------------------------------------------


def _heat(ask: Ask, history: History) -> str:
    """Of the hottest sensor that measures humidity as well."""
    from kiezbox.indices import (
        HEAT_CLASSES,
        dew_point_c,
        heat_class,
        heat_index_c,
        humidex,
        is_hot_day,
        is_tropical_night,
    )

    text, basic, parts = ask.text("air"), ask.text(), []
    here = list(climates(ask).values())
    felt = max((c for t, h in here if (c := heat_index_c(t, h)) is not None), default=None)
    if felt is not None:
        named = text["heat_classes"][HEAT_CLASSES[heat_class(felt)]]
        feels = text["feels"].format(value=number(felt, 0, basic))
        parts.append(f"<h2>{named[0]}</h2><p class=v>{feels}</p><p>{named[1]}</p>")
        dews = [(t, dew) for t, h in here if (dew := dew_point_c(t, h)) is not None]
        most = max((x for t, dew in dews if (x := humidex(t, dew)) is not None), default=0.0)
        if most >= _HUMIDEX_FROM:
            said = text["humidex"].format(value=number(most, 0, basic))
            parts.append(f"<p><small>{said}</small></p>")
    highest, lowest = _today_and_last_night(ask, history)
    if highest is not None and is_hot_day(highest):
        parts.append(f"<p>{text['hot_day']}</p>")
    if lowest is not None and is_tropical_night(lowest):
        parts.append(f"<p>{text['tropical_night']}</p>")
    return "".join(parts)


def _today_and_last_night(ask: Ask, history: History) -> tuple[float | None, float | None]:
    """The highest temperature since midnight and the lowest from 18 to 6 UTC, as the weather
    service counts them; of the coolest sensor of air, because the sun warms housings. A night with
    holes, or one that is not over, has none.
    """
    then = time.localtime(ask.now)
    midnight = time.mktime((*then[:3], 0, 0, 0, 0, 0, -1))
    morning = (ask.now - 6 * 3600) // 86400 * 86400 + 6 * 3600
    highs, lows = [], []
    damp = {each.sensor for each in history if each.quantity == "humidity_percent"}
    for series, spans in history.items():
        if series.quantity != "temperature_c" or series.sensor not in damp:
            continue
        today = [each.high for each in spans if each.starts_at >= midnight]
        night = [each for each in spans if morning - 43200 <= each.starts_at < morning]
        if today:
            highs.append(max(today))
        if _hours(night) >= LEAST_SHARE * 12:
            lows.append(min(each.low for each in night))
    return min(highs, default=None), min(lows, default=None)


# --- rain ----------------------------------------------------------------------------------------


def _rain(ask: Ask, history: History) -> str:
    """Sums of the gauge that caught most; the last hour by its readings, the rest by its means."""
    from kiezbox.indices import HEAVY_RAIN, heavy_rain_step, rain_mm

    gauges = {series: spans for series, spans in history.items() if series.quantity == "rain_mm"}
    if not gauges:
        return ""
    text, basic, hour_ago = ask.text("air"), ask.text(), ask.now - 3600
    latest = [row for row in _last_hour(ask) if row[3] == 0 and row[1] > hour_ago]
    found = []
    for series, spans in gauges.items():
        tips = [(row[1], row[2]) for row in latest if row[0] == series]
        in_hour = sum(mm for _, mm in tips)
        ends = [(each.starts_at + WIDTH_S, each.mean * each.readings) for each in spans]
        # A span across the edge: what is older than an hour of it, is what the tips do not have.
        across = sum(mm for at, mm in ends if at > hour_ago) - in_hour
        older = [pair for pair in ends if pair[0] <= hour_ago]
        all_of_it = [*older, (hour_ago, max(0.0, across)), *tips]
        day = rain_mm(all_of_it, ask.now, 86400)
        found.append((in_hour, day, heavy_rain_step(all_of_it, ask.now)))
    hour, day, step = (max(each) for each in zip(*found, strict=True))
    label = basic["quantities"]["rain_mm"]
    sums = text["rain_sums"].format(
        hour=f"<bdi>{with_unit(hour, label, basic)}</bdi>",
        day=f"<bdi>{with_unit(day, label, basic)}</bdi>",
    )
    heavy = f"<p class=n>{text['heavy_rain'][HEAVY_RAIN[step]]}</p>" if step else ""
    return f"<h2>{text['rain']}</h2>{heavy}<p>{sums}</p>"


def _last_hour(ask: Ask) -> list[Row]:
    """All readings of it that may be shown, flagged ones too: the means leave those out."""
    from kiezbox.errors import StoreError
    from kiezbox.store.boots import corrected_ms
    from kiezbox.store.reader import StoreReader

    path, version = ask.sight.store_path, ask.sight.measured()
    kept = _kept.get(path)
    if kept and kept[1] == version and time.monotonic() - kept[0] < _KEEP_S:
        return kept[2]
    since_ms = int((ask.now - 3600) * 1000)
    found: list[Row] = []
    try:
        with StoreReader(path) as reader:
            marks = reader.clock_marks()
            batch = reader.after(reader.position_since(since_ms), _MOST_ROWS)
    except StoreError:
        return []
    for each in batch:
        series = batch.series[each.series]
        if series.quantity not in (*_DUST, "rain_mm"):
            continue
        at_ms = corrected_ms(marks, each.boot, each.monotonic_ms, each.taken_ms, each.clock_trusted)
        is_known = each.clock_trusted or each.boot in marks
        if is_known and at_ms >= since_ms:
            if ask.sight.may_show(series.sensor, series.quantity, at_ms / 1000):
                found.append((series, at_ms / 1000, each.value, each.flag, each.reason))
    _kept[path] = time.monotonic(), version, found
    return found
