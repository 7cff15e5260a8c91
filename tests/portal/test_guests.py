"""New, seen, ack: what becomes of a guest. Stories first, then what holds for all of them.

Each story is a plain function; deleting any one arrow of the table turns one of them red.
"""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from asking import Clock
from hypothesis import given, settings
from hypothesis import strategies as st

from kiezbox import captive
from kiezbox.captive import ACK, NEW, SEEN
from kiezbox.cli.power import Machine, mermaid
from kiezbox.portal.guests import MOST_GUESTS, NO_TOKEN, Guests

PAGE = Path(__file__).resolve().parents[2] / "docs" / "portal.md"

PHONE, OTHER = "10.42.0.7", "10.42.0.8"

HOUR = 3600.0


class Street:
    """A portal's guests, the time, and dnsmasq's notes of who joined when."""

    def __init__(self, joined: Path) -> None:
        self.clock = Clock()
        self.joined = joined
        self.guests = self.begin()

    def begin(self) -> Guests:
        """The portal's process starts."""
        self.guests = Guests(joined_dir=str(self.joined), monotonic=self.clock, wall=self.clock)
        return self.guests

    def phase(self, client: str = PHONE) -> str:
        return self.guests.phase(client)

    def read_page(self, client: str = PHONE) -> bytes:
        return self.guests.show(client)

    def stay(self, client: str = PHONE) -> bool:
        return self.guests.stay(client, self.read_page(client))

    def wait(self, seconds: float) -> None:
        self.clock.now += seconds

    def lease(self, client: str = PHONE) -> None:
        """dnsmasq gives the address to somebody: a new file, as ``joined.sh add`` makes one."""
        new = self.joined / "new"
        new.touch()
        os.utime(new, (self.clock.now, self.clock.now))
        new.rename(self.joined / client)

    def rejoin(self, client: str = PHONE) -> None:
        """The same guest joins once more: the same file, touched."""
        os.utime(self.joined / client, (self.clock.now, self.clock.now))


@contextmanager
def a_street() -> Iterator[Street]:
    with tempfile.TemporaryDirectory(prefix="kiezbox-joined-") as folder:
        yield Street(Path(folder))


# --- stories -------------------------------------------------------------------------------------


def a_phone_is_shown_the_page_and_stays_for_a_day() -> None:
    with a_street() as street:
        assert street.phase() == NEW
        token = street.read_page()
        assert street.phase() == SEEN

        assert street.guests.stay(PHONE, token)

        assert street.phase() == ACK
        street.wait(24 * HOUR - 1)
        assert (street.phase(), street.guests.remaining_s(PHONE)) == (ACK, 1.0)
        street.wait(1)
        assert (street.phase(), street.guests.remaining_s(PHONE)) == (NEW, 0.0)


def whoever_presses_again_stays_longer() -> None:
    with a_street() as street:
        street.stay()
        street.wait(20 * HOUR)
        street.stay()

        street.wait(20 * HOUR)

        assert street.phase() == ACK


def reading_on_does_not_end_the_stay() -> None:
    with a_street() as street:
        street.stay()

        street.read_page()

        assert street.phase() == ACK


def whoever_leaves_is_asked_again() -> None:
    with a_street() as street:
        street.stay()

        street.guests.leave(PHONE)

        assert street.phase() == NEW
        assert not street.guests.is_back(PHONE)


def a_phone_that_comes_back_after_a_while_is_asked_again_and_knows_the_page() -> None:
    with a_street() as street:
        street.lease()
        street.stay()
        street.wait(captive.ASKED_AGAIN_S)
        street.rejoin()

        street.wait(5)

        assert street.phase() == NEW
        assert street.guests.is_back(PHONE)
        street.stay()
        assert street.phase() == ACK
        assert not street.guests.is_back(PHONE)


def a_phone_that_only_changes_its_access_point_is_not_asked() -> None:
    with a_street() as street:
        street.lease()
        street.stay()
        for _ in range(9):
            street.wait(captive.ASKED_AGAIN_S - 1)
            street.rejoin()

            assert street.phase() == ACK


