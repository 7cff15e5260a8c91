"""The other side of publishers/opensensemap: checks as theirs does, and keeps what it took."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

from publishers.web import Asked, Said, WebServer

BOX, TOKEN = "57000b8745fd40c8196ad04c", "Im-a-token_0123456789abcdef"
SENSORS = {
    "roof": "5fb7c0ffee00000000000001",
    "flat": "5fb7c0ffee00000000000002",
    "forgotten": "5fb7c0ffee00000000000003",
}

#: As contracts/test_publishers.py counts: an id there is the time here.
BASE_MS, BOOT = 1_779_990_000_000, 3


class Receiver:
    def __init__(self, folder: Path) -> None:
        self._token = folder / "opensensemap-token"
        self._token.write_text(TOKEN + "\n")
        #: (sensor's id, Unix milliseconds, value)
        self.taken: list[tuple[str, int, float]] = []
        self.server = WebServer(self._take)

    def _take(self, asked: Asked) -> Said:
        if asked.target != f"/boxes/{BOX}/data":
            return Said(404, b'{"code":"NotFound","message":"Box not found"}')
        # measurementsController.js: box.access_token !== req.headers.authorization
        if asked.headers.get("authorization") != TOKEN:
            return Said(401, b'{"code":"Unauthorized","message":"Box access token not valid!"}')
        measurements = json.loads(asked.body)
        problem = _problem(measurements)
        if problem:
            return Said(
                422, json.dumps({"code": "UnprocessableEntity", "message": problem}).encode()
            )
        for each in measurements:
            taken_ms = round(datetime.fromisoformat(each["createdAt"]).timestamp() * 1000)
            self.taken.append((each["sensor"], taken_ms, float(each["value"])))
        return Said(201, b'"Measurements saved in box"')

    def settings(self) -> dict[str, Any]:
        sensors = {name: {"temperature_c": id_} for name, id_ in SENSORS.items()}
        return {
            "url": self.server.url,
            "box_id": BOX,
            "token_file": str(self._token),
            "sensors": sensors,
        }

    def ids(self) -> list[str]:
        return [f"{BOOT}-{(taken_ms - BASE_MS) // 1000}" for _, taken_ms, _ in self.taken]

    def names(self) -> list[str]:
        names = {id_: name for name, id_ in SENSORS.items()}
        return [f"kb-1/{names[sensor]}/temperature_c" for sensor, _, _ in self.taken]

    def kept(self) -> str:
        return ""  # What it has was sent; nobody fetches anything from us.

    def go_away(self) -> None:
        self.server.stop()

    def come_back(self) -> None:
        self.server.start()

    def close(self) -> None:
        self.server.close()


def _problem(measurements: list[dict[str, str]]) -> str:
    """What validators.js says (transformAndValidateMeasurements)."""
    if len(measurements) > 2500:
        return "too many measurements. please submit at most 2500 measurements at once"
    for each in measurements:
        if not each.get("sensor"):
            return "missing sensor id"
        if not isinstance(each.get("value"), str) or not each["value"]:
            return "missing value"
        if each["sensor"] not in SENSORS.values():
            return f"sensor {each['sensor']} not found"
        datetime.fromisoformat(each["createdAt"])
    return ""
