"""Air and climate here: readings with their doubts, what they mean, their course, open data."""

from __future__ import annotations

import csv
import gzip
import io
import re
import statistics
import time
from collections.abc import Iterator

import pytest
from furnished import fill_store, furnished
from residents import Resident
from street import Portal, fresh, now_json, portal, write_facts

from kiezbox.i18n import LANGUAGES
from kiezbox.model import Series
from kiezbox.portal import charts
from kiezbox.store import StoreReader
from kiezbox.store.history import Span


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Portal]:
    with furnished(tmp_path_factory.mktemp("air"), "ordinary") as running:
        yield running


@pytest.fixture
def resident(served: Portal) -> Resident:
    return Resident(served.port)


def rows_of(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_a_doubtful_reading_is_called_so_and_a_good_one_is_not(resident: Resident) -> None:
    page = resident.open("/de/air")

    assert page.status == 200
    assert "fraglich: 100\u00a0%" in page.text
    assert page.text.count("fraglich") == 1


def test_the_air_has_a_class_and_an_advice_in_words(resident: Resident) -> None:
    page = resident.open("/de/air")

    named = re.findall(r"<p class=v>([^<]*)</p><p>([^<]+)</p>", page.text)
    means = rows_of(resident.open("/de/air/day.csv").text)
    # The last six spans of ten minutes, by the table of the German Environment Agency.
    worst = 0
    for quantity, bounds in {"pm2_5_ug_m3": (5, 15, 30, 50), "pm10_ug_m3": (9, 27, 54, 90)}.items():
        hour = [float(row["mean"]) for row in means if row["quantity"] == quantity][-6:]
        worst = max(worst, sum(round(statistics.mean(hour)) > bound for bound in bounds))
    classes = ("Sehr gut", "Gut", "Mäßig", "Schlecht", "Sehr schlecht")
    assert [classes.index(name) for name, _ in named] in ([worst], [worst - 1], [worst + 1])


def test_without_dust_no_class_is_made_up(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("bare")
    write_facts(folder / "run", fresh(now_json(latest={})))
    with portal(folder) as running:
        page = Resident(running.port).open("/de/air")

    assert page.status == 200
    assert "keine guten Feinstaubwerte" in page.text
    assert "class=v" not in page.text


def test_the_course_shows_in_words_what_was_measured(resident: Resident) -> None:
    link = re.search(r"/de/air/day/roof/temperature_c", resident.open("/de/air").text)
    assert link is not None

    page = resident.open(link.group())

    values = [
        float(row["lowest"])
        for row in rows_of(resident.open("/de/air/day.csv").text)
        if (row["sensor"], row["quantity"]) == ("roof", "temperature_c")
    ]
    shown = f"{min(values):.1f}".replace(".", ",").replace("-", "−")
    assert f"{shown}\u00a0°C bis" in page.text


@pytest.mark.parametrize("course", ["day", "week"])
def test_charts_are_small_in_every_language(resident: Resident, course: str) -> None:
    for language in LANGUAGES:
        page = resident.open(f"/{language}/air/{course}/street/pm10_ug_m3")

        assert page.status == 200 and page.text.count("<svg") == 1
        assert len(gzip.compress(page.text.encode())) <= 25_000


def test_the_page_is_small_in_every_language(resident: Resident) -> None:
    for language in LANGUAGES:
        text = resident.open(f"/{language}/air").text

        assert len(text.encode()) <= 15_000
        assert len(gzip.compress(text.encode(), 6)) <= 3_072, language


def test_the_readings_can_be_had_page_by_page_until_the_last(
    served: Portal, resident: Resident
) -> None:
    path, rows = "/de/air/readings.csv/0", []
    while path:
        page = resident.open(path)
        assert page.headers["content-type"].startswith("text/csv")
        assert "creativecommons.org/publicdomain/zero" in page.headers["link"]
        rows += rows_of(page.text)
        found = re.search(r"<([^>]*)>; rel=\"next\"", page.headers["link"])
        path = found.group(1) if found else ""

    assert len(rows) == len({(row["boot"], row["counter"]) for row in rows})
    assert len(rows) > 4_000
    assert {"good", "suspect"} == {row["flag"] for row in rows}


def test_a_strange_path_leads_back_to_the_air(resident: Resident) -> None:
    for path in ("day/roof/nothing", "day/../../etc", "readings.csv/x", "readings.csv/" + "9" * 40,
                 "week/%00/temperature_c", "month"):  # fmt: skip
        page = resident.open(f"/de/air/{path}")

        assert (page.status, page.path) == (200, "/de/air")


def test_the_chart_has_a_gap_where_nothing_was_measured() -> None:
    spans = [Span(n * 900.0, 1.0, 3.0, 2.0, 5) for n in range(96) if not 40 <= n < 50]

    drawn = charts.chart(spans, 0, 86400, 900, "T", [(43200, "12:00")], str)

    (line,) = re.findall(r'<path d="([^"]*)"', drawn)
    assert line.count("M") == 2


def test_the_means_of_the_air_are_those_of_the_store(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    folder = tmp_path_factory.mktemp("means")
    now = time.time()
    fill_store(folder, now)
    write_facts(folder / "run", fresh(now_json()))
    with portal(folder) as running:
        rows = rows_of(Resident(running.port).open("/de/air/week.csv").text)

    reader = StoreReader(str(folder / "kiezbox.db"))
    batch = reader.after(0, 100_000)
    wanted = Series("street", "pm10_ug_m3")
    everything = [each for each in batch if batch.series[each.series] == wanted]
    named = [row for row in rows if (row["sensor"], row["quantity"]) == ("street", "pm10_ug_m3")]
    whole = named[-30]
    begin = time.mktime(time.strptime(whole["from"], "%Y-%m-%dT%H:%M:%SZ")) - time.timezone
    measured = [each.value for each in everything if begin <= each.taken_at < begin + 3600]
    assert len(measured) == int(whole["readings"])
    assert float(whole["mean"]) == pytest.approx(statistics.mean(measured), rel=1e-5)


def test_on_an_ordinary_day_the_first_way_on_is_to_the_air(resident: Resident) -> None:
    links = re.findall(r"<a href=/de/(\w+)>", resident.open("/de").text.partition("class=tasks")[2])

    assert links[0] == "air"
    assert set(links) >= {"where", "help", "safe", "board"}
