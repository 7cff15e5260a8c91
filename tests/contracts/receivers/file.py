"""The other side of publishers/file: a folder that can be pulled out, as a stick can."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from senml_rfc8428 import resolve


class Receiver:
    def __init__(self, folder: Path) -> None:
        self._stick, self._drawer = folder / "stick", folder / "drawer"
        self._stick.mkdir()

    def settings(self) -> dict[str, Any]:
        return {"path": str(self._stick / "readings.senml")}

    def _records(self) -> list[dict[str, Any]]:
        path = self._stick / "readings.senml"
        lines = path.read_bytes().splitlines() if path.exists() else []
        return [record for line in lines for record in resolve(line)]

    def ids(self) -> list[str]:
        return [str(record["id"]) for record in self._records()]

    def names(self) -> list[str]:
        return [str(record["n"]) for record in self._records()]

    def kept(self) -> str:
        return ""  # What it has was sent; nobody fetches anything from us.

    def go_away(self) -> None:
        self._stick.rename(self._drawer)

    def come_back(self) -> None:
        self._drawer.rename(self._stick)

    def close(self) -> None: ...
