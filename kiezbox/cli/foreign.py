"""Kiezbox 2.0: its boxes as neighbours, their messages in words, orders to them.

  kiezbox foreign list [--json]        who was heard, with readings, battery and when
  kiezbox foreign decode [PAYLOAD ...] [--json]
                                       what a message says: hexadecimal or base64 (or one a line on
                                       the input), as a payload of port 258 or as a whole frame of
                                       Meshtastic's stream (94c3...)
  kiezbox foreign take FILE            takes in what was recorded from a radio's cable, as if this
                                       box had heard it: raw bytes of Meshtastic's stream
  kiezbox foreign export [--since TIME] [--output FILE]
                                       what they said, in line protocol with the names that their
                                       own gateway uses, so that their Grafana goes on
  kiezbox foreign export --own NAME --district D --box B [--sensor S] [--since TIME]
                                       the good readings of this box's sensor NAME in those names
  kiezbox foreign order ORDER WORD --district D --box B [--sensor S] [--type TYPE] [--dry-run]
  kiezbox foreign order ORDER WORD --to-all-boxes
                                       mode normal|emergency|maintenance, router on|off,
                                       interval 10s to 1h, time now; docs/kiezbox-2.0.md has all
  kiezbox foreign orders [--json]      who ordered what, and what became of it

D, B and S are plain numbers, as in their database. On their labels, in their host names and in UCI
they are hexadecimal: kb-t-71-01 is --district 0x71 --box 1.

An order goes to every radio in reach; the numbers alone decide who obeys, and nobody answers. So
one that names no box, district or sensor needs --to-all-boxes. It waits ten minutes for the radio
at most. --before-2025-06 is for boxes with older firmware: it knows no numbers in orders, so all
obey, and what is new means something else to it.

TIME is a day or moment in UTC like 2026-11-22T15:04, Unix seconds, or how long ago (24h, 7d).
"""

from __future__ import annotations

import sys
from contextlib import closing
from typing import TYPE_CHECKING

from kiezbox.errors import StoreError, UsageError

if TYPE_CHECKING:
    import argparse

    from kiezbox.clock import Clock
    from kiezbox.settings import Settings

ACTIONS = ("list", "decode", "take", "export", "order", "orders")

#: What belongs to which action.
_OPTIONS = {
    "json": ("list", "decode", "orders"),
    "since": ("export",),
    "output": ("export",),
    "own": ("export",),
    "district": ("order", "export"),
    "box": ("order", "export"),
    "sensor": ("order", "export"),
    "type": ("order",),
    "to_all_boxes": ("order",),
    "before_2025_06": ("order",),
    "dry_run": ("order",),
}


def main(argv: list[str]) -> int:
    """``kiezbox foreign list|decode|take|export|order|orders``."""
    from kiezbox.cli._common import Parser

    parser = Parser("foreign", __doc__)
    parser.add_argument("action", choices=ACTIONS)
    parser.add_argument("words", nargs="*", metavar="PAYLOAD, FILE, or ORDER WORD")
    parser.add_argument("--json", action="store_true", help="for programs")
    parser.add_argument("--since", metavar="TIME", help="export: not before")
    parser.add_argument("--output", metavar="FILE", help="export: a new file (default: output)")
    parser.add_argument("--own", metavar="NAME", help="export: a sensor of this box")
    parser.add_argument("--district", metavar="D", help="their number of the district")
    parser.add_argument("--box", metavar="B", help="their number of the box")
    parser.add_argument("--sensor", metavar="S", help="their number of the sensor")
    parser.add_argument("--type", choices=("core", "sensor", "display", "button"))
    parser.add_argument("--to-all-boxes", action="store_true", help="order: all in reach obey")
    parser.add_argument("--before-2025-06", action="store_true", help="order: for older firmware")
    parser.add_argument("--dry-run", action="store_true", help="order: only show it")
    arguments = parser.parse_args(argv)
    for option, actions in _OPTIONS.items():
        if getattr(arguments, option) and arguments.action not in actions:
            raise UsageError(
                f"--{option.replace('_', '-')} belongs to foreign {' and '.join(actions)}"
            )
    needed = {"take": 1, "order": 2}.get(arguments.action, 0)
    if arguments.action != "decode" and len(arguments.words) != needed:
        needs = {"take": "a FILE", "order": "an ORDER and its WORD"}
        raise UsageError(
            f"foreign {arguments.action} needs {needs.get(arguments.action, 'nothing more')}",
            hint="`kiezbox foreign --help` shows all of it.",
        )
    if arguments.action == "decode":
        from kiezbox.cli._foreign_decoding import decode_typed

        return decode_typed(arguments.words, is_json=arguments.json)
    if arguments.action in ("export", "order"):
        from kiezbox.cli import _foreign_ordering as ordering

        return (ordering.export_points if arguments.action == "export" else ordering.give_order)(
            arguments
        )
    return {"list": _list, "take": _take, "orders": _orders}[arguments.action](arguments)


