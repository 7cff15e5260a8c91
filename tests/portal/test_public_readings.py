"""What hangs in somebody's rooms stands on no public page, by no way, without a consent."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from asking import Portal
from street import NOW, hang_outside, make_store, now_json, open_store, write_facts

from kiezbox.clock import ManualClock
from kiezbox.model import Measurement, Quantity
from kiezbox.portal.sight import Sight

#: No other number on any page looks like it.
SECRET = 27.125

PATHS = (
    "/", "/de/air", "/de/air/day/bedroom/temperature_c", "/de/air/week.csv", "/de/air/day.csv",
    "/de/air/readings.csv/0", "/de/kiosk", "/situation.geojson", "/api/info", "/healthz", "/info",
)  # fmt: skip


@pytest.fixture
def box(tmp_path: Path) -> Path:
    """A roof and a bedroom, both measured a minute ago and some hours back."""
    clock = ManualClock(NOW - 7200)
    store = open_store(tmp_path, clock)
    for _ in range(13):
        store.add("roof", [Measurement(Quantity.TEMPERATURE_C, 3.5)])
        store.add("bedroom", [Measurement(Quantity.TEMPERATURE_C, SECRET)])
        clock.advance(600)
    store.close()
    latest = {
        f"{sensor}/temperature_c": {"value": v, "flag": 0, "reason": "", "taken_at": NOW - 60}
        for sensor, v in (("roof", 3.5), ("bedroom", SECRET))
    }
    write_facts(tmp_path / "run", now_json() | {"latest": latest, "written_at": NOW})
    hang_outside(tmp_path, "roof")
    return tmp_path


def portal(box: Path) -> Portal:
    return Portal(Sight(str(box / "run"), str(box / "kiezbox.db"), ManualClock(NOW)))


def shows(box: Path, path: str) -> bool:
    text = portal(box).ask(path).text
    return "bedroom" in text or str(SECRET) in text or "27,1" in text or "27.1" in text


@pytest.mark.parametrize("path", PATHS)
def test_a_bedroom_is_on_no_page(box: Path, path: str) -> None:
    assert not shows(box, path)


def test_a_roof_is(box: Path) -> None:
    assert "3,5" in portal(box).ask("/de/air").text
    assert "roof" in portal(box).ask("/de/air/readings.csv/0").text


@pytest.mark.parametrize("path", PATHS)
def test_nor_is_it_when_the_node_has_gone(box: Path, path: str) -> None:
    (box / "run" / "now.json").unlink()

    assert not shows(box, path)


@pytest.mark.parametrize("table", [None, "", "{", "[]", '{"bedroom": true}', '{"bedroom": [0]}'])
def test_without_a_word_from_the_node_nothing_that_is_measured_is_shown(
    box: Path, table: str | None
) -> None:
    if table is None:
        (box / "public.json").unlink()
    else:
        (box / "public.json").write_text(table, encoding="utf-8")

    found = portal(box)
    assert not shows(box, "/de/air") and not shows(box, "/de/air/readings.csv/0")
    assert "roof" not in found.ask("/de/air/readings.csv/0").text
    assert found.ask("/de/air").status == 200


def test_with_a_consent_it_is_shown_from_then_on_and_until_then(box: Path) -> None:
    def consent(since: float, until: float) -> None:
        shown = {"roof": [[0, None]], "bedroom/temperature_c": [[since, until]]}
        (box / "public.json").write_text(json.dumps(shown), encoding="utf-8")

    consent(NOW - 1799, NOW + 1)
    assert shows(box, "/de/air")
    rows = [line for line in portal(box).ask("/de/air/readings.csv/0").text.splitlines()
            if ",bedroom," in line]  # fmt: skip
    assert len(rows) == 3, "of the last half an hour alone"

    consent(NOW - 1800, NOW)
    assert not shows(box, "/de/air") and not shows(box, "/de/air/readings.csv/0")


def agreed(box: Path, **more: object) -> None:
    shown = {"roof": [[0, None]], "bedroom": [[NOW - 1799, NOW + 9]], **more}
    (box / "public.json").write_text(json.dumps(shown), encoding="utf-8")


@pytest.mark.parametrize("path", ["/de/air", "/de/air/readings.csv/0", "/situation.geojson"])
def test_as_soon_as_somebody_writes_into_the_ledger_no_consent_counts_until_it_is_read(
    box: Path, path: str
) -> None:
    """Whoever revokes may be killed before the table is written anew."""
    (box / "consents.jsonl").write_text("{}\n", encoding="utf-8")
    agreed(box, **{"consents.jsonl": 3})
    assert shows(box, path)

    with open(box / "consents.jsonl", "a", encoding="utf-8") as behind:
        behind.write("{}\n")

    assert not shows(box, path)


@pytest.mark.parametrize("path", ["/de/air", "/de/air/day/bedroom/temperature_c"])
def test_it_is_gone_from_what_the_pages_keep_too(box: Path, path: str) -> None:
    """Means of a day are kept for a while, because they cost a look into the store."""
    agreed(box)
    found = portal(box)
    assert "27,1" in found.ask(path).text

    with open(box / "consents.jsonl", "a", encoding="utf-8") as behind:
        behind.write("{}\n")

    assert "27,1" not in found.ask(path).text


def test_with_a_clock_that_nobody_set_no_consent_counts(box: Path) -> None:
    agreed(box)
    document = json.loads((box / "run" / "now.json").read_text(encoding="utf-8"))
    write_facts(box / "run", document | {"clock_trusted": False})
    agreed(box)

    assert not shows(box, "/de/air") and not shows(box, "/de/air/readings.csv/0")
    assert "3,5" in portal(box).ask("/de/air").text


@pytest.mark.parametrize("path", PATHS)
def test_what_is_wrong_with_a_bedrooms_sensor_or_where_its_value_stands_is_on_no_page(
    box: Path, path: str
) -> None:
    fault = {
        "source": "sensors.bedroom.quality", "kind": "stuck", "opened_at": NOW, "times": 1,
        "message": "bedroom/humidity_percent has not been believed for an hour", "hint": "",
    }  # fmt: skip
    step = {
        "sensor": "bedroom", "quantity": "temperature_c", "room": "bedroom", "step": "warning",
        "since": NOW, "value": SECRET, "taken_at": NOW, "is_stale": False, "datum": None,
        "marks": {},
    }  # fmt: skip
    document = json.loads((box / "run" / "now.json").read_text(encoding="utf-8"))
    write_facts(box / "run", document | {"faults": [fault], "steps": [step]})
    hang_outside(box, "roof")

    assert not shows(box, path)


def test_a_box_without_sensors_needs_no_table(tmp_path: Path) -> None:
    make_store(tmp_path)

    assert portal(tmp_path).ask("/de/air").status == 200
