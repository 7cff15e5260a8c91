"""A memory card that counts: ext4 on a loop device, read from /sys/block/loopN/stat.

What a card wears by cannot be seen in seconds here; in bytes and flushes it can.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks.lib.contest import Skipped

SIZE_MIB = 64


@dataclass(frozen=True, slots=True)
class Written:
    """What reached the device so far (Documentation/block/stat.rst)."""

    bytes: int
    writes: int
    flushes: int

    def __sub__(self, other: Written) -> Written:
        return Written(
            self.bytes - other.bytes, self.writes - other.writes, self.flushes - other.flushes
        )


class Card:
    """A mounted card."""

    def __init__(self, path: Path, device: str) -> None:
        self.path = path
        self._stat = Path(f"/sys/block/{Path(device).name}/stat")

    def written(self) -> Written:
        """Everything that is on its way is written first, so that nothing escapes the count."""
        descriptor = os.open(self.path, os.O_RDONLY)
        try:
            _syncfs(descriptor)
        finally:
            os.close(descriptor)
        fields = [int(field) for field in self._stat.read_text().split()]
        return Written(bytes=fields[6] * 512, writes=fields[4], flushes=fields[15])


def _syncfs(descriptor: int) -> None:
    import ctypes

    if ctypes.CDLL(None, use_errno=True).syncfs(descriptor):
        raise OSError(ctypes.get_errno(), "syncfs")


@contextlib.contextmanager
def card(*, block_bytes: int = 4096, options: str = "") -> Iterator[Card]:
    """A fresh card with ext4 as mkfs makes it; unmounted and deleted on leaving.

    Raises:
        Skipped: no root, no loop devices, no mkfs.ext4.
    """
    if os.geteuid() != 0:
        raise Skipped("a loop-mounted card needs root")
    mkfs = shutil.which("mkfs.ext4", path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
    if mkfs is None:
        raise Skipped("no mkfs.ext4 here: apt install e2fsprogs")
    folder = Path(tempfile.mkdtemp(prefix="kiezbox-card-"))
    image, mounted = folder / "image", folder / "card"
    device = ""
    try:
        with image.open("wb") as file:
            file.truncate(SIZE_MIB << 20)
        # Without lazy_itable_init=0 the kernel goes on formatting while we count.
        lazy = "lazy_itable_init=0,lazy_journal_init=0"
        _call(mkfs, "-q", "-F", "-b", str(block_bytes), "-E", lazy, str(image))
        device = _call("losetup", "--find", "--show", str(image)).strip()
        mounted.mkdir()
        _call("mount", *(("-o", options) if options else ()), device, str(mounted))
        yield Card(mounted, device)
    finally:
        # Lazily: a file that is still open must not leave the card behind.
        if mounted.is_mount():
            _call("umount", "--lazy", str(mounted))
        if device:
            _call("losetup", "--detach", device)
        shutil.rmtree(folder)


def _call(*argv: str) -> str:
    done = subprocess.run(argv, capture_output=True, text=True, timeout=60)
    if done.returncode:
        raise Skipped(f"{argv[0]}: {done.stderr.strip()}")
    return done.stdout
