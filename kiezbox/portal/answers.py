"""What the portal says to whom: who asks is a guest to be led here, a probe, or somebody at a page.

``answer`` is quick and never waits for anything but the disk; what takes longer (the QR code, the
GeoJSON) it leaves to ``behind``, which is called in a thread of its own. Nothing is written by a
GET. Nothing of a request is ever repeated in an answer.
"""

from __future__ import annotations

from kiezbox import captive
from kiezbox.i18n import LANGUAGES, language_of
from kiezbox.portal.answered import HTML, Answer, zipped
from kiezbox.portal.now import again_page, first_page
from kiezbox.portal.official import now_matters, stands_on, warnings_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Mapping
    from typing import Any

    from kiezbox.portal.asking import Ask
    from kiezbox.portal.bulletins import Bulletin
    from kiezbox.portal.forms import Forms
    from kiezbox.portal.guests import Guests
    from kiezbox.portal.request import Request
    from kiezbox.portal.sight import Sight, Street
    from kiezbox.situation import Facts

    #: What was asked for in which language.
    View = Callable[[Request, Sight, Guests, str], Answer]
    ViewBehind = Callable[[Sight, str], bytes]

__all__ = ["MOVED", "PAGES", "Answer", "answer", "behind", "own", "split_path"]

#: So long the same page serves everybody, if nothing has changed (``Sight.version``): ages and
#: times on it count in minutes.
KEEP_S = 1.0

#: The residents' pages, by their names in the path: a file each in ``portal.pages``.
ROOMS = {
    "where": "where", "help": "help", "safe": "safe", "board": "board", "messages": "messages",
    "air": "air", "steps": "steps", "say": "say", "about": "about", "kiosk": "kiosk",
    "poster": "poster", "warnings": "warnings", "helper": "helper", "api": "api",
    "box.json": "api", "city": "api", "captive-portal": "api",
}  # fmt: skip

#: Postures in which every name leads here. Where nothing is intercepted, whoever asks us meant us.
INTERCEPTING = ("emergency", None)

#: What is ours wherever we are. No guest comes by the last three, but developers do.
_OURS = ("", "localhost", "127.0.0.1", "::1")

_NO_STORE = ("Cache-Control", "no-store")
_AGAIN = "again"

_LINK = (
    '<!DOCTYPE html><html lang="de"><meta charset="utf-8"><title>Kiezbox</title>'
    '<p><a href="{url}">Kiezbox: weiter · continue</a></p></html>'
)


def _moved(status: int, url: str, *more: tuple[str, str]) -> Answer:
    """To our own page. More than 64 bytes, because phones take short ones for a broken network."""
    headers = ("Location", url), _NO_STORE, *more
    return Answer(status, _LINK.format(url=url).encode(), HTML, *headers)


#: Every path of ours that is none leads to the first page, and every other method.
MOVED = _moved(302, "/")
_SEE_OTHER = _moved(303, "/")
_NOT_HERE = Answer(404, b"-\n", "text/plain", _NO_STORE)
_BEHIND = Answer(200, b"", is_slow=True)


def answer(request: Request, sight: Sight, guests: Guests, forms: Forms) -> Answer:
    """The answer to one request; a HEAD gets that of a GET."""
    street = sight.street()
    guests.enter_mode(street.mode)
    host = request.host
    if _is_ours(host, request.local, street):
        return _at_our_door(request, sight, guests, forms)
    return _to_somebody_else(request, guests, street, host)


def own(path: str, guests: Guests, forms: Forms) -> Callable[[str], bytes]:
    """What goes into the slots of this page, when it is given to the guest of that address."""
    return forms.token if split_path(path, {})[0] in ROOMS else guests.show


