"""The tables and vectors of docs/frames.md; `.venv/bin/python tests/frames/page.py` writes them.

Vectors go to docs/frames/readings.json; what they hold was made by ``vectors`` and is judged by a
decoder that was written from the page alone (readings_decoder.c).
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path[:0] = [str(HERE), str(ROOT)]

import page_words  # noqa: E402
from blocks import BOOT, KEY, NOON, a_block  # noqa: E402

from kiezbox.frames.chances import MANTISSA, MORE, MOST_LEVEL, NOT_ZERO  # noqa: E402
from kiezbox.frames.fields import BY_CODE, FIELDS, SETS  # noqa: E402
from kiezbox.frames.reading_bits import INTERVALS  # noqa: E402
from kiezbox.frames.readings import Block, Track, Value, decode, encode  # noqa: E402
from kiezbox.frames.sampling import starts_before  # noqa: E402
from kiezbox.model import COUNTER_BITS, Flag, Quantity  # noqa: E402

PAGE = ROOT / "docs" / "frames.md"
VECTORS = ROOT / "docs" / "frames" / "readings.json"
BEGIN, END = "<!-- tables of readings -->\n", "<!-- end of tables -->\n"


def tables() -> str:
    """Intervals, sets, fields and chances, as Markdown."""
    lines = ["### Tables", "", "Intervals, and their usual steps:", ""]
    lines += ["| index | " + " | ".join(map(str, range(len(INTERVALS)))) + " |"]
    lines += ["|---" * (len(INTERVALS) + 1) + "|"]
    lines += ["| seconds | " + " | ".join(str(s) for s, _ in INTERVALS) + " |"]
    lines += ["| steps | " + " | ".join(str(n) for _, n in INTERVALS) + " |"]
    lines += ["", "Sets of quantities, from 0 on, as codes: " + "; ".join(
        " ".join(map(str, codes)) for codes in SETS) + ".", ""]  # fmt: skip
    lines += ["Fields. Numbers that have a second one after a slash have it for fine steps.", ""]
    lines += ["| code | quantity | least | step | fineness | M | highest | usual | spread |"
              " calm, 1 min | calm, 10 min |", "|---" * 11 + "|"]  # fmt: skip
    for code, (quantity, field) in sorted(BY_CODE.items()):
        step = f"{field.step_over}/{field.step_under}" if field.step_under > 1 else field.step_over
        usual = [field.number(field.usual, is_fine=is_fine) for is_fine in (False, True)]
        lines.append(
            f"| {code} | {quantity.value} | {field.least} | {step} | {field.fineness} |"
            f" {field.mantissa or '-'} | {field.highest(is_fine=False)} /"
            f" {field.highest(is_fine=True)} | {usual[0]} / {usual[1]} |"
            f" {int(256 * field.spread)} | {int(256 * field.calm)} | {int(256 * field.calm_ten)} |"
        )
    lines += ["", "Chances of a difference, in 1/256, by level:", ""]
    lines += [
        "| level | not zero | more 0 | more 1 | more 2 | more 3 | mantissa |",
        "|---" * 7 + "|",
    ]
    for level in range(MOST_LEVEL + 1):
        chances = (NOT_ZERO, *MORE, MANTISSA)
        lines.append(f"| {level} | " + " | ".join(str(table[level]) for table in chances) + " |")
    return "\n".join(lines) + "\n"


def vectors() -> list[tuple[str, Block]]:
    """What is worth a vector: every branch of the format, by hand."""

    def course(slot: int, quantity: Quantity, *values: float | None, flags: str = "") -> Track:
        place = slot + FIELDS[quantity].code % 3
        return Track(slot, quantity, tuple(
            None if value is None else
            Value(value, Flag(int(flags[n]) if flags else 0), place + 9 * n)
            for n, value in enumerate(values)
        ))  # fmt: skip

    def means(track: Track) -> Track:
        return Track(track.slot, track.quantity, tuple(
            value and value._replace(counter=0) for value in track.values))  # fmt: skip

    minutes = [20 + n / 20 for n in (0, 0, 1, 1, 0, -1, -2, -2, 40, 41, 39, 1000)]
    dust = [3.5, 4.0, 4.0, 31.5, 32.0, 70.0, 512.0, 6500.0, 0.0, 0.5, 1.0, 1.5]
    bent = tuple(
        Value(1000 + n / 10, Flag.GOOD, 5000 + 7 * n - (3 if n > 5 else 0)) for n in range(12)
    )
    also = tuple(Value(50.0, Flag.GOOD, one.counter + 2) for one in bent)
    return [
        ("six samples of ten minutes, one climate sensor", a_block()),
        ("the same as means", a_block(boot=None, tracks=tuple(map(means, a_block().tracks)))),
        ("with the sensor's name", a_block(names={0: "roof"})),
        ("flags and gaps", a_block(interval_s=60, tracks=(
            course(0, Quantity.TEMPERATURE_C, *minutes, flags="000011120000"),
            course(1, Quantity.PM2_5_UG_M3, *dust, flags="111111111111"),
            course(1, Quantity.PM10_UG_M3, None, *dust[1:5], None, None, *dust[7:],
                   flags="111000222111"),
            course(4, Quantity.CO2_PPM, None, None, 400, None, None, 900, None, None, 1400, None,
                   None, 40000)))),
        ("counters that bend", a_block(interval_s=60, phase=17, tracks=(
            Track(2, Quantity.PRESSURE_HPA, bent), Track(31, Quantity.HUMIDITY_PERCENT, also)))),
        ("fine steps, other steps of time", a_block(is_fine=True, interval_s=166,
            starts_at=starts_before(NOON, 166), tracks=(
            course(0, Quantity.TEMPERATURE_C, 20.01, 20.02, -40.0, 20.03, 20.04),
            course(0, Quantity.SATELLITES, 7, 7, 8, 9, 7),
            course(0, Quantity.GAS_RESISTANCE_OHM, 1e5, 123_456, 99_999_999, 5, 1023)))),
        ("an unsure clock", a_block(is_clock_unsure=True, starts_at=3600, boot=70_000_001)),
        ("a year of a box: a late boot, days", a_block(interval_s=86_400, starts_at=NOON - 43_200,
            boot=BOOT - 3_000_000, tracks=(
            course(5, Quantity.RAIN_MM, 0, 0, 0, 5.58, 0, 0, 0),
            course(5, Quantity.WATER_LEVEL_M, 0.5, 0.505, -3, 0.5, 0.5, 0.5, 0.5)))),
        ("sixty-four steps of a sum of others", a_block(interval_s=10, tracks=(
            course(0, Quantity.VOLTAGE_V, *[13.2 + (n * n % 7) / 50 for n in range(64)]),
            course(0, Quantity.CURRENT_A, *[(n * 37 % 100 - 50) * n / 2000 for n in range(64)])))),
    ]  # fmt: skip


def as_json(what: str, block: Block) -> dict[str, Any]:
    """A vector: the frame, and what a receiver has to make of it."""
    frame = encode(block, KEY)
    got = decode(frame, KEY)
    return {
        "what": what,
        "key": KEY.hex(),
        "frame": frame.hex(),
        "origin": got.origin.hex(),
        "boot": got.boot,
        "is_clock_unsure": got.is_clock_unsure,
        "names": {str(slot): name for slot, name in got.names.items()},
        "values": [
            [one.slot, one.quantity.value, one.serial and one.serial & (1 << COUNTER_BITS) - 1,
             one.at_ms, one.value, one.flag]
            for one in got
        ],
    }  # fmt: skip


def main() -> None:
    page = PAGE.read_text(encoding="utf-8")
    head, _, rest = page.partition(BEGIN)
    _, _, tail = rest.partition(END)
    PAGE.write_text(head + BEGIN + "\n" + tables() + "\n" + END + tail, encoding="utf-8")
    VECTORS.parent.mkdir(exist_ok=True)
    rows = [json.dumps(as_json(what, block), ensure_ascii=False) for what, block in vectors()]
    VECTORS.write_text("[\n" + ",\n".join(rows) + "\n]\n", encoding="utf-8")
    page_words.write(PAGE)


if __name__ == "__main__":
    main()
