"""The log of words: what is taken in, in which order it may come, what is shown of it."""

from __future__ import annotations

import itertools
import random
import sqlite3
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from telling import (
    BOX,
    DAY_S,
    HOUR_S,
    OTHER,
    everything_of,
    foreign_post,
    frame,
    open_log,
    post,
    record,
    report,
    texts,
)

from kiezbox.clock import ManualClock
from kiezbox.errors import StoreError, UsageError
from kiezbox.records import Ref, next_stamp, pack, unpack
from kiezbox.store.log import Draft, Log


@pytest.fixture
def log(tmp_path: Path, clock: ManualClock) -> Iterator[Log]:
    opened = open_log(tmp_path, clock)
    yield opened
    opened.close()


# --- one box's own words ------------------------------------------------------------------------


def test_what_is_added_is_there_for_whoever_opens_the_file_next(
    log: Log, clock: ManualClock, tmp_path: Path
) -> None:
    (added,) = log.add(post("Biete Suppe"))
    log.close()

    again = Log.open(log.path, clock)

    assert added.ref == Ref(BOX, 1)
    assert texts(again) == ["Biete Suppe"]
    again.close()


def test_the_same_form_twice_is_one_record_and_the_second_answer_names_the_first(log: Log) -> None:
    first, second = log.add(post(once=b"form"))[0], log.add(post(once=b"form"))[0]

    assert (first.is_new, second.is_new) == (True, False)
    assert first.ref == second.ref


def test_two_kinds_of_record_out_of_one_form_are_both_kept(log: Log) -> None:
    observation = Draft(kind="observation", fields={"code": 1}, once=b"form")

    added = log.add(post(once=b"form"), observation)

    assert [each.is_new for each in added] == [True, True]


def test_all_drafts_of_a_call_are_kept_or_none(log: Log) -> None:
    with pytest.raises(UsageError):
        log.add(post("Erstes"), Draft(kind="post", fields={"topic": 9, "text": "Zweites"}))

    assert texts(log) == []
    assert log.add(post("Danach"))[0].ref == Ref(BOX, 1)


def test_a_part_that_is_undone_takes_nothing_else_of_its_group_with_it(log: Log) -> None:
    with log.group():
        log.add(post("Davor"))
        with pytest.raises(ZeroDivisionError), log.undoing():
            log.add(post("Weg"))
            raise ZeroDivisionError
        log.add(post("Danach"))

    assert sorted(texts(log)) == ["Danach", "Davor"]


def test_a_part_without_a_group_is_refused(log: Log) -> None:
    with pytest.raises(StoreError), log.undoing():
        log.add(post())

    assert texts(log) == []


def test_what_answers_something_has_a_later_stamp_than_all_that_was_said_about_it(
    log: Log, clock: ManualClock
) -> None:
    log.take([foreign_post("Suche Kerzen", at=clock.now())])
    clock.set_wall(clock.now() - 10 * DAY_S)

    log.add(report(Ref(OTHER, 1), b"a"))

    frames = [unpack(each) for _, each in log.after(0)]
    assert frames[1].stamp > frames[0].stamp


def test_a_box_that_is_renamed_goes_on_under_its_new_name(
    log: Log, clock: ManualClock, tmp_path: Path
) -> None:
    log.add(post("Unter altem Namen"))
    log.close()

    renamed = open_log(tmp_path, clock, box="kb-neu-1")

    assert renamed.add(post("Unter neuem"))[0].ref == Ref("kb-neu-1", 1)
    assert renamed.heads() == {BOX: 1, "kb-neu-1": 1}
    assert len(texts(renamed)) == 2
    renamed.close()


# --- words of other boxes -----------------------------------------------------------------------


def test_a_frame_that_comes_twice_is_taken_once(log: Log, clock: ManualClock) -> None:
    sent = foreign_post("Suche Kerzen", at=clock.now())

    assert log.take([sent, sent]) == [Ref(OTHER, 1)]
    assert log.take([sent]) == []


def test_bad_frames_cost_the_good_ones_nothing(log: Log, clock: ManualClock) -> None:
    good = foreign_post("Suche Kerzen", at=clock.now())

    taken = log.take([b"", b"\x01", good[:-1], good, b"\x02" + good[1:]])

    assert taken == [Ref(OTHER, 1)]


