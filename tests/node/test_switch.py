"""The line that switches an access point: seen from the bench, as the relay sees it."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import gpiozero
import pytest

from kiezbox.clock import ManualClock
from kiezbox.errors import SettingsError
from kiezbox.hardware.box import BoxHardware
from kiezbox.hardware.simulated.bench import Bench
from kiezbox.node import switch as module
from kiezbox.node.switch import REOPEN_S, Switch
from kiezbox.settings import AccessPointSettings, HardwareSettings

ON, OFF = 5, 6


class Relay:
    """A bench, the changes on its lines in their order, and a box whose switch hangs on them."""

    def __init__(self, bench: Bench, **settings: Any) -> None:
        self.bench = bench
        self.clock = ManualClock()
        self.seen: list[tuple[int, bool]] = []
        self.faults: list[tuple[str, str, str]] = []
        self.good: list[str] = []
        bench.pins.watch(lambda number, high: self.seen.append((number, high)))
        #: What each line was asked to be: also an input for a moment, which no level shows.
        self.uses: list[str] = []
        use = bench.pins.use

        def remember(number: int, wanted: str) -> None:
            self.uses.append(wanted)
            use(number, wanted)

        bench.pins.use = remember  # type: ignore[method-assign]
        self.settings = AccessPointSettings(kind="external", interface="eth1", **settings)
        self.start()

    def start(self) -> None:
        """The node starts."""
        self.hardware = BoxHardware(HardwareSettings(gpio=self.bench.address))
        self.switch = Switch(
            self.settings,
            hardware=self.hardware,
            clock=self.clock,
            on_fault=lambda *fault: self.faults.append(fault),
            on_good=self.good.append,
        )

    def stop(self) -> None:
        self.switch.close()
        self.hardware.close()

    def turn(self, on: bool) -> list[tuple[int, bool]]:
        """What happens on the lines when the switch is told so."""
        before = len(self.seen)
        self.switch.turn(on)
        return self.seen[before:]


@contextmanager
def relay(**settings: Any) -> Iterator[Relay]:
    with tempfile.TemporaryDirectory() as folder, Bench(folder) as bench:
        rigged = Relay(bench, **settings)
        try:
            yield rigged
        finally:
            rigged.stop()


@pytest.fixture(autouse=True)
def short_pulses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PULSE_S", 0.005)


def test_a_plain_relay_holds_while_the_line_is_high() -> None:
    with relay(pin=ON) as plain:
        changes = [plain.turn(on) for on in (False, True, True, False)]

    assert changes == [[], [(ON, True)], [], [(ON, False)]]


def test_a_relay_that_closes_at_a_low_line_is_off_while_it_is_high() -> None:
    with relay(pin=ON, pin_active_high=False) as inverted:
        changes = [inverted.turn(on) for on in (False, True, False)]

    assert changes == [[(ON, True)], [(ON, False)], [(ON, True)]]


def test_a_latching_relay_gets_one_pulse_on_the_coil_that_is_meant() -> None:
    with relay(pin=ON, off_pin=OFF) as latching:
        changes = [latching.turn(on) for on in (True, True, False)]

    assert changes == [[(ON, True), (ON, False)], [], [(OFF, True), (OFF, False)]]


def test_a_latching_relay_whose_coils_are_pulled_low_rests_with_both_lines_high() -> None:
    with relay(pin=ON, off_pin=OFF, pin_active_high=False) as latching:
        changes = latching.turn(True)

    assert changes == [(ON, True), (OFF, True), (ON, False), (ON, True)]


def test_after_a_restart_the_position_is_said_again_and_a_plain_relay_never_lets_go() -> None:
    with relay(pin=ON) as plain:
        plain.turn(True)
        # A node that is killed gives nothing back; the bench leaves the line as it is.
        killed, gone, uses = plain.switch, plain.hardware, len(plain.uses)
        plain.start()

        changes = plain.turn(True)
        asked = plain.uses[uses:]
        killed.close()
        gone.close()

    assert changes == []
    assert set(asked) == {"high"}


@pytest.mark.parametrize("off_pin", [-1, OFF])
def test_at_the_first_start_no_line_is_anything_before_it_is_an_output_at_rest(
    off_pin: int,
) -> None:
    with relay(pin=ON, off_pin=off_pin, pin_active_high=True) as first:
        first.turn(False)

    assert first.uses[: 1 + (off_pin >= 0)] == ["low"] * (1 + (off_pin >= 0))


def test_after_a_restart_a_latching_relay_is_told_again() -> None:
    with relay(pin=ON, off_pin=OFF) as latching:
        latching.turn(False)
        latching.stop()
        latching.start()

        changes = latching.turn(False)

    assert changes == [(OFF, True), (OFF, False)]


def test_a_latching_relay_stays_as_it_is_when_the_node_ends() -> None:
    with relay(pin=ON, off_pin=OFF) as latching:
        latching.turn(True)
        before = len(latching.seen)

        latching.stop()

        assert latching.seen[before:] == []


def test_a_line_that_cannot_be_had_is_a_fault_and_is_asked_for_again_later() -> None:
    with relay(pin=ON) as plain:
        plain.bench.close()

        plain.turn(True)
        plain.turn(True)
        with Bench(plain.bench.folder) as mended:
            plain.turn(True)
            too_early = mended.pin(ON)
            plain.clock.advance(REOPEN_S)
            plain.turn(True)
            later = mended.pin(ON)

    ((source, message, hint),) = plain.faults
    assert (source, too_early, later) == ("network.access_point", False, True)
    assert "pin 5" in message and hint
    assert plain.good == ["network.access_point"]


def test_a_pin_that_has_another_task_already_is_a_fault_and_no_crash() -> None:
    with relay(pin=ON) as plain:
        taken = gpiozero.InputDevice(ON, pin_factory=plain.hardware.pin_factory())

        plain.turn(True)

        taken.close()

    assert "already in use" in plain.faults[0][1]


@pytest.mark.parametrize("pins", [{"off_pin": OFF}, {"pin": ON, "off_pin": ON}])
def test_a_coil_for_off_needs_another_one_for_on(pins: dict[str, int]) -> None:
    with pytest.raises(SettingsError, match="off_pin"):
        AccessPointSettings(**pins)
