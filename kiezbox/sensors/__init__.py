"""A driver per file; the file's name is what ``driver = "…"`` says in kiezbox.toml.

A driver module holds

``Settings``    a ``SensorSettings`` with the driver's own settings (address, port, …)
``QUANTITIES``  what it measures, a tuple of ``Quantity``
``quantities(settings)``  where the settings decide which of these one sensor measures
``open(settings, hardware)``  the sensor, ready to read, or a ``SensorError``

and may hold

``FROM_BOX``    names of its settings that, left out, are those of ``[box]``
``DRAWS_A``     what fan, laser, lamp or heater draws while it works, in A (kiezbox/sparing.py)

and its docstring is a wiring guide. A sensor that can be told to sleep has ``rest()``: what
draws stops until the next read, of this one or of one opened anew. To add a sensor, add a file;
``tests/contracts`` finds it.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping, Sequence
from types import ModuleType
from typing import Any, Protocol

from kiezbox.errors import KiezboxError, MissingPackage, SettingsError
from kiezbox.model import Measurement
from kiezbox.settings import declarations

__all__ = ["Sensor", "address_of", "completed", "drivers", "load", "port_of"]


class Sensor(Protocol):
    """An open sensor. One thread uses it."""

    def read(self) -> Sequence[Measurement]:
        """One measurement per quantity, all of the same moment.

        An implausible value (valid frame, rule broken) comes back flagged; a failed read raises.

        Raises:
            SensorError: nothing usable came; the worker closes the sensor, records the fault
                once and opens it anew for the next read.
        """

    def close(self) -> None:
        """Give bus or port back. Idempotent."""


def drivers() -> list[str]:
    """The names of all drivers there are."""
    return sorted(
        module.name for module in pkgutil.iter_modules(__path__) if not module.name.startswith("_")
    )


def load(driver: str) -> ModuleType:
    """The driver's module; only drivers in use are ever imported."""
    if driver not in drivers():
        raise SettingsError(
            f'there is no sensor driver "{driver}"', hint=f"There are: {', '.join(drivers())}."
        )
    try:
        return importlib.import_module(f"{__name__}.{driver}")
    except ImportError as error:
        raise MissingPackage(
            f"the driver {driver} needs a package that is not installed: {error.name}",
            hint="Install Kiezbox with the extra it belongs to: pip install 'kiezbox[all]'.",
        ) from error


def address_of(table: Mapping[str, Any]) -> int | None:
    """The I²C address that a sensor's table means, its driver's own where it names none.

    None: it hangs elsewhere, or there is no such driver.
    """
    found = _meant(table, "address")
    return int(found) if isinstance(found, int) else None


def port_of(table: Mapping[str, Any]) -> str | None:
    """The same of a serial port."""
    found = _meant(table, "port")
    return found if isinstance(found, str) else None


def _meant(table: Mapping[str, Any], name: str) -> Any:
    try:
        found = declarations(load(str(table.get("driver", ""))).Settings)
    except KiezboxError:
        return None
    own = [field.default for field, _ in found if field.name == name]
    return table.get(name, own[0]) if own else None


def completed(driver: ModuleType, table: Mapping[str, Any], box: object) -> Mapping[str, Any]:
    """A sensor's table with what it leaves out and the box knows (``FROM_BOX``)."""
    names = getattr(driver, "FROM_BOX", ())
    known = {name: getattr(box, name) for name in names if getattr(box, name) is not None}
    # All of them or none: half of a place with half of another is a third place.
    return table if any(name in table for name in names) else {**known, **table}
