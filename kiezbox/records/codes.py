"""Coded bulletins: a number and parameters, which every phone shows in its own language.

The words stand in the catalogues (``i18n/*/codes.po``); here is what is the same in all of them.
Numbers go on the air: once released, a number keeps its meaning for ever.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

__all__ = ["CODES", "Code", "code_named", "severity_of"]


class Code(NamedTuple):
    """``severity`` (0 to 4, CAP's minor to extreme from 1 on) is what it means at least: whoever
    may not say anything so grave may not say this code. ``needs``: parameters (out of
    ``kinds.PARAMETERS``) without which it says nothing. ``is_all_clear``: a danger is over.
    """

    number: int
    name: str
    severity: int
    needs: tuple[str, ...] = ()
    is_all_clear: bool = False


_CODES = (
    # Where to go.
    Code(1, "water_open", 1, ("place",)),
    Code(2, "water_closed", 1, ("place",)),
    Code(3, "warm_room", 1, ("place",)),
    Code(4, "shelter", 1, ("place",)),
    Code(5, "food", 1, ("place",)),
    Code(6, "medical_point", 1, ("place",)),
    Code(7, "charging", 0, ("place",)),
    Code(8, "toilets", 0, ("place",)),
    Code(9, "pharmacy", 1, ("place",)),
    Code(10, "help_point_open", 1, ("place",)),
    Code(11, "help_point_closed", 1, ("place",)),
    Code(12, "call_point", 2, ("place",)),
    Code(13, "meeting", 0, ("place",)),
    # Power.
    Code(20, "power_at", 1, ("at",)),
    Code(21, "power_not_before", 1, ("at",)),
    Code(22, "switch_off", 2),
    Code(23, "power_back", 1, (), True),
    Code(24, "power_in_turns", 1),
    Code(25, "generators", 2),
    # Water from the tap.
    Code(30, "boil_water", 3),
    Code(31, "water_unsafe", 3),
    Code(32, "water_safe", 2, (), True),
    Code(33, "save_water", 1),
    # Danger.
    Code(40, "stay_inside", 3),
    Code(41, "leave_area", 4),
    Code(42, "avoid_area", 2, ("place",)),
    Code(43, "flood_rising", 3),
    Code(44, "fire_nearby", 3),
    Code(45, "heat", 2),
    Code(46, "storm", 2),
    # Everyday life.
    Code(50, "school_closed", 0),
    Code(51, "no_trains", 0),
    Code(52, "listen_to", 0, ("what",)),
    Code(53, "helpers_wanted", 0, ("place",)),
    Code(60, "all_clear", 2, (), True),
)

CODES: dict[int, Code] = {code.number: code for code in _CODES}

_NAMED = {code.name: code for code in _CODES}

#: "The danger is over" may be said only by those who may say that there is one.
_ALL_CLEAR = 2

#: A code of a newer release: nobody knows how grave it is.
_UNKNOWN = 4


def code_named(name: str) -> Code:
    """The code of this name; KeyError: there is none."""
    return _NAMED[name]


def severity_of(body: Mapping[str, Any]) -> int:
    """How grave a bulletin's body is: by what it says of itself, and at least what its code means.

    >>> severity_of({"code": 41}), severity_of({"text": "Suppe"}), severity_of({"is_all_clear": 1})
    (4, 0, 2)
    """
    number = body.get("code")
    code = CODES.get(number) if number is not None else None
    least = 0 if number is None else code.severity if code else _UNKNOWN
    is_all_clear = bool(body.get("is_all_clear")) or (code is not None and code.is_all_clear)
    return max(int(body.get("severity", 0)), least, _ALL_CLEAR if is_all_clear else 0)
