"""Look what hangs on the buses and ports, and propose the tables for kiezbox.toml.

  kiezbox scan                 what answers on I²C, speaks on serial ports, hangs on 1-Wire
  kiezbox scan --add           write what is not in kiezbox.toml yet, asking where each one hangs
  kiezbox scan --add --where outdoor     without asking: for scripts

Only questions are asked that change nothing in a chip, and to serial ports it only listens, seven
seconds each. Stop the node before (systemctl stop kiezbox-node): two who talk to one chip at a time
confuse it. What measures in somebody's rooms is "indoor" and stays in the box (docs/privacy.md).
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

#: Seconds for all of the bus: 112 addresses at 100 kHz take 0.1 s, questions a second more.
LIMIT_S = 15.0

#: What hangs in the box itself wherever it hangs.
_OF_THE_BOX = frozenset({"ina219", "ina226", "max17048", "ds3231", "vedirect", "gps"})

_BY_ID, _BY_PATH = "/dev/serial/by-id", "/dev/serial/by-path"

_FAMILY_DS18B20 = "28-"


class Proposal(NamedTuple):
    """One thing that was found; ``table`` is empty where nobody can tell what it is."""

    what: str
    table: Mapping[str, Any]
    note: str = ""


def main(argv: list[str]) -> int:
    """``kiezbox scan [--add [--where PLACE]] [--json]``."""
    from kiezbox.cli._common import Parser, load_settings, node_runs, print_json, settings_path
    from kiezbox.errors import KiezboxError

    parser = Parser("scan", __doc__)
    parser.add_argument("--add", action="store_true", help="write them into kiezbox.toml")
    parser.add_argument("--where", choices=("outdoor", "indoor", "box"), help="of all that is new")
    parser.add_argument("--json", action="store_true", help="for programs")
    arguments = parser.parse_args(argv)
    settings = load_settings(arguments.settings)
    if node_runs(settings):
        raise KiezboxError(
            "the node runs, and talks to the same chips",
            hint="sudo systemctl stop kiezbox-node, scan, and start it again.",
        )
    found = list(proposals(settings))
    if arguments.json:
        print_json([each._asdict() for each in found])
        return 0
    for each in found:
        print(each.what)
        if each.note:
            print(f"  {each.note}")
    if not found:
        print("nothing answers: look at supply, ground, SDA (pin 3) and SCL (pin 5)")
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
    yield from _on_serial(settings, taken)
    yield from _on_one_wire(settings, taken)


def _on_i2c(settings: Any, taken: list[dict[str, Any]]) -> Iterator[Proposal]:
    from kiezbox.clock import SystemClock
    from kiezbox.errors import SensorMissing
    from kiezbox.hardware import Deadline, open_hardware
    from kiezbox.sensors import address_of
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
        has = [table for table in taken if address_of(table) == each.address]
        if has and has[0].get("driver") != each.driver and each.is_sure and each.driver:
            note = f"kiezbox.toml says driver = {has[0].get('driver')!r} there: it is none"
            yield Proposal(what, {}, note)
        elif has or not each.driver:
            yield Proposal(what, {}, "is in kiezbox.toml" if has else "")
        else:
            yield Proposal(what, {"driver": each.driver, "address": each.address})


def _on_serial(settings: Any, taken: list[dict[str, Any]]) -> Iterator[Proposal]:
    from kiezbox.sensors import port_of

    others = [dict(table) for table in settings.publishers.values()]
    theirs = {os.path.realpath(str(each["port"])) for each in others if "port" in each}
    ours = {os.path.realpath(port) for each in taken if (port := port_of(each)) is not None}
    for path in ports():
        there = os.path.realpath(path)
        if there in ours | theirs:
            yield Proposal(path, {}, "is in kiezbox.toml")
        elif there in consoles():
            yield Proposal(path, {}, "Linux has its own console there: kiezbox check says more")
        else:
            yield _heard(settings, path)


def ports(root: str = "") -> list[str]:
    """The serial ports there are, each by a name that lasts.

    A link of ``by-id`` stays with the adapter. Two of a cheap kind have no serial number and so
    one name between them: ``by-path`` stays with the socket.
    """
    names: dict[str, str] = {}
    for folder in (_BY_ID, _BY_PATH):
        for path in _listed(f"{root}{folder}"):
            names.setdefault(os.path.realpath(path), path)
    for path in _listed(f"{root}/dev"):
        # The second of serial0 and serial1 is Bluetooth's.
        if re.fullmatch(r"ttyUSB\d+|ttyACM\d+|serial0", os.path.basename(path)):
            names.setdefault(os.path.realpath(path), path)
    return sorted(names.values())


def _listed(folder: str) -> list[str]:
    try:
        return sorted(os.path.join(folder, name) for name in os.listdir(folder))
    except OSError:
        return []


def consoles() -> set[str]:
    """The ports that Linux talks to itself."""
    try:
        with open("/proc/cmdline", encoding="utf-8", errors="replace") as file:
            words = file.read().split()
    except OSError:
        return set()
    named = [each.removeprefix("console=") for each in words if each.startswith("console=")]
    return {os.path.realpath(f"/dev/{each.split(',')[0]}") for each in named}


def _heard(settings: Any, path: str) -> Proposal:
    from kiezbox.clock import SystemClock
    from kiezbox.errors import SensorError
    from kiezbox.hardware import Deadline, open_hardware
    from kiezbox.sensors._listening import listen

    deadline = Deadline(SystemClock())
    deadline.start(LIMIT_S)
    hardware = open_hardware(settings.hardware)
    try:
        found = listen(lambda baudrate: hardware.serial(path, baudrate, deadline))
    except SensorError as error:
        return Proposal(f"{path}  {error}", {}, error.hint)
    finally:
        hardware.close()
    if found is None:
        note = (
            f'says nothing by itself: add a table with port = "{path}" and the driver of what hangs'
            " there (sps30_uart, mhz19, senseair_s8; an sds011 may be resting)"
        )
        return Proposal(path, {}, note)
    if not found.driver:
        return Proposal(f"{path}  {found.what}", {})
    return _complete(Proposal(f"{path}  {found.what}", {"driver": found.driver, "port": path}))


def _complete(found: Proposal) -> Proposal:
    """Without its table, where the driver must be told more than anybody can see."""
    from kiezbox import sensors
    from kiezbox.errors import SettingsError
    from kiezbox.settings import parse

    try:
        parse(sensors.load(str(found.table["driver"])).Settings, dict(found.table))
    except SettingsError as error:
        lines = ", ".join(_line(key, value) for key, value in found.table.items())
        wants = str(error).splitlines()[0]
        return Proposal(found.what, {}, f"add a table with {lines}; it wants more: {wants}")
    return found


def _on_one_wire(settings: Any, taken: list[dict[str, Any]]) -> Iterator[Proposal]:
    from kiezbox.clock import SystemClock
    from kiezbox.errors import SensorError
    from kiezbox.hardware import Deadline, open_hardware

    deadline = Deadline(SystemClock())
    deadline.start(LIMIT_S)
    known = {str(table.get("id", "")) for table in taken}
    hardware = open_hardware(settings.hardware)
    try:
        names = hardware.onewire(deadline).scan()
    except SensorError as error:
        # Most boxes have none; `kiezbox check` says how to switch it on.
        if any(table.get("driver") == "ds18b20" for table in taken):
            yield Proposal(f"1-Wire: {error}", {}, error.hint)
        return
    finally:
        hardware.close()
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
