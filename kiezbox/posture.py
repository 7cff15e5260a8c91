"""What the network does in a mode: a table. Four postures, and nothing in between.

A posture is a word that the node may say to the root part (a file's name in ``run_dir/wanted``)
and that ``kiezbox.network.plan`` turns into interfaces, files and services.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from math import floor, isfinite

from kiezbox.mode import Mode, is_emergency_wlan

__all__ = [
    "IS_OPEN", "IS_POWERED", "POSTURES", "Posture", "Slice", "posture", "saving", "slice_at",
    "usual",
]  # fmt: skip


class Posture(StrEnum):
    """What the root part can be asked for."""

    #: No emergency WLAN. The box is a client of Freifunk; the mesh is on.
    CLOSED = "closed"
    #: Emergency WLAN on the air; every guest is led to the portal.
    EMERGENCY = "emergency"
    #: Emergency WLAN on the air, and guests use an uplink: nobody is intercepted.
    SHARED = "shared"
    #: No WLAN at all, no mesh either: the battery is empty.
    DARK = "dark"


#: mode → (emergency WLAN off, on, on and guests are given an uplink).
POSTURES: dict[Mode, tuple[Posture, Posture, Posture]] = {
    Mode.NORMAL: (Posture.CLOSED, Posture.CLOSED, Posture.CLOSED),
    Mode.EMERGENCY: (Posture.CLOSED, Posture.EMERGENCY, Posture.SHARED),
    Mode.SAVING: (Posture.CLOSED, Posture.EMERGENCY, Posture.SHARED),
    Mode.DARK: (Posture.DARK, Posture.DARK, Posture.DARK),
    # A drill shows what people would see: never an uplink that a real night would not have.
    Mode.EXERCISE: (Posture.CLOSED, Posture.EMERGENCY, Posture.EMERGENCY),
    Mode.MAINTENANCE: (Posture.CLOSED, Posture.CLOSED, Posture.CLOSED),
}

#: Whether the emergency WLAN is on the air.
IS_OPEN: dict[Posture, bool] = {
    Posture.CLOSED: False,
    Posture.EMERGENCY: True,
    Posture.SHARED: True,
    Posture.DARK: False,
}

#: Whether a switched line (``access_point.pin``) gives power, by the kind of access point: an
#: external one is a load that earns its current only while it is on the air. Otherwise the line is
#: that of a radio, or of whatever else the battery must be spared at its end.
IS_POWERED: dict[str, dict[Posture, bool]] = {
    "external": IS_OPEN,
    "radio": {each: each is not Posture.DARK for each in Posture},
    "none": {each: each is not Posture.DARK for each in Posture},
}


@dataclass(frozen=True, slots=True)
class Slice:
    """Where a time slice stands. ``changes_in_s``: seconds until it turns; None: it never does."""

    is_open: bool
    changes_in_s: float | None


def slice_at(now: float, open_s: float, every_s: float) -> Slice:
    """Slices begin at full multiples of ``every_s`` since 1970, so at full hours with 3600: a
    neighbour who missed one knows when the next one comes. ``now`` in Unix seconds.

    >>> slice_at(7200.0 + 600, 900, 3600), slice_at(7200.0 + 900, 900, 3600)
    (Slice(is_open=True, changes_in_s=300.0), Slice(is_open=False, changes_in_s=2700.0))
    """
    if open_s >= every_s or not isfinite(now):
        return Slice(True, None)
    into_s = now - floor(now / every_s) * every_s
    return Slice(into_s < open_s, (open_s if into_s < open_s else every_s) - into_s)


def saving(
    now: float, begun_s: float, *, open_s: float, every_s: float, pause_s: float = 0.0
) -> Slice:
    """Where the time slices of mode saving stand ``begun_s`` seconds after it began, or after the
    WLAN was asked for in it, whichever is later.

    Whoever is on the WLAN then, or looks for it for the first time, finds a whole slice first,
    wherever the hour stands; if the next one begins within ``pause_s`` after that, the WLAN stays
    until its end: phones give up on a network that comes and goes. Planned changes do not wait
    for anything.

    >>> saving(3000.0, 60.0, open_s=900, every_s=3600, pause_s=300)
    Slice(is_open=True, changes_in_s=1500.0)
    """
    regular = slice_at(now, open_s, every_s)
    if regular.changes_in_s is None:
        return regular
    open_for_s = regular.changes_in_s if regular.is_open else 0.0
    first_s = open_s - begun_s
    following = slice_at(now + first_s, open_s, every_s)
    rest_s = following.changes_in_s or 0.0
    if following.is_open:
        first_s += rest_s
    elif rest_s < min(pause_s, every_s - open_s):
        first_s += rest_s + open_s
    open_for_s = max(open_for_s, first_s)
    return Slice(True, open_for_s) if open_for_s > 0 else regular


def posture(mode: Mode, *, is_open: bool, is_shared: bool = False) -> Posture:
    """``is_open``: the emergency WLAN is to be on just now; ``is_shared``: guests are given an
    uplink that is there.
    """
    closed, intercepted, shared = POSTURES[mode]
    if not is_open:
        return closed
    return shared if is_shared else intercepted


def usual(mode: Mode) -> Posture:
    """The posture of a mode without uplink, while there is a cause and no slice is closed."""
    return posture(mode, is_open=is_emergency_wlan(mode, has_cause=True))
