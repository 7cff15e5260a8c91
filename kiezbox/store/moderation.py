"""What a moderator does: look at what was reported, hide it or show it again, ask the street. The
command line and the desk are two faces of these functions; each decision is a signed record, and
all of them together are the log of who decided what.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from kiezbox.errors import UsageError
from kiezbox.records import KINDS, Ref, Thing, kind_named
from kiezbox.records.folds import MODERATED, Told
from kiezbox.records.folds.question import answers_of
from kiezbox.records.wording import clean
from kiezbox.store.log import Draft, Log
from kiezbox.trust import Key, sign

__all__ = [
    "MODERATED", "REASONS", "Case", "Decision", "ask", "case_of", "close", "decide", "history",
    "questions", "queue", "ref_of",
]  # fmt: skip

#: What ``report.reason`` says.
REASONS = ("false or dangerous", "fraud", "insult or threat", "about others", "something else")

_DECISION_S = 31 * 86400


@dataclass(frozen=True, slots=True)
class Case:
    """``reports``: reason → from how many neighbours. ``verdict``: a moderator's last word, "" if
    there is none; ``by``: whose.
    """

    ref: Ref
    thing: Thing
    reports: dict[str, int]
    verdict: str = ""
    by: str = ""

    @property
    def kind(self) -> str:
        return KINDS[self.thing.kind].name

    @property
    def reporters(self) -> int:
        return sum(self.reports.values())


class Decision(NamedTuple):
    """One line of the log. ``issuer``: who vouches for it, "" where this box believes nobody."""

    at: float
    of: Ref
    verdict: str
    reason: str
    key: str
    issuer: str


def ref_of(given: str) -> Ref:
    """An id as lists and addresses of pages have it: ``kb-musterplatz-1/42`` or with a dot.

    Raises:
        UsageError: it is none.
    """
    origin, _, sequence = given.replace(".", "/").rpartition("/")
    if not origin or not sequence.isdecimal() or len(sequence) > 15:
        raise UsageError(
            f"{given!r} is no id", hint="`kiezbox moderate queue` shows them: kb-musterplatz-1/42"
        )
    return Ref(origin, int(sequence))


def queue(log: Log) -> list[Case]:
    """What neighbours have reported and nobody has decided yet, most reported first."""
    refs = dict.fromkeys(told.body["of"] for told in log.records("report"))
    cases = [case for ref in refs if (case := case_of(log, ref)) and not case.verdict]
    return sorted(cases, key=lambda case: (-case.reporters, case.thing.written_at))


def case_of(log: Log, ref: Ref) -> Case | None:
    """One thing with all that was said about it; None: it is not here."""
    thing, told = log.thing(ref), log.told(ref)
    if thing is None or told is None:
        return None
    reporters: dict[bytes, str] = {}
    for each in told[1]:
        if _name(each) == "report":
            reason = each.body.get("reason", len(REASONS) - 1)
            said = REASONS[min(reason, len(REASONS) - 1)]
            reporters.setdefault(each.body.get("reporter", b""), said)
    counted: dict[str, int] = {}
    for said in reporters.values():
        counted[said] = counted.get(said, 0) + 1
    last = _last_word(told[1])
    verdict, by = (last.body["verdict"], last.issuer) if last else ("", "")
    return Case(ref, thing, counted, verdict, by)


def decide(log: Log, ref: Ref, verdict: str, key: Key, *, reason: str = "", now: float) -> Case:
    """Hide it, show it again ("restore") or close a question; durable when this returns.

    Raises:
        UsageError: there is no such thing, or this box does not believe the key.
    """
    thing = log.thing(ref)
    if thing is None or KINDS[thing.kind].name not in MODERATED:
        raise UsageError(f"there is no {ref} to decide about", hint="`kiezbox moderate queue`")
    fields = {
        "of": ref,
        "verdict": verdict,
        "reason": clean(reason, 200, lines=False),
        "who": key.id,
        "decided_at": int(now * 1000),
    }
    with log.group():
        signed = sign("moderation", fields, key, lifetime_s=_DECISION_S)
        (added,) = log.add(Draft(**signed._asdict()))
        if not _is_believed(log, added.ref):
            raise _not_believed(key)
        case = case_of(log, ref)
    assert case is not None
    return case


def history(log: Log) -> list[Decision]:
    """Who decided what, newest first."""
    return [
        Decision(
            told.body.get("decided_at", 0) / 1000,
            told.body["of"],
            told.body["verdict"],
            told.body.get("reason", ""),
            told.record.key.hex(),
            told.issuer,
        )
        for told in reversed(log.records("moderation"))
    ]


# --- questions -----------------------------------------------------------------------------------


def ask(
    log: Log,
    text: str,
    answers: Sequence[str],
    key: Key,
    *,
    language: str,
    lifetime_s: int,
    now: float,
) -> Thing:
    """Put a question to the street.

    Raises:
        UsageError: it is empty, too long, has less than two answers, or nobody believes the key.
    """
    cleaned = clean(text, 400)
    body = {
        "text": cleaned,
        "language": language,
        "answers": "\n".join(answers),
        "issued_at": int(now),
    }
    if not cleaned or len(answers_of(body)) != len(answers) or not 2 <= len(set(answers)) <= 20:
        raise UsageError(
            "a question has a text and 2 to 20 different answers of at most 100 bytes",
            hint='kiezbox question ask "Wie oft ist das Wasser trüb?" nie selten oft',
        )
    with log.group():
        (added,) = log.add(Draft(**sign("question", body, key, lifetime_s=lifetime_s)._asdict()))
        thing = log.thing(added.ref)
        if thing is None:
            raise _not_believed(key)
    return thing


def questions(log: Log) -> list[Thing]:
    """Those that have not expired, newest first, hidden ones too."""
    return log.things("question", is_hidden=None)


def close(log: Log, ref: Ref, key: Key, *, now: float) -> Thing:
    """No more voices; the result stays until the question ends.

    Raises:
        UsageError: there is no such question, or nobody believes the key.
    """
    thing = log.thing(ref)
    if thing is None or thing.kind != kind_named("question").number:
        raise UsageError(f"there is no question {ref}", hint="`kiezbox question list`")
    return decide(log, ref, "close", key, now=now).thing


# --- inside --------------------------------------------------------------------------------------


def _name(told: Told) -> str:
    return KINDS[told.record.kind].name


def _last_word(changes: Sequence[Told]) -> Told | None:
    said = [
        told
        for told in changes
        if _name(told) == "moderation"
        and told.issuer
        and told.body["verdict"] in ("hide", "restore")
    ]
    return max(said, key=lambda told: told.body.get("decided_at", 0), default=None)


def _is_believed(log: Log, ref: Ref) -> bool:
    told = log.told(ref)
    return told is not None and bool(told[0].issuer)


def _not_believed(key: Key) -> UsageError:
    return UsageError(
        f"this box does not believe the key {key.id.hex()}",
        hint="`kiezbox moderate keys` makes one that it believes; docs/board.md says how.",
    )
