"""Runs inside the virtual machine, as root: does things to the kernel's GPIO lines and I2C
chips and writes down what the box's code made of it. What is right, the test decides.

Each function below is one experiment; its facts go to ``$OUT/facts.json`` under its name. One
that raises leaves its traceback instead.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator
from functools import partial
from typing import Any

import adafruit_bme280.basic
import gpiozero
from guest import GpioChip, bme280_on_the_bus, note, wait_for

from kiezbox.clock import SystemClock
from kiezbox.errors import KiezboxError
from kiezbox.hardware import Deadline
from kiezbox.hardware.box import BoxHardware
from kiezbox.settings import HardwareSettings


@contextlib.contextmanager
def hardware(**addresses: str) -> Iterator[BoxHardware]:
    box = BoxHardware(HardwareSettings(**addresses))
    try:
        yield box
    finally:
        box.close()


def edges(chip: GpioChip) -> dict[str, Any]:
    """The grid goes and comes back, on a line that is high while it is there."""
    chip.drive(17, True)
    with hardware(gpio=chip.path) as box:
        device = gpiozero.DigitalInputDevice(
            17, pull_up=None, active_state=True, pin_factory=box.pin_factory()
        )
        seen: list[str] = []
        threads: set[str] = set()
        device.when_deactivated = lambda: (
            seen.append("lost"),
            threads.add(threading.current_thread().name),
        )
        device.when_activated = lambda: seen.append("back")
        before = device.value
        # What is driven from outside counts only now: asking for a line resets its bias.
        chip.drive(17, True)
        started = time.monotonic()
        chip.drive(17, False)
        wait_for(lambda: "lost" in seen)
        latency_s = time.monotonic() - started
        during = device.value
        chip.drive(17, True)
        wait_for(lambda: "back" in seen)
        after = device.value
        device.close()
    return {
        "values": [before, during, after],
        "seen": seen,
        "latency_s": latency_s,
        "threads": sorted(threads),
    }


def polarity(chip: GpioChip) -> dict[str, Any]:
    """The same line on a board that is low while the grid is there."""
    with hardware(gpio=chip.path) as box:
        device = gpiozero.DigitalInputDevice(
            17, pull_up=None, active_state=False, pin_factory=box.pin_factory()
        )
        values = {}
        for high in (True, False):
            chip.drive(17, high)
            values["high" if high else "low"] = device.value
        device.close()
    return values


def pulls(chip: GpioChip) -> dict[str, Any]:
    """Nothing drives the line: the built-in resistor decides (gpio-sim obeys its bias)."""
    facts = {}
    with hardware(gpio=chip.path) as box:
        for pull, name in ((True, "up"), (False, "down")):
            device = gpiozero.InputDevice(18, pull_up=pull, pin_factory=box.pin_factory())
            facts[name] = [chip.level(18), bool(device.pin.state), device.value]
            device.close()
    return facts


def bounce(chip: GpioChip) -> dict[str, Any]:
    """Ten flickers of 5 ms with a bounce time of 100 ms, then a real loss."""
    with hardware(gpio=chip.path) as box:
        device = gpiozero.Button(17, pull_up=True, bounce_time=0.1, pin_factory=box.pin_factory())
        chip.drive(17, True)
        seen: list[str] = []
        device.when_pressed = lambda: seen.append("pressed")
        device.when_released = lambda: seen.append("released")
        for _ in range(10):
            chip.drive(17, False)
            time.sleep(0.005)
            chip.drive(17, True)
            time.sleep(0.005)
        time.sleep(0.3)
        flickers = list(seen)
        chip.drive(17, False)
        wait_for(lambda: bool(seen))
        time.sleep(0.3)
        device.close()
    return {"flickers": flickers, "loss": seen}


def outputs(chip: GpioChip) -> dict[str, Any]:
    """A relay is switched; after closing, the line is free for the next."""
    with hardware(gpio=chip.path) as box:
        levels = []
        relay = gpiozero.DigitalOutputDevice(22, initial_value=True, pin_factory=box.pin_factory())
        levels.append(chip.level(22))
        relay.off()
        levels.append(chip.level(22))
        relay.on()
        levels.append(chip.level(22))
        relay.close()
        again = gpiozero.DigitalInputDevice(22, pin_factory=box.pin_factory())
        is_reusable = again.value in (0, 1)
        again.close()
    return {"levels": levels, "is_reusable": is_reusable}


def refusals(chip: GpioChip) -> dict[str, Any]:
    """What cannot be had is said in words, with what to do."""

    def line_of(box: BoxHardware, number: int) -> gpiozero.InputDevice:
        # Asked for by a device: the factory's pin alone asks for nothing yet.
        return gpiozero.InputDevice(
            number, pull_up=None, active_state=True, pin_factory=box.pin_factory()
        )

    def said(path: str, number: int) -> list[str]:
        with hardware(gpio=path) as box:
            try:
                line_of(box, number).close()
            except KiezboxError as error:
                return [type(error).__name__, str(error), error.hint]
        return ["nothing"]

    with hardware(gpio=chip.path) as first:
        held = line_of(first, 17)
        in_use = said(chip.path, 17)
        held.close()
    return {
        "no chip": said("/dev/gpiochip77", 17),
        "no line": said(chip.path, 28),
        "in use": in_use,
        "not a chip": said("/dev/null", 17),
    }


def bme280() -> dict[str, Any]:
    """The unchanged Adafruit driver over /dev/i2c-N, as a worker would use it."""
    bus = bme280_on_the_bus()
    deadline = Deadline(SystemClock())
    deadline.start(20)
    with hardware(i2c=bus) as box:
        view = box.i2c(deadline)
        sensor = adafruit_bme280.basic.Adafruit_BME280_I2C(view, 0x76)
        facts: dict[str, Any] = {
            "bus": bus,
            "temperature_c": sensor.temperature,
            "pressure_hpa": sensor.pressure,
            "scan": view.scan(),
        }
        try:
            view.writeto(0x40, b"")
        except OSError as error:
            facts["absent"] = error.errno
        try:
            adafruit_bme280.basic.Adafruit_BME280_I2C(view, 0x77)
        except RuntimeError as error:
            facts["wrong chip"] = str(error)
    return facts


def chip_taken_away(chip: GpioChip) -> dict[str, Any]:
    """The GPIO driver goes while a line is watched: an error in words, and no busy thread."""
    with hardware(gpio=chip.path) as box:
        device = gpiozero.DigitalInputDevice(17, pin_factory=box.pin_factory())
        device.when_activated = lambda: None
        chip.remove()

        def error() -> str:
            try:
                return f"value {device.value}"
            except KiezboxError as problem:
                return type(problem).__name__

        wait_for(lambda: error() == "SensorMissing")
        used = time.process_time()
        time.sleep(0.5)
        facts = {"error": error(), "cpu_s": time.process_time() - used}
        device.close()
    return facts


def main() -> None:
    chip = GpioChip()
    with_chip = (edges, polarity, pulls, bounce, outputs, refusals, chip_taken_away)
    note({"bme280": bme280} | {part.__name__: partial(part, chip) for part in with_chip})


if __name__ == "__main__":
    main()
