"""A real store on a real disk, with a clock that moves when told to."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

# Loaded here, so that no store of these tests needs a child process for its schema.
import sqlite_utils  # noqa: F401
from storing import BOX, switch_off

from kiezbox.clock import ManualClock
from kiezbox.settings import StoreSettings
from kiezbox.store import Store

OpenStore = Callable[..., Store]


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def settings(tmp_path: Path) -> StoreSettings:
    return StoreSettings(path=str(tmp_path / "kiezbox.db"))


@pytest.fixture
def open_store(settings: StoreSettings, clock: ManualClock) -> Iterator[OpenStore]:
    """Opens the store of this test, as often as the node starts in it."""
    opened: list[Store] = []

    def open_one(given: StoreSettings = settings, at: ManualClock = clock) -> Store:
        opened.append(Store.open(given, BOX, at))
        return opened[-1]

    yield open_one
    for store in opened:
        switch_off(store)