def behind(path: str, headers: Mapping[str, str], sight: Sight) -> Answer:
    """The answers that take long. ``headers``: lower-case names."""
    first, rest, language = split_path(path, headers)
    name = "/".join((first, *rest))
    if name == "situation.geojson":
        return _situation(sight, headers)
    if first in ROOMS:
        return _slow_room(path, headers, sight)
    make = _BEHIND_PAGES.get(name)
    if make is None:
        return MOVED
    page = Answer(200, make(sight, language), HTML, _NO_STORE)
    return zipped(page, headers, _vary(path))


def _vary(path: str) -> str:
    """On which headers a page depends: not on the language, where the path names it."""
    is_named = path[1:].partition("/")[0] in LANGUAGES
    return "Accept-Encoding" if is_named else "Accept-Language, Accept-Encoding"


def split_path(path: str, headers: Mapping[str, str]) -> tuple[str, tuple[str, ...], str]:
    """The name of the page, what follows it, and its language, by ``Accept-Language`` if the path
    has none.

    ``/tr/board/seek`` is ("board", ("seek",), "tr"), ``/`` is ("", (), "de") for most.
    """
    first, *parts = path[1:].split("/")
    if first in LANGUAGES:
        language = first
    else:
        parts = [first, *parts]
        language = language_of(headers.get("accept-language", ""))
    name, *rest = parts or [""]
    return name, tuple(rest), language


# --- whose door it is ----------------------------------------------------------------------------


def _is_ours(host: str, local: str, street: Street) -> bool:
    """Whether somebody asked for us. HTTP/1.0 without a host can only mean us."""
    is_named = host in street.hosts or host in _OURS or host == local.removeprefix("::ffff:")
    return is_named or street.posture not in INTERCEPTING


def _portal_url(street: Street, local: str) -> str:
    """Absolute and by address, because it must lead out of a name that is not ours."""
    address = street.address or local.removeprefix("::ffff:")
    return f"http://[{address}]/" if ":" in address else f"http://{address}/"


def _to_somebody_else(request: Request, guests: Guests, street: Street, host: str) -> Answer:
    """A guest on the way to the internet: a phone's probe, an app, a person."""
    url = _portal_url(street, request.local)
    if request.method not in ("GET", "HEAD"):
        return _leading(303, url)
    is_probe, online = captive.verdict(host, request.path)
    if not is_probe:
        accept = request.headers.get("accept", "")
        if captive.is_asset(request.path) or not captive.takes_pages(accept):
            return _NOT_HERE
    if guests.phase(request.client) == captive.ACK:
        # Distributions have many addresses for NetworkManager's check: it gets its sign with all.
        return _leading(302, url, captive.NM_ONLINE) if online is None else _online(online)
    if guests.is_back(request.client):
        return _leading(302, url + _AGAIN)
    return _leading(302, url)


_led: dict[tuple[Any, ...], Answer] = {}
_onlines: dict[int, Answer] = {}


def _leading(status: int, url: str, *more: tuple[str, str]) -> Answer:
    """Made once per address of ours."""
    found = _led.get((status, url, *more))
    if found is None:
        if len(_led) > 64:
            _led.clear()
        found = _led[status, url, *more] = _moved(status, url, *more)
    return found


def _online(verdict: captive.Verdict) -> Answer:
    found = _onlines.get(id(verdict))
    if found is None:
        status, kind, body, more = verdict
        found = _onlines[id(verdict)] = Answer(status, body, kind, *more, _NO_STORE)
    return found


# --- our own pages -------------------------------------------------------------------------------


def _at_our_door(request: Request, sight: Sight, guests: Guests, forms: Forms) -> Answer:
    name, rest, language = split_path(request.path, request.headers)
    is_post = request.method == "POST"
    # Programs ask by further methods, and are told so.
    if is_post or request.method in ("GET", "HEAD") or ROOMS.get(name) == "api":
        if captive.is_asset(request.path) and not is_post:
            return _NOT_HERE
        if name in ROOMS:
            from kiezbox.portal.asking import Ask

            ask = Ask(request, sight, forms, language, name, rest, guests)
            return _in_a_room(ask, is_post=is_post)
        view = (_POSTS if is_post else PAGES).get("/".join((name, *rest)))
        if view is not None:
            return view(request, sight, guests, language)
    return _SEE_OTHER if is_post or request.method not in ("GET", "HEAD") else MOVED


