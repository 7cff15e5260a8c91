"""An evening without electricity, with real units under systemd, virtual radios and guests.

``inside_evening.py`` plays it, in one boot; here stands what is right.
"""

from __future__ import annotations

from typing import Any

import pytest
from beds.uml.machine import boot, find_kernel, skip_without

pytestmark = pytest.mark.bed

DAEMONS = ("node", "hostapd", "dnsmasq", "portal")


@pytest.fixture(scope="module")
def evening(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    skip_without("hostapd", "dnsmasq", "nft", "wpa_supplicant", "udhcpc", "iw", "batctl", "babeld")
    folder = tmp_path_factory.mktemp("evening")

    run = boot(
        find_kernel(folder),
        folder / "out",
        "../radio/inside_evening.py",
        radios=4,
        memory_mb=1024,
        travels_in_time=True,
        limit_s=400,
    )

    found: dict[str, Any] = run.facts()["evening"]
    return found


def test_the_meshs_units_run_on_ordinary_days(evening: dict[str, Any]) -> None:
    assert "kb-mesh" in evening["before"]["interfaces"]
    for name, found in evening["mesh units"].items():
        assert found == {"ActiveState": "active", "NRestarts": "0"}, name


def test_a_guest_is_on_the_page_fifteen_seconds_after_the_grid_went(
    evening: dict[str, Any],
) -> None:
    assert evening["stages"]["page"] < 15


def test_the_wlan_opens_after_the_bridge_and_not_before(evening: dict[str, Any]) -> None:
    # power.bridge_s = 8: shorter interruptions open nothing.
    assert 7.5 < evening["stages"]["wanted"] < 10


def test_the_first_page_comes_four_seconds_after_the_debounce(evening: dict[str, Any]) -> None:
    assert evening["stages"]["page"] - evening["stages"]["wanted"] < 4


def test_everything_encrypted_is_refused_at_once_and_not_left_hanging(
    evening: dict[str, Any],
) -> None:
    assert evening["doors"]["https"] == "reset"
    assert evening["doors"]["dns over tls"] == "reset"
    assert evening["doors"]["own https"] == "reset"


def test_a_browser_that_wants_another_page_is_led_to_the_portal(evening: dict[str, Any]) -> None:
    if "browser" not in evening:
        pytest.skip("not installed: chromium (tests/prepare installs it)")

    assert "Stromausfall" in evening["browser"]


def test_from_the_street_ssh_does_not_exist(evening: dict[str, Any]) -> None:
    assert evening["doors"]["ssh"] != "open"


@pytest.mark.parametrize("name", [*DAEMONS, "all"])
def test_whatever_is_killed_is_back_within_seconds_and_guests_are_served(
    evening: dict[str, Any], name: str
) -> None:
    found = evening[f"killed {name}"]

    assert all(found["had"].values()), "nothing was there to be killed"
    assert found["is_back"] and found["is_served"] and found["is_emergency"]
    assert found["served_s"] < 20


def test_what_was_killed_leaves_nothing_double(evening: dict[str, Any]) -> None:
    assert evening["after the kills"] == {
        **evening["emergency"],
        "leases": evening["after the kills"]["leases"],
    }


def test_a_node_killed_on_an_ordinary_day_opens_nothing(evening: dict[str, Any]) -> None:
    assert evening["killed in closed"] == evening["before"]


def test_a_thousand_strangers_do_not_keep_a_guest_from_the_page(evening: dict[str, Any]) -> None:
    crowd = evening["crowd"]

    assert crowd["admitted"] + crowd["refused"] + crowd["unanswered"] == 1000
    assert crowd["admitted"] > 500, "the crowd never came"
    assert evening["is_served_in_the_crowd"] and evening["is_served_anew"]


def test_the_wlan_stays_until_the_grid_has_been_back_for_ten_minutes(
    evening: dict[str, Any],
) -> None:
    assert 600 <= evening["seconds_to_normal"] < 660


def test_an_emergency_leaves_nothing_behind(evening: dict[str, Any]) -> None:
    before, after = evening["before"], evening["after"]

    assert after == {**before, "leases": after["leases"]}
