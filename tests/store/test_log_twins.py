"""Records that say they have a number that another one has: somebody sends his own words under
another box's next number before that box does (step 5 brings the links).
"""

from __future__ import annotations

import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from telling import BOX, DAY_S, OTHER, foreign_post, frame, open_log, post, report, texts

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "trust"))
from issuing import BRIGADE, NOW, ROOT, bulletin, certificate, record

from kiezbox.clock import ManualClock
from kiezbox.records import Ref, pack
from kiezbox.store import log_twins
from kiezbox.store.log import Log
from kiezbox.trust import Trust, pack_certificate


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOW)


@pytest.fixture
def log(tmp_path: Path, clock: ManualClock) -> Iterator[Log]:
    with closing(open_log(tmp_path, clock)) as log:
        yield log


def believing(clock: ManualClock) -> Trust:
    brigade = pack_certificate(certificate(BRIGADE, name="Feuerwehr"))
    return Trust((ROOT.public,), clock, certificates=[brigade])


def genuine(sequence: int = 1) -> bytes:
    return pack(record(bulletin(BRIGADE), origin=OTHER, sequence=sequence))


def frames(log: Log) -> list[bytes]:
    return [each for _, each in log.after(0)]


def seen(log: Log) -> list[tuple[str, str]]:
    things = [*log.things("bulletin"), *log.things("post")]
    return [(thing.issuer, thing.text) for thing in things]


def test_a_forgers_record_blocks_no_signed_one_of_the_same_number(
    log: Log, clock: ManualClock
) -> None:
    log.judge_by(believing(clock).judge)
    forged = foreign_post("Ich war zuerst da", at=clock.now())

    assert log.take([forged]) == [Ref(OTHER, 1)]
    assert log.take([genuine()]) == [Ref(OTHER, 1)]

    assert seen(log) == [("Feuerwehr", "Wasser gibt es am Platz")]
    assert sorted(frames(log)) == sorted([forged, genuine()])


def test_a_forgers_record_displaces_no_signed_one_of_the_same_number(
    log: Log, clock: ManualClock
) -> None:
    log.judge_by(believing(clock).judge)
    forged = foreign_post("Ich komme später", at=clock.now())

    log.take([genuine()])
    log.take([forged])

    assert seen(log) == [("Feuerwehr", "Wasser gibt es am Platz")]
    assert sorted(frames(log)) == sorted([forged, genuine()])


def test_a_signed_record_that_nobody_could_judge_is_shown_as_soon_as_somebody_can(
    log: Log, clock: ManualClock
) -> None:
    log.take([foreign_post("Ich war zuerst da", at=clock.now()), genuine()])
    assert seen(log) == [("", "Ich war zuerst da")]

    assert log.judge_by(believing(clock).judge) == 1

    assert seen(log) == [("Feuerwehr", "Wasser gibt es am Platz")]


def test_signatures_that_are_none_keep_no_signed_record_out(log: Log, clock: ManualClock) -> None:
    log.judge_by(believing(clock).judge)
    for number in range(3 * log_twins.MOST):
        rubbish = frame(
            "bulletin", {"text": f"Unsinn {number}", "issued_at": NOW, "serial": 1},
            at=NOW, key=BRIGADE.id, signature=bytes(64),
        )  # fmt: skip
        log.take([rubbish])

    log.take([genuine()])

    assert seen(log) == [("Feuerwehr", "Wasser gibt es am Platz")]
    assert len(frames(log)) <= log_twins.MOST + 1


def test_of_two_unsigned_records_of_one_number_the_first_is_shown_and_both_are_handed_on(
    log: Log, clock: ManualClock
) -> None:
    both = [foreign_post(text, at=clock.now()) for text in ("Suche Kerzen", "Biete Betrug")]
    for each in (*both, *both):
        log.take([each])

    assert texts(log) == ["Suche Kerzen"]
    assert frames(log) == both


def test_the_numbers_of_those_that_wait_are_in_one_row_with_all_others(
    log: Log, clock: ManualClock
) -> None:
    log.take([foreign_post("Eins", at=clock.now()), foreign_post("Zwei", at=clock.now())])
    log.add(post("Drei"))

    numbers = [number for number, _ in log.after(0)]

    assert numbers == sorted(set(numbers)) and len(numbers) == 3
    assert [number for number, _ in log.after(numbers[0])] == numbers[1:]


def test_nobody_takes_a_number_of_this_box(log: Log, clock: ManualClock) -> None:
    log.judge_by(believing(clock).judge)
    log.add(post("Eigenes"))
    signed = pack(record(bulletin(BRIGADE), origin=BOX, sequence=1))

    assert log.take([foreign_post("Fremdes", origin=BOX, at=clock.now()), signed]) == []
    assert seen(log) == [("", "Eigenes")]


def test_a_record_that_soon_expires_keeps_no_other_of_its_number_out(
    log: Log, clock: ManualClock
) -> None:
    short = foreign_post("Weg hier", at=clock.now(), lifetime_s=1)
    log.take([short])
    clock.advance(3600)
    assert log.erase() == 1

    late = foreign_post("Suche Kerzen", at=clock.now())
    assert log.take([short, late]) == [Ref(OTHER, 1)]
    assert texts(log) == ["Suche Kerzen"]


def test_what_waits_expires_like_all_else_and_leaves_no_word_in_the_files(
    log: Log, clock: ManualClock, tmp_path: Path
) -> None:
    words = ("Zuerst-da-7381", "Danach-da-7382")
    log.take([foreign_post(text, at=clock.now()) for text in words])
    erased = 0
    for _ in range(3):
        clock.advance(0.9 * DAY_S)
        erased += log.erase()

    assert erased == 2

    left = b"".join(file.read_bytes() for file in (tmp_path / "words").iterdir())
    assert [word for word in words if word.encode() in left] == []


def test_what_waits_ends_with_the_power_cut_too(log: Log, clock: ManualClock) -> None:
    kept = [
        frame("ticket", {"what": 0, "needs": [n], "block": "x"}, at=clock.now()) for n in (1, 2)
    ]
    log.take(kept)
    log.power_is_back(clock.now())
    for _ in range(4):
        clock.advance(0.8 * DAY_S)
        log.erase()

    assert frames(log) == []


def test_a_change_is_about_the_record_that_is_shown(log: Log, clock: ManualClock) -> None:
    log.take([foreign_post("Suche Kerzen", at=clock.now()), foreign_post("B", at=clock.now())])

    for reporter in (b"a", b"b", b"c"):
        log.add(report(Ref(OTHER, 1), reporter))

    assert texts(log) == []


def test_a_log_of_the_schema_before_goes_on_with_all_it_had(
    log: Log, clock: ManualClock, tmp_path: Path
) -> None:
    log.add(post("Von früher"))
    log.close()
    with closing(sqlite3.connect(log.path)) as db, db:
        db.executescript(
            "DROP TABLE twins; DROP TABLE gone; CREATE TABLE gone (origin TEXT NOT NULL, sequence"
            " INTEGER NOT NULL, until REAL NOT NULL, PRIMARY KEY (origin, sequence)) STRICT;"
            f"INSERT INTO gone VALUES ('{OTHER}', 1, 1e10); PRAGMA user_version = 2"
        )

    with closing(open_log(tmp_path, clock)) as again:
        assert texts(again) == ["Von früher"]
        # Erased before anybody kept what it was: then by its number.
        assert again.take([foreign_post("Erwischt", at=clock.now())]) == []
