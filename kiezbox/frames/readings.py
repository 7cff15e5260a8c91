"""Readings in few bits: a block of series at equal steps of time. docs/frames.md has the format.

A block of *rows* carries readings of the store under their own ids, (box, boot, counter). They
arrive rounded, and say how far (``Got.resolution``): a finer copy of the same id wins. A block of
*means* carries those of the store's tiers: a mean's id is (box, interval, series, time).

Pure: times come from the caller, boxes are four bytes (``origins``).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from kiezbox.frames.coder import Reader, Writer
from kiezbox.frames.fields import BY_CODE, FIELDS
from kiezbox.frames.header import BadFrame, Kind, first_byte, kind_of, sealed, unsealed
from kiezbox.frames.origins import ORIGIN_BYTES
from kiezbox.frames.reading_bits import (
    BOOT_BITS,
    SLOTS,
    STEPS_MOST,
    TRACKS_MOST,
    body,
    span_s,
)
from kiezbox.frames.reading_values import Body, Line
from kiezbox.model import COUNTER_BITS, Flag, Quantity, is_sensor_name, serial_of

__all__ = ["EPOCH", "Block", "Got", "Track", "Value", "decode", "encode", "fitting", "origin_of"]

#: 2025-01-01T00:00:00Z; boots are counted from here, too (store/boots.py).
EPOCH = 1_735_689_600

#: A frame's phase is in so many parts of its interval.
PHASES = 64

_FLAGS = {int(flag) for flag in Flag}


class Value(NamedTuple):
    """What one series says at one step. ``counter``: of its row; a mean has none."""

    value: float
    flag: int = Flag.GOOD
    counter: int = 0


@dataclass(frozen=True, slots=True)
class Track:
    """One series of a block: a value per step, None where there is none."""

    #: The box's own number for the sensor, 0 to 31; ``Block.names`` says which.
    slot: int
    quantity: Quantity
    values: tuple[Value | None, ...]


class Got(NamedTuple):
    """One value of a block, as a receiver takes it in."""

    slot: int
    quantity: Quantity
    #: With the box it is the reading's id; None for a mean.
    serial: int | None
    #: Unix milliseconds: of a row when it was taken, of a mean when its span began.
    at_ms: int
    value: float
    #: The value before rounding lay within half of it.
    resolution: float
    flag: int
    is_clock_trusted: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """Series of one box at equal steps of time.

    ``starts_at`` is Unix seconds and a multiple of ``interval_s`` after ``EPOCH`` (after 1970 where
    the clock is unsure); the n-th step is at starts_at + (n + phase / 64) × interval_s. ``boot``:
    None is a block of means.
    """

    origin: bytes
    starts_at: int
    interval_s: int
    tracks: tuple[Track, ...]
    boot: int | None = None
    phase: int = 0
    #: In the sensors' own steps instead of those that their accuracy deserves.
    is_fine: bool = False
    is_clock_unsure: bool = False
    #: Slot → the sensor's name; sent now and then, since a receiver remembers.
    names: Mapping[int, str] = field(default_factory=dict)

    @property
    def steps(self) -> int:
        return len(self.tracks[0].values) if self.tracks else 0

    def __iter__(self) -> Iterator[Got]:
        """All values, series by series."""
        for track in self.tracks:
            about = FIELDS[track.quantity]
            for n, value in enumerate(track.values):
                if value is not None:
                    yield Got(
                        track.slot,
                        track.quantity,
                        None if self.boot is None else serial_of(self.boot, value.counter),
                        (self.starts_at + n * self.interval_s) * 1000
                        + self.phase * self.interval_s * 1000 // PHASES,
                        value.value,
                        about.resolution(value.value, is_fine=self.is_fine),
                        value.flag,
                        not self.is_clock_unsure,
                    )


def encode(block: Block, key: bytes) -> bytes:
    """A sealed frame. How long it is shows only now: ``fitting`` divides what is too long.

    Raises:
        ValueError: the block is none (says what is wrong). What no field can say has no number
            (``fields.Field.number``): leave it out before.
    """
    _check(block)
    tracks = sorted(block.tracks, key=_order)
    given = Body(
        is_means=block.boot is None,
        is_fine=block.is_fine,
        is_unsure=block.is_clock_unsure,
        interval_s=block.interval_s,
        steps=block.steps,
        base=(block.starts_at - _epoch(block.is_clock_unsure)) // block.interval_s,
        phase=block.phase,
        boot=block.boot or 0,
        lines=[_line(track, block.is_fine) for track in tracks],
        names=dict(block.names),
    )
    writer = Writer()
    body(writer, given)
    frame = first_byte(Kind.READINGS) + block.origin + writer.getvalue()
    return sealed(frame, key)


def fitting(block: Block, key: bytes, most_bytes: int) -> list[bytes]:
    """The block in as many frames as it takes: halved in time, and a single step by its series,
    until each is short enough.

    Raises:
        ValueError: as ``encode``; or a single value is too long.
    """
    frame = encode(block, key)
    if len(frame) <= most_bytes:
        return [frame]
    if block.steps == 1 and len(block.tracks) == 1:
        raise ValueError(f"one value needs {len(frame)} bytes")
    return [frame for half in _halves(block) for frame in fitting(half, key, most_bytes)]


def _halves(block: Block) -> list[Block]:
    if block.steps == 1:
        half = len(block.tracks) // 2
        tracks = sorted(block.tracks, key=_order)
        return [
            _named(replace(block, tracks=tuple(some))) for some in (tracks[:half], tracks[half:])
        ]
    half = block.steps // 2
    first, second = _part(block, 0, half), _part(block, half, block.steps)
    # Names are said once.
    second = replace(second, names={})
    return [one for one in (_named(first), second) if one.tracks]


def _part(block: Block, first: int, last: int) -> Block:
    tracks = tuple(replace(track, values=track.values[first:last]) for track in block.tracks)
    return replace(
        block,
        starts_at=block.starts_at + first * block.interval_s,
        tracks=tuple(track for track in tracks if any(track.values)),
    )


def _named(block: Block) -> Block:
    """With the names of those sensors only that are in it."""
    slots = {track.slot for track in block.tracks}
    return replace(block, names={slot: n for slot, n in block.names.items() if slot in slots})


def origin_of(frame: bytes) -> bytes:
    """Whose readings these are, before anything is believed.

    Raises:
        BadFrame: no frame of readings.
    """
    if kind_of(frame) is not Kind.READINGS or len(frame) <= ORIGIN_BYTES:
        raise BadFrame("no frame of readings")
    return frame[1 : 1 + ORIGIN_BYTES]


def decode(frame: bytes, key: bytes) -> Block:
    """The block of a sealed frame.

    Raises:
        BadFrame: not sealed with this key, or not what a box writes.
    """
    inner = unsealed(frame, key)
    origin = origin_of(inner)
    reader = Reader(inner[1 + ORIGIN_BYTES :])
    there = body(reader, Body())
    reader.end()
    if not all(map(is_sensor_name, there.names.values())):
        raise BadFrame("a sensor's name that is none")
    return Block(
        origin=origin,
        starts_at=_epoch(there.is_unsure) + there.base * there.interval_s,
        interval_s=there.interval_s,
        tracks=tuple(_track(line, there) for line in there.lines),
        boot=None if there.is_means else there.boot,
        phase=there.phase,
        is_fine=there.is_fine,
        is_clock_unsure=there.is_unsure,
        names=there.names,
    )


def _epoch(is_unsure: bool) -> int:
    return 0 if is_unsure else EPOCH


def _order(track: Track) -> tuple[int, int]:
    return track.slot, FIELDS[track.quantity].code


def _line(track: Track, is_fine: bool) -> Line:
    about, values = FIELDS[track.quantity], track.values
    return Line(
        track.slot,
        about.code,
        [None if value is None else about.number(value.value, is_fine=is_fine) for value in values],
        [0 if value is None else value.flag for value in values],
        [None if value is None else value.counter for value in values],
    )


def _track(line: Line, there: Body) -> Track:
    quantity, about = BY_CODE[line.code]
    counters: Sequence[int | None] = line.counters or line.numbers
    values = tuple(
        None
        if number is None
        else Value(
            about.value(number, is_fine=there.is_fine),
            Flag(flag),
            0 if there.is_means or counter is None else counter,
        )
        for number, flag, counter in zip(line.numbers, line.flags, counters, strict=True)
    )
    return Track(line.slot, quantity, values)


def _check(block: Block) -> None:
    """Say what is wrong with a block, before it is in the air."""
    start_s = block.starts_at - _epoch(block.is_clock_unsure)
    orders = [_order(track) for track in block.tracks]
    slots = {track.slot for track in block.tracks}
    wrong = {
        "an origin of other than 4 bytes": len(block.origin) != ORIGIN_BYTES,
        f"{len(orders)} series": not 0 < len(orders) <= TRACKS_MOST,
        "one series twice": len(set(orders)) < len(orders),
        f"a sensor's slot of {SLOTS} or more": not all(0 <= slot < SLOTS for slot in slots),
        f"{block.steps} steps": not 0 < block.steps <= STEPS_MOST,
        "series of different length": len({len(track.values) for track in block.tracks}) > 1,
        "a series without a value": not all(any(track.values) for track in block.tracks),
        f"an interval of {block.interval_s} s": not 0 < block.interval_s < 1 << 17,
        f"a phase of {block.phase}": not 0 <= block.phase < PHASES,
        f"a beginning at {block.starts_at}": not 0 <= start_s < span_s(block.is_clock_unsure),
        f"a boot of {block.boot}": not 0 <= (block.boot or 0) < 1 << BOOT_BITS,
        "a name that is none": not all(map(is_sensor_name, block.names.values())),
        "a name of a slot that is not there": not set(block.names) <= slots,
    }
    for what, is_wrong in wrong.items():
        if is_wrong:
            raise ValueError(f"no block of readings: {what}")
    if start_s % block.interval_s:
        raise ValueError(f"no block of readings: {start_s} s is no multiple of its interval")
    for track in block.tracks:
        _check_values(track, block)


def _check_values(track: Track, block: Block) -> None:
    about = FIELDS[track.quantity]
    for value in track.values:
        if value is None:
            continue
        if value.flag not in _FLAGS or not 0 <= value.counter < 1 << COUNTER_BITS:
            raise ValueError(f"no block of readings: {value}")
        if about.number(value.value, is_fine=block.is_fine) is None:
            raise ValueError(f"{track.quantity.value} cannot be {value.value} on the air")
