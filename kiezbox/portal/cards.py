"""Bulletins on paper-like cards: what is official looks like nothing else, the all-clear neither.

Everything that others wrote is escaped here; texts come from the rooms ``now`` and ``codes``.
"""

from __future__ import annotations

from kiezbox.i18n import LANGUAGES, lang_of
from kiezbox.portal.countries import text_here
from kiezbox.portal.words import age, clock_time, escape, shortened
from kiezbox.situation import plain_text
from kiezbox.situation.coded import in_words

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from kiezbox.portal.bulletins import Bulletin
    from kiezbox.situation import Facts

__all__ = ["card", "in_language"]

#: From this severity on it is said in a word of its own.
SAID_FROM = 2


def card(
    bulletin: Bulletin,
    facts: Facts,
    text: dict[str, Any],
    language: str,
    *,
    most: int | None = None,
) -> str:
    """One bulletin. ``most``: bytes that its own text may take; the rest is cut off."""
    headline, lines = in_language(bulletin, facts, language, most=most)
    when = age(bulletin.written_at, facts["now"], text)
    classes = [
        "official" if bulletin.standing == "official" else "",
        "clear" if bulletin.is_all_clear and bulletin.standing == "official" else "",
    ]
    look = " ".join(filter(None, classes))
    if bulletin.standing == "official":
        by = f"<b class=official>{escape(bulletin.issuer)}</b> "
        mark = f"{by}<small>{text['official']} · {text['official_mark']} · {when}</small>"
    elif bulletin.standing == "signed":
        mark = f"<small>{text['signed_mark'].format(issuer=escape(bulletin.issuer))}</small>"
    else:
        name = "bulletin_mark" if bulletin.standing == "operator" else "other_box_mark"
        mark = f"<small>{text[name]} · {when}</small>"
    if bulletin.is_exercise:
        mark = f"<b>{text['exercise_banner']}</b> {mark}"
    words = [text["all_clear"]] if bulletin.is_all_clear else []
    if bulletin.is_official and bulletin.severity >= SAID_FROM and not words:
        words.append(text["severities"][min(bulletin.severity, 4)])
    title = ": ".join(filter(None, (*words, headline)))
    body = f"<p><b>{title}</b></p>" if title else ""
    return f'<article class="{look}">{mark}{body}{"".join(lines)}</article>'.replace(
        ' class=""', ""
    )


def in_language(
    bulletin: Bulletin, facts: Facts, language: str, *, most: int | None = None
) -> tuple[str, list[str]]:
    """Its headline and its paragraphs, as HTML in this language."""
    if bulletin.code:
        text = text_here(facts, language)
        headline, details, advice = in_words(
            bulletin.code,
            {name: plain_text(value, 200) for name, value in bulletin.parameters.items()},
            text_here(facts, language, "codes"),
            lambda moment: clock_time(moment, facts["now"], text),
        )
        lines = [f"<p dir=auto>{escape(details)}</p>"] if details else []
        lines += [f"<p>{escape(advice)}</p>", *_free(bulletin, language, most)]
        return escape(headline), lines
    headline = escape(plain_text(bulletin.headline, 160))
    if headline:
        headline = f"<span dir=auto{_lang(bulletin)}>{headline}</span>"
    return headline, _free(bulletin, language, most)


def _free(bulletin: Bulletin, language: str, most: int | None) -> list[str]:
    """What somebody wrote, in the one language in which he wrote it."""
    words = plain_text(bulletin.text, len(bulletin.text), lines=True)
    if most is not None:
        words = shortened(words, most) if most else ""
    if not words:
        return []
    return [f"<p dir=auto{_lang(bulletin)}>{escape(words)}</p>{_named(bulletin, language)}"]


def _lang(bulletin: Bulletin) -> str:
    """For a voice, and for hyphens; only what is a language of ours: others wrote it."""
    known = bulletin.language in LANGUAGES
    return f' lang="{lang_of(bulletin.language)}"' if known else ""


def _named(bulletin: Bulletin, language: str) -> str:
    """The language's own name, where it is another than the page's."""
    if bulletin.language in LANGUAGES and bulletin.language != language:
        name = LANGUAGES[bulletin.language]
        return f"<small lang={lang_of(bulletin.language)}>{name}</small>"
    return ""
