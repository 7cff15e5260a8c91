"""What the box measures, as a small table of the first page."""

from __future__ import annotations

from kiezbox.portal.words import age, escape, number

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from kiezbox.situation import Facts

__all__ = ["at_step", "heading", "rows_of", "with_datum"]

#: What the street asks for first; the others behind, by name.
_ORDER = (
    "temperature_c", "pm2_5_ug_m3", "pm10_ug_m3", "humidity_percent", "pressure_hpa",
)  # fmt: skip

#: Readings older than this are grey.
OLD_READING_S = 900


def rows_of(facts: Facts, text: dict[str, Any]) -> list[str]:
    """A row for each reading that the street wants to know; voltages are in the data, and in words
    elsewhere.
    """
    labels = text["quantities"]
    named = [(*name.partition("/")[::2], latest) for name, latest in facts["latest"].items()]
    known = [each for each in named if each[1] in labels]
    seen = [quantity for _, quantity, _ in known]
    rows = []
    reached = {(each["sensor"], each["quantity"]): each for each in facts["steps"] if each["step"]}
    for sensor, quantity, latest in sorted(known, key=_place):
        label = labels[quantity][0] + (f" ({sensor})" if seen.count(quantity) > 1 else "")
        value = _value(latest, labels[quantity], text)
        step = (reached.get((sensor, quantity)) or {}).get("step")
        if step in text["step_names"]:
            value += f" · {text['step_names'][step]}"
        rows.append(_row(label, value, latest["taken_at"], facts, text))
    return rows


def _place(reading: tuple[str, str, Any]) -> tuple[int, str]:
    quantity = reading[1]
    return (_ORDER.index(quantity) if quantity in _ORDER else len(_ORDER)), quantity


def at_step(each: dict[str, Any], now: float, text: dict[str, Any]) -> str:
    """Of an entry of now.json's ``steps``: ``Water level: 1.52 m above the bed (2 minutes ago)``;
    "" where nothing was measured, or the quantity has no name. Not yet escaped.
    """
    label = text["quantities"].get(each["quantity"])
    if label is None or each["value"] is None:
        return ""
    return str(
        text["at_step"].format(
            name=label[0], value=with_datum(each, text), age=age(each["taken_at"], now, text)
        )
    )


def with_datum(each: dict[str, Any], text: dict[str, Any], around: str = "{}") -> str:
    """Its value, and from where a water level counts. ``around``: what the value stands in."""
    _, unit, decimals = text["quantities"][each["quantity"]]
    value = text["measured"].format(value=number(each["value"], int(decimals), text), unit=unit)
    shown = around.format(value)
    return str(text["datums"].get(each["datum"], "{value}").format(value=shown))


def heading(text: dict[str, Any], rows: Iterable[str]) -> str:
    """The table under its heading."""
    return f"<h2>{text['readings']}</h2><table>{''.join(rows)}</table>"


def _row(label: str, value: str, taken_at: float | None, facts: Facts, text: dict[str, Any]) -> str:
    is_old = taken_at is None or not 0 <= facts["now"] - taken_at <= OLD_READING_S
    grey = ' class="o"' if is_old else ""
    return (
        f'<tr{grey}><th scope="row">{escape(label)}<br><small>{age(taken_at, facts["now"], text)}'
        f"</small></th><td>{value}</td></tr>"
    )


def _value(latest: dict[str, Any], label: tuple[str, str, str], text: dict[str, Any]) -> str:
    _, unit, decimals = label
    if latest["value"] is None or latest["flag"] not in (0, 1):
        return str(text["unusable"])
    shown = text["measured"].format(value=number(latest["value"], int(decimals), text), unit=unit)
    return shown if latest["flag"] == 0 else str(text["suspect"].format(value=shown))
