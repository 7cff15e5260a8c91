"""How a box is, in 22 bytes: what its neighbours and those who help need of it.

======  =====================================================================
bits    meaning
======  =====================================================================
8       version and kind
32      origin id (``origins``)
24      said at: minutes since 2025-01-01T00:00Z, by the box's own clock
1       the clock is trusted
3       mode: a place in ``MODES``
3       grid: a place in ``GRIDS``
7       minutes it has been so: n < 16: n; else (16 + n % 16) << (n // 16 - 1);
        127: that or more
4       battery: 0: not known; n: (n - 1) × 10 % or more
4       hours that it lasts: 0: not known; n: ``LEFT_H[n - 1]`` or more, 15: as
        long as the grid is there
1       its WLAN is open to everybody
1       its WLAN is open for part of the time (``[street]``)
1       it reaches the internet
3       guests: 0: not known; n: ``GUESTS[n - 1]`` or more
3       tickets that wait for somebody: 0: not known; n: ``WAITING[n - 1]`` or more
16      version of its software: 4 bits, 7 bits, 5 bits
1       0
64      the seal (``header``)
======  =====================================================================

All is rounded down. **How few guests there are is nobody's business**: fewer than five are one
band, with none at all. That somebody waits is said from the first on: the tickets themselves are
for everybody, sealed as they are.

Of two states the one that was said later counts, and one that was said before a receiver's last
of that box changes nothing: so an old outage cannot be sent again.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from typing import NamedTuple

from kiezbox.frames.bits import BitReader, BitWriter
from kiezbox.frames.header import BadFrame, Kind, first_byte, kind_of, sealed, unsealed
from kiezbox.frames.messages import Named
from kiezbox.frames.origins import ORIGIN_BYTES, origin_id
from kiezbox.mode import Mode
from kiezbox.power import Grid

__all__ = ["GRIDS", "GUESTS", "LEFT_H", "MODES", "ON_GRID_H", "WAITING", "BoxState", "pack_state",
           "unpack_state"]  # fmt: skip

#: By their numbers in frames: one may be added behind these, none changed.
MODES = (Mode.NORMAL, Mode.EMERGENCY, Mode.SAVING, Mode.DARK, Mode.EXERCISE, Mode.MAINTENANCE)
GRIDS = (Grid.PRESENT, Grid.BRIDGING, Grid.LOST, Grid.RETURNING, Grid.UNKNOWN)

CHARGES_PERCENT = tuple(range(0, 101, 10))
LEFT_H = (0, 1, 2, 3, 4, 6, 8, 12, 18, 24, 36, 48, 72, 120)
GUESTS = (0, 5, 10, 20, 50, 100, 200)
WAITING = (0, 1, 5, 10, 20, 50, 100)

#: ``BoxState.left_h`` of a box that lasts as long as the grid does.
ON_GRID_H = 1 << 20

_EPOCH_MINUTES = 1_735_689_600 // 60
_MINUTE_BITS, _SINCE_BITS = 24, 7
_VERSION_BITS = (4, 7, 5)


class BoxState(NamedTuple):
    """``said_at``: Unix seconds, ``grid_min``: minutes since the grid is so, ``version``: major,
    minor, patch. None: not known. What was read is what it is at least.
    """

    said_at: int
    is_clock_trusted: bool
    mode: Mode
    grid: Grid
    grid_min: int
    charge_percent: float | None
    left_h: float | None
    is_wlan_open: bool
    is_wlan_sliced: bool
    has_uplink: bool
    guests: int | None
    waiting: int | None
    version: tuple[int, int, int]


def pack_state(state: BoxState, sender: str, key: bytes) -> bytes:
    """A sealed frame; ``sender``: the box, ``key``: the Kiez's.

    Raises:
        ValueError: a moment before 2025, a number below 0.
    """
    minutes = state.said_at // 60 - _EPOCH_MINUTES
    if not 0 <= minutes < 1 << _MINUTE_BITS or state.grid_min < 0:
        raise ValueError(f"a state of {state.said_at}, of a grid since {state.grid_min} minutes")
    bits = BitWriter()
    bits.put_bytes(origin_id(sender))
    bits.put(minutes, _MINUTE_BITS)
    bits.put(state.is_clock_trusted, 1)
    bits.put(MODES.index(state.mode), 3)
    bits.put(GRIDS.index(state.grid), 3)
    bits.put(_shortened(state.grid_min), _SINCE_BITS)
    bits.put(_band(CHARGES_PERCENT, state.charge_percent), 4)
    is_on_grid = state.left_h is not None and state.left_h >= ON_GRID_H
    bits.put(15 if is_on_grid else _band(LEFT_H, state.left_h), 4)
    for flag in (state.is_wlan_open, state.is_wlan_sliced, state.has_uplink):
        bits.put(flag, 1)
    bits.put(_band(GUESTS, state.guests), 3)
    bits.put(_band(WAITING, state.waiting), 3)
    for number, width in zip(state.version, _VERSION_BITS, strict=True):
        bits.put(min(number, (1 << width) - 1), width)
    return sealed(first_byte(Kind.BOX_STATE) + bits.getvalue(), key)


def unpack_state(frame: bytes, key: bytes, named: Named) -> tuple[str, BoxState]:
    """Which box is how.

    Raises:
        BadFrame: no state, not sealed by this Kiez, of no box of it, or not whole.
    """
    if kind_of(frame) != Kind.BOX_STATE:
        raise BadFrame("no state of a box")
    bits = BitReader(unsealed(frame, key)[1:])
    sender = named(bits.take_bytes(ORIGIN_BYTES))
    if sender is None:
        raise BadFrame("a state of a box that is not of this Kiez")
    said_at = (bits.take(_MINUTE_BITS) + _EPOCH_MINUTES) * 60
    is_clock_trusted = bool(bits.take(1))
    mode, grid = bits.take(3), bits.take(3)
    if mode >= len(MODES) or grid >= len(GRIDS):
        raise BadFrame("a state that this box does not know")
    grid_min = _lengthened(bits.take(_SINCE_BITS))
    charge = _least(CHARGES_PERCENT, bits.take(4))
    left = bits.take(4)
    found = BoxState(
        said_at, is_clock_trusted, MODES[mode], GRIDS[grid], grid_min, charge,
        ON_GRID_H if left == 15 else _least(LEFT_H, left),
        bool(bits.take(1)), bool(bits.take(1)), bool(bits.take(1)),
        _least(GUESTS, bits.take(3)), _least(WAITING, bits.take(3)),
        (bits.take(_VERSION_BITS[0]), bits.take(_VERSION_BITS[1]), bits.take(_VERSION_BITS[2])),
    )  # fmt: skip
    bits.end()
    return sender, found


def _band(least: Sequence[int], number: float | None) -> int:
    """The last band that begins at the number or below; 0: not known."""
    if number is None:
        return 0
    if number < 0:
        raise ValueError(f"{number} is below 0")
    return bisect_right(least, number)


def _least(least: Sequence[int], band: int) -> int | None:
    if band > len(least):
        raise BadFrame("a band that there is not")
    return least[band - 1] if band else None


def _shortened(minutes: int) -> int:
    """Rounded down to five bits, of which the first is where the number begins.

    >>> [_lengthened(_shortened(n)) for n in (0, 15, 31, 32, 33, 1440, 10**6)]
    [0, 15, 31, 32, 32, 1408, 1984]
    """
    if minutes < 16:
        return minutes
    shift = minutes.bit_length() - 5
    return min(127, (shift + 1) * 16 + (minutes >> shift) - 16)


def _lengthened(short: int) -> int:
    return short if short < 16 else (16 + short % 16) << (short // 16 - 1)
