"""Every arrow of every machine is there because a story needs it."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest
from stories.machines import TAKEN

from kiezbox import battery, mode, power
from kiezbox.mode import causes, thresholds

TABLES: dict[str, dict[tuple[Any, Any], Any]] = {
    "grid": power.TRANSITIONS,
    "battery": battery.TRANSITIONS,
    "mode": mode.TRANSITIONS,
    "cause": causes.TRANSITIONS,
    "threshold": thresholds.TRANSITIONS,
}

STARTS = {
    "grid": power.START,
    "battery": battery.START,
    "mode": mode.START,
    "cause": causes.START,
    "threshold": thresholds.START,
}

ARROWS = [(machine, *arrow) for machine, table in TABLES.items() for arrow in table]

Story = Callable[[], None]


#: Which stories are asked first whether they miss an arrow; the others are asked after them.
TOLD_IN = {
    "grid": "test_grid_evenings",
    "battery": "test_battery_days",
    "mode": "test_nights_of_a_box",
    "cause": "test_nights_of_a_box",
    "threshold": "test_floods",
}


@lru_cache
def stories() -> dict[tuple[str, str], Story]:
    """All stories: plain functions without fixtures in tests/stories/test_*.py."""
    folder = Path(__file__).resolve().parent.parent / "stories"
    modules = [importlib.import_module(f"stories.{path.stem}") for path in folder.glob("test_*.py")]
    return {
        (module.__name__.removeprefix("stories."), name): value
        for module in sorted(modules, key=lambda module: module.__name__)
        for name, value in vars(module).items()
        if name.startswith("test_") and not inspect.signature(value).parameters
    }


def first_red_story(machine: str = "") -> str | None:
    """The name of a story that fails now, or None."""
    told_in = TOLD_IN.get(machine)
    for (_, name), story in sorted(stories().items(), key=lambda item: item[0][0] != told_in):
        try:
            story()
        except (AssertionError, IndexError):
            return name
    return None


def test_every_story_holds_while_the_tables_are_whole() -> None:
    assert first_red_story() is None


@pytest.mark.parametrize(
    "machine, state, event", ARROWS, ids=[f"{m}-{s}-{e}" for m, s, e in ARROWS]
)
def test_deleting_an_arrow_turns_a_story_red(
    machine: str, state: Any, event: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(TABLES[machine], (state, event))

    red = first_red_story(machine)

    assert red is not None, f"no story misses {machine}: {state} --{event}-->"


@pytest.mark.parametrize("machine", TABLES)
def test_every_state_can_be_reached_from_the_first(machine: str) -> None:
    table, reached = TABLES[machine], {STARTS[machine]}

    for _ in table:
        reached |= {after for (before, _), after in table.items() if before in reached}

    assert reached == set(type(STARTS[machine]))


@pytest.mark.parametrize("machine", TABLES)
def test_every_state_can_be_left_again(machine: str) -> None:
    table = TABLES[machine]

    left = {before for (before, _), after in table.items() if after is not before}

    assert left == set(type(STARTS[machine]))


@pytest.mark.parametrize("machine", TABLES)
def test_every_event_has_an_arrow_and_a_meaning(machine: str) -> None:
    meaning = {
        "grid": power.MEANING,
        "battery": battery.MEANING,
        "mode": mode.MEANING,
        "cause": causes.MEANING,
        "threshold": thresholds.MEANING,
    }[machine]

    used = {event for _, event in TABLES[machine]}

    assert used == set(type(next(iter(used)))) == set(meaning)


def test_the_stories_see_every_arrow_happen() -> None:
    TAKEN.clear()

    for story in stories().values():
        story()

    arrows = {
        (machine, str(before), str(event), str(after))
        for machine, table in TABLES.items()
        if machine not in ("cause", "threshold")
        for (before, event), after in table.items()
    }
    assert TAKEN == arrows
