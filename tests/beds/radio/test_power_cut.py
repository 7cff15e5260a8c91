"""A box that loses its power in the middle of an emergency: real units, a real file system.

``inside_power_cut.py`` plays it, in two boots with one disk; here stands what is right.
"""

from __future__ import annotations

import subprocess
from typing import Any

import pytest
from beds.uml.machine import Machine, boot, find_kernel, skip_without

pytestmark = pytest.mark.bed

SCRIPT = "../radio/inside_power_cut.py"


@pytest.fixture(scope="module")
def boots(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What was found before and after the power cut."""
    skip_without("hostapd", "dnsmasq", "nft", "wpa_supplicant", "udhcpc", "iw", "mkfs.ext4")
    folder = tmp_path_factory.mktemp("cut")
    kernel, disk = find_kernel(folder), folder / "disk"
    with disk.open("wb") as file:
        file.truncate(64 * 1024 * 1024)
    subprocess.run(["mkfs.ext4", "-q", "-F", disk], check=True, timeout=60)

    with Machine(kernel, folder / "1", SCRIPT, "before", radios=2, disk=disk) as machine:
        machine.wait_for("cut-me")
        machine.cut()
        before = machine.wait()
    after = boot(kernel, folder / "2", SCRIPT, "after", radios=2, disk=disk)

    return {**before.facts(was_cut=True), **after.facts()}


def test_a_box_that_lost_its_power_in_an_emergency_opens_its_wlan_again_by_itself(
    boots: dict[str, Any],
) -> None:
    assert boots["before"]["mode"] == "emergency"
    assert boots["after"]["is_on_air"]
    assert boots["after"]["mode"] == "emergency"
    assert boots["after"]["boot"] > boots["before"]["boot"]
    assert boots["after"]["is_served"]


def test_a_box_in_the_dark_is_on_the_air_within_twenty_seconds(boots: dict[str, Any]) -> None:
    """From the first of its units on; a real one's kernel and file system come before that."""
    assert boots["after"]["seconds_to_the_wlan"] < 20
