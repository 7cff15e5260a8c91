"""``kiezbox init``: what it asks, what it writes, and what it leaves alone."""

from __future__ import annotations

import json
import os
import pty
import select
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from kiezbox.cli import main
from kiezbox.cli.init import put
from kiezbox.errors import KiezboxError, SettingsError, UsageError
from kiezbox.hardware.simulated.bench import Bench
from kiezbox.hardware.simulated.bme280 import SimulatedBme280

LIMIT_S = 20.0


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "kiezbox.toml"


def init(path: Path, *options: str) -> int:
    return main(["init", "--settings", str(path), *options])


def test_a_new_box_gets_the_example_with_the_answers_in_it(
    path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = init(
        path, "--id", "kb-musterplatz-1", "--name", 'Späti "Eck"', "--place", "51.163, 10.448",
        "--controller", "Verein, Weg 1", "--contact", "box@musterplatz.example",
        "--privacy-basis", "Art. 6",
    )  # fmt: skip

    assert code == 0
    table = tomllib.loads(path.read_text("utf-8"))
    assert table["box"] == {
        "id": "kb-musterplatz-1", "name": 'Späti "Eck"', "latitude": 51.163, "longitude": 10.448,
    }  # fmt: skip
    assert table["operator"]["controller"] == "Verein, Weg 1"
    assert "# How long a reading may stay in memory only" in path.read_text("utf-8")
    assert main(["settings", "check", "--settings", str(path)]) == 0
    assert path.stat().st_mode & 0o077 == 0o040
    assert "operator" not in capsys.readouterr().err


def test_a_line_nobody_has_wired_does_not_open_a_new_box(path: Path) -> None:
    init(path, "--id", "kb-musterplatz-1")

    assert not tomllib.loads(path.read_text("utf-8")).get("power", {}).get("grid")


def test_what_is_missing_is_named(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    init(path, "--id", "kb-musterplatz-1")

    said = capsys.readouterr().err
    for name in ("operator.controller", "operator.contact", "operator.privacy_basis", "latitude"):
        assert name in said


def test_a_file_that_is_there_is_not_touched_without_a_yes(path: Path) -> None:
    before = '# mine\n[box]\nid = "kb-musterplatz-1"  # as on the door\n'
    path.write_text(before)

    with pytest.raises(UsageError, match="there already"):
        init(path, "--contact", "box@musterplatz.example")

    assert path.read_text() == before


def test_with_a_yes_only_the_answers_change(path: Path) -> None:
    path.write_text(
        '# mine\n[box]\nid = "kb-musterplatz-1"  # as on the door\n[portal]\nthreads=4\n'
    )
    path.chmod(0o600)

    assert init(path, "--name", "Späti", "--contact", "box@musterplatz.example", "--yes") == 0

    text = path.read_text("utf-8")
    assert "# mine" in text and "# as on the door" in text and "threads=4" in text
    assert tomllib.loads(text)["operator"] == {"contact": "box@musterplatz.example"}
    assert tomllib.loads(text)["box"]["name"] == "Späti"
    assert path.stat().st_mode & 0o777 == 0o600


def test_the_same_answers_again_change_nothing(
    path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    init(path, "--id", "kb-musterplatz-1")
    before = path.stat().st_mtime_ns

    assert init(path, "--id", "kb-musterplatz-1") == 0

    assert path.stat().st_mtime_ns == before
    assert "says all that already" in capsys.readouterr().out


@pytest.mark.parametrize("options", [
    ["--id", "KB 1"], ["--id", "x", "--place", "here"], ["--id", "x", "--place", "91,10"], [],
])  # fmt: skip
def test_what_is_no_answer_is_refused_and_nothing_written(path: Path, options: list[str]) -> None:
    with pytest.raises(UsageError):
        init(path, *options)

    assert not path.exists()


def test_an_answer_that_no_page_could_show_is_refused(path: Path) -> None:
    with pytest.raises(SettingsError, match="at most 300"):
        init(path, "--id", "kb-musterplatz-1", "--contact", "x" * 301)

    assert not path.exists()


def test_an_answer_cannot_break_out_of_its_line(path: Path) -> None:
    init(path, "--id", "kb-musterplatz-1", "--name", 'x"\n[desk]\nlisten = "0.0.0.0:1"\\')

    table = tomllib.loads(path.read_text("utf-8"))
    assert "listen" not in table.get("desk", {})
    assert table["box"]["name"] == 'x" [desk] listen = "0.0.0.0:1"\\'


@pytest.mark.parametrize("text", [
    "[box]\n", "", '[box] # which\n# name = ""\n',
    "[other]\nname = 1\n[box]\n[box.x]\nname = 2\n",
])  # fmt: skip
def test_a_setting_is_put_into_its_own_table(text: str) -> None:
    before, after = tomllib.loads(text), tomllib.loads(put(text, "box", "name", "Späti"))

    assert after["box"].pop("name") == "Späti"
    assert after == before or after == {**before, "box": {}}


def test_somebody_at_a_terminal_is_asked_one_thing_after_the_other(path: Path) -> None:
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "kiezbox", "init", "--settings", str(path)],
        stdin=theirs, stdout=theirs, stderr=theirs, env={**os.environ, "TERM": "dumb"},
    )  # fmt: skip
    os.close(theirs)
    said = ""

    def answer(question: str, words: str) -> None:
        nonlocal said
        limit = time.monotonic() + LIMIT_S
        while question not in said:
            assert time.monotonic() < limit, said
            if select.select([ours], [], [], 0.2)[0]:
                said += os.read(ours, 4096).decode("utf-8", "replace")
        said = ""
        os.write(ours, f"{words}\n".encode())

    try:
        answer("Id of this box", "Not an id")
        answer("is no id", "kb-musterplatz-1")
        answer("What do people call it?", "Späti")
        answer("Where does it stand?", "51.163 10.448")
        answer("Who is responsible", "Verein, Weg 1")
        answer("How do people reach you?", "")
        answer("On which legal basis", "")
        # Said at once, and not after everything else has been typed.
        answer("poison helpline", "ask a doctor")
        answer("is no telephone number", "000 1234567")
        answer("radio rules", "DE")
        assert process.wait(LIMIT_S) == 0
    finally:
        process.kill()
        process.wait(LIMIT_S)
        os.close(ours)
    table = tomllib.loads(path.read_text("utf-8"))
    assert table["box"]["longitude"] == 10.448
    assert table["box"]["poison_phone"] == "000 1234567"
    assert table["operator"] == {"controller": "Verein, Weg 1"}


def at_a_terminal(path: Path, typed: str, *options: str) -> tuple[int, str]:
    """What it says to somebody who types all answers in one go."""
    ours, theirs = pty.openpty()
    os.write(ours, typed.encode())
    try:
        done = subprocess.run(
            [sys.executable, "-m", "kiezbox", "init", "--settings", str(path), *options],
            stdin=theirs, capture_output=True, text=True, timeout=LIMIT_S,
        )  # fmt: skip
    finally:
        os.close(ours)
        os.close(theirs)
    return done.returncode, done.stdout + done.stderr


def test_what_was_empty_is_filled_in_without_being_asked_twice(path: Path) -> None:
    init(path, "--id", "kb-musterplatz-1")

    code, said = at_a_terminal(path, "\n\n\nVerein\n000 1\n\n\n\n")

    assert code == 0 and "[y/N]" not in said
    table = tomllib.loads(path.read_text("utf-8"))
    assert table["operator"] == {"controller": "Verein", "contact": "000 1"}
    assert table["box"]["id"] == "kb-musterplatz-1"


@pytest.mark.parametrize(("word", "kept"), [("n", "Verein"), ("", "Verein"), ("y", "Amt")])
def test_what_somebody_else_wrote_goes_only_when_asked(path: Path, word: str, kept: str) -> None:
    init(path, "--id", "kb-musterplatz-1", "--controller", "Verein")

    _, said = at_a_terminal(path, f"\n\n\nAmt\n\n\n\n\n{word}\n")

    assert "Change operator.controller in" in said
    assert tomllib.loads(path.read_text("utf-8"))["operator"]["controller"] == kept


def test_with_its_input_closed_it_asks_nothing_and_does_what_was_said(path: Path) -> None:
    command = f"{sys.executable} -m kiezbox init --settings {path} --id kb-1 --name Eck <&-"

    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, timeout=LIMIT_S)

    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    assert tomllib.loads(path.read_text("utf-8"))["box"]["name"] == "Eck"


