"""Orders to boxes of Kiezbox 2.0: who is meant must be said, and all of them twice.

An order of theirs carries no signature: whoever has the channel's key can give it, every box in
reach of the radio hears it, and the filter alone decides who obeys. An empty filter is everybody.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from kiezbox.errors import UsageError
from kiezbox.foreign import wire
from kiezbox.foreign.decode import why_not_order
from kiezbox.foreign.messages import Meta, Order
from kiezbox.foreign.schema import (
    CONTROL_2024,
    CONTROL_2025,
    MESSAGE,
    META,
    DeviceType,
    Generation,
    Mode,
)

__all__ = ["ORDERS", "encode_control", "is_for_all", "parse_order", "say_order", "say_target"]


def is_for_all(to: Meta) -> bool:
    """Whether nobody in particular is meant. A kind of device alone is everybody of that kind."""
    return to.box_id is to.dist_id is to.sens_id is None


def encode_control(
    order: Order,
    to: Meta,
    *,
    for_all: bool = False,
    generation: Generation = Generation.FILTERS_2025_06,
    now: float | None = None,
) -> bytes:
    """The payload that orders it. ``for_all`` must be True where nobody in particular is meant, and
    only there. ``generation`` OPTIONAL_2024_12: for firmware of December 2024 to May 2025, which
    knows no filter.

    Raises:
        UsageError: the order or the filter cannot be meant, or everybody is meant and
            ``for_all`` does not say so.
    """
    table = {
        Generation.FILTERS_2025_06: CONTROL_2025, Generation.OPTIONAL_2024_12: CONTROL_2024,
    }.get(generation)  # fmt: skip
    if table is None:
        raise UsageError(
            f"orders of generation {generation} are not made",
            hint="2025-06 for firmware since then, 2024-12 for older.",
        )
    if for_all and not is_for_all(to):
        raise UsageError("either all boxes or some of them", hint="Leave out one of the two.")
    if not for_all and is_for_all(to):
        raise UsageError(
            "nobody in particular is meant, so all boxes in reach would obey",
            hint="Name a box and its district; or say that all are meant (--to-all-boxes).",
        )
    numbers = {name: number for number, (name, _) in table.items()}
    why = why_not_order(order, now)
    if why or order.name not in numbers:
        raise UsageError(f"{order.name}: {why or f'not in generation {generation}'}")
    has_filter = generation == Generation.FILTERS_2025_06
    if not has_filter and any(each is not None for each in to):
        raise UsageError(
            "firmware from before June 2025 knows no filter: every box would obey",
            hint="Say that all are meant (--to-all-boxes), or update those boxes.",
        )
    body = wire.put_bytes(1, _filter(to)) if has_filter else b""
    body += wire.put_varint(numbers[order.name], order.value)
    (outer,) = (number for number, (name, _) in MESSAGE.items() if name == "control")
    return wire.put_bytes(outer, body)


def _filter(to: Meta) -> bytes:
    for name, value in zip(to._fields, to, strict=True):
        most = 65_535 if name == "sens_id" else 255
        if value is not None and not 0 <= value <= most:
            raise UsageError(f"{name} {value} is outside 0 to {most}")
    return b"".join(
        wire.put_varint(number, value)
        for number, (name, _) in META.items()
        if (value := getattr(to, name)) is not None
    )


# --- in words ------------------------------------------------------------------------------------


class Spoken(NamedTuple):
    """How people say an order: ``mode emergency``."""

    name: str
    help: str
    #: Number of a word; raises ValueError or KeyError.
    number: Callable[[str], int]
    #: The words for ``--help``, "" for a number.
    words: str


def _switch(word: str) -> int:
    return {"on": 1, "off": 0}[word]


def _seconds(word: str) -> int:
    unit = {"s": 1000, "m": 60_000, "h": 3_600_000}
    return int(float(word[:-1]) * unit[word[-1:]])


def _whole(word: str) -> int:
    return int(word, 0)


ORDERS: dict[str, Spoken] = {
    "mode": Spoken("mode", "what their page shows; it switches nothing on",
                   lambda word: Mode[word.upper()], "maintenance|normal|emergency"),
    "router": Spoken("router_power", "the router's relay", _switch, "on|off"),
    "interval": Spoken("status_interval", "pause between two messages", _seconds, "10s to 1h"),
    "time": Spoken("unix_time", "sets their clock: Unix seconds, or now", _whole, "now"),
    "box-id": Spoken("box_id", "gives the box another number", _whole, ""),
    "dist-id": Spoken("dist_id", "gives the box another district", _whole, ""),
    "sens-id": Spoken("sens_id", "gives the sensor another number", _whole, ""),
    "warm-up": Spoken("sds_warmup_time", "of the dust sensor, in the firmware's own unit", _whole,
                      ""),
    "module": Spoken("enabled", "their whole module", _switch, "on|off"),
    "type": Spoken("dev_type", "makes it another kind of device",
                   lambda word: DeviceType[word.upper()], "core|sensor|display|button"),
    "button-id": Spoken("button_id", "gives the button another number", _whole, ""),
}  # fmt: skip


def parse_order(name: str, word: str, now: float | None = None) -> Order:
    """An order as somebody types it.

    >>> parse_order("interval", "5m")
    Order(name='status_interval', value=300000)

    Raises:
        UsageError: there is no such order, or its word means nothing.
    """
    spoken = ORDERS.get(name)
    if spoken is None:
        raise UsageError(f"there is no order {name!r}", hint=f"There are {', '.join(ORDERS)}.")
    if name == "time" and word == "now":
        if now is None:
            raise UsageError(
                "this box does not know the time well enough to tell others",
                hint="`kiezbox clock` says whose word counts here.",
            )
        return Order(spoken.name, int(now))
    try:
        return Order(spoken.name, int(spoken.number(word)))
    except (ValueError, KeyError, OverflowError) as error:
        raise UsageError(
            f"{name} {word} means nothing", hint=f"{name} {spoken.words or 'NUMBER'}"
        ) from error


def say_order(order: Order) -> str:
    """The other way round.

    >>> say_order(Order("mode", 2)), say_order(Order("status_interval", 60000))
    ('mode emergency', 'interval 60s')
    """
    for name, spoken in ORDERS.items():
        if spoken.name != order.name:
            continue
        words = spoken.words.split("|")
        if name == "interval":
            return f"{name} {order.value / 1000:g}s"
        for word in words if "|" in spoken.words else ():
            if spoken.number(word) == order.value:
                return f"{name} {word}"
        return f"{name} {order.value}"
    return f"{order.name} {order.value}"


def say_target(to: Meta) -> str:
    """Who is meant.

    >>> say_target(Meta(box_id=1, dist_id=113)), say_target(Meta())
    ('box 1, district 113', 'ALL boxes in reach')
    """
    names = (("box", to.box_id), ("district", to.dist_id), ("sensor", to.sens_id))
    parts = [f"{name} {value}" for name, value in names if value is not None]
    if to.dev_type is not None:
        parts.append(f"only of type {to.dev_type.name.lower()}")
    if is_for_all(to):
        parts.insert(0, "ALL boxes in reach")
    return ", ".join(parts)
