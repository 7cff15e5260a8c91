"""A long outage and many short ones, played in a machine that travels in time.

``inside_outage.py`` plays them with real units, radios and a guest; here stands what is right.
Three hours in `make test`; `make test-long` has three days of outage and a week of short ones.
"""

from __future__ import annotations

from itertools import pairwise
from statistics import linear_regression
from typing import Any

import pytest
from beds.uml.machine import boot, find_kernel, skip_without

pytestmark = pytest.mark.bed

#: mode.wlan_pause_s: the WLAN changes at most once in so long. Somebody looks every five seconds.
WLAN_PAUSE_S = 300 - 10

#: Issue: memory grows by no more than 1 MiB a day.
MOST_KIB_A_DAY = 1024


def play(factory: pytest.TempPathFactory, outage_h: float, soak_h: float, limit_s: float) -> Any:
    skip_without("hostapd", "dnsmasq", "nft", "wpa_supplicant", "udhcpc", "iw")
    folder = factory.mktemp("outage")
    run = boot(
        find_kernel(folder),
        folder / "out",
        "../radio/inside_outage.py",
        str(outage_h),
        str(soak_h),
        radios=2,
        travels_in_time=True,
        limit_s=limit_s,
    )
    night = run.facts()["night"]
    print(f"{night['hours']:.1f} hours in {night['real_s']:.0f} s")
    return night


@pytest.fixture(
    scope="module",
    params=[
        pytest.param((1.5, 1.5, 420), id="three hours"),
        pytest.param((72, 0, 7200), id="three days", marks=pytest.mark.long),
        pytest.param((0, 168, 7200), id="a week of short ones", marks=pytest.mark.long),
    ],
)
def night(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Any:
    return play(tmp_path_factory, *request.param)


def changes(night: dict[str, Any], name: str) -> list[tuple[float, Any]]:
    return [(at, value) for at, what, value in night["changes"] if what == name]


def outage(night: dict[str, Any]) -> dict[str, Any]:
    if "outage" not in night:
        pytest.skip("this night has no long outage")
    found: dict[str, Any] = night["outage"]
    return found


def test_the_wlan_changes_at_most_once_in_five_minutes(night: dict[str, Any]) -> None:
    # The first is how it was found. An empty battery waits for nothing.
    on_air = changes(night, "is_on_air")[1:]
    dark = [at for at, value in changes(night, "posture") if value == "dark"]

    gaps = [
        after - before
        for (before, _), (after, _) in pairwise(on_air)
        if not any(abs(after - at) < 10 for at in dark)
    ]

    assert len(gaps) >= 4
    assert min(gaps) >= WLAN_PAUSE_S


def test_every_guest_was_served(night: dict[str, Any]) -> None:
    visits = [*night.get("soak", {}).get("visits", [])]
    if "outage" in night:
        visits += [night["outage"]["is_served"], night["outage"]["is_served_after_flapping"]]

    assert visits and all(visits)


def test_a_flapping_grid_neither_opens_nor_closes_anything(night: dict[str, Any]) -> None:
    at = outage(night)["at"]

    meanwhile = [each for each in night["changes"] if at["flapping"] < each[0] < at["flapped"] + 60]

    assert [each for each in meanwhile if each[1] in ("is_on_air", "posture", "mode")] == []


def test_the_stages_follow_the_battery(night: dict[str, Any]) -> None:
    outage(night)
    stages = [value for _, value in changes(night, "stage")]
    modes = [value for _, value in changes(night, "mode")]

    assert stages[stages.index("full") :][:4] == ["full", "good", "low", "critical"]
    assert modes[:4] == ["normal", "emergency", "saving", "dark"]


def test_time_slices_switch_the_access_point(night: dict[str, Any]) -> None:
    at = outage(night)["at"]

    switched = [
        value for when, value in changes(night, "is_on_air") if at["low"] < when < at["critical"]
    ]

    assert len(switched) >= 2 and set(switched) == {True, False}


def test_in_the_dark_nothing_of_the_network_runs(night: dict[str, Any]) -> None:
    found = outage(night)["in the dark"]

    assert (found["hostapd"], found["dnsmasq"]) == (0, 0)
    assert found["node"] == 1


@pytest.mark.parametrize("machine", ["grid", "mode"])
def test_no_transition_is_lost(night: dict[str, Any], machine: str) -> None:
    """Each begins where the one before ended, and was carried out, over kills and all."""
    arrows = [each[1:] for each in night["transitions"] if each[0] == machine]

    assert len(arrows) >= 4
    assert [(a, b) for (_, a, _), (b, _, _) in pairwise(arrows) if a != b] == []
    assert all(is_carried_out for _, _, is_carried_out in arrows)


def test_what_the_box_wanted_came_true(night: dict[str, Any]) -> None:
    """Every posture with a WLAN is followed by one, every one without by none."""
    wanted = changes(night, "posture")
    on_air = changes(night, "is_on_air")

    for (at, name), (until, _) in pairwise([*wanted, (float("inf"), None)]):
        if until - at < 15:
            continue
        state = [value for when, value in on_air if when <= at + 15][-1]
        assert state is (name in ("emergency", "shared")), f"{name} at {at}"


def test_a_returned_grid_ends_it_all_after_ten_minutes(night: dict[str, Any]) -> None:
    at = outage(night)["at"]

    assert at["normal"] - at["back"] >= 600


def test_nothing_is_left_over_from_outage_to_outage(night: dict[str, Any]) -> None:
    quiet = night.get("soak", {}).get("quiet", [])
    if not quiet:
        pytest.skip("this night has one outage only")

    assert {each["everybody"] for each in quiet[1:]} == {quiet[0]["everybody"]}
    assert {each["node"]["descriptors"] for each in quiet[1:]} == {quiet[0]["node"]["descriptors"]}
    assert [each["hostapd"]["processes"] for each in quiet] == [0] * len(quiet)


@pytest.mark.parametrize("name", ["node", "portal"])
def test_memory_does_not_grow_by_more_than_a_mebibyte_a_day(
    night: dict[str, Any], name: str
) -> None:
    samples = [each for each in night["samples"] if each[name]["processes"]]
    settled = samples[len(samples) // 3 :]
    days = [each["at"] / 86400 for each in settled]
    kib = [each[name]["kib"] for each in settled]
    if len(samples) < 10:
        pytest.skip(f"the {name} never ran for long")

    slope = linear_regression(days, kib).slope

    # Over hours, the pages of one page of thought weigh as much as a day's leak: there the whole
    # growth is held to the day's.
    grown = slope * (days[-1] - days[0])
    assert grown <= MOST_KIB_A_DAY * max(1.0, days[-1] - days[0])
