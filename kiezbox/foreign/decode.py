"""Reads a payload of port 258, of whichever of the four generations it is.

How generations are told apart, because they share their outer numbers:

===========================  ========================================================
what is seen                 what it is
===========================  ========================================================
4, with a number inside      2024-09: a flat status, no Update. Fields 1, 3 and 4 are
where a message should be    messages in an Update; 6 and above only a status has
4.4 with a number as 1, or   2024-11: Sensor{sens_id, values}; values are unsigned
a message as 2
5 with a message as 1        2025-06: a Control with filters (Meta)
5 with a number as 1         before: 1 is the mode
5 with neither               the older reading if its value can be meant by it, else
                             the newer: 2 is a time before and a mode since, 3 the
                             router's power before and a time since
===========================  ========================================================

A field that cannot be believed is dropped and named, and never takes the others with it.
"""

from __future__ import annotations

from typing import Any

from kiezbox.foreign import wire
from kiezbox.foreign.messages import Config, Control, Distress, Message, Meta, Order, Update
from kiezbox.foreign.schema import (
    CONFIG,
    CONTROL_2024,
    CONTROL_2025,
    CORE,
    DISTRESS,
    MESSAGE,
    META,
    ROUTER,
    SENSOR,
    SENSOR_2024_11,
    STATUS,
    STATUS_NAMES,
    UPDATE,
    VALUES,
    DeviceType,
    Emergency,
    Generation,
    Kind,
    Mode,
)
from kiezbox.foreign.taking import Basket, plausible_time
from kiezbox.foreign.values import taken_values
from kiezbox.situation import plain_text

__all__ = ["MOST_TEXT", "decode", "decode_config", "why_not_order"]

#: Characters of a text that are kept.
MOST_TEXT = 200

#: Box and district are bytes in their addresses (10.D.B.1); the others have no limit of theirs.
_MOST_ID, _MOST_SENSOR, _MOST_BUTTON = 255, 65_535, 2**31 - 1

#: Their firmware makes anything else one of the two ends.
INTERVAL_MS = 10_000, 3_600_000

#: The upper limit of an order's number; times are judged by themselves.
_MOST = {
    "mode": 2, "router_power": 1, "enabled": 1, "dev_type": 3, "box_id": _MOST_ID,
    "dist_id": _MOST_ID, "sens_id": _MOST_SENSOR, "button_id": _MOST_BUTTON,
    "status_interval": INTERVAL_MS[1], "sds_warmup_time": 3_600_000,
}  # fmt: skip


def decode(payload: bytes, now: float | None = None) -> Message:
    """What a payload says. ``now``: Unix seconds by which its times are judged; None where the
    time is not known here.

    Raises:
        BadMessage: there is nothing in it that can be read.
    """
    basket = Basket(now)
    found = wire.fields(payload)
    parts = basket.sort(found, MESSAGE, "message")
    update = _update(parts["update"], basket) if "update" in parts else None
    control = _control(parts["control"], basket) if "control" in parts else None
    distress = _distress(parts["distress"], basket) if "distress" in parts else None
    if basket.is_malformed and not (update or control or distress):
        raise wire.BadMessage(f"{basket.dropped[0].field}: {basket.dropped[0].why}")
    return Message(update=update, control=control, distress=distress, dropped=tuple(basket.dropped))


# --- updates -------------------------------------------------------------------------------------


def _update(data: bytes, basket: Basket) -> Update | None:
    try:
        found = wire.fields(data)
    except wire.BadMessage as error:
        basket.malformed("update", error)
        return None
    if _is_status(found):
        return _status(basket.sort(found, STATUS, "status"), basket)
    taken = basket.sort(found, UPDATE, "update")
    meta = _meta(taken.get("meta", b""), "update.meta", basket)
    more: dict[str, Any] = {}
    generation = Generation.OPTIONAL_2024_12
    if "core" in taken:
        more = _core(taken["core"], basket)
        if "sensor" in taken:
            basket.drop("update.sensor", "a box and a sensor in one message; the box counts")
    elif "sensor" in taken:
        values, sensor, generation = _sensor(taken["sensor"], basket)
        more = {"values": values, "sent_by": DeviceType.SENSOR}
        meta = meta._replace(sens_id=meta.sens_id if sensor is None else sensor)
    return Update(
        generation=generation,
        meta=meta,
        measured_at=basket.time(taken, "unix_time", "update"),
        arrived_at=basket.time(taken, "arrival_time", "update"),
        **more,
    )


