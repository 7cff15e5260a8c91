"""All official warnings, and one of them in full: ``/LANGUAGE/warnings`` and ``…/warnings/ID``.

Long texts go on on a further page (``…/warnings/ID/2``): one page comes in one breath of a crowded
WLAN, and nothing that an authority says is left out.
"""

from __future__ import annotations

from kiezbox.portal.asking import Ask
from kiezbox.portal.official import (
    Official,
    asked,
    card,
    fetched_line,
    row,
    severity_words,
    valid_line,
    warnings_of,
)
from kiezbox.portal.topics import topics_of
from kiezbox.portal.words import age, clock_time, escape, shortened

TYPE_CHECKING = False
if TYPE_CHECKING:
    from kiezbox.portal.answered import Answer

#: Warnings on a page; further ones by link.
MOST = 8

#: Bytes of an instruction among others.
CARD_BYTES = 200

#: Bytes of words on one page of a warning: with them it is 3 kB on the air.
WORDS_BYTES = 1800

#: Areas that are named, of a warning for hundreds of places.
AREAS_MOST = 12


def show(ask: Ask) -> Answer:
    is_clock_sure = ask.facts["clock_trusted"] is not False
    warnings = warnings_of(ask.shown, ask.now, ask.language, is_clock_sure=is_clock_sure)
    if ask.rest and ask.rest[0]:
        return _one(ask, warnings)
    return _all(ask, warnings, is_clock_sure=is_clock_sure)


# --- all of them ---------------------------------------------------------------------------------


def _all(ask: Ask, warnings: list[Official], *, is_clock_sure: bool) -> Answer:
    text, path = ask.text("warnings"), ask.path("warnings")
    grouped = sorted(warnings, key=lambda each: _GROUPS.index(_group(each)))
    page = _page_of(ask.query.get("page", "1"))
    parts = ["" if is_clock_sure else f"<p class=n>{text['clock']}</p>"]
    if page == 1:
        parts.append(f"<p>{text['intro']}</p>" if warnings else "")
        if not any(_group(each) == "" for each in warnings):
            parts.append(f"<p><b>{text['none']}</b></p>")
    shown = grouped[(page - 1) * MOST : page * MOST]
    for group in _GROUPS:
        found = [each for each in shown if _group(each) == group]
        parts.append(_listed(ask, group, found) if found else "")
    if len(grouped) > page * MOST:
        parts.append(f'<p><a href="{path}?page={page + 1}">{text["further"]}</a></p>')
    parts.append(_asked(ask))
    return ask.page(text["title"], "".join(parts))


#: The headings, in the order of the page; what holds has none.
_GROUPS = ("", "others", "exercises", "over")


def _group(warning: Official) -> str:
    if not warning.is_official:
        return "others"
    if warning.is_exercise:
        return "exercises"
    return "" if warning.is_active or warning.is_all_clear else "over"


def _listed(ask: Ask, group: str, found: list[Official]) -> str:
    text, now_text, path = ask.text("warnings"), ask.text(), ask.path("warnings")
    if not group:
        return "".join(
            card(each, text, now_text, ask.now, path, most=CARD_BYTES, heading="h2")
            for each in found
        )
    rows = "".join(row(each, text, now_text, ask.now, path) for each in found)
    return f"<h2>{text[group]}</h2><ul class=cards>{rows}</ul>"


def _asked(ask: Ask) -> str:
    """Where this box asks, and when it last could: no news is good news only if it is new."""
    text = ask.text("warnings")
    lines = [
        text["asked"].format(
            host=f"<bdi>{escape(host)}</bdi>", age=age(checked_at, ask.now, ask.text())
        )
        for _, host, checked_at in asked(ask.shown)
    ]
    return f"<p><small>{'<br>'.join(lines) or text['never_asked']}</small></p>"


# --- one of them ---------------------------------------------------------------------------------


