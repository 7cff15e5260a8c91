"""The tickets' table: every arrow is needed, and boxes that were apart agree when they meet."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from stories import test_ticket_days

from kiezbox.clock import ManualClock
from kiezbox.records import Ref, Thing, tickets
from kiezbox.records.tickets import (
    ENDED,
    MAY,
    MEANING,
    START,
    TRANSITIONS,
    Event,
    Role,
    Said,
    State,
    walk,
)
from kiezbox.store import helping
from kiezbox.store.log import Log

STORIES: list[Callable[[], None]] = [
    story for name, story in vars(test_ticket_days).items() if name.startswith("test_")
]

NOW = 1_767_466_800.0


def red() -> bool:
    for story in STORIES:
        try:
            story()
        except (AssertionError, IndexError):
            return True
    return False


def test_every_story_holds_while_the_table_is_whole() -> None:
    assert not red()


@pytest.mark.parametrize("arrow", TRANSITIONS, ids=lambda arrow: "-".join(arrow))
def test_deleting_an_arrow_turns_a_story_red(
    arrow: tuple[State, Event], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(tickets.TRANSITIONS, arrow)

    assert red(), f"no story misses {arrow}"


def test_every_state_is_reached_and_every_event_has_a_meaning_and_somebody_who_may() -> None:
    reached = {START}
    for _ in TRANSITIONS:
        reached |= {after for (before, _), after in TRANSITIONS.items() if before in reached}

    assert reached == set(State)
    assert {event for _, event in TRANSITIONS} == set(Event) == set(MEANING)
    assert set(MAY) == set(Event) - {Event.LEFT}
    assert all(MAY.values())


def test_only_what_was_merged_is_over_for_ever() -> None:
    left = {before for before, _ in TRANSITIONS}

    assert set(State) - left == {State.MERGED}
    assert set(ENDED) == set(State) - {
        State.RECEIVED, State.ACKNOWLEDGED, State.FORWARDED, State.TAKEN,
    }  # fmt: skip


def test_the_page_shows_the_table_as_it_is() -> None:
    page = (Path(__file__).resolve().parent.parent.parent / "docs" / "help.md").read_text("utf-8")

    for state in State:
        ways = [f"{e} → {TRANSITIONS[state, e]}" for e in Event if (state, e) in TRANSITIONS]
        assert f"| {state} | {', '.join(ways) or 'nothing more'} |" in page
    for event in Event:
        who = ", ".join(role for role in Role if role in MAY.get(event, ()))
        assert f"| {event} | {MEANING[event]} | {who or 'nobody: it follows'} |" in page


said = st.builds(
    Said,
    event=st.sampled_from([*map(str, Event), "", "nonsense"]),
    role=st.sampled_from([*map(str, Role), "", "mayor"]),
    who=st.sampled_from(["", "aa", "bb"]),
    at=st.floats(0, 1e9),
    is_residents=st.booleans(),
)


@given(st.lists(said, max_size=12))
@settings(max_examples=80)
def test_whatever_is_said_a_ticket_is_in_a_state_and_its_takers_took_it(
    all_said: list[Said],
) -> None:
    walked = walk(0.0, all_said)

    assert walked.state in State
    assert bool(walked.takers) == (walked.state is State.TAKEN)
    assert len(set(walked.takers)) == len(walked.takers)
    if walked.state is State.WITHDRAWN:
        assert any(each.is_residents and each.event == "withdraw" for each in all_said)


# --- boxes that were apart ------------------------------------------------------------------------


class Box:
    """A log of one box, and a helper who works at it."""

    def __init__(self, folder: Path, name: str, clock: ManualClock) -> None:
        self.name = name
        self.log = Log.open(str(folder / name / "words.db"), clock, box=name)

    def meets(self, other: Box) -> None:
        """Both have everything of the other afterwards, in any order."""
        mine = [frame for _, frame in self.log.after(0, 10_000)]
        theirs = [frame for _, frame in other.log.after(0, 10_000)]
        for log, frames in ((other.log, mine), (self.log, theirs)):
            random.Random(7).shuffle(frames)
            log.take(frames)


def shown(thing: Thing | None) -> tuple[object, ...]:
    assert thing is not None
    return thing.state, thing.data["takers"], thing.data["since"], thing.data["steps"]


def test_two_who_took_it_on_both_sides_of_a_partition_are_both_shown_until_one_yields(
    tmp_path: Path,
) -> None:
    clock = ManualClock(NOW)
    left, right = (Box(tmp_path, name, clock) for name in ("kb-left", "kb-right"))
    draft = helping.ticket_draft({}, what="ask", needs=[1], block="Musterweg", exact={})
    (added,) = left.log.add(draft)
    left.meets(right)
    clock.advance(10)

    for box, who in ((left, b"nurse..1"), (right, b"porter.2")):
        helping.act(box.log, added.ref, "take", "helper", who=who)
        clock.advance(10)
    apart = [len(box.log.thing(added.ref).data["takers"]) for box in (left, right)]  # type: ignore[union-attr]
    left.meets(right)
    together = [shown(box.log.thing(added.ref)) for box in (left, right)]
    helping.act(right.log, added.ref, "yield", "helper", who=b"porter.2")
    left.meets(right)
    after = [shown(box.log.thing(added.ref)) for box in (left, right)]

    assert apart == [1, 1]
    assert together[0] == together[1]
    both = [["helper", b"nurse..1".hex()], ["helper", b"porter.2".hex()]]
    assert together[0][:2] == ("taken", both)
    assert after[0] == after[1]
    assert after[0][:2] == ("taken", both[:1])


@given(st.randoms(use_true_random=False), st.integers(2, 10))
@settings(max_examples=6)
def test_boxes_agree_whatever_was_done_apart(
    tmp_path_factory: pytest.TempPathFactory, chance: random.Random, steps: int
) -> None:
    clock = ManualClock(NOW)
    folder = tmp_path_factory.mktemp("boxes")
    boxes = [Box(folder, name, clock) for name in ("kb-1", "kb-2")]
    draft = helping.ticket_draft({}, what="ask", needs=[1], block="Weg", exact={})
    (added,) = boxes[0].log.add(draft)
    boxes[0].meets(boxes[1])

    for n in range(steps):
        clock.advance(1)
        box = chance.choice(boxes)
        event = chance.choice(
            ["take", "yield", "done", "close", "reopen", "acknowledge", "forward"]
        )
        try:
            helping.act(box.log, added.ref, event, "helper", who=bytes([n % 3]) * 8)
        except helping.Refused:
            continue
    boxes[0].meets(boxes[1])

    assert shown(boxes[0].log.thing(added.ref)) == shown(boxes[1].log.thing(added.ref))
    for box in boxes:
        box.log.close()


def test_a_proof_that_is_none_withdraws_nothing_on_another_box(tmp_path: Path) -> None:
    from kiezbox.sealing import ticket_check
    from kiezbox.store.log import Draft

    clock = ManualClock(NOW)
    left, right = (Box(tmp_path, name, clock) for name in ("kb-left", "kb-right"))
    check = ticket_check("hammer wolke insel brot", b"12345678")
    draft = helping.ticket_draft({}, what="ask", needs=[1], block="Weg", exact={}, check=check)
    (added,) = left.log.add(draft)
    fields = {"of": added.ref, "event": "withdraw", "role": "resident", "proof": bytes(32)}
    right.log.add(Draft(kind="ticket_state", fields=fields))

    left.meets(right)

    thing = left.log.thing(added.ref)
    assert thing is not None and thing.state == "received"


def test_what_is_no_ticket_or_leads_nowhere_is_refused_and_leaves_no_record(tmp_path: Path) -> None:
    box = Box(tmp_path, "kb-1", ManualClock(NOW))
    draft = helping.ticket_draft({}, what="ask", needs=[1], block="Weg", exact={})
    (added,) = box.log.add(draft)
    before = len(box.log.after(0))

    for event, role, ref in (
        ("done", "helper", added.ref),
        ("take", "helper", Ref("kb-1", 99)),
        ("merge", "helper", added.ref),
        ("left", "helper", added.ref),
    ):
        with pytest.raises(helping.Refused):
            helping.act(box.log, ref, event, role)
    with pytest.raises(helping.Refused):
        helping.act(box.log, added.ref, "merge", "operator", into=added.ref)

    assert len(box.log.after(0)) == before
