"""The mesh's units under a real systemd, on a virtual radio with batman-adv."""

from __future__ import annotations

from typing import Any

import pytest
from beds.uml.machine import boot, find_kernel, skip_without

pytestmark = [pytest.mark.bed, pytest.mark.long]


@pytest.fixture(scope="module")
def units(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    skip_without("nft", "wpa_supplicant", "iw", "babeld", "batctl", "hostapd", "dnsmasq")
    folder = tmp_path_factory.mktemp("units")

    run = boot(
        find_kernel(folder), folder / "out", "../freifunk/inside_mesh_units.py",
        radios=3, travels_in_time=True, limit_s=400,
    )  # fmt: skip

    found: dict[str, Any] = run.facts()["units"]
    return found


def test_all_units_run_and_the_other_box_is_found(units: dict[str, Any]) -> None:
    (found,) = units["known"]

    assert found["id"] == "kb-other" and found["broker_port"] == 1883
    assert units["found s"] < 40


def test_the_node_may_read_what_respondd_writes(units: dict[str, Any]) -> None:
    assert units["uplink to the node"] == "none"


def test_respondd_is_nobody_and_may_nothing_but_its_port(units: dict[str, Any]) -> None:
    """capabilities(7): bit 10 is CAP_NET_BIND_SERVICE. systemd's dynamic users are 61184 to 65519
    (systemd.io/UIDS-GIDS).
    """
    respondd = units["respondd"]

    assert int(respondd["CapEff"], 16) == 1 << 10
    assert 61184 <= int(respondd["Uid"].split()[0]) <= 65519
    assert respondd["NoNewPrivs"] == "1" and respondd["Seccomp"] == "2"
    assert int(respondd["VmHWM"].split()[0]) < 15 * 1024


def test_a_lost_uplink_is_withdrawn_by_starting_babeld_anew(units: dict[str, Any]) -> None:
    assert units["shared s"] < 15
    assert units["withdrawn s"] < 5
    assert units["was started anew"]


def test_whatever_dies_comes_back(units: dict[str, Any]) -> None:
    assert units["back s"] < 60


def test_dark_leaves_nothing(units: dict[str, Any]) -> None:
    assert "kb-mesh" not in units["left"]
    assert "type managed" in units["radio"]
    assert units["news"] == ["", 0]
