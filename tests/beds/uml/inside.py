"""Runs inside the virtual machine, as root: does things to the kernel's GPIO lines and I2C
chips and writes down what the box's code made of it. What is right, the test decides.

Each function below is one experiment; its facts go to ``$OUT/facts.json`` under its name. One
that raises leaves its traceback instead.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import adafruit_bme280.basic
import gpiozero

from kiezbox.clock import SystemClock
from kiezbox.errors import KiezboxError
from kiezbox.hardware import Deadline
from kiezbox.hardware.box import BoxHardware
from kiezbox.settings import HardwareSettings

GPIO_SIM = Path("/sys/kernel/config/gpio-sim/bed")

#: Bosch, "BMP280 data sheet", section 3.12, the worked example: these trimming values and raw
#: readings are 25.08 degrees and 100653 Pa. The BME280 has the same registers for both.
TRIMMING = (27504, 26435, -1000, 36477, -10685, 3024, 2855, 140, -7, 15500, -14600, 6000)
RAW_TEMPERATURE, RAW_PRESSURE = 519888, 415148


class GpioChip:
    """A chip of the kernel's simulator: the world's side of its lines."""

    def __init__(self) -> None:
        (GPIO_SIM / "bank0" / "line17").mkdir(parents=True)
        (GPIO_SIM / "bank0" / "num_lines").write_text("28")
        (GPIO_SIM / "live").write_text("1")
        name = (GPIO_SIM / "bank0" / "chip_name").read_text().strip()
        device = (GPIO_SIM / "dev_name").read_text().strip()
        self.path = f"/dev/{name}"
        self._lines = Path("/sys/devices/platform") / device / name

    def drive(self, number: int, high: bool) -> None:
        (self._lines / f"sim_gpio{number}" / "pull").write_text("pull-up" if high else "pull-down")

    def level(self, number: int) -> int:
        return int((self._lines / f"sim_gpio{number}" / "value").read_text())

    def remove(self) -> None:
        (GPIO_SIM / "live").write_text("0")


def wait_for(condition: Callable[[], bool], limit_s: float = 10.0) -> bool:
    until = time.monotonic() + limit_s
    while not condition():
        if time.monotonic() > until:
            return False
        time.sleep(0.01)
    return True


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

    def said(path: str, number: int) -> list[str]:
        with hardware(gpio=path) as box:
            try:
                box.pin_factory().pin(number)
            except KiezboxError as error:
                return [type(error).__name__, str(error), error.hint]
        return ["nothing"]

    with hardware(gpio=chip.path) as first:
        first.pin_factory().pin(17)
        in_use = said(chip.path, 17)
    return {
        "no chip": said("/dev/gpiochip77", 17),
        "no line": said(chip.path, 28),
        "in use": in_use,
        "not a chip": said("/dev/null", 17),
    }


def bme280() -> dict[str, Any]:
    """The unchanged Adafruit driver over /dev/i2c-N, as a worker would use it."""
    load_module(os.environ["I2C_STUB"], "chip_addr=0x76,0x77")
    names = Path("/sys/bus/i2c/devices").glob("i2c-*/name")
    (bus,) = [name.parent.name for name in names if "stub" in name.read_text()]
    if not wait_for(Path(f"/dev/{bus}").exists):
        raise RuntimeError(f"no /dev/{bus}")
    deadline = Deadline(SystemClock())
    deadline.start(20)
    with hardware(i2c=f"/dev/{bus}") as box:
        view = box.i2c(deadline)
        for register, content in registers().items():
            view.writeto(0x76, bytes([register]) + content)
        sensor = adafruit_bme280.basic.Adafruit_BME280_I2C(view, 0x76)
        facts: dict[str, Any] = {
            "bus": f"/dev/{bus}",
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


def load_module(path: str, parameters: str) -> None:
    """insmod, by the system call itself: the host may have no kmod (x86-64 only, as the kernel)."""
    finit_module = 313
    libc = ctypes.CDLL(None, use_errno=True)
    with open(path, "rb") as module:
        if libc.syscall(finit_module, module.fileno(), parameters.encode(), 0) != 0:
            raise OSError(ctypes.get_errno(), f"cannot load {path}")


def registers() -> dict[int, bytes]:
    """A BME280's registers, by the address they begin at (data sheet BST-BME280-DS001, 5.3)."""

    def twenty_bits(raw: int) -> bytes:
        return (raw << 4).to_bytes(3, "big")

    signed = [number & 0xFFFF for number in TRIMMING]
    return {
        0xD0: b"\x60",
        0x88: b"".join(number.to_bytes(2, "little") for number in signed),
        0xF7: twenty_bits(RAW_PRESSURE) + twenty_bits(RAW_TEMPERATURE),
    }


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
    facts: dict[str, Any] = {}
    chip = GpioChip()
    experiments: list[tuple[Callable[..., dict[str, Any]], tuple[Any, ...]]] = [
        (edges, (chip,)),
        (polarity, (chip,)),
        (pulls, (chip,)),
        (bounce, (chip,)),
        (outputs, (chip,)),
        (refusals, (chip,)),
        (bme280, ()),
        (chip_taken_away, (chip,)),
    ]
    for experiment, arguments in experiments:
        try:
            facts[experiment.__name__] = experiment(*arguments)
        except Exception:
            facts[experiment.__name__] = {"traceback": traceback.format_exc()}
    (Path(os.environ["OUT"]) / "facts.json").write_text(json.dumps(facts, indent=1))


if __name__ == "__main__":
    sys.exit(main())
