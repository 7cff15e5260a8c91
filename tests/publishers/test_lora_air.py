"""Airtime: by Semtech's formula, and kept to over a day and over a restart."""

from __future__ import annotations

from math import inf
from pathlib import Path

import pytest

from kiezbox.clock import ManualClock
from kiezbox.publishers._lora_air import DAY_S, EU868, Ledger, airtime_s, frame_airtime_s

DR = {spreading: 12 - spreading for spreading in range(7, 13)}


@pytest.mark.parametrize(
    ("frame_bytes", "spreading", "ms"),
    [
        # RF Wireless World, "LoRaWAN Airtime calculator": its two examples and its table.
        (10, 7, 41.216), (10, 11, 577.536), (10, 8, 72), (10, 9, 144), (10, 10, 289), (10, 12, 991),
        # A spreadsheet "Formulas taken from AN1200.13" that the network's forum passes around.
        (13, 9, 164.864),
    ],
)  # fmt: skip
def test_a_frame_is_as_long_on_air_as_other_calculators_say(
    frame_bytes: int, spreading: int, ms: float
) -> None:
    digits = 3 if ms % 1 else 0

    assert round(airtime_s(frame_bytes, EU868[DR[spreading]]) * 1000, digits) == ms


@pytest.mark.parametrize(
    ("payload_bytes", "spreading", "ms"),
    [
        # ../shared/reference/wire-formats.md, "bit-packed full", "+ position" and "CBOR map".
        (17, 7, 72), (17, 9, 226), (17, 10, 453), (23, 7, 77), (23, 9, 267), (23, 10, 494),
        (46, 7, 113), (46, 9, 370), (46, 10, 657),
    ],
)  # fmt: skip
def test_an_uplink_is_its_payload_and_thirteen_bytes(
    payload_bytes: int, spreading: int, ms: int
) -> None:
    assert round(frame_airtime_s(payload_bytes, EU868[DR[spreading]]) * 1000) == ms


def test_twice_the_bandwidth_is_half_the_time() -> None:
    assert airtime_s(30, EU868[6]) == pytest.approx(airtime_s(30, EU868[5]) / 2)


@pytest.mark.parametrize(
    ("rate", "most_bytes"), [(0, 51), (1, 51), (2, 51), (3, 115), (4, 222), (5, 222)]
)
def test_a_data_rate_carries_what_the_regional_parameters_say(rate: int, most_bytes: int) -> None:
    assert EU868[rate].most_bytes == most_bytes


class Band:
    def __init__(self, path: str = "", budget_s: float = 30.0) -> None:
        self.clock = ManualClock()
        self.path, self.budget_s = path, budget_s
        self.ledger = self.again()

    def again(self) -> Ledger:
        """As a node that starts anew has it."""
        return Ledger(self.path, self.budget_s, self.clock.monotonic)

    def sent_in_a_day(self, cost_s: float) -> int:
        """How often a frame goes out if one waits all the time."""
        until, count = self.clock.monotonic() + DAY_S, 0
        while (due_s := self.ledger.due_in_s(cost_s)) + self.clock.monotonic() < until:
            self.clock.advance(due_s)
            self.ledger.spend(cost_s)
            count += 1
        return count


@pytest.mark.parametrize(
    ("spreading", "messages"),
    # ../shared/reference/wire-formats.md: 36 bytes, messages a day under the fair use.
    [(7, 307), (9, 91), (10, 52), (12, 13)],
)
def test_a_day_holds_as_many_uplinks_as_the_fair_use_allows(spreading: int, messages: int) -> None:
    band = Band()
    cost_s = frame_airtime_s(36, EU868[DR[spreading]])

    sent = band.sent_in_a_day(cost_s)

    assert abs(sent - messages) <= 1 and sent * cost_s <= 30.0


def test_after_an_uplink_the_band_is_left_alone_for_its_duty_cycle() -> None:
    band = Band(budget_s=0)
    band.ledger.spend(1.5)

    assert band.ledger.due_in_s(0.1) == pytest.approx(150)
    assert Band(budget_s=0).sent_in_a_day(1.5) <= DAY_S / 150


def test_a_join_counts_for_the_day_and_holds_nothing_up() -> None:
    band = Band()
    band.ledger.spend(1.5, is_join=True)

    assert (band.ledger.due_in_s(1.0), band.ledger.used_s()) == (0.0, 1.5)


def test_in_no_24_hours_is_more_sent_than_the_day_has() -> None:
    band, sent = Band(), []
    until = band.clock.monotonic() + 3 * DAY_S
    costs = [0.06, 2.4, 0.4, 1.1]
    while band.clock.monotonic() < until:
        cost_s = costs[len(sent) % 4]
        band.clock.advance(max(60.0, band.ledger.due_in_s(cost_s)))
        band.ledger.spend(cost_s)
        sent.append((band.clock.monotonic(), cost_s))

    for at, _ in sent:
        assert sum(cost for when, cost in sent if at - DAY_S < when <= at) <= 30.0 + 1e-9


def test_what_is_more_than_a_day_has_is_never_due() -> None:
    assert Band(budget_s=1.0).ledger.due_in_s(1.5) == inf


def test_a_node_that_crashes_and_starts_again_has_not_a_new_days_airtime(tmp_path: Path) -> None:
    band = Band(str(tmp_path / "airtime.json"))
    for _ in range(20):
        band.clock.advance(300)
        band.ledger.spend(1.48)

    again = band.again()

    assert again.used_s() == pytest.approx(29.6)
    assert again.due_in_s(1.48) == pytest.approx(DAY_S - 19 * 300, abs=1)


@pytest.mark.parametrize("text", ["", "{", '{"a":1}', "[[1]]", '[["x","y"]]', "[[1e99,1]]", "[1]"])
def test_a_ledger_that_is_none_begins_anew(tmp_path: Path, text: str) -> None:
    path = tmp_path / "airtime.json"
    path.write_text(text)

    assert Band(str(path)).ledger.used_s() == 0.0


def test_where_the_ledger_cannot_be_written_the_airtime_is_counted_all_the_same() -> None:
    band = Band("/nowhere/at/all.json")
    band.ledger.spend(2.0)

    assert band.ledger.used_s() == 2.0
