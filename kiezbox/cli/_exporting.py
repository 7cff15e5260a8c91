"""The forms of ``kiezbox readings export``, for single readings and for means."""

from __future__ import annotations

import errno
import gc
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from typing import IO, Any, Self

from kiezbox.clock import Clock
from kiezbox.errors import MissingPackage, StoreError, UsageError
from kiezbox.model import Batch
from kiezbox.store import StoreReader, export, export_tiers, tiers

#: Means or readings in one row group of a Parquet file: some MiB of memory.
_ROW_GROUP = 50_000

#: Seconds between two words about how far it is.
_WORD_EVERY_S = 1.0

Write = Callable[[StoreReader, IO[Any], export.Choice], int]


def forms() -> list[str]:
    """The formats there are."""
    return [*export.forms(), "influx", "parquet"]


def is_binary(form: str) -> bool:
    """Whether it is written into a file of bytes."""
    return form == "parquet"


@contextmanager
def opened(path: str | None, *, is_binary: bool) -> Iterator[IO[Any]]:
    """A new file, which has its name when all of it is there; or the output, which stays open.

    Raises:
        UsageError: the file exists already.
        StoreError: it cannot be written, or not to its end: then nothing of it is left.
    """
    part = f"{path}.part"
    try:
        if path is None:
            yield sys.stdout.buffer if is_binary else sys.stdout
            sys.stdout.flush()  # The last of it may be what there is no room for.
            return
        if os.path.exists(path):
            raise UsageError(f"{path} exists already", hint="Name a new file.")
        out: IO[Any]
        with (
            open(part, "wb") if is_binary else open(part, "w", encoding="utf-8", newline="")
        ) as out:
            yield out
            out.flush()
            os.fsync(out.fileno())  # Whoever pulls out the stick now has it.
        os.rename(part, path)
    except BrokenPipeError:
        raise
    except OSError as error:
        if path is None:
            _forget_output()
        what = path or "the output"
        raise StoreError(
            f"cannot write {what}: {error.strerror or error}",
            hint="Nothing of it is left there." if path and error.errno == errno.ENOSPC else "",
        ) from error
    finally:
        if path is not None:
            with suppress(OSError):
                os.remove(part)


