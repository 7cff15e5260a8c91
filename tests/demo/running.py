"""A real ``kiezbox demo`` in a process of its own, looked at from outside."""

from __future__ import annotations

import http.client
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

#: Everything here waits for conditions; nothing ever waits longer than this.
LIMIT_S = 60.0


def wait_for(what: Callable[[], Any], why: str, limit_s: float = LIMIT_S) -> Any:
    """The first true answer, or a failure that says what was waited for."""
    limit = time.monotonic() + limit_s
    while True:
        answer = what()
        if answer:
            return answer
        assert time.monotonic() < limit, f"not within {limit_s:g} s: {why}"
        time.sleep(0.05)


class Demo:
    """A context manager. ``folders`` is where it may put its temporary folder, and nothing else."""

    def __init__(self, folders: Path, *arguments: str) -> None:
        self.folders = folders
        self._started_at = time.monotonic()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "kiezbox", "demo", "--port", "0", *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**os.environ, "XDG_RUNTIME_DIR": str(folders)},
            text=True,
            start_new_session=True,
        )
        assert self.process.stdout is not None
        #: The line with the address; empty if the demo ended before.
        self.line = self.process.stdout.readline()
        #: Seconds from the command to that line.
        self.ready_s = time.monotonic() - self._started_at
        if not self.line:
            raise AssertionError(f"no demo: {self.process.communicate(timeout=LIMIT_S)[1]}")
        #: And the one that says how to be a helper.
        self.helper_line = self.process.stdout.readline()
        self.address = self.line.split(" at ")[1].split()[0]
        self.host = self.address.removeprefix("http://").rstrip("/")

    def __enter__(self) -> Demo:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.terminate()
        self.process.communicate(timeout=LIMIT_S)

    def ask(
        self, method: str, path: str, body: bytes | None = None, **headers: str
    ) -> tuple[int, bytes]:
        """(status, body) of one request; ``content_type=`` is the header Content-Type."""
        connection = http.client.HTTPConnection(self.host, timeout=LIMIT_S)
        try:
            named = {name.replace("_", "-").title(): value for name, value in headers.items()}
            connection.request(method, path, body, named)
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def press(self, switch: str, box: str, value: Any = None) -> None:
        """Throw a switch as the page does."""
        order = json.dumps({"switch": switch, "box": box, "value": value}).encode()
        status, answer = self.ask(
            "POST", "/switch", order, content_type="application/json", origin=self.address[:-1]
        )
        assert status == 200, answer

    def kiez(self, box: str = "") -> dict[str, Any]:
        """What the page shows."""
        status, answer = self.ask("GET", f"/kiez.json?box={box}")
        assert status == 200
        document: dict[str, Any] = json.loads(answer)
        return document

    def box(self, name: str) -> dict[str, Any]:
        """One box of it."""
        found: dict[str, Any] = next(box for box in self.kiez()["boxes"] if box["id"] == name)
        return found

    def feature(self, name: str) -> dict[str, Any]:
        """What that box itself says, asked at its portal and not at the demo's page."""
        port = self.box(name)["portal"].rpartition(":")[2].rstrip("/")
        connection = http.client.HTTPConnection("127.0.0.1", int(port), timeout=LIMIT_S)
        try:
            connection.request("GET", "/situation.geojson")
            feature: dict[str, Any] = json.loads(connection.getresponse().read())["features"][0]
            return feature
        finally:
            connection.close()

    def situation(self, name: str) -> dict[str, Any]:
        """The properties of that feature."""
        properties: dict[str, Any] = self.feature(name)["properties"]
        return properties

    def processes(self) -> list[int]:
        """Every process whose command line names this demo's folders, the demo itself left out."""
        found = []
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                try:
                    command = (entry / "cmdline").read_bytes()
                except OSError:
                    continue
                if os.fsencode(self.folders) in command:
                    found.append(int(entry.name))
        return found

    def interrupt(self) -> None:
        """Ctrl-C, as the terminal sends it."""
        self.process.send_signal(signal.SIGINT)
