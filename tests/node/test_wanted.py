"""The one file by which the root part is asked: never two, never none, whenever the node dies."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from kiezbox import wanted as module
from kiezbox.posture import Posture
from kiezbox.wanted import Wanted


def names(run_dir: Path) -> list[str]:
    folder = run_dir / "wanted"
    return sorted(os.listdir(folder)) if folder.exists() else []


def test_the_first_word_is_a_file_of_that_name(tmp_path: Path) -> None:
    Wanted(str(tmp_path)).say(Posture.EMERGENCY)

    assert names(tmp_path) == ["emergency"]


@pytest.mark.parametrize("before", Posture)
@pytest.mark.parametrize("after", Posture)
def test_from_every_posture_to_every_other_there_is_one_file(
    tmp_path: Path, before: Posture, after: Posture
) -> None:
    Wanted(str(tmp_path)).say(before)

    again = Wanted(str(tmp_path))
    again.say(after)

    assert (again.before, names(tmp_path)) == (before, [after])


def test_everybody_may_see_what_is_wanted_whatever_the_nodes_umask(tmp_path: Path) -> None:
    before = os.umask(0o077)
    try:
        Wanted(str(tmp_path)).say(Posture.DARK)
    finally:
        os.umask(before)

    assert (tmp_path / "wanted").stat().st_mode & 0o777 == 0o755


def test_what_another_hand_has_left_there_is_taken_away(tmp_path: Path) -> None:
    Wanted(str(tmp_path)).say(Posture.CLOSED)
    for name in ("emergency", "shared", "zzz"):
        (tmp_path / "wanted" / name).touch()

    Wanted(str(tmp_path)).say(Posture.EMERGENCY)

    assert names(tmp_path) == ["emergency"]


def test_a_cleared_run_directory_hears_the_word_again(tmp_path: Path) -> None:
    wanted = Wanted(str(tmp_path))
    wanted.say(Posture.EMERGENCY)
    os.unlink(tmp_path / "wanted" / "emergency")
    os.rmdir(tmp_path / "wanted")

    wanted.say(Posture.EMERGENCY)

    assert names(tmp_path) == ["emergency"]


def test_a_file_where_the_folder_should_be_is_an_error_and_not_a_crash(tmp_path: Path) -> None:
    (tmp_path / "wanted").touch()

    wanted = Wanted(str(tmp_path))

    assert wanted.before is None
    with pytest.raises(OSError):
        wanted.say(Posture.CLOSED)


def die_at(line: int, run_dir: Path, posture: Posture) -> bool:
    """Say it in a child that is killed before its so-manieth line of wanted.py; False: it ended."""
    child = os.fork()
    if child == 0:
        left = line

        def step(frame: FrameType, event: str, argument: Any) -> Any:
            nonlocal left
            if frame.f_code.co_filename != module.__file__:
                return None
            if event == "line":
                left -= 1
                if left < 0:
                    os.kill(os.getpid(), 9)
            return step

        sys.settrace(step)
        Wanted(str(run_dir)).say(posture)
        os._exit(0)
    return os.WIFSIGNALED(os.waitpid(child, 0)[1])


def test_killed_before_any_line_there_is_exactly_one_file_the_old_or_the_new(
    tmp_path: Path,
) -> None:
    Wanted(str(tmp_path)).say(Posture.CLOSED)
    seen = []

    while die_at(len(seen), tmp_path, Posture.EMERGENCY):
        seen.append(tuple(names(tmp_path)))
        Wanted(str(tmp_path)).say(Posture.CLOSED)

    assert set(seen) == {("closed",), ("emergency",)}
    assert len(seen) > 10
    assert names(tmp_path) == ["emergency"]


def test_killed_before_any_line_of_the_first_word_there_is_none_or_that_one(tmp_path: Path) -> None:
    seen = []

    while die_at(len(seen), tmp_path / str(len(seen)), Posture.EMERGENCY):
        seen.append(tuple(names(tmp_path / str(len(seen)))))

    assert set(seen) == {(), ("emergency",)}
