"""Read one sensor now and print what it says.

It opens only that sensor, by its name in kiezbox.toml, and gives it its deadline: for trying a
cable without starting the node. Nothing is stored.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kiezbox.model import Measurement
    from kiezbox.settings import Settings


def main(argv: list[str]) -> int:
    """``kiezbox read SENSOR [--json]``."""
    from kiezbox.cli._common import Parser, load_settings, node_runs, print_json
    from kiezbox.errors import SensorError

    parser = Parser("read", __doc__)
    parser.add_argument("sensor", metavar="SENSOR", help="its name in kiezbox.toml")
    parser.add_argument("--json", action="store_true", help="for programs")
    arguments = parser.parse_args(argv)
    settings = load_settings(arguments.settings)
    try:
        measurements = read_once(settings, arguments.sensor)
    except SensorError as error:
        if error.kind == "failed" and node_runs(settings):
            error.hint = (
                "The node is running and has it: `kiezbox status` shows its readings; to read by"
                " hand stop it first (systemctl stop kiezbox-node)."
            )
        raise
    if arguments.json:
        print_json(
            {"sensor": arguments.sensor, "measurements": [document(one) for one in measurements]}
        )
    else:
        print("\n".join(sentence(one) for one in measurements))
    return 0


def read_once(settings: Settings, name: str) -> Sequence[Measurement]:
    """What the sensor of that name says, read within its deadline.

    Raises:
        UsageError: no such sensor in kiezbox.toml.
        SensorError: it did not give a reading.
    """
    from kiezbox import sensors
    from kiezbox.clock import SystemClock
    from kiezbox.errors import UsageError
    from kiezbox.hardware import Deadline, SensorHardware, open_hardware
    from kiezbox.settings import parse

    table = settings.sensors.get(name)
    if table is None:
        known = ", ".join(settings.sensors) or "none"
        raise UsageError(f"read: there is no [sensors.{name}]", hint=f"There are: {known}.")
    driver = sensors.load(str(table.get("driver", "")))
    table = sensors.completed(driver, table, settings.box)
    of_sensor = parse(driver.Settings, table, f"sensors.{name}")
    hardware = open_hardware(settings.hardware)
    deadline = Deadline(SystemClock())
    deadline.start(of_sensor.deadline_s)
    if of_sensor.deadline_s > 15:
        print(f"reading {name}, which may take {of_sensor.deadline_s:g} s …", file=sys.stderr)
    try:
        sensor = driver.open(of_sensor, SensorHardware(hardware, deadline))
        try:
            measurements: Sequence[Measurement] = sensor.read()
        finally:
            sensor.close()
    finally:
        hardware.close()
    return measurements


def sentence(one: Measurement) -> str:
    """``temperature_c     21.5 °C``, and what is wrong with it."""
    from kiezbox.model import Flag
    from kiezbox.units import UNITS

    unit = UNITS[one.quantity]
    flag = "" if one.flag == Flag.GOOD else f"  {one.flag.name.lower()}: {one.reason}"
    return f"{one.quantity.value:17} {unit.say(one.value)}{flag}"


def document(one: Measurement) -> dict[str, Any]:
    """The same for programs."""
    from kiezbox.units import UNITS

    return {
        "quantity": one.quantity.value,
        "value": one.value,
        "unit": UNITS[one.quantity].text,
        "raw": one.raw,
        "flag": one.flag.name.lower(),
        "reason": one.reason,
    }
