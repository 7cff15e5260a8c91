"""Shell completion, as the shells themselves do it."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from kiezbox.cli import main, verbs
from kiezbox.cli.completion import bash, fish, words, zsh

LIMIT_S = 20.0


@pytest.fixture(scope="module")
def script(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("completion") / "kiezbox"
    path.write_text(bash(words()), encoding="utf-8")
    return path


def completed(script: Path, *typed: str) -> list[str]:
    """What bash offers when Tab is pressed behind the last of these words."""
    line = " ".join(f"'{each}'" for each in typed)
    program = (
        f"source {script}; COMP_WORDS=({line}); COMP_CWORD={len(typed) - 1};"
        ' _kiezbox; printf "%s\\n" "${COMPREPLY[@]}"'
    )
    done = subprocess.run(
        ["bash", "--norc", "-c", program], capture_output=True, text=True, timeout=LIMIT_S
    )
    assert done.returncode == 0 and not done.stderr, done.stderr
    return done.stdout.split()


def test_a_verb_is_completed_and_all_are_offered(script: Path) -> None:
    assert completed(script, "kiezbox", "cons") == ["consent"]
    assert set(verbs()) <= set(completed(script, "kiezbox", ""))


def test_a_verbs_actions_and_options_follow_it(script: Path) -> None:
    assert completed(script, "kiezbox", "consent", "re") == ["revoke"]
    assert completed(script, "kiezbox", "consent", "give", "--pu") == ["--purpose"]
    assert completed(script, "kiezbox", "readings", "export", "--form") == ["--format"]


def test_where_a_file_follows_none_of_our_words_is_offered(script: Path) -> None:
    assert completed(script, "kiezbox", "status", "--settings", "") == []


def test_an_unknown_verb_breaks_nothing(script: Path) -> None:
    assert completed(script, "kiezbox", "nonsense", "") == []


def test_bash_registers_it(script: Path) -> None:
    done = subprocess.run(
        ["bash", "--norc", "-c", f"source {script}; complete -p kiezbox"],
        capture_output=True, text=True, timeout=LIMIT_S,
    )  # fmt: skip
    assert "-F _kiezbox kiezbox" in done.stdout


@pytest.mark.parametrize("shell, write", [("zsh", zsh), ("fish", fish)])
def test_the_other_shells_can_read_theirs(shell: str, write: object, tmp_path: Path) -> None:
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed: its completion was not tried")
    path = tmp_path / "completion"
    path.write_text(write(words()), encoding="utf-8")  # type: ignore[operator]

    done = subprocess.run([shell, "-n", str(path)], capture_output=True, timeout=LIMIT_S)

    assert done.returncode == 0, done.stderr


def test_making_it_runs_no_verb(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["completion", "bash"]) == 0

    found = capsys.readouterr()
    assert found.out.startswith("_kiezbox()") and not found.err
    for verb, each in words().items():
        assert each.about, verb
        assert "--help" in each.options, verb