def _slow_room(path: str, headers: Mapping[str, str], sight: Sight) -> Answer:
    """``show_slowly(ask)`` of a page whose ``show`` left it to others: no form is in it."""
    from kiezbox.portal.asking import Ask
    from kiezbox.portal.forms import Forms
    from kiezbox.portal.request import Request

    name, rest, language = split_path(path, headers)
    request = Request("GET", "", path, "", dict(headers))
    found: Answer = _room(name).show_slowly(Ask(request, sight, Forms(), language, name, rest))
    return found


def _room(name: str) -> Any:
    return __import__(f"kiezbox.portal.pages.{ROOMS[name]}", fromlist=["show"])


def _in_a_room(ask: Ask, *, is_post: bool) -> Answer:
    """A page of ``portal.pages``: loaded when somebody asks for it first."""
    from kiezbox.portal.asking import Job

    room = _room(ask.name)
    act = getattr(room, "send" if is_post else "show", None)
    if act is None:
        return ask.see(ask.name)
    if is_post:
        from kiezbox.portal.gate import let_in

        found = let_in(ask, room, ROOMS[ask.name])
    else:
        found = act(ask)
    if isinstance(found, Job):
        later = Answer(200, b"")
        later.job = found
        return later
    answered: Answer = found
    return answered


def _prefix(request: Request, language: str) -> str:
    """The beginning of our links: with the language, if the request named it."""
    return f"/{language}" if request.path.startswith(f"/{language}") else ""


def _seen(sight: Sight) -> tuple[Facts, list[Bulletin] | None]:
    """Facts and bulletins of one moment."""
    facts = sight.facts()
    return facts, sight.bulletins(facts)


def _first_page(request: Request, sight: Sight, guests: Guests, language: str) -> Answer:
    ground = stands_on(sight)
    facts = sight.facts_lately()
    bulletins = sight.bulletins(facts)
    is_clock_sure = facts["clock_trusted"] is not False
    found = warnings_of(sight.shown, facts["now"], language, is_clock_sure=is_clock_sure)
    warnings = now_matters(found, facts["now"])
    return _page(request, first_page(facts, bulletins, language, warnings), ground)


def _again(request: Request, sight: Sight, guests: Guests, language: str) -> Answer:
    return _page(request, again_page(sight.facts(), language))


def _page(request: Request, whole: bytes, ground: Hashable = None) -> Answer:
    found = Answer(200, whole, HTML, _NO_STORE, keep_s=KEEP_S, stands_on=ground)
    return zipped(found, request.headers, _vary(request.path))


def _bulletins(request: Request, sight: Sight, guests: Guests, language: str) -> Answer:
    from kiezbox.portal.posted import bulletins_page, page_of

    return _page(request, bulletins_page(*_seen(sight), language, page_of(request.query)))


def _left_behind(request: Request, sight: Sight, guests: Guests, language: str) -> Answer:
    return _BEHIND


def _connected(request: Request, sight: Sight, guests: Guests, language: str) -> Answer:
    """Only for those who are: it says so."""
    if guests.phase(request.client) == captive.ACK:
        return _BEHIND
    return _moved(302, _prefix(request, language) or "/")


def _stay(request: Request, sight: Sight, guests: Guests, language: str) -> Answer:
    """A whole new page, not a change of this one: iOS looks again after a navigation only."""
    prefix = _prefix(request, language)
    has_stayed = guests.stay(request.client, _token(request.body), sight.street().stay_s)
    if has_stayed or guests.phase(request.client) == captive.ACK:
        return _moved(303, f"{prefix}/connected")
    return _moved(303, prefix or "/")


