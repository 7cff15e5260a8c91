"""Replays sensor.community CSV files: real days of an SDS011 and a DHT22, faults included.

The form is that of the sensor.community archive (https://archive.sensor.community): a file per
sensor and day, ``;`` between fields, a header row, naive UTC timestamps, P1 = PM10 and
P2 = PM2.5. Files may be gzipped; any folder of them will do. What cannot be read is left out
and counted; what can be read is played as it was, a defective humidity sensor's 99.9 % too.
"""

from __future__ import annotations

import csv
import gzip
import math
import zlib
from array import array
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from kiezbox.errors import UsageError

#: No row for so long, and the sensor was silent. Rows come every 166 s (median of 180 days of
#: 2022, p95 305 s); hundreds of gaps in them are longer than ten minutes.
GAP_S = 600.0

#: So much later in the recording each further box plays: a front reaches it an hour "earlier",
#: and all boxes stay on the same day.
OFFSET_S = 3600.0

#: Columns of a reading by sensor type; first what we call it.
COLUMNS = {"SDS011": ("P2", "P1"), "DHT22": ("temperature", "humidity")}

#: What the whole is called wherever it is shown.
LABEL = "recording: DHT22 through a simulated climate sensor, SDS011 through a simulated SDS011"


class Series(NamedTuple):
    """One sensor's rows in the order of time: Unix seconds and two values."""

    times: array[float]
    first: array[float]
    second: array[float]

    def at(self, unix_s: float) -> tuple[float, float] | None:
        """The newest row of that moment, or None where the sensor was silent."""
        n = bisect_right(self.times, unix_s) - 1
        if n < 0 or unix_s - self.times[n] > GAP_S:
            return None
        return self.first[n], self.second[n]


class Recording:
    """All readable rows of a folder. ``elapsed_s`` counts from the recording's first row."""

    def __init__(self, folder: str, series: dict[str, dict[str, Series]], counts: Counter[str]):
        self._folder = folder
        self._series = series
        self._counts = counts
        every = [one for kind in series.values() for one in kind.values()]
        #: Unix seconds of the first and of the last row.
        self.first_at = min(one.times[0] for one in every)
        self.last_at = max(one.times[-1] for one in every)

    @classmethod
    def read(cls, folder: str) -> Recording:
        """The folder's rows.

        Raises:
            UsageError: there is no such folder, or nothing in it can be played.
        """
        paths = _files(folder)
        counts: Counter[str] = Counter(files=len(paths))
        rows: dict[str, dict[str, dict[float, tuple[float, float]]]] = {k: {} for k in COLUMNS}
        for path in paths:
            try:
                for kind, sensor, at, values in _rows(path, counts):
                    rows[kind].setdefault(sensor, {})[at] = values
            except (OSError, EOFError, zlib.error, csv.Error):
                # A gzip cut in the middle still gives the rows before the cut.
                counts["files damaged"] += 1
        series = {
            kind: {sensor: _series(found) for sensor, found in sorted(sensors.items())}
            for kind, sensors in rows.items()
        }
        if not any(series.values()):
            raise UsageError(
                f"demo: no row of an SDS011 or a DHT22 in {folder}",
                hint="--recording wants a folder of sensor.community CSV files (.csv or .csv.gz).",
            )
        return cls(folder, series, counts)

    def dust(self, elapsed_s: float, box: int) -> tuple[float, float] | None:
        """(PM2.5, PM10) in µg/m³ as the n-th box has them, or None: silence."""
        return self._at("SDS011", elapsed_s, box)

    def climate(self, elapsed_s: float, box: int) -> tuple[float, float] | None:
        """(°C, % relative humidity), or None: silence."""
        return self._at("DHT22", elapsed_s, box)

    def moment(self, elapsed_s: float, box: int = 0) -> float:
        """The recorded moment that plays now, Unix seconds; the end is followed by the start."""
        return self.first_at + (elapsed_s + box * OFFSET_S) % (self.last_at - self.first_at + 1)

    def day(self, elapsed_s: float) -> str:
        """The recorded day that plays now: "2022-01-01"."""
        return datetime.fromtimestamp(self.moment(elapsed_s), UTC).strftime("%Y-%m-%d")

    def sentence(self) -> str:
        """What was read and what had to be left out."""
        counts = self._counts
        played = sum(len(one.times) for kind in self._series.values() for one in kind.values())
        skipped = ", ".join(
            f"{what} ({n})" for what, n in sorted(counts.items()) if what != "files"
        )
        return f"{played} rows of {counts['files']} files in {self._folder}; left out: " + (
            skipped or "nothing"
        )

    @property
    def is_whole(self) -> bool:
        """Whether nothing had to be left out."""
        return set(self._counts) == {"files"}

    def _at(self, kind: str, elapsed_s: float, box: int) -> tuple[float, float] | None:
        sensors = list(self._series[kind].values())
        if not sensors:
            return None
        # A folder may hold several stations: the boxes share them out.
        return sensors[box % len(sensors)].at(self.moment(elapsed_s, box))


def _files(folder: str) -> list[Path]:
    try:
        paths = sorted(Path(folder).iterdir())
    except OSError as error:
        raise UsageError(
            f"demo: cannot read the folder {folder}: {error.strerror}",
            hint="--recording wants a folder of sensor.community CSV files (.csv or .csv.gz).",
        ) from error
    return [path for path in paths if path.name.endswith((".csv", ".csv.gz"))]


class _LeftOut(Exception):
    """Why a row or a file cannot be played, as the word it is counted under."""


def _rows(
    path: Path, counts: Counter[str]
) -> Iterator[tuple[str, str, float, tuple[float, float]]]:
    """(kind, sensor id, Unix seconds, two values) of every row that can be read."""
    opened = gzip.open if path.name.endswith(".gz") else open
    with opened(path, "rt", encoding="utf-8-sig", errors="replace", newline="") as file:
        # Not DictReader: half a year is 160,000 rows, and every demo starts by reading them.
        rows = csv.reader(file, delimiter=";")
        where = {name: n for n, name in enumerate(next(rows, []))}
        if not {"sensor_id", "sensor_type", "timestamp"} <= where.keys():
            counts["files without the header row"] += 1
            return
        for row in rows:
            try:
                if row:
                    yield _reading(row, where)
            except _LeftOut as why:
                counts[str(why)] += 1


def _reading(row: list[str], where: dict[str, int]) -> tuple[str, str, float, tuple[float, float]]:
    if len(row) != len(where):
        raise _LeftOut("rows of another length")
    kind = row[where["sensor_type"]]
    if kind not in COLUMNS:
        raise _LeftOut("rows of other sensors")
    columns = [where[name] for name in COLUMNS[kind] if name in where]
    try:
        at = datetime.fromisoformat(row[where["timestamp"]])
        unix_s = (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        raise _LeftOut("rows without a timestamp") from None
    try:
        first, second = (float(row[n]) for n in columns)
    except ValueError:
        raise _LeftOut("rows without a number") from None
    if not (math.isfinite(first) and math.isfinite(second)):
        raise _LeftOut("rows without a number")
    return kind, row[where["sensor_id"]], unix_s, (first, second)


def _series(rows: dict[float, tuple[float, float]]) -> Series:
    times = sorted(rows)
    return Series(
        array("d", times),
        array("d", (rows[at][0] for at in times)),
        array("d", (rows[at][1] for at in times)),
    )
