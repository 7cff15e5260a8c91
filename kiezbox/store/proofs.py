"""That a record is of the box that it names: a signature of that box, kept beside the log.

A record's number is the word of whoever hands it on. Without a proof, somebody inside the mesh
could send his own words under another box's next number, and nobody would ask for the true ones any
more. With it, a number is taken up only by what its box has taken in.

The proofs lie in a file of the node's own, where the portal, which writes the log, cannot write.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable

from kiezbox.errors import StoreError
from kiezbox.store.database import TROUBLE, store_error, transaction
from kiezbox.store.log_twins import record_id
from kiezbox.trust.certificates import verifies
from kiezbox.trust.keys import Key

__all__ = ["PROOF_BYTES", "Proofs", "is_proven", "prove"]

PROOF_BYTES = 64

#: Said before what is signed, so that no signature of a box is ever one for something else.
_DOMAIN = b"kiezbox origin 1\0"


def prove(frame: bytes, key: Key) -> bytes:
    """The box's word that it took this record in: Ed25519 (RFC 8032) over the record's id."""
    return key.sign(_DOMAIN + record_id(frame))


def is_proven(frame: bytes, proof: bytes, public: bytes) -> bool:
    """Whether the box of this key said so."""
    return verifies(public, _DOMAIN + record_id(frame), proof)


class Proofs:
    """The file. One process uses it, from any thread that holds the log's lock."""

    def __init__(self, path: str) -> None:
        """
        Raises:
            StoreError: it cannot be made or read.
        """
        self.path = path
        try:
            os.makedirs(os.path.dirname(os.path.abspath(path)), exist_ok=True)
            self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
            self._db.execute("PRAGMA journal_mode = WAL")
            self._db.execute("PRAGMA synchronous = FULL")
            self._db.execute(
                "CREATE TABLE IF NOT EXISTS proofs (id BLOB PRIMARY KEY, proof BLOB NOT NULL)"
                " STRICT, WITHOUT ROWID"
            )
        except (OSError, *TROUBLE) as error:
            raise error if isinstance(error, StoreError) else store_error(error, path) from error

    def close(self) -> None:
        """Idempotent."""
        self._db.close()

    def of(self, id_: bytes) -> bytes:
        """The proof of the record of this id; b"" if there is none."""
        found = self._db.execute("SELECT proof FROM proofs WHERE id = ?", (id_,)).fetchone()
        return bytes(found[0]) if found else b""

    def keep(self, proven: Iterable[tuple[bytes, bytes]]) -> None:
        """Pairs of a frame and its proof; durable when this returns.

        Raises:
            StoreError: the card does not take it.
        """
        try:
            with transaction(self._db) as db:
                db.executemany(
                    "INSERT OR IGNORE INTO proofs VALUES (?, ?)",
                    [(record_id(frame), proof) for frame, proof in proven],
                )
        except TROUBLE as error:
            raise store_error(error, self.path) from error

    def keep_only(self, ids: Iterable[bytes]) -> None:
        """Forget all others."""
        try:
            with transaction(self._db) as db:
                db.execute("CREATE TEMP TABLE needed (id BLOB PRIMARY KEY)")
                db.executemany("INSERT OR IGNORE INTO needed VALUES (?)", ((id_,) for id_ in ids))
                db.execute("DELETE FROM proofs WHERE id NOT IN (SELECT id FROM needed)")
                db.execute("DROP TABLE needed")
        except TROUBLE as error:
            raise store_error(error, self.path) from error
