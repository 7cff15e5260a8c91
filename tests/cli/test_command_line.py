"""What a person types, and what they read when it is wrong."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from kiezbox import __version__, cli

LIMIT_S = 30


def kiezbox(*arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    """The real program in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "kiezbox", *arguments],
        capture_output=True,
        text=True,
        input=stdin,
        timeout=LIMIT_S,
    )


def write_settings(folder: Path, more: str = "") -> Path:
    path = folder / "kiezbox.toml"
    path.write_text(
        f'[box]\nid = "kb-test"\n[store]\npath = "{folder}/kb.db"\nrun_dir = "{folder}/run"\n{more}'
    )
    return path


def test_without_a_verb_every_verb_is_listed_with_its_meaning() -> None:
    done = kiezbox()

    assert done.returncode == 2
    for verb in cli.verbs():
        assert f"\n  {verb} " in done.stdout


@pytest.mark.parametrize("verb", cli.verbs())
def test_every_verb_explains_itself(verb: str) -> None:
    done = kiezbox(verb, "--help")

    assert done.returncode == 0
    assert "usage: kiezbox" in done.stdout
    assert done.stderr == ""


@pytest.mark.parametrize("word", ["staus", "../run", "_common", "cli.run", ""])
def test_an_unknown_verb_is_answered_with_those_there_are(word: str) -> None:
    done = kiezbox(word)

    assert done.returncode == 2
    assert "There are: " in done.stderr
    assert "Traceback" not in done.stderr


def test_a_misspelt_verb_is_answered_with_the_one_that_was_meant() -> None:
    assert "did you mean status?" in kiezbox("staus").stderr


def test_the_version_is_the_package_s() -> None:
    done = kiezbox("version", "--json")

    assert json.loads(done.stdout)["kiezbox"] == __version__


def test_a_missing_settings_file_is_answered_with_how_to_make_one(tmp_path: Path) -> None:
    done = kiezbox("status", "--settings", str(tmp_path / "none.toml"))

    assert done.returncode == 3
    assert "kiezbox settings example" in done.stderr


def test_a_settings_file_that_is_not_toml_is_answered_with_the_line(tmp_path: Path) -> None:
    path = tmp_path / "kiezbox.toml"
    path.write_text("[box]\nid = kb-1\n")

    done = kiezbox("settings", "check", "--settings", str(path))

    assert done.returncode == 3
    assert "line 2" in done.stderr


def test_every_wrong_setting_is_named_at_once(tmp_path: Path) -> None:
    path = write_settings(
        tmp_path,
        '[sensors.roof]\ndriver = "bme280"\ninterval_s = 0.5\nadress = 0x77\n'
        '[power.battery]\nsensor = "nowhere"\n[mode]\nwlan_pauze_s = 3\n',
    )

    done = kiezbox("settings", "check", "--settings", str(path))

    assert done.returncode == 3
    assert "sensors.roof.interval_s = 0.5 is outside 1 to 86400 s" in done.stderr
    assert "did you mean address?" in done.stderr
    assert "did you mean wlan_pause_s?" in done.stderr
    assert "there is no [sensors.nowhere]" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_status_of_a_box_whose_node_does_not_run_says_how_to_start_it(tmp_path: Path) -> None:
    done = kiezbox("status", "--settings", str(write_settings(tmp_path)))

    assert done.returncode == 8
    assert "kiezbox run" in done.stderr


def test_a_check_without_grid_sensing_says_who_opens_the_box(tmp_path: Path) -> None:
    done = kiezbox("check", "--settings", str(write_settings(tmp_path)))

    assert "no grid sensing" in done.stdout
    assert "kiezbox mode emergency" in done.stdout


@pytest.mark.parametrize("duration", ["0h", "3", "h", "-2h", "1e9h", "nan"])
def test_a_duration_that_is_none_is_refused(tmp_path: Path, duration: str) -> None:
    from kiezbox.cli.mode import seconds_of
    from kiezbox.errors import UsageError

    with pytest.raises(UsageError):
        seconds_of(duration)


def test_a_reader_that_stops_listening_is_no_error() -> None:
    done = subprocess.run(
        ["sh", "-c", f"{sys.executable} -m kiezbox settings example | head -1"],
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
    )

    assert done.stderr == ""


#: Verbs of an operator that are called with an action.
OPERATORS = ("bulletin", "helper", "moderate", "place", "question", "source", "ticket", "trust")


@pytest.mark.parametrize("verb", OPERATORS)
def test_an_operator_who_knows_only_the_verb_is_shown_the_ways(verb: str) -> None:
    from kiezbox.cli import main
    from kiezbox.errors import UsageError

    for words in ([], ["explode"]):
        with pytest.raises(UsageError) as wrong:
            main([verb, *words])

        assert wrong.value.exit_code == 2
        lines = wrong.value.hint.splitlines()
        assert lines[0] == f"usage: kiezbox {verb} …, as in"
        assert sum(line.lstrip().startswith(f"kiezbox {verb} ") for line in lines) >= 2
        assert lines[-1] == f"`kiezbox {verb} --help` explains all of it."


@pytest.mark.parametrize(("words", "meant"), [
    (["trust", "lst"], "list"), (["bulletin", "posst"], "post"), (["place", "corect"], "correct"),
    (["ticket", "takes"], "take"),
])  # fmt: skip
def test_a_slip_of_the_finger_is_understood(words: list[str], meant: str) -> None:
    from kiezbox.cli import main
    from kiezbox.errors import UsageError

    with pytest.raises(UsageError, match=f"did you mean {meant}"):
        main(words)


@pytest.mark.parametrize("words", [
    ("ticket", "post", "--block", "W", "--need", "water", "--exact"), ("helper", "keys"),
    ("init",), ("place", "show"), ("source", "list"),
])  # fmt: skip
def test_a_closed_input_ends_in_a_sentence(tmp_path: Path, words: tuple[str, ...]) -> None:
    settings = write_settings(tmp_path)
    command = " ".join((sys.executable, "-m", "kiezbox", *words, "--settings", str(settings)))

    done = subprocess.run(
        ["sh", "-c", f"{command} <&-"], capture_output=True, text=True, timeout=LIMIT_S
    )

    assert "Traceback" not in done.stderr and done.returncode < 100
