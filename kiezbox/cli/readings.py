"""Write out what the box has measured, or say how good it was.

  kiezbox readings quality [--days N] [--sensor NAME] [--json]

A line per series and day of the last N days (7): how many values were good, suspect, bad and
missing, and why; then what to do about each reason (docs/quality.md). Missing is what was expected
every interval_s and is not there. How often was told on an earlier day is not stored; where a day
shows another steady rhythm of its own, that one counts.

  kiezbox readings export --format csv [--since TIME] [--until TIME] [--sensor NAME]
                          [--quantity NAME] [--tier TIER] [--output FILE] [--progress]

csv      a line per reading: box, boot and counter (together the reading's id), sensor, quantity,
         unit, value, raw, flag, reason, taken_at, clock, taken_ms, monotonic_ms
json     the same as one array
senml    SenML packs (RFC 8428), one per line
influx   InfluxDB's line protocol, as [publishers.influx] writes it; times in milliseconds
parquet  for pandas, DuckDB, R (needs pip install 'kiezbox[parquet]', no box has to have it)

--tier 10min, hourly or daily writes means instead (not as senml): box, sensor, quantity, unit,
tier, starts_at (UTC), mean, least, most of the good readings, and how many were good, suspect, bad.
They stay when the single readings have grown too old (docs/storage.md). --tier raw is the default.

taken_at is right also where the box's clock was wrong after a blackout ("corrected"), as far as
the box learned the time before it was switched off again; taken_ms is what the clock said.
Reads beside the running node; what is not on the card yet (a minute at most) is not in it.

TIME is a day or moment like 2026-11-22 or 2026-11-22T15:04 in UTC, one with a zone like
2026-11-22T15:04+01:00, or Unix seconds. NAME is a sensor, or one quantity of it
(roof/temperature_c); may be given several times. How far it is stands on the terminal, also into a
pipe with --progress.

Into a database of your own, to ask questions of:

  kiezbox readings export --format csv --output all.csv
  sqlite-utils insert mine.db readings all.csv --csv --pk box --pk boot --pk counter
"""

from __future__ import annotations

import sys
from contextlib import nullcontext
from typing import TYPE_CHECKING

from kiezbox.errors import UsageError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable

    from kiezbox.model import Series


#: A year and a bit; more would take a small box minutes.
MOST_DAYS = 400


def main(argv: list[str]) -> int:
    """``kiezbox readings export|quality``."""
    from kiezbox.cli import _exporting as exporting
    from kiezbox.cli._common import Parser, load_settings, open_clock
    from kiezbox.store import StoreReader, export, tiers

    parser = Parser("readings", __doc__)
    parser.add_argument("action", choices=("export", "quality"))
    parser.add_argument("--format", choices=exporting.forms(), help="export: must be given")
    parser.add_argument("--since", metavar="TIME", help="export: not before")
    parser.add_argument("--until", metavar="TIME", help="export: before")
    parser.add_argument("--sensor", metavar="NAME", action="append", default=[])
    parser.add_argument("--quantity", metavar="NAME", action="append", default=[], help="export")
    parser.add_argument("--tier", choices=["raw", *tiers.BY_NAME], help="export: raw or means")
    parser.add_argument("--progress", action="store_true", help="export: say how far it is")
    parser.add_argument("--output", metavar="FILE", help="export: a new file (default: output)")
    parser.add_argument("--days", metavar="N", type=int, help="quality: today and before (7)")
    parser.add_argument("--json", action="store_true", help="quality: for programs")
    arguments = parser.parse_args(argv)
    _check_options(arguments)
    if arguments.action == "quality":
        return _quality(arguments)
    settings = load_settings(arguments.settings)
    clock = open_clock(settings)
    is_on_screen = arguments.output is None and sys.stdout.isatty()
    is_said = arguments.progress or (sys.stderr.isatty() and not is_on_screen)
    progress = exporting.Progress(clock) if is_said else None
    since_ms = _moment_ms("--since", arguments.since)
    until_ms = _moment_ms("--until", arguments.until)
    if since_ms is not None and until_ms is not None and since_ms >= until_ms:
        raise UsageError(
            "--until is not after --since", hint="--since TIME is taken in, --until TIME is not."
        )
    choice = export.Choice(
        since_ms=since_ms,
        until_ms=until_ms,
        sensors=tuple(arguments.sensor),
        quantities=tuple(arguments.quantity),
        progress=progress,
    )
    is_binary = exporting.is_binary(arguments.format)
    if is_binary and is_on_screen:
        raise UsageError(f"{arguments.format} is nothing for a screen", hint="Give --output FILE.")
    with StoreReader(settings.store.path, clock=clock) as store:
        _check_names(choice.sensors, store.series().values())
        _check_quantities(choice.quantities, store.series().values())
        with (
            progress or nullcontext(),
            exporting.opened(arguments.output, is_binary=is_binary) as out,
        ):
            count = exporting.write(store, arguments.format, arguments.tier or "raw", out, choice)
    if arguments.output:
        what = "readings" if arguments.tier in (None, "raw") else "means"
        print(f"{count} {what} written to {arguments.output}", file=sys.stderr)
    return 0


