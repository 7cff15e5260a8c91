"""`kiezbox network apply` where systemd carries it out: virtual radios, a real NetworkManager that
must let go and get back, guests on the open and on the encrypted half of the WLAN.

One boot, half a minute. Its smaller twins: `tests/systemd/test_units.py` for the units,
`test_apply.py` for the same without systemd, `tests/beds/radio` for the node that asks.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from beds.uml.machine import boot, find_kernel, skip_without

pytestmark = [pytest.mark.bed, pytest.mark.long]


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    skip_without("hostapd", "dnsmasq", "nft", "wpa_supplicant", "udhcpc", "iw", "nmcli", "ping")
    if not shutil.which("NetworkManager", path="/usr/sbin"):
        pytest.skip("NetworkManager is not installed (tests/prepare does)")
    folder = tmp_path_factory.mktemp("systemd")
    script = Path("../../network/inside_systemd.py")
    run = boot(
        find_kernel(folder), folder / "out", str(script), radios=3, memory_mb=768,
        travels_in_time=True, limit_s=240,
    )  # fmt: skip
    found: dict[str, Any] = run.facts()["story"]
    return found


def test_a_posture_is_made_and_the_second_time_nothing_is_done(story: dict[str, Any]) -> None:
    assert story["apply"][0] == 0, story["apply"][1]
    assert {"kb-street", "kb-owe"} <= set(story["in emergency"]["interfaces"])
    assert story["again"] == [0, "emergency: nothing to do, everything is there"]
    assert story["refresh"] == [0, "emergency: nothing to do, everything is there"]


def test_it_says_what_it_wants_as_the_node_does(story: dict[str, Any]) -> None:
    assert story["wanted"] == ["emergency"]


def test_networkmanager_lets_the_radio_go_and_gets_it_back(story: dict[str, Any]) -> None:
    assert story["before"]["radio"] == "disconnected"
    assert story["in emergency"]["radio"] == "unmanaged"
    assert story["after"]["radio"] in ("disconnected", "unavailable")


def test_a_phone_with_wpa3_is_led_to_the_encrypted_half_under_the_same_name(
    story: dict[str, Any],
) -> None:
    assert (story["open"]["key_mgmt"], story["encrypted"]["key_mgmt"]) == ("NONE", "OWE")
    assert story["open"]["ssid"] == story["encrypted"]["ssid"] == "Kiezbox-Notfall"
    assert story["open"]["bssid"] != story["encrypted"]["bssid"]


def test_both_halves_reach_the_box_and_not_each_other(story: dict[str, Any]) -> None:
    assert story["reaches the box"] == [True, True]
    assert not story["reaches the other"]


def test_status_counts_the_guests(story: dict[str, Any]) -> None:
    said = json.loads(story["status"])

    assert (said["stations"], said["leases"]) == (2, 2)


def test_when_a_guest_joined_is_noted_by_the_address_alone(story: dict[str, Any]) -> None:
    """By dnsmasq's hook, in dnsmasq's sandbox, as dnsmasq's user."""
    assert story["joined"] == [story["address"]]


def test_the_radio_stays_on_the_air_while_an_uplink_comes(story: dict[str, Any]) -> None:
    assert story["hostapd stayed"]


def test_a_part_that_fails_is_named_and_the_posture_from_before_comes_back(
    story: dict[str, Any],
) -> None:
    code, said = story["broken"]["failed"]

    assert code == 9
    assert "kiezbox-firewall@emergency.service did not start" in said
    assert story["broken"]["posture"].split() == ["posture", "shared"]


def test_normal_leaves_nothing_behind(story: dict[str, Any]) -> None:
    assert story["normal"][0] == 0, story["normal"][1]
    assert story["after"]["interfaces"] == story["before"]["interfaces"]
    assert story["after"]["tables"] == []


def test_no_guests_hardware_address_is_in_the_journal(story: dict[str, Any]) -> None:
    """mac80211_hwsim's radios are 02:00:00:00:NN:00."""
    for address in ("02:00:00:00:01:00", "02:00:00:00:02:00"):
        lines = [line for line in story["journal"].splitlines() if address in line]
        assert [line for line in lines if "hostapd" in line or "dnsmasq" in line] == []
