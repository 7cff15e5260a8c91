"""A coded bulletin in words: a headline, its parameters, what to do. Pure, and cheap to import."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

__all__ = ["in_words"]

#: In which order parameters are told. Those that are times come as Unix seconds in digits, so that
#: every language writes them its own way; what is no such number is shown as it is.
_ORDER = ("place", "what", "from", "at", "until", "number", "phone")
_TIMES = ("from", "at", "until")


def in_words(
    code: str,
    parameters: Mapping[str, str],
    text: dict[str, Any],
    when: Callable[[float], str],
) -> tuple[str, str, str]:
    """``text`` is the room ``codes`` in one language, ``when`` tells a moment. What came with the
    code is not ours: nothing here is escaped.
    """
    known = text["codes"].get(code)
    headline, advice = known or (text["unknown"][0].format(number=code), text["unknown"][1])
    told = []
    for name in _ORDER:
        value = parameters.get(name, "")
        if not value:
            continue
        if name in _TIMES and value.isascii() and value.isdecimal() and 9 <= len(value) <= 10:
            value = when(float(value))
        told.append(text["parameters"][name].format(**{name: value}))
    return headline, " · ".join(told), advice