def a_phone_that_was_silent_for_hours_and_never_left_is_not_asked() -> None:
    with a_street() as street:
        street.lease()
        street.stay()

        street.wait(9 * HOUR)

        assert street.phase() == ACK


def the_next_guest_of_an_address_inherits_nothing() -> None:
    with a_street() as street:
        street.lease()
        street.stay()
        street.wait(60)

        street.lease()

        assert street.phase() == NEW
        assert not street.guests.is_back(PHONE)


def the_next_guest_cannot_use_the_page_that_the_last_one_read() -> None:
    with a_street() as street:
        street.lease()
        token = street.read_page()
        street.lease()

        assert not street.guests.stay(PHONE, token)

        assert street.phase() == NEW


def a_change_of_mode_is_something_new_to_read_for_those_who_stay() -> None:
    with a_street() as street:
        street.guests.enter_mode("exercise")
        street.stay()
        street.stay(OTHER)

        street.guests.enter_mode("emergency")

        assert (street.phase(), street.phase(OTHER)) == (NEW, NEW)


def a_page_of_before_the_change_of_mode_counts_no_more() -> None:
    with a_street() as street:
        street.guests.enter_mode("exercise")
        token = street.read_page()
        street.guests.enter_mode("emergency")

        assert not street.guests.stay(PHONE, token)

        assert street.phase() == NEW


def a_node_that_says_nothing_for_a_while_changes_nothing() -> None:
    with a_street() as street:
        for mode in ("emergency", None, "emergency"):
            street.guests.enter_mode(mode)
            assert street.phase() == (NEW if mode and street.phase() == NEW else ACK)
            if street.phase() == NEW:
                street.stay()

        assert street.phase() == ACK


STORIES: list[Callable[[], None]] = [
    a_phone_is_shown_the_page_and_stays_for_a_day,
    whoever_presses_again_stays_longer,
    reading_on_does_not_end_the_stay,
    whoever_leaves_is_asked_again,
    a_phone_that_comes_back_after_a_while_is_asked_again_and_knows_the_page,
    a_phone_that_only_changes_its_access_point_is_not_asked,
    a_phone_that_was_silent_for_hours_and_never_left_is_not_asked,
    the_next_guest_of_an_address_inherits_nothing,
    the_next_guest_cannot_use_the_page_that_the_last_one_read,
    a_change_of_mode_is_something_new_to_read_for_those_who_stay,
    a_page_of_before_the_change_of_mode_counts_no_more,
    a_node_that_says_nothing_for_a_while_changes_nothing,
]


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.__name__)
def test_story(story: Callable[[], None]) -> None:
    story()


def is_red(story: Callable[[], None]) -> bool:
    try:
        story()
    except AssertionError:
        return True
    return False


