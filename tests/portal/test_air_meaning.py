"""The air page's classes: which index, what it lacks, what damp air does to it, CO₂, heat, rain.

Bounds are the published ones, named at each test.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from asking import Portal
from street import NOW, hang_outside, now_json, open_store, write_facts

from kiezbox.clock import ManualClock
from kiezbox.i18n import LANGUAGES
from kiezbox.model import Flag, Measurement, Quantity
from kiezbox.portal.sight import Sight

PM25, PM10 = Quantity.PM2_5_UG_M3, Quantity.PM10_UG_M3

Measured = Callable[[float], Iterable[Measurement]]


class Box:
    """A day of readings of one sensor outside, every ten minutes, and the page about them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def measured(
        self, readings: Measured, *, hours: float = 24, now: float = NOW, every_s: float = 600
    ) -> None:
        """``readings``: what was measured so many hours ago. The last is the latest."""
        clock = ManualClock(now - hours * 3600)
        steps = int(hours * 3600 / every_s)
        with closing(open_store(self.folder, clock)) as store:
            for step in range(steps):
                clock.advance(every_s)
                last = list(readings((steps - 1 - step) * every_s / 3600))
                store.add("roof", last)
        latest = {
            f"roof/{each.quantity.value}": {
                "value": each.value, "flag": each.flag, "reason": each.reason, "taken_at": now - 30,
            }
            for each in last
        }  # fmt: skip
        write_facts(self.folder / "run", now_json() | {"latest": latest, "written_at": now})
        hang_outside(self.folder, "roof")

    def page(self, language: str = "de", now: float = NOW) -> str:
        sight = Sight(str(self.folder / "run"), str(self.folder / "kiezbox.db"), ManualClock(now))
        text: str = Portal(sight).ask(f"/{language}/air").text
        return text.replace("\u00a0", " ")


@pytest.fixture
def box(tmp_path: Path) -> Box:
    return Box(tmp_path)


def dust(fine: float, coarse: float, **more: Any) -> list[Measurement]:
    return [Measurement(PM25, fine, **more), Measurement(PM10, coarse, **more)]


def shown(page: str) -> list[str]:
    return re.findall(r"<p class=v>([^<]*)</p>", page)


def test_a_class_of_dust_alone_says_what_it_lacks_and_what_europe_would_say(box: Box) -> None:
    # 20 µg/m³ of PM2.5: 16 to 30 is "mäßig" (UBA 2025), 15 to 50 "moderate" (EEA 2024).
    box.measured(lambda ago: dust(20.0, 24.0))

    page = box.page()

    assert shown(page) == ["Mäßig"]
    assert "Unvollständig: ohne <bdi>NO₂, O₃, SO₂</bdi>" in page
    assert "Europäischer Index: mäßig." in page


def test_an_electrochemical_cell_makes_a_class_worse_and_completes_none(box: Box) -> None:
    # 110 µg/m³ of NO₂ in an hour is "sehr schlecht" from 101 on (UBA 2025).
    box.measured(lambda ago: [*dust(3.0, 5.0), Measurement(Quantity.NO2_UG_M3, 110.0)])

    page = box.page()

    assert shown(page) == ["Sehr schlecht"]
    assert "ohne <bdi>NO₂, O₃, SO₂</bdi>" in page


def test_the_mean_of_a_day_stands_beside_the_value_of_the_world_health_organization(
    box: Box,
) -> None:
    box.measured(lambda ago: dust(30.0 if ago < 12 else 10.0, 24.0))

    page = re.sub(r"</?bdi>", "", box.page())

    # WHO 2021, table 0.1: 15 and 45 µg/m³ over 24 hours.
    assert (
        "Feinstaub PM2,5: 20,0 µg/m³. Die Weltgesundheitsorganisation rät zu höchstens 15" in page
    )
    assert "Feinstaub PM10: 24,0 µg/m³. Die Weltgesundheitsorganisation rät zu höchstens 45" in page


def test_a_sensor_that_speaks_twice_an_hour_has_a_mean_of_the_day(box: Box) -> None:
    box.measured(lambda ago: dust(30.0, 24.0), every_s=1800)

    assert "Weltgesundheitsorganisation" in box.page()


def test_half_a_day_is_no_day(box: Box) -> None:
    box.measured(lambda ago: dust(30.0, 40.0), hours=12)

    assert "Weltgesundheitsorganisation" not in box.page()


