"""Water, heat, dust at a step that the operator set: what the first page and ``/air`` say of it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from asking import Portal
from street import NOW, hang_outside, now_json, write_facts

from kiezbox.clock import ManualClock
from kiezbox.i18n import LANGUAGES, text_of
from kiezbox.portal.sight import Sight


def entry(step: str | None, value: float | None = 1.62, **more: Any) -> dict[str, Any]:
    return {
        "sensor": "brook", "quantity": "water_level_m", "room": None, "step": step,
        "since": NOW - 1800 if step else None, "value": value, "taken_at": NOW - 130,
        "is_stale": False, "datum": "bed", "marks": {"attention": 0.8, "alarm": 1.5}, **more,
    }  # fmt: skip


class Box:
    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def says(self, *steps: dict[str, Any], is_public: bool = True, **more: Any) -> None:
        write_facts(self._folder / "run", now_json(**more) | {"steps": list(steps)})
        shown = [each["sensor"] for each in steps] if is_public else []
        hang_outside(self._folder, "roof", *shown)

    def page(self, path: str = "", language: str = "de") -> str:
        sight = Sight(str(self._folder / "run"), str(self._folder / "kiezbox.db"), ManualClock(NOW))
        text: str = Portal(sight).ask(f"/{language}{path}").text
        text = re.sub(r"<style>.*?</style>", " ", text, flags=re.S).replace("\u00a0", " ")
        return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", text))


@pytest.fixture
def box(tmp_path: Path) -> Box:
    return Box(tmp_path)


@pytest.mark.parametrize(
    ("quantity", "value", "headline", "first"),
    [
        ("water_level_m", 1.62, "Hochwasser", "Keller und Tiefgarage verlassen"),
        ("temperature_c", 38.0, "Große Hitze", "Trinken, bevor der Durst kommt"),
        ("pm10_ug_m3", 900.0, "Rauch oder Gefahrstoff", "Fenster und Türen zu"),
    ],
)
def test_the_first_page_is_about_what_the_sensor_is_about(
    box: Box, quantity: str, value: float, headline: str, first: str
) -> None:
    cause = {
        "cause": "sensor_threshold", "since": NOW - 60, "detail": f"brook/{quantity} ≥ 1.50 m",
    }  # fmt: skip
    step = entry("alarm", value, quantity=quantity, datum="none")
    box.says(step, mode__name="emergency", mode__causes=[cause])

    page = box.page()

    assert headline in page[:40] and first in page
    assert "≥" not in page and "vor 2 Minuten" in page


def test_a_warning_is_told_on_an_ordinary_day(box: Box) -> None:
    box.says(entry("attention", 0.9))

    page = box.page()

    assert "Ein gewöhnlicher Tag" in page
    assert "Achtung. Wasserstand: 0,90 m über dem Grund (vor 2 Minuten)" in page


def test_an_alarm_step_is_no_ordinary_day_whatever_the_mode(box: Box) -> None:
    box.says(entry("alarm"))

    assert "Hochwasser" in box.page()[:40]
    assert "Wasserstand: 1,62 m über dem Grund (vor 2 Minuten)" in box.page()


def test_what_nobody_knows_any_more_is_no_headline_of_its_own_and_says_so(box: Box) -> None:
    box.says(entry("alarm", is_stale=True, taken_at=NOW - 2700))

    assert "Ein gewöhnlicher Tag" in box.page()[:60]
    air = box.page("/air")
    assert "1,62 m über dem Grund vor 45 Minuten" in air
    assert "weiß diese Box nicht" in air and "Hochwasser." not in air


def test_a_water_level_is_told_where_no_step_is_reached_and_other_values_are_not(box: Box) -> None:
    box.says(entry(None, 0.3), entry(None, 21.0, sensor="roof", quantity="temperature_c"))

    air = box.page("/air")

    assert "0,30 m über dem Grund vor 2 Minuten Keine Stufe ist erreicht." in air
    assert air.count("keine amtliche Warnung") == 1


def test_a_step_says_what_to_do_and_where_there_is_more(box: Box) -> None:
    box.says(entry("warning", 1.2))
    air = box.page("/air")

    assert "Warnung. Das Wasser steht sehr hoch." in air
    assert "Erste Schritte: Hochwasser" in air


def test_two_gauges_are_told_apart(box: Box) -> None:
    box.says(entry("warning", 1.2), entry(None, 0.4, sensor="pond"))

    air = box.page("/air")

    assert "Wasserstand (brook)" in air and "Wasserstand (pond)" in air


def test_the_water_in_a_flat_stands_on_no_page(box: Box) -> None:
    box.says(entry("alarm"), is_public=False)

    assert "Ein gewöhnlicher Tag" in box.page()[:60]
    assert "1,62" not in box.page() + box.page("/air")


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("step", ["attention", "warning", "alarm"])
def test_every_language_says_it(box: Box, language: str, step: str) -> None:
    box.says(entry(step))

    air = re.sub(r"\s+", " ", box.page("/air", language))

    assert text_of(language, "advice")["water"][step][:20] in air
    assert text_of(language)["step_names"][step] in air
    assert "{" not in air


@pytest.mark.parametrize(
    "wrong",
    [
        {}, {"sensor": None}, {"quantity": "nothing"}, {"step": "<b>"}, {"value": "high"},
        {"datum": "moon"}, {"taken_at": None}, {"value": None}, {"is_stale": None},
        {"marks": [1]}, {"since": -5},
    ],
)  # fmt: skip
def test_whatever_now_json_says_there_is_a_page(box: Box, wrong: dict[str, Any]) -> None:
    box.says(entry("alarm") | wrong if wrong else {"sensor": "brook"})

    assert "Kiezbox" in box.page() and "Kiezbox" in box.page("/air")
