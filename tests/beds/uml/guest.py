"""What the scripts inside the virtual machine share: the world's side of its simulated hardware."""

from __future__ import annotations

import ctypes
import json
import os
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from kiezbox.clock import SystemClock
from kiezbox.hardware import Deadline
from kiezbox.hardware.i2c_linux import LinuxBus
from kiezbox.hardware.i2c_view import BusLock, BusView

GPIO_SIM = Path("/sys/kernel/config/gpio-sim/bed")

#: Bosch, "BMP280 data sheet", section 3.12, the worked example: these trimming values and raw
#: readings are 25.08 degrees and 100653 Pa. The BME280 has the same registers for both.
TRIMMING = (27504, 26435, -1000, 36477, -10685, 3024, 2855, 140, -7, 15500, -14600, 6000)
RAW_TEMPERATURE, RAW_PRESSURE = 519888, 415148

#: No data sheet has an example for humidity: trimming values as chips have them, H1 to H6, and a
#: raw reading for an ordinary day.
HUMIDITY_TRIMMING = (75, 362, 0, 313, 50, 30)
RAW_HUMIDITY = 30000


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


def wait_for(
    condition: Callable[[], bool], limit_s: float = 10.0, *, pause_s: float = 0.01
) -> bool:
    until = time.monotonic() + limit_s
    while not condition():
        if time.monotonic() > until:
            return False
        time.sleep(pause_s)
    return True


def bme280_on_the_bus() -> str:
    """Two chips, one of them a BME280 that shows Bosch's example; returns the bus's device."""
    load_module(os.environ["I2C_STUB"], "chip_addr=0x76,0x77")
    names = Path("/sys/bus/i2c/devices").glob("i2c-*/name")
    (bus,) = [name.parent.name for name in names if "stub" in name.read_text()]
    if not wait_for(Path(f"/dev/{bus}").exists):
        raise RuntimeError(f"no /dev/{bus}")
    deadline = Deadline(SystemClock())
    deadline.start(20)
    stub = LinuxBus(f"/dev/{bus}")
    view = BusView(stub, BusLock(), deadline)
    for register, content in registers().items():
        view.writeto(0x76, bytes([register]) + content)
    stub.close()
    return f"/dev/{bus}"


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

    h1, h2, h3, h4, h5, h6 = HUMIDITY_TRIMMING
    signed = [number & 0xFFFF for number in TRIMMING]
    return {
        0xD0: b"\x60",
        0x88: b"".join(number.to_bytes(2, "little") for number in signed),
        0xA1: bytes([h1]),
        0xE1: h2.to_bytes(2, "little")
        + bytes([h3, h4 >> 4, h4 & 15 | (h5 & 15) << 4, h5 >> 4, h6]),
        0xF7: twenty_bits(RAW_PRESSURE)
        + twenty_bits(RAW_TEMPERATURE)
        + RAW_HUMIDITY.to_bytes(2, "big"),
    }


def note(experiments: dict[str, Callable[[], Any]]) -> None:
    """Carry out all and write what they found, or their tracebacks, to ``$OUT/facts.json``."""
    facts = {}
    for name, experiment in experiments.items():
        try:
            facts[name] = experiment()
        except Exception:
            facts[name] = {"traceback": traceback.format_exc()}
    (Path(os.environ["OUT"]) / "facts.json").write_text(json.dumps(facts, indent=1))
