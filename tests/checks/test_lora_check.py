"""``kiezbox check``: the Meshtastic radio's name and key."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from kiezbox.checks import Examined, Level, radio
from kiezbox.clock import ManualClock
from kiezbox.settings import Settings, parse

MEMBERS = {"members": {"kb-b": "4f" * 32}}


def said(folder: Path, address: str, facts: dict[str, Any] | None = None, **tables: Any) -> Any:
    given = {
        "box": {"id": "kb-a"}, "store": {"path": "/var/lib/kiezbox/kiezbox.db"},
        "radio": {"address": address}, "kiez": MEMBERS, **tables,
    }  # fmt: skip
    box = Examined(parse(Settings, given), ManualClock(), facts, root=folder)
    found = list(radio.run(box))
    assert all(each.hint for each in found)
    return [(each.level, each.message) for each in found]


@pytest.fixture
def key(tmp_path: Path) -> Path:
    path = tmp_path / "var/lib/kiezbox/kiez.key"
    path.parent.mkdir(parents=True)
    path.write_text("4f" * 32)
    path.chmod(0o600)
    return path


def test_a_box_without_a_radio_has_nothing_to_say(tmp_path: Path) -> None:
    assert said(tmp_path, "") == []


def test_a_radio_with_a_lasting_name_a_key_and_members_is_well(tmp_path: Path, key: Path) -> None:
    assert said(tmp_path, "/dev/serial/by-id/usb-x") == []


def test_a_name_that_changes_is_said_so(tmp_path: Path, key: Path) -> None:
    ((level, message),) = said(tmp_path, "/dev/ttyACM0")

    assert (level, "/dev/ttyACM0" in message) == (Level.WARNING, True)


def test_a_key_that_is_missing_or_open_is_said_so(tmp_path: Path, key: Path) -> None:
    key.chmod(0o640)
    assert [level for level, _ in said(tmp_path, "tcp:radio")] == [Level.BROKEN]
    key.unlink()
    ((level, message),) = said(tmp_path, "tcp:radio")

    assert (level, "no key of the Kiez" in message) == (Level.BROKEN, True)


def test_a_radio_with_nobody_to_talk_to_is_said_so(tmp_path: Path, key: Path) -> None:
    ((level, message),) = said(tmp_path, "tcp:radio", kiez={})

    assert (level, "[kiez.members]" in message) == (Level.WARNING, True)


def test_a_radio_that_is_being_set_up_says_what_is_otherwise(tmp_path: Path, key: Path) -> None:
    facts = {"radio": {"state": "setting up", "why": "region 'US', not 'EU_868'"}}

    ((level, message),) = said(tmp_path, "tcp:radio", facts)

    assert (level, "'US'" in message) == (Level.NOTE, True)