def _one(ask: Ask, warnings: list[Official]) -> Answer:
    text = ask.text("warnings")
    all_link = f'<p><a href="{ask.path("warnings")}">{text["all"]}</a></p>'
    found = next((each for each in warnings if each.id == ask.rest[0]), None)
    if found is None:
        body = f"<p>{text['not_here']}</p>{all_link}"
        return ask.page(text["title"], body, below="warnings", has_forms=False)
    pages = _pages(found)
    page = min(_page_of(ask.rest[1] if len(ask.rest) > 1 else "1"), len(pages))
    before, after = _words(ask, found, pages[page - 1])
    headline = escape(shortened(found.headline, 300))
    body = f"<h2{_in_words(found)}>{headline}</h2>{_notes(ask, found)}{before}"
    body += (_who(ask, found) if page == 1 else "") + after
    name = f"warnings/{found.id}"
    if page < len(pages):
        body += f'<p><a href="{ask.path(name, str(page + 1))}">{text["read_on"]}</a></p>'
    else:
        body += _after(ask, found)
    below = escape(name if page == 1 else f"{name}/{page}")
    title = text["one" if found.is_official else "one_unverified"]
    return ask.page(title, body + all_link, below=below, has_forms=False)


def _pages(warning: Official) -> list[list[tuple[str, str]]]:
    """What to do, then what is reported, as (name, text), cut into pages between words."""
    pages: list[list[tuple[str, str]]] = [[]]
    room = WORDS_BYTES
    for name, whole in (("first", warning.instruction), ("detail", warning.description)):
        rest = whole
        while rest:
            piece = _beginning(rest, room)
            pages[-1].append((name, piece))
            rest = rest[len(piece) :].lstrip()
            room -= len(escape(piece).encode())
            if rest or room < WORDS_BYTES // 8:
                pages.append([])
                room = WORDS_BYTES
    return [page for page in pages if page] or [[]]


def _beginning(text: str, most: int) -> str:
    """As much of it as fits, whole words where there are any."""
    if len(escape(text).encode()) <= most:
        return text
    end = size = 0
    for end, letter in enumerate(text):  # noqa: B007
        size += len(escape(letter).encode())
        if size > most:
            break
    cut = text.rfind(" ", 0, end)
    return text[: cut if cut > 0 else max(1, end)]


def _words(ask: Ask, warning: Official, page: list[tuple[str, str]]) -> tuple[str, str]:
    """What to do, and what is reported, of this page."""
    text, parts = ask.text("warnings"), {"first": "", "detail": ""}
    for name, words in page:
        # Of what is over, nothing is to be done first.
        is_label = name == "detail" or warning.state == "active"
        label = f"<h3>{text[name]}</h3>" if is_label else ""
        parts[name] = f"<article>{label}<p{_in_words(warning)}>{escape(words)}</p></article>"
    return parts["first"], parts["detail"]


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


def _who(ask: Ask, warning: Official) -> str:
    text, now_text = ask.text("warnings"), ask.text()
    shield = " class=official" if warning.is_official else ""
    issuer = escape(warning.issuer) or text["issuer_unknown"]
    more = " …" if len(warning.areas) > AREAS_MOST else ""
    areas = escape(", ".join(warning.areas[:AREAS_MOST]) + more)
    sent = clock_time(warning.sent_at, ask.now, now_text) if warning.sent_at else ""
    rows = (
        ("issuer", f"<b{shield}><bdi>{issuer}</bdi></b>"),
        ("severity", severity_words(warning, text)),
        ("sent", sent),
        ("valid", valid_line(warning, text, now_text, ask.now)),
        ("areas", f"<bdi>{areas}</bdi>" if areas else ""),
    )
    table = "".join(
        f"<tr><th scope=row>{text[name]}</th><td>{value}</td></tr>" for name, value in rows if value
    )
    fetched = fetched_line(warning, text, now_text, ask.now)
    return f"<table>{table}</table><p><small>{fetched}</small></p>"


def _after(ask: Ask, warning: Official) -> str:
    text, parts = ask.text("warnings"), ""
    if warning.contact:
        contact = escape(shortened(warning.contact, 300))
        parts += f"<p>{text['contact']}: <span{_in_words(warning)}>{contact}</span></p>"
    for topic in topics_of([warning.cause]):
        parts += f'<p><a href="{ask.path("steps", topic)}">{text["steps"]}</a></p>'
    return parts


def _page_of(given: str) -> int:
    """A page's number; 1 for anything else."""
    is_number = given.isascii() and given.isdecimal() and len(given) < 4
    return max(1, int(given)) if is_number else 1


def _in_words(warning: Official) -> str:
    """Attributes of words that are the authority's."""
    language = f' lang="{escape(warning.language)}"' if warning.language else ""
    return f"{language} dir=auto"
