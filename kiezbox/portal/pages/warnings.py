"""All official warnings, and one of them in full: ``/LANGUAGE/warnings`` and ``…/warnings/ID``."""

from __future__ import annotations

from kiezbox.portal.asking import Ask
from kiezbox.portal.official import (
    STYLE,
    Official,
    asked,
    card,
    fetched_line,
    severity_words,
    valid_line,
    warnings_of,
)
from kiezbox.portal.topics import topics_of
from kiezbox.portal.words import age, clock_time, escape

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from kiezbox.portal.answered import Answer

#: Of each group on the page.
MOST = 20

#: Bytes of instructions on the page of all: it has more cards than the first page.
CARD_BYTES = 300

#: Areas that are named, of a warning for hundreds of places.
AREAS_MOST = 12


def show(ask: Ask) -> Answer:
    is_clock_sure = ask.facts["clock_trusted"] is not False
    warnings = warnings_of(ask.shown, ask.now, ask.language, is_clock_sure=is_clock_sure)
    if ask.rest and ask.rest[0]:
        return _one(ask, warnings)
    text = ask.text("warnings")
    note = "" if is_clock_sure else f"<p class=n>{text['clock']}</p>"
    parts = [note + (f"<p>{text['intro']}</p>" if warnings else "")]
    ours = [each for each in warnings if each.is_official]
    holding = [each for each in ours if each.is_active or each.is_all_clear]
    if not holding:
        parts.append(f"<p><b>{text['none']}</b></p>")
    parts.append(_cards(ask, holding))
    drills = [each for each in ours if each.is_exercise and each.state == "active"]
    over = [each for each in ours if each.state in ("cancelled", "ended", "gone")]
    others = [each for each in warnings if not each.is_official]
    for heading, group in (("exercises", drills), ("others", others), ("over", over)):
        if group:
            parts.append(f"<h2>{text[heading]}</h2>{_cards(ask, group)}")
    parts.append(_asked(ask))
    return ask.page(text["title"], "".join(parts), style=STYLE, has_forms=False)


def _cards(ask: Ask, warnings: Iterable[Official]) -> str:
    text, now_text, path = ask.text("warnings"), ask.text(), ask.path("warnings")
    shown = list(warnings)[:MOST]
    return "".join(card(each, text, now_text, ask.now, path, most=CARD_BYTES) for each in shown)


def _asked(ask: Ask) -> str:
    """Where this box asks, and when it last could: no news is good news only if it is new."""
    text, found = ask.text("warnings"), asked(ask.shown)
    lines = [
        text["asked"].format(
            host=f"<bdi>{escape(host)}</bdi>", age=age(checked_at, ask.now, ask.text())
        )
        for _, host, checked_at in found
    ]
    return f"<p><small>{'<br>'.join(lines) or text['never_asked']}</small></p>"


def _one(ask: Ask, warnings: list[Official]) -> Answer:
    text = ask.text("warnings")
    link = f'<p><a href="{ask.path("warnings")}">{text["all"]}</a></p>'
    found = next((each for each in warnings if each.id == ask.rest[0]), None)
    if found is None:
        return ask.page(text["title"], f"<p>{text['not_here']}</p>{link}", below="warnings")
    body = _notes(ask, found) + _what_to_do(ask, found) + _who(ask, found) + _detail(ask, found)
    title = f"<span{_in_words(found)}>{escape(found.headline)}</span>"
    below = f"warnings/{escape(found.id)}"
    return ask.page(title, body + link, style=STYLE, below=below, has_forms=False)


def _notes(ask: Ask, warning: Official) -> str:
    """What must be known before anything else is believed."""
    text = ask.text("warnings")
    notes = []
    if warning.is_exercise:
        notes.append(text["exercise"])
    if warning.state != "active":
        notes.append(text["states"][warning.state])
    if not warning.is_official:
        notes.append(text["not_fetched"])
    if ask.facts["clock_trusted"] is False:
        notes.append(text["clock"])
    if warning.language and warning.language != ask.language.partition("_")[0]:
        notes.append(text["only_in"])
    return "".join(f"<p class=n>{note}</p>" for note in notes)


def _what_to_do(ask: Ask, warning: Official) -> str:
    if not warning.instruction:
        return ""
    words = f"<p{_in_words(warning)}>{escape(warning.instruction)}</p>"
    return f"<article><h2>{ask.text('warnings')['first']}</h2>{words}</article>"


def _who(ask: Ask, warning: Official) -> str:
    text, now_text = ask.text("warnings"), ask.text()
    shield = " class=official" if warning.is_official else ""
    issuer = escape(warning.issuer) or text["issuer_unknown"]
    areas = ", ".join(warning.areas[:AREAS_MOST]) + (
        " …" if len(warning.areas) > AREAS_MOST else ""
    )
    sent = clock_time(warning.sent_at, ask.now, now_text) if warning.sent_at else ""
    rows = (
        ("issuer", f"<b{shield}><bdi>{issuer}</bdi></b>"),
        ("severity", severity_words(warning, text)),
        ("sent", sent),
        ("valid", valid_line(warning, text, now_text, ask.now)),
        ("areas", f"<bdi>{escape(areas)}</bdi>" if areas else ""),
    )
    table = "".join(
        f"<tr><th scope=row>{text[name]}</th><td>{value}</td></tr>" for name, value in rows if value
    )
    fetched = fetched_line(warning, text, now_text, ask.now)
    return f"<table>{table}</table><p><small>{fetched}</small></p>"


def _detail(ask: Ask, warning: Official) -> str:
    text, parts = ask.text("warnings"), ""
    if warning.description:
        words = f"<p{_in_words(warning)}>{escape(warning.description)}</p>"
        parts = f"<article><h2>{text['detail']}</h2>{words}</article>"
    if warning.contact:
        parts += (
            f"<p>{text['contact']}: <span{_in_words(warning)}>{escape(warning.contact)}</span></p>"
        )
    for topic in topics_of([warning.cause]):
        parts += f'<p><a href="{ask.path("steps", topic)}">{text["steps"]}</a></p>'
    return parts


def _in_words(warning: Official) -> str:
    """Attributes of words that are the authority's."""
    language = f' lang="{escape(warning.language)}"' if warning.language else ""
    return f"{language} dir=auto"
