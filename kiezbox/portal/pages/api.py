"""What the existing Kiezbox app ("Infoportal/Notfall App") asks its box, answered by this one.

Paths without a language: ``/api/mode``, ``/api/info``, ``/api/session``, ``/box.json``,
``/city/…``, ``/captive-portal/api/…``. Facts about that app, not its code: docs/compatibility.md.
Nothing is changed by a GET, also where the original's scripts did.
"""

from __future__ import annotations

from kiezbox import captive
from kiezbox.portal.answered import Answer, zipped
from kiezbox.portal.asking import Ask
from kiezbox.situation import is_exercise

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from kiezbox.situation import Facts

#: The app's numbers. 0, maintenance, is never said: the app takes every even number for an
#: emergency, so a box at rest would offer the real emergency call.
NORMAL, EMERGENCY = 1, 2

#: Where nobody is called: there is no telephony. The name can never be anybody's (RFC 2606).
NOBODY = "sip:no-telephony@kiezbox.invalid"

#: The app may be served by another server than this box (its setting PUBLIC_API_URL). What stands
#: here is for everybody and needs no cookie, so any page may read it.
_OPEN = ("Access-Control-Allow-Origin", "*")
_NO_STORE = ("Cache-Control", "no-store")
_PRIVATE = ("Cache-Control", "private, no-store")


def show(ask: Ask) -> Answer:
    """GET, HEAD and every further method but POST."""
    found = _ROUTES.get(_path(ask))
    if found is None and ask.name == "city" and len(ask.rest) == 1:
        found = _city_later
    if found is None:
        return _json({"error": "not found"}, 404, _NO_STORE)
    if ask.request.method not in ("GET", "HEAD") and found is not _session:
        return _not_so("GET, HEAD")
    return found(ask)


def send(ask: Ask) -> Answer:
    """POST."""
    path = _path(ask)
    if path == "api/session":
        return _json({"error": "this box has no telephony"}, 503, _NO_STORE)
    if path in _CHANGES and ask.guests is not None:
        _CHANGES[path](ask)
        return _status(ask)
    if path in _ROUTES:
        return _not_so("GET, HEAD")
    return _json({"error": "not found"}, 404, _NO_STORE)


def show_slowly(ask: Ask) -> Answer:
    """A part of the city package."""
    from kiezbox.portal.city import part

    document = part(ask, ask.rest[0])
    if document is None:
        return _json({"error": "not found"}, 404, _NO_STORE)
    answer = _json(document, 200, ("Cache-Control", "no-cache"), _OPEN)
    return zipped(answer, ask.request.headers)


def mode_number(facts: Facts) -> int:
    """1 in ordinary times, drills and maintenance; 2 while a cause is active. A box that has
    heard nothing of itself for long says what it last knew; one that never knew is calm.
    """
    if is_exercise(facts):
        return NORMAL
    mode = facts["mode"]
    is_named = mode["name"] in ("emergency", "saving", "dark")
    return EMERGENCY if mode["causes"] or (is_named and _was_lost(facts)) else NORMAL


def _was_lost(facts: Facts) -> bool:
    """Saving and dark are stages of the battery: an emergency only beside a cause, or where an
    order says so.
    """
    return facts["mode"]["name"] == "emergency" or facts["grid"]["state"] in ("lost", "returning")


# --- what is asked -------------------------------------------------------------------------------


def _mode(ask: Ask) -> Answer:
    return _json({"mode": mode_number(ask.facts)}, 200, _NO_STORE, _OPEN)


def _info(ask: Ask) -> Answer:
    """Where the box stands; nulls where it does not know."""
    box = ask.facts["box"]
    document = {"lon": box["longitude"], "lat": box["latitude"]}
    return _json(document, 200, _NO_STORE, _OPEN)


def _box(ask: Ask) -> Answer:
    return _json({"targetUri": NOBODY, "demoTargetUri": NOBODY}, 200, _NO_STORE, _OPEN)


def _session(ask: Ask) -> Answer:
    """Nobody has a session here: no cookie 401, a cookie 404; other methods 405."""
    if ask.request.method not in ("GET", "HEAD", "DELETE"):
        return _not_so("GET, HEAD, POST, DELETE")
    cookies = ask.request.headers.get("cookie", "").split(";")
    has_cookie = any(each.strip().startswith("session_token=") for each in cookies)
    if has_cookie:
        return _json({"error": "no such session"}, 404, _NO_STORE)
    return _json({"error": "no session"}, 401, _NO_STORE)


def _city_later(ask: Ask) -> Answer:
    """A city's points take longer than the responder may."""
    return Answer(200, b"", is_slow=True)


def _status(ask: Ask) -> Answer:
    """RFC 8908's document about this guest."""
    street, guests, client = ask.sight.street(), ask.guests, ask.request.client
    url = _portal_url(ask)
    document: dict[str, Any] = {"captive": True, "user-portal-url": url}
    if street.posture not in ("emergency", None):
        document = {"captive": False}
    elif guests is not None and guests.phase(client) == captive.ACK:
        document = {"captive": False, "seconds-remaining": int(guests.remaining_s(client))}
    document["venue-info-url"] = f"{url}info"
    return _json(document, 200, _PRIVATE, kind="application/captive+json")


def _set_free(ask: Ask) -> None:
    """As the button on our page: with the token that stands in its form, and not without."""
    if ask.guests is not None:
        token = ask.form.get("token", "").encode("ascii", "replace")
        ask.guests.stay(ask.request.client, token, ask.sight.street().stay_s)


def _jail(ask: Ask) -> None:
    if ask.guests is not None:
        ask.guests.leave(ask.request.client)


_ROUTES: dict[str, Callable[[Ask], Answer]] = {
    "api/mode": _mode,
    "api/info": _info,
    "api/session": _session,
    "box.json": _box,
    "captive-portal/api/status": _status,
    # Links that anything may follow: they say how it is, and change nothing.
    "captive-portal/api/setmefree": _status,
    "captive-portal/api/jailmepls": _status,
}

_CHANGES: dict[str, Callable[[Ask], None]] = {
    "captive-portal/api/setmefree": _set_free,
    "captive-portal/api/jailmepls": _jail,
}


# --- parts ---------------------------------------------------------------------------------------


def _path(ask: Ask) -> str:
    return "/".join((ask.name, *ask.rest)).rstrip("/")


def _portal_url(ask: Ask) -> str:
    """By name over TLS, else by address, which needs no name server."""
    street, request = ask.sight.street(), ask.request
    if request.is_tls and street.https_name:
        return f"https://{street.https_name}/"
    address = street.address or request.local.removeprefix("::ffff:")
    return f"http://[{address}]/" if ":" in address else f"http://{address}/"


def _not_so(allowed: str) -> Answer:
    return _json({"error": "method not allowed"}, 405, ("Allow", allowed), _NO_STORE)


def _json(
    document: Any, status: int, *headers: tuple[str, str], kind: str = "application/json"
) -> Answer:
    import json

    body = json.dumps(document, ensure_ascii=False, allow_nan=False).encode()
    return Answer(status, body, kind, *headers)
