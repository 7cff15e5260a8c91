"""The log of words and time: wrong clocks, retention, and what is left of what is erased."""

from __future__ import annotations

import os
import random
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from telling import (
    BOX,
    DAY_S,
    HOUR_S,
    OTHER,
    bytes_of,
    foreign_post,
    frame,
    open_log,
    post,
    record,
    report,
    texts,
)

from kiezbox.clock import ManualClock
from kiezbox.records import MOST_STAMP, Ref, pack, unpack
from kiezbox.store import log as log_module
from kiezbox.store import log_forgetting
from kiezbox.store.log import PERSONAL_AFTER_POWER_S, Draft, Log

NOW = 1_780_000_000.0
IN_2040 = 2_208_988_800.0


@pytest.fixture
def log(tmp_path: Path, clock: ManualClock) -> Iterator[Log]:
    opened = open_log(tmp_path, clock)
    yield opened
    opened.close()


def expiry(log: Log, ref: Ref) -> float:
    thing = log.thing(ref)
    assert thing is not None
    return thing.expires_at


# --- clocks -------------------------------------------------------------------------------------


def test_the_time_of_an_untrusted_clock_is_not_believed_and_expiry_counts_from_receipt(
    log: Log, clock: ManualClock
) -> None:
    log.take([foreign_post("Suche Kerzen", at=NOW - 30 * DAY_S, trusted=False)])

    thing = log.thing(Ref(OTHER, 1))
    assert thing is not None
    assert (thing.written_at, thing.expires_at) == (NOW, NOW + 2 * DAY_S)


def test_with_a_clock_of_its_own_in_1970_a_box_believes_no_times_and_loses_no_words(
    log: Log, clock: ManualClock
) -> None:
    clock.set_wall(3600.0)
    clock.trusted = False

    log.add(post("Eigenes"))
    log.take([foreign_post("Fremdes", at=NOW)])

    assert sorted(texts(log)) == ["Eigenes", "Fremdes"]
    assert expiry(log, Ref(OTHER, 1)) == 3600.0 + 2 * DAY_S


def test_a_clock_put_right_keeps_the_age_of_what_came_before_and_moves_nothing_twice(
    log: Log, clock: ManualClock
) -> None:
    log.take([foreign_post("Von früher, unsicher", at=NOW, trusted=False)])
    early = expiry(log, Ref(OTHER, 1))
    clock.set_wall(3600.0)
    clock.trusted = False
    log.add(post("Im Dunkeln"))
    clock.advance(HOUR_S)
    by_s = NOW + HOUR_S - clock.now()
    clock.set_wall(NOW + HOUR_S)
    clock.trusted = True

    log.clock_was_set(by_s)
    log.clock_was_set(by_s)

    thing = log.thing(Ref(BOX, 1))
    assert thing is not None
    assert (thing.written_at, thing.expires_at) == (NOW, NOW + 2 * DAY_S)
    assert expiry(log, Ref(OTHER, 1)) == early


@pytest.mark.parametrize("stamp", [int(IN_2040 * 1000) << 16, MOST_STAMP])
def test_a_stamp_far_ahead_pushes_no_other_records_into_the_future(
    log: Log, clock: ManualClock, stamp: int
) -> None:
    ahead = record("post", {"topic": 0, "text": "Von morgen"}, at=NOW)
    log.take([pack(replace(ahead, stamp=stamp))])

    log.add(post("Heute"), report(Ref(OTHER, 1), b"a"))

    own, answer = (unpack(each) for _, each in log.after(1))
    thing = log.thing(Ref(OTHER, 1))
    assert thing is not None
    assert own.written_at == pytest.approx(NOW)
    assert answer.stamp >= stamp
    assert (thing.written_at, thing.expires_at) == (NOW, NOW + 2 * DAY_S)


def test_a_stamp_a_little_ahead_is_followed(log: Log, clock: ManualClock) -> None:
    log.take([foreign_post("Vier Minuten voraus", at=NOW + 240)])

    log.add(post("Danach"))

    first, second = (unpack(each) for _, each in log.after(0))
    assert second.stamp == first.stamp + 1


