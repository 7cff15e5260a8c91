"""Meshtastic's messages, by the library's own definitions, loaded when a simulated radio is made.

The package ``meshtastic`` takes half a second and 30 MB, so nothing imports it before.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from types import SimpleNamespace
from typing import Any

from kiezbox.errors import MissingPackage

__all__ = ["CONFIGS", "MODULE_CONFIGS", "PORTS", "Error", "protobufs"]

#: The parts of a radio's settings, in the order in which a radio tells them.
CONFIGS = (
    "device", "position", "power", "network", "display", "lora", "bluetooth", "security",
    "sessionkey", "device_ui",
)  # fmt: skip
MODULE_CONFIGS = (
    "mqtt", "serial", "external_notification", "store_forward", "range_test", "telemetry",
    "canned_message", "audio", "remote_hardware", "neighbor_info", "detection_sensor",
    "ambient_lighting", "paxcounter",
)  # fmt: skip


class PORTS:
    """What a message is about (``PortNum``), as far as a radio itself cares."""

    TEXT = 1
    POSITION = 3
    NODEINFO = 4
    ROUTING = 5
    ADMIN = 6
    WAYPOINT = 8
    ALERT = 11
    TELEMETRY = 67
    TRACEROUTE = 70


class Error:
    """Why something was not sent or not delivered (``Routing.Error``, and ``ErrorCode`` of the
    firmware from 32 on where it says so).
    """

    NONE = 0
    MAX_RETRANSMIT = 5
    NO_CHANNEL = 6
    TOO_LARGE = 7
    NO_RESPONSE = 8
    DUTY_CYCLE_LIMIT = 9
    BAD_REQUEST = 32
    NOT_AUTHORIZED = 33
    PKI_UNKNOWN_PUBKEY = 35
    #: Only in a queue's status: the queue is full of what is more urgent, the radio has no region.
    QUEUE_FULL = 32
    DISABLED = 34


@cache
def protobufs() -> Any:
    """The modules: ``.mesh``, ``.admin``, ``.channel``, ``.config`` and so on.

    Raises:
        MissingPackage: ``meshtastic`` is not installed.
    """
    names = ("mesh", "admin", "channel", "config", "module_config", "localonly", "telemetry")
    try:
        found = {name: import_module(f"meshtastic.protobuf.{name}_pb2") for name in names}
    except ImportError as error:
        raise MissingPackage(
            "a simulated Meshtastic radio needs the package meshtastic",
            hint="pip install 'kiezbox[lora]'",
        ) from error
    return SimpleNamespace(**found)
