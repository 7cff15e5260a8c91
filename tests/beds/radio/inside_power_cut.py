"""Runs inside the virtual machine: a box with a disk that loses its power in an emergency, and
one that starts from the same disk, in the dark. Ends in ``$OUT/facts.json``.

    inside_power_cut.py before|after

In real time: while a machine that travels in time waits for its disk, hours would pass.
``before`` writes ``$OUT/cut-me`` and goes on until its power is cut.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "uml"), str(HERE), str(HERE.parent.parent.parent)]

from air import Guest, wait_for_radio  # noqa: E402
from guest import note, wait_for  # noqa: E402
from installed import InstalledBox, mode, now, until  # noqa: E402
from watching import SSID, is_on_air, serves, settle  # noqa: E402

#: A second of bridging instead of eight; everything else is the default.
MORE = """
[power]
bridge_s = 1
"""


def start(*, grid: bool) -> InstalledBox:
    wait_for_radio("wlan1")
    box = InstalledBox(MORE, on_disk=True)
    box.chip.drive(17, grid)
    box.start()
    return box


def before() -> dict[str, Any]:
    box = start(grid=True)
    settle(box)
    box.chip.drive(17, False)
    until(is_on_air, 60, "the WLAN", pause_s=0.05)
    return {"mode": mode(), "boot": now()["boot"]}


def after() -> dict[str, Any]:
    """Nobody tells the box anything."""
    box = start(grid=False)
    began = time.monotonic()
    facts: dict[str, Any] = {"is_on_air": wait_for(is_on_air, 60, pause_s=0.02)}
    facts["seconds_to_the_wlan"] = time.monotonic() - began
    until(lambda: mode() is not None, 60, "the node's first word", pause_s=0.1)
    facts |= {"mode": mode(), "boot": now()["boot"]}
    guest = Guest("wlan1")
    guest.switch_on(SSID)
    guest.join()
    guest.lease()
    facts["is_served"] = serves(guest)
    facts["journal"] = box.journal()[-30000:]
    return facts


if sys.argv[1] == "before":
    note({"before": before})
    (Path(os.environ["OUT"]) / "cut-me").touch()
    time.sleep(3600)
else:
    note({"after": after})
