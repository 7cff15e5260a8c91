"""The database this release makes, for later ones to open: `make_store.py`.

Run once for each release, before it; ``tests/store/test_store_schema.py`` says what must be found
in every one of them. A recording, once released, is never made again.
"""

from __future__ import annotations

import gzip
import tempfile
from pathlib import Path

import sqlite_utils

import kiezbox
from kiezbox.clock import ManualClock
from kiezbox.model import Cursor, Flag, Measurement, Quantity
from kiezbox.settings import StoreSettings
from kiezbox.store import Store, StoreWriter, upkeep

STUCK = Measurement(Quantity.HUMIDITY_PERCENT, 71.0, 100.0, Flag.SUSPECT, "stuck at 100 %")


def main() -> None:
    """Write ``store-VERSION.db.gz`` beside this file."""
    target = Path(__file__).with_name(f"store-{kiezbox.__version__}.db.gz")
    with tempfile.TemporaryDirectory() as folder:
        settings = StoreSettings(path=f"{folder}/kiezbox.db")
        _live(settings, ManualClock(1_780_000_000))
        # One file, but not marked as a copy: it is the box's own database.
        upkeep.backup(settings.path, f"{folder}/one")
        db = sqlite_utils.Database(f"{folder}/one")
        db.execute("UPDATE meta SET is_backup = 0")
        db.conn.commit()
        db.close()
        target.write_bytes(gzip.compress(Path(folder, "one").read_bytes(), mtime=0))
    print(f"{target}: {target.stat().st_size} bytes")


def _live(settings: StoreSettings, clock: ManualClock) -> None:
    store = Store.open(settings, "kb-musterplatz-1", clock)
    _measure(store, clock, Measurement(Quantity.HUMIDITY_PERCENT, 71.0))
    middle = store.newest_serial
    store.open_fault("roof", "missing", "nothing answers at 0x76", "Look at the cable.")
    store.close_fault("roof")
    present = store.put_transition("grid", "unknown", "votes", "present", {"sources": ["pin"]})
    store.carried_out(present)
    store.close()

    store = Store.open(settings, "kb-musterplatz-1", clock)
    _measure(store, clock, STUCK)
    store.set_cursor(Cursor("mqtt", middle))
    store.open_fault("dust", "garbled", "bad checksum", "Look at the cable.")
    store.put_transition("mode", "normal", "grid_gone", "emergency", {"cause": "grid"})
    store.keep("mode", {"name": "emergency", "since": 1780000840.0})
    with StoreWriter(settings.path, clock=clock) as writer:
        writer.order("exercise", 1.8e9, {"by": "operator"})
    store.close()


def _measure(store: Store, clock: ManualClock, last_humidity: Measurement) -> None:
    """Fourteen minutes of three readings each."""
    for minute in range(14):
        humidity = last_humidity if minute == 13 else Measurement(Quantity.HUMIDITY_PERCENT, 71.0)
        store.add("roof", [Measurement(Quantity.TEMPERATURE_C, 20.0 + minute / 10), humidity])
        store.add("dust", [Measurement(Quantity.PM2_5_UG_M3, 8.0 + minute / 10)])
        clock.advance(60)


if __name__ == "__main__":
    main()
