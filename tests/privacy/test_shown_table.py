"""The table by which the portal knows what it may show, as the node keeps it."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from kiezbox.clock import ManualClock
from kiezbox.node.private import Privacy
from kiezbox.privacy.consent import Consents, read_ledger
from kiezbox.privacy.shown import may_show, shown_of, understood
from kiezbox.store.consents import ConsentFile

SENSORS = {
    "roof": {"where": "outdoor"}, "battery": {"where": "box"}, "flat": {"where": "indoor"},
    "forgotten": {},
}  # fmt: skip


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(1_780_000_000.0)


def given(clock: ManualClock, *quantities: str, recipient: str = "portal") -> dict[str, object]:
    return {
        "change": "given", "at": clock.now(), "sensor": "flat", "quantities": list(quantities),
        "recipient": recipient, "person": "tenant", "purpose": "neighbours", "text_version": "1",
        "until": clock.now() + 3600,
    }  # fmt: skip


def test_what_hangs_outside_is_shown_and_nothing_else(tmp_path: Path, clock: ManualClock) -> None:
    Privacy(SENSORS, str(tmp_path / "consents.jsonl"), clock).tell_the_portal()

    table = json.loads((tmp_path / "public.json").read_text())
    assert table["roof"] == table["battery"] == [[0.0, None]]
    assert not any(name.startswith(("flat", "forgotten")) for name in table)
    assert os.stat(tmp_path / "public.json").st_mode & 0o777 == 0o644


def test_a_consent_to_the_portal_is_in_it_while_it_holds(
    tmp_path: Path, clock: ManualClock
) -> None:
    ledger = ConsentFile(str(tmp_path / "consents.jsonl"))
    privacy = Privacy(SENSORS, ledger.path, clock)
    ledger.append(given(clock, "humidity_percent"))
    ledger.append(given(clock, "*", recipient="mqtt"))

    def table() -> dict[str, list[list[float | None]]]:
        privacy.tell_the_portal()
        found: dict[str, list[list[float | None]]] = json.loads(
            (tmp_path / "public.json").read_text()
        )
        return found

    at = clock.now()
    assert table()["flat/humidity_percent"] == [[at, at + 3600]] and "flat" not in table()
    clock.advance(3600)
    assert "flat/humidity_percent" not in table()


def test_a_damaged_ledger_shows_nothing_of_a_flat(clock: ManualClock) -> None:
    lines = [json.dumps(given(clock, "*")), "{"]

    roof, now = {"roof": 0.0}, clock.now()
    assert shown_of(roof, read_ledger(lines), now, is_sure=True) == {"roof": [(0.0, None)]}
    assert shown_of({}, Consents(), now, is_sure=True) == {}


def test_while_nobody_has_set_the_clock_no_consent_counts(clock: ManualClock) -> None:
    consents = read_ledger([json.dumps(given(clock, "*"))])

    assert shown_of({}, consents, clock.now(), is_sure=True)
    assert not shown_of({}, consents, clock.now(), is_sure=False)


def test_of_several_consents_each_shows_what_it_covers(clock: ManualClock) -> None:
    first = given(clock, "*")
    clock.advance(1800)
    consents = read_ledger([json.dumps(first), json.dumps(given(clock, "*"))])
    start, end = clock.now() - 1800, clock.now() + 1800

    shown = shown_of({}, consents, clock.now(), is_sure=True)

    assert may_show(shown, "flat", "temperature_c", start, end - 1)
    assert not may_show(shown, "flat", "temperature_c", start, end), "the first is over"
    assert may_show(shown, "flat", "temperature_c", start + 1800, end), "the second is not"


def test_it_is_written_only_where_it_says_something_else(
    tmp_path: Path, clock: ManualClock
) -> None:
    privacy = Privacy(SENSORS, str(tmp_path / "consents.jsonl"), clock)
    privacy.tell_the_portal()
    before = os.stat(tmp_path / "public.json").st_ino

    privacy.tell_the_portal()
    Privacy(SENSORS, str(tmp_path / "consents.jsonl"), clock).tell_the_portal()

    assert os.stat(tmp_path / "public.json").st_ino == before


def test_a_card_that_takes_nothing_does_not_stop_the_node(
    tmp_path: Path, clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    privacy = Privacy(SENSORS, str(tmp_path / "missing" / "consents.jsonl"), clock)

    for _ in range(3):
        privacy.tell_the_portal()
    (tmp_path / "missing").mkdir()
    privacy.tell_the_portal()

    assert caplog.text.count("cannot write") == 1, "it is tried often, and said once"
    assert (tmp_path / "missing" / "public.json").exists()


@pytest.mark.parametrize("document", [None, 7, "roof", [], {"roof": 1}, {"roof": [[True, None]]},
                                      {"roof": [[0]]}, {"roof": [[-1, None]]},
                                      {"roof": [[0, "x"]]}, {"roof": [0, None]},
                                      {"roof": [[float("nan"), None]]}])  # fmt: skip
def test_an_entry_that_is_none_shows_nothing(document: object) -> None:
    assert understood(document) == {}


def test_a_series_of_its_own_shows_no_other_of_the_same_sensor() -> None:
    shown = understood({"flat/humidity_percent": [[100, 200]]})

    assert may_show(shown, "flat", "humidity_percent", 150, 199)
    assert not may_show(shown, "flat", "humidity_percent", 99, 150)
    assert not may_show(shown, "flat", "humidity_percent", 150, 200)
    assert not may_show(shown, "flat", "humidity_percent", None, 150)
    assert not may_show(shown, "flat", "temperature_c", 150, 150)
