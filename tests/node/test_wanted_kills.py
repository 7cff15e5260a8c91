"""kill -9 of a deciding node: what is wanted and what is stored never disagree."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent

#: ``KIEZBOX_KILLS=5000`` for more.
LONG = int(os.environ.get("KIEZBOX_KILLS", "2000"))


@pytest.mark.parametrize("rounds", [50, pytest.param(LONG, marks=pytest.mark.long)])
def test_killed_at_any_moment_a_node_wants_what_its_store_says_and_wakes_wanting_it(
    tmp_path: Path, rounds: int
) -> None:
    done = subprocess.run(
        [sys.executable, str(HERE / "wanted_kills.py"), str(tmp_path), str(rounds)],
        capture_output=True,
        text=True,
        timeout=60 + rounds,
    )

    assert done.returncode == 0, done.stderr[-3000:]
    lives, transitions, closed, emergency = map(int, done.stdout.split())
    assert lives > rounds / 2
    assert transitions > rounds / 2
    assert closed and emergency
