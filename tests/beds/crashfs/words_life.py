"""One life of a box's log of words, from power-up to the cut: the real ``store.log``, at random.

As ``life``, for what residents write: posts one by one and many to a transaction, changes, words of
other boxes, a second process at the same file.
"""

from __future__ import annotations

import contextlib
import os
import random
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from beds.crashfs.ledger import Key

from kiezbox.clock import ManualClock
from kiezbox.records import KINDS, Record, Ref, next_stamp, pack, pack_body, unpack, unpack_body
from kiezbox.records import kind_named as kind_of
from kiezbox.store.log import Draft, Log

Say = Callable[..., None]

BOX, OTHER = "kb-powercut", "kb-anderswo"


class WordsLife:
    """The box while it is up. ``seed`` decides everything it does."""

    def __init__(self, folder: Path, seed: int, say: Say) -> None:
        self.rng = rng = random.Random(seed)
        self.say = say
        self.token = f"{seed:x}-"
        self.count = 0
        self.clock = ManualClock(
            rng.choice((1_780_000_000.0, 1_780_000_000.0 + seed % 10**6, 946_684_800.0)),
            trusted=rng.random() < 0.5,
        )
        self.path = str(folder / "words" / "words.db")
        self.log = Log.open(self.path, self.clock, box=BOX)
        self.refs: list[Ref] = []
        self.say("found", self.observed())
        for problem in examine(self.log):
            self.say("wrong", problem)

    def observed(self) -> dict[Key, Any]:
        """All the log has, as registers."""
        there: dict[Key, Any] = {}
        for _, frame in self.log.after(0, 10**6):
            record = unpack(frame)
            body, _ = unpack_body(KINDS[record.kind], record.body)
            there[(record.kind, body.get("text") or body["reporter"])] = body.get("of", "there")
            self.refs.append(record.ref)
        return there

    def unique(self) -> str:
        self.count += 1
        return f"{self.token}{self.count}"

    @contextlib.contextmanager
    def promise(self, *promised: tuple[Key, Any]) -> Iterator[None]:
        """What happens inside returns only when all of it is durable."""
        for key, value in promised:
            self.say("will", key, value)
        yield
        for key, value in promised:
            self.say("did", key, value)

    def _post(self) -> tuple[Draft, tuple[Key, Any]]:
        text = f"Biete Suppe {self.unique()} {'x' * self.rng.choice((0, 9, 1200))}"
        return Draft(kind="post", fields={"topic": 1, "text": text}), ((7, text), "there")

    def _gave(self, ref: Ref) -> None:
        self.say("gave", tuple(ref))
        self.refs.append(ref)

    # --- what a box does ------------------------------------------------------------------------

    def post(self) -> None:
        """By the portal, or by another process beside it."""
        draft, promised = self._post()
        with self.promise(promised):
            if self.rng.random() < 0.7:
                (added,) = self.log.add(draft)
            else:
                other = Log.open(self.path, self.clock)
                (added,) = other.add(draft)
                other.close()
        self._gave(added.ref)

    def letters(self) -> None:
        """Many to a transaction, as the mailroom writes; some of them fail by themselves."""
        added, promised = [], []
        drafts = [self._post() for _ in range(self.rng.randint(2, 30))]
        for _, each in drafts:
            self.say("will", *each)
        with self.log.group():
            for draft, each in drafts:
                with contextlib.suppress(ZeroDivisionError), self.log.undoing():
                    added += self.log.add(draft)
                    if self.rng.random() < 0.1:
                        added.pop()
                        raise ZeroDivisionError
                    promised.append(each)
        for each in promised:
            self.say("did", *each)
        for ref in added:
            self._gave(ref.ref)

    def report(self) -> None:
        if self.refs:
            of, reporter = self.rng.choice(self.refs), self.rng.randbytes(8)
            with self.promise(((14, reporter), of)):
                (added,) = self.log.add(
                    Draft(kind="report", fields={"of": of, "reason": 1, "reporter": reporter})
                )
            self._gave(added.ref)

    def take(self) -> None:
        """Words of another box."""
        frames, promised = [], []
        kind = kind_of("post")
        for _ in range(self.rng.randint(1, 10)):
            draft, each = self._post()
            sequence = self.rng.getrandbits(50) + 1
            record = Record(
                OTHER, sequence, next_stamp(0, self.clock.now()), kind.number, kind.priority, 1,
                86400, False, pack_body(kind, draft.fields),
            )  # fmt: skip
            frames.append(pack(record))
            promised.append(each)
        with self.promise(*promised):
            assert len(self.log.take(frames)) == len(frames)

    def checkpoint(self) -> None:
        self.log._read("PRAGMA wal_checkpoint(TRUNCATE)")

    def rewrite(self) -> None:
        self.log._db.execute("VACUUM")

    def rebuild(self) -> None:
        self.log.rebuild()

    def restart(self) -> None:
        """A clean end and a new start."""
        self.log.close()
        self.log = Log.open(self.path, self.clock, box=BOX)

    #: How often each comes up.
    MIX = {
        post: 30, letters: 8, report: 8, take: 6, checkpoint: 4, rewrite: 1, rebuild: 1, restart: 3,
    }  # fmt: skip

    def step(self) -> None:
        """Do something."""
        (deed,) = self.rng.choices(list(self.MIX), list(self.MIX.values()))
        self.clock.advance(self.rng.uniform(0, 30))
        deed(self)


def examine(log: Log) -> Iterator[str]:
    """What is wrong with the log as a whole, beside what the ledger knows."""
    connection = sqlite3.connect(f"file:{log.path}?mode=ro", uri=True)
    try:
        for (line,) in connection.execute("PRAGMA integrity_check"):
            if line != "ok":
                yield f"integrity_check: {line}"
        rows = "SELECT * FROM things ORDER BY origin, sequence"
        before = connection.execute(rows).fetchall()
    finally:
        connection.close()
    log.rebuild()
    if log._read(rows) != before:
        yield "the folds are not those of the records"
    aside = [name for name in os.listdir(Path(log.path).parent) if ".damaged-" in name]
    if aside:
        yield f"the log put a damaged file aside: {aside}"
