"""A carrier of readings per file; ``[publishers.mqtt]`` in kiezbox.toml switches it on.

A carrier module holds

``Settings``  a ``PublisherSettings`` with the carrier's own settings
``open(settings, box, clock, wake)``  the publisher; ``wake()`` is to be called from any thread
    when the link is there again, so that nobody waits out a pause
``CARRIES_PAST``  False where it is a ``Latest``; may be left out

Each publisher owns a cursor in the store; it is advanced only by what ``publish`` confirms. The
cursor of a ``Latest`` is advanced by time: what it did not carry at its moment it never will.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping
from types import ModuleType
from typing import Any, Protocol, runtime_checkable

from kiezbox.errors import MissingPackage, SettingsError
from kiezbox.model import Batch, Quantity

__all__ = ["SUMMED", "Latest", "Publisher", "carriers", "carries_past", "load", "repeatable"]

#: What a sensor counts since its last reading: other sides want the sum of all of them.
SUMMED = frozenset({Quantity.RAIN_MM.value})


class Publisher(Protocol):
    """Carries readings away from the box. One thread calls it.

    Three more that it may have: ``proves_uplink = False`` where a link that is "connected" says
    nothing of an uplink (a stick, LoRaWAN); ``waits_to_be_asked = True`` where it sends nothing by
    itself; and ``interrupt()``, called from another thread when the node ends, where ``publish``
    may wait for long.
    """

    #: How many readings ``publish`` takes at once: the send window. After a lost link at most so
    #: many come twice.
    window: int

    def publish(self, batch: Batch) -> None:
        """Hand over the whole batch; returning means the other side has it.

        A batch may come twice after a power cut, so the receiver must be able to tell: send the
        box's name and each reading's serial. A reading whose flag is not GOOD must never look
        like a good one to a receiver that knows nothing of flags.

        Raises:
            Unreachable: no link; the unconfirmed rest comes again later.
            Refused: the other side said no to us; a person has to look.
            Rejected: this batch can never be delivered.
        """

    def announce(self, kind: str, document: Mapping[str, Any]) -> None:
        """Tell the latest state ("state", "faults"); only the newest of a kind matters.

        Kept and sent when the link is there, also again after a lost link. Never raises for a
        missing link; a carrier that has no place for it does nothing.
        """

    def link(self) -> str:
        """ "connected", "waiting" or "refused"."""

    def close(self) -> None:
        """Say goodbye. Idempotent."""


@runtime_checkable
class Latest(Publisher, Protocol):
    """Carries what is true now, at its own pace: for an other side that knows no time stamps, or
    has no room for a past. It never delivers a backlog.

    ``publish`` is handed the newest readings when it is due, takes the newest good one of each
    series, and passes over the rest. It keeps none for later: whether a reading may leave the box
    is asked at the moment when it does (``node.private``).
    """

    #: How many values were sent since the start.
    sent: int

    # One more that it may have: ``wants_again() -> bool``, asked when it is due. Once True: hand
    # over also what it was handed before, as far as that may leave the box now.

    def due_in_s(self) -> float:
        """Seconds until it wants readings; at most 0: now. From any thread."""


def carriers() -> list[str]:
    """The names of all carriers there are."""
    return sorted(
        module.name for module in pkgutil.iter_modules(__path__) if not module.name.startswith("_")
    )


def load(carrier: str) -> ModuleType:
    """The carrier's module; only carriers in use are ever imported."""
    if carrier not in carriers():
        raise SettingsError(
            f'there is no publisher "{carrier}"', hint=f"There are: {', '.join(carriers())}."
        )
    try:
        return importlib.import_module(f"{__name__}.{carrier}")
    except ImportError as error:
        raise MissingPackage(
            f"the publisher {carrier} needs a package that is not installed: {error.name}",
            hint="Install Kiezbox with the extra it belongs to: pip install 'kiezbox[all]'.",
        ) from error


def carries_past(carrier: str) -> bool:
    """Whether it delivers afterwards what was measured while its other side was away.

    Raises:
        SettingsError, MissingPackage: as ``load``.
    """
    return bool(getattr(load(carrier), "CARRIES_PAST", True))


def repeatable(batch: Batch, handed_to: int) -> Batch:
    """The batch without what would be told twice by whoever gets it again: sums of before that
    serial. Rain falls once.
    """
    sums = {number for number, each in batch.series.items() if each.quantity in SUMMED}
    kept = [row for row in batch.readings if row[0] > handed_to or row[1] not in sums]
    return Batch(batch.box, batch.series, kept)
