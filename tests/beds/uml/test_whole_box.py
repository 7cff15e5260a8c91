"""A whole node on a real kernel's pins and bus, through an evening without electricity.

``inside_node.py`` starts it with the defaults that boxes have and plays the grid; one boot, and
more than ten minutes on the box's clock in 5 to 12 s of ours. Here stands what is right.
"""

from __future__ import annotations

from typing import Any

import pytest
from machine import boot, find_kernel

pytestmark = pytest.mark.bed


@pytest.fixture(scope="module")
def evening(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the node said at each turn of the evening."""
    folder = tmp_path_factory.mktemp("uml")

    run = boot(
        find_kernel(folder), folder / "out", "inside_node.py", travels_in_time=True, limit_s=240
    )

    evening: dict[str, Any] = run.facts()["evening"]
    return evening


def test_while_the_grid_is_there_the_box_is_normal_and_measures(evening: dict[str, Any]) -> None:
    before = evening["before"]
    latest = before["latest"]

    assert before["mode"]["name"] == "normal"
    assert before["grid"]["sources"] == {"mains": "present"}
    # The chip shows the worked example of Bosch's BMP280 data sheet, section 3.12.
    assert latest["roof/temperature_c"]["value"] == pytest.approx(25.08, abs=0.005)
    assert latest["roof/pressure_hpa"]["value"] == pytest.approx(1006.533, abs=0.001)
    assert {reading["flag"] for reading in latest.values()} == {0}


def test_a_lost_grid_is_an_emergency_within_ten_seconds(evening: dict[str, Any]) -> None:
    assert evening["seconds_to_emergency"] <= 10


def test_the_status_command_names_the_cause(evening: dict[str, Any]) -> None:
    status = evening["status"]

    assert status["mode"]["name"] == "emergency"
    assert [cause["cause"] for cause in status["mode"]["causes"]] == ["grid_lost"]
    assert status["grid"]["state"] == "lost"


def test_a_node_killed_in_an_emergency_goes_on_in_it(evening: dict[str, Any]) -> None:
    before, after = evening["status"], evening["after_the_kill"]

    assert after["boot"] != before["boot"]
    assert after["mode"]["name"] == "emergency"
    assert after["mode"]["since"] == before["mode"]["since"]


def test_a_grid_that_is_back_ends_the_emergency_after_ten_minutes_and_not_before(
    evening: dict[str, Any],
) -> None:
    assert 600 <= evening["seconds_to_normal"] < 610


def test_a_node_told_to_end_ends_well(evening: dict[str, Any]) -> None:
    assert evening["exit_code"] == 0
