"""Working with tickets: the same for the residents' page, the helpers' page and the command line.

What is exact (name, place, number, how many, in which words) is sealed here, before it becomes a
record; nothing that is kept holds it in the clear.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kiezbox.errors import KiezboxError, UsageError
from kiezbox.records import BadRecord, Ref, Thing, kind_named
from kiezbox.records.folds.ticket import said_of
from kiezbox.records.record import decoded, encoded
from kiezbox.records.tickets import Role, Said, may, walk
from kiezbox.sealing import ROLES, is_ticket_proof, seal
from kiezbox.store.log import Draft, Log

__all__ = [
    "EXACT", "MOST_PEOPLE", "NEEDS", "TOPICS", "Refused", "act", "note_opening", "number_of",
    "opened", "ref_of", "sealed_fields", "sealed_for", "ticket_draft",
]  # fmt: skip

TOPICS = ("ask", "offer", "emergency")

#: A need's number in a record is its place here.
NEEDS = ("power", "medicine", "water", "carrying", "warmth", "company", "other")

#: What is sealed, and how many bytes of UTF-8 each may have.
EXACT = {"name": 120, "place": 300, "phone": 60, "words": 900}
MOST_PEOPLE = 999

#: A sealing role, and the one by which it works with tickets.
WORKS_AS = {"helpers": Role.HELPER, "protection": Role.PROTECTION}


class Refused(KiezboxError):
    """The table has no such way, or this role may not go it."""


def sealed_fields(publics: Mapping[str, bytes], exact: Mapping[str, Any]) -> dict[str, bytes]:
    """The record's fields for what only some may read; none if there is nothing to seal.

    Raises:
        UsageError: there is something, and no key to seal it to.
    """
    exact = {name: value for name, value in exact.items() if value}
    if not exact:
        return {}
    if not publics:
        raise UsageError(
            "this box has no key to seal exact words to", hint="Make one: `kiezbox helper keys`."
        )
    text = encoded(exact)
    return {f"sealed_{role}": seal(public, text) for role, public in publics.items()}


def ticket_draft(
    publics: Mapping[str, bytes],
    *,
    what: str,
    needs: list[int],
    block: str,
    exact: Mapping[str, Any],
    check: bytes = b"",
    language: str = "",
    once: bytes = b"",
    is_exercise: bool = False,
    is_on_behalf: bool = False,
) -> Draft:
    """A new ticket. ``exact``: names of ``EXACT`` and "people" (a number); ``check``: of its
    words (``sealing.ticket_check``).
    """
    fields = {
        "what": TOPICS.index(what),
        "needs": sorted(set(needs)),
        "block": block,
        "lookup": check,
        "language": language,
        "is_exercise": int(is_exercise) or None,
        "is_on_behalf": int(is_on_behalf) or None,
        **sealed_fields(publics, exact),
    }
    return Draft(kind="ticket", fields=fields, once=once)


def act(
    log: Log,
    ref: Ref,
    event: str,
    role: str,
    *,
    who: bytes = b"",
    proof: bytes = b"",
    into: Ref | None = None,
    once: bytes = b"",
) -> Thing:
    """One step further; the ticket after it. ``once``: the same step sent twice is one.

    Raises:
        Refused: there is no such ticket, this role may not, or it leads nowhere from here.
    """
    told = log.told(ref)
    if told is None or told[0].record.kind != _TICKET:
        raise Refused(f"there is no ticket {ref}")
    if not may(role, event):
        raise Refused(f"{role} may not {event}")
    if into is not None and (into == ref or log.thing(into) is None):
        raise Refused(f"there is no ticket {into} to merge into")
    thing = log.thing(ref)
    if once and thing and log._read("SELECT 1 FROM log WHERE once = ?", (once,)):
        return thing
    first, changes = told
    if proof and not is_ticket_proof(proof, first.body.get("lookup", b"")):
        raise Refused("these are not the words of this ticket")
    said = said_of(first, changes)
    step = Said(event, role, who.hex(), log.now(), bool(proof), str(into or ""))
    before = walk(first.written_at, said)
    if walk(first.written_at, [*said, step]) == before:
        raise Refused(f"{event} leads nowhere: the ticket is {before.state}")
    fields = {"of": ref, "event": event, "role": role, "who": who, "proof": proof, "into": into}
    log.add(Draft(kind="ticket_state", fields=fields, once=once))
    thing = log.thing(ref)
    assert thing is not None
    return thing


def sealed_for(role: str, body: Mapping[str, Any]) -> bytes:
    """What of a ticket is sealed to this role; b"" if nothing is."""
    assert role in ROLES
    sealed: bytes = body.get(f"sealed_{role}", b"")
    return sealed


def opened(text: bytes) -> dict[str, str]:
    """What was sealed, by the names of ``EXACT`` and "people"; only what is known, as texts."""
    try:
        found = decoded(text)
    except BadRecord:
        return {}
    names = (*EXACT, "people")
    is_map = isinstance(found, dict)
    return {name: str(found[name]) for name in names if name in found} if is_map else {}


def note_opening(log: Log, ref: Ref, role: str, who: bytes) -> None:
    """Somebody opens it now: that is known for a month, longer than the ticket."""
    fields = {"of": ref, "role": role, "who": who}
    log.add(Draft(kind="opening", fields=fields, lifetime_s=kind_named("opening").lifetime_s))


def number_of(box: str, ref: Ref) -> str:
    """As people write it: ``42`` of this box, ``kb-musterplatz-1.42`` of another.

    >>> number_of("kb-1", Ref("kb-1", 42)), number_of("kb-1", Ref("kb-2", 42))
    ('42', 'kb-2.42')
    """
    return str(ref.sequence) if ref.origin == box else f"{ref.origin}.{ref.sequence}"


def ref_of(box: str, number: str) -> Ref | None:
    """``number_of`` taken back, also with "/" as the command line shows it; None: it is none.

    >>> ref_of("kb-1", " 42 "), ref_of("kb-1", "kb-2/7"), ref_of("kb-1", "x")
    (Ref(origin='kb-1', sequence=42), Ref(origin='kb-2', sequence=7), None)
    """
    origin, _, sequence = number.strip().replace("/", ".").rpartition(".")
    if not (sequence.isascii() and sequence.isdecimal() and len(sequence) <= 15):
        return None
    return Ref(origin or box, int(sequence))


#: ``records.kinds``: the number of a ticket.
_TICKET = 4
