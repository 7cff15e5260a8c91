"""What `kiezbox check` says of consents."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from kiezbox.checks import Level, consents
from kiezbox.clock import ManualClock
from kiezbox.privacy.recipient import recipient_of

MQTT = {"host": "mqtt.example.org"}


class Box:
    """As far as this check looks at one."""

    def __init__(self, folder: Path) -> None:
        self.clock = ManualClock()
        self.settings: Any = self
        self.store: Any = self
        self.path = str(folder / "kiezbox.db")
        self.publishers: dict[str, dict[str, Any]] = {"mqtt": dict(MQTT)}
        self.ledger = folder / "consents.jsonl"

    def consent(self, **more: Any) -> None:
        line = {
            "change": "given", "at": self.clock.now(), "sensor": "flat", "quantities": ["*"],
            "recipient": "mqtt", "address": recipient_of("mqtt", MQTT).address,
            "person": "Frau Beispiel", "purpose": "a study", "text_version": "1",
            "until": self.clock.now() + 86400, **more,
        }  # fmt: skip
        with open(self.ledger, "a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")

    def found(self) -> list[tuple[Level, str]]:
        box: Any = self
        findings = list(consents.run(box))
        assert "Beispiel" not in str(findings), "a check is shown to others than the residents"
        return [(each.level, f"{each.message} {each.hint}") for each in findings]


@pytest.fixture
def box(tmp_path: Path) -> Box:
    return Box(tmp_path)


def test_without_consents_it_says_nothing(box: Box) -> None:
    assert box.found() == []


def test_one_that_holds_is_fine(box: Box) -> None:
    box.consent()

    assert [level for level, _ in box.found()] == [Level.FINE]


def test_another_address_is_said_with_both_and_what_to_do(box: Box) -> None:
    box.consent()
    box.publishers["mqtt"]["host"] = "elsewhere.example"

    ((level, said),) = box.found()

    assert level == Level.WARNING
    assert "mqtt.example.org" in said and "elsewhere.example" in said and "renew 1" in said


def test_an_old_line_without_an_address_is_said(box: Box) -> None:
    box.consent(address=None)

    ((level, said),) = box.found()

    assert level == Level.WARNING and "does not say to which address" in said


def test_a_clock_that_nobody_set_is_said(box: Box) -> None:
    box.consent()
    box.clock.trusted = False

    ((level, said),) = box.found()

    assert level == Level.WARNING and "nobody has set the clock" in said


def test_a_ledger_that_cannot_be_read_is_broken(box: Box) -> None:
    box.consent()
    with open(box.ledger, "a", encoding="utf-8") as file:
        file.write("{\n")

    assert [level for level, _ in box.found()] == [Level.BROKEN]
