"""gpiozero's own devices on a bench's lines. On the kernel's lines: tests/beds/uml."""

from __future__ import annotations

import tempfile
import time

import gpiozero
import pytest
from bench_parts import threads, wait_until
from gpiozero.exc import GPIOPinInUse, PinInvalidPin, PinSetInput

from kiezbox.errors import SensorMissing
from kiezbox.hardware.box import BoxHardware
from kiezbox.hardware.pins_wire import WireFactory
from kiezbox.hardware.simulated.bench import Bench


@pytest.mark.parametrize("active_high", [True, False])
def test_an_input_reads_the_line_with_its_polarity(
    bench: Bench, box: BoxHardware, active_high: bool
) -> None:
    device = gpiozero.DigitalInputDevice(
        17, pull_up=None, active_state=active_high, pin_factory=box.pin_factory()
    )

    values = []
    for high in (True, False):
        bench.set_pin(17, high)
        assert wait_until(lambda high=high: device.pin.state == high)
        values.append(device.is_active)

    assert values == [active_high, not active_high]
    device.close()


def test_every_change_of_a_line_is_an_event_in_its_order(bench: Bench, box: BoxHardware) -> None:
    bench.set_pin(17, True)
    device = gpiozero.DigitalInputDevice(17, pull_up=False, pin_factory=box.pin_factory())
    seen: list[str] = []
    device.when_deactivated = lambda: seen.append("lost")
    device.when_activated = lambda: seen.append("back")

    for _ in range(20):
        bench.set_pin(17, False)
        bench.set_pin(17, True)

    assert wait_until(lambda: len(seen) == 40)
    assert seen == ["lost", "back"] * 20
    device.close()


def test_a_change_reaches_the_box_within_a_tenth_of_a_second(
    bench: Bench, box: BoxHardware
) -> None:
    device = gpiozero.DigitalInputDevice(17, pull_up=True, pin_factory=box.pin_factory())
    seen: list[float] = []
    device.when_activated = lambda: seen.append(time.monotonic())

    began = time.monotonic()
    bench.set_pin(17, False)

    assert wait_until(lambda: bool(seen))
    assert seen[0] - began < 0.1
    device.close()


@pytest.mark.parametrize(("pull", "level"), [(True, True), (False, False)])
def test_the_built_in_resistor_decides_where_nothing_is_connected(
    bench: Bench, box: BoxHardware, pull: bool, level: bool
) -> None:
    device = gpiozero.InputDevice(17, pull_up=pull, pin_factory=box.pin_factory())

    assert device.pin.state == level
    assert device.pull_up is pull
    device.close()


def test_a_torn_wire_falls_to_the_pull_and_a_stuck_line_stays(
    bench: Bench, box: BoxHardware
) -> None:
    bench.set_pin(17, True)
    bench.set_pin(18, True)
    torn = gpiozero.InputDevice(17, pull_up=False, pin_factory=box.pin_factory())
    stuck = gpiozero.InputDevice(18, pull_up=False, pin_factory=box.pin_factory())

    bench.fault("GPIO17", "open")
    bench.fault("GPIO18", "stuck")
    bench.set_pin(18, False)

    assert wait_until(lambda: not torn.value)
    assert stuck.value == 1
    bench.fault("GPIO17", None)
    bench.fault("GPIO18", None)
    assert wait_until(lambda: torn.value == 1 and stuck.value == 0)
    torn.close()
    stuck.close()


def test_an_output_is_seen_on_the_bench_and_given_back_at_the_end(
    bench: Bench, box: BoxHardware
) -> None:
    relay = gpiozero.DigitalOutputDevice(5, initial_value=True, pin_factory=box.pin_factory())
    levels = [bench.pin(5)]
    relay.off()
    levels.append(bench.pin(5))
    relay.on()
    levels.append(bench.pin(5))

    relay.close()

    assert levels == [True, False, True]
    assert wait_until(lambda: not bench.pin(5))


def test_an_event_may_switch_an_output(bench: Bench, box: BoxHardware) -> None:
    relay = gpiozero.DigitalOutputDevice(5, pin_factory=box.pin_factory())
    button = gpiozero.DigitalInputDevice(6, pull_up=True, pin_factory=box.pin_factory())
    button.when_activated = relay.on

    bench.set_pin(6, False)

    assert wait_until(lambda: bench.pin(5))
    assert relay.value == 1
    button.close()
    relay.close()


