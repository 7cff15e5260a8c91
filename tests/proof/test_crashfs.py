"""The power-cut file system loses what it may lose and keeps what it promised.

Without these the 10,000 cuts of test_power_cuts.py would prove nothing.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from beds.crashfs.disk import SECTOR, File, Folder, Volume

SEEDS = range(300)


def volume_with(content: bytes) -> tuple[Volume, File]:
    """A disk with one synced file "log"."""
    volume = Volume()
    file = File()
    volume.create("log", file)
    volume.write(file, 0, content)
    volume.sync_file(file)
    volume.sync_folder("")
    return volume, file


def survivors(volume: Volume, path: str = "log") -> set[bytes | None]:
    """All that a file may hold after a cut (None: it is not there), over many seeds."""
    found: set[bytes | None] = set()
    for seed in SEEDS:
        node = volume.survivor(seed).names.get(path)
        found.add(bytes(node.content) if isinstance(node, File) else None)
    return found


def test_what_was_synced_survives_every_cut() -> None:
    volume, _ = volume_with(b"a" * 1000)

    assert survivors(volume) == {b"a" * 1000}


def test_unsynced_sectors_survive_one_by_one() -> None:
    volume, file = volume_with(b"a" * 3 * SECTOR)
    volume.write(file, 0, b"b" * 3 * SECTOR)

    patterns = {"".join(chr(c[i * SECTOR]) for i in range(3)) for c in survivors(volume) if c}

    assert patterns == {x + y + z for x in "ab" for y in "ab" for z in "ab"}


def test_a_sector_is_never_torn() -> None:
    volume, file = volume_with(b"a" * SECTOR)
    volume.write(file, 0, b"b" * SECTOR)
    volume.write(file, 0, b"c" * SECTOR)

    assert survivors(volume) == {b"a" * SECTOR, b"b" * SECTOR, b"c" * SECTOR}


def test_a_growing_file_may_end_in_a_hole() -> None:
    volume, file = volume_with(b"")
    volume.write(file, 0, b"b" * SECTOR)

    assert survivors(volume) == {b"", bytes(SECTOR), b"b" * SECTOR}


def test_what_is_written_after_a_truncation_survives_only_with_it() -> None:
    volume, file = volume_with(b"a" * 2 * SECTOR)
    volume.resize(file, 0)
    volume.write(file, 0, b"b" * SECTOR)

    found = survivors(volume)

    assert found == {b"a" * 2 * SECTOR, b"", bytes(SECTOR), b"b" * SECTOR}


def test_a_file_that_was_synced_may_still_lose_its_name() -> None:
    volume = Volume()
    file = File()
    volume.create("log", file)
    volume.write(file, 0, b"a")
    volume.sync_file(file)

    assert survivors(volume) == {None, b"a"}


def test_syncing_the_folder_saves_the_name() -> None:
    volume = Volume()
    volume.create("log", File(b"a"))
    volume.sync_folder("")

    assert survivors(volume) == {b"a"}


def test_a_deleted_file_may_come_back() -> None:
    volume, _ = volume_with(b"a")
    volume.remove("log")

    assert survivors(volume) == {None, b"a"}


def test_a_rename_is_never_half_done() -> None:
    volume, _ = volume_with(b"old")
    volume.create("new", File(b"new"))
    volume.rename("new", "log")

    assert survivors(volume) == {b"old", b"new"}
    assert {("new" in volume.survivor(s).names, bytes(volume.survivor(s).file("log").content))
            for s in SEEDS} == {(False, b"old"), (True, b"old"), (False, b"new")}  # fmt: skip


def test_a_name_in_a_folder_that_vanished_is_gone() -> None:
    volume = Volume()
    volume.create("old", Folder())
    volume.create("old/log", File(b"a"))
    volume.sync_folder("old")

    assert survivors(volume, "old/log") == {None, b"a"}


def test_an_ordered_cut_keeps_a_beginning_of_history() -> None:
    volume, file = volume_with(b"")
    for moment in range(8):
        volume.moment = moment
        volume.write(file, moment * SECTOR, b"b" * SECTOR)

    whole = {c for c in survivors(volume) if c is not None and b"\0" not in c}

    assert {b"b" * SECTOR * n for n in range(9)} <= whole


def test_a_lying_disk_loses_what_it_promised() -> None:
    volume = Volume(lies=True)
    file = File()
    volume.create("log", file)
    volume.write(file, 0, b"a")
    volume.sync_file(file)
    volume.sync_folder("")

    assert None in survivors(volume)


def test_the_same_seed_is_the_same_cut() -> None:
    volume, file = volume_with(b"a" * 9 * SECTOR)
    volume.write(file, 0, b"b" * 9 * SECTOR)

    one, two = volume.survivor(7), volume.survivor(7)

    assert one.file("log").content == two.file("log").content


MOUNTED = """
import os, signal, sys
from beds.crashfs.mount import Bed, Unavailable

def child(path, work):
    pid = os.fork()
    if pid == 0:
        bed.forget_socket()
        os.read(go, 1)
        work(path)
        os._exit(7)
    return pid

def cut_in(work, cut_at, after=False):
    number = bed.new_volume()
    pid = child(f"{bed.path}/{number}", work)
    bed.arm(number, pid, cut_at, after=after)
    os.write(started, b"x")
    status = os.waitpid(pid, 0)[1]
    return status, bed.contents(bed.survivor(number, 1))

def saves(path):
    fd = os.open(path + "/log", os.O_RDWR | os.O_CREAT)      # 1
    os.write(fd, b"a" * 100)                                # 2
    os.fdatasync(fd)                                        # 3
    folder = os.open(path, os.O_RDONLY)
    os.fsync(folder)                                        # 4
    os.pwrite(fd, b"b" * 100, 0)                            # 5

try:
    bed = Bed()
except Unavailable as error:
    print(error)
    sys.exit(77)
go, started = os.pipe()
with bed:
    print(cut_in(saves, 5)[0] == signal.SIGKILL)
    print(cut_in(saves, 99)[0] == 7 << 8)
    print({len(cut_in(saves, 5)[1]["log"])})
    print(sorted(cut_in(saves, 4, after=True)[1].items()) == [("log", b"a" * 100)])
    number = bed.new_volume()
    fd = os.open(f"{bed.path}/{number}/direct", os.O_RDWR | os.O_CREAT | os.O_DIRECT)
    os.posix_fallocate(fd, 0, 8192)
    os.ftruncate(fd, 4096)
    print(os.fstat(fd).st_size)
    os.close(fd)
    number = bed.survivor(number, 1)
    print(number in os.listdir(bed.path))
print(os.path.exists(bed.path))
"""


@pytest.mark.fuse
def test_a_cut_kills_the_process_inside_its_system_call() -> None:
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).resolve().parent.parent)}

    run = subprocess.run(
        [sys.executable, "-c", MOUNTED], capture_output=True, text=True, timeout=60, env=environment
    )

    if run.returncode == 77:
        pytest.skip(run.stdout.strip())
    assert run.stderr == ""
    assert run.stdout.split("\n") == ["True", "True", "{100}", "True", "4096", "True", "False", ""]
