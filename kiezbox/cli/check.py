"""Look the box over and say what is wrong and what to do.

  kiezbox check
  kiezbox check --walk      walk through pulling the plug: does each grid source see it, and the
                            right way round? Beside the running node.

Exit code 0: fine or worth knowing. 1: something does not work as it was meant to.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from kiezbox.checks import Examined
    from kiezbox.settings import Settings

MARKS = {0: "ok  ", 1: "note", 2: "WARN", 3: "BAD "}


def main(argv: list[str]) -> int:
    """``kiezbox check [--json]``."""
    from kiezbox.checks import Level, run_all
    from kiezbox.cli._common import Parser, print_json, read_facts, read_toml, settings_path
    from kiezbox.cli.settings import check
    from kiezbox.errors import NotRunning

    parser = Parser("check", __doc__)
    parser.add_argument("--json", action="store_true", help="for programs")
    parser.add_argument("--walk", action="store_true", help="pull the plug, step by step")
    arguments = parser.parse_args(argv)
    settings = check(read_toml(settings_path(arguments.settings)))
    if arguments.walk:
        from kiezbox.cli._walking import walk

        # Without a node nobody asks the sources.
        read_facts(settings)
        is_well = walk(settings, lambda: (read_facts(settings).get("grid") or {})["sources"])
        return int(not is_well)
    try:
        facts = read_facts(settings)
    except NotRunning:
        facts = None
    found = list(run_all(examined(settings, facts)))
    if arguments.json:
        print_json(
            [
                {
                    "check": name,
                    "level": finding.level.name.lower(),
                    "message": finding.message,
                    "hint": finding.hint,
                }
                for name, finding in found
            ]
        )
    else:
        for _, finding in found:
            print(f"{MARKS[finding.level]}  {finding.message}")
            if finding.hint and finding.level > Level.FINE:
                print(f"      {finding.hint}")
    return int(any(finding.level >= Level.WARNING for _, finding in found))


def examined(settings: Settings, facts: Mapping[str, Any] | None) -> Examined:
    """What the checks may look at, with what the network's own room knows of this machine."""
    from kiezbox.checks import Examined
    from kiezbox.cli._common import open_clock
    from kiezbox.network import plan
    from kiezbox.network.certificate import standing
    from kiezbox.network.survey import survey
    from kiezbox.posture import Posture
    from kiezbox.sensors import address_of, port_of

    clock, network = open_clock(settings), settings.network
    machine = survey(settings)
    lacks = {
        lack.what: lack
        for posture in (Posture.EMERGENCY, Posture.CLOSED)
        for lack in plan(posture, settings, machine).lacks
    }
    folder, name = network.certificate.folder, network.certificate.name
    is_trusted = clock.is_trusted()
    return Examined(
        settings,
        clock,
        facts,
        machine=machine,
        lacks=tuple(lacks.values()),
        certificate=standing(folder, clock.now(), is_trusted, name) if name else None,
        on_i2c=tuple(
            name for name, table in settings.sensors.items() if address_of(table) is not None
        ),
        ports={
            name: port
            for name, table in settings.sensors.items()
            if (port := port_of(table)) is not None
        },
        without_past=without_past(settings),
        corrected_twice=_corrected_twice(settings),
    )


def without_past(settings: Settings) -> frozenset[str]:
    """The publishers that never deliver what was measured while their other side was away."""
    from kiezbox import publishers
    from kiezbox.errors import KiezboxError

    found = set()
    for name, table in settings.publishers.items():
        try:
            if not publishers.carries_past(str(table.get("driver") or name)):
                found.add(name)
        except KiezboxError:
            continue
    return frozenset(found)


def _corrected_twice(settings: Settings) -> dict[str, float]:
    """By name the ``self_heating_k`` of sensors that have a ``temperature_offset_k``, too."""
    from kiezbox import sensors
    from kiezbox.errors import KiezboxError
    from kiezbox.settings import parse

    found = {}
    for name, table in settings.sensors.items():
        try:
            its = parse(sensors.load(str(table.get("driver", ""))).Settings, table)
        except KiezboxError:
            continue
        self_heating_k = getattr(its, "self_heating_k", 0.0)
        if self_heating_k and its.temperature_offset_k:
            found[name] = float(self_heating_k)
    return found
