"""Rows of the store into blocks: of each series the row that lies nearest to each step."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from math import atan2, cos, pi, sin

from kiezbox.frames.fields import FIELDS
from kiezbox.frames.reading_bits import TRACKS_MOST
from kiezbox.frames.readings import EPOCH, PHASES, Block, Track, Value
from kiezbox.model import Quantity, Reading

__all__ = ["sampled", "starts_before"]

#: As many rows to a step, and more, are a choice of rows; then a step is taken as it is. With fewer
#: the sensors' own rhythm sets the phase.
_CHOICE = 1.5


def sampled(
    origin: bytes,
    readings: Iterable[Reading],
    series: Mapping[int, tuple[int, Quantity]],
    *,
    starts_at: int,
    interval_s: int,
    steps: int,
    is_fine: bool = False,
    names: Mapping[int, str] | None = None,
) -> list[Block]:
    """Blocks of rows: one for each start of the node and for each word on its clock, mostly one;
    more where there are more series than one block holds.

    ``series``: number in the store → slot and quantity; others are left out, and so is what no
    field can say. ``starts_at``: Unix seconds, a multiple of the interval after ``EPOCH`` (after
    1970 for rows whose clock nobody trusts).
    """
    kinds: dict[tuple[int, int], list[Reading]] = {}
    for reading in readings:
        if reading.series in series:
            kinds.setdefault((reading.boot, reading.clock_trusted), []).append(reading)
    blocks = []
    for (boot, trusted), rows in sorted(kinds.items()):
        phase = _phase(rows, interval_s)
        begins_ms = starts_at * 1000 + phase * interval_s * 1000 // PHASES
        tracks = _tracks(rows, series, begins_ms, interval_s * 1000, steps, is_fine)
        for n in range(0, len(tracks), TRACKS_MOST):
            some = tracks[n : n + TRACKS_MOST]
            slots = {track.slot for track in some}
            blocks.append(
                Block(
                    origin=origin,
                    starts_at=starts_at,
                    interval_s=interval_s,
                    tracks=some,
                    boot=boot,
                    phase=phase,
                    is_fine=is_fine,
                    is_clock_unsure=not trusted,
                    names={slot: name for slot, name in (names or {}).items() if slot in slots},
                )
            )
    return blocks


def _phase(rows: list[Reading], interval_s: int) -> int:
    """Where in the interval the rows lie, in 1/64 of it: the mean of angles."""
    moments = [row.taken_ms for row in rows]
    span = (max(moments) - min(moments)) / 1000 / interval_s + 1
    most = max(sum(row.series == one for row in rows) for one in {row.series for row in rows})
    if most / span > _CHOICE:
        return 0
    turns = [2 * pi * (at % (interval_s * 1000)) / (interval_s * 1000) for at in moments]
    angle = atan2(sum(map(sin, turns)), sum(map(cos, turns)))
    return round(angle / (2 * pi) * PHASES) % PHASES


def _tracks(
    rows: list[Reading],
    series: Mapping[int, tuple[int, Quantity]],
    begins_ms: int,
    interval_ms: int,
    steps: int,
    is_fine: bool,
) -> tuple[Track, ...]:
    best: dict[int, list[tuple[int, Reading] | None]] = {}
    for row in rows:
        step = (row.taken_ms - begins_ms + interval_ms // 2) // interval_ms
        quantity = series[row.series][1]
        if not 0 <= step < steps or FIELDS[quantity].number(row.value, is_fine=is_fine) is None:
            continue
        off = abs(row.taken_ms - begins_ms - step * interval_ms)
        mine = best.setdefault(row.series, [None] * steps)
        there = mine[step]
        if there is None or off < there[0]:
            mine[step] = (off, row)
    tracks = []
    for number, chosen in best.items():
        slot, quantity = series[number]
        values = tuple(
            None if one is None else Value(one[1].value, one[1].flag, one[1].counter)
            for one in chosen
        )
        tracks.append(Track(slot, quantity, values))
    return tuple(sorted(tracks, key=lambda track: (track.slot, FIELDS[track.quantity].code)))


def starts_before(at_s: float, interval_s: int) -> int:
    """The last multiple of the interval after ``EPOCH`` that is not later."""
    return EPOCH + int(at_s - EPOCH) // interval_s * interval_s
