"""``kiezbox check``: can residents' words be taken, and is anybody's word official?"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from kiezbox.checks import Examined, Level
from kiezbox.checks.words import run
from kiezbox.clock import SystemClock
from kiezbox.settings import Settings, parse
from kiezbox.store.log import Log


@pytest.fixture
def box(tmp_path: Path) -> Examined:
    """One that is installed under ``tmp_path``, and has a root."""
    units = tmp_path / "etc" / "systemd" / "system"
    units.mkdir(parents=True)
    (units / "kiezbox-portal.service").write_text("")
    return examined(tmp_path, roots=["00" * 32])


def examined(folder: Path, **trust: Any) -> Examined:
    table = {"box": {"id": "kb-a"}, "store": {"path": f"{folder}/kiezbox.db"}, "trust": trust}
    return Examined(parse(Settings, table), SystemClock(), None, root=folder)


def make_log(box: Examined, mode: int) -> None:
    path = Path(box.settings.store.words_path)
    Log.open(str(path), box.clock, box="kb-a").close()
    path.parent.chmod(mode)


def said(box: Examined) -> list[tuple[Level, str]]:
    return [(finding.level, finding.message) for finding in run(box)]


def test_a_log_that_node_and_portal_may_write_is_fine(box: Examined) -> None:
    make_log(box, 0o2770)

    assert said(box) == [(Level.FINE, "the log of words is there")]


def test_a_folder_that_the_portal_may_not_write_is_found(box: Examined) -> None:
    make_log(box, 0o700)

    ((level, message),) = said(box)
    assert level is Level.BROKEN and "the portal cannot take residents' words" in message


def test_a_box_whose_node_never_ran_says_that_there_is_no_log(box: Examined) -> None:
    ((level, message),) = said(box)

    assert level is Level.WARNING and "no log of words" in message


def test_without_a_root_nobodys_word_is_official_and_that_is_said(tmp_path: Path) -> None:
    box = examined(tmp_path)
    make_log(box, 0o755)

    assert [level for level, _ in said(box)] == [Level.FINE, Level.NOTE]
