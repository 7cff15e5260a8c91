"""Readings onto a stick: what is there after a bad moment."""

from __future__ import annotations

from pathlib import Path

import pytest
from publishers.rig import BOX, Rig, deliver
from senml_rfc8428 import resolve

from kiezbox.clock import ManualClock
from kiezbox.errors import Refused, Unreachable
from kiezbox.model import Batch, Reading, Series, serial_of
from kiezbox.publishers import file
from kiezbox.settings import BoxSettings

BATCH = Batch(
    BOX,
    {1: Series("roof", "temperature_c")},
    [Reading(serial_of(1, 1), 1, 1_780_000_000_000, 0, 21.5, None, 0, "", 1)],
)


def opened(path: Path | str) -> file.File:
    settings = file.Settings(path=str(path))
    return file.open(settings, BoxSettings(id=BOX), ManualClock(), lambda: None)


def test_everything_the_store_holds_goes_into_the_file_in_order(rig: Rig) -> None:
    store, path = rig.store(), rig.folder / "readings.senml"
    rig.measure(store, rounds=1200)

    deliver(rig.carrier(store, opened(path), "stick"))

    packs = path.read_bytes().splitlines()
    ids = {str(record["id"]) for pack in packs for record in resolve(pack)}
    assert ids == set(rig.ids(store))
    assert store.cursor("stick").live == store.newest_serial


def test_half_a_line_from_a_power_cut_spoils_nothing_behind_it(tmp_path: Path) -> None:
    path = tmp_path / "readings.senml"
    path.write_bytes(b'[{"bt":1780000000,"bn":"kb-t')

    opened(path).publish(BATCH)

    half, whole = path.read_bytes().splitlines()
    assert half == b'[{"bt":1780000000,"bn":"kb-t'
    assert resolve(whole)[0]["id"] == "1-1"


def test_a_full_stick_may_be_emptied_so_the_readings_wait() -> None:
    publisher = opened("/dev/full")

    with pytest.raises(Unreachable, match="No space left"):
        publisher.publish(BATCH)

    assert publisher.link() == "waiting"


def test_a_path_that_can_never_be_written_needs_a_person(tmp_path: Path) -> None:
    publisher = opened(tmp_path)

    with pytest.raises(Refused, match="directory"):
        publisher.publish(BATCH)

    assert publisher.link() == "refused"
