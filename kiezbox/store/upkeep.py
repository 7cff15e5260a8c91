"""Backing up, checking and mending a store, beside the running node or without it."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Sequence
from contextlib import suppress
from typing import NamedTuple

from kiezbox.errors import StoreDamaged, StoreError
from kiezbox.store import journal, migrate
from kiezbox.store.changes import put_frames
from kiezbox.store.database import TROUBLE, connect, store_error, transaction
from kiezbox.store.reader import StoreReader, folded_sequence
from kiezbox.store.salvage import Salvaged, salvage


def backup(path: str, target: str) -> int:
    """Copy the store, the journal's contents included, into one file; its size in bytes.

    To restore: stop the node, put the file in the database's place, remove what is called
    PATH-wal and PATH-shm, start the node. The file knows that it is a copy, so the box draws new
    reading ids. A journal that is still there is newer than the copy and is folded into it.

    Raises:
        StoreError: the target exists, cannot be written, or the source cannot be read.
    """
    if os.path.exists(target):
        raise StoreError(f"{target} exists already", hint="Name a file that is not there yet.")
    fresh = target + ".new"
    try:
        with suppress(FileNotFoundError):
            os.remove(fresh)
        with StoreReader(path) as source:
            _copy(source, fresh)
        with open(fresh, "rb") as file:
            os.fsync(file.fileno())
        os.rename(fresh, target)
        journal.sync_folder(target)
        return os.path.getsize(target)
    except TROUBLE as error:
        raise store_error(error, target) from error
    except OSError as error:
        raise StoreError(f"cannot write {target}: {error}") from error
    finally:
        with suppress(OSError):
            os.remove(fresh)


def _copy(source: StoreReader, fresh: str) -> None:
    copy = sqlite3.connect(fresh, isolation_level=None)
    try:
        # The journal first, as in StoreReader._begin.
        found = source.scan_journal(source.folded_sequence())
        source.copy_to(copy)
        folded = folded_sequence(copy)
        newer = [(number, frame) for number, frame in found.frames if number > folded]
        copy.execute("PRAGMA journal_mode = DELETE")
        with transaction(copy):
            put_frames(copy, [frame for _, frame in newer])
            newest = max([folded, *(number for number, _ in newer)])
            copy.execute("UPDATE meta SET folded_sequence = ?, is_backup = 1", (newest,))
    finally:
        copy.close()


class Finding(NamedTuple):
    """One thing that was looked at, and what to do about it if it is not right."""

    what: str
    is_ok: bool
    found: str
    hint: str = ""


def check(path: str) -> list[Finding]:
    """Look at every page of the database and every sector of the journal."""
    findings = [_check_database(path), _check_journal(path)]
    asides = migrate.asides(path)
    if asides:
        findings.append(
            Finding(
                "damaged files",
                False,
                ", ".join(asides),
                "Bring back what is still in them with `kiezbox store salvage FILE`, then move"
                " them away. A card that damages files twice should be replaced.",
            )
        )
    return findings


def _check_database(path: str) -> Finding:
    with StoreReader(path) as store:
        try:
            problems = store.integrity()
        except StoreDamaged as error:
            problems = [str(error)]
    if not problems:
        with StoreReader(path) as store:
            rotten = store.rotten_blocks()
        if rotten:
            return Finding(
                "database",
                False,
                f"{rotten} blocks of packed readings are not what was written; the others are",
                "Nothing to do: their means stay. A card that does this twice should be replaced.",
            )
        return Finding("database", True, "every page is in order")
    return Finding(
        "database",
        False,
        "; ".join(problems[:3]) + (f" and {len(problems) - 3} more" if len(problems) > 3 else ""),
        "Start the node anew: it puts the file aside and goes on with what can be read of it.",
    )


def _check_journal(path: str) -> Finding:
    with StoreReader(path) as store:
        try:
            folded = store.folded_sequence()
        except StoreDamaged:
            folded = 0
        try:
            found = store.scan_journal(folded)
        except StoreError as error:
            return Finding("journal", False, str(error), error.hint)
    readings = sum(frame.readings for _, frame in found.frames)
    if not found.damaged_sectors:
        return Finding("journal", True, f"{len(found.frames)} frames with {readings} readings")
    return Finding(
        "journal",
        False,
        f"{found.damaged_sectors} sectors cannot be read; {readings} readings can",
        "Nothing to do: the next fold takes what can be read. If it happens again, replace the"
        " card.",
    )


def mend(path: str, damaged: str) -> Salvaged:
    """Bring what can be read of a damaged file into the store, beside the running node.

    Raises:
        StoreError: one of the files is not there, or the store cannot be written.
    """
    if not os.path.exists(damaged):
        raise StoreError(f"there is no file {damaged}", hint=_names(migrate.asides(path)))
    with StoreReader(path) as store:
        store.folded_sequence()
    try:
        db = connect(path, is_writable=True)
        try:
            return salvage(damaged, db, is_live=True)
        finally:
            db.close()
    except TROUBLE as error:
        raise store_error(error, path) from error


def _names(asides: Sequence[str]) -> str:
    return "There are: " + ", ".join(asides) + "." if asides else "None was put aside here."
