"""Exports of every form, judged by foreign readers: sqlite3's own CSV, pyarrow, a resolver."""

from __future__ import annotations

import csv
import io
import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from storing import BOX, warm

from kiezbox.cli import readings as readings_verb
from kiezbox.errors import MissingPackage, UsageError
from kiezbox.model import Flag, Measurement, Quantity

NOON = 1_795_348_800  # 2026-11-22T12:00:00Z


@pytest.fixture
def toml(tmp_path: Path, settings: Any) -> str:
    path = tmp_path / "kiezbox.toml"
    path.write_text(f'[box]\nid = "{BOX}"\n[store]\npath = "{settings.path}"\n')
    return str(path)


@pytest.fixture
def three_hours(open_store: Any, clock: Any) -> Any:
    """A reading a minute of two quantities, 20, 21, …; every tenth suspect; the end unfolded."""
    clock.set_wall(NOON)
    store = open_store()
    for minute in range(180):
        flag = Flag.SUSPECT if minute % 10 == 9 else Flag.GOOD
        store.add(
            "roof",
            [
                Measurement(Quantity.TEMPERATURE_C, 20.0 + minute, None, flag, 'x, "y"' * flag),
                Measurement(Quantity.HUMIDITY_PERCENT, 50.0),
            ],
        )
        clock.advance(60)
        if minute == 100:
            store.fold()
    store.flush()
    return store


def export(capsys: Any, toml: str, *arguments: str) -> str:
    assert readings_verb.main(["export", "--settings", toml, *arguments]) == 0
    return str(capsys.readouterr().out)


def test_means_are_of_the_good_ones_and_say_how_many_were_not(
    three_hours: Any, capsys: Any, toml: str
) -> None:
    text = export(
        capsys, toml, "--format", "csv", "--tier", "hourly", "--quantity", "temperature_c"
    )

    rows = list(csv.DictReader(io.StringIO(text)))
    assert [row["starts_at"] for row in rows] == [
        f"2026-11-22T{hour}:00:00.000Z" for hour in (12, 13, 14)
    ]
    # Of 20 … 79 without 29, 39, …, 79: (2970 - 324) / 54 = 49; then 60 and 60 more.
    assert [float(row["mean"]) for row in rows] == pytest.approx([49.0, 109.0, 169.0])
    assert [(row["least"], row["most"]) for row in rows] == [
        ("20.0", "78.0"), ("80.0", "138.0"), ("140.0", "198.0"),
    ]  # fmt: skip
    assert {(row["good"], row["suspect"], row["bad"]) for row in rows} == {("54", "6", "0")}
    assert {(row["box"], row["sensor"], row["unit"], row["tier"]) for row in rows} == {
        (BOX, "roof", "Cel", "hourly")
    }


def test_json_has_the_same_means(three_hours: Any, capsys: Any, toml: str) -> None:
    for tier, count in (("10min", 36), ("hourly", 6), ("daily", 2)):
        rows = list(
            csv.DictReader(io.StringIO(export(capsys, toml, "--format", "csv", "--tier", tier)))
        )
        records = json.loads(export(capsys, toml, "--format", "json", "--tier", tier))
        assert len(records) == count
        assert [{key: str(value) for key, value in each.items()} for each in records] == rows


@pytest.mark.parametrize(
    ("arguments", "count"),
    [
        (["--since", "2026-11-22T13:00"], 4),
        (["--since", "2026-11-22T13:01"], 2),
        (["--until", "2026-11-22T13:00"], 2),
        (["--quantity", "humidity_percent"], 3),
        (["--sensor", "roof/temperature_c"], 3),
        (["--since", "2030-01-01"], 0),
    ],
)
def test_means_can_be_narrowed(
    three_hours: Any, capsys: Any, toml: str, arguments: list[str], count: int
) -> None:
    text = export(capsys, toml, "--format", "json", "--tier", "hourly", *arguments)

    assert len(json.loads(text)) == count


