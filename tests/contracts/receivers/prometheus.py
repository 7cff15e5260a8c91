"""The other side of publishers/prometheus: somebody who asks every few milliseconds, and reads the
answers with Prometheus' own Python parser.
"""

from __future__ import annotations

import http.client
import socket
import threading
from pathlib import Path
from typing import Any

from broker import LIMIT_S, free_port
from prometheus_client.parser import text_string_to_metric_families

TIMES = "kiezbox_reading_timestamp_seconds"


class Receiver:
    LATEST = True

    def __init__(self, folder: Path) -> None:
        self._port = free_port()
        self._heard: list[tuple[str, float]] = []
        self._last: dict[str, tuple[float, float]] = {}
        self._is_over = threading.Event()
        self._may_ask = threading.Event()
        self._lock = threading.Lock()
        self._plug: socket.socket | None = None
        self.come_back()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def settings(self) -> dict[str, Any]:
        return {"port": self._port, "silent_s": 0.9}

    def _run(self) -> None:
        while not self._is_over.wait(0.002):
            self._ask_now()

    def _ask_now(self) -> None:
        with self._lock:
            if self._may_ask.is_set():
                self._ask()

    def _ask(self) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=LIMIT_S)
        try:
            connection.request("GET", "/metrics")
            answer = connection.getresponse()
            assert answer.status == 200
            text = answer.read().decode()
        except OSError:
            return
        finally:
            connection.close()
        families = {family.name: family for family in text_string_to_metric_families(text)}
        values = {
            (sample.labels["box"], sample.labels["sensor"]): sample.value
            for name, family in families.items()
            if name != TIMES
            for sample in family.samples
        }
        for sample in families[TIMES].samples if TIMES in families else ():
            box, sensor, quantity = (sample.labels[key] for key in ("box", "sensor", "quantity"))
            name, said = f"{box}/{sensor}/{quantity}", (sample.value, values[box, sensor])
            if self._last.get(name) != said:
                self._last[name] = said
                self._heard.append((name, values[box, sensor]))

    def names(self) -> list[str]:
        self._ask_now()
        return [name for name, _ in self._heard]

    def values(self) -> list[float]:
        self._ask_now()
        return [value for _, value in self._heard]

    def kept(self) -> str:
        """The page as it is now."""
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=LIMIT_S)
        try:
            connection.request("GET", "/metrics")
            return connection.getresponse().read().decode()
        finally:
            connection.close()

    def go_away(self) -> None:
        """Nobody asks any more; and if the publisher does not listen yet, it cannot."""
        with self._lock:
            self._may_ask.clear()
        try:
            self._plug = socket.create_server(("127.0.0.1", self._port))
        except OSError:
            self._plug = None

    def come_back(self) -> None:
        if self._plug is not None:
            self._plug.close()
        self._may_ask.set()

    def close(self) -> None:
        self._is_over.set()
        self._thread.join(LIMIT_S)
        if self._plug is not None:
            self._plug.close()
