"""A health check per file; ``kiezbox check`` runs them all and prints what they find.

A check module holds ``run(box) -> Iterator[Finding]``; its docstring's first line says what it
looks at. To add a check, add a file.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from kiezbox.clock import Clock
from kiezbox.settings import Settings

__all__ = ["Examined", "Finding", "Lack", "Level", "Machine", "run_all"]


class Level(IntEnum):
    """How bad it is."""

    FINE = 0
    #: Worth knowing, nothing to do.
    NOTE = 1
    #: The box works, but not as it was meant to.
    WARNING = 2
    #: Something the box exists for does not work.
    BROKEN = 3


class Finding(NamedTuple):
    """One sentence about the box, and one about what to do."""

    level: Level
    message: str
    hint: str = ""


class Radio(Protocol):
    """A WLAN chip, as ``kiezbox.network.survey`` describes it. The checks stand beside that room,
    so the command line hands it over."""

    @property
    def driver(self) -> str: ...
    @property
    def modes(self) -> frozenset[str]: ...


class Interface(Protocol):
    @property
    def name(self) -> str: ...
    @property
    def phy(self) -> str: ...


class Machine(Protocol):
    """What a survey has found on this computer."""

    @property
    def interfaces(self) -> tuple[Interface, ...]: ...
    @property
    def country(self) -> str: ...
    def radio_of(self, name: str) -> Radio | None: ...


class Lack(Protocol):
    """What the network's plan misses."""

    @property
    def what(self) -> str: ...
    @property
    def hint(self) -> str: ...
    @property
    def is_fatal(self) -> bool: ...


class Standing(Protocol):
    """How the portal's certificate is; ``reason`` ends a sentence that begins with it."""

    @property
    def is_valid(self) -> bool: ...
    @property
    def reason(self) -> str: ...
    @property
    def hint(self) -> str: ...
    @property
    def expires_at(self) -> float | None: ...


@dataclass(frozen=True, slots=True)
class Examined:
    """What a check may look at: never the hardware, which the node holds."""

    settings: Settings
    clock: Clock
    #: now.json, or None where the node does not run.
    facts: Mapping[str, Any] | None
    #: The root of the file system: /sys, /proc, /run and /etc are looked for below it.
    root: Path = Path("/")
    #: None where nobody looked.
    machine: Machine | None = None
    lacks: tuple[Lack, ...] = ()
    #: None where no https name is set.
    certificate: Standing | None = None
    #: The sensors that hang on the I²C bus; which driver does, only its own room knows.
    on_i2c: tuple[str, ...] = ()
    #: Sensor → the serial port it hangs on, its driver's usual one where its table names none.
    ports: Mapping[str, str] = field(default_factory=dict)
    #: The publishers that carry only what is true now; as above.
    without_past: frozenset[str] = frozenset()
    #: Sensors whose own warmth is taken off twice: its ``self_heating_k``, by name.
    corrected_twice: Mapping[str, float] = field(default_factory=dict)


def names() -> list[str]:
    """The names of all checks, in the order in which they run."""
    return sorted(
        module.name for module in pkgutil.iter_modules(__path__) if not module.name.startswith("_")
    )


def run_all(box: Examined) -> Iterator[tuple[str, Finding]]:
    """Every finding of every check, with the check's name."""
    for name in names():
        for finding in importlib.import_module(f"{__name__}.{name}").run(box):
            yield name, finding
