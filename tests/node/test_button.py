"""The push button: a bench's line, the real store, and orders as the command line gives them."""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from kiezbox.clock import ManualClock
from kiezbox.hardware.box import BoxHardware
from kiezbox.hardware.simulated.bench import Bench
from kiezbox.node.button import Button
from kiezbox.settings import ButtonSettings, HardwareSettings, Settings, parse
from kiezbox.store import Order, Store

PIN = 5
#: Shorter than a person may set it, so that no test waits for five seconds.
HOLD_S = 0.15


def wait_until(is_so: Callable[[], bool], limit_s: float = 10.0) -> None:
    until = time.monotonic() + limit_s
    while not is_so():
        assert time.monotonic() < until, f"not within {limit_s:g} s"
        time.sleep(0.01)


class Desk:
    """A button on a bench and the node's half of it."""

    def __init__(self, folder: Path, *, is_pressed: bool = False) -> None:
        self.bench = Bench(folder)
        self.bench.set_pin(PIN, not is_pressed)
        self.hardware = BoxHardware(HardwareSettings(gpio=self.bench.address))
        table = {
            "box": {"id": "kb-test"},
            "store": {"path": str(folder / "kiezbox.db"), "run_dir": str(folder)},
        }
        settings = replace(
            parse(Settings, table), button=ButtonSettings(pin=PIN, hold_s=HOLD_S, exercise_h=1.5)
        )
        self.clock = ManualClock()
        self.store = Store.open(settings.store, "kb-test", self.clock)
        self.wakes = 0
        self.facts = folder / "now.json"
        self.button = Button(settings, self.hardware, self.store, self.clock, self._wake)
        self.button.step()

    def _wake(self) -> None:
        self.wakes += 1

    def press(self, *, until_held: bool) -> None:
        wakes = self.wakes
        self.bench.set_pin(PIN, False)
        if until_held:
            wait_until(lambda: self.wakes > wakes)
        self.bench.set_pin(PIN, True)
        self.button.step()

    def orders(self) -> list[Order]:
        return self.store.orders()

    def close(self) -> None:
        self.button.close()
        self.store.close()
        self.hardware.close()
        self.bench.close()


@pytest.fixture
def desk() -> Iterator[Desk]:
    with tempfile.TemporaryDirectory() as folder:
        made = Desk(Path(folder))
        yield made
        made.close()


def test_held_it_orders_an_exercise_that_ends_by_itself(desk: Desk) -> None:
    desk.press(until_held=True)

    (order,) = desk.orders()
    assert order.verb == "exercise" and order.detail == {"by": "button"}
    assert order.until == pytest.approx(desk.clock.now() + 1.5 * 3600)


def test_held_again_it_ends_the_exercise_whoever_ordered_it(desk: Desk) -> None:
    desk.facts.write_text(json.dumps({"mode": {"order": {"mode": "exercise", "until": 1.0}}}))

    desk.press(until_held=True)

    assert [order.verb for order in desk.orders()] == ["auto"]


@pytest.mark.parametrize("facts", ["", "{", "[]", '{"mode": {"order": null}}', '{"mode": 3}'])
def test_facts_that_say_nothing_are_no_exercise(desk: Desk, facts: str) -> None:
    desk.facts.write_text(facts)

    desk.press(until_held=True)

    assert [order.verb for order in desk.orders()] == ["exercise"]


def test_a_short_press_does_nothing(desk: Desk) -> None:
    for _ in range(5):
        desk.press(until_held=False)

    assert desk.orders() == [] and desk.store.faults() == []


def test_one_long_hold_is_one_order(desk: Desk) -> None:
    desk.bench.set_pin(PIN, False)
    wait_until(lambda: desk.wakes == 1)
    for _ in range(3):
        time.sleep(HOLD_S)
        desk.button.step()

    assert len(desk.orders()) == 1


def test_a_button_pressed_since_the_start_is_a_short_circuit_and_no_order() -> None:
    with tempfile.TemporaryDirectory() as folder:
        desk = Desk(Path(folder), is_pressed=True)
        try:
            time.sleep(2 * HOLD_S)
            desk.button.step()
            assert desk.orders() == []
            assert [(each.source, each.kind) for each in desk.store.faults()] == [
                ("button", "stuck")
            ]

            desk.bench.set_pin(PIN, True)
            wait_until(lambda: desk.button._was_released)
            desk.button.step()
            assert desk.store.faults() == []
            desk.press(until_held=True)
            assert len(desk.orders()) == 1
        finally:
            desk.close()


def test_a_chip_that_goes_is_a_fault_and_one_that_is_back_is_used(desk: Desk) -> None:
    def is_gone() -> bool:
        desk.button.step()
        return bool(desk.store.faults())

    desk.bench.fault(f"GPIO{PIN}", "vanish")
    wait_until(is_gone)
    desk.bench.fault(f"GPIO{PIN}", None)
    wait_until(lambda: not is_gone())

    desk.press(until_held=True)

    assert len(desk.orders()) == 1
