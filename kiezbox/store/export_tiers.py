"""The means of a tier on their way out, also those of readings no tier has yet."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from typing import IO, Any

from kiezbox.model import Series
from kiezbox.store import tiers
from kiezbox.store.export import AT_ONCE, UNIT_OF, Choice, moment, write_array
from kiezbox.store.reader import StoreReader

#: ``starts_at`` is when the span begins; how many readings there were, by their flag.
COLUMNS = (
    "box", "sensor", "quantity", "unit", "tier", "starts_at", "mean", "least", "most", "good",
    "suspect", "bad",
)  # fmt: skip


def records(store: StoreReader, tier: tiers.Tier, choice: Choice) -> Iterator[dict[str, Any]]:
    """Spans that begin in the chosen time, by time and then series."""
    first, last = 0, (1 << 42) - 1
    if choice.since_ms is not None:
        first = -(-max(0, choice.since_ms) // tier.width_ms) * tier.width_ms
    if choice.until_ms is not None:
        last = max(0, choice.until_ms - 1)
    names, box = store.series(), store.box
    number, stop = tier.id_of(first) - 1, tier.id_of(last, (1 << 24) - 1)
    oldest = 0
    while rows := store.means(number, stop, AT_ONCE):
        oldest, number = oldest or rows[0][0], rows[-1][0]
        for number_of, *values in rows:
            series = names[number_of & 0xFFFFFF]
            starts_ms = (number_of >> 24 & 0xFFFFFFFF) * tier.width_ms
            if choice.has(series, starts_ms):
                yield _record(box, series, tier.name, starts_ms, values)
        if choice.progress:
            newest = max(number, store.newest_mean(stop))
            choice.progress((number - oldest) / max(1, newest - oldest))


def _record(
    box: str, series: Series, tier: str, starts_ms: int, values: list[Any]
) -> dict[str, Any]:
    fixed = (box, *series, UNIT_OF.get(series.quantity, ""), tier, moment(starts_ms))
    return dict(zip(COLUMNS, (*fixed, *values), strict=True))


def write_csv(store: StoreReader, out: IO[Any], tier: tiers.Tier, choice: Choice) -> int:
    """RFC 4180, but with a bare line feed; no mean (nothing was good) is an empty field."""
    table = csv.writer(out, lineterminator="\n")
    table.writerow(COLUMNS)
    count = 0
    for count, record in enumerate(records(store, tier, choice), 1):  # noqa: B007
        table.writerow(record.values())
    return count


def write_json(store: StoreReader, out: IO[Any], tier: tiers.Tier, choice: Choice) -> int:
    """One array, a span per line."""
    return write_array(out, records(store, tier, choice))
