"""The encrypted radio mesh where the kernel has no batman-adv: babel, and 802.11s alone."""

from __future__ import annotations

from pathlib import Path

import pytest
from beds.uml.machine import boot, find_kernel, skip_without

pytestmark = [pytest.mark.bed, pytest.mark.long]


@pytest.mark.parametrize("way", ["babel", "plain"])
def test_a_box_out_of_reach_is_reached_through_the_one_between(way: str, tmp_path: Path) -> None:
    skip_without("nft", "wpa_supplicant", "iw", "babeld", "ping")

    run = boot(
        find_kernel(tmp_path),
        tmp_path / "out",
        "../freifunk/inside_radio_ways.py",
        way,
        radios=3,
        travels_in_time=True,
        limit_s=240,
    )

    found = run.facts()["three"]
    assert found["a to b s"] < 60
    assert found["a to c s"] < 90
    assert found["over ipv6"]
    assert found["stations"].count("Station") == 1
    assert "MFP:\t\tyes" in found["stations"]
    # Left as it was found: a radio that is no mesh point.
    assert all("type managed" in each for each in found["left"].values())
