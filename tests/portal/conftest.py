"""A store with one bulletin is made once and copied: making one takes 0.15 s of fsync."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from asking import Portal
from street import NOW, make_store, outage, write_facts

from kiezbox.clock import ManualClock
from kiezbox.portal.sight import Sight
from kiezbox.store import StoreWriter


@pytest.fixture(scope="session")
def made_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a real store with the bulletin "Warmer Raum: Turnhalle"."""
    folder = tmp_path_factory.mktemp("store")
    clock = ManualClock(NOW)
    with StoreWriter(str(make_store(folder, clock)), clock=clock) as store:
        store.post("Warmer Raum: Turnhalle", NOW + 9e8)
    return folder


@pytest.fixture
def box(tmp_path: Path, made_store: Path) -> Path:
    """A folder with a box's now.json (an outage) and store in it."""
    write_facts(tmp_path / "run", outage())
    for file in made_store.glob("kiezbox.db*"):
        shutil.copy(file, tmp_path)
    return tmp_path


@pytest.fixture
def clock() -> ManualClock:
    """The time of ``box``."""
    return ManualClock(NOW)


@pytest.fixture
def door(box: Path, clock: ManualClock) -> Portal:
    """The portal of ``box``, without a process; who joined when stands in ``box/joined``."""
    (box / "joined").mkdir()
    return Portal(Sight(str(box / "run"), str(box / "kiezbox.db"), clock), box / "joined")
