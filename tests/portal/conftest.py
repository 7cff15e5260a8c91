"""A store and a log with one bulletin are made once and copied: that takes 0.2 s of fsync."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from asking import Portal
from street import NOW, make_store, outage, post, write_facts

from kiezbox.clock import ManualClock
from kiezbox.portal.sight import Sight


@pytest.fixture(scope="session")
def made_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a real store, and of a log with the bulletin "Warmer Raum: Turnhalle"."""
    folder = tmp_path_factory.mktemp("store")
    make_store(folder, ManualClock(NOW))
    post(folder, "Warmer Raum: Turnhalle")
    return folder


@pytest.fixture
def box(tmp_path: Path, made_store: Path) -> Path:
    """A folder with a box's now.json (an outage) and store in it."""
    write_facts(tmp_path / "run", outage())
    for file in made_store.glob("kiezbox.db*"):
        shutil.copy(file, tmp_path)
    shutil.copytree(made_store / "words", tmp_path / "words")
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
