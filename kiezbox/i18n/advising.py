"""Advice in words: the catalogue ``advice`` filled in. For the command line, the desk, ``/air``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from kiezbox.i18n import text_of

if TYPE_CHECKING:
    from kiezbox.indices.advice import Advice

__all__ = ["document", "of_step", "sentences", "step_sentence"]


def sentences(found: Iterable[Advice], language: str) -> list[str]:
    """``bedroom: Airing helps now: it is drier outside.``"""
    pattern = text_of(language, "advice")["in_room"]
    return [pattern.format(room=each.room, text=_text(each, language)) for each in found]


def document(found: Iterable[Advice], language: str) -> list[dict[str, str | float | None]]:
    """The same for programs."""
    return [{**each._asdict(), "text": _text(each, language)} for each in found]


def of_step(each: Mapping[str, Any], language: str) -> str:
    """What to do at the step that an entry of now.json's ``steps`` tells of; of water also that no
    step is reached, or that nobody knows. "": nothing is to be said.

    >>> of_step({"quantity": "water_level_m", "step": None, "is_stale": False}, "en")
    'No step is reached.'
    """
    text, is_water = text_of(language, "advice"), each.get("quantity") == "water_level_m"
    if is_water:
        which = "unknown" if each.get("is_stale") is not False else each.get("step") or "calm"
        return str(text["water"].get(which, ""))
    is_known = each.get("is_stale") is False
    return str(text_of(language)["step_names"].get(each.get("step"), "")) if is_known else ""


def step_sentence(each: Mapping[str, Any], when: str, language: str) -> str:
    """``brook: Water level: 1.52 m above the bed (14:05). Flood: …``; "" where nothing is to be
    said. ``when``: when it was measured.
    """
    basic, said = text_of(language), of_step(each, language)
    label, value = basic["quantities"].get(each.get("quantity")), each.get("value")
    if not said or label is None:
        return ""
    if isinstance(value, int | float):
        number = f"{value:.{label[2]}f}".replace(".", basic["decimal"]).replace("-", "\u2212")
        shown = basic["measured"].format(value=number, unit=label[1])
        shown = basic["datums"].get(each.get("datum"), "{value}").format(value=shown)
        said = f"{basic['at_step'].format(name=label[0], value=shown, age=when)}. {said}"
    room = each.get("room") or each.get("sensor")
    return str(text_of(language, "advice")["in_room"].format(room=room, text=said))


def _text(advice: Advice, language: str) -> str:
    # Whole numbers: cheap sensors know no more, and they are the same in every language.
    value = "" if advice.value is None else f"{advice.value:.0f}"
    return str(text_of(language, "advice")["codes"][advice.code]).format(value=value)