def _forget_output() -> None:
    """What it did not take is not to be tried once more, and complained about, at the exit."""
    with suppress(OSError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def write(store: StoreReader, form: str, tier: str, out: IO[Any], choice: export.Choice) -> int:
    """Write the chosen readings ("raw") or means, oldest first; how many they were.

    Raises:
        UsageError: this form has no means.
        MissingPackage: the form needs a package that is not there.
    """
    gc.disable()  # Readings hold no circles, and to look for some takes a tenth of the time.
    try:
        return _write(store, form, tier, out, choice)
    finally:
        gc.enable()


def _write(store: StoreReader, form: str, tier: str, out: IO[Any], choice: export.Choice) -> int:
    if tier == "raw":
        return _of_readings(form)(store, out, choice)
    of_means = _OF_MEANS.get(form)
    if of_means is None:
        raise UsageError(
            f"--format {form} has no means",
            hint=f"--tier {tier} goes with {', '.join(_OF_MEANS)}.",
        )
    return of_means(store, out, tiers.BY_NAME[tier], choice)


def _of_readings(form: str) -> Write:
    if form == "influx":
        return partial(export.write_packs, _as_influx)
    if form == "parquet":
        return lambda store, out, choice: _parquet(export.records(store, choice), _READING, out)
    return lambda store, out, choice: export.write(store, form, out, choice)


def _as_influx(batch: Batch) -> str:
    """Line protocol, the same points as the publisher of that name writes (in milliseconds)."""
    from kiezbox.publishers import influx

    return influx.pack(batch).decode("utf-8")


def _influx_of_means(
    store: StoreReader, out: IO[Any], tier: tiers.Tier, choice: export.Choice
) -> int:
    """A point at the span's beginning: ``temperature_c_hourly,box=…,sensor=… mean=20.5,…``."""
    from datetime import datetime

    from kiezbox.publishers.influx import fields_of, point

    count = 0
    for count, record in enumerate(export_tiers.records(store, tier, choice), 1):  # noqa: B007
        tags = (("box", record["box"]), ("sensor", record["sensor"]))
        names = ("mean", "least", "most", "good", "suspect", "bad")
        fields = [(name, record[name]) for name in names if record[name] is not None]
        at_ms = int(datetime.fromisoformat(record["starts_at"]).timestamp() * 1000)
        head = point(f"{record['quantity']}_{tier.name}", tags)
        out.write(f"{head} {fields_of(fields)} {at_ms}\n")
    return count


#: Columns of a Parquet file and their Arrow types; d: repeated text, which is stored once.
_READING = {
    "box": "d", "boot": "int64", "counter": "int64", "sensor": "d", "quantity": "d", "unit": "d",
    "value": "float64", "raw": "float64", "flag": "d", "reason": "d", "taken_at": "time",
    "clock": "d", "taken_ms": "int64", "monotonic_ms": "int64",
}  # fmt: skip
_MEAN = {
    "box": "d", "sensor": "d", "quantity": "d", "unit": "d", "tier": "d", "starts_at": "time",
    "mean": "float64", "least": "float64", "most": "float64", "good": "int64",
    "suspect": "int64", "bad": "int64",
}  # fmt: skip


def _parquet(some: Iterator[dict[str, Any]], columns: dict[str, str], out: IO[Any]) -> int:
    """One file, zstd; times are UTC timestamps in milliseconds."""
    from datetime import datetime

    try:
        import pyarrow as pa
        from pyarrow import parquet
    except ImportError as error:
        raise MissingPackage(
            "--format parquet needs pyarrow",
            hint="On the computer that exports: pip install 'kiezbox[parquet]'. csv needs nothing.",
        ) from error
    kinds = {"d": pa.string(), "time": pa.timestamp("ms", tz="UTC")}
    schema = pa.schema([(name, kinds.get(kind) or kind) for name, kind in columns.items()])
    times = [name for name, kind in columns.items() if kind == "time"]
    texts = [name for name, kind in columns.items() if kind == "d"]
    count = 0
    with parquet.ParquetWriter(out, schema, compression="zstd", use_dictionary=texts) as writer:
        rows: list[dict[str, Any]] = []

        def flush() -> None:
            if rows:
                writer.write_table(pa.Table.from_pylist(rows, schema=schema))
                rows.clear()

        for count, record in enumerate(some, 1):  # noqa: B007
            for name in times:
                record[name] = datetime.fromisoformat(record[name]) if record[name] else None
            rows.append(record)
            if len(rows) >= _ROW_GROUP:
                flush()
        flush()
    return count


def _parquet_of_means(
    store: StoreReader, out: IO[Any], tier: tiers.Tier, choice: export.Choice
) -> int:
    return _parquet(export_tiers.records(store, tier, choice), _MEAN, out)


_OF_MEANS: dict[str, Callable[[StoreReader, IO[Any], tiers.Tier, export.Choice], int]] = {
    "csv": export_tiers.write_csv,
    "json": export_tiers.write_json,
    "influx": _influx_of_means,
    "parquet": _parquet_of_means,
}


class Progress:
    """Says on the terminal how far it is, a line that is written over."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._said_at = clock.monotonic()
        self._has_said = False
        self._part = 0.0

    def __call__(self, part: float) -> None:
        now = self._clock.monotonic()
        self._part = part
        if now - self._said_at >= _WORD_EVERY_S:
            self._said_at = now
            self._has_said = True
            print(f"\r{part:4.0%} written", end="", file=sys.stderr, flush=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        """The line's end, if there is a line."""
        if self._has_said:
            # Of what was asked for all is there, also where it ended before the readings do.
            is_short = kind is None and self._part < 1
            print("\r100% written" if is_short else "", file=sys.stderr)
