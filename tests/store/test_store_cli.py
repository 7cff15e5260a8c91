"""`kiezbox readings export` and `kiezbox store …`, typed by a person."""

from __future__ import annotations

import csv
import io
import json
import os
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import senml_rfc8428
from storing import BOX, fill, serials, switch_off

from kiezbox.cli import readings as readings_verb
from kiezbox.cli import store as store_verb
from kiezbox.clock import ManualClock
from kiezbox.errors import StoreError, UsageError
from kiezbox.model import Cursor, Flag, Measurement, Quantity
from kiezbox.settings import StoreSettings
from kiezbox.store import Store, StoreReader

LIMIT_S = 30

#: 2026-11-22T12:00:00Z
NOON = 1_795_348_800


@pytest.fixture
def toml(settings: StoreSettings, tmp_path: Path) -> str:
    path = tmp_path / "kiezbox.toml"
    path.write_text(f'[box]\nid = "{BOX}"\n[store]\npath = "{settings.path}"\n')
    return str(path)


@pytest.fixture
def evening(open_store: Any) -> Store:
    """A clock that is wrong for a minute, a flagged reading, one without a raw value."""
    clock = ManualClock(12.0, trusted=False)
    store: Store = open_store(at=clock)
    store.add("roof", [Measurement(Quantity.TEMPERATURE_C, 20.5)])
    clock.advance(60)
    clock.set_wall(NOON)
    clock.trusted = True
    store.add(
        "roof",
        [
            Measurement(Quantity.TEMPERATURE_C, -0.1),
            Measurement(Quantity.HUMIDITY_PERCENT, 71.0, 100.0, Flag.SUSPECT, 'stuck, "wet"'),
        ],
    )
    store.fold()
    clock.advance(60)
    store.add("dust", [Measurement(Quantity.PM2_5_UG_M3, 8.25)])
    store.flush()
    return store


def export(capsys: Any, toml: str, *arguments: str) -> str:
    assert readings_verb.main(["export", "--settings", toml, *arguments]) == 0
    return str(capsys.readouterr().out)


def test_csv_says_everything_about_a_reading_and_the_right_time(
    evening: Store, capsys: Any, toml: str
) -> None:
    rows = list(csv.DictReader(io.StringIO(export(capsys, toml, "--format", "csv"))))

    assert [row["sensor"] + "/" + row["quantity"] for row in rows] == [
        "roof/temperature_c",
        "roof/temperature_c",
        "roof/humidity_percent",
        "dust/pm2_5_ug_m3",
    ]
    assert [row["taken_at"] for row in rows] == [
        "2026-11-22T11:59:00.000Z",
        "2026-11-22T12:00:00.000Z",
        "2026-11-22T12:00:00.000Z",
        "2026-11-22T12:01:00.000Z",
    ]
    assert [row["clock"] for row in rows] == ["corrected", "trusted", "trusted", "trusted"]
    assert rows[0]["taken_ms"] == "12000"
    assert [row["value"] for row in rows] == ["20.5", "-0.1", "71.0", "8.25"]
    assert [row["raw"] for row in rows] == ["", "", "100.0", ""]
    assert (rows[2]["flag"], rows[2]["reason"]) == ("suspect", 'stuck, "wet"')
    assert [row["unit"] for row in rows] == ["Cel", "Cel", "%RH", "ug/m3"]
    assert {row["box"] for row in rows} == {BOX}
    ids = [(int(row["boot"]), int(row["counter"])) for row in rows]
    assert ids == [(r.boot, r.counter) for r in evening.after(0, 10)]


def test_json_holds_the_same_as_csv(evening: Store, capsys: Any, toml: str) -> None:
    rows = list(csv.DictReader(io.StringIO(export(capsys, toml, "--format", "csv"))))

    records = json.loads(export(capsys, toml, "--format", "json"))

    assert [
        {key: "" if value is None else str(value) for key, value in record.items()}
        for record in records
    ] == rows
    assert records[1]["value"] == -0.1 and records[1]["raw"] is None


def test_senml_is_understood_by_a_resolver_that_only_knows_the_standard(
    evening: Store, capsys: Any, toml: str
) -> None:
    lines = export(capsys, toml, "--format", "senml").splitlines()

    records = [record for line in lines for record in senml_rfc8428.resolve(line)]

    assert sorted((record["n"], record["t"], record["v"]) for record in records) == [
        (f"{BOX}/dust/pm2_5_ug_m3", NOON + 60, 8.25),
        (f"{BOX}/roof/humidity_percent:suspect", NOON, 71.0),
        (f"{BOX}/roof/temperature_c", NOON - 60, 20.5),
        (f"{BOX}/roof/temperature_c", NOON, -0.1),
    ]


def test_a_large_export_is_several_packs_each_complete(
    open_store: Any, clock: Any, capsys: Any, toml: str
) -> None:
    store = open_store()
    added = fill(store, clock, 2500)
    store.fold()

    lines = export(capsys, toml, "--format", "senml").splitlines()

    assert len(lines) == 3
    records = [record for line in lines for record in senml_rfc8428.resolve(line)]
    assert len({record["id"] for record in records}) == len(added)


