"""Runs inside the virtual machine: a box as a maker wires it, mistake by mistake, on a real
kernel's bus, pins, users and groups. Ends in ``$OUT/facts.json``; ``test_makers_on_a_kernel.py``
says what is right.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

TESTS = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(TESTS / "beds" / "uml"), str(TESTS.parent)]

from guest import note, wait_for  # noqa: E402
from installed import PROGRAM, SETTINGS, UNITS, InstalledBox, mode, now  # noqa: E402

from kiezbox.clock import SystemClock  # noqa: E402
from kiezbox.hardware import Deadline  # noqa: E402
from kiezbox.hardware.i2c_linux import LinuxBus  # noqa: E402
from kiezbox.hardware.i2c_view import BusLock, BusView  # noqa: E402

UNIT = UNITS / "kiezbox-node.service"


def put_bmp280(bus: str) -> None:
    """At 0x77 the stub answers with empty registers; the id (0xD0) of a BMP280 is put there."""
    deadline = Deadline(SystemClock())
    deadline.start(20)
    stub = LinuxBus(bus)
    BusView(stub, BusLock(), deadline).writeto(0x77, b"\xd0\x58")
    stub.close()


def said(*command: str, stdin: str = "") -> dict[str, Any]:
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, input=stdin)
    return {"code": done.returncode, "out": done.stdout, "err": done.stderr}


def as_node(*arguments: str) -> dict[str, Any]:
    """With the node's user, and the groups that its unit gives it."""
    found = re.search(r"^SupplementaryGroups=(.*)$", UNIT.read_text(), re.MULTILINE)
    groups = f"--groups={found[1].replace(' ', ',')}" if found else "--clear-groups"
    user = ("setpriv", "--reuid=kiezbox", "--regid=kiezbox", groups)
    return said(*user, str(PROGRAM), *arguments)


def checked(name: str) -> list[dict[str, str]]:
    """What `kiezbox check` finds to be wrong, of one of its checks."""
    found = json.loads(said(str(PROGRAM), "check", "--json")["out"])
    return [
        each for each in found if each["check"] == name and each["level"] in ("broken", "warning")
    ]


def with_settings(old: str, new: str) -> str:
    """The settings with that changed; as they were before, to be put back."""
    text: str = SETTINGS.read_text()
    assert old in text, old
    SETTINGS.write_text(text.replace(old, new))
    return text


def makers() -> dict[str, Any]:
    facts: dict[str, Any] = {}
    box = InstalledBox()
    facts["wired right"] = {"check": checked("bus"), "read": as_node("read", "roof")}

    before = with_settings(box.bus, "/dev/i2c-77")
    facts["bus off"] = {"check": checked("bus"), "scan": said(str(PROGRAM), "scan")}
    SETTINGS.write_text(before)

    unit = UNIT.read_text()
    UNIT.write_text(unit.replace("SupplementaryGroups=i2c ", "SupplementaryGroups="))
    facts["not in the group"] = {"check": checked("bus"), "read": as_node("read", "roof")}
    UNIT.write_text(unit)
    facts["in it again"] = {"check": checked("bus"), "read": as_node("read", "roof")}

    os.chmod(box.bus, 0o600)
    facts["root's bus"] = {"check": checked("bus"), "read": as_node("read", "roof")}
    os.chmod(box.bus, 0o660)

    before = with_settings("address = 0x76", "address = 0x77")
    facts["wrong address"] = as_node("read", "roof")
    put_bmp280(box.bus)
    facts["sold as a BME280"] = as_node("read", "roof")
    facts["scan"] = said(str(PROGRAM), "scan")
    SETTINGS.write_text(before)

    box.start("kiezbox-node.service")
    wait_for(lambda: mode() is not None, 60, pause_s=0.5)
    facts["walk"] = walked(box, is_inverted=False)
    facts["walk, inverted"] = walked(box, is_inverted=True)
    facts["beside the node"] = said(str(PROGRAM), "scan")
    return facts


def walked(box: InstalledBox, *, is_inverted: bool) -> dict[str, Any]:
    """Somebody walks through pulling the plug; the line follows, or says the opposite."""

    def plug(is_in: bool) -> None:
        box.chip.drive(17, is_in != is_inverted)

    def vote() -> str:
        return str(((now().get("grid") or {}).get("sources") or {}).get("mains"))

    plug(True)
    wait_for(lambda: vote() == ("lost" if is_inverted else "present"), 60, pause_s=0.2)
    walk = subprocess.Popen(
        [str(PROGRAM), "check", "--walk"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    assert walk.stdin is not None and walk.stdout is not None
    answers = iter((True, False, True))
    text = ""
    while letter := walk.stdout.read(1):
        text += letter
        if text.endswith("Enter: "):
            plug(next(answers))
            walk.stdin.write("\n")
            walk.stdin.flush()
    return {"code": walk.wait(60), "out": text}


if __name__ == "__main__":
    note({"makers": makers})