def _leave(request: Request, sight: Sight, guests: Guests, language: str) -> Answer:
    """Without a token: the way back must always work, and nobody gains by sending others there."""
    guests.leave(request.client)
    return _moved(303, _prefix(request, language) or "/")


def _token(body: bytes) -> bytes:
    """Of ``token=…`` (application/x-www-form-urlencoded); anything else is no token."""
    name, _, token = body.strip().partition(b"=")
    return token if name == b"token" else b""


def _captive(request: Request, sight: Sight, guests: Guests, language: str) -> Answer:
    """The captive portal API (RFC 8908), over TLS only (section 4)."""
    name = sight.street().https_name
    accept = request.headers.get("accept", "").lower()
    if not request.is_tls or name is None:
        return MOVED
    url = f"https://{name}/"
    vary = ("Vary", "Accept")
    if "application/captive+json" not in accept:
        return _moved(302, url, vary)
    document: dict[str, Any] = {"captive": True, "user-portal-url": url}
    if sight.street().posture not in INTERCEPTING:
        document = {"captive": False}
    elif guests.phase(request.client) == captive.ACK:
        document = {"captive": False, "seconds-remaining": int(guests.remaining_s(request.client))}
    document["venue-info-url"] = f"{url}info"
    caching = ("Cache-Control", "private, no-store")
    return Answer(200, _json(document), "application/captive+json", caching, vary)


def _health(request: Request, sight: Sight, guests: Guests, language: str) -> Answer:
    """For whoever watches the box: the portal answers, and how fresh what it knows is."""
    facts, found = _seen(sight)
    bulletins = "unreadable" if found is None else "readable"
    document = {"portal": "ok", "facts": facts["state"], "bulletins": bulletins}
    return Answer(200, _json(document), "application/json", _NO_STORE)


#: Name of a page → who shows it. Each also stands under its language: ``/tr/info``.
PAGES: dict[str, View] = {
    "": _first_page,
    _AGAIN: _again,
    "bulletins": _bulletins,
    "connected": _connected,
    "info": _left_behind,
    "captive": _captive,
    "healthz": _health,
    "situation.geojson": _left_behind,
}

_POSTS: dict[str, View] = {"stay": _stay, "leave": _leave}


# --- what takes longer ---------------------------------------------------------------------------


def _connected_page(sight: Sight, language: str) -> bytes:
    from kiezbox.portal.staying import connected_page

    return connected_page(sight.facts(), language)


def _info(sight: Sight, language: str) -> bytes:
    from kiezbox.portal.staying import info_page

    return info_page(sight.facts(), language)


def _situation(sight: Sight, headers: Mapping[str, str]) -> Answer:
    """GeoJSON. The tag stays while nothing but the time of serving changes."""
    import zlib

    from kiezbox.situation.features import collection

    facts, bulletins = _seen(sight)
    is_sure = facts["clock_trusted"] is not False
    warnings = warnings_of(sight.shown, facts["now"], "de", is_clock_sure=is_sure)
    document = collection(facts, bulletins, warnings)
    tag = f'W/"{zlib.crc32(_json(document["features"])):08x}"'
    caching = ("ETag", tag), ("Cache-Control", "no-cache")
    if _knows(headers.get("if-none-match", ""), tag):
        return Answer(304, b"", "application/geo+json", *caching)
    return zipped(Answer(200, _json(document), "application/geo+json", *caching), headers)


_BEHIND_PAGES: dict[str, ViewBehind] = {
    "connected": _connected_page,
    "info": _info,
}


def _json(document: Any) -> bytes:
    import json

    return json.dumps(document, ensure_ascii=False, allow_nan=False).encode()


def _knows(if_none_match: str, tag: str) -> bool:
    """RFC 9110, 13.1.2: the weak comparison, as always with If-None-Match."""
    known = [each.strip().removeprefix("W/") for each in if_none_match.split(",")]
    return known == ["*"] or tag.removeprefix("W/") in known
