"""docs/mqtt.md says what is really sent, and its examples work."""

from __future__ import annotations

import json
import re
import sqlite3
from pathlib import Path
from typing import Any

from senml_rfc8428 import resolve

from kiezbox import senml
from kiezbox.model import Batch, Reading, Series, serial_of

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "mqtt.md").read_text(encoding="utf-8")

SERIES = {1: Series("roof", "temperature_c"), 2: Series("roof", "pressure_hpa")}
T0 = 1_780_000_000_000


def example(language: str, containing: str = "") -> str:
    """The first block of that language that has these words."""
    blocks = re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.M | re.S)
    return next(block for block in blocks if containing in block)


def reading(counter: int, series: int, minute: int, value: float, **more: Any) -> Reading:
    at = T0 + 60_001 * minute
    return Reading(serial_of(4431040, counter), series, at, 0, value, **more)


def test_the_readings_on_the_page_are_what_is_sent_for_them() -> None:
    batch = Batch(
        "kb-1",
        SERIES,
        [
            reading(1, 1, 0, 21.54),
            reading(2, 2, 0, 1008.25),
            reading(3, 1, 1, 21.57),
            reading(4, 2, 1, 998.1, flag=1, reason="jumped"),
        ],
    )

    shown = example("json", "bver").replace(",\n ", ",").strip()

    assert shown == senml.pack(batch).decode()


def test_every_label_that_can_be_sent_is_explained() -> None:
    everything = Reading(serial_of(1, 1), 2, T0, 5000, 1.0, 2.0, 2, "stuck", 0)
    no_number = everything._replace(value=float("nan"), serial=serial_of(1, 2))

    records = json.loads(senml.pack(Batch("kb-1", SERIES, [everything, no_number])))

    labels = {label for record in records for label in record}
    explained = set(re.findall(r"`(\w+)`", " ".join(re.findall(r"^\| (`.*?) \|", PAGE, re.M))))
    assert labels - explained - {"bver"} == set()
    assert "`bver`" in PAGE


def test_the_receiver_on_the_page_reads_what_a_strict_one_reads() -> None:
    pack = example("json", "bver")
    program: dict[str, Any] = {}
    exec(example("python"), program)

    received = list(program["readings"](pack))

    assert received == [
        ("kb-1", record["id"], record["n"], round(record["t"], 3), record["u"], record["v"])
        for record in resolve(pack)
    ]


def test_the_table_on_the_page_takes_a_reading_once() -> None:
    program: dict[str, Any] = {}
    exec(example("python"), program)
    create, insert = example("sql").strip().split("\n")
    database = sqlite3.connect(":memory:")
    database.execute(create)

    for _ in range(2):
        for box, id_, name, time, _unit, value in program["readings"](example("json", "bver")):
            database.execute(insert, (box, id_, name, time, value))

    assert database.execute("SELECT count(*) FROM readings").fetchone() == (4,)
    database.close()


def test_the_examples_of_the_other_topics_are_json_with_the_fields_in_the_tables() -> None:
    for words in ('"online"', '"faults"'):
        document = json.loads(example("json", words))
        missing = [field for field in _fields(document) if f"`{field}`" not in PAGE]
        assert missing == []


def _fields(document: dict[str, Any], where: str = "") -> list[str]:
    """Names as the page writes them: one level of a dot; what is in lists by itself."""
    names = []
    for key, value in document.items():
        if isinstance(value, dict) and not where and key != "sources":
            names += [f"{key}.{name}" for name in value]
        elif isinstance(value, list) and value and isinstance(value[0], dict):
            names += [key, *value[0]]
        else:
            names.append(key)
    return names
