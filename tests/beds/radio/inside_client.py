"""Runs inside the virtual machine: a box with one radio that is a client of somebody's WLAN on
ordinary days and an access point in an emergency. Ends in ``$OUT/facts.json``; ``test_client.py``
says what is right. The machine travels in time.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "uml"), str(HERE), str(HERE.parent.parent.parent)]

from air import Guest, phy_of, wait_for_radio  # noqa: E402
from guest import note  # noqa: E402
from installed import PROGRAM, SETTINGS, InstalledBox, mode, run, until  # noqa: E402
from watching import SSID, is_on_air, posture, serves, settle  # noqa: E402

PASSWORD = "zwölf Zeichen und mehr"

MORE = """
[network.access_point]
country = "DE"

[network.uplink]
kind = "wlan"
ssid = "Freifunk nebenan"
"""

#: Who may join: everybody, or who knows the password (WPA2 and WPA3, as today's routers have it).
LOCKS = {
    "open": "",
    "locked": "wpa=2\nwpa_key_mgmt=WPA-PSK SAE\nrsn_pairwise=CCMP\nieee80211w=1\n"
    f"wpa_passphrase={PASSWORD}\nsae_password={PASSWORD}\n",
}


class Router:
    """Somebody's router: a radio, names and addresses, in a network of its own."""

    def __init__(self, kind: str, interface: str, ssid: str, network: str) -> None:
        self.address = f"{network}.1"
        folder = Path("/run") / f"router-{kind}"
        folder.mkdir()
        run("ip", "netns", "add", folder.name)
        run("iw", "phy", phy_of(interface), "set", "netns", "name", folder.name)
        (folder / "hostapd.conf").write_text(
            f"interface={interface}\ndriver=nl80211\nssid={ssid}\nhw_mode=g\nchannel=11\n"
            + LOCKS[kind],
        )
        enter = ("ip", "netns", "exec", folder.name)
        run(*enter, "ip", "address", "add", f"{self.address}/24", "dev", interface)
        run(*enter, "ip", "link", "set", interface, "up")
        for command in (
            ("hostapd", str(folder / "hostapd.conf")),
            (
                "dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null", "--port=0", "--no-ping",
                f"--interface={interface}", f"--dhcp-range={network}.10,{network}.99,1h",
                f"--dhcp-leasefile={folder}/leases", f"--pid-file={folder}/pid",
            ),
        ):  # fmt: skip
            with (folder / command[0]).open("wb") as log:
                subprocess.Popen([*enter, *command], stdin=subprocess.DEVNULL, stdout=log,
                                 stderr=log)  # fmt: skip


def addresses() -> list[str]:
    """Of the box's radio; IPv4 only."""
    found = json.loads(run("ip", "-json", "-4", "address", "show", "dev", "wlan0"))
    return [each["local"] for each in found[0]["addr_info"]] if found else []


def pings(address: str) -> bool:
    command = ["ping", "-c", "1", "-W", "2", address]
    return subprocess.run(command, capture_output=True, timeout=60).returncode == 0


def is_client_of(router: Router) -> bool:
    network = router.address.rpartition(".")[0] + "."
    return any(each.startswith(network) for each in addresses()) and pings(router.address)


def story() -> dict[str, Any]:
    wait_for_radio("wlan3")
    facts: dict[str, Any] = {}
    free = Router("open", "wlan1", "Freifunk nebenan", "10.230.7")
    locked = Router("locked", "wlan2", "Vorderhaus", "10.231.7")
    guest = Guest("wlan3")
    guest.switch_on(SSID)
    box = InstalledBox(MORE)
    box.start()
    settle(box)
    until(lambda: is_client_of(free), 120, "a client of the open WLAN", pause_s=0.5)
    facts["route"] = run("ip", "-4", "route", "show", "default")

    box.chip.drive(17, False)
    until(is_on_air, 60, "the emergency WLAN", pause_s=0.1)
    guest.join()
    guest.lease()
    facts["is_served"] = serves(guest)
    facts["addresses in emergency"] = addresses()
    facts["client in emergency"] = box.is_active("kiezbox-client.service")
    guest.leave()

    box.chip.drive(17, True)
    until(lambda: mode() == "normal", 1200, "normal", pause_s=1)
    until(lambda: posture() == "closed", 60, "closed")
    facts["back_s"] = until(lambda: is_client_of(free), 120, "a client again", pause_s=0.5)

    password = Path("/etc/kiezbox/uplink.password")
    password.write_text(PASSWORD + "\n")
    password.chmod(0o600)
    text = SETTINGS.read_text().replace("Freifunk nebenan", "Vorderhaus")
    SETTINGS.write_text(f'{text}password_file = "{password}"\n')
    box.enter(str(PROGRAM), "network", "prepare")
    until(lambda: is_client_of(locked), 120, "a client of the locked WLAN", pause_s=0.5)
    facts["secret"] = oct(Path("/run/kiezbox-network/client.conf").stat().st_mode)[-3:]
    return facts


note({"client": story})