def test_line_protocol_says_what_the_publisher_would_have_sent(
    three_hours: Any, capsys: Any, toml: str
) -> None:
    lines = export(capsys, toml, "--format", "influx", "--until", "2026-11-22T12:10").splitlines()

    first = three_hours.after(0, 1).readings[0][0]
    assert len(lines) == 20
    assert lines[0] == (
        f"temperature_c,box={BOX},sensor=roof value=20.0,serial={first}i {NOON * 1000}"
    )
    (suspect,) = [line for line in lines if line.startswith("temperature_c_suspect,")]
    assert suspect.endswith(f" {(NOON + 540) * 1000}") and r'reason="x, \"y\""' in suspect


def test_means_in_line_protocol_have_their_own_measurement(
    three_hours: Any, capsys: Any, toml: str
) -> None:
    (line,) = export(
        capsys, toml, "--format", "influx", "--tier", "daily", "--quantity", "humidity_percent"
    ).splitlines()

    # The day's beginning, 2026-11-22T00:00Z.
    assert line == (
        f"humidity_percent_daily,box={BOX},sensor=roof mean=50.0,least=50.0,most=50.0,"
        f"good=180i,suspect=0i,bad=0i {(NOON - 43_200) * 1000}"
    )


def test_parquet_is_read_by_pyarrow_as_the_json_says(
    three_hours: Any, capsys: Any, toml: str, tmp_path: Path
) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    for tier, name in (("raw", "taken_at"), ("hourly", "starts_at")):
        path = str(tmp_path / f"{tier}.parquet")
        export(capsys, toml, "--format", "parquet", "--tier", tier, "--output", path)

        rows = parquet.read_table(path).to_pylist()

        wanted = json.loads(export(capsys, toml, "--format", "json", "--tier", tier))
        for row, record in zip(rows, wanted, strict=True):
            moment = datetime.fromisoformat(record.pop(name))
            assert row.pop(name) == moment and moment.tzinfo == UTC
            assert row == record


def test_without_pyarrow_parquet_says_what_to_install(
    three_hours: Any, toml: str, tmp_path: Path, monkeypatch: Any
) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    path = str(tmp_path / "all.parquet")

    with pytest.raises(MissingPackage, match="pyarrow") as caught:
        readings_verb.main(["export", "--settings", toml, "--format", "parquet", "--output", path])

    assert "kiezbox[parquet]" in caught.value.hint


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--format", "senml", "--tier", "daily"], "no means"),
        (["--format", "csv", "--tier", "weekly"], "weekly"),
        (["--format", "csv", "--quantity", "co2_ppm"], "no co2_ppm was ever measured"),
    ],
)
def test_what_cannot_be_exported_is_said(
    three_hours: Any, toml: str, arguments: list[str], words: str
) -> None:
    with pytest.raises(UsageError, match=words) as caught:
        readings_verb.main(["export", "--settings", toml, *arguments])

    assert caught.value.hint


def test_a_long_export_says_how_far_it_is_where_it_is_asked_to(
    three_hours: Any, capsys: Any, toml: str, monkeypatch: Any
) -> None:
    from kiezbox.cli import _exporting
    from kiezbox.store import export as module

    monkeypatch.setattr(_exporting, "_WORD_EVERY_S", 0.0)
    monkeypatch.setattr(module, "AT_ONCE", 100)

    assert readings_verb.main(["export", "--settings", toml, "--format", "csv"]) == 0
    assert capsys.readouterr().err == ""
    assert readings_verb.main(["export", "--settings", toml, "--format", "csv", "--progress"]) == 0
    said = capsys.readouterr().err

    assert [word.strip() for word in said.replace("written", "").split("\r") if word] == [
        "28%", "56%", "83%", "100%",
    ]  # fmt: skip


def test_a_field_with_a_comma_is_quoted_as_the_standard_says(
    open_store: Any, capsys: Any, toml: str
) -> None:
    store = open_store()
    reason = 'a, "b"\nc'
    store.add("roof", [warm()[0]._replace(flag=Flag.BAD, reason=reason)])
    store.fold()

    (row,) = csv.DictReader(io.StringIO(export(capsys, toml, "--format", "csv")))

    assert (row["reason"], row["value"], row["flag"]) == (reason, "20.5", "bad")
