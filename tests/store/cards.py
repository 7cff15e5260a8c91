"""A small real card: ext4 on a loop device, that can be filled, write-protected, broken."""

from __future__ import annotations

import errno
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

_LIMIT_S = 20


class SmallCard:
    """Some MiB of ext4, mounted at ``mount``."""

    def __init__(self, folder: Path, mib: int = 8) -> None:
        self.mount = folder / "card"
        self._mib = mib
        self._image = folder / "card.img"
        self._loop = ""

    def make(self) -> None:
        self.mount.mkdir()
        with open(self._image, "wb") as image:
            image.truncate(self._mib << 20)
        _run("mkfs.ext4", "-q", "-m", "0", "-b", "4096", str(self._image))
        self._loop = _run("losetup", "-f", "--show", str(self._image)).strip()
        self.put_in()

    def put_in(self, *options: str) -> None:
        chosen = ",".join(["errors=remount-ro", *options])
        _run("mount", "-o", chosen, self._loop, str(self.mount))

    def take_out(self) -> None:
        if os.path.ismount(self.mount):
            _run("umount", str(self.mount))

    def protect(self, is_protected: bool) -> None:
        """Only while no file is open for writing."""
        _run("mount", "-o", "remount," + ("ro" if is_protected else "rw"), str(self.mount))

    def break_down(self) -> None:
        """The file system meets an error of the card and goes read-only under everybody."""
        trigger = f"/sys/fs/ext4/{os.path.basename(self._loop)}/trigger_fs_error"
        if not os.path.exists(trigger):
            pytest.skip(f"this kernel has no {trigger}")
        Path(trigger).write_text("test")

    def fill(self, leaving: int = 0) -> None:
        """To the last block, or but for so many bytes."""
        with open(self.mount / "ballast", "wb", buffering=0) as ballast:
            for size in (65536, 4096, 512):
                try:
                    while ballast.write(b"\xff" * size):
                        pass
                except OSError as error:
                    assert error.errno == errno.ENOSPC
            if leaving:
                ballast.truncate(ballast.tell() - leaving)
            os.fsync(ballast.fileno())
        os.sync()  # ext4 gives freed blocks back with its next commit.

    def clear(self) -> None:
        os.remove(self.mount / "ballast")
        os.sync()  # ext4 gives freed blocks back with its next commit.

    def close(self) -> None:
        self.take_out()
        if self._loop:
            _run("losetup", "-d", self._loop)


@contextmanager
def small_card(folder: Path, mib: int = 8) -> Iterator[SmallCard]:
    """Skips, and says why, where nobody can mount anything."""
    if os.geteuid() != 0 or not os.path.exists("/dev/loop-control"):
        pytest.skip("a real full card needs root and /dev/loop-control")
    card = SmallCard(folder, mib)
    try:
        try:
            card.make()
        except (OSError, subprocess.CalledProcessError) as error:
            pytest.skip(f"no loop-mounted ext4 here: {error}")
        yield card
    finally:
        card.close()


def _run(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, timeout=_LIMIT_S, check=True)
    return done.stdout
