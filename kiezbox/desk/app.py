"""The desk as a Flask application: claim, log in, look, log out.

What it holds against a hostile page or a hostile neighbour:

| attack | answer |
|---|---|
| a foreign page posts a form of ours | ``SameSite=Strict``, ``Origin`` and a token in each form |
| a name that was pointed at this address (DNS rebinding) | only known names and plain addresses |
| guessing | buckets in ``sessions.Limits``, ten attempts for a code, scrypt |
| a cookie slipped to the operator before he logs in | a new one at every login |
| our page in a frame, a script in a reading | ``Content-Security-Policy: default-src 'none'`` |
"""

from __future__ import annotations

import ipaddress
import math
import socket
from collections.abc import Callable, Iterable

from flask import Flask, Response, g, request
from werkzeug.exceptions import HTTPException

from kiezbox.clock import Clock, SystemClock
from kiezbox.desk import words
from kiezbox.desk.pages import STYLE, Pages
from kiezbox.desk.sessions import Limits, Sessions
from kiezbox.desk.status import advice, cries, neighbours, read_facts, read_neighbours, rows
from kiezbox.desk.texts import language_of
from kiezbox.desk.vault import Claim, Vault

__all__ = ["COOKIE", "create_app"]

COOKIE = "kiezbox_desk"

#: A form of ours is three short fields.
MOST_BYTES = 4096

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; form-action 'self';"
    " frame-ancestors 'none'; base-uri 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}

_CLAIM_FAULTS = {Claim.WRONG: "wrong code", Claim.NONE: "no code"}


def create_app(
    run_dir: str,
    desk_run_dir: str,
    state_dir: str,
    *,
    clock: Clock | None = None,
    hosts: Iterable[str] = (),
) -> Flask:
    """The WSGI application. ``run_dir`` holds the node's now.json; the other two are the desk's
    own. ``hosts`` are names under which it may be called, besides addresses and the machine's."""
    clock = clock or SystemClock()
    app = Flask("kiezbox.desk", static_folder=None, template_folder=None)
    app.config.update(MAX_CONTENT_LENGTH=MOST_BYTES, MAX_FORM_MEMORY_SIZE=MOST_BYTES)
    desk = _Desk(Vault(desk_run_dir, state_dir, clock), clock, run_dir)
    known = {"localhost", *(host.lower() for host in (*hosts, *own_names()))}

    @app.before_request
    def meet() -> Response | None:
        g.pages = Pages(language_of(request.headers.get("Accept-Language", "")))
        # Flask's own limit answers late where nobody reads the body.
        if (request.content_length or 0) > MOST_BYTES:
            return _page(g.pages.fault("nothing here"), 413)
        if not _is_known(request.host, known):
            return _page(g.pages.fault("nothing here"), 403)
        cookie = request.cookies.get(COOKIE, "")
        g.cookie = cookie or desk.sessions.new_cookie()
        g.is_new = not cookie
        if request.method == "POST":
            is_ours = _is_same_origin() and desk.sessions.is_form_of(
                cookie, request.form.get("token", "")
            )
            if not is_ours:
                return _page(g.pages.fault("stale form"), 403)
        return None

    @app.after_request
    def close(answer: Response) -> Response:
        answer.headers.update(HEADERS)
        # Only where a form was shown, and only to whoever has none: a GET changes nothing else.
        if g.get("is_new") and answer.mimetype == "text/html" and answer.status_code == 200:
            _set_cookie(answer, g.cookie)
        return answer

    for path, methods, view in (
        ("/", ["GET"], desk.first),
        ("/claim", ["GET", "POST"], desk.claim),
        ("/login", ["GET", "POST"], desk.login),
        ("/logout", ["POST"], desk.logout),
        ("/style.css", ["GET"], _style),
    ):
        app.add_url_rule(path, path, view, methods=methods, provide_automatic_options=False)

    @app.errorhandler(HTTPException)
    def elsewhere(error: HTTPException) -> Response:
        pages = g.get("pages") or Pages("de")
        return _page(pages.fault("nothing here"), error.code or 404)

    @app.errorhandler(Exception)
    def broken(error: Exception) -> Response:
        app.logger.exception("desk: no answer", exc_info=error)
        pages = g.get("pages") or Pages("de")
        return _page(pages.fault("broken"), 500)

    return app


