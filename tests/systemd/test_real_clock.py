"""The clock's unit under a real systemd, on a kernel whose clock it may set.

``inside_clock.py`` lets a box wake two hundred days in the past beside a GPS receiver and an empty
clock chip; one boot. Here stands what is right.
"""

from __future__ import annotations

from typing import Any

import pytest
from beds.uml.machine import boot, find_kernel

pytestmark = pytest.mark.bed

#: 2026-05-14T20:00:00Z; what it really is lies 200 days later.
WAKES_AT = 1_778_788_800

#: capabilities(7): CAP_SYS_TIME is number 25.
SYS_TIME = 1 << 25


@pytest.fixture(scope="module")
def clock(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("clock")

    run = boot(
        find_kernel(folder),
        folder / "out",
        "../../systemd/inside_clock.py",
        travels_in_time=True,
        starts_at=WAKES_AT,
        limit_s=240,
    )

    found: dict[str, Any] = run.facts()["clock"]
    return found


def test_gps_puts_a_clock_right_that_woke_in_the_past(clock: dict[str, Any]) -> None:
    assert clock["off_at_first_s"] == pytest.approx(-200 * 86400, abs=1)
    assert clock["by_gps"]["is_right"], clock["journal"]
    # NMEA sentences come up to 0.8 s late, and a clock nearer than 1 s is left.
    assert abs(clock["by_gps"]["off_s"]) < 2
    assert (clock["by_gps"]["mark"], clock["by_gps"]["mode"]) == ("gps", "644")
    assert clock["unit"] == {"Result": "success", "ExecMainStatus": "0"}
    assert "right by GPS" in clock["says"]


def test_then_the_chip_is_set_by_the_box(clock: dict[str, Any]) -> None:
    assert clock["chip_is_stopped_at_first"] and clock["chip_is_set"]


def test_who_sets_the_clock_has_that_power_of_roots_and_no_other(clock: dict[str, Any]) -> None:
    found = clock["clock_probe"]

    assert found.pop("user") == 0
    assert found.pop("capabilities") == [SYS_TIME, SYS_TIME, 0]
    assert {what for what, how in found.items() if how == "possible"} == {"set the clock"}


def test_the_node_may_wish_and_not_set(clock: dict[str, Any]) -> None:
    found = clock["node_probe"]

    assert found["write a wish"] == "possible"
    assert found["set the clock"] == "EPERM"
    assert found["capabilities"] == [0, 0, 0]


def test_a_worse_one_sets_nothing_that_a_better_one_has_said(clock: dict[str, Any]) -> None:
    assert clock["a_worse_one"]["moved_s"] == pytest.approx(0, abs=0.5)
    assert clock["a_worse_one"]["Result"] == "success"
    assert clock["a_better_one"]["moved_s"] == pytest.approx(30, abs=2)


def test_while_a_time_service_is_at_work_gps_sets_nothing(clock: dict[str, Any]) -> None:
    assert clock["beside_ntp"]["moved_s"] == pytest.approx(0, abs=0.5)


@pytest.mark.parametrize("wish", ["impossible", "nonsense", "a_link"])
def test_what_a_node_gone_bad_writes_sets_nothing(clock: dict[str, Any], wish: str) -> None:
    assert clock[wish]["moved_s"] == pytest.approx(0, abs=0.5)


def test_what_a_wrong_chip_has_dated_is_dated_anew_in_every_export(clock: dict[str, Any]) -> None:
    found = clock["a_wrong_chip"]
    kinds = [kind for kind, _ in found["off_by"]]

    assert found["is_believed"] and found["off_s"] == pytest.approx(7200, abs=2)
    assert found["is_judged"], found
    assert kinds.count("corrected") >= 10 and kinds[-1] == "trusted"
    assert max(abs(off_s) for _, off_s in found["off_by"]) < 2
