"""The doorway's request parser: bytes from anybody who joins the WLAN."""

from __future__ import annotations

from kiezbox.portal.request import MOST_BYTES, BadRequest, parse


def one(data: bytes) -> None:
    """Nothing but a request, "not yet" or BadRequest comes out, the same for every prefix."""
    try:
        request = parse(data)
    except BadRequest as error:
        assert error.status in (400, 431)
        return
    if request is None:
        assert len(data) <= MOST_BYTES
        return
    assert request.method.isascii() and request.method.isalpha()
    assert "?" not in request.path and "#" not in request.path
    assert all(name == name.lower() for name in request.headers)
