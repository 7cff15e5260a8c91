"""A box with one radio: Freifunk's client on ordinary days, an access point in an emergency.

``inside_client.py`` plays it with the real units; here stands what is right. Long, because one boot
more is a third of a minute; `tests/beds/freifunk` has the same networks at a cable in every run.
"""

from __future__ import annotations

from typing import Any

import pytest
from beds.uml.machine import boot, find_kernel, skip_without

pytestmark = [pytest.mark.bed, pytest.mark.long]


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What happened; the script itself waits until the box is a client of each WLAN."""
    skip_without("hostapd", "dnsmasq", "nft", "wpa_supplicant", "udhcpc", "iw", "ping")
    folder = tmp_path_factory.mktemp("client")

    run = boot(
        find_kernel(folder),
        folder / "out",
        "../radio/inside_client.py",
        radios=4,
        travels_in_time=True,
        limit_s=240,
    )

    found: dict[str, Any] = run.facts()["client"]
    return found


def test_on_ordinary_days_the_box_has_the_wlans_way_to_the_world(client: dict[str, Any]) -> None:
    assert client["route"].startswith("default via 10.230.7.1 dev wlan0")


def test_in_an_emergency_the_same_radio_serves_guests(client: dict[str, Any]) -> None:
    assert client["is_served"]


def test_in_an_emergency_nothing_of_the_client_is_left(client: dict[str, Any]) -> None:
    assert client["addresses in emergency"] == []
    assert not client["client in emergency"]


def test_afterwards_the_box_is_a_client_again(client: dict[str, Any]) -> None:
    assert client["back_s"] < 60


def test_a_locked_wlan_is_joined_with_its_password_which_only_root_can_read(
    client: dict[str, Any],
) -> None:
    assert client["secret"] == "600"
