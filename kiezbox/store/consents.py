"""The ledger of consents on the card: a line is said when it lies there whole, and never changes.

A file of its own beside the database, because people must be able to read it, take it along and
show it, and because it must outlive any database. A line that a power cut tore was never confirmed
to anybody: it has no end, and does not count.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

from kiezbox.errors import StoreError
from kiezbox.privacy.consent import CHANGES, Consents, read_ledger
from kiezbox.privacy.shown import FILE, LEDGER, Shown

__all__ = ["ConsentFile", "consents_path", "keep_shown"]

#: A ledger of a box has a dozen lines; more than this is none.
MOST_BYTES = 4 << 20


def consents_path(store_path: str) -> str:
    """Where the ledger lies: beside the database."""
    return os.path.join(os.path.dirname(store_path) or ".", LEDGER)


class ConsentFile:
    """For one reader or writer; others may write at the same time."""

    def __init__(self, path: str) -> None:
        self.path = path
        self._seen: tuple[int, int, int] | None = None
        self._consents = Consents()

    def read(self) -> Consents:
        """What it says now; looked at again only if the file is another one. Without a file nobody
        has consented; a file that cannot be read counts as damaged.
        """
        try:
            found = os.stat(self.path)
        except FileNotFoundError:
            self._seen, self._consents = None, Consents()
            return self._consents
        except OSError:
            return Consents(damaged=[0])
        seen = found.st_ino, found.st_size, found.st_mtime_ns
        if seen != self._seen:
            try:
                self._consents = self._read(found.st_size)
            except (OSError, ValueError):
                return Consents(damaged=[0])
            self._seen = seen
        return self._consents

    @property
    def size(self) -> int:
        """Bytes that it had when it was read last; -1 where it could not be."""
        return self._seen[1] if self._seen else (-1 if os.path.exists(self.path) else 0)

    def _read(self, size: int) -> Consents:
        if size > MOST_BYTES:
            raise ValueError("too long")
        with open(self.path, encoding="utf-8") as file:
            return read_ledger(_whole_lines(file.read()))

    def append(self, change: Mapping[str, Any]) -> int:
        """Write one line and wait until it is on the card; its number.

        Raises:
            StoreError: it cannot be written; then it was not said.
        """
        if change["change"] not in CHANGES:
            raise ValueError(f"{change['change']!r} is not one of {', '.join(CHANGES)}")
        line = json.dumps(change, ensure_ascii=False, sort_keys=True).encode() + b"\n"
        try:
            is_new = not os.path.exists(self.path)
            # Names stand in it: nobody else reads it.
            file = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                fcntl.flock(file, fcntl.LOCK_EX)
                if is_new:
                    _give_to_the_folders_owner(file, self.path)
                number = _put(file, line)
            finally:
                os.close(file)
            if is_new:
                _sync_folder(self.path)
        except OSError as error:
            raise StoreError(
                f"cannot write {self.path}: {error.strerror}",
                hint="Nothing was changed. Call it as the user kiezbox, or with sudo.",
            ) from error
        return number


def _give_to_the_folders_owner(file: int, path: str) -> None:
    """With sudo the file would be root's, and the node could not read who agreed to what."""
    if os.geteuid() == 0:
        folder = os.stat(os.path.dirname(path) or ".")
        os.fchown(file, folder.st_uid, folder.st_gid)


def keep_shown(ledger_path: str, shown: Shown, size: int) -> None:
    """Write ``public.json`` beside the ledger, if it says anything else. For everybody's eyes.
    ``size``: of the ledger that it was made from.

    Raises:
        StoreError: it cannot be written; the old one stands.
    """
    folder = os.path.dirname(ledger_path) or "."
    path = os.path.join(folder, FILE)
    wanted = json.dumps({**shown, LEDGER: size}, sort_keys=True)
    try:
        # The node and the command line may do so at the same moment.
        with _locked(folder):
            with suppress(OSError, ValueError), open(path, encoding="utf-8") as file:
                if file.read(MOST_BYTES) == wanted:
                    return
            aside = f"{path}.new"
            # Perhaps left behind by root, and then not ours to write into.
            with suppress(FileNotFoundError):
                os.unlink(aside)
            with open(aside, "w", encoding="utf-8") as file:
                file.write(wanted)
                os.fchmod(file.fileno(), 0o644)
                file.flush()
                os.fsync(file.fileno())
            os.replace(aside, path)
            _sync_folder(path)
    except OSError as error:
        raise StoreError(
            f"cannot write {path}: {error.strerror}",
            hint="The public pages show nothing of any flat until it can. Is the card full?",
        ) from error


@contextmanager
def _locked(folder: str) -> Iterator[None]:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _put(file: int, line: bytes) -> int:
    before = os.pread(file, MOST_BYTES, 0)
    end = before.rfind(b"\n") + 1
    os.ftruncate(file, end)
    try:
        if os.pwrite(file, line, end) != len(line):
            raise OSError(28, "no space left")
        os.fsync(file)
    except OSError:
        with suppress(OSError):
            os.ftruncate(file, end)
        raise
    return before.count(b"\n") + 1


def _whole_lines(text: str) -> list[str]:
    return text[: text.rfind("\n") + 1].splitlines()


def _sync_folder(path: str) -> None:
    folder = os.open(os.path.dirname(path) or ".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
