"""What the survey makes of this computer's own words."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from network.computers import box

from kiezbox.network.survey import parse_managers, parse_radios, parse_rules, survey

#: Shortened, otherwise as iw 5.19 prints it: mac80211_hwsim, and a Raspberry Pi 4's chip
#: (brcmfmac: no mesh point, one access point beside one client).
IW_PHY = """Wiphy phy0
\twiphy index: 0
\tmax # scan SSIDs: 4
\tSupported interface modes:
\t\t * IBSS
\t\t * managed
\t\t * AP
\t\t * AP/VLAN
\t\t * mesh point
\tBand 1:
\t\tCapabilities: 0x107e
\t\t\tHT20/HT40
\t\tFrequencies:
\t\t\t* 2412 MHz [1] (20.0 dBm)
\t\t\t* 2437.0 MHz [6] (20.0 dBm)
\t\t\t* 2467 MHz [12] (20.0 dBm) (no IR)
\t\t\t* 2484 MHz [14] (disabled)
\tBand 2:
\t\tFrequencies:
\t\t\t* 5180 MHz [36] (20.0 dBm)
\tsoftware interface modes (can always be added):
\t\t * AP/VLAN
\t\t * monitor
\tvalid interface combinations:
\t\t * #{ IBSS } <= 1, #{ managed, AP, mesh point, P2P-client, P2P-GO } <= 2048, #{ P2P-device } <= 1,
\t\t   total <= 2050, #channels <= 1, radar detect widths: { 20 MHz (no HT), 20 MHz }

\tHT Capability overrides:
\t\t * MCS: ff ff
Wiphy phy1
\twiphy index: 1
\tSupported interface modes:
\t\t * IBSS
\t\t * managed
\t\t * AP
\t\t * P2P-client
\tBand 1:
\t\tFrequencies:
\t\t\t* 2412 MHz [1] (20.0 dBm)
\tvalid interface combinations:
\t\t * #{ managed } <= 1, #{ P2P-device } <= 1, #{ P2P-client, P2P-GO } <= 1,
\t\t   total <= 3, #channels <= 2
\t\t * #{ managed } <= 1, #{ AP } <= 1, #{ P2P-client } <= 1, #{ P2P-device } <= 1,
\t\t   total <= 4, #channels <= 1
"""  # noqa: E501


def test_a_radio_is_read_with_its_modes_channels_and_number_of_access_points() -> None:
    found = parse_radios(IW_PHY)

    assert found["phy0"].modes >= {"managed", "AP", "mesh point"}
    assert found["phy0"].most_points == 2048
    assert found["phy1"].most_points == 1
    assert "mesh point" not in found["phy1"].modes


def test_a_channel_where_nothing_may_be_opened_is_none() -> None:
    assert parse_radios(IW_PHY)["phy0"].channels == (1, 6)


def test_of_the_radio_rules_those_of_the_whole_machine_count() -> None:
    text = "global\ncountry 00: DFS-UNSET\n\t(2402 - 2472 @ 40)\n\nphy#0\ncountry US: DFS-FCC\n"

    assert parse_rules(text) == "00"
    assert parse_rules("") == ""


def test_who_is_not_managed_by_networkmanager_is_left_out() -> None:
    """nmcli(1), --terse: a colon in a name is escaped by a backslash."""
    text = "wlan0:connected\neth0:connecting (getting IP configuration)\nkb-street:unmanaged\n"

    assert set(parse_managers(text)) == {"wlan0", "eth0"}


def test_a_survey_of_a_computer_that_says_nothing_ends_well(tmp_path: Path) -> None:
    found = survey(box(), root=tmp_path, run=lambda command: "")

    assert (found.interfaces, found.radios, found.uplink) == ((), (), "")
    assert not (found.has_batman or found.has_ipv6 or found.has_regulatory_database)


def test_a_survey_of_garbage_ends_well(tmp_path: Path) -> None:
    for garbage in ("{", "[1, null]", '{"a": 1}', "\x00\xff", "Wiphy\nBSS\n"):
        found = survey(box(), root=tmp_path, run=lambda command, said=garbage: said)

        assert found.interfaces == ()


def test_the_pieces_come_together(tmp_path: Path) -> None:
    links = [
        {"ifname": "lo", "flags": ["LOOPBACK", "UP"]},
        {"ifname": "wlan0", "flags": ["BROADCAST", "UP", "LOWER_UP"]},
        {"ifname": "kb-street", "flags": ["UP"]},
    ]
    routes = [{"dst": "default", "dev": "wlan0", "metric": 600}, {"dst": "default", "dev": "eth0"}]
    radio = tmp_path / "sys/class/ieee80211/phy0"
    (tmp_path / "sys/devices/phy0").mkdir(parents=True)
    radio.parent.mkdir(parents=True)
    radio.symlink_to(tmp_path / "sys/devices/phy0")
    driver = tmp_path / "sys/bus/brcmfmac"
    driver.mkdir(parents=True)
    (radio / "device").mkdir()
    (radio / "device/driver").symlink_to(driver)
    (tmp_path / "sys/class/net/wlan0").mkdir(parents=True)
    (tmp_path / "sys/class/net/wlan0/phy80211").symlink_to(radio)
    (tmp_path / "sys/module/batman_adv").mkdir(parents=True)

    def run(command: Sequence[str]) -> str:
        said = {
            "ip -j link show": json.dumps(links),
            "ip -j route show default": json.dumps(routes),
            "iw phy": IW_PHY,
            "nmcli -t -f DEVICE,STATE device": "wlan0:connected\n",
        }
        return said.get(" ".join(command), "")

    found = survey(box(), root=tmp_path, run=run)

    wlan0 = found.interface("wlan0")
    assert wlan0 is not None and wlan0.is_up and wlan0.manager == "NetworkManager"
    known = found.radio_of("wlan0")
    assert known is not None and known.driver == "brcmfmac"
    # Measured by others on the Pi's own chip, 7 to 10 (docs/hardware.md).
    assert known.most_guests == 7
    # The street is our own and no interface of the computer's; eth0's route has no metric, so 0.
    assert found.interface("kb-street") is None and found.has_street
    assert found.uplink == "eth0"


def test_the_minimal_firmware_admits_nineteen_guests(tmp_path: Path) -> None:
    """Raspberry Pi OS: `update-alternatives --config cyfmac43455-sdio.bin`."""
    from kiezbox.network.survey import firmware_guests

    link = tmp_path / "etc/alternatives/cyfmac43455-sdio.bin"
    link.parent.mkdir(parents=True)
    link.symlink_to("/lib/firmware/cypress/cyfmac43455-sdio-minimal.bin")

    assert firmware_guests(tmp_path, "brcmfmac") == 19
    assert firmware_guests(tmp_path, "mt76x2u") is None
