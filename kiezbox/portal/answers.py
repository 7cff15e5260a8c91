"""What the portal answers to which path. The doorway and Flask both ask here, so both say the
same, byte for byte.
"""

from __future__ import annotations

from kiezbox.portal.page import bulletins_page, first_page
from kiezbox.portal.texts import BULLETINS_PATHS, PATHS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from kiezbox.portal.sight import Sight

    #: Lower-case header names in, an answer out.
    View = Callable[[Sight, Mapping[str, str]], "Answer"]

__all__ = ["MOVED", "ROUTES", "Answer", "answer"]

HTML = "text/html; charset=utf-8"

#: Whatever a browser is made to fetch, run, frame or post from our pages: it does not.
SAFE = [
    (
        "Content-Security-Policy",
        "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'",
    ),
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "no-referrer"),
]

#: Below this gzip saves less than its header costs.
WORTH_ZIPPING = 300


class Answer:
    """Status, headers and body. ``Content-Length`` is its server's to add."""

    __slots__ = ("body", "headers", "status")

    def __init__(self, status: int, body: bytes, kind: str = HTML, *more: tuple[str, str]) -> None:
        self.status = status
        self.body = body
        self.headers = [("Content-Type", kind), *more, *SAFE]


#: Every other path leads to the first page. It says nothing of what was asked for.
MOVED = Answer(
    302,
    b'<!DOCTYPE html><html lang="de"><title>Kiezbox</title><p><a href="/">Kiezbox</a></p></html>',
    HTML,
    ("Location", "/"),
    ("Cache-Control", "no-store"),
)


def answer(method: str, path: str, headers: Mapping[str, str], sight: Sight) -> Answer:
    """The answer to one request; a HEAD gets that of a GET."""
    view = ROUTES.get(path) if method in ("GET", "HEAD") else None
    return view(sight, headers) if view else MOVED


def _first_page(language: str) -> View:
    def view(sight: Sight, headers: Mapping[str, str]) -> Answer:
        page = first_page(sight.facts(), sight.bulletins(), language)
        return _zipped(Answer(200, page, HTML, ("Cache-Control", "no-store")), headers)

    return view


def _bulletins_page(language: str) -> View:
    def view(sight: Sight, headers: Mapping[str, str]) -> Answer:
        page = bulletins_page(sight.facts(), sight.bulletins(), language)
        return _zipped(Answer(200, page, HTML, ("Cache-Control", "no-store")), headers)

    return view


def _situation(sight: Sight, headers: Mapping[str, str]) -> Answer:
    """GeoJSON. The tag stays while nothing but the time of serving changes."""
    import zlib

    from kiezbox.situation import collection

    document = collection(sight.facts(), sight.bulletins())
    tag = f'W/"{zlib.crc32(_json(document["features"])):08x}"'
    caching = ("ETag", tag), ("Cache-Control", "no-cache")
    if _knows(headers.get("if-none-match", ""), tag):
        return Answer(304, b"", "application/geo+json", *caching)
    return _zipped(Answer(200, _json(document), "application/geo+json", *caching), headers)


def _health(sight: Sight, headers: Mapping[str, str]) -> Answer:
    """For whoever watches the box: the portal answers, and how fresh what it knows is."""
    bulletins = "unreadable" if sight.bulletins() is None else "readable"
    document = {"portal": "ok", "facts": sight.facts()["state"], "bulletins": bulletins}
    return Answer(200, _json(document), "application/json", ("Cache-Control", "no-store"))


ROUTES: dict[str, View] = {
    **{path: _first_page(language) for language, path in PATHS.items()},
    **{path: _bulletins_page(language) for language, path in BULLETINS_PATHS.items()},
    "/situation.geojson": _situation,
    "/healthz": _health,
}


def _json(document: Any) -> bytes:
    import json

    return json.dumps(document, ensure_ascii=False, allow_nan=False).encode()


def _knows(if_none_match: str, tag: str) -> bool:
    """RFC 9110, 13.1.2: the weak comparison, as always with If-None-Match."""
    known = [each.strip().removeprefix("W/") for each in if_none_match.split(",")]
    return known == ["*"] or tag.removeprefix("W/") in known


def _zipped(whole: Answer, headers: Mapping[str, str]) -> Answer:
    """The same with gzip, if the other side takes it."""
    whole.headers.append(("Vary", "Accept-Encoding"))
    if len(whole.body) >= WORTH_ZIPPING and _takes_gzip(headers.get("accept-encoding", "")):
        import zlib

        # 31: a window of 32 KiB inside a gzip frame (zlib.h, deflateInit2).
        packer = zlib.compressobj(6, zlib.DEFLATED, 31)
        whole.body = packer.compress(whole.body) + packer.flush()
        whole.headers.append(("Content-Encoding", "gzip"))
    return whole


def _takes_gzip(accept_encoding: str) -> bool:
    """RFC 9110, 12.5.3: named (or ``*``) and not with the weight 0.

    >>> _takes_gzip("br, gzip;q=0.5"), _takes_gzip("gzip;q=0, *")
    (True, False)
    """
    weights: dict[str, bool] = {}
    for each in accept_encoding.lower().split(","):
        coding, _, parameter = each.partition(";")
        weight = parameter.strip().removeprefix("q=").strip("0.")
        weights[coding.strip()] = weight != "" or not parameter.strip()
    return weights.get("gzip", weights.get("*", False))
