"""Asking the portal without a process: a guest, and what it is answered."""

from __future__ import annotations

import json
from copy import copy
from pathlib import Path
from typing import Any

from kiezbox.portal.answers import Answer, answer, behind, own
from kiezbox.portal.forms import Forms
from kiezbox.portal.guests import Guests
from kiezbox.portal.request import Request
from kiezbox.portal.sight import Sight

#: The box's own addresses and names, as in ``street.NORMAL``.
BOX, NAME, HTTPS_NAME = "198.51.100.1", "kiezbox.internal", "portal.example.org"

GUEST = "10.42.0.7"

FORM = "application/x-www-form-urlencoded"


class Clock:
    """Time that passes when told to; the same for both clocks of ``Guests``."""

    def __init__(self, now: float = 1_767_466_800.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


class Portal:
    """A portal over a folder with ``run/now.json`` and a store."""

    def __init__(self, sight: Sight, joined: Path | None = None) -> None:
        self.sight = sight
        self.clock = Clock()
        self._joined = str(joined or "/nonexistent")
        self.forms = Forms()
        self.guests = Guests()
        self.restart()

    def restart(self) -> None:
        """The process dies and another begins."""
        self.guests = Guests(joined_dir=self._joined, monotonic=self.clock, wall=self.clock)

    def ask(
        self,
        path: str = "/",
        method: str = "GET",
        *,
        host: str = BOX,
        client: str = GUEST,
        local: str = BOX,
        body: bytes = b"",
        is_tls: bool = False,
        **headers: str,
    ) -> Shown:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        path, _, query = path.partition("?")
        # As request.py does: lower case, no port, no dot at the end.
        plain = (host.partition(":")[0] if host.count(":") == 1 else host).lower().removesuffix(".")
        request = Request(
            method, plain, path, query, {"host": host, **named},
            client=client, local=local, is_tls=is_tls, body=body,
        )  # fmt: skip
        return Shown(self.whole(request))

    def whole(self, request: Request) -> Answer:
        """The answer as the responder sends it."""
        found = copy(answer(request, self.sight, self.guests, self.forms))
        found.headers = [*found.headers]
        if found.is_slow:
            found = behind(request.path, request.headers, self.sight)
        if found.slot:
            found.body = found.filled(own(request.path, self.guests, self.forms)(request.client))
        if request.method == "HEAD":
            found.headers.append(("Content-Length", str(len(found.body))))
            found.body = b""
        return found

    def stay(self, client: str = GUEST, language: str = "") -> Shown:
        """What a guest does who reads the page and presses the button."""
        token = self.ask("/", client=client).token
        return self.ask(f"{language}/stay", "POST", client=client, body=b"token=" + token)


class Shown:
    """Status, headers by their lower-case names, body."""

    def __init__(self, found: Answer) -> None:
        self.status = found.status
        self.headers = {name.lower(): value for name, value in found.headers}
        self.body = found.body
        assert len(self.headers) == len(found.headers), "a header stands twice"

    @property
    def text(self) -> str:
        return self.body.decode()

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def location(self) -> str:
        return self.headers["location"]

    @property
    def token(self) -> bytes:
        """What the form on the page would send."""
        _, found, rest = self.body.partition(b'name=token value="')
        assert found, "no form on the page"
        return rest.partition(b'"')[0]
