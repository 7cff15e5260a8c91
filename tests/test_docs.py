"""The documentation says what is there, all of it, and the examples run."""

from __future__ import annotations

import doctest
import importlib
import pkgutil
import re
import tomllib
from pathlib import Path

import pytest
from pages import PAGES

import kiezbox
from kiezbox import publishers, sensors, sources
from kiezbox.cli import settings as settings_verb

ROOT = Path(__file__).resolve().parent.parent


def read(page: str) -> str:
    return (ROOT / page).read_text(encoding="utf-8")


@pytest.mark.parametrize("page", PAGES)
def test_a_page_made_from_the_code_is_up_to_date(page: str) -> None:
    assert read(page) == PAGES[page](), "run: .venv/bin/python tests/pages.py"


def test_the_example_settings_are_valid_as_they_stand() -> None:
    settings = settings_verb.check(tomllib.loads(read("docs/kiezbox.example.toml")))

    assert settings.box.id


@pytest.mark.parametrize("room", ["sensors", "publishers", "sources"])
def test_the_example_settings_are_valid_with_every_driver_switched_on(room: str) -> None:
    text = read("docs/kiezbox.example.toml")

    lines = []
    for block in re.split(rf"^# (?=\[{room}\.)", text, flags=re.M)[1:]:
        header, *rest = block.splitlines()
        lines.append(header)
        for line in rest:
            if line.startswith(("[", "# [")):
                break
            lines += re.findall(r"^# ([a-z_0-9]+ = .+)$", line)

    table = tomllib.loads("\n".join(lines))
    there_are = {
        "sensors": sensors.drivers, "publishers": publishers.carriers, "sources": sources.drivers,
    }[room]()  # fmt: skip
    assert {named["driver"] for named in table[room].values()} == set(there_are)
    settings_verb.check({"box": {"id": "kb-1"}, room: table[room]})


def test_every_driver_stands_on_the_sensors_page() -> None:
    page = read("docs/sensors.md")

    assert [driver for driver in sensors.drivers() if f"`{driver}`" not in page] == []


def test_every_relative_link_in_the_docs_leads_somewhere() -> None:
    broken = [
        f"{page.relative_to(ROOT)}: {target}"
        for page in [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")]
        for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", page.read_text(encoding="utf-8"))
        if "://" not in target and not (page.parent / target).exists()
    ]

    assert broken == []


def test_the_readme_names_the_two_commands_and_what_they_need() -> None:
    readme = read("README.md")

    assert "**`make demo`**" in readme
    assert "**`make test`**" in readme
    assert "git make python3-venv" in readme


@pytest.mark.parametrize(
    "name",
    [module.name for module in pkgutil.walk_packages(kiezbox.__path__, "kiezbox.")],
)
def test_the_examples_in_docstrings_run(name: str) -> None:
    if name.endswith("__main__"):
        return

    failed, _ = doctest.testmod(importlib.import_module(name))

    assert failed == 0
