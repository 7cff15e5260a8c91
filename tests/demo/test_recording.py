"""Recorded days are played as they were, and what cannot be read is counted, not guessed."""

from __future__ import annotations

import csv
import gzip
from datetime import UTC, datetime
from pathlib import Path

import pytest
from shared import shared_data

from kiezbox.demo.recording import OFFSET_S, Recording
from kiezbox.errors import UsageError

HERE = Path(__file__).parent


def unix(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


@pytest.fixture
def tiny() -> Recording:
    """Two hand-written files with every fault a file can have."""
    return Recording.read(str(HERE / "recording"))


def test_a_recording_starts_now_with_its_first_row(tiny: Recording) -> None:
    # The first row of all: dht22.csv, 2022-03-05T12:00:00.
    assert tiny.moment(0) == unix("2022-03-05T12:00:00")
    assert tiny.day(0) == "2022-03-05"
    assert tiny.climate(0, 0) == (7.1, 99.9)


def test_a_row_holds_until_the_next(tiny: Recording) -> None:
    assert tiny.dust(30 + 149, 0) == (6.17, 11.5)
    assert tiny.dust(30 + 150, 0) == (7.1, 11.77)


def test_a_defective_humidity_comes_through_as_it_was(tiny: Recording) -> None:
    humidity = {values[1] for n in range(0, 900, 60) if (values := tiny.climate(n, 0))}

    assert humidity == {99.9, 1.0}


def test_a_gap_is_the_silence_of_the_sensor(tiny: Recording) -> None:
    # sds011.csv has no row from 12:08:00 to 13:00:00.
    assert tiny.dust(8 * 60 + 599, 0) is not None
    assert tiny.dust(8 * 60 + 601, 0) is None
    assert tiny.dust(3600, 0) == (20.0, 31.5)


def test_what_cannot_be_read_is_left_out_and_counted_in_one_sentence(tiny: Recording) -> None:
    sentence = tiny.sentence()

    assert not tiny.is_whole
    assert "4 files" in sentence
    for count in (
        "files damaged (1)",
        "files without the header row (1)",
        "rows of another length (1)",
        "rows of other sensors (1)",
        "rows without a timestamp (2)",
        "rows without a number (3)",
    ):
        assert count in sentence


def test_each_box_plays_an_hour_later_in_the_same_recording(tiny: Recording) -> None:
    assert tiny.moment(60, 1) == tiny.moment(60, 0) + OFFSET_S


def test_after_the_last_row_comes_the_first(tiny: Recording) -> None:
    length_s = tiny.last_at - tiny.first_at + 1

    assert tiny.climate(length_s, 0) == tiny.climate(0, 0)


def test_a_file_that_was_cut_gives_the_rows_before_the_cut(tmp_path: Path) -> None:
    text = (HERE / "recording" / "sds011.csv").read_bytes()
    whole = gzip.compress(text * 50)
    (tmp_path / "cut.csv.gz").write_bytes(whole[: len(whole) // 2])

    recording = Recording.read(str(tmp_path))

    assert recording.dust(0, 0) == (6.17, 11.5)
    assert "files damaged (1)" in recording.sentence()


@pytest.mark.parametrize("folder", ["nowhere", "."])
def test_a_folder_without_a_recording_says_what_is_wanted(tmp_path: Path, folder: str) -> None:
    with pytest.raises(UsageError) as error:
        Recording.read(str(tmp_path / folder))

    assert "sensor.community CSV" in error.value.hint


@pytest.mark.parametrize("day", ["2022-01-01", "2022-04-17"])
def test_every_row_of_a_real_day_is_played_at_its_time(tmp_path: Path, day: str) -> None:
    rows: dict[str, list[dict[str, str]]] = {}
    for kind in ("sds011_sensor_3659", "dht22_sensor_3660"):
        path = shared_data(f"sensor/2022/{day}_{kind}.csv.gz")
        (tmp_path / path.name).write_bytes(path.read_bytes())
        with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
            rows[kind[:4]] = list(csv.DictReader(file, delimiter=";"))

    recording = Recording.read(str(tmp_path))

    assert recording.is_whole
    for row in rows["sds0"]:
        elapsed_s = unix(row["timestamp"]) - recording.first_at
        assert recording.dust(elapsed_s, 0) == (float(row["P2"]), float(row["P1"]))
    for row in rows["dht2"]:
        elapsed_s = unix(row["timestamp"]) - recording.first_at
        played = recording.climate(elapsed_s, 0)
        assert played == (float(row["temperature"]), float(row["humidity"]))


def test_half_a_year_of_a_real_station_is_read_whole_with_its_missing_day() -> None:
    recording = Recording.read(str(shared_data("sensor/2022")))

    # The data's own page: 79,539 and 80,112 rows in 360 files, nothing on 2022-03-06.
    assert recording.sentence().startswith("159651 rows of 360 files")
    assert recording.is_whole
    noon = unix("2022-03-06T12:00:00") - recording.first_at
    assert recording.dust(noon, 0) is None
    assert recording.climate(noon, 0) is None