def test_the_radios_country_goes_into_its_own_table(path: Path) -> None:
    init(path, "--id", "kb-1", "--country", "AT")

    assert tomllib.loads(path.read_text("utf-8"))["network"]["access_point"]["country"] == "AT"
    with pytest.raises(SettingsError, match="country"):
        init(path, "--country", "Austria", "--yes")


# --- what hangs on the buses ---------------------------------------------------------------------


@pytest.fixture
def bench(path: Path) -> Iterator[Bench]:
    """A bus with a BME280, and a file that knows the bus and nothing on it."""
    with Bench(path.parent / "bench") as bench:
        bench.attach(0x76, SimulatedBme280())
        path.write_text(
            f'[box]\nid = "kb-1"\n[store]\nrun_dir = "{path.parent}"\n'
            f'[hardware]\ni2c = "{bench.address}"\n'
        )
        yield bench


def sensors(path: Path) -> dict[str, dict[str, object]]:
    found: dict[str, dict[str, object]] = tomllib.loads(path.read_text("utf-8")).get("sensors", {})
    return found


#: Enter for each question.
KEPT = "\n" * 8


@pytest.mark.usefixtures("bench")
def test_what_hangs_on_the_bus_is_proposed_and_written_with_its_place(path: Path) -> None:
    code, said = at_a_terminal(path, KEPT + "y\nout\n")

    assert code == 0 and "0x76  BME280" in said
    assert sensors(path) == {"bme280": {"driver": "bme280", "address": 0x76, "where": "outdoor"}}
    assert main(["settings", "check", "--settings", str(path)]) == 0
    # Called again, it has nothing to propose.
    code, said = at_a_terminal(path, KEPT)
    assert code == 0 and "is in kiezbox.toml" in said and "Write" not in said