def test_a_kind_that_nobody_knows_here_is_kept_and_passed_on(log: Log, clock: ManualClock) -> None:
    known = record("post", {"topic": 0, "text": "?"}, at=clock.now())
    unknown = pack(replace(known, kind=200))

    assert log.take([unknown]) == [Ref(OTHER, 1)]
    assert log.after(0) == [(1, unknown)]
    assert log.rebuild() == 0


def _told(clock: ManualClock) -> list[bytes]:
    """Two posts, reported thrice, one of them solved by its own word, and twice at one moment."""
    at = clock.now()
    found = [
        foreign_post("Suche Kerzen", sequence=1, at=at),
        frame("post", {"topic": 1, "text": "Biete Suppe"}, origin="kb-dritte-3", at=at),
    ]
    for number, origin in enumerate((OTHER, "kb-dritte-3", "kb-vierte-4")):
        fields = {"of": Ref(OTHER, 1), "reason": 1, "reporter": bytes([number])}
        found.append(frame("report", fields, origin=origin, sequence=7, at=at + 5))
    state = {"of": Ref("kb-dritte-3", 1), "event": "solved", "proof": b"p" * 32}
    found.append(frame("post_state", state, sequence=8, at=at + 6))
    return found


def test_the_folds_are_the_same_in_every_order_of_arrival(
    tmp_path: Path, clock: ManualClock
) -> None:
    frames, seen = _told(clock), set()
    orders = [frames, frames[::-1]]
    dice = random.Random(1)
    orders += [dice.sample(frames, len(frames)) for _ in range(10)]
    for number, order in enumerate(orders):
        log = open_log(tmp_path / str(number), clock)
        for each in order:
            log.take([each])
        rows, things = everything_of(log.path)
        log.close()
        seen.add((repr(rows), repr(things)))

    assert len(seen) == 1
    assert "Biete Suppe" in seen.pop()[1]


def test_a_rebuild_gives_what_was_folded_step_by_step(log: Log, clock: ManualClock) -> None:
    for each in _told(clock):
        log.take([each])
    log.add(post("Eigenes"), report(Ref(BOX, 1), b"a"))
    _, before = everything_of(log.path)

    assert log.rebuild() == len(before) == 3
    assert everything_of(log.path)[1] == before


def test_what_changes_something_may_come_before_it(log: Log, clock: ManualClock) -> None:
    first, *_ = frames = _told(clock)
    for each in frames[1:]:
        log.take([each])
    assert log.thing(Ref(OTHER, 1)) is None

    log.take([first])

    thing = log.thing(Ref(OTHER, 1))
    assert thing is not None and thing.is_hidden


def test_of_two_records_with_one_stamp_every_box_takes_the_same_for_the_later(
    tmp_path: Path, clock: ManualClock
) -> None:
    at = clock.now()
    post_frame = foreign_post("Suche Kerzen", at=at)
    verdicts = [
        frame(
            "moderation", {"of": Ref(OTHER, 1), "verdict": verdict}, origin=origin, at=at + 1,
            key=b"k" * 8, signature=b"s" * 64,
        )
        for verdict, origin in (("hide", "kb-dritte-3"), ("restore", "kb-vierte-4"))
    ]  # fmt: skip
    seen = []
    for number, order in enumerate(itertools.permutations(verdicts)):
        log = open_log(tmp_path / str(number), clock)
        log.judge_by(lambda *_: "Bezirk")
        log.take([post_frame, *order])
        thing = log.thing(Ref(OTHER, 1))
        assert thing is not None
        seen.append(thing.is_hidden)
        log.close()

    assert seen[0] == seen[1]


def test_a_record_in_this_boxs_own_name_gives_it_no_number_it_never_gave(
    log: Log, clock: ManualClock
) -> None:
    log.add(post("Eigenes"))
    forged = foreign_post("Gefälscht", origin=BOX, sequence=1 << 53, at=clock.now())

    assert log.take([forged]) == []
    assert log.add(post("Danach"))[0].ref == Ref(BOX, 2)