class _Desk:
    """The views."""

    def __init__(self, vault: Vault, clock: Clock, run_dir: str) -> None:
        self.vault, self.sessions, self.limits = vault, Sessions(clock), Limits(clock)
        self._clock, self._run_dir = clock, run_dir

    def first(self) -> Response:
        if self.sessions.is_open(g.cookie):
            facts = read_facts(self._run_dir, self._clock.now())
            # Neighbours are shown also while the node does not run: a cry for help stays one.
            heard = read_neighbours(self._run_dir)
            others = list(neighbours(heard, g.pages.say))
            cried = list(cries(heard, g.pages.say))
            shown = None if facts is None else list(rows(facts, g.pages.say))
            helps = [] if facts is None else advice(facts, g.pages.language)
            return _page(g.pages.status(self._token(), shown, helps, others, cried))
        if self.vault.is_claimed():
            return _moved("/login")
        return _page(g.pages.unclaimed())

    def claim(self) -> Response:
        if request.method == "GET":
            return _page(g.pages.claim(self._token()))
        passphrase, again = request.form.get("passphrase", ""), request.form.get("again", "")
        # Before the code is looked at: a slip of the finger must not use it up.
        fault = words.fault_of(passphrase) or ("" if passphrase == again else "not the same")
        if fault:
            return _page(g.pages.claim(self._token(), fault), 400)
        if late := self._late(g.pages.claim):
            return late
        ended = self.vault.claim(request.form.get("code", ""), passphrase)
        if ended is not Claim.DONE:
            return _page(g.pages.claim(self._token(), _CLAIM_FAULTS[ended]), 403)
        self.sessions.end_all()
        return self._entered()

    def login(self) -> Response:
        if request.method == "GET":
            return _page(g.pages.login(self._token()))
        if late := self._late(g.pages.login):
            return late
        passphrase = request.form.get("passphrase", "")
        if len(passphrase) > words.MOST_LETTERS or not self.vault.knows(passphrase):
            return _page(g.pages.login(self._token(), "wrong passphrase"), 403)
        self.sessions.end(g.cookie)
        return self._entered()

    def logout(self) -> Response:
        self.sessions.end(g.cookie)
        answer = _moved("/login")
        answer.delete_cookie(COOKIE, path="/", httponly=True, samesite="Strict")
        return answer

    def _late(self, page: Callable[[str, str], str]) -> Response | None:
        wait_s = self.limits.wait_s(request.remote_addr or "")
        if not wait_s:
            return None
        answer = _page(page(self._token(), "too often"), 429)
        answer.headers["Retry-After"] = str(math.ceil(wait_s))
        return answer

    def _entered(self) -> Response:
        answer = _moved("/")
        _set_cookie(answer, self.sessions.begin())
        return answer

    def _token(self) -> str:
        return self.sessions.form_token(g.cookie)


def _style() -> Response:
    return Response(STYLE, mimetype="text/css")


def _page(text: str, status: int = 200) -> Response:
    return Response(text, status, mimetype="text/html")


def _moved(path: str) -> Response:
    # A relative Location repeats nothing that the request claimed about its host.
    return Response(status=303, headers={"Location": path})


def _set_cookie(answer: Response, value: str) -> None:
    # No Secure: the desk speaks plain HTTP on this machine's own loopback, or inside ssh.
    answer.set_cookie(COOKIE, value, path="/", httponly=True, samesite="Strict")


def own_names() -> list[str]:
    """Under which names this machine may be called; mDNS adds .local."""
    name = socket.gethostname().partition(".")[0].lower()
    return [name, f"{name}.local"] if name else []


def _is_known(host: str, known: set[str]) -> bool:
    """Whether somebody who means us says this Host: an address, or a name of ours."""
    name = host.strip().lower()
    if name.startswith("["):
        name = name[1:].partition("]")[0]
    elif name.count(":") == 1:
        name = name.partition(":")[0]
    if name in known:
        return True
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _is_same_origin() -> bool:
    """Browsers say where a form came from (Fetch standard, "Origin"; Fetch Metadata). Old ones say
    nothing: then the token decides."""
    if request.headers.get("Sec-Fetch-Site", "same-origin") not in ("same-origin", "none"):
        return False
    origin = request.headers.get("Origin")
    if origin is None:
        return True
    return origin.lower() in (f"http://{request.host}".lower(), f"https://{request.host}".lower())