def test_in_damp_air_there_is_a_class_that_is_called_doubtful_and_no_advice_of_it(box: Box) -> None:
    damp = {"flag": Flag.SUSPECT, "reason": "rh-high"}
    box.measured(lambda ago: dust(40.0, 60.0, **damp))

    page = box.page()

    assert shown(page) == ["fraglich: Schlecht"]
    assert "Tröpfchen zählen als Staub" in page
    assert "nicht anstrengen" not in page and "Europäischer Index" not in page
    assert "keine guten Feinstaubwerte" not in page


def test_where_some_dust_was_good_the_damp_one_does_not_count(box: Box) -> None:
    damp = {"flag": Flag.SUSPECT, "reason": "rh-high"}
    box.measured(lambda ago: dust(4.0, 6.0) if ago < 0.4 else dust(90.0, 95.0, **damp))

    assert shown(box.page()) == ["Sehr gut"]


def test_dust_that_is_doubted_for_another_reason_makes_no_class(box: Box) -> None:
    box.measured(lambda ago: dust(40.0, 60.0, flag=Flag.SUSPECT, reason="stuck"))

    page = box.page()

    assert shown(page) == []
    assert "keine guten Feinstaubwerte" in page
    assert "Steht seit Langem still." in page


@pytest.mark.parametrize(
    ("ppm", "said"), [(999.0, "Grün"), (1000.0, "Gelb"), (2000.0, "Gelb"), (2001.0, "Rot")]
)
def test_carbon_dioxide_has_a_light(box: Box, ppm: float, said: str) -> None:
    box.measured(lambda ago: [Measurement(Quantity.CO2_PPM, ppm)], hours=1)

    page = box.page()

    assert shown(page) == [f"{ppm:.0f} ppm"]
    assert f"<p>{said}: " in page


def test_heat_is_told_in_both_ways_and_the_day_and_night_have_their_names(box: Box) -> None:
    climate = [
        Measurement(Quantity.TEMPERATURE_C, 30.0), Measurement(Quantity.HUMIDITY_PERCENT, 40.2),
    ]  # fmt: skip
    box.measured(lambda ago: climate)

    page = box.page()

    # Environment Canada's example: 30 °C with a dew point of 15 °C (that is 40.2 %) are 34.
    assert "Humidex, wie man in Kanada rechnet: 34" in page
    assert "Heute ist ein heißer Tag" in page and "Tropennacht" in page


def test_a_cool_day_is_not_spoken_of(box: Box) -> None:
    climate = [
        Measurement(Quantity.TEMPERATURE_C, 19.9), Measurement(Quantity.HUMIDITY_PERCENT, 50.0),
    ]  # fmt: skip
    box.measured(lambda ago: climate)

    page = box.page()

    assert not re.search("Humidex|heißer Tag|Tropennacht", page)


def test_rain_is_summed_up_and_a_cloudburst_has_its_step(box: Box) -> None:
    # 6 × 5 mm in the last hour, 10 mm the evening before: above 25 mm in an hour is the weather
    # service's second step.
    def rain(ago: float) -> list[Measurement]:
        return [Measurement(Quantity.RAIN_MM, 5.0 if ago < 0.99 else 10.0 if ago == 12 else 0.0)]

    box.measured(rain)

    page = re.sub(r"</?bdi>", "", box.page())

    assert "Letzte Stunde: 30,0 mm. Letzte 24 Stunden: 40,0 mm." in page
    assert "Heftiger Starkregen" in page


def test_without_a_gauge_nothing_is_said_of_rain(box: Box) -> None:
    box.measured(lambda ago: dust(4.0, 6.0), hours=1)

    assert "Letzte Stunde:" not in box.page()


def test_the_page_with_all_of_it_is_small_in_every_language(box: Box) -> None:
    import gzip

    everything = [
        *dust(40.0, 60.0, flag=Flag.SUSPECT, reason="rh-high"),
        Measurement(Quantity.TEMPERATURE_C, 32.0), Measurement(Quantity.HUMIDITY_PERCENT, 80.0),
        Measurement(Quantity.CO2_PPM, 1200.0), Measurement(Quantity.RAIN_MM, 5.0),
        Measurement(Quantity.PRESSURE_HPA, 1012.0), Measurement(Quantity.LAEQ_DB, 60.0),
    ]  # fmt: skip
    box.measured(lambda ago: everything)
    for language in LANGUAGES:
        page = box.page(language).encode()

        assert len(page) <= 15_000
        assert len(gzip.compress(page, 6)) <= 3_072, language
        assert b"{" not in page.partition(b"</style>")[2], language