@pytest.mark.parametrize(
    ("arguments", "count"),
    [
        (["--since", "2026-11-22T12:00"], 3),
        (["--until", "2026-11-22T12:00"], 1),
        (["--since", "2026-11-22T13:00+01:00", "--until", "2026-11-22T13:01+01:00"], 2),
        (["--since", str(NOON + 60)], 1),
        (["--since", "2026-11-23"], 0),
        (["--until", "2026-11-23"], 4),
        (["--sensor", "roof"], 3),
        (["--sensor", "roof/temperature_c"], 2),
        (["--sensor", "roof/humidity_percent", "--sensor", "dust"], 2),
    ],
)
def test_an_export_can_be_narrowed(
    evening: Store, capsys: Any, toml: str, arguments: list[str], count: int
) -> None:
    assert len(json.loads(export(capsys, toml, "--format", "json", *arguments))) == count
    table = export(capsys, toml, "--format", "csv", *arguments)
    assert len(table.splitlines()) == count + 1
    lines = export(capsys, toml, "--format", "senml", *arguments).splitlines()
    assert sum(len(json.loads(line)) for line in lines) == count


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--format", "csv", "--since", "gestern"], "gestern is no time"),
        (["--format", "csv", "--sensor", "cellar"], "nothing was ever measured as cellar"),
        (["--format", "xml"], "there is no 'xml' here"),
        ([], "--format"),
    ],
)
def test_a_wrong_call_is_answered_with_what_is_right(
    evening: Store, toml: str, arguments: list[str], words: str
) -> None:
    with pytest.raises(UsageError, match=words) as caught:
        readings_verb.main(["export", "--settings", toml, *arguments])

    assert caught.value.hint


def test_a_file_that_is_there_is_not_overwritten(
    evening: Store, toml: str, tmp_path: Path, capsys: Any
) -> None:
    path = tmp_path / "all.csv"
    arguments = ["export", "--settings", toml, "--format", "csv", "--output", str(path)]

    assert readings_verb.main(arguments) == 0
    assert "4 readings" in capsys.readouterr().err
    before = path.read_bytes()
    with pytest.raises(UsageError, match="exists already"):
        readings_verb.main(arguments)

    assert path.read_bytes() == before


