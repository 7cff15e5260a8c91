"""A desk over real folders, with a clock that a test may move, asked through Flask's client."""

from __future__ import annotations

import json
import re
import threading
from pathlib import Path
from typing import Any

import pytest

flask = pytest.importorskip("flask", reason="skipped, because Flask is not installed")

from kiezbox.desk.app import COOKIE, create_app  # noqa: E402
from kiezbox.desk.vault import Vault  # noqa: E402

PASSPHRASE = "vier Wörter und ein Baum"


class MovableClock:
    def __init__(self) -> None:
        self.time_s = 1_800_000_000.0

    def now(self) -> float:
        return self.time_s

    def monotonic(self) -> float:
        return self.time_s - 1_799_000_000.0

    def is_trusted(self) -> bool:
        return True

    def wait(self, event: threading.Event, timeout_s: float) -> bool:
        raise AssertionError("the desk waits for nothing")


class Desk:
    """The application, its folders, and visitors."""

    def __init__(self, folder: Path) -> None:
        self.clock = MovableClock()
        self.folders = {name: folder / name for name in ("node", "run", "state")}
        for each in self.folders.values():
            each.mkdir()
        run, state = str(self.folders["run"]), str(self.folders["state"])
        self.vault = Vault(run, state, self.clock)
        self.app = create_app(str(self.folders["node"]), run, state, clock=self.clock)

    def visitor(self, address: str = "127.0.0.1") -> Visitor:
        return Visitor(self, address)

    def operator(self) -> Visitor:
        """Somebody who has claimed the box and is logged in."""
        visitor = self.visitor()
        assert visitor.claim(self.vault.new_code()).status_code == 303
        return visitor

    def tell(self, **facts: Any) -> None:
        """What the node says just now."""
        text = json.dumps({"written_at": self.clock.now(), **facts})
        (self.folders["node"] / "now.json").write_text(text)

    def files(self) -> dict[str, str]:
        found = [path for each in self.folders.values() for path in each.rglob("*")]
        return {path.name: path.read_text() for path in found}


class Visitor:
    """A browser: it keeps cookies, and sends back the hidden field of the form it was shown."""

    def __init__(self, desk: Desk, address: str) -> None:
        self.client = desk.app.test_client()
        self.address = address

    def get(self, path: str, **more: Any) -> Any:
        return self.client.get(path, environ_base={"REMOTE_ADDR": self.address}, **more)

    def token(self, path: str) -> str:
        shown = self.get(path).get_data(as_text=True)
        return re.search(r'name="token" value="(\w+)"', shown)[1]  # type: ignore[index]

    def post(self, path: str, form: Any, **more: Any) -> Any:
        return self.client.post(path, data=form, environ_base={"REMOTE_ADDR": self.address}, **more)

    def claim(self, code: str, passphrase: str = PASSPHRASE, again: str | None = None) -> Any:
        form = {"code": code, "passphrase": passphrase, "token": self.token("/claim")}
        return self.post("/claim", {**form, "again": passphrase if again is None else again})

    def login(self, passphrase: str = PASSPHRASE) -> Any:
        return self.post("/login", {"passphrase": passphrase, "token": self.token("/login")})

    def is_in(self) -> bool:
        return "/logout" in self.get("/").get_data(as_text=True)

    def cookie(self) -> str:
        found = self.client.get_cookie(COOKIE)
        return found.value if found else ""
