"""Goal c1: an hour of seven quantities in one packet, beside JSON, Meshtastic and the entropy."""

from __future__ import annotations

import functools
import gzip
import json
import statistics
import subprocess
from collections.abc import Callable, Sequence

from benchmarks.lib import traces
from benchmarks.lib.blocks import PLACES, block_of
from benchmarks.lib.contest import BENCH, KIEZBOX, Options, Outcome, Run, Skipped, interleave
from benchmarks.lib.entropy import Numbers, gaussian_bits, pooled_bits, rice_bits
from benchmarks.lib.traces import Hour
from kiezbox.frames import MOST_BYTES
from kiezbox.frames.fields import FIELDS
from kiezbox.frames.header import SEAL_BYTES
from kiezbox.frames.origins import ORIGIN_BYTES
from kiezbox.frames.readings import Block, decode, encode
from kiezbox.model import Quantity

KEY = bytes(range(32))

#: Before the body: the first byte, the origin.
HEAD_BYTES = 1 + ORIGIN_BYTES

RECORDED = tuple(quantity for kind in traces.RECORDED.values() for quantity in kind)
SEVEN = tuple(PLACES)


def measure(options: Options) -> Outcome:
    every_h = 24 if options.is_quick else 3
    judged = traces.JUDGED
    hours = traces.hours(judged, every_h=every_h)
    faster = traces.hours(judged, way="row a minute")[:: 4 if options.is_quick else 1]
    two = traces.minutes(judged, 120, every_h=every_h)
    outcome = Outcome(
        "lora",
        f"Seven quantities a minute: {len(hours)} recorded hours of February, April and June 2022"
        f" (four quantities; three simulated), {len(faster)} with a row taken for a minute. Bytes"
        " of whole frames, header and seal included; every frame is decoded and compared.",
    )
    sets = {
        "six means": ([traces.means(hour, 6) for hour in hours], False),
        "twelve means": ([traces.means(hour, 12) for hour in two], False),
        "six rows": (traces.samples(judged, 6, every_h=every_h), True),
        "twelve rows": (traces.samples(judged, 12, every_h=every_h), True),
    }
    contestants: dict[str, Callable[[], Run]] = {
        KIEZBOX: lambda: _frames([block_of(hour) for hour in hours]),
        "kiezbox, recorded alone": lambda: _frames([block_of(hour, RECORDED) for hour in hours]),
        "kiezbox, a row a minute": lambda: _frames([block_of(hour) for hour in faster]),
        "kiezbox, full resolution": lambda: _full(hours),
        "kiezbox, full, a row a minute": lambda: _full(faster),
        "adaptive Rice": lambda: _rice(hours),
        "gzip -9 JSON": lambda: _json(hours, is_columns=False),
        "gzip -9 JSON columns": lambda: _json(hours, is_columns=True),
        "Meshtastic telemetry": lambda: _meshtastic(hours),
        "kiezbox on Meshtastic": lambda: _on_meshtastic(hours),
    }
    for name, (some, is_rows) in sets.items():
        contestants[f"kiezbox, {name}"] = functools.partial(_sets, some, is_rows=is_rows)
    interleave(outcome, contestants, options)
    outcome.notes += [*_entropies(hours, "resampled"), *_entropies(faster, "a row a minute")]
    return outcome


def _frames(blocks: Sequence[Block]) -> Run:
    sizes = [len(_sent(block)) for block in blocks]
    return {
        "bytes": statistics.median(sizes),
        "bytes_mean": statistics.fmean(sizes),
        "bytes_most": max(sizes),
        "too_long": sum(size > MOST_BYTES for size in sizes),
    }


def _sets(hours: Sequence[Hour], *, is_rows: bool) -> Run:
    """Bytes of one step of all series: with the header; with the seal, too; of the differences'
    entropy alone (in a block there are one fewer than steps).
    """
    blocks = [block_of(hour, is_rows=is_rows) for hour in hours]
    sizes = [len(_sent(block)) / block.steps for block in blocks]
    seal = SEAL_BYTES / blocks[0].steps
    return {
        "bytes_a_set": statistics.fmean(sizes) - seal,
        "bytes_a_set_sealed": statistics.fmean(sizes),
        "bytes_a_set_most": max(sizes) - seal,
        "entropy_a_set": _pooled_bytes(hours, is_fine=False) / blocks[0].steps,
    }


def _sent(block: Block) -> bytes:
    """The frame, and what comes out of it is what went in, to half a step."""
    frame = encode(block, KEY)
    for sent, got in zip(block, decode(frame, KEY), strict=True):
        if sent[:4] != got[:4] or sent.flag != got.flag:
            raise AssertionError(f"{sent} became {got}")
        if abs(sent.value - got.value) > max(sent.resolution, got.resolution) / 2 + 1e-6:
            raise AssertionError(f"{sent} became {got}")
    return frame


def _full(hours: Sequence[Hour]) -> Run:
    """Over the pooled entropy of the differences: the payload, which is the series with their time
    and first values; and the whole body, with ids and flags, too.
    """
    blocks = [block_of(hour, is_fine=True) for hour in hours]
    bodies = [len(_sent(block)) - HEAD_BYTES - SEAL_BYTES for block in blocks]
    others = [_without_values(hour, is_fine=True, with_ids=True) -
              _without_values(hour, is_fine=True, with_ids=False) for hour in hours]  # fmt: skip
    payload = statistics.fmean(bodies) - statistics.fmean(others)
    pooled, gaussian = _pooled_bytes(hours, is_fine=True), _gaussian_bytes(hours, is_fine=True)
    return {
        "payload_bytes": payload,
        "over_entropy": payload / pooled,
        "over_gaussian": payload / gaussian,
        "body_bytes": statistics.fmean(bodies),
        "body_over_entropy": statistics.fmean(bodies) / pooled,
    }


