"""``kiezbox foreign order`` and ``export``: who is meant, what is ordered, what goes out."""

from __future__ import annotations

import getpass
import os
import sys
from typing import TYPE_CHECKING

from kiezbox.airtime import PRESETS, airtime_s
from kiezbox.cli._common import load_settings, open_clock
from kiezbox.cli._exporting import opened
from kiezbox.cli.mode import seconds_of
from kiezbox.cli.readings import _moment_ms
from kiezbox.errors import UsageError
from kiezbox.foreign.control import encode_control, parse_order, say_order, say_target
from kiezbox.foreign.decode import decode
from kiezbox.foreign.influx import Moment, line, own_lines
from kiezbox.foreign.messages import Meta
from kiezbox.foreign.schema import DeviceType, Generation
from kiezbox.foreign.wire import BadMessage
from kiezbox.store import StoreReader, export
from kiezbox.store.foreign import ORDER_LASTS_S
from kiezbox.store.foreign_file import messages, open_for_reading, order, path_of

if TYPE_CHECKING:
    import argparse

    from kiezbox.clock import Clock
    from kiezbox.settings import Settings

__all__ = ["export_points", "give_order"]


def export_points(arguments: argparse.Namespace) -> int:
    """What was heard, or what this box has measured, in their names."""
    settings = load_settings(arguments.settings)
    clock = open_clock(settings)
    since = _since(arguments.since, clock)
    count = 0
    if arguments.own:
        count = _export_own(arguments, settings, clock, since)
    else:
        if arguments.box or arguments.district or arguments.sensor:
            raise UsageError("--district, --box and --sensor go with export --own")
        db = open_for_reading(path_of(settings.store.path))
        with opened(arguments.output, is_binary=False) as out:
            for told in messages(db, since) if db is not None else ():
                try:
                    update = decode(told.payload, told.heard_at).update
                except BadMessage:
                    continue
                if update is not None and (text := line(update, told.heard_at)):
                    out.write(text)
                    count += 1
        if db is not None:
            db.close()
    if arguments.output:
        print(f"{count} points written to {arguments.output}", file=sys.stderr)
    return 0


def _export_own(
    arguments: argparse.Namespace, settings: Settings, clock: Clock, since: float
) -> int:
    to = _target(arguments)
    if to.box_id is None or to.dist_id is None:
        raise UsageError(
            "export --own needs --district and --box",
            hint="The numbers under which their database shall have this box.",
        )
    choice = export.Choice(since_ms=int(since * 1000), sensors=(arguments.own,))
    count = 0
    with StoreReader(settings.store.path, clock=clock) as store:
        names = sorted({each.sensor for each in store.series().values()})
        if arguments.own not in names:
            raise UsageError(
                f"nothing was ever measured as {arguments.own}",
                hint=f"There are: {', '.join(names)}." if names else "Nothing is here yet.",
            )
        with opened(arguments.output, is_binary=False) as out:
            for batch, some in export.dated(store, choice):
                text = own_lines(
                    (
                        Moment(batch.series[each.reading.series].quantity, each.reading.value,
                               each.at_ms)
                        for each in some
                        if not each.reading.flag and each.clock != "untrusted"
                    ),
                    to,
                )  # fmt: skip
                out.write(text)
                count += text.count("\n")
    return count


def _since(given: str | None, clock: Clock) -> float:
    if given is None:
        return 0.0
    if given[-1:] in "smhd" and given[:1].isdigit():
        return clock.now() - seconds_of(given)
    return (_moment_ms("--since", given) or 0) / 1000


def _target(arguments: argparse.Namespace) -> Meta:
    kind = getattr(arguments, "type", None)
    return Meta(
        _number("--box", arguments.box),
        _number("--district", arguments.district),
        _number("--sensor", arguments.sensor),
        DeviceType[kind.upper()] if kind else None,
    )


def _number(option: str, given: str | None) -> int | None:
    if given is None:
        return None
    try:
        number = int(given, 0)
    except ValueError as error:
        raise UsageError(
            f"{option} {given} is no number",
            hint="113, or as on a label: 0x71.",
        ) from error
    most = 65_535 if option == "--sensor" else 255
    if not 0 <= number <= most:
        raise UsageError(f"{option} {given} is outside 0 to {most}")
    return number


def give_order(arguments: argparse.Namespace) -> int:
    """Leave it for the radio, and in the log."""
    settings = load_settings(arguments.settings)
    clock = open_clock(settings)
    # A clock that nobody vouches for must not be spread.
    known = clock.now() if clock.is_trusted() else None
    given = parse_order(arguments.words[0], arguments.words[1], known)
    to = _target(arguments)
    payload = encode_control(
        given,
        to,
        for_all=arguments.to_all_boxes,
        generation=(
            Generation.OPTIONAL_2024_12 if arguments.before_2025_06 else Generation.FILTERS_2025_06
        ),
        now=known,
    )
    what, whom = say_order(given), say_target(to)
    print(f"{what}; to {whom}\n{payload.hex()}")
    if given.name == "status_interval" and given.value < 60_000:
        print(_airtime_words(given.value / 1000), file=sys.stderr)
    if arguments.dry_run:
        print("not ordered: --dry-run")
        return 0
    by = os.environ.get("SUDO_USER") or getpass.getuser()
    number = order(
        path_of(settings.store.path), by, whom, what, payload, clock.now(), lasts_s=ORDER_LASTS_S
    )
    print(
        f"ordered as number {number}; it waits {ORDER_LASTS_S / 60:.0f} minutes for the radio:"
        " `kiezbox foreign orders` says what became of it"
    )
    return 0


def _airtime_words(interval_s: float) -> str:
    # 16 bytes of Meshtastic's header, the message, and what its Data and Update put around it.
    share = airtime_s(16 + 76 + 6, PRESETS["LONG_FAST"]) / interval_s
    return (
        f"a box that sends every {interval_s:g} s in LongFast uses {share:.1%} of every hour, of"
        " the 10 % that all of its radio's sending may take"
    )
