"""A power cut in the middle of a flush leaves a torn flush. That is no bad card, and no half news.

Found by the power cuts: `python -m beds.crashfs.cuts --seed 5 --box 956` (10,000 cuts, one such).
A flush that is longer than one frame goes out in one write; of its frames the first may be torn
and the last whole. None of it was confirmed.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from kiezbox.clock import ManualClock
from kiezbox.model import Cursor, Measurement, Quantity
from kiezbox.settings import StoreSettings
from kiezbox.store import Store

SECTOR = 512


def settings_in(folder: Path) -> StoreSettings:
    return StoreSettings(path=str(folder / "kiezbox.db"), run_dir=str(folder), journal_kib=16)


@pytest.fixture
def after_the_cut(tmp_path: Path) -> Store:
    """A box whose last flush, 300 readings and the cursor behind them, was torn."""
    before, after = tmp_path / "before", tmp_path / "after"
    before.mkdir()
    store = Store.open(settings_in(before), "kb-torn", ManualClock())
    for _ in range(300):
        (reading,) = store.add("roof", [Measurement(Quantity.TEMPERATURE_C, 21.5)])
    store.set_cursor(Cursor("mqtt", reading.serial, reading.serial, reading.serial))
    store.flush()
    shutil.copytree(before, after)
    store.close()
    with open(after / "kiezbox.db.journal", "r+b") as journal:
        content = journal.read()
        first = content.index(b"\xf5KJ1")
        journal.seek(first)
        journal.write(bytes(SECTOR))
    return Store.open(settings_in(after), "kb-torn", ManualClock())


def test_a_torn_flush_is_no_sign_of_a_bad_card(after_the_cut: Store) -> None:
    faults = after_the_cut.faults()
    after_the_cut.close()

    assert faults == []


def test_of_a_torn_flush_nothing_is_taken_from_behind_the_tear(after_the_cut: Store) -> None:
    cursor, stored = after_the_cut.cursor("mqtt"), len(after_the_cut.after(0, 1000))
    after_the_cut.close()

    assert (cursor, stored) == (Cursor("mqtt"), 0)