@pytest.mark.usefixtures("bench")
@pytest.mark.parametrize("typed", [KEPT + "n\n", KEPT + "\x04", KEPT + "y\n\x04"])
def test_who_does_not_want_what_was_found_keeps_the_file(path: Path, typed: str) -> None:
    before = path.read_text()

    code, said = at_a_terminal(path, typed)

    assert code == 0 and "BME280" in said
    assert path.read_text() == before


@pytest.mark.usefixtures("bench")
def test_no_bus_is_looked_at_when_told_so_or_without_a_terminal(
    path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, said = at_a_terminal(path, KEPT, "--no-scan")
    assert code == 0 and "BME280" not in said
    code, said = at_a_terminal(path, "", "--yes")
    assert code == 0 and "BME280" not in said

    assert init(path, "--name", "Eck", "--yes") == 0

    assert "BME280" not in capsys.readouterr().out
    assert sensors(path) == {}


def test_a_bus_that_cannot_be_opened_fails_no_init(path: Path) -> None:
    path.write_text(f'[box]\nid = "kb-1"\n[store]\nrun_dir = "{path.parent}"\n'
                    f'[hardware]\ni2c = "{path.parent}/no-bus"\n')  # fmt: skip

    code, said = at_a_terminal(path, KEPT)

    assert code == 0 and "Traceback" not in said
    assert sensors(path) == {}


@pytest.mark.usefixtures("bench")
def test_beside_a_running_node_no_bus_is_touched(path: Path) -> None:
    document = {"written_at": time.time() + 20, "latest": {}}
    (path.parent / "now.json").write_text(json.dumps(document))

    code, said = at_a_terminal(path, KEPT)

    assert code == 0 and "systemctl stop kiezbox-node" in said and "0x76" not in said


ANSWERS = """
[box]
id = "kb-1"
name = "Späti"
latitude = 52.5
longitude = 13.4
[sensors.roof]
driver = "bme280"
address = 0x77
where = "outdoor"
[sensors.roof.quality.temperature_c]
least = -30
"""


def test_answers_come_from_a_file_and_a_word_at_the_command_line_goes_first(
    path: Path, tmp_path: Path
) -> None:
    answers = tmp_path / "answers.toml"
    answers.write_text(ANSWERS, encoding="utf-8")

    main(["init", "--settings", str(path), "--from", str(answers), "--id", "kb-2", "--yes"])

    found = tomllib.loads(path.read_text(encoding="utf-8"))
    assert found["box"] == {"id": "kb-2", "name": "Späti", "latitude": 52.5, "longitude": 13.4}
    assert found["sensors"] == tomllib.loads(ANSWERS)["sensors"]


@pytest.mark.parametrize(
    ("answers", "said"),
    [
        ("x = 1\n", "before the first table"),
        ('[box]\nid = "kb-1"\nplaice = 1\n', "box.plaice is not a setting"),
        ("[box\n", "answers.toml"),
        (None, "there is no file"),
    ],
)
def test_a_file_of_answers_that_is_none_writes_nothing(
    path: Path, tmp_path: Path, answers: str | None, said: str
) -> None:
    file = tmp_path / "answers.toml"
    if answers is not None:
        file.write_text(answers, encoding="utf-8")

    with pytest.raises(KiezboxError, match=said.replace(".", r"\.")):
        main(["init", "--settings", str(path), "--from", str(file), "--yes"])

    assert not path.exists()


def test_a_new_file_has_the_group_of_its_folder_so_that_the_node_may_read_it(
    path: Path,
) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root may give a folder to a group")
    os.chown(path.parent, 0, 65534)

    main(["init", "--settings", str(path), "--id", "kb-1"])

    found = path.stat()
    assert (found.st_gid, found.st_mode & 0o777) == (65534, 0o640)
