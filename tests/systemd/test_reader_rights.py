"""What a reader of another user needs of the store: to read it by its group, and no more.

The portal is such a reader (systemd/README.md). The store is the real one; the reader is another
process with another user, in the situations that a node leaves behind.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from kiezbox.clock import SystemClock
from kiezbox.model import Measurement, Quantity
from kiezbox.settings import StoreSettings
from kiezbox.store import Store

CHECKOUT = Path(__file__).resolve().parent.parent.parent
GROUP, STRANGER = 64_001, 64_002

#: Everything is imported before the rights are given up: the interpreter may lie in a home.
READER = """
import os, sys
from kiezbox.errors import StoreError
from kiezbox.store import StoreReader
os.setgroups([int(group) for group in sys.argv[2:]])
os.setgid(64002)
os.setuid(64002)
try:
    with StoreReader(sys.argv[1]) as reader:
        print(len(reader.transitions()), reader.count_after(0))
except StoreError as error:
    print("refused:", error)
"""

#: A node that is killed in the middle of its work, with something in the -wal.
NODE = """
import os, signal, sys
from kiezbox.clock import SystemClock
from kiezbox.settings import StoreSettings
from kiezbox.store import Store
os.umask(0o027)
store = Store.open(StoreSettings(path=sys.argv[1]), "kb-a", SystemClock())
store.put_transition("grid", "present", "gone", "bridging", {})
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture
def path(tmp_path: Path) -> Iterator[str]:
    """A folder as StateDirectory= makes it, but of root: 750, its files of the group."""
    if os.geteuid() != 0:
        pytest.skip("only root can become another user")
    for above in (tmp_path, *tmp_path.parents):
        if not above.stat().st_mode & 0o001 and above.owner() == "root":
            above.chmod(above.stat().st_mode | 0o011)
    folder = tmp_path / "kiezbox"
    folder.mkdir()
    os.chown(folder, 0, GROUP)
    folder.chmod(0o2750)
    before = os.umask(0o027)
    yield str(folder / "kiezbox.db")
    os.umask(before)
    shutil.rmtree(folder)


def python(script: str, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", script, *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        cwd=CHECKOUT,
    )
    return done.stdout.strip() or done.stderr


def read(path: str, *groups: int) -> str:
    """ "TRANSITIONS READINGS", as the stranger sees them."""
    return python(READER, path, *map(str, groups))


def opened(path: str) -> Store:
    return Store.open(StoreSettings(path=path), "kb-a", SystemClock())


def fill(store: Store) -> None:
    store.put_transition("grid", "present", "gone", "bridging", {})
    store.add("roof", [Measurement(Quantity.TEMPERATURE_C, 20.0)])
    store.flush()


def test_a_reader_sees_a_store_that_was_just_opened(path: str) -> None:
    store = opened(path)

    assert read(path, GROUP) == "0 0"
    store.close()


def test_a_reader_sees_each_write_of_a_running_node(path: str) -> None:
    store = opened(path)

    for number in (1, 2, 3):
        fill(store)
        assert read(path, GROUP) == f"{number} {number}"
    store.close()


def test_a_reader_sees_a_store_whose_journal_was_folded_and_goes_on(path: str) -> None:
    store = opened(path)
    fill(store)
    store.fold()

    assert read(path, GROUP) == "1 1"
    fill(store)
    assert read(path, GROUP) == "2 2"
    store.close()


def test_a_reader_sees_what_a_node_left_that_ended_well(path: str) -> None:
    store = opened(path)
    fill(store)
    store.close()

    assert read(path, GROUP) == "1 1"


def test_a_reader_sees_what_a_killed_node_left(path: str) -> None:
    python(NODE, path)
    assert os.path.getsize(path + "-wal") > 0

    assert read(path, GROUP) == "1 0"


def test_a_reader_leaves_nothing_behind(path: str) -> None:
    store = opened(path)
    fill(store)
    before = sorted(os.listdir(os.path.dirname(path)))

    read(path, GROUP)

    assert sorted(os.listdir(os.path.dirname(path))) == before
    store.close()


def test_a_stranger_outside_the_group_reads_nothing(path: str) -> None:
    store = opened(path)
    fill(store)

    assert read(path).startswith("refused:")
    store.close()


def test_a_wal_without_its_shm_hides_its_last_words_until_the_node_runs(path: str) -> None:
    """What a power cut can leave: the reader may not make the -shm, and sees the database alone."""
    python(NODE, path)
    os.unlink(path + "-shm")
    assert read(path, GROUP) == "0 0"

    store = opened(path)

    assert read(path, GROUP) == "1 0"
    store.close()
