"""Check kiezbox.toml, or print an example that explains every setting.

kiezbox settings check         says every problem at once
kiezbox settings example       a complete file to start from
kiezbox settings reference     every setting as a Markdown page (docs/settings.md)
kiezbox settings value NAME …  what it is, default included, a line each (network.mesh.interface)
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from types import ModuleType
from typing import Any

from kiezbox import publishers, sensors, sources
from kiezbox import settings as settings_rules
from kiezbox.errors import SettingsError, UsageError
from kiezbox.quality import wrong_wishes
from kiezbox.settings import (
    GridSourceSettings,
    LimitSettings,
    PublisherSettings,
    SensorSettings,
    Settings,
    SourceSettings,
    StepSettings,
    parse,
)


def main(argv: list[str]) -> int:
    """``kiezbox settings check|example|reference|value``."""
    from kiezbox.cli._common import Parser, print_json, read_toml, settings_path

    parser = Parser("settings", __doc__)
    parser.add_argument("what", choices=("check", "example", "reference", "value"))
    parser.add_argument("names", nargs="*", metavar="NAME", help="of settings (value)")
    parser.add_argument("--json", action="store_true", help="for programs (check)")
    arguments = parser.parse_args(argv)
    if bool(arguments.names) != (arguments.what == "value"):
        needs = "names of settings" if arguments.what == "value" else "nothing more"
        raise UsageError(f"settings {arguments.what} needs {needs}")
    if arguments.what == "example":
        print(example(), end="")
        return 0
    if arguments.what == "reference":
        print(reference(), end="")
        return 0
    path = settings_path(arguments.settings)
    settings = check(read_toml(path))
    if arguments.what == "value":
        found = {name: value(settings, name) for name in arguments.names}
        if arguments.json:
            print_json(found)
        else:
            print("\n".join("" if each is None else str(each) for each in found.values()))
    elif arguments.json:
        print_json({"path": path, "box": settings.box.id, "ok": True})
    else:
        print(
            f"{path} is fine: box {settings.box.id}, {len(settings.sensors)} sensors,"
            f" {len(settings.publishers)} publishers, {len(settings.power.grid)} grid sources"
        )
    return 0


def value(settings: Settings, name: str) -> Any:
    """One setting by its name, such as ``network.mesh.interface``.

    Raises:
        UsageError: there is none of that name.
    """
    found: Any = settings
    for part in name.split("."):
        if isinstance(found, Mapping) and part in found:
            found = found[part]
        elif part in getattr(found, "__dataclass_fields__", ()):
            found = getattr(found, part)
        else:
            raise UsageError(
                f"there is no setting {name}", hint="`kiezbox settings reference` has them all."
            )
    if dataclasses.is_dataclass(found) or isinstance(found, Mapping):
        raise UsageError(f"{name} is a table, not one setting")
    return found


def check(table: Mapping[str, Any]) -> Settings:
    """The whole file checked, every driver's own settings included.

    Raises:
        SettingsError: naming every problem at once.
    """
    problems: list[str] = []
    hint = ""
    settings: Settings | None = None
    try:
        settings = parse(Settings, table)
    except SettingsError as error:
        problems, hint = [str(error)], error.hint
    for path, name, given, kind_of in _named(table):
        try:
            parsed: Any = parse(kind_of(name, given), given, f"{path}.{name}")
            if path == "sensors" and given.get("driver"):
                measured = sensors.load(given["driver"]).QUANTITIES
                problems += wrong_wishes(name, parsed, measured, table["sensors"])
        except SettingsError as error:
            problems.append(str(error))
            hint = hint or error.hint
    problems += _unnamed_sensors(table)
    if problems:
        raise SettingsError("\n".join(problems), hint=hint)
    assert settings is not None
    return settings


def _named(
    table: Mapping[str, Any],
) -> Iterator[tuple[str, str, Mapping[str, Any], Callable[[str, Mapping[str, Any]], type]]]:
    """Every named table that has a driver: its path, name, content, and what declares it."""
    power = table.get("power")
    grid = power.get("grid") if isinstance(power, Mapping) else None
    rooms: list[tuple[str, Any, Callable[[str, Mapping[str, Any]], type]]] = [
        ("sensors", table.get("sensors"), _sensor_settings),
        ("publishers", table.get("publishers"), _publisher_settings),
        ("sources", table.get("sources"), _source_settings),
        ("power.grid", grid, lambda name, given: GridSourceSettings),
    ]
    for path, named, kind_of in rooms:
        if isinstance(named, Mapping):
            for name, given in named.items():
                if isinstance(given, Mapping):
                    yield path, name, given, kind_of


def _sensor_settings(name: str, given: Mapping[str, Any]) -> type:
    driver = given.get("driver")
    if not isinstance(driver, str):
        return SensorSettings
    settings: type = sensors.load(driver).Settings
    return settings


def _publisher_settings(name: str, given: Mapping[str, Any]) -> type:
    driver = given.get("driver", name)
    if not isinstance(driver, str):
        return PublisherSettings
    settings: type = publishers.load(driver).Settings
    return settings


def _source_settings(name: str, given: Mapping[str, Any]) -> type:
    driver = given.get("driver") or name
    if not isinstance(driver, str):
        return SourceSettings
    settings: type = sources.load(driver).Settings
    return settings


def _unnamed_sensors(table: Mapping[str, Any]) -> Iterator[str]:
    """Sensors that the power settings speak of and that are nowhere declared."""
    known = table.get("sensors", {})
    power = table.get("power", {})
    if not isinstance(power, Mapping) or not isinstance(known, Mapping):
        return
    battery, grid = power.get("battery", {}), power.get("grid", {})
    named = {"power.battery": battery.get("sensor", "")} if isinstance(battery, Mapping) else {}
    if isinstance(grid, Mapping):
        for name, source in grid.items():
            if isinstance(source, Mapping) and source.get("driver") == "voltage":
                named[f"power.grid.{name}"] = source.get("sensor", "")
    for path, sensor in named.items():
        if sensor != "" and sensor not in known:
            yield f'{path}.sensor = "{sensor}": there is no [sensors.{sensor}]'
        elif sensor == "" and path != "power.battery":
            yield f"{path}.sensor is missing: driver voltage needs the name of a sensor"


def example() -> str:
    """The file that teaches, with every driver's table."""
    extra = {
        "sensors": _drivers_example("sensors", EXAMPLE_SENSORS),
        "publishers": _drivers_example("publishers", EXAMPLE_PUBLISHERS),
        "sources": _drivers_example("sources", {}),
        "power.grid": "[power.grid.mains]\n"
        + settings_rules.example(GridSourceSettings, given={"driver": "pin"}),
    }
    head = (
        "# kiezbox.toml: a Kiezbox and everything it does. Lines behind a # show the defaults;\n"
        "# take the # away to change one. `kiezbox settings check` says what is wrong.\n\n"
    )
    return head + settings_rules.example(Settings, extra=extra)


