"""The node keeps the log of words: it forgets in time, judges, and puts times right."""

from __future__ import annotations

import os
import sqlite3
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "trust"))
from issuing import BRIGADE, NOW, ROOT, bulletin, certificate

from kiezbox.clock import ManualClock
from kiezbox.node.keeping import ERASE_S, STEP_S, Keeping, power_back_at
from kiezbox.settings import Settings, parse
from kiezbox.store import Store
from kiezbox.store.log import Draft, Log
from kiezbox.trust import pack_certificate

HOUR_S, DAY_S = 3600.0, 86400.0

POST = {"topic": 0, "text": "Suche Kerzen, Tel. hinten", "language": "de"}


class Kept:
    """A box's store, and the task that keeps its words."""

    def __init__(self, folder: Path, *, has_grid: bool = True) -> None:
        table: dict[str, Any] = {
            "box": {"id": "kb-a"},
            "store": {"path": str(folder / "kiezbox.db"), "run_dir": str(folder / "run")},
            "trust": {"roots": [ROOT.public.hex()]},
        }
        if has_grid:
            table["power"] = {"grid": {"mains": {"driver": "pin"}}}
        self.settings: Settings = parse(Settings, table)
        self.clock = ManualClock(float(NOW))
        self.store = Store.open(self.settings.store, "kb-a", self.clock)
        self.task = Keeping(self.settings, self.store, self.clock)

    def look(self, after_s: float = 0.0) -> None:
        """Steps until so long later, an hour each at most."""
        while after_s > 0:
            self.clock.advance(min(after_s, HOUR_S))
            after_s -= HOUR_S
            self.task.step()
        self.task.step()

    def restart(self) -> None:
        self.task.close()
        self.task = Keeping(self.settings, self.store, self.clock)

    def log(self) -> Log:
        """As the portal opens it."""
        return Log.open(self.settings.store.words_path, self.clock)

    def add(self, kind: str, fields: dict[str, Any], **more: Any) -> None:
        log = self.log()
        log.add(Draft(kind=kind, fields=fields, **more))
        log.close()

    def texts(self, kind: str = "post") -> list[str]:
        log = self.log()
        found = [told.body.get("text", "") for told in log.records(kind)]
        log.close()
        return found

    def grid(self, *states: str) -> None:
        for before, after in zip(states, states[1:], strict=False):
            self.store.put_transition("grid", before, "seen", after, {})

    def faults(self) -> dict[str, str]:
        return {fault.source: fault.kind for fault in self.store.faults()}

    def close(self) -> None:
        self.task.close()
        self.store.close()


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[Kept]:
    kept = Kept(tmp_path)
    yield kept
    kept.close()


def test_the_first_look_makes_the_log_in_the_boxs_name(kept: Kept) -> None:
    assert kept.task.step() == STEP_S

    log = kept.log()
    assert log.box == "kb-a" and kept.faults() == {}
    log.close()


def test_what_has_expired_leaves_the_card(kept: Kept) -> None:
    kept.look()
    kept.add("post", POST, lifetime_s=1800)
    kept.add("post", {**POST, "text": "Suche Wasser"})
    kept.look(ERASE_S)

    path = Path(kept.settings.store.words_path)
    kept.look(7 * HOUR_S)
    assert kept.texts() == ["Suche Wasser"]
    kept.task.close()
    found = b"".join(file.read_bytes() for file in path.parent.glob("words.db*"))
    assert b"Suche Kerzen" not in found and b"Suche Wasser" in found


def test_personal_things_end_three_days_after_the_power_is_back(kept: Kept) -> None:
    kept.look()
    kept.grid("present", "bridging", "lost")
    ask = {"what": 0, "block": "Nordseite"}
    kept.add("ticket", ask)
    kept.clock.advance(HOUR_S)
    kept.grid("lost", "returning", "present")
    kept.look()
    kept.clock.advance(60)
    kept.add("ticket", {**ask, "block": "Südseite"})

    def blocks() -> list[str]:
        log = kept.log()
        found = [told.body["block"] for told in log.records("ticket")]
        log.close()
        return found

    kept.look(71 * HOUR_S)
    assert blocks() == ["Nordseite", "Südseite"]
    kept.look(2 * HOUR_S)

    assert blocks() == ["Südseite"], "who asks after the return has the time that everybody has"


def test_the_time_of_return_survives_a_restart(kept: Kept) -> None:
    kept.look()
    kept.grid("present", "bridging", "lost")
    kept.add("ticket", {"what": 0, "block": "Nordseite"})
    kept.clock.advance(HOUR_S)
    kept.grid("lost", "returning", "present")
    kept.clock.advance(10)

    kept.restart()
    kept.look(74 * HOUR_S)

    log = kept.log()
    assert log.records("ticket") == []
    log.close()


