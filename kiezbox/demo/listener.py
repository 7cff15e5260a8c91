"""Counts what really arrived at the broker: a subscriber of its own, past every proxy.

A reading that came twice is counted once and noted as a repeat; it is told by (box, id), as any
receiver would (docs/mqtt.md).
"""

from __future__ import annotations

import json
import threading
from typing import Any, NamedTuple

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

#: All boxes' readings. The broker is the demo's own, so nothing else is there.
TOPIC = "kiezbox/1/+/readings"


class Arrived(NamedTuple):
    """What came from one box."""

    readings: int = 0
    repeats: int = 0
    messages: int = 0


class Listener:
    """``arrived(box)`` at any time, from any thread."""

    def __init__(self, port: int) -> None:
        self._lock = threading.Lock()
        self._seen: dict[str, set[str]] = {}
        self._counts: dict[str, Arrived] = {}
        # 3.1.1, because amqtt speaks nothing else.
        self._client = Client(
            CallbackAPIVersion.VERSION2,
            client_id="demo-listener",
            protocol=MQTTProtocolVersion.MQTTv311,
        )
        self._is_listening = False
        self._client.on_connect = lambda client, *_: client.subscribe(TOPIC, qos=1)
        self._client.on_subscribe = self._on_subscribe
        self._client.on_message = self._on_message
        self._client.reconnect_delay_set(1, 2)
        self._client.connect_async("127.0.0.1", port)
        self._client.loop_start()

    def is_listening(self) -> bool:
        """Whether the broker has said that we hear everything from now on."""
        return self._is_listening

    def arrived(self, box: str) -> Arrived:
        """What came from this box so far."""
        with self._lock:
            return self._counts.get(box, Arrived())

    def close(self) -> None:
        """Leave the broker. Idempotent."""
        self._client.disconnect()
        self._client.loop_stop()

    def _on_subscribe(self, *_: Any) -> None:
        self._is_listening = True

    def _on_message(self, client: Client, userdata: Any, message: MQTTMessage) -> None:
        box = message.topic.split("/")[2]
        ids = _ids(message.payload)
        with self._lock:
            seen = self._seen.setdefault(box, set())
            before = len(seen)
            seen.update(ids)
            fresh = len(seen) - before
            was = self._counts.get(box, Arrived())
            self._counts[box] = Arrived(
                was.readings + fresh, was.repeats + len(ids) - fresh, was.messages + 1
            )


def _ids(payload: bytes | bytearray) -> list[str]:
    """The readings' ids in one SenML pack (RFC 8428); none where it is no such pack."""
    try:
        pack = json.loads(payload)
        return [record["id"] for record in pack if "id" in record]
    except (ValueError, TypeError):
        return []
