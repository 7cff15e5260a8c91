"""All bulletins at full length, for those that the first page had no room for: ``/de/bulletins``,
further ones at ``?page=2``. Like every page it comes in one breath of a crowded WLAN.
"""

from __future__ import annotations

from kiezbox.portal.cards import card
from kiezbox.portal.condition import notes
from kiezbox.portal.countries import text_here
from kiezbox.portal.page import back_link, document, paragraph

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from kiezbox.portal.bulletins import Bulletin
    from kiezbox.situation import Facts

__all__ = ["bulletins_page", "page_of", "pages_of"]

#: Bytes of what others wrote on one page, and what a card counts beside its words. One that is
#: longer (a bulletin may have 1000 bytes, a headline 160) has a page of its own.
WORDS_BYTES, CARD_BYTES = 1300, 90


def bulletins_page(
    facts: Facts, bulletins: Sequence[Bulletin] | None, language: str = "de", page: int = 1
) -> bytes:
    """The page of this number, or the last one if there are not so many."""
    text = text_here(facts, language)
    pages = pages_of(bulletins or ())
    number = min(max(page, 1), len(pages))
    listed = "".join(card(each, facts, text, language) for each in pages[number - 1])
    if not listed:
        listed = paragraph(text["bulletins_unreadable" if bulletins is None else "bulletins_none"])
    path = f"/{language}/bulletins"
    if number < len(pages):
        read_on = text_here(facts, language, "warnings")["read_on"]
        listed += f'<p><a href="{path}?page={number + 1}">{read_on} ({number + 1})</a></p>'
    if number > 1:
        every = text["bulletins_more"].format(count=len(bulletins or ()))
        listed += f'<p><a href="{path}">{every}</a></p>'
    head = f"<header><h1>{text['bulletins']}</h1></header>"
    body = head + notes(facts, text) + listed + back_link(text, language)
    return document(facts, text, language, body, "bulletins")


def page_of(query: str) -> int:
    """The page that a query asks for; the first for anything else.

    >>> page_of("page=2"), page_of("page=-1"), page_of("")
    (2, 1, 1)
    """
    given = query.removeprefix("page=")
    is_number = given != query and given.isascii() and given.isdecimal() and len(given) < 4
    return int(given) if is_number else 1


def pages_of(bulletins: Sequence[Bulletin]) -> list[list[Bulletin]]:
    """At least one page, and on each of them at least one bulletin, if there is any."""
    pages: list[list[Bulletin]] = [[]]
    room = WORDS_BYTES
    for each in bulletins:
        words = each.text, each.headline, *each.parameters.values()
        size = CARD_BYTES + sum(len(word.encode()) for word in words)
        if size > room and pages[-1]:
            pages.append([])
            room = WORDS_BYTES
        pages[-1].append(each)
        room -= size
    return pages
