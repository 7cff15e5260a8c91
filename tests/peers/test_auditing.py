"""Silent divergence between real logs is found and healed, by the audit over real sockets."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from peers.boxes import Box, settled, wait_for
from peers.running import Running

from kiezbox.records import Record, kind_named, pack, pack_body
from kiezbox.store.log import Log
from kiezbox.store.proofs import Proofs, prove

#: Seconds between two audits, instead of an hour.
OFTEN_S = 1.0


@pytest.fixture
def boxes(tmp_path: Path) -> Iterator[list[Box]]:
    yield settled(tmp_path, "kb-a", "kb-b", "kb-c")


def count(box: Box) -> int:
    with closing(sqlite3.connect(box.words)) as db:
        return int(db.execute("SELECT count(*) FROM log").fetchone()[0])


def forget(box: Box, numbers: str) -> None:
    """What a card loses: the rows are not there any more, and nothing says so."""
    with closing(sqlite3.connect(box.words)) as db, db:
        for table in ("log", "things"):
            db.execute(f"DELETE FROM {table} WHERE sequence IN ({numbers})")


def test_records_that_a_running_box_lost_unnoticed_come_back(boxes: list[Box]) -> None:
    a, b, _ = boxes
    a.post(*(f"Wort {n}" for n in range(200)))
    with (
        Running(b, audit_every_s=OFTEN_S) as at_b,
        Running(a, [at_b.place], audit_every_s=OFTEN_S),
    ):
        wait_for(lambda: count(b) == 200, "b has all")
        forget(b, "7, 70, 71, 199")
        assert count(b) == 196

        wait_for(lambda: count(b) == 200, "b has them again")
    assert len(b.texts()) == 200


def test_what_a_box_lost_of_its_own_comes_back_too(boxes: list[Box]) -> None:
    a, b, _ = boxes
    a.post(*(f"Wort {n}" for n in range(20)))
    with (
        Running(b, audit_every_s=OFTEN_S) as at_b,
        Running(a, [at_b.place], audit_every_s=OFTEN_S),
    ):
        wait_for(lambda: count(b) == 20, "b has all")
        forget(a, "3, 4")

        wait_for(lambda: count(a) == 20, "a has them again")


def test_two_records_of_one_number_are_at_both_in_the_end(boxes: list[Box]) -> None:
    """kb-c was given an old backup and has signed its number 1 twice; each box heard another."""
    a, b, c = boxes
    kind = kind_named("post")
    frames = [
        pack(
            Record(
                origin="kb-c", sequence=1, stamp=int(c.clock.now() * 1000) << 16, priority=5,
                scope=1, kind=kind.number, lifetime_s=86400, is_clock_trusted=True,
                body=pack_body(kind, {"topic": 1, "text": text}),
            )
        )
        for text in ("vorher", "nachher")
    ]  # fmt: skip
    for box, frame in zip((a, b), frames, strict=True):
        (box.folder / "words").mkdir(exist_ok=True)
        log = Log.open(str(box.words), box.clock, box=box.name)
        proofs = Proofs(str(box.folder / "proofs.db"))
        proofs.keep([(frame, prove(frame, c.key))])
        log.take([frame])
        log.close()
        proofs.close()

    def frames_of(box: Box) -> set[bytes]:
        with closing(sqlite3.connect(box.words)) as db:
            rows = db.execute("SELECT frame FROM log UNION SELECT frame FROM twins").fetchall()
        return {bytes(row[0]) for row in rows}

    with (
        Running(b, audit_every_s=OFTEN_S) as at_b,
        Running(a, [at_b.place], audit_every_s=OFTEN_S),
    ):
        wait_for(lambda: frames_of(a) == frames_of(b) == set(frames), "both have both")