def test_an_event_that_fails_is_logged_and_the_next_one_comes(
    bench: Bench, box: BoxHardware, caplog: pytest.LogCaptureFixture
) -> None:
    device = gpiozero.Button(17, pin_factory=box.pin_factory())
    seen: list[str] = []

    def fail() -> None:
        raise ZeroDivisionError

    device.when_pressed = fail
    device.when_released = lambda: seen.append("released")
    bench.set_pin(17, False)
    assert wait_until(lambda: "a change of GPIO17 failed" in caplog.text)
    bench.set_pin(17, True)

    assert wait_until(lambda: seen == ["released"])
    device.close()


def test_a_bench_that_went_is_an_error_and_a_change_meanwhile_an_event() -> None:
    with tempfile.TemporaryDirectory() as folder:
        first = Bench(folder)
        first.set_pin(17, True)
        factory = WireFactory(first.address.removeprefix("sim:"))
        device = gpiozero.DigitalInputDevice(17, pull_up=False, pin_factory=factory)
        seen: list[str] = []
        device.when_deactivated = lambda: seen.append("lost")

        def is_missing() -> bool:
            try:
                return device.value is None
            except SensorMissing:
                return True

        first.close()
        assert wait_until(is_missing)
        with Bench(folder) as second:
            second.set_pin(17, False)

            assert wait_until(lambda: seen == ["lost"])
            assert device.value == 0
            device.close()
            factory.close()


def test_without_a_bench_a_pin_cannot_be_had_and_nothing_is_left_running() -> None:
    with tempfile.TemporaryDirectory() as folder:
        factory = WireFactory(f"{folder}/bench.sock")

        with pytest.raises(SensorMissing, match="does not answer"):
            gpiozero.DigitalInputDevice(17, pin_factory=factory)

        factory.close()
        assert wait_until(lambda: threads("pins-wire") == 0)


@pytest.mark.parametrize("name", [17, "17", "GPIO17", "BCM17"])
def test_a_line_has_gpiozeros_names_and_is_one_line_by_all_of_them(
    bench: Bench, box: BoxHardware, name: int | str
) -> None:
    device = gpiozero.InputDevice(name, pin_factory=box.pin_factory())

    assert device.pin is box.pin_factory().pin(17)
    with pytest.raises(GPIOPinInUse):
        gpiozero.InputDevice(17, pin_factory=box.pin_factory())
    device.close()


@pytest.mark.parametrize("name", ["J8:11", "MISO", -1, "GPIO"])
def test_what_is_no_line_number_is_no_pin(box: BoxHardware, name: int | str) -> None:
    with pytest.raises(PinInvalidPin):
        box.pin_factory().pin(name)


def test_a_line_asked_for_anew_at_the_same_level_is_no_change(
    bench: Bench, box: BoxHardware
) -> None:
    bench.set_pin(17, True)
    pin = box.pin_factory().pin(17)
    seen: list[bool] = []

    def changed(ticks: float, high: bool) -> None:
        seen.append(high)

    pin.when_changed = changed

    pin.edges = "both"
    bench.set_pin(17, False)

    assert wait_until(lambda: bool(seen))
    assert seen == [False]


@pytest.mark.parametrize(("edges", "expected"), [("rising", [True]), ("falling", [False])])
def test_only_the_edges_asked_for_are_told(
    bench: Bench, box: BoxHardware, edges: str, expected: list[bool]
) -> None:
    pin = box.pin_factory().pin(17)
    seen: list[bool] = []

    def changed(ticks: float, high: bool) -> None:
        seen.append(high)

    pin.edges = edges
    pin.when_changed = changed
    bench.set_pin(17, True)
    bench.set_pin(17, False)

    assert wait_until(lambda: pin.state is False and bool(seen))
    assert seen == expected


def test_an_input_cannot_be_switched(bench: Bench, box: BoxHardware) -> None:
    pin = box.pin_factory().pin(17)

    with pytest.raises(PinSetInput):
        pin.state = True


def test_a_forgotten_device_gives_its_line_back(bench: Bench, box: BoxHardware) -> None:
    gpiozero.InputDevice(17, pin_factory=box.pin_factory())  # nobody keeps it

    gpiozero.InputDevice(17, pin_factory=box.pin_factory()).close()


def test_a_closed_box_leaves_no_thread(bench: Bench, box: BoxHardware) -> None:
    device = gpiozero.Button(17, pin_factory=box.pin_factory())
    assert threads("pins-wire") == 1

    device.close()
    box.close()
    box.close()

    assert threads("pins-wire") == 0
