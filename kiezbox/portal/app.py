"""The portal as a Flask application: what takes longer than the responder may wait, and what later
steps add. It stands behind the responder and hears of no request that the latter can answer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

from flask import Flask, Request, Response, request
from werkzeug.exceptions import HTTPException, NotFound

from kiezbox.portal.answers import MOVED, Answer, behind
from kiezbox.portal.sight import Sight

if TYPE_CHECKING:
    from kiezbox.portal.sight import Clock

__all__ = ["app_of", "create_app"]


class _Portal(Flask):
    def raise_routing_exception(self, request: Request) -> NoReturn:
        """No redirect to a tidier path: it would repeat the Host that the request claimed."""
        raise NotFound from request.routing_exception


def create_app(store_path: str, run_dir: str, clock: Clock | None = None) -> Flask:
    """The WSGI application; reads now.json in ``run_dir`` and the database, writes nothing."""
    return app_of(Sight(run_dir, store_path, clock))


def app_of(sight: Sight) -> Flask:
    """The same over what the responder looks at."""
    app = _Portal("kiezbox.portal", static_folder=None, template_folder=None)

    @app.get("/")
    @app.get("/<path:_>")
    def show(_: str = "") -> Response:
        headers = {name.lower(): value for name, value in request.headers}
        return _flask(behind(request.path, headers, sight))

    @app.errorhandler(HTTPException)
    def elsewhere(_: HTTPException) -> Response:
        # Unknown paths and methods, malformed hosts: all lead to the first page.
        return _flask(MOVED)

    @app.errorhandler(Exception)
    def broken(error: Exception) -> Response:
        app.logger.exception("portal: no answer", exc_info=error)
        return _flask(Answer(500, MOVED.body))

    return app


def _flask(whole: Answer) -> Response:
    answered = Response(whole.body, whole.status)
    answered.headers.clear()
    for name, value in whole.headers:
        answered.headers[name] = value
    if whole.status != 304:
        answered.headers["Content-Length"] = str(len(whole.body))
    return answered
