"""The portal as a Flask application: what takes longer than the responder may wait, and what later
steps add.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

from flask import Flask, Request, Response, request
from werkzeug.exceptions import HTTPException, NotFound

from kiezbox.portal import request as requests
from kiezbox.portal.answers import MOVED, Answer, answer, behind, fill
from kiezbox.portal.guests import Guests
from kiezbox.portal.sight import Sight

if TYPE_CHECKING:
    from kiezbox.portal.sight import Clock

__all__ = ["app_of", "create_app"]

#: Every method there is, and those that are none.
METHODS = ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"]


class _Portal(Flask):
    def raise_routing_exception(self, request: Request) -> NoReturn:
        """No redirect to a tidier path: it would repeat the Host that the request claimed."""
        raise NotFound from request.routing_exception


def create_app(store_path: str, run_dir: str, clock: Clock | None = None) -> Flask:
    """The WSGI application; reads now.json in ``run_dir`` and the database, writes nothing."""
    return app_of(Sight(run_dir, store_path, clock))


def app_of(sight: Sight, guests: Guests | None = None) -> Flask:
    """The same over what the doorway has been looking at."""
    app = _Portal("kiezbox.portal", static_folder=None, template_folder=None)
    known = guests or Guests()

    @app.route("/", methods=METHODS)
    @app.route("/<path:_>", methods=METHODS)
    def show(_: str = "") -> Response:
        return _flask(_whole(sight, known))

    @app.errorhandler(HTTPException)
    def elsewhere(_: HTTPException) -> Response:
        # Unknown paths and methods, malformed hosts: all lead to the first page.
        return _flask(MOVED)

    @app.errorhandler(Exception)
    def broken(error: Exception) -> Response:
        app.logger.exception("portal: no answer", exc_info=error)
        return _flask(Answer(500, MOVED.body))

    return app


def _whole(sight: Sight, guests: Guests) -> Answer:
    headers = {name.lower(): value for name, value in request.headers}
    host = headers.get("host", "").rpartition(":")[0] or headers.get("host", "")
    asked = requests.Request(
        request.method,
        host.lower(),
        request.path,
        "",
        headers,
        client=request.remote_addr or "",
        # waitress does not say on which address a connection came in; one that is named is ours.
        local="127.0.0.1" if host.strip("0123456789.") else host,
        body=request.get_data()[:4096],
    )
    found = answer(asked, sight, guests)
    if found.is_flask:
        found = behind(request.path, headers, sight)
    if found.slot:
        found.body = found.filled(fill(asked, guests))
    return found


def _flask(whole: Answer) -> Response:
    answered = Response(whole.body, whole.status)
    answered.headers.clear()
    for name, value in whole.headers:
        answered.headers[name] = value
    if whole.status != 304:
        answered.headers["Content-Length"] = str(len(whole.body))
    return answered