#: A name in the example file for each driver; a new driver appears under its own name.
EXAMPLE_SENSORS = {"bme280": "roof", "sds011": "dust", "ina219": "battery"}
EXAMPLE_PUBLISHERS: dict[str, str] = {}


def _drivers_example(room: str, names: Mapping[str, str]) -> str:
    """A commented table per driver, so that one takes away the # of what is there."""
    there_are, load = _rooms()[room]
    blocks = []
    for driver in there_are:
        where = f"{room}.{names.get(driver, driver)}"
        text = f"[{where}]\n" + settings_rules.example(
            load(driver).Settings,
            where,
            given={"driver": driver},
            extra={f"{where}.quality": "", f"{where}.steps": ""},
        )
        blocks.append(
            "\n".join(
                line if line.startswith("#") or not line else f"# {line}"
                for line in text.splitlines()
            )
        )
    return "\n\n".join(blocks)


def _rooms() -> dict[str, tuple[list[str], Callable[[str], ModuleType]]]:
    """Each room of drivers: their names, and how one is loaded."""
    return {
        "sensors": (sensors.drivers(), sensors.load),
        "publishers": (publishers.carriers(), publishers.load),
        "sources": (sources.drivers(), sources.load),
    }


def reference() -> str:
    """Every setting as a Markdown page."""
    parts = [
        "# Settings",
        "",
        "Made by `kiezbox settings reference`; a test holds it equal. The file is",
        "`/etc/kiezbox/kiezbox.toml`, or what `--settings` or `$KIEZBOX_SETTINGS` names.",
        "",
        *_section_page(Settings, ""),
    ]
    for room, (there_are, load) in _rooms().items():
        for driver in there_are:
            parts += _section_page(load(driver).Settings, f'{room}.NAME (driver = "{driver}")')
    parts += _section_page(LimitSettings, "sensors.NAME.quality.QUANTITY")
    parts += _section_page(StepSettings, "sensors.NAME.steps.QUANTITY")
    parts += _section_page(GridSourceSettings, "power.grid.NAME")
    return "\n".join(parts).rstrip() + "\n"


def _section_page(kind: type, path: str) -> Iterator[str]:
    below = []
    rows = []
    for field, declaration in settings_rules.declarations(kind):
        if "section" in field.metadata:
            prefix = f"{path}." if path else ""
            below.append((field.metadata["section"], f"{prefix}{field.name}"))
        elif "tables" not in field.metadata:
            text = " ".join(settings_rules.describe(field.default, declaration))
            rows.append(f"| `{field.name}` | {text} |")
        elif path and field.metadata["of"] not in (None, LimitSettings, StepSettings):
            table, space, driver = path.partition(" ")
            below.append((field.metadata["of"], f"{table}.{field.name}.NAME{space}{driver}"))
        elif path and field.metadata["of"] is None:
            rows.append(f"| `[{field.name}.NAME]` | {' '.join(declaration.help.splitlines())} |")
    if rows:
        yield from [f"## [{path}]", "", "| setting | |", "|---|---|", *rows, ""]
    for section, section_path in below:
        yield from _section_page(section, section_path)