#: Options that belong to one action only.
_OPTIONS = {
    "export": ("format", "since", "until", "quantity", "tier", "progress", "output"),
    "quality": ("days", "json"),
}


def _check_options(arguments: argparse.Namespace) -> None:
    for action, options in _OPTIONS.items():
        for option in options if action != arguments.action else ():
            if getattr(arguments, option):
                raise UsageError(f"--{option} belongs to readings {action}")
    if arguments.action == "export" and not arguments.format:
        raise UsageError(
            "readings export needs --format", hint="--format csv, json, senml, influx or parquet."
        )
    if arguments.days is not None and not 1 <= arguments.days <= MOST_DAYS:
        raise UsageError(f"--days {arguments.days} must be 1 to {MOST_DAYS}")


def _quality(arguments: argparse.Namespace) -> int:
    from kiezbox.cli import _quality as quality
    from kiezbox.cli._common import load_settings, open_clock, print_json
    from kiezbox.store import StoreReader

    settings = load_settings(arguments.settings)
    clock = open_clock(settings)
    with StoreReader(settings.store.path, clock=clock) as store:
        _check_names(arguments.sensor, store.series().values())
        days = quality.days_of(store, settings, clock, arguments.days or 7, arguments.sensor)
    if arguments.json:
        print_json(quality.document(days))
    else:
        print("\n".join(quality.sentences(days)))
    return 0


def _check_names(sensors: Iterable[str], series: Iterable[Series]) -> None:
    known = sorted(map(str, series))
    for name in sensors:
        if name not in known and not any(each.startswith(name + "/") for each in known):
            raise UsageError(
                f"nothing was ever measured as {name}",
                hint=f"There are: {', '.join(known)}." if known else "Nothing is here yet.",
            )


def _check_quantities(quantities: Iterable[str], series: Iterable[Series]) -> None:
    known = sorted({each.quantity for each in series})
    for name in quantities:
        if name not in known:
            raise UsageError(
                f"no {name} was ever measured",
                hint=f"There are: {', '.join(known)}." if known else "Nothing is here yet.",
            )


def _moment_ms(option: str, given: str | None) -> int | None:
    """Unix milliseconds of a day, a moment or Unix seconds."""
    from datetime import UTC, datetime

    if given is None:
        return None
    try:
        return int(float(given) * 1000)
    except (ValueError, OverflowError):
        pass
    try:
        moment = datetime.fromisoformat(given)
    except ValueError as error:
        raise UsageError(
            f"{option} {given} is no time", hint="Write 2026-11-22 or 2026-11-22T15:04+01:00."
        ) from error
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return int(moment.timestamp() * 1000)