def test_after_a_time_in_2040_a_box_is_back_with_all_its_words_and_dates_those_it_wrote_there(
    log: Log, clock: ManualClock
) -> None:
    log.add(post("Davor"))
    log.erase()
    clock.set_wall(IN_2040)
    log.erase()
    log.add(post("In 2040"))

    clock.set_wall(NOW + HOUR_S)
    log.erase()

    assert sorted(texts(log)) == ["Davor", "In 2040"]
    assert expiry(log, Ref(BOX, 2)) == NOW + HOUR_S + 2 * DAY_S
    clock.advance(3 * DAY_S)
    log.erase()
    log.erase()
    assert log.after(0) == []


# --- retention ----------------------------------------------------------------------------------


def test_what_has_expired_is_not_shown_and_then_erased(log: Log, clock: ManualClock) -> None:
    log.add(post("Bald vorbei"))

    clock.advance(2 * DAY_S)

    assert texts(log) == []
    assert log.erase() == 1
    assert log.after(0) == []
    assert log.heads() == {BOX: 1}


def test_what_was_erased_does_not_come_back_from_a_box_that_still_holds_it(
    log: Log, clock: ManualClock
) -> None:
    sent = foreign_post("Nie wieder", at=NOW, trusted=False)
    log.take([sent])
    clock.advance(2 * DAY_S)
    log.erase()

    assert log.take([sent]) == []


def test_what_changes_something_lives_as_long_as_that(log: Log, clock: ManualClock) -> None:
    bulletin = Draft(kind="bulletin", fields={"text": "Wasser"}, lifetime_s=20 * 86400)
    (added,) = log.add(bulletin)
    log.add(report(added.ref, b"a"), report(added.ref, b"b"), report(added.ref, b"c"))

    clock.advance(19 * DAY_S)
    log.erase()
    log.erase()
    log.rebuild()

    told = log.told(added.ref)
    assert told is not None and len(told[1]) == 3


def test_neighbours_reports_go_with_what_they_were_about(log: Log, clock: ManualClock) -> None:
    (added,) = log.add(Draft(kind="post", fields={"topic": 0, "text": "?"}, lifetime_s=3600))
    # Of another box, and for longer than the post.
    log.take([frame("report", {"of": added.ref, "reason": 1}, at=NOW)])

    clock.advance(HOUR_S)

    assert log.erase() == 2
    assert log.after(0) == []


def test_what_helpers_opened_stays_in_the_log_when_the_request_is_gone(
    log: Log, clock: ManualClock
) -> None:
    (added,) = log.add(post())
    opening = Draft(
        kind="opening", fields={"of": added.ref, "role": "helpers"}, lifetime_s=31 * 86400
    )
    log.add(opening)

    clock.advance(3 * DAY_S)
    log.erase()
    log.erase()

    assert [told.body["role"] for told in log.records("opening")] == ["helpers"]


def test_personal_things_end_72_hours_after_the_power_is_back_also_those_that_come_later(
    log: Log, clock: ManualClock
) -> None:
    ticket = Draft(kind="ticket", fields={"what": 0})
    (added,) = log.add(ticket)
    log.add(Draft(kind="bulletin", fields={"text": "Wasser"}, lifetime_s=20 * 86400))
    clock.advance(HOUR_S)

    assert log.power_is_back(clock.now()) == 1

    log.take([frame("ticket", {"what": 0}, at=NOW)])
    late = expiry(log, added.ref), expiry(log, Ref(OTHER, 1))
    assert late == (NOW + HOUR_S + PERSONAL_AFTER_POWER_S,) * 2
    clock.advance(PERSONAL_AFTER_POWER_S)
    log.erase()
    log.erase()
    assert (texts(log, "ticket"), texts(log, "bulletin")) == ([], ["Wasser"])


def test_a_clock_that_leaps_a_day_erases_nothing_before_the_next_look(
    log: Log, clock: ManualClock
) -> None:
    log.add(post("Davor"))
    log.erase()

    clock.set_wall(IN_2040)

    assert log.erase() == 0
    clock.advance(HOUR_S)
    assert log.erase() == 1


