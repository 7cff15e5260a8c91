"""Runs inside the virtual machine: an evening without electricity, with real units, radios and
guests, and with everything killed that can be killed. Ends in ``$OUT/facts.json``;
``test_evening.py`` says what is right. The machine travels in time.
"""

from __future__ import annotations

import shutil
import sys
import time
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "uml"), str(HERE), str(HERE.parent.parent.parent)]

from air import Guest, wait_for_radio  # noqa: E402
from guest import note  # noqa: E402
from hostile import Crowd  # noqa: E402
from installed import InstalledBox, mode, now, processes, run, until  # noqa: E402
from watching import (  # noqa: E402
    DAEMONS,
    SSID,
    back_after,
    is_on_air,
    kill,
    look,
    posture,
    serves,
    settle,
    stages,
)  # fmt: skip

CHANNEL = 6

#: Everything at its default, but whose radio rules hold: without, hostapd never waits for them.
MORE = f"""
[network.access_point]
country = "DE"
channel = {CHANNEL}

[network.mesh]
interface = "wlan3"
"""

CHROMIUM = (
    "chromium", "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic",
    "--no-first-run", "--disable-background-networking", "--disable-component-update",
    "--disable-sync", "--disable-dev-shm-usage", "--accept-lang=de-DE",
    "--user-data-dir=/run/browser", "--virtual-time-budget=5000", "--dump-dom", "http://neverssl.com/",
)  # fmt: skip


def evening() -> dict[str, Any]:
    facts: dict[str, Any] = {}
    wait_for_radio("wlan3")
    box = InstalledBox(MORE)
    key = Path("/etc/kiezbox/mesh.key")
    key.write_text("vierundzwanzig kleine Zeichen\n")
    key.chmod(0o600)
    guest, strangers = Guest("wlan1"), Crowd("wlan2", CHANNEL)
    guest.switch_on(SSID)
    box.start()
    settle(box)
    time.sleep(30)
    # The portal starts with its first visitor and stays: it is nothing that an emergency leaves.
    run("curl", "--silent", "--output", "/dev/null", "http://127.0.0.1/")
    facts["before"] = look()
    facts["mesh units"] = {
        name: box.show(f"kiezbox-{name}.service", "ActiveState", "NRestarts")
        for name in ("mesh-port", "mesh", "batman", "mesh-address", "babel", "respondd")
    }
    kill("node", "portal")
    until(lambda: bool(processes(DAEMONS["node"])), 60, "the node, again")
    settle(box)
    time.sleep(30)
    run("curl", "--silent", "--output", "/dev/null", "http://127.0.0.1/")
    facts["killed in closed"] = look()

    facts["stages"] = stages(box, guest)
    facts["emergency"] = look()
    facts["now"] = now()
    facts["lease"] = Path("/run/lease-wlan1").read_text()
    address = facts["now"]["network"]["address"]
    facts["doors"] = {
        "https": guest.is_refused("192.0.2.7", 443),
        "dns over tls": guest.is_refused("192.0.2.7", 853),
        "own https": guest.is_refused(address, 443),
        "ssh": guest.is_refused(address, 22),
    }
    if shutil.which(CHROMIUM[0]):
        facts["browser"] = guest.run(*CHROMIUM, limit_s=240)

    for name in ("node", "hostapd", "dnsmasq", "portal"):
        facts[f"killed {name}"] = back_after(name, guest=guest)
    facts["killed all"] = back_after("node", "hostapd", "dnsmasq", "portal", guest=guest)
    facts["after the kills"] = look()

    guest.leave()
    box.chip.drive(17, True)
    facts["seconds_to_normal"] = until(lambda: mode() == "normal", 1200, "normal", pause_s=1)
    until(lambda: posture() == "closed" and not is_on_air(), 60, "the WLAN is off", pause_s=0.1)
    time.sleep(30)
    facts["after"] = look()

    box.chip.drive(17, False)
    until(is_on_air, 400, "the WLAN, again", pause_s=0.1)
    guest.join()
    guest.lease()
    facts["crowd"] = strangers.join(_point(), SSID, 1000, 120)
    facts["is_served_in_the_crowd"] = serves(guest)
    guest.leave()
    guest.join()
    guest.lease()
    facts["is_served_anew"] = serves(guest)
    facts["journal"] = box.journal()[-60000:]
    return facts


def _point() -> bytes:
    address = Path("/sys/class/net/wlan0/address").read_text().strip()
    return bytes.fromhex(address.replace(":", ""))


note({"evening": evening})
