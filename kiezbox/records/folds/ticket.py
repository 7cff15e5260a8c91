"""Tickets: who asks for help, what has become of it. What is sealed stays in the record."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from kiezbox.records.folds import Told, thing_of
from kiezbox.records.kinds import KINDS
from kiezbox.records.record import encoded
from kiezbox.records.things import Thing
from kiezbox.records.tickets import Role, Said, may, walk

TOPICS = ("ask", "offer", "emergency")

#: So many unproven ones are shown, the latest; a box that lies may send thousands.
MOST_UNCONFIRMED = 3

#: Said before what is signed, so that no signature of ours is ever one for something else.
_DOMAIN = b"kiezbox ticket 1\0"

#: By which of a ticket's fields a role's signature is checked.
_KEYS = {Role.HELPER: "helpers_key", Role.PROTECTION: "protection_key"}

#: For whom an issuer with the right "moderate" may speak.
_VOUCHED = (Role.OPERATOR, Role.PROTECTION)


def fold(first: Told, changes: Sequence[Told]) -> Thing:
    """``topic``: "ask", "offer", "emergency"; ``state`` of ``tickets.State``; ``text``: the block.

    ``data``: needs (codes), since, role, takers ([role, who] of each), into ("origin/sequence"),
    steps ([event, role, moment] of each), unconfirmed (the same of what nobody has proven, and
    which therefore changes nothing), is_sealed, is_exercise, is_on_behalf.
    """
    body = first.body
    said, doubtful = said_of(first, changes)
    walked = walk(first.written_at, said)
    data: dict[str, Any] = {
        "needs": body.get("needs", []),
        "since": walked.since,
        "role": walked.role,
        "takers": [list(each) for each in walked.takers],
        "steps": [list(each) for each in walked.steps],
    }
    flags = {
        "into": walked.into,
        "unconfirmed": [[each.event, each.role, each.at] for each in doubtful[-MOST_UNCONFIRMED:]],
        "is_sealed": int("sealed_helpers" in body or "sealed_protection" in body),
        "is_exercise": body.get("is_exercise", 0),
        "is_on_behalf": body.get("is_on_behalf", 0),
    }
    data |= {name: value for name, value in flags.items() if value}
    return thing_of(
        first,
        changes,
        topic=TOPICS[body["what"]],
        state=str(walked.state),
        text=str(body.get("block", "")),
        data=data,
    )


def said_of(first: Told, changes: Sequence[Told]) -> tuple[list[Said], list[Said]]:
    """What was said about a ticket and is proven, as ``tickets.walk`` takes it; and what is not,
    of each event and role the latest.

    What is proven stands where its signer put it, and the same words sent again are said once: so
    nobody closes a ticket by sending an old "done" after it was opened again.
    """
    proven: dict[bytes, tuple[int, bytes, Said]] = {}
    doubtful: dict[tuple[str, str], Said] = {}
    for told in changes:
        body = told.body
        if KINDS[told.record.kind].name != "ticket_state":
            continue
        said = Said(
            event=body["event"],
            role=body.get("role", ""),
            who=body.get("who", b"").hex(),
            at=told.written_at,
            is_proven=is_proven(first, body, issuer=told.issuer),
            into=str(body.get("into", "")),
        )
        signed = said_bytes(body)
        if said.is_proven:
            before = proven.get(signed)
            if before is None or said.at < before[2].at:
                proven[signed] = body.get("stamp", 0), signed, said
        elif may(said.role, said.event):
            doubtful.pop((said.event, said.role), None)
            doubtful[said.event, said.role] = said
    return [said for _, _, said in sorted(proven.values())], list(doubtful.values())


def is_proven(first: Told, body: Mapping[str, Any], *, issuer: str = "") -> bool:
    """Whether whom it names has said this about the ticket. ``issuer``: who vouches for the whole
    record, as far as this box believes it.
    """
    from kiezbox.sealing import is_signed

    role = body.get("role", "")
    if issuer:
        return role in _VOUCHED
    if role == Role.RESIDENT:
        key = first.body.get("lookup", b"")[8:]
    else:
        key = first.body.get(_KEYS.get(role, ""), b"")
    return bool(key) and is_signed(key, said_bytes(body), body.get("proof", b""))


def said_bytes(body: Mapping[str, Any]) -> bytes:
    """What a proof is over: of a ticket's state, or of an opening (which has no event)."""
    into = body.get("into")
    return _DOMAIN + encoded(
        [
            list(body["of"]),
            body.get("event", ""),
            body.get("role", ""),
            body.get("who", b""),
            list(into) if into else [],
            body.get("stamp", 0),
        ]
    )
