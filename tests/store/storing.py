"""What the store's tests share."""

from __future__ import annotations

from typing import Any

from kiezbox.clock import ManualClock
from kiezbox.model import Measurement, Quantity
from kiezbox.store import Store
from kiezbox.store.tending import LEAST_HOURS

BOX = "kb-musterplatz-1"


def switch_off(store: Store) -> None:
    """As the power does it: what was only in memory is gone, and nothing says goodbye.

    What the kernel had not written yet stays; `tests/proof` takes that as well.
    """
    store._is_closed = True
    store._card.close()


def warm(value: float = 20.5) -> list[Measurement]:
    return [Measurement(Quantity.TEMPERATURE_C, value)]


def fill(store: Store, clock: ManualClock, count: int) -> list[int]:
    """So many readings, a minute apart; their serials."""
    serials = []
    for number in range(count):
        serials.append(store.add("roof", warm(float(number)))[0].serial)
        clock.advance(60)
    return serials


def half_a_day(store: Store, clock: ManualClock) -> list[int]:
    """A reading an hour, for as long as a clock has to go before it may say what is old."""
    serials = []
    for _ in range(LEAST_HOURS):
        serials.append(store.add("roof", warm())[0].serial)
        clock.advance(3600)
    return serials


def serials(batch: Any) -> list[int]:
    return [reading.serial for reading in batch]
