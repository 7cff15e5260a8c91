"""The table ``[radio]`` of kiezbox.toml: a Meshtastic radio, by which boxes talk over LoRa."""

from __future__ import annotations

import re
from dataclasses import dataclass

from kiezbox.airtime import PRESETS
from kiezbox.settings.declaring import setting

__all__ = ["FREQUENCIES_MHZ", "RadioSettings"]

#: Where Meshtastic sends, by its name of the region (its one slot there).
FREQUENCIES_MHZ = {"EU_868": 869.525}

_ADDRESS = re.compile(r"/[^\0]+|tcp:[A-Za-z0-9.-]+(:\d{1,5})?|")


def _check_address(value: str) -> str:
    return "" if _ADDRESS.fullmatch(value) else "is no path of a port, nor tcp:HOST:PORT"


def _check_channel(value: str) -> str:
    return "" if 0 < len(value.encode()) <= 11 else "must have 1 to 11 letters"


@dataclass(frozen=True, slots=True, kw_only=True)
class RadioSettings:
    """``[radio]``"""

    address: str = setting(
        "",
        help="Where the radio is: its serial port under the name that stays, or tcp:HOST (port\n"
        "4403 if none is named). Empty: there is none. The box sets it up as said here.",
        check=_check_address,
        example="/dev/serial/by-id/usb-RAKwireless_WisCore_RAK4631-if00",
    )
    region: str = setting(
        "EU_868",
        help="Whose rules hold, by Meshtastic's name: a tenth of any hour at 869.525 MHz.",
        choices=tuple(FREQUENCIES_MHZ),
    )
    preset: str = setting(
        "MEDIUM_FAST",
        help="How the radio sends; the same on all boxes of a Kiez. Slower reaches farther and\n"
        "takes more of the hour.",
        choices=tuple(PRESETS),
    )
    channel: str = setting(
        "Kiez",
        help="Name of the radio's channel; the same on all boxes. Its key follows from key_file.",
        check=_check_channel,
    )
    hop_limit: int = setting(
        3,
        help="How often radios relay what this one says of itself, and official words for the\n"
        "whole city. What boxes say to each other is not relayed by radios.",
        least=0,
        most=7,
    )
    key_file: str = setting(
        "",
        help="The Kiez's key, the same on all boxes, readable by the node alone (mode 0600). By\n"
        "default kiez.key beside the database. `kiezbox radio key new` makes one.",
    )
