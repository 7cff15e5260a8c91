"""The other side of publishers/mqtt: a real Mosquitto and a subscriber that it remembers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from broker import Listener, Mosquitto, kept_at, records_of


class Receiver:
    def __init__(self, folder: Path) -> None:
        self._broker = Mosquitto(
            folder,
            "allow_anonymous true\npersistence true\nautosave_interval 0\nmax_queued_messages 0\n"
            f"persistence_location {folder}/\n",
        )
        self._listener = Listener(self._broker.port, durable=True)

    def settings(self) -> dict[str, Any]:
        return {"host": "127.0.0.1", "port": self._broker.port, "tls": False, "retry_least_s": 0.1}

    def ids(self) -> list[str]:
        return [str(record["id"]) for record in records_of(self._listener.on("readings"))]

    def names(self) -> list[str]:
        return [str(record["n"]) for record in records_of(self._listener.on("readings"))]

    def kept(self) -> str:
        """What the broker tells whoever comes now; behind it comes what he says to himself."""
        return kept_at(self._broker.port)

    def go_away(self) -> None:
        self._broker.stop()

    def come_back(self) -> None:
        self._broker.start()

    def close(self) -> None:
        self._listener.close()
        self._broker.close()