def _is_status(found: list[wire.Field]) -> bool:
    for number, type_, _ in found:
        if number in (1, 3, 4):
            return type_ != wire.LENGTH
    return any(number > 5 for number, _, _ in found)


def _status(taken: dict[str, Any], basket: Basket) -> Update:
    values = {
        STATUS_NAMES.get(name, name): number
        for name, number in taken.items()
        if STATUS_NAMES.get(name, name) in VALUES[DeviceType.CORE][1]
    }
    return Update(
        generation=Generation.STATUS_2024_09,
        meta=Meta(
            basket.number(taken, "box_id", "status", _MOST_ID),
            basket.number(taken, "dist_id", "status", _MOST_ID),
        ),
        measured_at=basket.time(taken, "unix_time", "status"),
        sent_by=DeviceType.CORE,
        is_router_on=taken.get("router_powered"),
        values=taken_values(values, DeviceType.CORE, "status", basket),
    )


def _meta(data: bytes, path: str, basket: Basket) -> Meta:
    taken = basket.read(data, META, path)
    return Meta(
        basket.number(taken, "box_id", path, _MOST_ID),
        basket.number(taken, "dist_id", path, _MOST_ID),
        basket.number(taken, "sens_id", path, _MOST_SENSOR),
        basket.word(DeviceType, taken, "dev_type", path),
    )


def _core(data: bytes, basket: Basket) -> dict[str, Any]:
    path = "update.core"
    taken = basket.read(data, CORE, path)
    router = basket.read(taken.get("router", b""), ROUTER, f"{path}.router")
    return {
        "sent_by": DeviceType.CORE,
        "mode": basket.word(Mode, taken, "mode", path),
        # Where a router is told of, what is missing is "off": a plain false is not on the wire.
        "is_router_on": router.get("powered", False) if "router" in taken else None,
        "router_version": plain_text(router.get("sw_version", ""), MOST_TEXT),
        "router_model": plain_text(router.get("model", ""), MOST_TEXT),
        "values": _values(taken.get("values", b""), DeviceType.CORE, f"{path}.values", basket),
    }


def _sensor(data: bytes, basket: Basket) -> tuple[Any, int | None, Generation]:
    """Values, the number of the sensor if it stands here, and the generation."""
    path = "update.sensor"
    try:
        found = wire.fields(data)
    except wire.BadMessage as error:
        basket.malformed(path, error)
        return (), None, Generation.OPTIONAL_2024_12
    is_old = any(number == 2 or type_ == wire.VARINT for number, type_, _ in found if number < 3)
    taken = basket.sort(found, SENSOR_2024_11 if is_old else SENSOR, path)
    values = _values(
        taken.get("values", b""), DeviceType.SENSOR, f"{path}.values", basket, is_unsigned=is_old
    )
    generation = Generation.VALUES_2024_11 if is_old else Generation.OPTIONAL_2024_12
    return values, basket.number(taken, "sens_id", path, _MOST_SENSOR), generation


def _values(
    data: bytes, sent_by: DeviceType, path: str, basket: Basket, *, is_unsigned: bool = False
) -> Any:
    kind = Kind.UINT32 if is_unsigned else Kind.INT32
    table = {number: (name, kind) for number, name in VALUES[sent_by][0].items()}
    return taken_values(basket.read(data, table, path), sent_by, path, basket)


# --- orders --------------------------------------------------------------------------------------


def _control(data: bytes, basket: Basket) -> Control | None:
    path = "control"
    try:
        found = wire.fields(data)
    except wire.BadMessage as error:
        basket.malformed(path, error)
        return None
    filters = b"".join(
        each.value for each in found if each.number == 1 and isinstance(each.value, bytes)
    )
    is_new = any(number == 1 and type_ == wire.LENGTH for number, type_, _ in found)
    to = _meta(filters, f"{path}.meta", basket)
    orders = [each for each in found if not (is_new and each.number == 1)]
    if not orders:
        generation = Generation.FILTERS_2025_06 if is_new else Generation.VALUES_2024_11
        return Control(generation=generation, to=to)
    # Only one can be set, and the last one counts.
    for _ in orders[:-1]:
        basket.drop(path, "orders more than one thing; the last one counts")
    generation, order = _order(orders[-1], is_new, basket)
    return Control(generation=generation, to=to, order=order)


