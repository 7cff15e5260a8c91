"""The other side of publishers/influx: a web server that reads line protocol and keeps it all."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from contracts.receivers._influx import Point, points
from publishers.web import Asked, Said, WebServer

from kiezbox.senml import id_text

SUFFIXES = {"_suspect": ":suspect", "_bad": ":bad"}


class Receiver:
    def __init__(self, folder: Path) -> None:
        self._points: list[Point] = []
        self._server = WebServer(self._write)

    def _write(self, asked: Asked) -> Said:
        if asked.target != "/api/v2/write?bucket=kiez&precision=ms":
            return Said(404, b'{"code":"not found"}')
        try:
            self._points += points(asked.body)
        except (ValueError, IndexError) as error:
            return Said(400, str(error).encode())
        return Said(204)

    def settings(self) -> dict[str, Any]:
        return {"url": self._server.url, "bucket": "kiez"}

    def ids(self) -> list[str]:
        return [id_text(point.fields["serial"]) for point in self._points]

    def names(self) -> list[str]:
        names = []
        for point in self._points:
            quantity, flag = point.measurement, ""
            for suffix, word in SUFFIXES.items():
                if quantity.endswith(suffix):
                    quantity, flag = quantity.removesuffix(suffix), word
            names.append(f"{point.tags['box']}/{point.tags['sensor']}/{quantity}{flag}")
        return names

    def kept(self) -> str:
        return ""  # What it has was sent; nobody fetches anything from us.

    def go_away(self) -> None:
        self._server.stop()

    def come_back(self) -> None:
        self._server.start()

    def close(self) -> None:
        self._server.close()