@pytest.mark.parametrize("arrow", captive.TRANSITIONS, ids="-".join)
def test_deleting_an_arrow_turns_a_story_red(
    arrow: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(captive.TRANSITIONS, arrow)

    assert any(map(is_red, STORIES))


# --- the table and its drawing -------------------------------------------------------------------


def test_every_phase_is_reached_and_left_and_every_event_means_something() -> None:
    arrows = captive.TRANSITIONS.items()

    assert {before for (before, _), _ in arrows} == {after for _, after in arrows}
    assert {before for (before, _), _ in arrows} == {NEW, SEEN, ACK}
    assert {event for (_, event), _ in arrows} == captive.MEANING.keys()


def test_the_page_draws_the_machine_as_it_is() -> None:
    drawn = re.findall(r"```mermaid\n(.*?)\n```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    machine = Machine("guest", captive.START, captive.TRANSITIONS, captive.MEANING)

    assert drawn == [mermaid(machine)]
    for event, words in captive.MEANING.items():
        assert f"| {event} | {words} |" in PAGE.read_text(encoding="utf-8")


# --- tokens --------------------------------------------------------------------------------------


@pytest.fixture
def street() -> Iterator[Street]:
    with a_street() as made:
        yield made


def test_a_token_counts_for_half_an_hour(street: Street) -> None:
    early, late = street.read_page(), street.read_page(OTHER)
    street.wait(1800)
    assert street.guests.stay(PHONE, early)

    street.wait(1)

    assert not street.guests.stay(OTHER, late)


def test_a_token_counts_once(street: Street) -> None:
    token = street.read_page()
    street.guests.stay(PHONE, token)
    street.guests.leave(PHONE)
    street.read_page()

    assert not street.guests.stay(PHONE, token)

    street.wait(1)
    assert street.stay()


def test_a_token_counts_for_its_guest_only(street: Street) -> None:
    street.read_page(OTHER)

    assert not street.guests.stay(OTHER, street.read_page(PHONE))


def test_a_token_without_its_page_counts_for_nothing(street: Street) -> None:
    token = street.read_page()
    street.begin()

    assert not street.guests.stay(PHONE, token), "another process, another key"
    street.read_page()
    assert not street.guests.stay(PHONE, token)


@given(st.binary(max_size=60) | st.binary(min_size=40, max_size=40))
@settings(max_examples=200)
def test_nobody_guesses_a_token(token: bytes) -> None:
    guests = Guests(joined_dir="/nonexistent")
    guests.show(PHONE)

    assert not guests.stay(PHONE, token)


@pytest.mark.parametrize("at", range(40))
def test_a_token_changed_anywhere_counts_for_nothing(street: Street, at: int) -> None:
    token = bytearray(street.read_page())
    token[at] = ord("1") if token[at] != ord("1") else ord("2")

    assert not street.guests.stay(PHONE, bytes(token))


def test_all_tokens_have_one_length_and_go_into_a_form_as_they_are(street: Street) -> None:
    for seconds in (0, 1, 1e9):
        street.wait(seconds)
        assert re.fullmatch(rb"[0-9a-f]{40}", street.read_page())
    assert len(NO_TOKEN) == 40


# --- memory --------------------------------------------------------------------------------------


def test_after_a_restart_everybody_is_new(street: Street) -> None:
    street.stay()

    street.begin()

    assert (street.phase(), len(street.guests)) == (NEW, 0)


def test_only_guests_who_read_a_page_are_remembered(street: Street) -> None:
    for n in range(100):
        street.phase(f"10.42.1.{n}")
        street.guests.stay(f"10.42.1.{n}", NO_TOKEN)
        street.guests.leave(f"10.42.1.{n}")

    assert len(street.guests) == 0


def test_no_address_is_kept(street: Street) -> None:
    street.stay()

    (guest,) = street.guests._guests[0]

    assert PHONE.encode() not in guest
    again = Street(street.joined)
    again.stay()
    assert guest not in again.guests._guests[0], "the same address has another hash elsewhere"


def test_a_thousand_forged_addresses_push_out_nobody_who_has_a_lease(street: Street) -> None:
    street.stay()
    for n in range(MOST_GUESTS + 500):
        street.read_page(f"fd4b:4965:7a00::{n:x}")

    assert len(street.guests) == MOST_GUESTS + 1
    assert street.phase() == ACK


def test_the_guest_not_heard_of_for_longest_makes_room(street: Street) -> None:
    street.read_page("fd00::a")
    street.read_page("fd00::b")
    for n in range(MOST_GUESTS - 2):
        street.read_page(f"fd00:1::{n:x}")
    street.phase("fd00::a")

    street.read_page("fd00::c")

    assert (street.phase("fd00::a"), street.phase("fd00::b")) == (SEEN, NEW)


def test_an_address_that_is_no_file_name_breaks_nothing(street: Street) -> None:
    for client in ("", "../../etc/passwd", "a\0b", "x" * 5000, "fe80::1%eth0"):
        assert street.phase(client) == NEW
        street.stay(client)
