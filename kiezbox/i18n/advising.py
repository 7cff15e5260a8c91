"""Advice in words: the catalogue ``advice`` filled in. For the command line and the desk."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from kiezbox.i18n import text_of

if TYPE_CHECKING:
    from kiezbox.indices.advice import Advice

__all__ = ["document", "sentences"]


def sentences(found: Iterable[Advice], language: str) -> list[str]:
    """``bedroom: Airing helps now: it is drier outside.``"""
    pattern = text_of(language, "advice")["in_room"]
    return [pattern.format(room=each.room, text=_text(each, language)) for each in found]


def document(found: Iterable[Advice], language: str) -> list[dict[str, str | float | None]]:
    """The same for programs."""
    return [{**each._asdict(), "text": _text(each, language)} for each in found]


def _text(advice: Advice, language: str) -> str:
    # Whole numbers: cheap sensors know no more, and they are the same in every language.
    value = "" if advice.value is None else f"{advice.value:.0f}"
    return str(text_of(language, "advice")["codes"][advice.code]).format(value=value)
