"""The table ``[kiez]`` of kiezbox.toml: the other boxes, and who of them is believed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from typing import NamedTuple

from kiezbox.model import is_box_id
from kiezbox.settings.declaring import setting

__all__ = ["KiezSettings", "Place", "place_of"]

_HEX = re.compile("[0-9a-f]{64}")

#: Where boxes exchange words (``network.nftables`` lets it in from the mesh).
PORT = 7412


class Place(NamedTuple):
    """Where a box can be called."""

    box: str
    address: str
    port: int


def place_of(text: str) -> Place | None:
    """``BOX@ADDRESS``, with ``:PORT`` behind it if it is another; IPv6 then in brackets. None: it
    is no such thing. Addresses, not names: in a blackout nobody looks names up.

    >>> place_of("kb-nord@10.43.7.1")
    Place(box='kb-nord', address='10.43.7.1', port=7412)
    >>> place_of("kb-nord@[fd00::1]:7000")
    Place(box='kb-nord', address='fd00::1', port=7000)
    """
    box, _, where = text.partition("@")
    found = re.fullmatch(r"\[([^\]]*)\](?::(\d{1,5}))?", where)
    found = found or re.fullmatch(r"([0-9.]+)(?::(\d{1,5}))?", where)
    address, port = (found[1], int(found[2] or PORT)) if found else (where, PORT)
    try:
        ip_address(address)
    except ValueError:
        return None
    return Place(box, address, port) if is_box_id(box) and 0 < port < 65536 else None


def _check_members(value: Mapping[str, str]) -> str:
    for box, key in value.items():
        if not is_box_id(box):
            return f"names {box!r}, which is no box: lower-case letters, digits, inner hyphens"
        if not isinstance(key, str) or not _HEX.fullmatch(key):
            return f"must give {box} a key of 64 digits (0-9, a-f): `kiezbox sync key` prints it"
    return ""


def _check_peers(value: tuple[str, ...]) -> str:
    wrong = [each for each in value if not isinstance(each, str) or place_of(each) is None]
    return f"has {wrong[0]!r}, which is not BOX@ADDRESS or BOX@ADDRESS:PORT" if wrong else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class KiezSettings:
    """``[kiez]``"""

    peers: tuple[str, ...] = setting(
        (),
        help="Boxes that are called where they cannot be heard: BOX@ADDRESS. Those of the mesh\n"
        "are found by themselves. They must be members all the same.",
        check=_check_peers,
        example=("kb-rathaus@10.43.7.1",),
    )
    listen: str = setting(
        f"[::]:{PORT}",
        help="Where this box can be called by the members. Nothing listens while there are none.",
    )
    silent_s: float = setting(
        3600.0,
        help="When no other box was heard for so long, it is a fault.",
        unit="s",
        least=60,
        most=2592000,
    )
    members: Mapping[str, str] | None = setting(
        None,
        help='The boxes of this Kiez and their keys (`kiezbox sync key`): kb-nord = "4f…". What\n'
        "they took in is taken over; nobody else's is.",
        check=_check_members,
        example={"kb-nord": "4f" * 32},
    )
