"""A resident with a phone and no script: opens pages, fills in forms, follows where they lead."""

from __future__ import annotations

import re
import socket
from typing import NamedTuple
from urllib.parse import urlencode

from street import LIMIT_S, read_all, split


class Page(NamedTuple):
    """What came back, after at most one redirect."""

    status: int
    path: str
    text: str
    headers: dict[str, str]

    @property
    def token(self) -> str:
        """The form token in it; "" if there is no form."""
        found = re.search(r'name=token value="([0-9a-f]{40})"', self.text)
        return found.group(1) if found else ""


class Resident:
    """``address``: where the phone's connections come from (127.0.0.2 to .254 are phones)."""

    def __init__(self, port: int, *, address: str = "127.0.0.2") -> None:
        self.port = port
        self.address = address
        self.page = Page(0, "", "", {})

    def open(self, path: str, **headers: str) -> Page:
        """A GET."""
        return self._went("GET", path, b"", headers)

    def send(self, path: str, fields: dict[str, str] | None = None, **more: str) -> Page:
        """A POST with the token of the page that is open, as the browser sends a form."""
        form = {"token": self.page.token, **(fields or {}), **more}
        return self.send_raw(path, urlencode(form).encode())

    def send_raw(self, path: str, body: bytes) -> Page:
        return self._went("POST", path, body, {})

    def ask(self, method: str, path: str, body: bytes, headers: dict[str, str]) -> Page:
        """One request, no redirect followed."""
        lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", "Connection: close"]
        if body or method == "POST":
            lines.append("Content-Type: application/x-www-form-urlencoded")
            lines.append(f"Content-Length: {len(body)}")
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        with socket.create_connection(
            ("127.0.0.1", self.port), timeout=LIMIT_S, source_address=(self.address, 0)
        ) as connection:
            connection.sendall("\r\n".join([*lines, "", ""]).encode() + body)
            status, found, content = split(read_all(connection))
        return Page(status, path, content.decode("utf-8", "replace"), found)

    def _went(self, method: str, path: str, body: bytes, headers: dict[str, str]) -> Page:
        page = self.ask(method, path, body, headers)
        if page.status in (302, 303):
            page = self.ask("GET", page.headers["location"], b"", headers)
        self.page = page
        return page
