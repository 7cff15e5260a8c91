"""Look what hangs on the buses and ports, and propose the tables for kiezbox.toml.

  kiezbox scan                 what answers on I²C, which serial adapters and 1-Wire sensors
  kiezbox scan --add           write what is not in kiezbox.toml yet, asking where each one hangs
  kiezbox scan --add --where outdoor     without asking: for scripts

Only questions are asked that change nothing in a chip. Stop the node before (systemctl stop
kiezbox-node): two who talk to one chip at a time confuse it. What measures in somebody's rooms is
"indoor" and stays in the box (docs/privacy.md).
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

#: Seconds for all of the bus: 112 addresses at 100 kHz take 0.1 s, questions a second more.
LIMIT_S = 15.0

#: What hangs in the box itself wherever it hangs.
_OF_THE_BOX = frozenset({"ina219", "ina226", "max17048", "ds3231", "vedirect", "gps"})

#: Serial adapters say nothing of what hangs behind them: these are what a table is proposed for.
_BY_ID = "/dev/serial/by-id"

_FAMILY_DS18B20 = "28-"


class Proposal(NamedTuple):
    """One thing that was found; ``table`` is empty where nobody can tell what it is."""

    what: str
    table: Mapping[str, Any]
    note: str = ""


def main(argv: list[str]) -> int:
    """``kiezbox scan [--add [--where PLACE]] [--json]``."""
    from kiezbox.cli._common import Parser, load_settings, print_json, settings_path

    parser = Parser("scan", __doc__)
    parser.add_argument("--add", action="store_true", help="write them into kiezbox.toml")
    parser.add_argument("--where", choices=("outdoor", "indoor", "box"), help="of all that is new")
    parser.add_argument("--json", action="store_true", help="for programs")
    arguments = parser.parse_args(argv)
    settings = load_settings(arguments.settings)
    found = list(proposals(settings))
    if arguments.json:
        print_json([each._asdict() for each in found])
        return 0
    for each in found:
        print(each.what)
        if each.note:
            print(f"  {each.note}")
    if not found:
        print("nothing answers: look at supply, ground, SDA and SCL, and whether I²C is on")
    if arguments.add:
        add(settings_path(arguments.settings), settings, found, arguments.where)
    return 0


def proposals(settings: Any) -> Iterator[Proposal]:
    """What is there, with a table for each thing that kiezbox.toml does not have yet.

    Raises:
        KiezboxError: a bus that cannot be opened, or that hangs.
    """
    taken = [dict(table) for table in settings.sensors.values()]
    yield from _on_i2c(settings, taken)
    yield from _on_serial(taken)
    yield from _on_one_wire(settings, taken)


def _on_i2c(settings: Any, taken: list[dict[str, Any]]) -> Iterator[Proposal]:
    from kiezbox.clock import SystemClock
    from kiezbox.errors import SensorMissing
    from kiezbox.hardware import Deadline, open_hardware
    from kiezbox.sensors._finding import find

    deadline = Deadline(SystemClock())
    deadline.start(LIMIT_S)
    hardware = open_hardware(settings.hardware)
    try:
        found = find(hardware.i2c(deadline))
    except SensorMissing as error:
        # No bus: `kiezbox check` says how to switch it on.
        yield Proposal(f"I²C: {error}", {}, error.hint)
        return
    finally:
        hardware.close()
    for each in found:
        what = f"0x{each.address:02x}  {each.what}{'' if each.is_sure else ' (by its address)'}"
        has = [table for table in taken if _address(table) == each.address]
        if has and has[0].get("driver") != each.driver and each.is_sure and each.driver:
            note = f"kiezbox.toml says driver = {has[0].get('driver')!r} there: it is none"
            yield Proposal(what, {}, note)
        elif has or not each.driver:
            yield Proposal(what, {}, "is in kiezbox.toml" if has else "")
        else:
            yield Proposal(what, {"driver": each.driver, "address": each.address})


def _address(table: Mapping[str, Any]) -> int | None:
    """The address that the table means, its driver's own where it names none."""
    from kiezbox import sensors
    from kiezbox.errors import KiezboxError
    from kiezbox.settings import declarations

    if "address" in table:
        return int(table["address"]) if isinstance(table["address"], int) else None
    try:
        found = declarations(sensors.load(str(table.get("driver", ""))).Settings)
    except KiezboxError:
        return None
    for field, _ in found:
        if field.name == "address" and isinstance(field.default, int):
            return int(field.default)
    return None


