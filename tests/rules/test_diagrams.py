"""The drawings are the tables."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from kiezbox.battery import Stage
from kiezbox.cli.power import dot, machines, main, mermaid, text
from kiezbox.mode import ACCESS_POINT
from kiezbox.settings import (
    BatterySettings,
    CausesSettings,
    ModeSettings,
    PowerSettings,
)

PAGE = Path(__file__).resolve().parent.parent.parent / "docs" / "power.md"


def test_the_page_shows_the_tables_as_they_are() -> None:
    drawn = re.findall(r"```mermaid\n(.*?)\n```", PAGE.read_text(encoding="utf-8"), re.DOTALL)

    assert drawn == [mermaid(machine) for machine in machines().values()]


@pytest.mark.parametrize("name", machines())
def test_the_page_says_what_each_event_means(name: str) -> None:
    page = PAGE.read_text(encoding="utf-8")

    for event, words in machines()[name].meaning.items():
        assert f"| {event} | {words} |" in page


def test_the_page_says_in_which_modes_the_wlan_is_on() -> None:
    page = PAGE.read_text(encoding="utf-8")

    for mode, (without, with_cause) in ACCESS_POINT.items():
        row = [str(mode), "on" if without else "off", "on" if with_cause else "off"]
        assert f"| {' | '.join(row)} |" in page


def test_the_page_gives_every_default_of_the_rules_with_a_reason() -> None:
    """The number in the table is the one in the settings."""
    defaults = {
        f"power.{name}": getattr(PowerSettings(), name)
        for name in ("bridge_s", "agreed_bridge_s", "return_hold_s", "silent_s", "interval_s")
    }
    defaults |= {
        f"power.battery.{name}": getattr(BatterySettings(), name)
        for name in ("low_percent", "critical_percent", "hysteresis_percent")
    }
    defaults["mode.wlan_pause_s"] = ModeSettings().wlan_pause_s
    rows = dict(re.findall(r"^\| `([a-z_.]+)` \| (\d+)", PAGE.read_text(encoding="utf-8"), re.M))

    assert {name: float(rows[name]) for name in defaults} == defaults


def test_the_page_says_which_causes_are_on() -> None:
    rows = re.findall(r"^\| `([a-z_]+)` \| (yes|no) \|", PAGE.read_text(encoding="utf-8"), re.M)

    causes = CausesSettings()
    assert {name: word == "yes" for name, word in rows} == {
        name: getattr(causes, name).enabled for name in CausesSettings.__slots__
    }


@pytest.mark.parametrize("name", machines())
def test_every_arrow_is_in_every_drawing(name: str) -> None:
    machine = machines()[name]
    count = len(machine.arrows)

    assert len(re.findall(r" --> \w+: ", mermaid(machine))) == count
    assert len(re.findall(r" -> \w+ \[label=", dot(machine))) == count
    assert len(re.findall(r" → ", text(machine))) == count


def test_the_command_draws_all_machines_or_one(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["diagram"]) == 0
    everything = capsys.readouterr().out
    assert main(["diagram", "--machine", "battery", "--format", "dot"]) == 0
    battery = capsys.readouterr().out

    assert all(f"{name}, from " in everything for name in machines())
    assert battery.startswith("digraph battery {")
    assert all(f" {stage} " in battery for stage in Stage)


def test_the_command_refuses_a_machine_it_does_not_have() -> None:
    from kiezbox.errors import UsageError

    with pytest.raises(UsageError):
        main(["diagram", "--machine", "toaster"])
