"""What the pages say: a file per language, imported when somebody asks for it.

Every language has the same keys and the same ``{placeholders}``; a test compares them. A pair is
what is set in bold and what follows. Only what is true of every box may stand here: it is read by
somebody who is cold and afraid, and acts on it.

A further language is a file here, with its own name for itself in ``LANGUAGES``.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["FALLBACK", "LANGUAGES", "RIGHT_TO_LEFT", "language_of", "text_of"]

#: Each language (ISO 639-1, as in ``lang`` and in the path) by its own name, in the order of the
#: links.
LANGUAGES = {
    "de": "Deutsch",
    "en": "English",
    "tr": "Türkçe",
    "ar": "العربية",
    "uk": "Українська",
    "ru": "Русский",
    "pl": "Polski",
    "vi": "Tiếng Việt",
    "fa": "فارسی",
    "ro": "Română",
}

RIGHT_TO_LEFT = ("ar", "fa")

#: For those who say nothing of their language, and for those who say one that is not here.
DEFAULT, FALLBACK = "de", "en"

_loaded: dict[str, dict[str, Any]] = {}


def text_of(language: str) -> dict[str, Any]:
    """The catalogue of a language out of ``LANGUAGES``."""
    text = _loaded.get(language)
    if text is None:
        text = __import__(f"kiezbox.portal.texts.{language}", fromlist=["TEXT"]).TEXT
        _loaded[language] = text
    return text


def language_of(accept_language: str) -> str:
    """The best of ``LANGUAGES`` for an ``Accept-Language`` header (RFC 9110, 12.5.4).

    >>> language_of("en;q=0.3, de-AT;q=0.7"), language_of("ja"), language_of("")
    ('de', 'en', 'de')
    """
    best, most = "", 0.0
    for each in accept_language[:500].lower().split(","):
        name, _, weight = each.partition(";")
        primary = name.strip().partition("-")[0]
        try:
            wanted = float(weight.strip().removeprefix("q=")) if weight else 1.0
        except ValueError:
            continue
        if primary in LANGUAGES and most < wanted <= 1:
            best, most = primary, wanted
    return best or (FALLBACK if accept_language.strip(" *") else DEFAULT)
