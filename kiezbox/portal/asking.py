"""One resident's request, as the pages see it: who asks for what, in which language, with what.

A page is a file in ``portal/pages``. ``show(ask)`` answers a GET, ``send(ask)`` a POST: with an
answer, or with a ``Job`` that writes. What a page says comes from ``ask.text(room)``; what others
wrote goes through ``words.escape``.
"""

from __future__ import annotations

from kiezbox.portal.answered import HTML, Answer, zipped
from kiezbox.portal.countries import text_here
from kiezbox.portal.page import back_link, document
from kiezbox.portal.style import INNER
from kiezbox.portal.words import escape

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from kiezbox.portal.forms import Forms
    from kiezbox.portal.guests import Guests
    from kiezbox.portal.request import Request
    from kiezbox.portal.shown import Shown
    from kiezbox.portal.sight import Sight
    from kiezbox.situation import Facts
    from kiezbox.store.log import Log

    #: Writes into the log, in a transaction with others, and says what the resident is told once
    #: that is durable.
    Work = Callable[["Log"], Answer]

__all__ = ["Ask", "Job", "seen_again", "with_language"]

#: So long the same page serves everybody, if nothing has changed (``Sight.version``).
KEEP_S = 1.0

_NO_STORE = ("Cache-Control", "no-store")


class Job:
    """What a POST wants done with the log: ``work(log)``. Where something takes long first (a key
    is derived, a second on a small box), ``prepare()`` does that, one after the other and beside
    everybody else's work, and then it is ``work(log, prepared)``.
    """

    __slots__ = ("prepare", "work")

    def __init__(
        self, work: Callable[..., Answer], prepare: Callable[[], Any] | None = None
    ) -> None:
        self.work = work
        self.prepare = prepare


class Ask:
    """``name`` is the page, ``rest`` the path's further parts, as they came (not decoded)."""

    def __init__(
        self,
        request: Request,
        sight: Sight,
        forms: Forms,
        language: str,
        name: str,
        rest: tuple[str, ...],
        guests: Guests | None = None,
    ) -> None:
        """``guests`` is there for the pages that ask who is led here (``portal.pages.api``)."""
        self.request = request
        self.sight = sight
        self.forms = forms
        self.language = language
        self.name = name
        self.rest = rest
        self.guests = guests
        self._facts: Facts | None = None
        self._form: dict[str, str] | None = None
        self._rooms: dict[str, None] = {}

    # --- what is known ---------------------------------------------------------------------------

    @property
    def facts(self) -> Facts:
        """``situation.understand``'s; looked at once for a request."""
        if self._facts is None:
            self._facts = self.sight.facts_lately()
        return self._facts

    @property
    def now(self) -> float:
        """Unix seconds."""
        return float(self.facts["now"])

    @property
    def shown(self) -> Shown:
        """What the log of words has to show."""
        return self.sight.shown

    def text(self, room: str = "now") -> dict[str, Any]:
        """A room's texts in the visitor's language, with the numbers to call here."""
        self._rooms[room] = None
        return text_here(self.facts, self.language, room)

    def path(self, *parts: str) -> str:
        """Of ours, in the visitor's language: ``ask.path("board", "seek")``."""
        return "/".join(("", self.language, *parts))

    @property
    def query(self) -> dict[str, str]:
        """The query's fields, the first of several of one name."""
        return _fields(self.request.query)

    @property
    def form(self) -> dict[str, str]:
        """The fields of a POST (application/x-www-form-urlencoded), as they came but for
        surrogates; the first of several of one name.
        """
        if self._form is None:
            self._form = _fields(self.request.body.decode("latin-1"))
        return self._form

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """All fields of a POST as they came, in their order."""
        return _pairs(self.request.body.decode("latin-1"))

    def forms_all(self, name: str) -> list[str]:
        """All values of a name: boxes that were ticked."""
        return [v for n, v in self.pairs if n == name]

    def is_token_good(self) -> bool:
        """Whether the form came from a page of ours that this guest was given not long ago."""
        return self.forms.is_good(self.request.client, self.form.get("token", ""))

    @property
    def once(self) -> bytes:
        """For ``Draft.once``: the same form sent twice is one record."""
        return self.forms.once(self.request.path, self.request.body)

    # --- what is answered ------------------------------------------------------------------------

    def page(
        self,
        title: str,
        body: str,
        *,
        style: str = "",
        look: str = "u",
        status: int = 200,
        keep_s: float = KEEP_S,
        below: str = "",
        has_back: bool = True,
        has_forms: bool = True,
        has_head: bool = True,
    ) -> Answer:
        """A whole page with this heading; ``title`` and ``body`` are HTML. ``below``: the rest of
        its path, for the links to other languages; without, that of the request. ``has_forms``:
        whether it needs ``style.INNER``; ``has_head``: whether its heading is not in ``body``.
        """
        text = self.text()
        name = below or "/".join((self.name, *self.rest))
        inner = f"<header><h1>{title}</h1></header>{body}" if has_head else body
        if has_back:
            inner += back_link(text, self.language)
        whole = document(
            self.facts, text, self.language, inner, escape(name), look=look,
            style=(INNER if has_forms else "") + style, title=title, rooms=self._rooms,
            # The answer to a form may have words in it that are shown this once.
            has_reload=self.request.method != "POST",
        )  # fmt: skip
        found = Answer(status, whole, HTML, _NO_STORE, keep_s=keep_s)
        return zipped(found, self.request.headers, "Accept-Encoding")

    def see(self, *parts: str) -> Answer:
        """After a POST: look there (303)."""
        return seen_again(self.path(*parts))

    def token_field(self) -> str:
        """Stands in every form: the guest's own token is put here when the page is sent."""
        return '<input type=hidden name=token value="\0">'


def seen_again(url: str) -> Answer:
    """303 to a path of ours."""
    body = f'<!DOCTYPE html><meta charset="utf-8"><title>Kiezbox</title><a href="{url}">Kiezbox</a>'
    return Answer(303, body.encode(), HTML, ("Location", url), _NO_STORE)


def with_language(path: str, language: str) -> str:
    """The path of the same page in another language."""
    return f"/{language}{path}"


def _fields(encoded: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, value in _pairs(encoded):
        found.setdefault(name, value)
    return found


#: More fields than any form of ours has are no form of ours.
_MOST_FIELDS = 64


def _pairs(encoded: str) -> list[tuple[str, str]]:
    from urllib.parse import unquote_plus

    pairs = (each.partition("=") for each in encoded.split("&", _MOST_FIELDS)[:_MOST_FIELDS])
    return [(unquote_plus(name), unquote_plus(value)) for name, _, value in pairs if name]
