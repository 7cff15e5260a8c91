"""Tickets: who asks for help, what has become of it. What is sealed stays in the record."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kiezbox.records.folds import Told, thing_of
from kiezbox.records.kinds import KINDS
from kiezbox.records.things import Thing
from kiezbox.records.tickets import Said, walk

TOPICS = ("ask", "offer", "emergency")


def fold(first: Told, changes: Sequence[Told]) -> Thing:
    """``topic``: "ask", "offer", "emergency"; ``state`` of ``tickets.State``; ``text``: the block.

    ``data``: needs (codes), since, role, takers ([role, who] of each), into ("origin/sequence"),
    steps ([event, role, moment] of each), is_sealed, is_exercise, is_on_behalf.
    """
    body = first.body
    walked = walk(first.written_at, said_of(first, changes))
    data: dict[str, Any] = {
        "needs": body.get("needs", []),
        "since": walked.since,
        "role": walked.role,
        "takers": [list(each) for each in walked.takers],
        "steps": [list(each) for each in walked.steps],
    }
    flags = {
        "into": walked.into,
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


def said_of(first: Told, changes: Sequence[Told]) -> list[Said]:
    """What was said about a ticket, as ``tickets.walk`` takes it."""
    from kiezbox.sealing import is_ticket_proof

    kept = first.body.get("lookup", b"")
    return [
        Said(
            event=told.body["event"],
            role=told.body.get("role", ""),
            who=told.body.get("who", b"").hex(),
            at=told.written_at,
            is_residents=is_ticket_proof(told.body.get("proof", b""), kept),
            into=str(told.body.get("into", "")),
        )
        for told in changes
        if KINDS[told.record.kind].name == "ticket_state"
    ]