# --- what is left -------------------------------------------------------------------------------


def marks(number: int) -> str:
    return f"GEHEIM-{number:05}-" + random.Random(number).randbytes(8).hex()


def test_nothing_of_what_was_erased_is_left_in_any_file(log: Log, clock: ManualClock) -> None:
    # Of several boxes, in any order: so SQLite splits and joins pages, and leaves stray copies.
    dice = random.Random(0)
    numbers = range(1, 1501)
    frames = [
        foreign_post(
            f"{marks(number)} {'x' * dice.choice((5, 60, 200, 1300))}",
            origin=dice.choice(("kb-a", "kb-b", "kb-zz")), sequence=number,
            at=NOW - dice.randrange(3600), lifetime_s=dice.choice((4000, 86400)),
        )
        for number in numbers
    ]  # fmt: skip
    dice.shuffle(frames)
    log.take(frames)
    clock.advance(4000)

    erased = log.erase()

    left, shown = bytes_of(log), " ".join(texts(log))
    gone = [number for number in numbers if marks(number) not in shown]
    assert len(gone) == erased > 500
    assert [number for number in gone if marks(number).encode() in left] == []


def test_what_a_reader_held_in_the_wal_goes_with_the_next_look(
    log: Log, clock: ManualClock
) -> None:
    log.add(Draft(kind="post", fields={"topic": 0, "text": marks(1)}, lifetime_s=3600))
    reader = sqlite3.connect(log.path, isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT * FROM log").fetchall()
    clock.advance(HOUR_S + 1)
    log._db.execute("PRAGMA busy_timeout = 50")

    log.erase()
    assert marks(1).encode() in bytes_of(log)
    reader.close()
    log.erase()

    assert marks(1).encode() not in bytes_of(log)


def test_damaged_files_are_kept_for_a_week_and_no_longer(log: Log, tmp_path: Path) -> None:
    clock = ManualClock(time.time())
    log.close()
    log = open_log(tmp_path, clock)
    aside = Path(log.path + ".damaged-1")
    aside.write_bytes(b"words of neighbours")
    os.utime(aside, (clock.now(), clock.now()))

    log.erase()
    assert aside.exists()
    clock.advance(7 * DAY_S + 60)
    log.erase()

    assert not aside.exists()
    log.close()


def test_a_large_log_is_written_anew_by_way_of_a_file_and_holds_nothing_erased(
    log: Log, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_forgetting, "REWRITTEN_IN_MEMORY", 0)
    log.add(*(post(f"Geheim-{n:04}-xxxxxxxxxxxxxxxxxxxxxxxxxxx") for n in range(1250)))
    log.add(Draft(kind="bulletin", fields={"text": "Bleibt"}, lifetime_s=20 * 86400))
    erased = 0
    for _ in range(3):
        clock.advance(0.9 * DAY_S)
        erased += log.erase()

    assert erased == 1250
    folder = Path(log.path).parent
    left = b"".join(file.read_bytes() for file in folder.iterdir())
    assert b"Geheim-" not in left
    assert b"Bleibt" in left


def test_whoever_writes_while_all_folds_are_made_anew_waits_for_a_part_of_them_only(
    log: Log, clock: ManualClock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log.add(*(post(f"Nummer {n}") for n in range(30)))
    monkeypatch.setattr(log_module, "FOLDED_AT_ONCE", 10)
    fold_some, writer = log._fold_some, open_log(tmp_path, clock)
    heard: list[int | None] = []

    def folded(after: int) -> int | None:
        last = fold_some(after)
        heard.append(last)
        return last

    def written(last: int | None) -> None:
        if last is not None and len(heard) == 1:
            writer.add(post("Dazwischen"))

    monkeypatch.setattr(log, "_fold_some", folded)
    whole = type(log)._writing

    def parts(self: Log) -> Any:
        with whole(self):
            yield
        written(heard[-1] if heard else None)

    monkeypatch.setattr(log, "_writing", lambda: contextmanager(parts)(log))

    assert log.rebuild() == 31
    assert len(heard) == 4
    assert "Dazwischen" in texts(writer)
    writer.close()
