"""Shell completion, as the shells themselves do it."""

from __future__ import annotations

import os
import pty
import re
import select
import shutil
import subprocess
import time
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
    assert completed(script, "kiezbox", "consent", "rev") == ["revoke"]
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


def test_an_options_own_words_follow_it(script: Path) -> None:
    forms = completed(script, "kiezbox", "readings", "export", "--format", "")
    assert sorted(forms) == ["csv", "influx", "json", "parquet", "senml"]
    assert completed(script, "kiezbox", "scan", "--where", "in") == ["indoor"]
    assert completed(script, "kiezbox", "init", "--from", "") == []


#: What is typed before Tab, and what must stand there then.
TYPED = [
    ("kiezbox cons", "consent"),
    ("kiezbox readings ex", "export"),
    ("kiezbox scan --where in", "indoor"),
    ("kiezbox check --wa", "--walk"),
    ("kiezbox init --from /etc/pass", "/etc/passwd"),
]


@pytest.mark.parametrize(("typed", "expected"), TYPED)
def test_fish_completes_it(typed: str, expected: str, tmp_path: Path) -> None:
    if shutil.which("fish") is None:
        pytest.skip("fish is not installed: its completion was not tried")
    path = tmp_path / "kiezbox.fish"
    path.write_text(fish(words()), encoding="utf-8")

    done = subprocess.run(
        ["fish", "--no-config", "-c", f"source {path}; complete -C '{typed}'"],
        capture_output=True, text=True, timeout=LIMIT_S, env={**os.environ, "HOME": str(tmp_path)},
    )  # fmt: skip

    assert expected in [line.partition("\t")[0] for line in done.stdout.splitlines()]


@pytest.mark.parametrize(("typed", "expected"), TYPED)
def test_zsh_completes_it_at_a_terminal(typed: str, expected: str, tmp_path: Path) -> None:
    if shutil.which("zsh") is None:
        pytest.skip("zsh is not installed: its completion was not tried")
    (tmp_path / "_kiezbox").write_text(zsh(words()), encoding="utf-8")
    begin = f"PS1='re''ady '; fpath=({tmp_path} $fpath); autoload -Uz compinit; compinit -u -D\n"
    keyboard, terminal = pty.openpty()
    shell = subprocess.Popen(
        ["zsh", "-f"], stdin=terminal, stdout=terminal, stderr=terminal, start_new_session=True,
        cwd=tmp_path, env={**os.environ, "TERM": "dumb", "HOME": str(tmp_path)},
    )  # fmt: skip
    os.close(terminal)
    try:
        os.write(keyboard, begin.encode())
        read_until(keyboard, "ready ")
        os.write(keyboard, f"{typed}\t".encode())
        read_until(keyboard, expected)
    finally:
        shell.kill()
        shell.wait(LIMIT_S)
        os.close(keyboard)


def read_until(terminal: int, expected: str) -> None:
    said, until = "", time.monotonic() + LIMIT_S
    # A terminal is told where to write as well.
    while expected not in re.sub(r"\x1b\[[?0-9;]*[a-zA-Z]|[\x00-\x1f]", "", said):
        assert time.monotonic() < until, said
        if select.select([terminal], [], [], 0.2)[0]:
            said += os.read(terminal, 4096).decode(errors="replace")


def test_making_it_runs_no_verb(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["completion", "bash"]) == 0

    found = capsys.readouterr()
    assert found.out.startswith("_kiezbox()") and not found.err
    for verb, each in words().items():
        assert each.about, verb
        assert "--help" in each.options, verb
