"""A real Chromium, spoken to over its DevTools pipe (no port, no packages)."""

from __future__ import annotations

import json
import os
import select
import shutil
import subprocess
import tempfile
import time
from collections.abc import Sequence
from types import TracebackType
from typing import Any

import pytest

LIMIT_S = 60.0

#: Quiet: no update, no sync, nothing beyond loopback.
FLAGS = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--hide-scrollbars",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--remote-debugging-pipe",
]


class Chromium:
    """One browser with one page. ``--remote-debugging-pipe``: commands on 3, answers on 4, each a
    JSON document that ends in a zero byte.
    """

    def __init__(self, within: Sequence[str] = ()) -> None:
        """``within``: words before the browser's own that start it somewhere else."""
        program = shutil.which("chromium") or shutil.which("chromium-browser")
        if program is None:
            pytest.skip("no Chromium here: apt install chromium")
        self._profile = tempfile.mkdtemp(prefix="kiezbox-chromium-")
        theirs_in, self._to = os.pipe()
        self._from, theirs_out = os.pipe()
        self._process = subprocess.Popen(
            ["bash", "-c", f'exec "$0" "$@" 3<&{theirs_in} 4>&{theirs_out}', *within, program,
             *FLAGS, f"--user-data-dir={self._profile}", "about:blank"],
            pass_fds=[theirs_in, theirs_out],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        os.close(theirs_in)
        os.close(theirs_out)
        self._received = b""
        self._number = 0
        self._session = ""
        targets = self.ask("Target.getTargets")["targetInfos"]
        page = next(target["targetId"] for target in targets if target["type"] == "page")
        self._session = self.ask("Target.attachToTarget", targetId=page, flatten=True)["sessionId"]
        self.ask("Page.enable")

    def __enter__(self) -> Chromium:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        os.close(self._to)
        os.close(self._from)
        try:
            # Its pipe is closed: it ends by itself, with all its children.
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(10)
        shutil.rmtree(self._profile, ignore_errors=True)

    def ask(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Call a DevTools method and return its result."""
        self._number += 1
        call = {"id": self._number, "method": method, "params": parameters}
        if self._session:
            call["sessionId"] = self._session
        os.write(self._to, json.dumps(call).encode() + b"\0")
        answer = self._wait_for(lambda message: message.get("id") == call["id"], method)
        assert "error" not in answer, (method, answer["error"])
        result: dict[str, Any] = answer["result"]
        return result

    def open(self, url: str, width: int, height: int = 800) -> None:
        """Show a page on a phone's screen of so many CSS pixels."""
        self.ask(
            "Emulation.setDeviceMetricsOverride",
            width=width, height=height, deviceScaleFactor=1, mobile=True,
        )  # fmt: skip
        self.ask("Page.navigate", url=url)
        self.wait_for_page(url)

    def wait_for_page(self, what: str) -> None:
        """Until the next page is there."""
        self._wait_for(lambda message: message.get("method") == "Page.loadEventFired", what)

    def _wait_for(self, is_it: Any, what: str) -> dict[str, Any]:
        limit = time.monotonic() + LIMIT_S
        while True:
            while b"\0" not in self._received:
                readable, _, _ = select.select([self._from], [], [], limit - time.monotonic())
                assert readable, f"Chromium does not answer: {what}"
                piece = os.read(self._from, 1 << 20)
                assert piece, f"Chromium has gone: {what}"
                self._received += piece
            message, _, self._received = self._received.partition(b"\0")
            found: dict[str, Any] = json.loads(message)
            if is_it(found):
                return found
