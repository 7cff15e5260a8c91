"""``kiezbox check --walk``: a plug is pulled, and what each source said of it."""

from __future__ import annotations

import io
import json
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from kiezbox.cli import run
from kiezbox.cli._walking import verdict, walk
from kiezbox.settings import Settings, parse

PIN = {"driver": "pin", "pin": 17}


def settings(**sources: dict[str, Any]) -> Any:
    return parse(Settings, {"box": {"id": "kb-1"}, "power": {"grid": sources}})


class House:
    """Somebody at the plug, and sources that see it as they are wired."""

    def __init__(self, **wired: Callable[[bool], str]) -> None:
        self.is_in = True
        self.said: list[str] = []
        self._wired = wired

    def votes(self) -> Mapping[str, str]:
        return {name: see(self.is_in) for name, see in self._wired.items()}

    def ask(self, question: str) -> str:
        if "pull" in question:
            self.is_in = False
        elif "back" in question:
            self.is_in = True
        return ""

    def walk(self, **sources: dict[str, Any]) -> bool:
        return walk(settings(**sources), self.votes, self.ask, self.said.append, limit_s=0.3)

    @property
    def text(self) -> str:
        return "\n".join(self.said)


def right(is_in: bool) -> str:
    return "present" if is_in else "lost"


def wrong(is_in: bool) -> str:
    return right(not is_in)


def test_a_source_that_sees_it_is_well() -> None:
    house = House(ups=right)

    assert house.walk(ups=PIN)
    assert "ups sees the grid go and come" in house.text


@pytest.mark.parametrize(("is_high", "told"), [(True, "false"), (False, "true")])
def test_one_that_is_the_wrong_way_round_is_told_what_to_set(is_high: bool, told: str) -> None:
    house = House(ups=wrong, meter=right)

    assert not house.walk(ups={**PIN, "active_high": is_high}, meter={**PIN, "pin": 27})
    assert f"active_high = {told} in [power.grid.ups]" in house.text
    assert "meter sees the grid go and come" in house.text


def test_one_that_sees_nothing_is_told_where_its_wire_should_be() -> None:
    house = House(ups=lambda _: "present")

    assert not house.walk(ups=PIN)
    assert "BCM pin 17" in house.text


def test_one_that_says_nothing_is_told_so() -> None:
    assert "says nothing" in verdict("ups", PIN, ("silent", "lost", "present"))[1]
    assert "hangs behind" in verdict("ups", PIN, ("present", "lost", "lost"))[2]
    assert "least_v" in verdict("v", {"driver": "voltage"}, ("lost", "lost", "lost"))[2]


def test_a_box_without_sources_has_nothing_to_try() -> None:
    house = House()
    assert house.walk()
    assert "[power.grid.NAME]" in house.text


def test_without_a_running_node_nobody_is_sent_to_the_plug(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    toml = tmp_path / "kiezbox.toml"
    toml.write_text(f'[box]\nid = "kb-1"\n[store]\nrun_dir = "{tmp_path}"\n', encoding="utf-8")
    monkeypatch.setattr("sys.argv", ["kiezbox", "check", "--walk", "--settings", str(toml)])

    assert run() != 0
    assert "kiezbox" in capsys.readouterr().err


def test_where_nobody_answers_a_sentence_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    toml = tmp_path / "kiezbox.toml"
    toml.write_text(
        f'[box]\nid = "kb-1"\n[store]\nrun_dir = "{tmp_path}"\n'
        '[power.grid.ups]\ndriver = "pin"\npin = 17\n',
        encoding="utf-8",
    )
    now = {"written_at": time.time(), "grid": {"sources": {"ups": "present"}}}
    (tmp_path / "now.json").write_text(json.dumps(now))
    monkeypatch.setattr("sys.argv", ["kiezbox", "check", "--walk", "--settings", str(toml)])
    monkeypatch.setattr("sys.stdin", io.StringIO(""))

    assert run() == 1
    assert "nobody answered" in capsys.readouterr().err
