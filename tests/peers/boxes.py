"""Boxes that share words: settings, keys and logs on disk, all real."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from kiezbox.clock import Clock, SystemClock
from kiezbox.records import Ref
from kiezbox.settings import Settings, parse
from kiezbox.store.box_key import own_key
from kiezbox.store.log import Draft, Log

LIMIT_S = 30.0


class Box:
    """One box's folder. ``settle`` first: its members are known only when all have keys."""

    def __init__(self, folder: Path, name: str, clock: Clock | None = None) -> None:
        self.folder, self.name, self.clock = folder / name, name, clock or SystemClock()
        self.folder.mkdir()
        self.path = self.folder / "kiezbox.toml"
        self.key = own_key(str(self.folder / "kiezbox.db"), str(self.words), name)

    @property
    def words(self) -> Path:
        return self.folder / "words" / "words.db"

    def settle(self, members: Sequence[Box], more: str = "", kiez: str = "") -> None:
        """Write kiezbox.toml."""
        listed = "\n".join(f'{box.name} = "{box.key.public.hex()}"' for box in members)
        self.path.write_text(
            f'[box]\nid = "{self.name}"\n[store]\npath = "{self.folder}/kiezbox.db"\n'
            f'run_dir = "{self.folder}/run"\n{more}\n[kiez]\n{kiez}\n[kiez.members]\n{listed}\n',
            encoding="utf-8",
        )

    @property
    def settings(self) -> Settings:
        import tomllib

        return parse(Settings, tomllib.loads(self.path.read_text(encoding="utf-8")))

    def log(self) -> Log:
        (self.folder / "words").mkdir(exist_ok=True)
        return Log.open(str(self.words), self.clock, box=self.name)

    def post(self, *texts: str, **more: object) -> list[Ref]:
        """Words of residents of this box."""
        log = self.log()
        drafts = [
            Draft(kind="post", fields={"topic": 1, "text": text}, **more)  # type: ignore[arg-type]
            for text in texts
        ]
        try:
            return [added.ref for added in log.add(*drafts)]
        finally:
            log.close()

    def texts(self) -> set[str]:
        log = self.log()
        try:
            return {thing.text for thing in log.things("post", limit=100_000)}
        finally:
            log.close()

    def command(self, *words: str) -> list[str]:
        return [sys.executable, "-m", "kiezbox", *words, "--settings", str(self.path)]

    def sync(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.command("sync", *words), capture_output=True, text=True, timeout=LIMIT_S
        )


def settled(folder: Path, *names: str) -> list[Box]:
    """Boxes that are all members."""
    boxes = [Box(folder, name) for name in names]
    for box in boxes:
        box.settle(boxes)
    return boxes


def wait_for(what: Callable[[], object], why: str, limit_s: float = LIMIT_S) -> None:
    """Until it is so, or fail and say what was waited for."""
    import time

    limit = time.monotonic() + limit_s
    while not what():
        assert time.monotonic() < limit, f"not within {limit_s:g} s: {why}"
        time.sleep(0.01)
