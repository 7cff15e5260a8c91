"""Readings as SenML JSON (RFC 8428), made small and fast by its base fields.

One pack holds the readings of one batch, series by series, each series oldest first. What a
series' records share (name, unit) stands in the first of them only, the base time in the first
record of the pack:

    [{"bver":26,"bt":1780000000,"bn":"kb-1/air/pressure_hpa","bu":"hPa",
      "t":123e-3,"v":1013.2,"id":"12-7"},{"t":60131e-3,"v":1013.4,"id":"12-9"}, …]

Beside RFC 8428's own labels a record may carry ours. None ends in "_", so every receiver may
leave them unread (section 4.4), and none begins with "b", because it has no base semantics
(section 12.2):

``id``      always: boot number and counter; with the box, the reading's id for ever
``raw``     what the sensor said, where the value was corrected or is flagged
``reason``  why the reading is flagged
``clock``   "untrusted": ``t`` is what a clock said that nobody had set
``up``      with it: seconds since the machine's start, so that ``t`` can be corrected

A flagged reading travels under another name, ``NAME:suspect`` or ``NAME:bad``, so that a
receiver which knows nothing of flags cannot take it for a good one.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import groupby, starmap
from math import isfinite
from typing import Any

from kiezbox.model import COUNTER_BITS, Batch, Flag, Reading, Series
from kiezbox.units import UNITS

__all__ = ["CONTENT_TYPE", "SUFFIXES", "id_text", "pack"]

CONTENT_TYPE = "application/senml+json"

#: What is put after a flagged reading's name.
SUFFIXES: dict[int, str] = {Flag.SUSPECT: ":suspect", Flag.BAD: ":bad"}

#: Units of RFC 8798. A pack that uses one must say so: version 10 + 2**4 (RFC 9100 section 4).
_SECONDARY_UNITS = frozenset({"hPa", "ug/m3", "ppm", "mm", "Wh", "/100"})
_VERSION_WITH_SECONDARY_UNITS = 26

#: Times below are taken for "so many seconds from now" (RFC 8428 section 4.5.3). Only a clock
#: that was never set says them.
_RELATIVE_BELOW_MS = 2**28 * 1000

_UNIT_OF = {quantity.value: unit.senml for quantity, unit in UNITS.items()}

#: Length of a row that stops after ``value``.
_SHORT = 5


def id_text(serial: int) -> str:
    """The reading's id on its box, as it travels: ``BOOT-COUNTER``.

    A text and not the serial itself: a boot number from 2**17 up would make it a number that
    JavaScript cannot hold.

    >>> id_text((12 << COUNTER_BITS) + 3456)
    '12-3456'
    """
    return f"{serial >> COUNTER_BITS}-{serial & ((1 << COUNTER_BITS) - 1)}"


def pack(batch: Batch) -> bytes:
    """The batch as one SenML pack, in UTF-8, without a line break."""
    rows = batch.readings
    if not rows:
        return b"[]"
    base_s = rows[0][2] // 1000
    heads, groups = [], []
    for series, records in _groups(rows, base_s * 1000):
        head, is_secondary = _head(batch.box, batch.series[series])
        heads.append((head, is_secondary))
        groups.append(records)
    # A base unit holds until the next one, and there is no way to say "none": what has no unit
    # comes first.
    order = sorted(range(len(heads)), key=lambda number: '"bu"' in heads[number][0])
    version = f'"bver":{_VERSION_WITH_SECONDARY_UNITS},' if any(h[1] for h in heads) else ""
    body = "".join(f',{{{heads[number][0]}"t":{groups[number]}"}}' for number in order)
    return f'[{{{version}"bt":{base_s},{body[2:]}]'.encode()


def _head(box: str, series: Series) -> tuple[str, bool]:
    """The base fields of one series, and whether its unit is a secondary one."""
    name = f'"bn":{json.dumps(f"{box}/{series.sensor}/{series.quantity}")},'
    unit = _UNIT_OF.get(series.quantity)
    if unit is None:
        return name, False
    return f'{name}"bu":{json.dumps(unit)},', unit in _SECONDARY_UNITS


def _groups(rows: Sequence[Any], base_ms: int) -> Iterator[tuple[int, str]]:
    """Per boot and series, the records without the first's opening and the last's end.

    This is the hot path of a draining backlog, so: whole milliseconds with an exponent instead
    of a division, and no object per reading.
    """
    if rows[0][0] >> COUNTER_BITS == rows[-1][0] >> COUNTER_BITS:
        runs: list[Sequence[Any]] = [rows]
    else:
        runs = [list(run) for _, run in groupby(rows, lambda row: row[0] >> COUNTER_BITS)]
    for run in runs:
        boot = run[0][0] >> COUNTER_BITS
        zero, head = boot << COUNTER_BITS, f'"id":"{boot}-'
        by_series: defaultdict[int, list[str]] = defaultdict(list)
        if len(run[-1]) == _SHORT:
            now_ms, when = None, ""
            for serial, series, taken_ms, _, value in run:
                if taken_ms != now_ms:  # what one sensor reads at once has one time
                    now_ms, when = taken_ms, f'{taken_ms - base_ms}e-3,"v":'
                by_series[series].append(f"{when}{value!r},{head}{serial - zero}")
        else:
            for reading in starmap(Reading, run):
                by_series[reading.series].append(_record(reading, base_ms))
        for series, records in by_series.items():
            text = '"},{"t":'.join(records)
            # No letter of an ordinary record is an n, but nan, inf and None have one: what JSON
            # cannot say is found without a look at each value.
            if "n" in text:
                odd = [
                    _record(reading, base_ms)
                    for reading in starmap(Reading, run)
                    if reading.series == series
                ]
                text = '"},{"t":'.join(odd)
            yield series, text


def _record(reading: Reading, base_ms: int) -> str:
    """A record with everything that may be said about a reading."""
    serial, _, taken_ms, monotonic_ms, value, raw, flag, reason, trusted = reading
    if taken_ms < _RELATIVE_BELOW_MS:
        taken_ms = 0  # "now" is nearer to the truth than some year in the future
    fields = [f"{taken_ms - base_ms}e-3"]
    if _is_number(value):
        fields.append(f'"v":{value!r}')
    else:
        flag, reason = Flag.BAD, reason or "not a number"
        fields.append(f'"vs":"{value}"')
    if flag:
        fields.append(f'"n":"{SUFFIXES.get(flag, ":bad")}"')
        fields.append(f'"reason":{json.dumps(reason)}')
    if raw is not None:
        fields.append(f'"raw":{raw!r}' if _is_number(raw) else f'"raw":"{raw}"')
    if not trusted:
        fields.append(f'"clock":"untrusted","up":{monotonic_ms}e-3')
    fields.append(f'"id":"{id_text(serial)}')
    return ",".join(fields)


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and isfinite(value)
