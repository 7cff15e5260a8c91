"""What becomes of a request for help, told as it happens on a stair."""

from __future__ import annotations

from kiezbox.records.tickets import Said, State, Walked, walk

NURSE, PORTER, OFFICER = ("helper", "01"), ("helper", "02"), ("protection", "03")
OPERATOR, RESIDENT = ("operator", ""), ("resident", "")


class Ticket:
    """Somebody asked at minute 0; everything after it is said a minute later."""

    def __init__(self) -> None:
        self.said: list[Said] = []

    def hears(self, by: tuple[str, str], event: str, *, is_proven: bool = True) -> State:
        """``is_proven``: signed by whom it names."""
        at = 60.0 * (len(self.said) + 1)
        self.said.append(Said(event, by[0], by[1], at, is_proven, "kb-1/9" * (event == "merge")))
        return self.now.state

    @property
    def now(self) -> Walked:
        return walk(0.0, self.said)


def heard(*events: tuple[tuple[str, str], str]) -> Ticket:
    ticket = Ticket()
    for by, event in events:
        ticket.hears(by, event)
    return ticket


# --- the ordinary way -----------------------------------------------------------------------------


def test_a_request_is_read_taken_done_and_closed() -> None:
    ticket = Ticket()

    assert ticket.now.state is State.RECEIVED
    assert ticket.hears(OPERATOR, "acknowledge") is State.ACKNOWLEDGED
    assert ticket.hears(NURSE, "take") is State.TAKEN
    assert ticket.hears(NURSE, "done") is State.DONE
    assert ticket.hears(OPERATOR, "close") is State.CLOSED


def test_since_when_and_by_which_role_is_known_in_each_state() -> None:
    ticket = heard((OPERATOR, "acknowledge"), (NURSE, "take"))

    assert (ticket.now.since, ticket.now.role) == (120.0, "helper")
    ticket.hears(PORTER, "take")
    assert (ticket.now.since, ticket.now.role) == (120.0, "helper")


def test_who_is_in_a_hurry_takes_what_nobody_has_read() -> None:
    assert heard((NURSE, "take")).now.state is State.TAKEN


def test_it_is_handed_on_from_wherever_somebody_works_on_it() -> None:
    for before in ([], [(OPERATOR, "acknowledge")], [(NURSE, "take")]):
        assert heard(*before, (OPERATOR, "forward")).now.state is State.FORWARDED


def test_civil_protection_takes_and_ends_what_was_handed_on_to_it() -> None:
    assert heard((OPERATOR, "forward"), (OFFICER, "done")).now.state is State.DONE
    assert heard((OPERATOR, "forward"), (OFFICER, "take")).now.state is State.TAKEN


def test_whatever_leads_nowhere_is_closed_from_each_state() -> None:
    for before in (
        [],
        [(OPERATOR, "acknowledge")],
        [(OPERATOR, "forward")],
        [(NURSE, "take")],
    ):
        assert heard(*before, (OPERATOR, "close")).now.state is State.CLOSED


# --- the resident's own word ----------------------------------------------------------------------


def test_a_resident_withdraws_from_each_state_in_which_something_may_still_come() -> None:
    for before in (
        [],
        [(OPERATOR, "acknowledge")],
        [(OPERATOR, "forward")],
        [(NURSE, "take")],
    ):
        assert heard(*before, (RESIDENT, "withdraw")).now.state is State.WITHDRAWN


def test_nobody_withdraws_without_the_words_and_no_helper_at_all() -> None:
    ticket = Ticket()

    assert ticket.hears(RESIDENT, "withdraw", is_proven=False) is State.RECEIVED
    assert ticket.hears(NURSE, "withdraw") is State.RECEIVED
    assert ticket.hears(NURSE, "withdraw") is State.RECEIVED


def test_what_is_not_done_after_all_waits_again() -> None:
    done = heard((NURSE, "take"), (NURSE, "done"))
    closed = heard((OPERATOR, "close"))
    withdrawn = heard((RESIDENT, "withdraw"))

    assert done.hears(RESIDENT, "reopen") is State.ACKNOWLEDGED
    assert closed.hears(OPERATOR, "reopen") is State.ACKNOWLEDGED
    assert withdrawn.hears(RESIDENT, "reopen") is State.RECEIVED


# --- two at once ----------------------------------------------------------------------------------


def test_two_who_took_it_on_both_sides_are_both_shown_until_one_yields() -> None:
    ticket = heard((NURSE, "take"), (PORTER, "take"))

    assert ticket.now.takers == (NURSE, PORTER)
    assert ticket.hears(NURSE, "yield") is State.TAKEN
    assert ticket.now.takers == (PORTER,)


def test_when_the_last_one_yields_it_waits_again() -> None:
    ticket = heard((NURSE, "take"), (PORTER, "take"), (NURSE, "yield"))

    assert ticket.hears(PORTER, "yield") is State.ACKNOWLEDGED
    assert ticket.now.takers == ()


def test_only_who_took_it_can_yield_and_nobody_takes_it_twice() -> None:
    ticket = heard((NURSE, "take"))

    assert ticket.hears(PORTER, "yield") is State.TAKEN
    ticket.hears(NURSE, "take")
    assert ticket.now.takers == (NURSE,)


def test_what_one_of_two_has_done_is_done() -> None:
    ticket = heard((NURSE, "take"), (PORTER, "take"), (NURSE, "done"))

    assert ticket.now.state is State.DONE
    assert ticket.hears(PORTER, "take") is State.DONE


def test_the_same_request_twice_is_put_together_from_each_state() -> None:
    for before in (
        [],
        [(OPERATOR, "acknowledge")],
        [(OPERATOR, "forward")],
        [(NURSE, "take")],
    ):
        ticket = heard(*before, (OPERATOR, "merge"))
        assert (ticket.now.state, ticket.now.into) == (State.MERGED, "kb-1/9")
    assert heard((NURSE, "merge")).now.state is State.RECEIVED


def test_nonsense_changes_nothing() -> None:
    ticket = Ticket()

    for by, event in (
        (("mayor", ""), "take"),
        (NURSE, "left"),
        (NURSE, "explode"),
        (("", ""), ""),
        (RESIDENT, "take"),
    ):
        assert ticket.hears(by, event) is State.RECEIVED
    assert ticket.now.steps == ()


# --- who lies -------------------------------------------------------------------------------------


def test_what_nobody_has_signed_changes_nothing() -> None:
    ticket = heard((NURSE, "take"))

    for by, event in ((NURSE, "done"), (OFFICER, "close"), (OPERATOR, "merge"), (PORTER, "take")):
        assert ticket.hears(by, event, is_proven=False) is State.TAKEN

    assert ticket.now.takers == (NURSE,)
