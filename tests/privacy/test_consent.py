"""Consents: what a ledger of them gives, and what nothing gives."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiezbox.errors import StoreError
from kiezbox.privacy.consent import read_ledger
from kiezbox.privacy.recipient import PORTAL, recipient_of
from kiezbox.store.consents import ConsentFile, consents_path

DAY_S = 86400.0
MQTT = recipient_of("mqtt", {})
FLAT = {
    "change": "given", "at": 1000.0, "sensor": "flat", "quantities": ["*"], "recipient": "mqtt",
    "person": "tenant, second floor", "purpose": "a study of mould", "until": 1000.0 + DAY_S,
    "text_version": "1", "address": 'driver = "mqtt"',
}  # fmt: skip


def ledger(*changes: dict[str, Any] | str) -> list[str]:
    return [each if isinstance(each, str) else json.dumps(each) for each in changes]


def covers(lines: list[str], taken_at: float, now: float, recipient: str = "mqtt") -> bool:
    found = read_ledger(lines)
    return found.covers("flat", "temperature_c", recipient_of(recipient, {}), taken_at, now)


def test_without_a_consent_nothing_is_covered() -> None:
    assert not covers([], 1500, 1500)


def test_a_consent_covers_what_is_measured_while_it_holds() -> None:
    lines = ledger(FLAT)

    assert covers(lines, 1000, 1000)
    assert not covers(lines, 999, 1500), "measured before it was given"
    assert not covers(lines, 1500, 999), "not given yet"
    assert not covers(lines, 1500, 1000 + DAY_S), "over, though measured meanwhile"
    assert not covers(lines, 1500, 1500, "influx"), "another recipient"
    assert not covers(lines, 1500, 1500, PORTAL)
    assert not read_ledger(lines).covers("cellar", "temperature_c", MQTT, 1500, 1500)


def test_it_covers_the_quantities_it_names() -> None:
    found = read_ledger(ledger({**FLAT, "quantities": ["humidity_percent"]}))

    assert found.covers("flat", "humidity_percent", MQTT, 1500, 1500)
    assert not found.covers("flat", "temperature_c", MQTT, 1500, 1500)


def test_what_waited_when_it_was_revoked_is_not_covered_by_a_later_one() -> None:
    lines = ledger(FLAT, {"change": "revoked", "at": 2000.0, "number": 1})
    assert not covers(lines, 1500, 2000)

    again = {**FLAT, "at": 3000.0, "until": 3000.0 + DAY_S}
    lines = ledger(FLAT, {"change": "revoked", "at": 2000.0, "number": 1}, again)
    assert not covers(lines, 1500, 3500)
    assert not covers(lines, 2500, 3500)
    assert covers(lines, 3200, 3500)


def test_an_end_that_a_clock_stamped_which_ran_ahead_is_an_end_now() -> None:
    for end in ({"change": "revoked", "number": 1}, {"change": "moved", "sensor": "flat"}):
        assert not covers(ledger(FLAT, {**end, "at": 1e9}), 1500, 1500)
        assert not covers(ledger(FLAT, {**end, "at": 1.0}), 1500, 1500)


def test_one_from_before_addresses_were_recorded_gives_nothing_until_it_is_renewed() -> None:
    old = {key: value for key, value in FLAT.items() if key != "address"}
    assert not covers(ledger(old), 1500, 1500)
    assert [each.number for each in read_ledger(ledger(old)).astray({"mqtt": MQTT}, 1500)] == [1]

    again = {**FLAT, "at": 2000.0, "instead_of": 1}
    assert covers(ledger(old, again), 2500, 2500)
    assert not read_ledger(ledger(old, again)).astray({"mqtt": MQTT}, 2500)
    assert not covers(ledger(old, again), 1500, 2500), "measured when nobody had been asked"


def test_the_boxs_own_pages_have_no_address_so_old_ones_for_them_hold() -> None:
    old = {key: value for key, value in FLAT.items() if key != "address"}

    assert covers(ledger({**old, "recipient": PORTAL}), 1500, 1500, PORTAL)


def test_with_another_address_it_gives_nothing() -> None:
    found, elsewhere = read_ledger(ledger(FLAT)), recipient_of("mqtt", {"host": "elsewhere"})

    assert not found.covers("flat", "temperature_c", elsewhere, 1500, 1500)
    assert [each.number for each in found.astray({"mqtt": elsewhere}, 1500)] == [1]
    assert [each.number for each in found.astray({}, 1500)] == [1]
    assert not found.astray({}, 1000 + DAY_S), "it is over anyway"


def test_when_somebody_moves_all_consents_of_the_rooms_end_and_no_others() -> None:
    cellar = {**FLAT, "sensor": "cellar"}
    found = read_ledger(ledger(FLAT, cellar, {"change": "moved", "at": 2000.0, "sensor": "flat"}))

    assert not found.covers("flat", "temperature_c", MQTT, 2500, 2500)
    assert found.covers("cellar", "temperature_c", MQTT, 2500, 2500)


def test_ending_twice_keeps_the_first_end() -> None:
    ends = [{"change": "revoked", "at": at, "number": 1} for at in (2000.0, 9000.0)]
    assert not covers(ledger(FLAT, *ends), 3000, 3000)


@pytest.mark.parametrize(
    "line",
    [
        "{", "[]", "null", "7", '"x"', "{}", '{"change": "given"}',
        '{"change": "revoked", "at": 1}', '{"change": "given", "at": NaN}', "[" * 100_000,
        json.dumps({**FLAT, "sensor": ""}), json.dumps({**FLAT, "until": "for ever"}),
        json.dumps({**FLAT, "until": True}), json.dumps({**FLAT, "quantities": [7]}),
        json.dumps({**FLAT, "at": 1e300}), json.dumps({**FLAT, "change": "forged"}),
        json.dumps({**FLAT, "address": 7}), '{"change": "placed", "at": 1, "sensor": "flat"}',
    ],
)  # fmt: skip
def test_a_line_that_cannot_be_read_publishes_nothing(line: str) -> None:
    found = read_ledger(ledger(FLAT, line))

    assert found.is_damaged and found.damaged == [2]
    assert not found.covers("flat", "temperature_c", MQTT, 1500, 1500)


@given(st.lists(st.text() | st.builds(json.dumps, st.dictionaries(st.text(), st.integers()))))
def test_no_ledger_breaks_the_reader(lines: list[str]) -> None:
    found = read_ledger(lines)
    assert not found.given


# --- on the card ----------------------------------------------------------------------------------


@pytest.fixture
def file(tmp_path: Path) -> ConsentFile:
    return ConsentFile(consents_path(str(tmp_path / "kiezbox.db")))


def test_what_was_written_is_read_by_everybody_at_once(file: ConsentFile) -> None:
    reader = ConsentFile(file.path)
    assert not reader.read().given

    assert file.append(FLAT) == 1
    assert file.append({"change": "revoked", "at": 2000.0, "number": 1}) == 2

    (found,) = reader.read().given
    assert (found.person, found.ended_at) == ("tenant, second floor", 2000.0)


def test_names_are_for_nobody_elses_eyes(file: ConsentFile) -> None:
    file.append(FLAT)

    assert os.stat(file.path).st_mode & 0o077 == 0


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_what_root_writes_first_is_the_nodes_to_read(file: ConsentFile) -> None:
    os.chown(os.path.dirname(file.path), 65534, 65534)

    file.append(FLAT)
    file.append({"change": "revoked", "at": 2000.0, "number": 1})

    found = os.stat(file.path)
    assert (found.st_uid, found.st_gid, found.st_mode & 0o777) == (65534, 65534, 0o600)


@pytest.mark.parametrize("kept", [0, 1, 20, -1])
def test_a_line_that_a_power_cut_tore_was_never_said(file: ConsentFile, kept: int) -> None:
    file.append(FLAT)
    whole = Path(file.path).read_bytes()
    file.append({**FLAT, "sensor": "cellar"})
    torn = Path(file.path).read_bytes()[len(whole) :][:kept]
    Path(file.path).write_bytes(whole + torn)

    assert [each.sensor for each in ConsentFile(file.path).read().given] == ["flat"]

    file.append({**FLAT, "sensor": "attic"})
    found = ConsentFile(file.path).read()
    assert [each.sensor for each in found.given] == ["flat", "attic"]
    assert not found.is_damaged


def test_a_card_that_cannot_be_written_says_so_and_nothing_was_said(tmp_path: Path) -> None:
    file = ConsentFile(str(tmp_path / "missing" / "consents.jsonl"))

    with pytest.raises(StoreError) as raised:
        file.append(FLAT)

    assert "Nothing was changed" in raised.value.hint
    assert not file.read().given


def test_bytes_that_are_no_text_publish_nothing(file: ConsentFile) -> None:
    file.append(FLAT)
    with open(file.path, "ab") as behind:
        behind.write(b"\xff\xfe\n")

    assert file.read().is_damaged
