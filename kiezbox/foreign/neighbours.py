"""Which boxes of Kiezbox 2.0 are there: what each said last, and when it was heard.

A node number on the air is what its sender says it is, so the table is bounded, and a flood of
invented ones must not push out those that are known: where there is no room, those go first that
were heard for less than an hour, the one heard longest ago before all; a node that was heard for
longer goes only if it has been silent for a day.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from kiezbox.foreign.decode import decode, decode_config
from kiezbox.foreign.envelope import config_of
from kiezbox.foreign.messages import Config, Message, Update, Value
from kiezbox.foreign.schema import DeviceType, Mode
from kiezbox.foreign.wire import BadMessage
from kiezbox.units import UNITS

__all__ = ["FORGET_S", "MOST_NODES", "Heard", "Neighbour", "Neighbours", "document", "said",
           "say_value"]  # fmt: skip

#: A roof has a handful; a district of theirs has twenty.
MOST_NODES = 64

_HOUR_S, _DAY_S = 3600.0, 86400.0

#: Who was silent for so long is no neighbour any more, and not shown.
FORGET_S = 30 * _DAY_S


@dataclass(frozen=True, slots=True, kw_only=True)
class Neighbour:
    """One of their radios. ``node``: its number in Meshtastic. Times are Unix seconds by this box's
    clock; ``update``, ``config``: the last payloads that could be read, b"" if there was none.
    """

    node: int
    first_heard_at: float
    last_heard_at: float
    messages: int = 0
    #: Fields that could not be believed, and payloads that could not be read.
    dropped: int = 0
    rssi_dbm: int | None = None
    snr_db: float | None = None
    update: bytes = b""
    update_at: float = 0.0
    config: bytes = b""
    config_at: float = 0.0

    @property
    def is_known(self) -> bool:
        """Whether it is more than somebody who was heard once."""
        # Where the clock was set in between, the difference may be anything.
        return abs(self.last_heard_at - self.first_heard_at) >= _HOUR_S


@dataclass(frozen=True, slots=True)
class Heard:
    """What came of a payload. ``message`` is None where it cannot be read (``why`` says it);
    ``neighbour`` where the table has no room for its sender.
    """

    message: Message | None
    neighbour: Neighbour | None
    is_new: bool = False
    why: str = ""


class Neighbours:
    """The table. Used by one thread."""

    def __init__(self, known: Iterable[Neighbour] = (), *, most: int = MOST_NODES) -> None:
        """``known``: as it was kept."""
        self._nodes = {each.node: each for each in known}
        self._most = most
        #: Those that had to make room, for whoever keeps them; he empties it.
        self.gone: set[int] = set()
        #: Senders for whom there was no room, and payloads that could not be read.
        self.turned_away = 0
        self.unreadable = 0

    def __len__(self) -> int:
        return len(self._nodes)

    def all(self) -> list[Neighbour]:
        """Those heard last come first."""
        return sorted(self._nodes.values(), key=lambda each: (-each.last_heard_at, each.node))

    def heard(
        self, payload: bytes, from_node: int, rssi: int | None, snr: float | None, now: float
    ) -> Heard:
        """Take in a payload of port 258. Never raises: what comes is hostile."""
        try:
            message: Message | None = decode(payload, now)
            why = ""
        except BadMessage as error:
            message, why = None, str(error)
            self.unreadable += 1
        before = self._nodes.get(from_node)
        if before is None and (message is None or not self._makes_room(now)):
            # Who has never said anything that can be read is no neighbour.
            self.turned_away += message is not None
            return Heard(message, None, False, why)
        after = before or Neighbour(node=from_node, first_heard_at=now, last_heard_at=now)
        after = replace(
            after,
            last_heard_at=now,
            messages=after.messages + 1,
            dropped=after.dropped + (1 if message is None else len(message.dropped)),
            rssi_dbm=rssi,
            snr_db=snr,
        )
        # With a cry for help in it, the payload would stay for as long as the neighbour does.
        if message is not None and message.update is not None and message.distress is None:
            after = replace(after, update=payload, update_at=now)
        self._nodes[from_node] = after
        self.gone.discard(from_node)
        return Heard(message, after, before is None, why)

    def heard_config(self, payload: bytes, from_node: int, now: float) -> Config | None:
        """Take in a payload of the administrators' port; None where it says nothing of this kind,
        or comes from a node that never spoke on port 258: newer Meshtastic may use the same numbers
        for something else.
        """
        before = self._nodes.get(from_node)
        if before is None:
            return None
        try:
            found = config_of(payload)
            config = None if found is None else decode_config(found)
        except BadMessage:
            return None
        if config is not None and found is not None:
            self._nodes[from_node] = replace(before, config=found, config_at=now, last_heard_at=now)
        return config

    def _makes_room(self, now: float) -> bool:
        while len(self._nodes) >= self._most:
            oldest = min(self._nodes.values(), key=lambda each: (each.is_known, each.last_heard_at))
            if oldest.is_known and abs(now - oldest.last_heard_at) < _DAY_S:
                return False
            del self._nodes[oldest.node]
            self.gone.add(oldest.node)
        return True


# --- for people and programs ---------------------------------------------------------------------


def said(each: Neighbour) -> tuple[Update | None, Config | None]:
    """What it said last, read once more."""
    update = config = None
    try:
        update = decode(each.update, each.update_at).update if each.update else None
        config = decode_config(each.config) if each.config else None
    except BadMessage:
        pass
    return update, config


def say_value(value: Value) -> str:
    """A value with its unit, for people."""
    if value.measurement is None:
        return f"{value.wire / 1000:.2f} kWh"
    return UNITS[value.measurement.quantity].say(value.measurement.value)


def document(each: Neighbour) -> Mapping[str, Any]:
    """All that is known of it, for JSON. ``name`` is a text for people; the values are called as
    ours are (``outside/temperature_c``), and those for which we have no quantity by their own name.
    """
    update, config = said(each)
    meta = update.meta if update else (config.meta if config else None)
    mode = config.mode if config else None
    if update is not None and update.mode is not None:
        mode = update.mode
    kind = update.sent_by if update else None
    readings: dict[str, Any] = {}
    for value in update.values if update else ():
        found = value.measurement
        if found is None:
            readings[f"{value.sensor}/{value.field}"] = {
                "value": value.wire / 1000, "unit": "kWh", "flag": 0, "reason": "",
            }  # fmt: skip
        else:
            readings[f"{value.sensor}/{found.quantity.value}"] = {
                "value": found.value,
                "unit": UNITS[found.quantity].text,
                "flag": int(found.flag),
                "reason": found.reason,
            }
    return {
        "node": f"!{each.node:08x}",
        "name": _name(each, update),
        "kind": kind.name.lower() if kind is not None else None,
        "box_id": meta.box_id if meta else None,
        "dist_id": meta.dist_id if meta else None,
        "sens_id": meta.sens_id if meta else None,
        "mode": mode.name.lower() if isinstance(mode, Mode) else None,
        "is_router_on": update.is_router_on if update else None,
        "interval_s": config.interval_ms / 1000 if config and config.interval_ms else None,
        "battery_v": update.battery_v if update else None,
        "measured_at": update.measured_at if update else None,
        "generation": str(update.generation) if update else None,
        "first_heard_at": each.first_heard_at,
        "last_heard_at": each.last_heard_at,
        "updated_at": each.update_at or None,
        "messages": each.messages,
        "dropped": each.dropped,
        "rssi_dbm": each.rssi_dbm,
        "snr_db": each.snr_db,
        "readings": readings,
    }


def _name(each: Neighbour, update: Update | None) -> str:
    """As their operators speak of it: district and box.

    The numbers are decimal, as in their database; on their labels they are hexadecimal.
    """
    if update is None or (update.meta.box_id is None and update.meta.dist_id is None):
        return f"node !{each.node:08x}"
    meta = update.meta
    dist = "?" if meta.dist_id is None else meta.dist_id
    box = "?" if meta.box_id is None else meta.box_id
    sensor = f" sensor {'?' if meta.sens_id is None else meta.sens_id}"
    return f"{dist}/{box}{sensor if update.sent_by is DeviceType.SENSOR else ''}"
