"""Draw the machines that watch grid and battery and choose the mode, from their tables.

kiezbox power diagram                              all five, as text
kiezbox power diagram --machine mode               one of grid, battery, cause, threshold, mode
kiezbox power diagram --format dot | dot -Tsvg     as a picture (mermaid: for a web page)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple


class Machine(NamedTuple):
    """One table of transitions, with what its events mean."""

    name: str
    start: str
    table: Mapping[tuple[Any, Any], Any]
    meaning: Mapping[Any, str]

    @property
    def arrows(self) -> list[tuple[str, str, str]]:
        """(before, event, after), in the table's order."""
        return [(str(s), str(event), str(after)) for (s, event), after in self.table.items()]


def machines() -> dict[str, Machine]:
    """Every machine there is, by name."""
    from kiezbox import battery, mode, power
    from kiezbox.mode import causes, thresholds

    tables = {
        "grid": power, "battery": battery, "cause": causes, "threshold": thresholds, "mode": mode,
    }  # fmt: skip
    return {
        name: Machine(name, str(room.START), room.TRANSITIONS, room.MEANING)
        for name, room in tables.items()
    }


def text(machine: Machine) -> str:
    """A line per arrow, then what the events mean."""
    states, events = (max(len(arrow[i]) for arrow in machine.arrows) for i in (0, 1))
    lines = [f"{machine.name}, from {machine.start}:"]
    lines += [f"  {s:{states}}  {event:{events}}  → {after}" for s, event, after in machine.arrows]
    lines += ["", *(f"  {event:{events}}  {words}" for event, words in machine.meaning.items())]
    return "\n".join(lines)


def mermaid(machine: Machine) -> str:
    """A state diagram as web pages and GitHub draw it (mermaid.js, stateDiagram-v2)."""
    lines = ["stateDiagram-v2", f"    [*] --> {machine.start}"]
    lines += [f"    {s} --> {after}: {event}" for s, event, after in machine.arrows]
    return "\n".join(lines)


def dot(machine: Machine) -> str:
    """A graph for Graphviz."""
    lines = [f"digraph {machine.name} {{", f"    {machine.start} [peripheries=2]"]
    lines += [f'    {s} -> {after} [label="{event}"]' for s, event, after in machine.arrows]
    return "\n".join([*lines, "}"])


FORMATS: dict[str, Callable[[Machine], str]] = {"text": text, "mermaid": mermaid, "dot": dot}


def main(argv: list[str]) -> int:
    """``kiezbox power diagram [--format FORMAT] [--machine NAME]``."""
    from kiezbox.cli._common import Parser

    known = machines()
    parser = Parser("power", __doc__)
    parser.add_argument("what", choices=("diagram",))
    parser.add_argument("--format", choices=tuple(FORMATS), default="text")
    parser.add_argument("--machine", choices=tuple(known), help="only this one")
    arguments = parser.parse_args(argv)
    chosen = [known[arguments.machine]] if arguments.machine else list(known.values())
    print("\n\n".join(FORMATS[arguments.format](machine) for machine in chosen))
    return 0