def _numbers(hour: Hour, quantity: Quantity, *, is_fine: bool) -> Numbers:
    field = FIELDS[quantity]
    found = [field.number(value, is_fine=is_fine) for value in hour.columns[quantity]]
    return [number for number in found if number is not None]


def _pooled_bytes(hours: Sequence[Hour], *, is_fine: bool) -> float:
    """Of the differences of one block."""
    bits = [
        pooled_bits([_numbers(hour, quantity, is_fine=is_fine) for hour in hours])
        for quantity in SEVEN
    ]
    return sum(bits) * (len(hours[0].columns[SEVEN[0]]) - 1) / 8


def _gaussian_bytes(hours: Sequence[Hour], *, is_fine: bool) -> float:
    bits = [
        sum(gaussian_bits(_numbers(hour, quantity, is_fine=is_fine)) for quantity in SEVEN)
        for hour in hours
    ]
    return statistics.fmean(bits) * 59 / 8


def _entropies(hours: Sequence[Hour], what: str) -> list[str]:
    lines = []
    for is_fine in (False, True):
        frames = [len(encode(block_of(hour, is_fine=is_fine), KEY)) for hour in hours]
        body = statistics.fmean(frames) - HEAD_BYTES - SEAL_BYTES
        pooled = _pooled_bytes(hours, is_fine=is_fine)
        gaussian = _gaussian_bytes(hours, is_fine=is_fine)
        kind = "full resolution" if is_fine else "declared accuracy"
        lines.append(
            f"{what}, {kind}: body {body:.1f} B; entropy of the differences, pooled {pooled:.1f} B"
            f" (body {body / pooled:.2f} x), Gaussian {gaussian:.1f} B ({body / gaussian:.2f} x)"
        )
    return lines


def _rice(hours: Sequence[Hour]) -> Run:
    """The same numbers in plain adaptive Rice codes, with our other bits: as the kiezbox's frame
    without its values, and these values.
    """
    sizes = []
    for hour in hours:
        bits = sum(
            rice_bits(
                _numbers(hour, quantity, is_fine=False),
                FIELDS[quantity].highest(is_fine=False).bit_length(),
            )
            for quantity in SEVEN
        )
        sizes.append(_without_values(hour) + bits / 8)
    return {"bytes": statistics.median(sizes), "bytes_most": max(sizes)}


def _without_values(hour: Hour, *, is_fine: bool = False, with_ids: bool = True) -> int:
    """A frame whose values are all the usual ones, as nearly nothing as they can be; with ids and
    flags, or as means that are all good.
    """
    columns, flags = {}, {}
    for quantity, column in hour.columns.items():
        columns[quantity] = [FIELDS[quantity].usual] * len(column)
        flags[quantity] = hour.flags[quantity] if with_ids else [0] * len(column)
    empty = hour._replace(columns=columns, flags=flags)
    return len(encode(block_of(empty, is_fine=is_fine, is_rows=with_ids), KEY))


def _json(hours: Sequence[Hour], *, is_columns: bool) -> Run:
    """The same values in the same steps, without ids, flags, names of sensors and signature."""
    sizes = []
    for hour in hours:
        columns = {
            quantity.value: [
                round(FIELDS[quantity].value(number, is_fine=False), 2)
                for number in _numbers(hour, quantity, is_fine=False)
            ]
            for quantity in SEVEN
        }
        said: object = {"t": hour.starts_at, **columns}
        if not is_columns:
            said = [
                {"t": hour.starts_at + 60 * n, **dict(zip(columns, row, strict=True))}
                for n, row in enumerate(zip(*columns.values(), strict=True))
            ]
        text = json.dumps(said, separators=(",", ":"))
        sizes.append(len(gzip.compress(text.encode(), 9, mtime=0)))
    return {"bytes": statistics.median(sizes), "bytes_most": max(sizes)}


def _meshtastic(hours: Sequence[Hour]) -> Run:
    rows = [
        [list(row) for row in zip(*(hour.columns[quantity] for quantity in SEVEN), strict=True)]
        for hour in hours
    ]
    sizes = _ask(rows, [])[0]
    return {"bytes": statistics.median(sizes), "packets": 120}


def _on_meshtastic(hours: Sequence[Hour]) -> Run:
    sizes = _ask([], [len(encode(block_of(hour), KEY)) for hour in hours])[1]
    return {"bytes": statistics.median(sizes), "packets": 1}


def _ask(hours: list[list[list[float]]], frames: list[int]) -> tuple[list[int], list[int]]:
    python = BENCH / "meshtastic" / "bin" / "python"
    if not python.exists():
        raise Skipped("no .bench/meshtastic (benchmarks/peers.sh)")
    program = str(BENCH.parent / "benchmarks" / "peers" / "meshtastic_telemetry.py")
    ran = subprocess.run(
        [str(python), program], input=json.dumps({"hours": hours, "frames": frames}),
        capture_output=True, text=True, timeout=300, check=True,
    )  # fmt: skip
    said = json.loads(ran.stdout)
    return said["hours"], said["frames"]
