"""Whom a box calls, and when: decided without a socket."""

from __future__ import annotations

from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from kiezbox.peers.calling import MOST_PAUSE_S, PATIENCE_S, Call, Calls, Heard
from kiezbox.settings.kiez import PORT, Place

KEYS = {"kb-a": [b"a" * 32], "kb-b": [b"b" * 32], "kb-c": [b"c" * 32, b"C" * 32]}


def calls(me: str) -> Calls:
    return Calls(me, lambda box: KEYS.get(box, []), Random(1))


def test_the_smaller_name_calls_where_the_other_was_heard() -> None:
    a, b = calls("kb-a"), calls("kb-b")
    heard = [Heard("kb-a", ("fe80::a%m",)), Heard("kb-b", ("fe80::b%m",))]
    a.know(heard, [], 0.0)
    b.know(heard, [], 0.0)

    assert a.due(0.0, []) == [Call("kb-b", b"b" * 32, "fe80::b%m", PORT)]
    assert b.due(1e9, []) == []


def test_the_greater_name_calls_an_address_that_was_written_down_but_not_at_once() -> None:
    b = calls("kb-b")
    b.know([], [Place("kb-a", "10.0.0.1", 7000)], 0.0)

    assert b.due(PATIENCE_S - 0.01, []) == []
    assert b.due(2 * PATIENCE_S, []) == [Call("kb-a", b"a" * 32, "10.0.0.1", 7000)]


def test_who_is_no_member_is_not_called_however_loud_it_is() -> None:
    a = calls("kb-a")
    a.know([Heard("kb-x", ("fe80::1%m",))], [Place("kb-y", "10.0.0.9", 7412)], 0.0)

    assert a.due(1e9, []) == []


def test_who_is_connected_is_not_called() -> None:
    a = calls("kb-a")
    a.know([Heard("kb-b", ("fe80::b%m",))], [], 0.0)

    assert a.due(0.0, ["kb-b"]) == []
    assert a.next_at(["kb-b"]) == float("inf")


def test_all_addresses_and_all_keys_are_tried_in_turn() -> None:
    a = calls("kb-a")
    a.know([Heard("kb-c", ("fe80::c%m", "10.0.0.3"))], [], 0.0)
    made = set()
    now = 0.0
    for _ in range(4):
        (call,) = a.due(now, [])
        made.add((call.address, call.public))
        a.failed("kb-c", now)
        now = a.next_at([])

    assert len(made) == 4


@settings(max_examples=50)
@given(st.integers(0, 1 << 30), st.lists(st.booleans(), min_size=1, max_size=40))
def test_pauses_grow_to_a_limit_and_end(seed: int, refusals: list[bool]) -> None:
    a = Calls("kb-a", lambda box: KEYS.get(box, []), Random(seed))
    a.know([Heard("kb-b", ("fe80::b%m",))], [], 0.0)
    now = 0.0
    for is_refused in refusals:
        assert a.due(now, [])
        a.failed("kb-b", now, is_refused=is_refused)
        pause_s = a.next_at([]) - now
        assert 0 < pause_s <= (30.0 if is_refused else MOST_PAUSE_S) * 1.25
        now += pause_s
    a.ended("kb-b", now)
    assert a.next_at([]) - now < 1
