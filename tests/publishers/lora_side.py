"""The other side of LoRaWAN: a simulated modem on a pseudo-terminal, the network behind it, and the
payload formatter that people paste into The Things Stack, run by node.
"""

from __future__ import annotations

import json
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

from kiezbox.hardware.simulated.lora_modem import (
    Network,
    SimulatedE5,
    SimulatedLoraModem,
    SimulatedRak3172,
)
from kiezbox.hardware.simulated.serial_line import SerialLine

DECODER = Path(__file__).resolve().parents[2] / "docs" / "lorawan" / "decoder.js"

#: Of nobody's device.
DEV_EUI, JOIN_EUI, APP_KEY = (
    "70B3D57ED0000001",
    "0000000000000000",
    "00112233445566778899AABBCCDDEEFF",
)
MODEMS: dict[str, type[SimulatedLoraModem]] = {"rak3172": SimulatedRak3172, "e5": SimulatedE5}


@cache
def decoded(payload: bytes, port: int, names: tuple[str, ...] = ()) -> dict[str, Any]:
    """What the unchanged decoder.js says of an uplink."""
    source = DECODER.read_text(encoding="utf-8")
    if names:
        source = source.replace("var NAMES = [];", f"var NAMES = {json.dumps(names)};")
    script = f"{source}\nconsole.log(JSON.stringify(decodeUplink({{fPort: {port}, bytes: "
    script += f"{list(payload)}}})));"
    done = subprocess.run(
        ["node", "-e", script], capture_output=True, text=True, timeout=30, check=True
    )
    said: dict[str, Any] = json.loads(done.stdout)
    return said


class Radio:
    """A modem on its port, with keys in a file."""

    def __init__(self, folder: Path, modem: str = "rak3172") -> None:
        self.network = Network(DEV_EUI, JOIN_EUI, APP_KEY)
        self.modem = MODEMS[modem](self.network)
        self.line = SerialLine(str(folder / "ttyUSB0"), self.modem)
        self.keys = folder / "lorawan.toml"
        self.write_keys()
        self._name, self._folder = modem, folder

    def write_keys(self, *, app_key: str = APP_KEY, mode: int = 0o600) -> None:
        self.keys.write_text(
            f'dev_eui = "{DEV_EUI}"\njoin_eui = "{JOIN_EUI}"\napp_key = "{app_key}"\n'
        )
        self.keys.chmod(mode)

    def settings(self, **more: Any) -> dict[str, Any]:
        return {
            "port": self.line.path,
            "modem": self._name,
            "keys_file": str(self.keys),
            "sensors": ["roof", "flat", "forgotten"],
            "ledger": str(self._folder / "airtime.json"),
        } | more

    def close(self) -> None:
        self.line.close()
