"""What the four January days are played on: a box on disk, its portal, a phone, the box's verbs."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

TESTS = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(TESTS / "portal"), str(TESTS)]

from chromium import Chromium  # noqa: E402
from judge import Judge  # noqa: E402
from residents import Resident  # noqa: E402
from street import fresh, outage, running, wait_for, write_facts  # noqa: E402

from kiezbox.clock import SystemClock  # noqa: E402
from kiezbox.place.invented import invented  # noqa: E402
from kiezbox.store.log import Log  # noqa: E402
from kiezbox.store.places import write_package  # noqa: E402

__all__ = ["BOX", "Box", "Chromium", "Phone", "Resident", "wait_for"]

BOX = "kb-musterplatz-1"

LIMIT_S = 60.0

TOML = """
[box]
id = "{box}"
[store]
path = "{folder}/kiezbox.db"
run_dir = "{folder}/run"
[trust]
roots = [{roots}]
[abuse]
moderator_key = "{folder}/moderator.key"
[clock]
wall_anchor = 1.0
"""


class Box:
    """A box in an outage. Its portal may be killed and started again at the same address."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = _free_port()
        self.write_settings()
        self.keep_fresh()
        write_package_of(folder)
        Log.open(str(folder / "words" / "words.db"), SystemClock(), box=BOX).close()

    def write_settings(self, *roots: str) -> None:
        named = ", ".join(f'"{root}"' for root in roots)
        (self.folder / "kiezbox.toml").write_text(
            TOML.format(box=BOX, folder=self.folder, roots=named)
        )

    def keep_fresh(self, **changes: Any) -> None:
        """now.json as the node writes it at this moment, five hours into the outage."""
        made = outage(5.0, **changes)
        document = fresh(made)
        shift = document["written_at"] - made["written_at"]
        for part in (document["mode"], document["grid"], *document["mode"]["causes"]):
            part["since"] += shift
        write_facts(self.folder / "run", document)

    @contextmanager
    def portal(self) -> Iterator[subprocess.Popen[str]]:
        arguments = [
            *("--run-dir", str(self.folder / "run"), "--store", str(self.folder / "kiezbox.db")),
            *("--secrets", str(self.folder), "--listen", f"127.0.0.1:{self.port}"),
        ]
        with running(arguments) as found:
            yield found.process

    def says(self, *words: str, typed: str = "") -> str:
        """What a verb of the box's command line prints."""
        done = subprocess.run(
            [sys.executable, "-m", "kiezbox", *words],
            cwd=self.folder, capture_output=True, text=True, timeout=LIMIT_S, input=typed,
            env={**os.environ, "KIEZBOX_SETTINGS": str(self.folder / "kiezbox.toml")},
        )  # fmt: skip
        assert done.returncode == 0, (words, done.stdout, done.stderr)
        return done.stdout

    def listed(self, *words: str) -> Any:
        return json.loads(self.says(*words, "--json"))


class Phone(Judge):
    """A phone of 360 px whose browser runs no script; whoever holds it taps and types."""

    def __init__(self, chromium: Chromium, box: Box) -> None:
        super().__init__(chromium)
        self._box = box

    def go(self, path: str) -> None:
        self.open(f"http://127.0.0.1:{self._box.port}{path}")

    @property
    def text(self) -> str:
        """What stands on the screen."""
        return str(self.see("document.body.innerText"))

    @property
    def path(self) -> str:
        return str(self.see("location.pathname"))

    def write(self, field: str, text: str, *, within: str = "main") -> None:
        """Tap a field and type."""
        self.see(f"document.querySelector('{within} [name={field}]').focus()")
        self.chromium.ask("Input.insertText", text=text)

    def tick(self, field: str, value: str) -> None:
        """Tap a row of choices."""
        self.see(f"document.querySelector('[name={field}][value=\"{value}\"]').click()")

    def tap(self, selector: str) -> None:
        """Tap what leads to another page, and wait for it."""
        self.see(f"document.querySelector({json.dumps(selector)}).click()")
        self.chromium.wait_for_page(selector)
        self.stay()

    def reload(self) -> None:
        """Once more what was sent last, as the browser offers it."""
        self.chromium.ask("Page.reload")
        self.chromium.wait_for_page("the same again")
        self.stay()


def write_package_of(folder: Path) -> None:
    (folder / "place").mkdir()
    write_package(invented(1, zone="Europe/Berlin"), str(folder / "place" / "place.db"))


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
