"""Runs inside the virtual machine: three boxes in a row on virtual radios, encrypted, without
batman-adv; argv[1] says who routes. Ends in ``$OUT/facts.json``. The machine travels in time.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
CHECKOUT = HERE.parent.parent.parent
sys.path[:0] = [str(HERE.parent / "uml"), str(HERE.parent / "radio"), str(CHECKOUT)]

from air import may_hear, phy_of, wait_for_radio  # noqa: E402
from guest import note  # noqa: E402
from installed import run, until  # noqa: E402

TOML = """
[box]
id = "kb-{name}"
[store]
path = "/run/kb-{name}/kiezbox.db"
run_dir = "/run/kb-{name}"
[network]
run_dir = "/run/kb-{name}/network"
[network.access_point]
kind = "none"
[network.mesh]
interface = "{radio}"
key_file = "/run/kb-{name}/mesh.key"
routing = "{way}"
"""


def there(name: str, *command: str) -> str:
    return run("ip", "netns", "exec", name, *command)


def network(name: str, posture: str) -> None:
    command = [sys.executable, "-m", "kiezbox", "network", "apply", posture]
    there(name, *command, "--settings", f"/run/kb-{name}/kiezbox.toml")


def pings(name: str, address: str) -> bool:
    try:
        there(name, "ping", "-c1", "-W1", address)
    except Exception:
        # `run` tells by raising; nobody answered yet.
        return False
    return True


def three() -> dict[str, Any]:
    facts: dict[str, Any] = {}
    os.environ["PYTHONPATH"] = str(CHECKOUT)
    wait_for_radio("wlan2")
    addresses = {}
    for name, radio, groups in (("a", "wlan0", 1), ("b", "wlan1", 3), ("c", "wlan2", 2)):
        may_hear(phy_of(radio), groups)
        folder = Path(f"/run/kb-{name}")
        folder.mkdir()
        (folder / "mesh.key").write_text("vierundzwanzig kleine Zeichen\n")
        settings = TOML.format(name=name, radio=radio, way=sys.argv[1])
        (folder / "kiezbox.toml").write_text(settings)
        run("ip", "netns", "add", name)
        run("iw", "phy", phy_of(radio), "set", "netns", "name", name)
        there(name, "ip", "link", "set", "lo", "up")
        network(name, "closed")
        found = json.loads(there(name, "ip", "-json", "address", "show", "dev", "kb-mesh"))
        addresses[name] = [
            each["local"] for each in found[0]["addr_info"] if each["scope"] == "global"
        ]
        facts[f"bridge of {name}"] = there(name, "ip", "-br", "link", "show", "master", "kb-mesh")
    facts["a to b s"] = until(lambda: pings("a", addresses["b"][0]), 120, "a ping to B")
    facts["a to c s"] = until(lambda: pings("a", addresses["c"][0]), 120, "a ping to C")
    facts["over ipv6"] = pings("a", addresses["c"][1])
    facts["stations"] = there("a", "iw", "dev", "wlan0", "station", "dump")
    # The supplicant dies, and comes back as systemd would bring it; the bridge has to stay.
    for name in "abc":
        network(name, "dark")
    facts["left"] = {name: there(name, "iw", "dev") for name in "abc"}
    return facts


note({"three": three})