def _on_serial(taken: list[dict[str, Any]]) -> Iterator[Proposal]:
    ports = {os.path.realpath(str(table.get("port", ""))) for table in taken}
    try:
        names = sorted(os.listdir(_BY_ID))
    except OSError:
        return
    for name in names:
        path = f"{_BY_ID}/{name}"
        note = "is in kiezbox.toml"
        if os.path.realpath(path) not in ports:
            note = (
                f'add a table with port = "{path}" and the driver of what hangs there (sds011,'
                " plantower, sps30_uart, mhz19, senseair_s8, a02yyuw, vedirect, gps)"
            )
        yield Proposal(f"serial  {name}", {}, note)


def _on_one_wire(settings: Any, taken: list[dict[str, Any]]) -> Iterator[Proposal]:
    folder = getattr(settings.hardware, "onewire", "/sys/bus/w1/devices")
    known = {str(table.get("id", "")) for table in taken}
    try:
        names = sorted(os.listdir(folder)) if not folder.startswith("sim:") else []
    except OSError:
        return
    for name in names:
        if name.startswith(_FAMILY_DS18B20):
            has = name in known
            table = {} if has else {"driver": "ds18b20", "id": name}
            yield Proposal(f"1-Wire  {name}", table, "is in kiezbox.toml" if has else "")


# --- writing -------------------------------------------------------------------------------------


def add(path: str, settings: Any, found: list[Proposal], where: str | None) -> int:
    """Write the tables that are new; how many they were. Raises KiezboxError."""
    from kiezbox.errors import KiezboxError, UsageError

    new = [each for each in found if each.table]
    if not new:
        print("kiezbox.toml has all of it")
        return 0
    is_asking = where is None and sys.stdin is not None and sys.stdin.isatty()
    if where is None and not is_asking:
        raise UsageError(
            "scan --add needs --where: outdoor, indoor or box",
            hint="At a terminal it is asked for each. Indoor readings stay in the box.",
        )
    names = set(settings.sensors)
    pieces = []
    for each in new:
        driver = str(each.table["driver"])
        place = where or _asked(each.what, input)
        name = _free(driver, names)
        names.add(name)
        lines = [f"[sensors.{name}]", f'driver = "{driver}"']
        lines += [_line(key, value) for key, value in each.table.items() if key != "driver"]
        place = "box" if driver in _OF_THE_BOX else place
        pieces.append("\n".join([*lines, f'where = "{place}"', ""]))
    try:
        with open(path, "a", encoding="utf-8") as file:
            file.write("\n" + "\n".join(pieces))
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise KiezboxError(f"cannot write {path}: {error.strerror}", hint="Try sudo.") from error
    print(f"{len(pieces)} tables are in {path}; restart the node: systemctl restart kiezbox-node")
    return len(pieces)


def _asked(what: str, ask: Callable[[str], str]) -> str:
    print(f"{what}: where does it hang?")
    while True:
        said = ask("  [o]utdoor, [i]ndoor (stays in the box), part of the [b]ox: ").strip().lower()
        for place in ("outdoor", "indoor", "box"):
            if said and place.startswith(said):
                return place


def _free(driver: str, names: set[str]) -> str:
    count = 1
    while (name := driver if count == 1 else f"{driver}_{count}") in names:
        count += 1
    return name


def _line(key: str, value: Any) -> str:
    return f"{key} = 0x{value:02x}" if isinstance(value, int) else f'{key} = "{value}"'
