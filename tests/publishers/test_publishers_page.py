"""docs/publishers.md says of every carrier what it does, and calls things as they are called."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from contracts.receivers._influx import points
from contracts.test_publishers import LATEST

from kiezbox import publishers
from kiezbox.model import Batch, Flag, Reading, Series, serial_of
from kiezbox.publishers import _http, influx, prometheus
from kiezbox.settings import parse

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "publishers.md").read_text(encoding="utf-8")


def rows(header: str) -> list[list[str]]:
    """The cells of the table that begins with this header."""
    table = PAGE[PAGE.index(header) :].split("\n\n")[0].splitlines()[2:]
    return [[cell.strip() for cell in line.strip("| ").split(" | ")] for line in table]


def test_every_carrier_stands_in_the_table_and_says_whether_it_carries_the_past() -> None:
    past = {row[0].strip("`"): row[2].startswith("yes") for row in rows("| `driver` |")}

    assert sorted(past) == publishers.carriers()
    assert sorted(name for name, has_past in past.items() if not has_past) == sorted(LATEST)


def test_every_carrier_says_what_is_done_when_it_does_not_work() -> None:
    named = {name for row in rows("| | wait |") for name in re.findall(r"`(\w+)`", row[0])}

    assert sorted(named - {"kiezbox"}) == publishers.carriers()


@pytest.mark.parametrize("name", ["home_assistant", "influx", "prometheus"])
def test_the_settings_on_the_page_are_valid(name: str) -> None:
    (block,) = [block for block in re.findall(r"^```toml\n(.*?)^```$", PAGE, re.M | re.S)
                if f"[publishers.{name}]" in block]  # fmt: skip

    table = tomllib.loads(block)["publishers"][name]

    assert parse(publishers.load(name).Settings, table)


def test_the_lines_on_the_page_are_what_influxdb_is_sent() -> None:
    (shown,) = re.findall(r"^```\n(temperature_c,.*?)^```$", PAGE, re.M | re.S)
    first = Reading(serial_of(3, 1), 1, 1_780_000_000_000, 0, 21.5)
    second = Reading(serial_of(3, 3), 1, 1_780_000_060_000, 0, 31.5, None, Flag.SUSPECT, "step")

    sent = influx.pack(Batch("kb-1", {1: Series("roof", "temperature_c")}, [first, second]))

    assert shown == sent.decode()
    fields = {row[0] for row in rows("| field | |")}
    said = {f"`{name}`" for point in points(sent) for name in point.fields}
    assert said <= fields


def test_prometheus_names_are_those_that_are_shown() -> None:
    named = {row[0].strip("`"): row[1].strip("`") for row in rows("| quantity | metric |")}

    assert named == {
        quantity.value: f"kiezbox_{name.metric}" for quantity, name in prometheus.NAMES.items()
    }


def test_the_limits_on_the_page_are_those_that_hold() -> None:
    assert f"a request has {_http.WHOLE_S:.0f} s" in PAGE
    assert f"{_http.MOST_BYTES >> 10} KiB" in PAGE
    assert f"{_http.MOST_PAUSE_S / 60:.0f} minutes at most" in PAGE
    assert f":{parse(prometheus.Settings, {}).port}/metrics" in PAGE
