"""Working with tickets: the same for the residents' page, the helpers' page and the command line.

What is exact (name, place, number, how many, in which words) is sealed here, before it becomes a
record; nothing that is kept holds it in the clear.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from kiezbox.errors import KiezboxError, UsageError
from kiezbox.records import MOST_STAMP, BadRecord, Ref, Thing, kind_named, next_stamp
from kiezbox.records.folds import Told
from kiezbox.records.folds.ticket import is_proven, said_bytes, said_of
from kiezbox.records.record import decoded, encoded
from kiezbox.records.tickets import Role, Said, may, walk
from kiezbox.sealing import ROLES, is_signed, seal, signature, verifying_half
from kiezbox.store.log import Draft, Log

if TYPE_CHECKING:
    from kiezbox.trust import Key

__all__ = [
    "EXACT", "MOST_PEOPLE", "NEEDS", "TOPICS", "WORKS_AS", "Refused", "Unproven", "act",
    "is_opening_proven", "note_opening", "number_of", "opened", "ref_of", "sealed_fields",
    "sealed_for", "ticket_draft",
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


class Unproven(Refused):
    """Nobody would believe it: the ticket does not know the key, or this box does not."""


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
        **{f"{role}_key": verifying_half(public) for role, public in publics.items()},
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
    signer: bytes = b"",
    key: Key | None = None,
    into: Ref | None = None,
    once: bytes = b"",
) -> Thing:
    """One step further; the ticket after it. ``signer``: of the ticket's words, or of the role
    (``sealing.signer_of``); or ``key``: of whoever moderates here. ``once``: the same step sent
    twice is one.

    Raises:
        Refused: there is no such ticket, this role may not, or it leads nowhere from here.
        Unproven: the ticket does not know who signs.
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
    fields = {
        "of": ref, "event": event, "role": role, "who": who, "into": into,
        "stamp": _stamp_after(log, first, changes),
    }  # fmt: skip
    if signer:
        fields["proof"] = signature(signer, said_bytes(fields))
    if key is None and not is_proven(first, fields):
        raise Unproven(
            f"ticket {ref} does not know this key, so nobody would believe it",
            hint="It was written before the keys were made, or on a box with other keys.",
        )
    step = Said(event, role, who.hex(), log.now(), True, str(into or ""))
    said, _ = said_of(first, changes)
    before = walk(first.written_at, said)
    if walk(first.written_at, [*said, step]) == before:
        raise Refused(f"{event} leads nowhere: the ticket is {before.state}")
    with log.group():
        if key is None:
            log.add(Draft(kind="ticket_state", fields=fields, once=once))
        else:
            _add_vouched(log, first, fields, key, once)
        thing = log.thing(ref)
    assert thing is not None
    return thing


def _stamp_after(log: Log, first: Told, changes: Sequence[Told]) -> int:
    """Later than all that was said, whatever our clock says."""
    stamps = [first.record.stamp]
    for told in changes:
        stamps += [told.record.stamp, told.body.get("stamp", 0)]
    return min(next_stamp(max(stamps), log.now()), MOST_STAMP)


def _add_vouched(log: Log, first: Told, fields: Mapping[str, Any], key: Key, once: bytes) -> None:
    """Signed as a whole by whoever moderates.

    Raises:
        Unproven: this box does not believe the key; then nothing is written.
    """
    from kiezbox.trust import sign

    most_s = kind_named("ticket_state").most_s
    lifetime_s = min(most_s, max(1, math.ceil(first.expires_at - log.now())))
    fields = {name: value for name, value in fields.items() if value is not None}
    signed = sign("ticket_state", fields, key, lifetime_s=lifetime_s)
    (added,) = log.add(Draft(**signed._asdict(), once=once))
    (issuer,) = log._read(
        "SELECT issuer FROM log WHERE origin = ? AND sequence = ?", tuple(added.ref)
    )[0]
    if not issuer:
        raise Unproven(
            f"this box does not believe the key {key.id.hex()}",
            hint="`kiezbox moderate keys` makes one that it believes.",
        )


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


def note_opening(log: Log, ref: Ref, role: str, who: bytes, signer: bytes) -> None:
    """Somebody opens it now: that is known for a month, longer than the ticket. ``signer``: of the
    role whose lock was opened.
    """
    stamp = min(next_stamp(0, log.now()), MOST_STAMP)
    fields: dict[str, Any] = {"of": ref, "role": role, "who": who, "stamp": stamp}
    fields["proof"] = signature(signer, said_bytes(fields))
    log.add(Draft(kind="opening", fields=fields, lifetime_s=kind_named("opening").lifetime_s))


def is_opening_proven(log: Log, told: Told, publics: Mapping[str, bytes]) -> bool:
    """Whether somebody with a role's key has noted it: by the keys that the ticket names, or that
    this box has.
    """
    keys = {verifying_half(public) for public in publics.values()}
    ticket = log.told(told.body["of"])
    if ticket is not None:
        keys |= {ticket[0].body.get(f"{role}_key", b"") for role in ROLES}
    proof, signed = told.body.get("proof", b""), said_bytes(told.body)
    return any(is_signed(key, signed, proof) for key in keys if key)


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
