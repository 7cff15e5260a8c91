"""The box's own code on a real kernel's GPIO lines and I2C bus, in a virtual machine.

``inside_hardware.py`` tries the seams (one boot, 4 s); here stands what is right.
"""

from __future__ import annotations

from typing import Any

import pytest
from machine import boot, find_kernel

pytestmark = pytest.mark.bed


@pytest.fixture(scope="module")
def facts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the experiments inside the machine found, by experiment."""
    folder = tmp_path_factory.mktemp("uml")

    return boot(find_kernel(folder), folder / "out", "inside_hardware.py").facts()


def test_a_lost_grid_is_an_edge_and_not_a_question_asked_often(facts: dict[str, Any]) -> None:
    edges = facts["edges"]

    assert edges["values"] == [1, 0, 1]
    assert edges["seen"] == ["lost", "back"]
    assert edges["threads"] == ["pins-gpiod"]
    assert edges["latency_s"] < 1


def test_a_board_that_is_low_while_the_grid_is_there_reads_the_other_way_round(
    facts: dict[str, Any],
) -> None:
    assert facts["polarity"] == {"high": 0, "low": 1}


def test_the_built_in_resistor_decides_on_a_line_that_nothing_drives(
    facts: dict[str, Any],
) -> None:
    # Level on the chip's own side, level as read, value as gpiozero turns it (active is the
    # level against the pull).
    assert facts["pulls"] == {"up": [1, True, 0], "down": [0, False, 0]}


def test_flickers_shorter_than_the_bounce_time_are_no_events_and_a_loss_is_one(
    facts: dict[str, Any],
) -> None:
    assert facts["bounce"] == {"flickers": [], "loss": ["pressed"]}


def test_an_output_switches_the_line_and_gives_it_back(facts: dict[str, Any]) -> None:
    assert facts["outputs"] == {"levels": [1, 0, 1], "is_reusable": True}


@pytest.mark.parametrize(
    ("case", "kind", "word"),
    [
        ("no chip", "SensorMissing", "there is no such GPIO chip"),
        ("no line", "SensorMissing", "there is no line 28"),
        ("in use", "SensorError", "the line is in use"),
        ("not a chip", "SensorMissing", "it is not a GPIO chip"),
    ],
)
def test_a_line_that_cannot_be_had_says_why_and_what_to_do(
    facts: dict[str, Any], case: str, kind: str, word: str
) -> None:
    said_kind, message, hint = facts["refusals"][case]

    assert said_kind == kind
    assert word in message
    assert hint


def test_the_unchanged_bme280_driver_reads_boschs_worked_example_from_the_kernels_bus(
    facts: dict[str, Any],
) -> None:
    # BMP280 data sheet, section 3.12: 25.08 degrees, 100653.27 Pa.
    assert facts["bme280"]["temperature_c"] == pytest.approx(25.08, abs=0.005)
    assert facts["bme280"]["pressure_hpa"] == pytest.approx(1006.5327, abs=0.001)


def test_a_scan_of_the_kernels_bus_finds_the_chips_that_are_there(facts: dict[str, Any]) -> None:
    assert facts["bme280"]["scan"] == [0x76, 0x77]


def test_an_address_nobody_answers_at_is_error_121_as_every_driver_expects(
    facts: dict[str, Any],
) -> None:
    assert facts["bme280"]["absent"] == 121


def test_a_chip_with_another_id_is_refused_by_the_driver(facts: dict[str, Any]) -> None:
    assert "Chip ID 0x0" in facts["bme280"]["wrong chip"]


def test_a_gpio_driver_taken_away_is_an_error_in_words_and_no_busy_loop(
    facts: dict[str, Any],
) -> None:
    assert facts["chip_taken_away"]["error"] == "SensorMissing"
    assert facts["chip_taken_away"]["cpu_s"] < 0.25