def _settings(arguments: argparse.Namespace) -> tuple[Settings, Clock, str]:
    """Settings, clock, and where the file lies."""
    from kiezbox.cli._common import load_settings, open_clock
    from kiezbox.store.foreign_file import path_of

    settings = load_settings(arguments.settings)
    return settings, open_clock(settings), path_of(settings.store.path)


# --- looking -------------------------------------------------------------------------------------


def _list(arguments: argparse.Namespace) -> int:
    from kiezbox.cli._common import print_json
    from kiezbox.cli._foreign_words import neighbour_lines
    from kiezbox.store.foreign_file import open_for_reading, read_view, view

    settings, clock, path = _settings(arguments)
    try:
        db = open_for_reading(path)
    except StoreError:
        # Whoever may not read the file is shown what everybody may see.
        shown = read_view(settings.store.run_dir)
    else:
        shown = {"neighbours": [], "distress": []}
        if db is not None:
            with closing(db):
                shown = view(db, clock.now(), with_texts=True)
    if arguments.json:
        print_json(shown)
        return 0
    lines = list(neighbour_lines(shown, clock.now()))
    print("\n".join(lines) if lines else "no box of Kiezbox 2.0 was heard within a month")
    return 0


def _take(arguments: argparse.Namespace) -> int:
    from kiezbox.cli._foreign_decoding import MOST_BYTES
    from kiezbox.foreign import envelope
    from kiezbox.foreign.schema import PORT
    from kiezbox.foreign.taking import plausible_time
    from kiezbox.foreign.wire import BadMessage
    from kiezbox.store.foreign import ForeignStore

    settings, clock, path = _settings(arguments)
    try:
        with open(arguments.words[0], "rb") as file:
            recorded = file.read(MOST_BYTES)
    except OSError as error:
        raise UsageError(f"cannot read {arguments.words[0]}: {error.strerror}") from error
    taken = bad = 0
    with closing(ForeignStore(path, clock, run_dir=settings.store.run_dir)) as store:
        now = clock.now()
        for frame in envelope.frames(recorded):
            try:
                packet = envelope.from_radio(frame)
            except BadMessage:
                bad += 1
                continue
            if packet is None:
                continue
            at = now if plausible_time(packet.heard_at, now) else min(now, float(packet.heard_at))
            if packet.port == PORT:
                heard = store.heard(
                    packet.payload, packet.sender, packet.rssi_dbm, packet.snr_db, at
                )
                taken += heard.message is not None
                bad += heard.message is None
            elif packet.port == envelope.ADMIN_PORT:
                taken += store.heard_config(packet.payload, packet.sender, at) is not None
        store.flush()
    print(f"{taken} messages of Kiezbox 2.0 taken in, {bad} could not be read")
    if not taken:
        print("Is it the radio's stream as raw bytes (94 C3 ...)?", file=sys.stderr)
    return 0


def _orders(arguments: argparse.Namespace) -> int:
    from kiezbox.cli._common import print_json
    from kiezbox.cli._foreign_words import order_lines
    from kiezbox.store.foreign_file import open_for_reading, orders

    _, clock, path = _settings(arguments)
    db = open_for_reading(path)
    logged = []
    if db is not None:
        with closing(db):
            logged = orders(db)
    if arguments.json:
        print_json([{**each._asdict(), "payload": each.payload.hex()} for each in logged])
    else:
        lines = list(order_lines(logged, clock.now()))
        print("\n".join(lines) if lines else "nobody has ordered anything yet")
    return 0
