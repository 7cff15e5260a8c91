"""The other side of publishers/lorawan: a modem that can be unplugged, and what the payload
formatter of the network makes of its uplinks.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from publishers.lora_side import Radio, decoded

from kiezbox.hardware.simulated.serial_line import Unplug


class Receiver:
    LATEST = True

    def __init__(self, folder: Path) -> None:
        self._radio = Radio(folder)

    def settings(self) -> dict[str, Any]:
        return self._radio.settings()

    def _heard(self) -> list[tuple[str, float]]:
        names = tuple(self._radio.settings()["sensors"])
        heard = []
        for uplink in list(self._radio.network.uplinks):
            data = decoded(uplink.payload, uplink.port, names)["data"]
            for sensor in names:
                for quantity, value in data.get(sensor, {}).items():
                    heard.append((f"kb-1/{sensor}/{quantity}", float(value)))
        return heard

    def names(self) -> list[str]:
        return [name for name, _ in self._heard()]

    def values(self) -> list[float]:
        return [value for _, value in self._heard()]

    def kept(self) -> str:
        return ""  # What it has was sent; nobody fetches anything from us.

    def go_away(self) -> None:
        self._radio.line.fault(Unplug())

    def come_back(self) -> None:
        self._radio.line.fault(None)

    def close(self) -> None:
        self._radio.close()
