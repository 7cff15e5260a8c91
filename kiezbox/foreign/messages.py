"""What a message of Kiezbox 2.0 says, once it was read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from kiezbox.foreign.schema import DeviceType, Emergency, Generation, Mode
from kiezbox.model import Measurement

__all__ = ["Config", "Control", "Distress", "Dropped", "Message", "Meta", "Order", "Update",
           "Value"]  # fmt: skip


class Dropped(NamedTuple):
    """A field that was not taken: which (``update.core.values.temp_out``), and why."""

    field: str
    why: str


class Meta(NamedTuple):
    """Who speaks; in a Control, who is meant. None: not said. District and box are plain numbers
    here; where their installers write them, they are hexadecimal (113 is "71").
    """

    box_id: int | None = None
    dist_id: int | None = None
    sens_id: int | None = None
    dev_type: DeviceType | None = None


class Value(NamedTuple):
    """One measured value. ``field`` and ``wire``: their name, and their number as it was sent.
    ``sensor``, ``measurement``: the same in our words. ``measurement`` is None where we have no
    quantity for it.
    """

    field: str
    wire: int
    sensor: str
    measurement: Measurement | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Update:
    """What a box or a sensor tells of itself. Times are Unix seconds; None: not said."""

    generation: Generation
    meta: Meta = Meta()
    #: By its own clock.
    measured_at: int | None = None
    #: Set by their gateway only, never heard on the air.
    arrived_at: int | None = None
    #: CORE or SENSOR, by what it sent and not by what it calls itself; None: neither.
    sent_by: DeviceType | None = None
    #: Their firmware never says it.
    mode: Mode | None = None
    is_router_on: bool | None = None
    router_version: str = ""
    router_model: str = ""
    values: tuple[Value, ...] = ()

    @property
    def battery_v(self) -> float | None:
        for value in self.values:
            if value.field == "battery_voltage" and value.measurement is not None:
                return value.measurement.value
        return None


class Order(NamedTuple):
    """The one thing that a Control sets: ``mode`` to 2, ``status_interval`` to 60000 (ms)."""

    name: str
    value: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Control:
    """An operator's order to boxes. This box never obeys one."""

    generation: Generation
    to: Meta = Meta()
    #: None: nothing, or nothing that can be meant.
    order: Order | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Distress:
    """Somebody pressed an emergency button."""

    kind: Emergency | None = None
    button_id: int | None = None
    pressed_at: int | None = None
    #: Made safe to show.
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One payload on port 258. All three parts are None where somebody only asks who is there."""

    update: Update | None = None
    control: Control | None = None
    distress: Distress | None = None
    dropped: tuple[Dropped, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """How a node is set up, by its answer to an administrator. Plain zeros are not on the wire:
    what is missing is 0 or false there, and None here.
    """

    meta: Meta = Meta()
    is_enabled: bool | None = None
    interval_ms: int | None = None
    mode: Mode | None = None
    is_router_on: bool | None = None
    button_id: int | None = None
    dropped: tuple[Dropped, ...] = ()