def test_an_export_goes_into_sqlite_utils_as_its_help_says(
    evening: Store, toml: str, tmp_path: Path
) -> None:
    assert "sqlite-utils insert mine.db readings all.csv --csv --pk box" in str(
        readings_verb.__doc__
    )
    path, mine = str(tmp_path / "all.csv"), str(tmp_path / "mine.db")
    readings_verb.main(["export", "--settings", toml, "--format", "csv", "--output", path])
    for _ in range(2):
        done = subprocess.run(
            [sys.executable, "-m", "sqlite_utils", "insert", mine, "readings", path, "--csv",
             "--pk", "box", "--pk", "boot", "--pk", "counter", "--ignore"],
            capture_output=True, text=True, timeout=LIMIT_S,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr

    db = sqlite3.connect(mine)
    rows = db.execute("SELECT value, typeof(value), raw FROM readings ORDER BY counter").fetchall()
    db.close()

    assert [row[0] for row in rows] == [20.5, -0.1, 71.0, 8.25]
    assert {row[1] for row in rows} == {"real"}


def test_a_pipe_that_closes_early_is_no_error(open_store: Any, clock: Any, toml: str) -> None:
    store = open_store()
    fill(store, clock, 5000)
    store.fold()

    done = subprocess.run(
        f"{sys.executable} -m kiezbox readings export --settings {toml} --format csv | head -2",
        shell=True, capture_output=True, text=True, timeout=LIMIT_S,
    )  # fmt: skip

    assert len(done.stdout.splitlines()) == 2
    assert done.stderr == ""


# --- kiezbox store -----------------------------------------------------------------------------


def test_info_says_what_is_there_to_people_and_to_programs(
    evening: Store, toml: str, capsys: Any
) -> None:
    assert store_verb.main(["info", "--settings", toml]) == 0
    text = capsys.readouterr().out
    assert store_verb.main(["info", "--settings", toml, "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)

    assert facts["readings"] == 4 and facts["readings_in_journal"] == 1
    assert facts["box"] == BOX
    assert "roof/temperature_c" in text and "readings" in text


def test_check_returns_0_or_5(evening: Store, toml: str, settings: Any, capsys: Any) -> None:
    assert store_verb.main(["check", "--settings", toml]) == 0
    assert "ok    database" in capsys.readouterr().out
    switch_off(evening)
    with open(settings.path, "r+b") as file:
        file.write(os.urandom(4096))

    assert store_verb.main(["check", "--settings", toml]) == 5
    assert "WRONG database" in capsys.readouterr().out
    assert store_verb.main(["check", "--settings", toml, "--json"]) == 5
    assert [finding["is_ok"] for finding in json.loads(capsys.readouterr().out)][0] is False


def test_a_backup_holds_the_journal_too_and_can_be_restored(
    evening: Store, open_store: Any, toml: str, settings: Any, tmp_path: Path, capsys: Any
) -> None:
    evening.set_cursor(Cursor("mqtt", evening.newest_serial))
    evening.keep("mode", {"name": "normal"})
    evening.flush()
    saved = serials(evening.after(0, 10))
    target = str(tmp_path / "backup.db")

    assert store_verb.main(["backup", target, "--settings", toml]) == 0

    assert capsys.readouterr().out.startswith(f"{target}: ")
    assert sorted(os.listdir(tmp_path)).count("backup.db") == 1
    assert not [name for name in os.listdir(tmp_path) if name.startswith("backup.db-")]
    switch_off(evening)
    for name in os.listdir(tmp_path):
        if name.startswith("kiezbox.db"):
            os.remove(tmp_path / name)
    shutil.copy(target, settings.path)
    store = open_store()
    assert serials(store.after(0, 10)) == saved
    assert store.cursor("mqtt").backlog == saved[-1]
    assert store.kept("mode") == {"name": "normal"}
    assert store._card.query("PRAGMA journal_mode") == [("wal",)]


def test_an_old_backup_beside_a_newer_journal_loses_neither(
    evening: Store, open_store: Any, settings: Any, toml: str, tmp_path: Path
) -> None:
    target = str(tmp_path / "backup.db")
    store_verb.main(["backup", target, "--settings", toml])
    added = fill(evening, ManualClock(NOON), 5)
    evening.flush()
    saved = serials(evening.after(0, 100))
    switch_off(evening)
    for side in ("-wal", "-shm"):
        if os.path.exists(settings.path + side):
            os.remove(settings.path + side)
    shutil.copy(target, settings.path)

    store = open_store()

    assert serials(store.after(0, 100)) == saved
    assert saved[-5:] == added


def test_a_backup_is_never_written_over_a_file(evening: Store, toml: str, tmp_path: Path) -> None:
    target = tmp_path / "precious"
    target.write_text("mine")

    with pytest.raises(StoreError, match="exists already"):
        store_verb.main(["backup", str(target), "--settings", toml])
    with pytest.raises(StoreError, match="cannot write|unable to open"):
        store_verb.main(["backup", str(tmp_path / "no" / "such"), "--settings", toml])

    assert target.read_text() == "mine"


def test_a_backup_of_a_busy_node_is_whole(
    open_store: Any, clock: Any, settings: Any, toml: str, tmp_path: Path
) -> None:
    import threading

    store = open_store()
    stop = threading.Event()
    safe: list[int] = [0]

    def work() -> None:
        while not stop.is_set():
            for _ in range(3):
                store.add("roof", [Measurement(Quantity.TEMPERATURE_C, 1.0)])
            safe.append(store.flush())
            if len(safe) % 4 == 0:
                store.fold()

    worker = threading.Thread(target=work)
    worker.start()
    try:
        for number in range(10):
            at_least = safe[-1]
            target = str(tmp_path / f"backup{number}")
            store_verb.main(["backup", target, "--settings", toml])
            with StoreReader(target) as reader:
                counters = [reading.counter for reading in reader.after(0, 10**6)]
                assert counters == list(range(1, len(counters) + 1))
                assert reader.newest_serial >= at_least
                assert reader.integrity() == []
    finally:
        stop.set()
        worker.join(LIMIT_S)


def test_fold_moves_the_journal_only_while_the_node_is_off(
    evening: Store, toml: str, capsys: Any, settings: Any
) -> None:
    with pytest.raises(StoreError, match="another node uses"):
        store_verb.main(["fold", "--settings", toml])
    evening.close()

    assert store_verb.main(["fold", "--settings", toml]) == 0

    assert capsys.readouterr().out.startswith("1 readings moved")
    assert StoreReader(settings.path).info()["readings_in_journal"] == 0


def test_salvage_names_the_files_there_are(
    evening: Store, open_store: Any, toml: str, settings: Any, capsys: Any
) -> None:
    saved = len(evening.after(0, 10))
    evening.fold()
    switch_off(evening)
    with open(settings.path, "r+b") as file:
        file.write(os.urandom(100))
    store = open_store()
    assert len(store.after(0, 10)) == saved

    with pytest.raises(StoreError) as caught:
        store_verb.main(["salvage", "/no/such/file", "--settings", toml])
    assert ".damaged-" in caught.value.hint
    aside = caught.value.hint.removeprefix("There are: ").removesuffix(".")
    assert store_verb.main(["salvage", aside, "--settings", toml]) == 0
    assert "0 readings" in capsys.readouterr().out


@pytest.mark.parametrize("arguments", [["backup"], ["salvage"], ["info", "x"], ["explode"], []])
def test_a_wrong_store_call_is_a_usage_error(toml: str, arguments: list[str]) -> None:
    with pytest.raises(UsageError):
        store_verb.main([*arguments, "--settings", toml])
