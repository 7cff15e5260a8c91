"""Exports of every form, judged by foreign readers: sqlite3's own CSV, pyarrow, a resolver."""

from __future__ import annotations

import csv
import io
import json
import resource
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from storing import BOX, warm

from kiezbox.cli import _exporting
from kiezbox.cli import readings as readings_verb
from kiezbox.errors import MissingPackage, StoreError, UsageError
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
        (["--format", "csv", "--since", "2026-02-02", "--until", "2026-02-01"], "not after"),
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


# --- when it does not get to its end -------------------------------------------------------------


def run(toml: str, *arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "kiezbox", "readings", "export", "--settings", toml]
    return subprocess.run(
        [*command, "--format", "csv", *arguments], stderr=subprocess.PIPE, text=True, timeout=60,
        **options,
    )  # fmt: skip


def test_an_output_that_takes_no_more_is_said_without_a_traceback(
    three_hours: Any, toml: str
) -> None:
    with open("/dev/full", "w") as full:
        done = run(toml, stdout=full)

    assert done.stderr == "kiezbox: cannot write the output: No space left on device\n"
    assert done.returncode == StoreError.exit_code


def test_a_file_that_cannot_be_written_to_its_end_is_not_there(
    three_hours: Any, toml: str, tmp_path: Path
) -> None:
    out = tmp_path / "out" / "all.csv"
    out.parent.mkdir()

    def be_small() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (8192, 8192))

    done = run(toml, "--output", str(out), preexec_fn=be_small)

    assert done.stderr.startswith(f"kiezbox: cannot write {out}: ")
    assert "Traceback" not in done.stderr and done.returncode == StoreError.exit_code
    assert list(out.parent.iterdir()) == []


def test_an_export_that_was_stopped_leaves_no_half_file(
    three_hours: Any, toml: str, tmp_path: Path, monkeypatch: Any
) -> None:
    out = tmp_path / "out" / "all.csv"
    out.parent.mkdir()
    seen = []

    def stop(_: float) -> None:
        seen.extend(out.parent.iterdir())
        raise KeyboardInterrupt

    monkeypatch.setattr(_exporting.Progress, "__call__", lambda self, part: stop(part))
    with pytest.raises(KeyboardInterrupt):
        readings_verb.main(
            ["export", "--settings", toml, "--format", "csv", "--progress", "--output", str(out)]
        )

    assert [path.name for path in seen] == ["all.csv.part"]
    assert list(out.parent.iterdir()) == []


def test_a_file_that_is_there_stays_as_it_is(three_hours: Any, toml: str, tmp_path: Path) -> None:
    (out := tmp_path / "all.csv").write_text("mine")

    with pytest.raises(UsageError, match="exists already"):
        readings_verb.main(["export", "--settings", toml, "--format", "csv", "--output", str(out)])

    assert out.read_text() == "mine"


def test_a_time_no_calendar_has_is_an_empty_field(three_hours: Any, capsys: Any, toml: str) -> None:
    # Rows have no checksum: a card that changes a bit of one must not end the whole export.
    three_hours.fold()
    three_hours._card.db.execute(
        "UPDATE readings SET taken_ms = taken_ms | (1 << 58) WHERE serial & 68719476735 = 5"
    )

    rows = list(csv.DictReader(io.StringIO(export(capsys, toml, "--format", "csv"))))

    assert len(rows) == 360
    assert [row["counter"] for row in rows if not row["taken_at"]] == ["5"]
