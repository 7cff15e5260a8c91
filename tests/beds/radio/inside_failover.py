"""Runs inside the virtual machine: the grid goes, once, and a guest comes to the page.

Ends in ``$OUT/facts.json``: the stages' times. ``failover.py`` boots it, for the benchmark.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "uml"), str(HERE), str(HERE.parent.parent.parent)]

from air import Guest, wait_for_radio  # noqa: E402
from guest import note  # noqa: E402
from installed import InstalledBox  # noqa: E402
from watching import SSID, settle, stages  # noqa: E402


def failover() -> dict[str, Any]:
    wait_for_radio("wlan1")
    box = InstalledBox()
    guest = Guest("wlan1")
    guest.switch_on(SSID)
    box.start()
    settle(box)
    facts: dict[str, Any] = {"stages": stages(box, guest)}
    facts["journal"] = box.journal()[-20000:]
    return facts


note({"failover": failover})