def test_without_a_grid_source_the_end_of_the_emergency_counts(tmp_path: Path) -> None:
    kept = Kept(tmp_path, has_grid=False)
    kept.store.put_transition("mode", "normal", "ordered", "emergency", {})
    kept.clock.advance(HOUR_S)
    kept.store.put_transition("mode", "emergency", "ended", "normal", {})

    assert power_back_at(kept.store.transitions("mode")) == kept.clock.now()
    kept.close()


@pytest.mark.parametrize(
    "states, is_back",
    [
        (("unknown", "present"), False),
        (("present", "bridging", "present"), False),
        (("present", "bridging", "lost"), False),
        (("present", "bridging", "lost", "returning"), False),
        (("present", "bridging", "lost", "returning", "lost"), False),
        (("present", "bridging", "lost", "returning", "present"), True),
        (("present", "bridging", "lost", "unknown", "present"), True),
    ],
)
def test_only_an_outage_that_is_over_is_one_that_is_over(
    kept: Kept, states: tuple[str, ...], is_back: bool
) -> None:
    kept.grid(*states)

    assert (power_back_at(kept.store.transitions("grid")) is not None) is is_back


def test_what_came_by_a_wrong_clock_gets_its_age_when_it_is_set(kept: Kept) -> None:
    kept.clock.trusted = False
    kept.look()
    kept.add("post", POST, lifetime_s=7200)
    kept.clock.advance(HOUR_S)
    kept.look()

    kept.clock.set_wall(kept.clock.now() + 30 * DAY_S)
    kept.clock.trusted = True
    kept.look()

    assert kept.texts() == [POST["text"]], "it is an hour old, not a month"
    kept.look(2 * HOUR_S)
    assert kept.texts() == []


def test_a_certificate_that_arrives_makes_what_is_there_official_and_its_end_ends_that(
    kept: Kept,
) -> None:
    kept.look()
    signed = bulletin(BRIGADE)
    log = kept.log()
    log.add(Draft(**signed._asdict()))
    kept.look()
    assert [thing.issuer for thing in log.things("bulletin")] == [""]

    packed = pack_certificate(certificate(BRIGADE, name="Feuerwehr"))
    log.add(Draft(kind="certificate", fields={"certificate": packed}))
    kept.look()
    assert [thing.issuer for thing in log.things("bulletin")] == ["Feuerwehr"]

    kept.look(signed.lifetime_s - 600)
    kept.clock.advance(700)
    kept.task.step()
    assert log.things("bulletin") == [] or log.things("bulletin")[0].issuer == ""
    log.close()


def test_what_only_says_that_it_is_believed_is_not_for_long(kept: Kept) -> None:
    kept.look()
    kept.add("bulletin", {"text": "Alle in die Keller"})
    # As the portal's user could, where nothing is signed at all.
    db = sqlite3.connect(kept.settings.store.words_path)
    with db:
        db.execute("UPDATE log SET issuer = 'Feuerwehr'")
        db.execute("UPDATE things SET issuer = 'Feuerwehr'")

    kept.look(HOUR_S)

    assert db.execute("SELECT issuer FROM log").fetchall() == [("",)]
    assert db.execute("SELECT issuer FROM things").fetchall() == [("",)]
    db.close()


@pytest.mark.parametrize("package", ["cbor2", "nacl"])
def test_without_its_packages_the_box_says_so_and_goes_on(
    kept: Kept, monkeypatch: pytest.MonkeyPatch, package: str
) -> None:
    if package == "nacl":
        kept.look()
        log = kept.log()
        log.add(Draft(**bulletin(BRIGADE)._asdict()))
        log.close()
        monkeypatch.setitem(sys.modules, "nacl.bindings", None)
    monkeypatch.setitem(sys.modules, package, None)

    assert kept.task.step() == STEP_S
    assert kept.faults() == {"words" if package == "cbor2" else "trust": "missing"}

    monkeypatch.undo()
    kept.look(HOUR_S)
    assert kept.faults() == {}


@pytest.mark.parametrize("damage", ["noise", "cut"])
def test_a_damaged_log_is_a_new_one_and_no_end(kept: Kept, damage: str) -> None:
    kept.look()
    kept.add("post", POST)
    kept.task.close()
    path = Path(kept.settings.store.words_path)
    if damage == "noise":
        path.write_bytes(os.urandom(40_000))
    else:
        os.truncate(path, path.stat().st_size // 2)

    kept.look()
    kept.look()

    kept.add("post", {**POST, "text": "Suche Wasser"})
    assert "Suche Wasser" in kept.texts()
    assert kept.faults() == {}


def test_a_log_that_cannot_be_opened_is_a_fault_until_it_can(kept: Kept) -> None:
    path = Path(kept.settings.store.words_path)
    path.mkdir(parents=True)

    assert kept.task.step() == STEP_S
    assert kept.faults() == {"words": "unusable"}

    path.rmdir()
    kept.look()
    assert kept.faults() == {}
