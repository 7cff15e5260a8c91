"""Where official warnings come from, a source per file; ``[sources.nina]`` switches one on.

A source module holds

``Settings``  a ``SourceSettings`` with the source's own settings (which area, which filters)
``open(settings, place)``  the source; ``place`` is (latitude, longitude) of the box, or None

and its docstring says what is asked. To add a source, add a file. A source only reads: what becomes
of a warning is the business of ``kiezbox/node/fetching.py``.
"""

from __future__ import annotations

import importlib
import pkgutil
from dataclasses import dataclass, field
from types import ModuleType
from typing import Protocol

from kiezbox.errors import MissingPackage, SettingsError
from kiezbox.sources._cap import OfficialWarning

__all__ = ["Found", "OfficialWarning", "Source", "drivers", "load"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What a source has to say just now.

    ``listed`` are the identifiers of all messages for this place that it lists, those that could
    not be read included; ``warnings`` those that could. ``problems`` names the others, a sentence
    each. ``is_whole``: nothing is missing, so that what is not listed is gone.
    """

    listed: frozenset[str]
    warnings: tuple[OfficialWarning, ...]
    problems: tuple[str, ...] = field(default=())
    is_whole: bool = True


class Source(Protocol):
    """One thread calls it, but for ``interrupt``."""

    #: The host that is asked: "as fetched by this box from …".
    host: str

    def fetch(self) -> Found:
        """Ask once. What has not changed since is not transferred again.

        Raises:
            SourceError: not reached in time, refused, or nothing in it can be used.
        """

    def interrupt(self) -> None:
        """End a ``fetch`` that another thread waits in."""


def drivers() -> list[str]:
    """The names of all sources there are."""
    return sorted(
        module.name for module in pkgutil.iter_modules(__path__) if not module.name.startswith("_")
    )


def load(driver: str) -> ModuleType:
    """The source's module; only sources in use are ever imported."""
    if driver not in drivers():
        raise SettingsError(
            f'there is no source "{driver}"', hint=f"There are: {', '.join(drivers())}."
        )
    try:
        return importlib.import_module(f"{__name__}.{driver}")
    except ImportError as error:
        raise MissingPackage(
            f"the source {driver} needs a package that is not installed: {error.name}",
            hint="Install Kiezbox with the extra it belongs to: pip install 'kiezbox[all]'.",
        ) from error
