"""Runs inside the virtual machine: an installed box with a mesh radio under a systemd of its own,
and another box by hand. Ends in ``$OUT/facts.json``. The machine travels in time.
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

from air import load_radio_rules, phy_of, wait_for_radio  # noqa: E402
from guest import note  # noqa: E402
from installed import InstalledBox, run, until  # noqa: E402

KEY = "vierundzwanzig kleine Zeichen"
MESH = """
[network.mesh]
interface = "wlan1"
[network.uplink]
share_with_mesh = true
"""
OTHER = """
[box]
id = "kb-other"
[store]
path = "/run/kb-other/kiezbox.db"
run_dir = "/run/kb-other"
[network]
run_dir = "/run/kb-other/network"
[network.access_point]
kind = "none"
[network.mesh]
interface = "wlan2"
key_file = "/run/kb-other/mesh.key"
broker_port = 1883
"""
RUN = Path("/run/kiezbox-network")
UNITS = ("mesh-port", "mesh", "batman", "mesh-address", "babel", "respondd")


def other_box() -> None:
    folder = Path("/run/kb-other")
    folder.mkdir()
    (folder / "mesh.key").write_text(f"{KEY}\n")
    (folder / "kiezbox.toml").write_text(OTHER)
    run("ip", "netns", "add", "other")
    run("iw", "phy", phy_of("wlan2"), "set", "netns", "name", "other")
    there = ["ip", "netns", "exec", "other"]
    run(*there, "ip", "link", "set", "lo", "up")
    command = [sys.executable, "-m", "kiezbox", "network", "apply", "closed"]
    run(*there, *command, "--settings", f"{folder}/kiezbox.toml")


def known() -> list[dict[str, Any]]:
    try:
        found: list[dict[str, Any]] = json.loads((RUN / "neighbours.json").read_text())[
            "neighbours"
        ]
    except (OSError, ValueError):
        return []
    return found


def word() -> str:
    try:
        return (RUN / "uplink").read_text().strip()
    except OSError:
        return ""


def units() -> dict[str, Any]:
    facts: dict[str, Any] = {}
    os.environ["PYTHONPATH"] = str(CHECKOUT)
    wait_for_radio("wlan2")
    load_radio_rules()
    box = InstalledBox(MESH)
    key = Path("/etc/kiezbox/mesh.key")
    key.write_text(f"{KEY}\n")
    key.chmod(0o600)
    other_box()
    box.start()

    def states() -> dict[str, str]:
        return {
            name: box.show(f"kiezbox-{name}.service", "ActiveState")["ActiveState"]
            for name in UNITS
        }

    try:
        facts["all active s"] = until(
            lambda: set(states().values()) == {"active"}, 120, "the mesh's units run"
        )
        facts["found s"] = until(lambda: len(known()) == 1, 180, "the other box is found")
    finally:
        facts["states"] = states()
        Path(os.environ["OUT"], "journal").write_text(box.journal())
    facts["known"] = known()
    # As the node reads it, which has no rights.
    reader = ["setpriv", "--reuid=kiezbox", "--regid=kiezbox", "--clear-groups", "cat"]
    facts["uplink to the node"] = box.enter(*reader, str(RUN / "uplink")).strip()
    shown = box.show("kiezbox-respondd.service", "MainPID", "ControlGroup")
    status = box.enter("cat", f"/proc/{shown['MainPID']}/status")
    facts["respondd"] = {
        line.split(":")[0]: line.split(":")[1].strip()
        for line in status.splitlines()
        if line.startswith(("VmHWM", "Uid", "CapEff", "NoNewPrivs", "Seccomp"))
    }

    # An uplink comes and goes: what is shared is withdrawn, by starting babeld anew.
    run("ip", "link", "add", "up0", "type", "dummy")
    run("ip", "link", "set", "up0", "up")
    run("ip", "route", "add", "default", "dev", "up0")
    until(lambda: word() == "own", 30, "the uplink is seen")
    there = ["ip", "netns", "exec", "other", "ip", "-json", "route", "show", "default"]
    facts["shared s"] = until(lambda: "kb-mesh" in run(*there), 60, "the other box has it")
    before = box.show("kiezbox-babel.service", "InvocationID")
    run("ip", "route", "delete", "default", "dev", "up0")
    facts["withdrawn s"] = until(lambda: "kb-mesh" not in run(*there), 60, "it is withdrawn")
    facts["was started anew"] = before != box.show("kiezbox-babel.service", "InvocationID")

    # Whatever dies comes back.
    for name in ("mesh", "babel", "respondd"):
        box.systemctl("kill", "--signal=KILL", f"kiezbox-{name}.service")
    facts["back s"] = until(
        lambda: set(states().values()) == {"active"} and len(known()) == 1, 180, "all are back"
    )

    box.enter("/opt/kiezbox/.venv/bin/kiezbox", "network", "apply", "dark")
    until(lambda: set(states().values()) == {"inactive"}, 60, "all have ended")
    facts["left"] = run("ip", "-br", "link", "show")
    facts["radio"] = run("iw", "dev", "wlan1", "info")
    facts["news"] = [word(), len(known())]
    Path(os.environ["OUT"], "journal").write_text(box.journal())
    return facts


note({"units": units})
