"""The other side of publishers/home_assistant: a real Mosquitto and a subscriber to the states."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from broker import Heard, Listener, Mosquitto, kept_at, wait_for

MARK = "kiezbox/1/mark/home-assistant/mark/mark"


class Receiver:
    LATEST = True

    def __init__(self, folder: Path) -> None:
        self._marks = 0
        self._is_there = True
        self._broker = Mosquitto(
            folder,
            "allow_anonymous true\npersistence true\nautosave_interval 0\nmax_queued_messages 0\n"
            f"persistence_location {folder}/\n",
        )
        self._listener = Listener(self._broker.port, "kiezbox/1/+/home-assistant/+/+", durable=True)

    def settings(self) -> dict[str, Any]:
        return {"host": "127.0.0.1", "port": self._broker.port, "tls": False, "retry_least_s": 0.1}

    def _heard(self) -> list[Heard]:
        """All that has come so far: what is said now to ourselves comes behind it."""
        if self._is_there:
            self._marks += 1
            mark = str(self._marks).encode()
            self._listener._client.publish(MARK, mark, qos=1)
            wait_for(
                lambda: any(each.topic == MARK and each.payload == mark
                            for each in list(self._listener.heard)),
                "the subscriber has caught up",
            )  # fmt: skip
        return [each for each in list(self._listener.heard) if each.topic != MARK]

    def names(self) -> list[str]:
        names = []
        for heard in self._heard():
            assert not heard.is_retained, heard
            _, _, box, _, sensor, quantity = heard.topic.split("/")
            names.append(f"{box}/{sensor}/{quantity}")
        return names

    def values(self) -> list[float]:
        return [heard.json()["value"] for heard in self._heard()]

    def kept(self) -> str:
        """What the broker tells whoever comes now. Of what is taken out of the description its name
        and platform must stay until Home Assistant has read it.
        """
        return re.sub(r'"[^"]+":{"platform":"\w+"}', "", kept_at(self._broker.port))

    def go_away(self) -> None:
        self._is_there = False
        self._broker.stop()

    def come_back(self) -> None:
        self._broker.start()
        self._is_there = True

    def close(self) -> None:
        self._listener.close()
        self._broker.close()
