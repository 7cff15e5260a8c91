"""What Kiezbox 2.0 said, in words for a maker and for an operator."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from kiezbox.cli.mode import words

if TYPE_CHECKING:
    from kiezbox.foreign.messages import Config, Message
    from kiezbox.store.foreign_file import Logged

__all__ = ["as_json", "config_lines", "message_lines", "neighbour_lines", "order_lines",
           "status_lines"]  # fmt: skip

#: In `kiezbox status` no more than so many; `kiezbox foreign list` has all.
_MOST_IN_STATUS = 6


def neighbour_lines(view: Mapping[str, Any], now: float) -> Iterator[str]:
    """Each neighbour with its values, then the cries for help."""
    for each in view["neighbours"]:
        yield f"{each['name']}  {_about(each, now)}"
        for name, reading in each["readings"].items():
            doubt = f"  {_flag(reading['flag'])}: {reading['reason']}" if reading["flag"] else ""
            yield f"  {name} {_number(reading['value'])} {reading['unit']}{doubt}"
        if each["dropped"]:
            yield f"  {each['dropped']} fields could not be believed so far and were left out"
    for cry in view["distress"]:
        yield f"DISTRESS  {_cry(cry, now)}"


def status_lines(view: Mapping[str, Any], now: float) -> Iterator[str]:
    """A line each, for `kiezbox status`."""
    for cry in view["distress"][:_MOST_IN_STATUS]:
        yield f"DISTRESS: {_cry(cry, now)}; its words: `kiezbox foreign list`"
    neighbours = view["neighbours"]
    for each in neighbours[:_MOST_IN_STATUS]:
        battery = f", battery {each['battery_v']:.2f} V" if each["battery_v"] is not None else ""
        kind = each["kind"] or "radio"
        heard = words(now - each["last_heard_at"])
        yield f"Kiezbox 2.0 {each['name']} ({kind}), heard {heard} ago{battery}"
    if len(neighbours) > _MOST_IN_STATUS:
        yield f"and {len(neighbours) - _MOST_IN_STATUS} more: `kiezbox foreign list`"


def _about(each: Mapping[str, Any], now: float) -> str:
    parts = [each["kind"] or "radio", f"heard {words(now - each['last_heard_at'])} ago"]
    if each["measured_at"] is not None:
        parts.append(f"measured at {_moment(each['measured_at'])}")
    parts.append(f"mode {each['mode'] or 'unknown'}")
    if each["is_router_on"] is not None:
        parts.append(f"router {'on' if each['is_router_on'] else 'off'}")
    if each["rssi_dbm"] is not None:
        parts.append(f"{each['rssi_dbm']} dBm")
    if each["snr_db"] is not None:
        parts.append(f"SNR {each['snr_db']:g} dB")
    parts.append(each["node"])
    return ", ".join(parts)


def _cry(cry: Mapping[str, Any], now: float) -> str:
    kind = "medical, or not said" if cry["kind"] == "medical" else cry["kind"] or "unknown"
    button = f"button {cry['button_id']}" if cry["button_id"] is not None else cry["node"]
    text = f': "{cry["text"]}"' if cry.get("text") else ""
    heard = f"heard {words(now - cry['heard_at'])} ago"
    if not cry.get("clock_trusted", True):
        heard = "heard before this box knew the time"
    return f"{button} ({kind}), {heard}{text}"


def message_lines(message: Message) -> Iterator[str]:
    """All of a message, and what of it was not taken."""
    from kiezbox.foreign.control import say_order, say_target
    from kiezbox.foreign.neighbours import say_value
    from kiezbox.foreign.schema import DeviceType
    from kiezbox.model import Flag

    if update := message.update:
        kind = update.sent_by.name.lower() if update.sent_by is not None else "nothing"
        yield f"update of {kind}, schema of {update.generation}"
        yield f"  from {_sender(update.meta)}"
        if update.measured_at is not None:
            yield f"  measured at {_moment(update.measured_at)}"
        if update.arrived_at is not None:
            yield f"  at their gateway at {_moment(update.arrived_at)}"
        if update.sent_by == DeviceType.CORE:
            router = {True: "on", False: "off", None: "unknown"}[update.is_router_on]
            mode = update.mode.name.lower() if update.mode is not None else "unknown"
            about = " ".join(filter(None, (update.router_model, update.router_version)))
            yield f"  mode {mode}, router {router}{f' ({about})' if about else ''}"
        for value in update.values:
            found = value.measurement
            name = f"{value.sensor}/{found.quantity.value}" if found else f"({value.sensor})"
            doubt = f"  {_flag(found.flag)}: {found.reason}" if found and found.flag else ""
            assert found is None or isinstance(found.flag, Flag)
            yield f"  {value.field} = {value.wire}: {name} {say_value(value)}{doubt}"
    if control := message.control:
        what = say_order(control.order) if control.order else "nothing that can be meant"
        yield f"order, schema of {control.generation}: {what}; to {say_target(control.to)}"
    if distress := message.distress:
        pressed = f", pressed at {_moment(distress.pressed_at)}" if distress.pressed_at else ""
        kind = distress.kind.name.lower() if distress.kind is not None else "unknown"
        said = " (or not said)" if kind == "medical" else ""
        yield f"distress, {kind}{said}, button {distress.button_id}{pressed}: {distress.text!r}"
    if not (message.update or message.control or message.distress):
        yield "nothing: somebody asks who is there"
    for field, why in message.dropped:
        yield f"  left out: {field}: {why}"


def config_lines(config: Config) -> Iterator[str]:
    """A node's settings."""
    mode = config.mode.name.lower() if config.mode is not None else "not said (or maintenance)"
    pause = f"{config.interval_ms / 1000:g} s" if config.interval_ms else "not said"
    yield f"settings of {_sender(config.meta)}: mode {mode}, pause {pause}"
    for field, why in config.dropped:
        yield f"  left out: {field}: {why}"


def _sender(meta: Any) -> str:
    names = (("box", meta.box_id), ("district", meta.dist_id), ("sensor", meta.sens_id))
    return ", ".join(f"{name} {value}" for name, value in names if value is not None) or "nobody"


def order_lines(logged: Sequence[Logged], now: float) -> Iterator[str]:
    for each in logged:
        state = each.state
        if state == "waiting":
            left_s = each.until - now
            state = f"waits, for another {words(left_s)}" if left_s > 0 else "was never sent"
        else:
            state = f"{state} at {_moment(each.state_at)}"
        yield f"{each.number}  {_moment(each.ordered_at)}  {each.by}: {each.what}; to {each.target}"
        yield f"    {state}  {each.payload.hex()}"


def as_json(message: Any) -> Any:
    """A message for programs: enumerations by name, what was not said is null."""
    from dataclasses import fields, is_dataclass
    from enum import Enum, IntEnum

    if is_dataclass(message):
        return {each.name: as_json(getattr(message, each.name)) for each in fields(message)}
    if isinstance(message, IntEnum):
        return message.name.lower()
    if isinstance(message, Enum):
        return message.value
    if isinstance(message, tuple) and hasattr(message, "_fields"):
        return {name: as_json(getattr(message, name)) for name in message._fields}
    if isinstance(message, tuple):
        return [as_json(each) for each in message]
    return message


def _moment(at: float) -> str:
    try:
        return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    except (ValueError, OverflowError, OSError):
        return "?"


def _number(value: float) -> str:
    return f"{round(value, 3):g}" if abs(value) < 1e6 else f"{value:.0f}"


def _flag(flag: int) -> str:
    from kiezbox.model import Flag

    return Flag(flag).name.lower()
