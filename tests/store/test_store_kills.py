"""kill -9 while the node writes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.parametrize(
    "rounds", [20, pytest.param(2000, marks=pytest.mark.long)], ids=["20 kills", "2000 kills"]
)
def test_what_was_called_safe_is_there_after_kill_9(tmp_path: Path, rounds: int) -> None:
    done = subprocess.run(
        [sys.executable, str(Path(__file__).with_name("killing.py")),
         str(tmp_path / "k.db"), str(rounds)],
        capture_output=True,
        text=True,
        timeout=60 + rounds,
    )  # fmt: skip

    assert done.returncode == 0, done.stderr
    lives, readings, transitions = map(int, done.stdout.split())
    assert lives >= rounds // 4, "most lives were too short to say anything"
    assert readings > rounds and transitions > rounds // 10
