"""What the radio hears of Kiezbox 2.0, and what it has to tell: the node's side of a file.

What was heard waits in memory for a minute, so that a card is not written at every message of
every box; a cry for help and a new neighbour are written at once.
"""

from __future__ import annotations

import json
import logging
import os
import sqlite3
import threading
from collections import deque
from contextlib import suppress
from typing import Any

from kiezbox.clock import Clock
from kiezbox.errors import StoreDamaged, StoreError
from kiezbox.foreign.messages import Config, Message
from kiezbox.foreign.neighbours import MOST_NODES, Heard, Neighbour, Neighbours
from kiezbox.store.database import TROUBLE, transaction
from kiezbox.store.foreign_file import (
    CRIES_LAST_S,
    FILE,
    NODE_COLUMNS,
    Logged,
    nodes,
    open_file,
    said,
    view,
)  # fmt: skip

__all__ = ["MOST_MESSAGES", "ORDER_LASTS_S", "ForeignStore"]

log = logging.getLogger("kiezbox")

#: Some 12 MB, and two months of a box, its sensor and three neighbours once a minute.
MOST_MESSAGES = 100_000

#: An order that waits longer for the radio is not sent any more: nobody expects it by then.
ORDER_LASTS_S = 600.0

_FLUSH_S, _AT_ONCE_S = 60.0, 10.0
#: Of one node's updates at most one in so long is kept, and of what is no update so many a minute:
#: a box of theirs sends every ten seconds as it is delivered.
_UPDATE_EVERY_S, _OTHERS_A_MINUTE = 55.0, 12
_MOST_WAITING = 2000
_ERASE_EVERY_S = 3600.0
#: As what all are counted together for whom there is no room.
_NO_ROOM = -1


