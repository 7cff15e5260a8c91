"""The tickets' table: every arrow is needed, and boxes that were apart agree when they meet."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from stories import test_ticket_days

from kiezbox import sealing
from kiezbox.clock import ManualClock
from kiezbox.records import Ref, Thing, pack, tickets, unpack
from kiezbox.records.folds.ticket import MOST_UNCONFIRMED, said_bytes
from kiezbox.records.record import decoded, encoded
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
from kiezbox.store.log import Draft, Log

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
    is_proven=st.booleans(),
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
    proven = [each for each in all_said if each.is_proven]
    assert walked == walk(0.0, proven)


# --- boxes that were apart ------------------------------------------------------------------------

PAIR = sealing.new_pair()
PUBLICS = {"helpers": PAIR.public}
SIGNER = sealing.signer_of(PAIR.private)

WORDS = "hammer wolke insel brot"


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
    draft = helping.ticket_draft(PUBLICS, what="ask", needs=[1], block="Musterweg", exact={})
    (added,) = left.log.add(draft)
    left.meets(right)
    clock.advance(10)

    for box, who in ((left, b"nurse..1"), (right, b"porter.2")):
        helping.act(box.log, added.ref, "take", "helper", who=who, signer=SIGNER)
        clock.advance(10)
    apart = [len(box.log.thing(added.ref).data["takers"]) for box in (left, right)]  # type: ignore[union-attr]
    left.meets(right)
    together = [shown(box.log.thing(added.ref)) for box in (left, right)]
    helping.act(right.log, added.ref, "yield", "helper", who=b"porter.2", signer=SIGNER)
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
    draft = helping.ticket_draft(PUBLICS, what="ask", needs=[1], block="Weg", exact={})
    (added,) = boxes[0].log.add(draft)
    boxes[0].meets(boxes[1])

    for n in range(steps):
        clock.advance(1)
        box = chance.choice(boxes)
        event = chance.choice(
            ["take", "yield", "done", "close", "reopen", "acknowledge", "forward"]
        )
        try:
            who = bytes([n % 3]) * 8
            helping.act(box.log, added.ref, event, "helper", who=who, signer=SIGNER)
        except helping.Refused:
            continue
    boxes[0].meets(boxes[1])

    assert shown(boxes[0].log.thing(added.ref)) == shown(boxes[1].log.thing(added.ref))
    for box in boxes:
        box.log.close()


# --- who lies -------------------------------------------------------------------------------------


def asked(box: Box) -> Ref:
    """A ticket of this box's, with its words and the helpers' key."""
    check = sealing.ticket_check(WORDS, b"12345678")
    draft = helping.ticket_draft(
        PUBLICS, what="ask", needs=[1], block="Weg", exact={"place": "Hof"}, check=check
    )
    (added,) = box.log.add(draft)
    return added.ref


def resident_signs(box: Box, ref: Ref, event: str) -> None:
    told = box.log.told(ref)
    assert told is not None
    signer = sealing.ticket_signer(WORDS, told[0].body["lookup"])
    helping.act(box.log, ref, event, "resident", signer=signer)


@pytest.fixture
def street(tmp_path: Path) -> Iterator[tuple[ManualClock, Box, Box]]:
    """A box, and one that lies."""
    clock = ManualClock(NOW)
    boxes = [Box(tmp_path, name, clock) for name in ("kb-left", "kb-liar")]
    yield (clock, *boxes)  # type: ignore[misc]
    for box in boxes:
        box.log.close()


@pytest.mark.parametrize("event", ["done", "close", "withdraw", "merge", "take", "forward"])
@pytest.mark.parametrize("role", list(Role))
@pytest.mark.parametrize("proof", ["none", "zeros", "its own key's"])
def test_who_cannot_prove_it_moves_no_ticket_and_is_shown_beside_it(
    street: tuple[ManualClock, Box, Box], event: str, role: str, proof: str
) -> None:
    _, left, liar = street
    ref = asked(left)
    left.meets(liar)
    fields = {"of": ref, "event": event, "role": role, "into": Ref("kb-liar", 99), "stamp": 1}
    own = sealing.signer_of(sealing.new_pair().private)
    made = {"none": b"", "zeros": bytes(64), "its own key's": sealing.signature(
        own, said_bytes(fields))}  # fmt: skip
    liar.log.add(Draft(kind="ticket_state", fields={**fields, "proof": made[proof]}))

    left.meets(liar)

    for box in (left, liar):
        thing = box.log.thing(ref)
        assert thing is not None and thing.state == "received"
        assert thing.data["steps"] == [] and thing.data["takers"] == []
        said = [each[:2] for each in thing.data.get("unconfirmed", [])]
        assert said == [[event, role]] * tickets.may(role, event)


def test_a_signature_of_somebody_else_closes_nothing(
    street: tuple[ManualClock, Box, Box],
) -> None:
    """By a moderator of the lying box, whom nobody here believes."""
    from kiezbox.trust import new_key, sign

    _, left, liar = street
    ref = asked(left)
    left.meets(liar)
    fields = {"of": ref, "event": "close", "role": "operator", "stamp": 1}
    signed = sign("ticket_state", fields, new_key("Lügner"), lifetime_s=3600)
    liar.log.add(Draft(**signed._asdict()))

    left.meets(liar)

    thing = left.log.thing(ref)
    assert thing is not None and thing.state == "received"
    assert [each[:2] for each in thing.data["unconfirmed"]] == [["close", "operator"]]


@pytest.mark.parametrize("who", ["resident", "helper"])
def test_an_old_word_sent_again_is_no_new_one(
    street: tuple[ManualClock, Box, Box], who: str
) -> None:
    """Done and withdrawn, opened again; then the first is sent once more, and once more dressed
    up with a field that nobody knows.
    """
    clock, left, liar = street
    ref = asked(left)
    if who == "helper":
        helping.act(left.log, ref, "take", "helper", signer=SIGNER)
        helping.act(left.log, ref, "done", "helper", signer=SIGNER)
    else:
        resident_signs(left, ref, "withdraw")
    ended = left.log.records("ticket_state")[-1].record.body
    clock.advance(60)
    resident_signs(left, ref, "reopen")
    left.meets(liar)
    before = shown(left.log.thing(ref))
    clock.advance(60)
    for body in (ended, encoded({**decoded(ended), 99: 1})):
        liar.log.add(Draft(kind="ticket_state", body=body))

    left.meets(liar)

    for box in (left, liar):
        assert shown(box.log.thing(ref)) == before
    assert before[0] in ("received", "acknowledged")


def test_the_word_about_one_ticket_says_nothing_about_another(
    street: tuple[ManualClock, Box, Box],
) -> None:
    _, left, liar = street
    one, other = asked(left), asked(left)
    helping.act(left.log, one, "take", "helper", signer=SIGNER)
    helping.act(left.log, one, "done", "helper", signer=SIGNER)
    body = decoded(left.log.records("ticket_state")[-1].record.body)
    left.meets(liar)
    liar.log.add(Draft(kind="ticket_state", body=encoded({**body, 1: list(other)})))

    left.meets(liar)

    thing = left.log.thing(other)
    assert thing is not None and thing.state == "received"


def test_a_lying_box_that_says_it_first_takes_no_true_word_away(
    street: tuple[ManualClock, Box, Box],
) -> None:
    """It puts its own number and an early stamp on what a helper signed; the order is the
    signer's.
    """
    clock, left, liar = street
    ref = asked(left)
    clock.advance(10)
    helping.act(left.log, ref, "take", "helper", signer=SIGNER)
    clock.advance(10)
    helping.act(left.log, ref, "done", "helper", signer=SIGNER)
    first, *said = (unpack(frame) for _, frame in left.log.after(0, 100))
    backwards = [
        pack(replace(each, origin="kb-third", sequence=n + 1, stamp=first.stamp - n))
        for n, each in enumerate(said)
    ]

    liar.log.take(backwards)
    liar.log.take([pack(first)])

    thing = liar.log.thing(ref)
    assert thing is not None and thing.state == "done"


def test_a_thousand_lies_are_three_lines(street: tuple[ManualClock, Box, Box]) -> None:
    _, left, _ = street
    ref = asked(left)
    with left.log.group():
        for n in range(60):
            event, role = list(Event)[n % 10], list(Role)[n % 4]
            left.log.add(
                Draft(kind="ticket_state", fields={"of": ref, "event": event, "role": role})
            )

    thing = left.log.thing(ref)
    assert thing is not None and len(thing.data["unconfirmed"]) == MOST_UNCONFIRMED


def test_what_is_no_ticket_or_leads_nowhere_is_refused_and_leaves_no_record(tmp_path: Path) -> None:
    box = Box(tmp_path, "kb-1", ManualClock(NOW))
    draft = helping.ticket_draft(PUBLICS, what="ask", needs=[1], block="Weg", exact={})
    (added,) = box.log.add(draft)
    before = len(box.log.after(0))

    for event, role, ref in (
        ("done", "helper", added.ref),
        ("take", "helper", Ref("kb-1", 99)),
        ("merge", "helper", added.ref),
        ("left", "helper", added.ref),
    ):
        with pytest.raises(helping.Refused):
            helping.act(box.log, ref, event, role, signer=SIGNER)
    with pytest.raises(helping.Refused):
        helping.act(box.log, added.ref, "merge", "operator", into=added.ref)
    for signer in (b"", sealing.signer_of(sealing.new_pair().private)):
        with pytest.raises(helping.Unproven):
            helping.act(box.log, added.ref, "take", "helper", signer=signer)

    assert len(box.log.after(0)) == before
