"""Machines that are not there: trees like /sys, /run, /etc; and what ``iw`` says on real ones."""

from __future__ import annotations

import importlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from kiezbox.checks import Examined, Finding
from kiezbox.cli.settings import check as checked
from kiezbox.clock import SystemClock
from kiezbox.network.survey import survey

#: Excerpts of ``iw phy`` as people have posted them, by driver.
IW = {
    # A Raspberry Pi 4: github.com/raspberrypi/linux/issues/3619 (31 December 2022).
    "brcmfmac": ["IBSS", "managed", "AP", "P2P-client", "P2P-GO", "P2P-device"],
    # TP-Link TL-WN722N 1.2: github.com/luandro/meshpi/issues/2.
    "ath9k_htc": ["IBSS", "managed", "AP", "AP/VLAN", "monitor", "mesh point", "P2P-client",
                  "P2P-GO", "outside context of a BSS"],
    # Panda PAU06: github.com/phillymesh/802.11s-adapters/issues/7.
    "rt2800usb": ["IBSS", "managed", "AP", "AP/VLAN", "monitor", "mesh point"],
    # Alfa AWUS036ACM: github.com/morrownr/8814au/issues/15.
    "mt76x2u": ["IBSS", "managed", "AP", "AP/VLAN", "monitor", "mesh point", "P2P-client",
                "P2P-GO"],
    # Alfa AWUS1900: the same page.
    "rtl8814au": ["IBSS", "managed", "AP", "monitor"],
    # RTL8188CU: github.com/lwfinger/rtl8188eu/issues/320.
    "rtl8xxxu": ["managed", "monitor"],
}  # fmt: skip


class Tree:
    """A file system that shows a machine."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._index = 1
        self._phys: dict[str, str] = {}
        self.country = "DE"

    def write(self, name: str, text: str) -> Path:
        path = self.root / name.lstrip("/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def interface(self, name: str, *, carrier: str = "1") -> int:
        self._index += 1
        self.write(f"sys/class/net/{name}/ifindex", f"{self._index}\n")
        self.write(f"sys/class/net/{name}/flags", "0x1003\n")
        self.write(f"sys/class/net/{name}/carrier", f"{carrier}\n")
        return self._index

    def radio(self, name: str, driver: str) -> int:
        index = self.interface(name)
        phy = f"phy{len(self._phys)}"
        self._phys[phy] = driver
        drivers = self.root / "sys/bus/usb/drivers" / driver
        drivers.mkdir(parents=True, exist_ok=True)
        device = self.root / "sys/class/ieee80211" / phy / "device"
        device.mkdir(parents=True)
        (device / "driver").symlink_to(drivers)
        (self.root / "sys/class/net" / name / "phy80211").symlink_to(device.parent)
        return index

    def switch(self, name: str, *, soft: int = 0, hard: int = 0) -> None:
        for kind, value in (("soft", soft), ("hard", hard)):
            self.write(f"sys/class/net/{name}/phy80211/rfkill0/{kind}", f"{value}\n")

    def says(self, command: Sequence[str]) -> str:
        """In place of the programs that a survey asks."""
        if list(command) == ["iw", "phy"]:
            return "".join(self._iw_phy(phy, driver) for phy, driver in self._phys.items())
        if list(command) == ["ip", "-j", "link", "show"]:
            names = sorted(path.name for path in (self.root / "sys/class/net").glob("*"))
            return json.dumps([{"ifname": name, "flags": ["BROADCAST", "UP"]} for name in names])
        if list(command) == ["iw", "reg", "get"]:
            return f"global\ncountry {self.country}: DFS-ETSI\n"
        return ""

    def _iw_phy(self, phy: str, driver: str) -> str:
        modes = "".join(f"\t\t * {mode}\n" for mode in IW[driver])
        return (
            f"Wiphy {phy}\n\tmax # scan SSIDs: 4\n\tSupported interface modes:\n{modes}"
            "\tBand 1:\n\t\tFrequencies:\n"
            + "".join(
                f"\t\t\t* {2407 + 5 * number} MHz [{number}] (20.0 dBm)\n"
                for number in range(1, 14)
            )
        )

    def examined(self, facts: Any = None, **network: dict[str, Any]) -> Examined:
        """As the command line gives it to a check; ``network`` holds tables of ``[network]``."""
        settings = checked({"box": {"id": "kb-1"}, "network": network})
        machine = survey(settings, root=self.root, run=self.says)
        return Examined(settings, SystemClock(), facts, root=self.root, machine=machine)


def found(name: str, box: Examined) -> list[Finding]:
    """What one check has to say."""
    return list(importlib.import_module(f"kiezbox.checks.{name}").run(box))
