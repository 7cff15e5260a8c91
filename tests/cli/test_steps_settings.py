"""Steps in kiezbox.toml: what cannot be meant is refused with the sentence that mends it."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest

from kiezbox.cli.settings import check
from kiezbox.errors import SettingsError

BROOK = """
[box]
id = "kb-a"
[sensors.brook]
driver = "a02yyuw"
where = "outdoor"
mounting_height_m = 2.4
{more}
[sensors.brook.steps.{quantity}]
{steps}
"""


def checked(steps: str, quantity: str = "water_level_m", more: str = "") -> Any:
    return check(tomllib.loads(BROOK.format(steps=steps, quantity=quantity, more=more)))


@pytest.mark.parametrize(
    "steps",
    [
        "attention = 0.8\nwarning = 1.1\nalarm = 1.5",
        "alarm = 2",
        "warning = -0.2\nalarm = 0.1\nback = 0.02\nheld_s = 0\nlost_s = 600\ndatum = 'street'",
        # Three centimetres below its face it still sees (A02YYUW: blind zone 3 cm).
        "alarm = 2.37",
    ],
)
def test_what_can_be_meant_is_taken(steps: str) -> None:
    assert checked(steps).sensors["brook"]["steps"]


def test_a_gauge_far_above_the_sea_counts_from_there() -> None:
    assert checked("alarm = 36.2\ndatum = 'sea'", more="zero_m = 34.4")


@pytest.mark.parametrize(
    ("steps", "quantity", "more", "words"),
    [
        ("", "water_level_m", "", ("attention, warning or alarm must be set",)),
        ("attention = 1.2\nwarning = 1.1", "water_level_m", "", ("must be below warning = 1.1",)),
        ("warning = 1.1\nalarm = 1.1", "water_level_m", "", ("must be below alarm = 1.1",)),
        (
            "warning = 1.1\nalarm = 1.2\nback = 0.1", "water_level_m", "",
            ("back = 0.1 must be less",),
        ),
        ("alarm = 2.38", "water_level_m", "", ("more than it can ever see (2.37 m",)),
        ("alarm = 36", "water_level_m", "zero_m = 30", ("(32.37 m",)),
        ("alarm = 'high'", "water_level_m", "", ("alarm = \"high\" must be a number",)),
        ("flood = 2", "water_level_m", "", ("steps.water_level_m.flood is not a setting",)),
        ("alarm = 1\ndatum = 'moon'", "water_level_m", "", ("must be one of none, bed, gauge",)),
        ("alarm = 30", "temperature_c", "", ("this sensor does not measure it",)),
        (
            "alarm = 70\ndatum = 'bed'", "temperature_c", "",
            ("datum is for water levels", "from 45 on a value is doubted"),
        ),
        ("alarm = 30", "humidity_percent", "", ("has no steps; there are steps for: water_level",)),
    ],
)  # fmt: skip
def test_what_cannot_be_meant_is_refused(
    steps: str, quantity: str, more: str, words: tuple[str, ...]
) -> None:
    with pytest.raises(SettingsError) as refused:
        checked(steps, quantity, more)

    for each in words:
        assert each in str(refused.value)
    assert "sensors.brook.steps" in str(refused.value)


def test_a_transmitter_has_an_end_too() -> None:
    table = {
        "box": {"id": "kb-a"},
        "sensors": {
            "shaft": {
                "driver": "ads1115", "probe": "level", "at_4_ma_m": 0.0, "at_20_ma_m": 5.0,
                "steps": {"water_level_m": {"alarm": 5.5}},
            }
        },
    }  # fmt: skip

    with pytest.raises(SettingsError, match="more than it can ever measure"):
        check(table)
