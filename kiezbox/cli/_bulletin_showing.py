"""Bulletins as `kiezbox bulletin` shows them: with what they are worth on this box."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kiezbox.clock import Clock
    from kiezbox.records import Record
    from kiezbox.records.folds import Told
    from kiezbox.store.log import Log
    from kiezbox.trust import Trust

__all__ = ["list_codes", "show"]


class Desk(Protocol):
    """What is needed to judge them."""

    log: Log
    clock: Clock
    trust: Trust


def show(desk: Desk, bulletins: list[Told], *, is_json: bool) -> None:
    from kiezbox.cli._common import print_json
    from kiezbox.cli.mode import words

    if is_json:
        print_json([_facts(desk, told) for told in bulletins])
        return
    for told in bulletins:
        facts, rest = _facts(desk, told), words(told.expires_at - desk.clock.now())
        print(f"{facts['id']}  {facts['standing']}  up for another {rest}")
        for line in filter(None, (facts["headline"], *facts["text"].splitlines())):
            print(f"  {line}")
    if not bulletins:
        print("no bulletin is up", file=sys.stderr)


def _facts(desk: Desk, told: Told) -> dict[str, Any]:
    """A bulletin for programs, its code in English words."""
    body, record = told.body, told.record
    standing = _standing(desk, record, body)
    text, headline = body.get("text", ""), body.get("headline", "")
    if "code" in body:
        headline, text = _in_english(body, desk.clock.now())
    return {
        "id": str(record.ref),
        "origin": record.origin,
        "sequence": record.sequence,
        "standing": standing,
        "written_at": told.written_at,
        "expires_at": told.expires_at,
        "code": _code_name(body),
        "parameters": body.get("parameters", {}),
        "headline": headline,
        "text": text,
        "language": body.get("language"),
        "severity": body.get("severity", 0),
        "is_all_clear": bool(body.get("is_all_clear")),
        "is_exercise": bool(body.get("is_exercise")),
    }


def _standing(desk: Desk, record: Record, body: Mapping[str, Any]) -> str:
    if not record.key:
        is_ours = record.origin == desk.log.box
        return "unverified" if is_ours else "unverified, of another box"
    name, why = desk.trust.verdict(record, body)
    return f"official: {name}" if name else f"not shown: {why}"


def _code_name(body: Mapping[str, Any]) -> str | None:
    from kiezbox.records.codes import CODES

    if "code" not in body:
        return None
    code = CODES.get(body["code"])
    return code.name if code else str(body["code"])


def _in_english(body: Mapping[str, Any], now: float) -> tuple[str, str]:
    from kiezbox.i18n import text_of
    from kiezbox.portal.countries import text_in
    from kiezbox.portal.words import clock_time
    from kiezbox.situation.coded import in_words

    text = text_of("en")
    headline, details, advice = in_words(
        _code_name(body) or "",
        body.get("parameters", {}),
        text_in(None, "en", "codes"),
        lambda moment: clock_time(moment, now, text),
    )
    return headline, "\n".join(filter(None, (details, advice, body.get("text"))))


def list_codes() -> int:
    from kiezbox.portal.countries import text_in
    from kiezbox.records.codes import CODES

    texts = text_in(None, "en", "codes")["codes"]
    for code in CODES.values():
        print(code.name, *(f"--{name}" for name in code.needs))
        print(" ", *texts[code.name])
    return 0
