"""Paths with languages in them, and Accept-Language: any bytes that a request line may hold."""

from __future__ import annotations

from kiezbox.i18n import LANGUAGES, language_of
from kiezbox.portal.answers import split_path

SEEDS = [
    b"/de/board/seek\nde-DE,de;q=0.9,en;q=0.8",
    b"/de_simple/help\nar;q=1, *;q=0.1",
    b"//..//%2e%2e/tr/\nzh-Hant-TW;q=0.7,;;q=,en-GB-oed",
    b"/ar\nuk;q=0.5;q=0.9, ru;q=nan, pl;q=1e309, fa;q=-1",
    b"/box.json?x=/de/\nxx-x-private, en;level=1;q=0.4",
]


def one(data: bytes) -> None:
    """A language that there is, a name and the rest; put together, they are the path."""
    path, _, accept = data.decode("latin-1").partition("\n")
    if not path.startswith("/"):
        path = "/" + path
    name, rest, language = split_path(path, {"accept-language": accept})
    assert language in LANGUAGES
    assert language_of(accept) in LANGUAGES
    whole = "/".join(("", name, *rest))
    assert path in (whole, f"/{language}{whole}", f"/{language}" if whole == "/" else whole)