def _order(field: wire.Field, is_new: bool, basket: Basket) -> tuple[Generation, Order | None]:
    number, type_, value = field
    if not is_new and number == 2 and isinstance(value, bytes):
        # 2024-11: a Router where later a time was.
        router = basket.read(value, ROUTER, "control.router")
        order = Order("router_power", int(router.get("powered", False)))
        return Generation.VALUES_2024_11, order
    before = (Generation.OPTIONAL_2024_12, CONTROL_2024)
    since = (Generation.FILTERS_2025_06, CONTROL_2025)
    why, name = "", ""
    for generation, table in [since] if is_new else [before, since]:
        if number not in table:
            continue
        inner = Basket(basket.now)
        taken = inner.sort([field], {number: table[number]}, "control")
        known = table[number][0]
        if known not in taken:
            reason = inner.dropped[0].why
        elif known in ("router_power", "enabled") and value not in (0, 1):
            # A bool by the standard, but nobody sends one so: it is something else.
            reason = f"{value!r} is neither on nor off"
        else:
            reason = why_not_order(Order(known, int(taken[known])), basket.now)
        if not reason:
            return generation, Order(known, int(taken[known]))
        why, name = (f"{why}; {reason}", f"{name}/{known}") if why else (reason, known)
    basket.drop(f"control.{name or number}", why or "nobody knows such an order")
    return since[0] if is_new else before[0], None


def why_not_order(order: Order, now: float | None) -> str:
    """Why nobody can mean this, "" if somebody can."""
    if order.name == "unix_time":
        return plausible_time(order.value, now)
    if order.name not in _MOST:
        return "nobody knows such an order"
    least = INTERVAL_MS[0] if order.name == "status_interval" else 0
    if not least <= order.value <= _MOST[order.name]:
        return f"{order.value} is outside {least} to {_MOST[order.name]}"
    return ""


# --- the rest ------------------------------------------------------------------------------------


def _distress(data: bytes, basket: Basket) -> Distress | None:
    try:
        found = wire.fields(data)
    except wire.BadMessage as error:
        basket.malformed("distress", error)
        return None
    taken = basket.sort(found, DISTRESS, "distress")
    kind = basket.word(Emergency, {"type": 0, **taken}, "type", "distress")
    return Distress(
        kind=kind,
        button_id=basket.number(taken, "button_id", "distress", _MOST_BUTTON),
        pressed_at=basket.time(taken, "unix_time", "distress"),
        text=plain_text(taken.get("message", ""), MOST_TEXT),
    )


def decode_config(data: bytes) -> Config:
    """A KiezboxControlConfig: ``kiezbox_control`` within Meshtastic's ModuleConfig.

    Raises:
        BadMessage: it cannot be read at all.
    """
    basket, path = Basket(None), "config"
    found = wire.fields(data)
    taken = basket.sort(found, CONFIG, path)
    # Field 6 was router_power, and became sens_id when that moved to 7. 0 or 1 can be either where
    # nothing after it was sent.
    if taken.get("sens_id") in (0, 1) and not any(number > 6 for number, _, _ in found):
        del taken["sens_id"]
        basket.drop(f"{path}.sens_id", "may also be the router's power of before 2024-12-05")
    least, most = INTERVAL_MS
    return Config(
        meta=Meta(
            basket.number(taken, "box_id", path, _MOST_ID),
            basket.number(taken, "dist_id", path, _MOST_ID),
            basket.number(taken, "sens_id", path, _MOST_SENSOR),
            basket.word(DeviceType, taken, "dev_type", path),
        ),
        is_enabled=taken.get("enabled"),
        interval_ms=basket.number(taken, "status_interval", path, most, least),
        mode=basket.word(Mode, taken, "mode", path),
        is_router_on=taken.get("router_power"),
        button_id=basket.number(taken, "button_id", path, _MOST_BUTTON),
        dropped=tuple(basket.dropped),
    )
