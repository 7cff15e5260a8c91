"""A box with one source: its settings, its log, its faults, and what a resident would be shown."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import caps
from serving import Server

from kiezbox.clock import ManualClock
from kiezbox.node.fetching import Fetching, fetch_of
from kiezbox.settings import Settings, parse
from kiezbox.store.box_key import own_public
from kiezbox.store.log import Log
from kiezbox.trust import Trust


class Faults:
    """Those that are open: source → (kind, message)."""

    def __init__(self) -> None:
        self.open: dict[str, tuple[str, str]] = {}

    def open_fault(self, source: str, kind: str, message: str, hint: str = "") -> bool:
        is_new = source not in self.open
        self.open[source] = kind, message
        return is_new

    def close_fault(self, source: str) -> bool:
        return self.open.pop(source, None) is not None


class Box:
    """``nina`` and ``dwd`` make the task of one source; ``shown`` is what its log shows."""

    def __init__(self, folder: Path, server: Server, clock: ManualClock) -> None:
        self.folder, self.server, self.clock = folder, server, clock
        self.faults = Faults()
        #: What chance says, from 0 to 1; in the middle pauses are as the settings say.
        self.chance = 0.5
        self._tasks: list[Fetching] = []

    def nina(self, name: str = "nina", **more: Any) -> Fetching:
        return self._task(name, {"driver": "nina", "ars": caps.ARS, **more})

    def dwd(self, name: str = "dwd", **more: Any) -> Fetching:
        table = {"driver": "dwd", "cells": [caps.CELL], "product": "status.zip", **more}
        return self._task(name, {n: v for n, v in table.items() if v is not None})

    def _task(self, name: str, table: dict[str, Any]) -> Fetching:
        table = {"url": self.server.url, "timeout_s": 1.0, **table}
        settings = self.settings({name: table})
        task = fetch_of(name, settings, self.faults, self.clock, chance=lambda: self.chance).task()
        self._tasks.append(task)
        return task

    def settings(self, sources: dict[str, Any]) -> Settings:
        latitude, longitude = caps.HERE
        box = {"id": "kb-1", "latitude": latitude, "longitude": longitude}
        store = {"path": str(self.folder / "kiezbox.db"), "run_dir": str(self.folder / "run")}
        return parse(Settings, {"box": box, "store": store, "sources": sources})

    @property
    def words(self) -> str:
        return str(self.folder / "words" / "words.db")

    def log(self) -> Log:
        judge = Trust((), self.clock, own=own_public(self.words)).judge
        return Log.open(self.words, self.clock, box="kb-1", judge=judge)

    def kept(self) -> list[dict[str, Any]]:
        """The fields of all warnings in the log, oldest first."""
        log = self.log()
        try:
            return [told.body for told in log.records("warning")]
        finally:
            log.close()

    def close(self) -> None:
        for task in self._tasks:
            task.close()
