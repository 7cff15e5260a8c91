"""Computers as a survey would find them, and boxes as makers set them up."""

from __future__ import annotations

import tomllib
from typing import Any

from kiezbox.network import Interface, Machine, Radio
from kiezbox.settings import Settings, parse

BOX = '[box]\nid = "kb-1"\n'


def box(text: str = "") -> Settings:
    """Settings from what a maker would write below ``[box]``."""
    return parse(Settings, tomllib.loads(BOX + text))


def computer(**changes: Any) -> Machine:
    """A Raspberry Pi with an Ethernet port and a WLAN adapter that can be anything."""
    usual: dict[str, Any] = {
        "interfaces": (
            Interface(name="eth0", is_up=True),
            Interface(name="wlan0", phy="phy0", is_up=True),
        ),
        "radios": (Radio(phy="phy0", most_points=8),),
        "uplink": "eth0",
        "country": "DE",
    }
    return Machine(**(usual | changes))