class ForeignStore:
    """The node's side: what the radio hears goes in. Safe to call from any thread."""

    def __init__(self, path: str, clock: Clock, *, run_dir: str = "") -> None:
        """``run_dir``: where the view is written; "" for nowhere.

        Raises:
            StoreError: the file cannot be made or read.
        """
        self.path = path
        self._clock, self._run_dir = clock, run_dir
        self._lock = threading.Lock()
        self._db, known = _opened(path)
        self._table = Neighbours(known)
        self._changed: set[int] = set()
        self._waiting: deque[tuple[float, int, str, bytes, bool]] = deque(maxlen=_MOST_WAITING)
        self._kept: dict[tuple[int, str], deque[float]] = {}
        self._flushed_at = -_FLUSH_S
        self._started_at, self._erases_at = clock.monotonic(), 0.0
        self._known_at_start = _newest(self._db)
        self._is_urgent = self._is_in_trouble = False
        self._show()

    def heard(
        self, packet_bytes: bytes, from_node: int, rssi: int | None, snr: float | None, now: float
    ) -> Heard:
        """A payload of port 258. ``rssi``: dBm, ``snr``: dB, ``now``: Unix seconds. Never raises;
        a card that takes nothing is logged, and tried again.
        """
        with self._lock:
            heard = self._table.heard(packet_bytes, from_node, rssi, snr, now)
            if heard.neighbour is not None:
                self._changed.add(from_node)
                self._stay_small()
                self._keep(packet_bytes, from_node, heard.message, now)
                self._is_urgent |= heard.is_new
            elif _kind(heard.message) == "distress":
                # Whoever cries for help is heard, also where there is no room for one more box.
                self._keep(packet_bytes, from_node, heard.message, now, counted_as=_NO_ROOM)
            self._is_urgent |= _kind(heard.message) == "distress"
            self._flush_if_due()
            return heard

    def heard_config(self, packet_bytes: bytes, from_node: int, now: float) -> Config | None:
        """A payload of Meshtastic's port for administrators (6), as answer to
        ``envelope.config_poll``; None if it is nothing of Kiezbox 2.0's.
        """
        with self._lock:
            config = self._table.heard_config(packet_bytes, from_node, now)
            if config is not None:
                self._changed.add(from_node)
                self._flush_if_due()
            return config

    def flush(self) -> None:
        """Write what waits.

        Raises:
            StoreError: the card does not take it; it waits on.
        """
        with self._lock:
            self._flush()

    def close(self) -> None:
        """Write what waits, and let go. Idempotent."""
        with self._lock, suppress(sqlite3.ProgrammingError):
            try:
                self._flush()
            except StoreError as error:
                log.warning("foreign: what was heard last is lost: %s", error)
            finally:
                self._db.close()

    def waiting(self, now: float) -> list[Logged]:
        """Orders that are to be sent, the oldest first; those that waited too long are expired.
        To be asked every few seconds: what has been said long enough ago is erased here, too.

        Raises:
            StoreError: the file cannot be written.
        """
        self._erase_if_due()
        with self._lock, said(self.path):
            if not self._db.execute("SELECT 1 FROM orders WHERE state = 'waiting'").fetchone():
                return []
        with self._lock, said(self.path), transaction(self._db) as db:
            # A clock that was set back must not keep an order for years.
            db.execute(
                "UPDATE orders SET state = 'expired', state_at = ? WHERE state = 'waiting'"
                " AND (until <= ? OR ordered_at > ?)",
                (now, now, now + ORDER_LASTS_S),
            )
            return [Logged(*row) for row in db.execute(
                "SELECT * FROM orders WHERE state = 'waiting' ORDER BY number")]  # fmt: skip

    def mark(self, number: int, state: str, now: float) -> None:
        """What became of an order: "sent" or "failed".

        Raises:
            StoreError: the file cannot be written.
        """
        with self._lock, said(self.path), transaction(self._db) as db:
            db.execute(
                "UPDATE orders SET state = ?, state_at = ? WHERE number = ?", (state, now, number)
            )

    def _erase_if_due(self) -> None:
        """Cries for help go after three days. Where the clock was right when one was heard, by the
        clock, as soon as that is right; else when this process has run for so long since.
        """
        up_s = self._clock.monotonic() - self._started_at
        if up_s < self._erases_at:
            return
        self._erases_at = up_s + _ERASE_EVERY_S
        long_ago = self._clock.now() - CRIES_LAST_S if self._clock.is_trusted() else 0.0
        before = self._known_at_start if up_s > CRIES_LAST_S else 0
        with self._lock, said(self.path), transaction(self._db) as db:
            gone = db.execute(
                "DELETE FROM messages WHERE kind = 'distress'"
                " AND (clock_trusted AND heard_at < ? OR number <= ?)",
                (long_ago, before),
            ).rowcount
        if gone:
            # What was erased stands in the log of changes until it is folded in.
            self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            self._show()

    # --- inside ----------------------------------------------------------------------------------

    def _keep(
        self,
        payload: bytes,
        node: int,
        message: Message | None,
        now: float,
        *,
        counted_as: int | None = None,
    ) -> None:
        kind = _kind(message)
        if not kind:
            return
        key = node if counted_as is None else counted_as, kind
        moments = self._kept.setdefault(key, deque(maxlen=_OTHERS_A_MINUTE))
        if kind == "update":
            is_enough = bool(moments) and abs(now - moments[-1]) < _UPDATE_EVERY_S
        else:
            is_enough = len(moments) == moments.maxlen and abs(now - moments[0]) < 60.0
        if is_enough:
            return
        moments.append(now)
        self._waiting.append((now, node, kind, payload, self._clock.is_trusted()))

    def _stay_small(self) -> None:
        """Forget what was remembered of nodes that had to make room."""
        if len(self._table.gone) > 16 * MOST_NODES:
            # Nothing could be written for long; a few rows too many do no harm.
            self._table.gone.clear()
        if len(self._changed) + len(self._kept) > 4 * MOST_NODES:
            known = {each.node for each in self._table.all()}
            self._changed &= known
            self._kept = {key: each for key, each in self._kept.items() if key[0] in known}

    def _flush_if_due(self) -> None:
        since_s = self._clock.monotonic() - self._flushed_at
        if since_s < (_AT_ONCE_S if self._is_urgent else _FLUSH_S):
            return
        try:
            self._flush()
        except StoreError as error:
            if not self._is_in_trouble:
                log.warning("foreign: %s", error)
            self._is_in_trouble = True

    def _flush(self) -> None:
        self._flushed_at = self._clock.monotonic()
        if not self._changed and not self._waiting:
            return
        known = self._table.all()
        rows = [_row(each) for each in known if each.node in self._changed]
        gone = list(self._table.gone)
        marks = ", ".join("?" * len(Neighbour.__dataclass_fields__))
        with said(self.path), transaction(self._db) as db:
            db.executemany(f"INSERT OR REPLACE INTO nodes ({NODE_COLUMNS}) VALUES ({marks})", rows)
            # Only those: `kiezbox foreign take` may have added others.
            db.executemany("DELETE FROM nodes WHERE node = ?", [(each,) for each in gone])
            db.executemany("INSERT INTO messages (heard_at, node, kind, payload, clock_trusted)"
                           " VALUES (?, ?, ?, ?, ?)", self._waiting)  # fmt: skip
            db.execute(
                "DELETE FROM messages WHERE number <= (SELECT max(number) FROM messages) - ?",
                (MOST_MESSAGES,),
            )
        self._changed.clear()
        self._table.gone.clear()
        self._waiting.clear()
        self._is_urgent = self._is_in_trouble = False
        self._show()

    def _show(self) -> None:
        if not self._run_dir:
            return
        path = os.path.join(self._run_dir, FILE)
        try:
            shown = view(self._db, self._clock.now())
            with open(f"{path}.new", "w", encoding="utf-8") as file:
                file.write(json.dumps(shown, ensure_ascii=False))
                os.fchmod(file.fileno(), 0o644)
            os.replace(f"{path}.new", path)
        except (OSError, *TROUBLE) as error:
            log.warning("foreign: cannot write %s: %s", path, error)


def _newest(db: sqlite3.Connection) -> int:
    (number,) = db.execute("SELECT coalesce(max(number), 0) FROM messages").fetchone()
    return int(number)


def _opened(path: str) -> tuple[sqlite3.Connection, list[Neighbour]]:
    """The file, and who is known. A damaged one is put aside: the radio must not wait for it."""
    try:
        db = open_file(path)
        with said(path):
            return db, nodes(db)
    except StoreDamaged as error:
        log.warning("foreign: %s; it is beside the new one, as %s.damaged", error, path)
        for end in ("", "-wal", "-shm"):
            with suppress(FileNotFoundError):
                os.replace(path + end, f"{path}.damaged{end}")
        return open_file(path), []


def _kind(message: Message | None) -> str:
    if message is None:
        return ""
    # What matters most first, if somebody sends it all at once.
    for kind in ("distress", "control", "update"):
        if getattr(message, kind) is not None:
            return kind
    return ""


def _row(each: Neighbour) -> tuple[Any, ...]:
    return tuple(getattr(each, name) for name in Neighbour.__dataclass_fields__)
