"""The other side of publishers/sensor_community: takes what its own firmware sends, no more."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from publishers.web import Asked, Said, WebServer

ID = "raspi-0123456789abcdef"

#: What airrohr-firmware sends for a pin, without the sensor's prefix (ext_def.h and the fetchSensor
#: functions in airrohr-firmware.ino).
FIRMWARE = {
    "1": {"P0", "P1", "P2", "P4"},
    "3": {"temperature", "pressure"},
    "7": {"temperature", "humidity"},
    "11": {"temperature", "humidity", "pressure"},
    "13": {"temperature"},
    "15": {"noise_LAeq", "noise_LA_min", "noise_LA_max"},
}


class Receiver:
    LATEST = True

    def __init__(self, folder: Path) -> None:
        self._sensors = {"roof": 11, "flat": 7, "forgotten": 13}
        self.taken: list[tuple[str, str, float]] = []
        self.status = 201
        self.server = WebServer(self._take)

    def _take(self, asked: Asked) -> Said:
        headers = asked.headers
        if asked.target != "/v1/push-sensor-data/":
            return Said(301, headers=(("Location", "/v1/push-sensor-data/"),))
        if headers.get("x-sensor") != ID:
            return Said(403, b'{"detail":"Node not found in database."}')
        if self.status != 201:
            return Said(self.status)
        pin, body = headers["x-pin"], json.loads(asked.body)
        assert headers["content-type"] == "application/json"
        assert set(body) == {"software_version", "sensordatavalues"}
        for value in body["sensordatavalues"]:
            assert set(value) == {"value_type", "value"} and isinstance(value["value"], str)
            if value["value_type"] not in FIRMWARE[pin]:
                return Said(400, b'{"sensordatavalues":"unknown value_type"}')
            self.taken.append((pin, value["value_type"], float(value["value"])))
        return Said(201, b'{"id":1}')

    def settings(self) -> dict[str, Any]:
        sensors = {name: {"pin": pin} for name, pin in self._sensors.items()}
        return {"url": self.server.url, "sensor_id": ID, "sensors": sensors}

    def names(self) -> list[str]:
        sensors = {str(pin): name for name, pin in self._sensors.items()}
        return [f"kb-1/{sensors[pin]}/{name}_c" for pin, name, _ in self.taken]

    def values(self) -> list[float]:
        return [value for _, _, value in self.taken]

    def kept(self) -> str:
        return ""  # What it has was sent; nobody fetches anything from us.

    def go_away(self) -> None:
        self.server.stop()

    def come_back(self) -> None:
        self.server.start()

    def close(self) -> None:
        self.server.close()