def test_other_boxes_bring_back_what_this_one_has_lost(
    tmp_path: Path, log: Log, clock: ManualClock
) -> None:
    log.add(post("Eins"), post("Zwei"))
    frames = [each for _, each in log.after(0)]
    db = sqlite3.connect(log.path)
    with db:
        db.execute("DELETE FROM log")
        db.execute("DELETE FROM things")
    db.close()

    assert log.take(frames) == [Ref(BOX, 1), Ref(BOX, 2)]
    assert sorted(texts(log)) == ["Eins", "Zwei"]


def test_no_record_lives_longer_than_its_kind_may(log: Log, clock: ManualClock) -> None:
    log.take([foreign_post("Zehn Jahre", at=clock.now(), lifetime_s=3660 * 86400)])

    clock.advance(2 * DAY_S + 1)

    assert texts(log) == []


def test_a_fold_that_fails_hides_its_record_and_stops_nothing(
    log: Log,
    clock: ManualClock,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    from kiezbox.records.folds import post as module

    fold = module.fold

    def failing(first: object, changes: object) -> object:
        thing = fold(first, changes)  # type: ignore[arg-type]
        if "Zweites" in thing.text:
            raise ZeroDivisionError
        return thing

    monkeypatch.setattr(module, "fold", failing)

    taken = log.take(
        [
            foreign_post(text, sequence=number, at=clock.now())
            for number, text in enumerate(("Erstes", "Zweites", "Drittes"), 1)
        ]
    )

    assert len(taken) == 3
    assert sorted(texts(log)) == ["Drittes", "Erstes"]
    assert "ZeroDivisionError" in capsys.readouterr().err


# --- judging ------------------------------------------------------------------------------------


def _signed(at: float) -> bytes:
    return frame(
        "bulletin", {"text": "Wasser"}, at=at, key=b"k" * 8, signature=b"s" * 64
    )  # fmt: skip


def test_a_verdict_stays_for_whoever_cannot_judge_and_changes_when_somebody_judges_otherwise(
    log: Log, clock: ManualClock
) -> None:
    log.take([_signed(clock.now())])
    issuers = []
    for judge in (lambda *_: "Bezirk", lambda *_: ""):
        log.judge_by(judge)
        log.add(report(Ref(OTHER, 1), b"a"))
        with_none = Log.open(log.path, clock)
        with_none.add(report(Ref(OTHER, 1), b"b"))
        thing = with_none.thing(Ref(OTHER, 1))
        assert thing is not None
        issuers.append(thing.issuer)
        with_none.close()

    assert issuers == ["Bezirk", ""]


# --- several at once ----------------------------------------------------------------------------


def test_three_writers_at_once_give_every_record_a_number_of_its_own(
    log: Log, clock: ManualClock, tmp_path: Path
) -> None:
    writers = [log, open_log(tmp_path, clock), open_log(tmp_path, clock)]

    def write(number: int) -> None:
        for each in range(30):
            writers[number].add(post(f"{number}/{each}"))

    threads = [threading.Thread(target=write, args=(number,)) for number in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    assert len(texts(log)) == 90
    assert log.heads() == {BOX: 90}
    for each in writers[1:]:
        each.close()


def test_frames_pass_from_box_to_box_unchanged(
    log: Log, clock: ManualClock, tmp_path: Path
) -> None:
    log.add(post("Eins"), report(Ref(BOX, 1), b"a"))
    other = open_log(tmp_path / "other", clock, box=OTHER)

    other.take([each for _, each in log.after(0)])

    assert everything_of(other.path) == everything_of(log.path)
    assert [pack(unpack(each)) for _, each in other.after(0)] == [e for _, e in log.after(0)]
    other.close()


def test_a_stamp_never_goes_back(log: Log, clock: ManualClock) -> None:
    for moment in (0.0, HOUR_S, -HOUR_S, -40 * 365 * DAY_S, 0.0):
        clock.set_wall(1_780_000_000.0 + moment)
        log.add(post())

    stamps = [unpack(each).stamp for _, each in log.after(0)]

    assert stamps == sorted(set(stamps))
    assert stamps[0] == next_stamp(0, 1_780_000_000.0)
