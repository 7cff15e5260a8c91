"""Runs inside the virtual machine: `kiezbox network apply` under a real systemd, with virtual
radios, NetworkManager, and a guest on each half of an OWE transition WLAN. Ends in
``$OUT/facts.json``; ``test_under_systemd.py`` says what is right. The machine travels in time.
"""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path
from typing import Any

TESTS = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(TESTS / "beds" / "uml"), str(TESTS / "beds" / "radio"), str(TESTS.parent)]

from air import Guest, wait_for_radio  # noqa: E402
from guest import note  # noqa: E402
from installed import PROGRAM, UNITS, InstalledBox, until  # noqa: E402

MORE = '[network.access_point]\ncountry = "DE"\nowe = true\n'
SSID = b"Kiezbox-Notfall".hex()
WANTED = Path("/run/kiezbox/wanted")

#: As provisioning has it. Without, NetworkManager takes hostapd's second network for a new device
#: and breaks it: "Failed to add interface kb-owe into bridge".
OURS = "[keyfile]\nunmanaged-devices=interface-name:kb-street;interface-name:kb-owe\n"

#: Without udev NetworkManager takes every device, if it cannot write to /sys (as in a container).
NO_UDEV = "[Service]\nReadOnlyPaths=/sys\n"


class Bed:
    def __init__(self) -> None:
        self.box = InstalledBox(MORE)

    def start(self) -> None:
        folder = UNITS / "NetworkManager.service.d"
        folder.mkdir()
        (folder / "bed.conf").write_text(NO_UDEV)
        Path("/etc/NetworkManager/conf.d/90-kiezbox.conf").write_text(OURS)
        paths = [f"kiezbox-wanted@{word}.path" for word in ("closed", "emergency", "shared")]
        self.box.start("kiezbox-portal.socket", *paths)
        (UNITS / "dbus.socket").unlink()
        self.box.systemctl("daemon-reload")
        self.box.systemctl("start", "dbus.socket")
        self.box.systemctl("start", "NetworkManager.service")
        until(lambda: self.radio_is() == "disconnected", 60, "NetworkManager has the radio")
        self.box.systemctl("start", "kiezbox-network.service")

    def radio_is(self) -> str:
        """NetworkManager's word for the radio."""
        lines = self.said("nmcli", "-t", "-f", "DEVICE,STATE", "device")[1].splitlines()
        return dict(line.rsplit(":", 1) for line in lines).get("wlan0", "")

    def said(self, *command: str) -> tuple[int, str]:
        done = subprocess.run(
            ["nsenter", f"--target={self.box.pid_1}", "--pid", "--mount", "--root", "--wd",
             *command],
            capture_output=True, text=True, timeout=120,
        )  # fmt: skip
        return done.returncode, (done.stdout + done.stderr).strip()

    def network(self, *words: str) -> tuple[int, str]:
        return self.said(str(PROGRAM), "network", *words)

    def look(self) -> dict[str, Any]:
        links = self.said("ip", "-br", "link")[1].splitlines()
        return {
            "interfaces": sorted(line.split()[0] for line in links),
            "tables": self.said("nft", "list", "tables")[1].splitlines(),
            "radio": self.radio_is(),
        }

    def pid(self, unit: str) -> str:
        return self.box.show(unit, "MainPID")["MainPID"]


def join(guest: Guest, keys: str) -> dict[str, str]:
    """The phone joins by the WLAN's name, open or encrypted; what its supplicant says."""
    folder = Path("/run") / guest.name
    (folder / "wpa.conf").write_text(
        f"ctrl_interface={folder}\nnetwork={{\n ssid={SSID}\n scan_freq=2412 2437 2462\n{keys}}}\n"
    )
    command = ["wpa_supplicant", "-B", "-i", guest.interface, "-Dnl80211", f"-c{folder}/wpa.conf"]
    guest.run(*command)

    def status() -> dict[str, str]:
        lines = guest.run("wpa_cli", f"-p{folder}", "status").splitlines()
        return dict(line.split("=", 1) for line in lines if "=" in line)

    until(lambda: status().get("wpa_state") == "COMPLETED", 60, "associated", pause_s=0.2)
    return status()


def reaches(guest: Guest, address: str) -> bool:
    done = subprocess.run(
        ["ip", "netns", "exec", guest.name, "ping", "-c", "2", "-W", "2", address],
        capture_output=True, timeout=60,
    )  # fmt: skip
    return done.returncode == 0


def story() -> dict[str, Any]:
    facts: dict[str, Any] = {}
    wait_for_radio("wlan2")
    bed = Bed()
    # Before NetworkManager begins, which would take every radio that it sees.
    opened, encrypted = Guest("wlan1"), Guest("wlan2")
    bed.start()
    facts["before"] = bed.look()
    facts["apply"] = bed.network("apply", "emergency")
    facts["wanted"] = [path.name for path in WANTED.iterdir()]
    facts["in emergency"] = bed.look()
    facts["again"] = bed.network("apply", "emergency")
    facts["open"] = join(opened, " key_mgmt=NONE\n")
    facts["encrypted"] = join(encrypted, " key_mgmt=OWE\n ieee80211w=2\n")
    address = encrypted.lease()["ip"]
    opened.lease()
    joined = Path("/run/kiezbox-network/joined")
    facts["joined"] = [path.name for path in joined.iterdir() if path.name == address]
    facts["address"] = address
    facts["reaches the box"] = [reaches(guest, "10.42.0.1") for guest in (opened, encrypted)]
    facts["reaches the other"] = reaches(opened, address)
    facts["status"] = bed.network("status", "--json")[1]
    facts["refresh"] = bed.network("refresh")
    hostapd = bed.pid("kiezbox-hostapd.service")
    (WANTED / "emergency").rename(WANTED / "shared")
    until(lambda: bed.box.is_active("kiezbox-dnsmasq@shared.service"), 30, "shared")
    time.sleep(2)
    facts["hostapd stayed"] = bed.pid("kiezbox-hostapd.service") == hostapd
    facts["broken"] = broken(bed)
    facts["normal"] = bed.network("apply", "normal")
    until(lambda: bed.radio_is() != "unmanaged", 30, "NetworkManager has the radio again")
    facts["after"] = bed.look()
    facts["journal"] = bed.box.journal()
    return facts


def broken(bed: Bed) -> dict[str, Any]:
    """The rules' program is not there; on the way from shared to emergency."""
    folder = UNITS / "kiezbox-firewall@emergency.service.d"
    folder.mkdir()
    (folder / "broken.conf").write_text("[Service]\nExecStart=\nExecStart=/bin/false\n")
    bed.box.systemctl("daemon-reload")
    failed = bed.network("apply", "emergency")
    (folder / "broken.conf").unlink()
    bed.box.systemctl("daemon-reload")
    return {"failed": failed, "posture": bed.network("status")[1].splitlines()[0]}


note({"story": story})
