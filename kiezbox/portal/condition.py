"""How the box itself is, and what a reader must know before believing the rest."""

from __future__ import annotations

from kiezbox.portal.meaning import grid_sentence, is_ordinary, is_unsure
from kiezbox.portal.page import paragraph
from kiezbox.portal.words import age, clock_time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from kiezbox.situation import Facts

__all__ = ["condition", "lead", "notes"]


def notes(facts: Facts, text: dict[str, Any]) -> str:
    """What a reader must know before believing the rest."""
    found: list[tuple[str, str]] = []
    now, written_at = facts["now"], facts["written_at"]
    if facts["state"] != "active":
        if written_at is None:
            found.append(text["silent_for_ever"])
        else:
            begin, rest = text["silent"]
            when, ago = clock_time(written_at, now, text), age(written_at, now, text)
            found.append((begin, rest.format(when=when, age=ago)))
    elif facts["mode"]["name"] in ("saving", "dark"):
        found.append(text[facts["mode"]["name"]])
    if facts["clock_trusted"] is False:
        found.append(("", text["clock"]))
    return "".join(f'<p class="n">{lead(begin, rest)}</p>' for begin, rest in found)


def condition(facts: Facts, text: dict[str, Any]) -> str:
    """Grid, battery, faults: how the box itself is."""
    if facts["state"] != "active":
        return ""
    battery, sentences = facts["battery"], []
    if not is_unsure(facts) and facts["grid"]["state"] not in ("lost", "returning"):
        sentences.append(grid_sentence(facts, text))
    if battery and None not in (battery["charge_percent_low"], battery["charge_percent_high"]):
        low, high = sorted((battery["charge_percent_low"], battery["charge_percent_high"]))
        sentences.append(text["charge"].format(low=f"{low:.0f}", high=f"{high:.0f}"))
    if facts["faults"]:
        sentences.append(text["faults"].format(count=len(facts["faults"])))
    if is_ordinary(facts) and facts["grid"]["is_sensed"]:
        sentences.append(text["promise"])
    return paragraph(" ".join(sentences))


def lead(begin: str, rest: str) -> str:
    """The beginning in bold; both from ``texts``, or made of numbers."""
    return f"<b>{begin}</b> {rest}" if begin else rest
