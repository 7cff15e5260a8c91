"""The node's side of one publisher: its worker, and a new carrier after a crash."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kiezbox import publishers
from kiezbox.clock import Clock
from kiezbox.node.carrier import Carrier
from kiezbox.node.private import Filter
from kiezbox.node.worker import Worker
from kiezbox.privacy.grid import public_box
from kiezbox.settings import Settings, parse
from kiezbox.sparing import needed
from kiezbox.store import Store

__all__ = ["Delivery", "delivery_of"]


class Delivery:
    """One ``[publishers.NAME]``: its worker, and the carrier that the worker has just now."""

    def __init__(
        self,
        name: str,
        open_carrier: Callable[[Callable[[], None]], Carrier],
        clock: Clock,
        on_trouble: Callable[[str, str], None],
    ) -> None:
        self.name = name
        self._open_carrier = open_carrier
        self.worker = Worker(
            f"publishers.{name}", self._make, clock, step_limit_s=120.0, on_trouble=on_trouble
        )
        # Now and not in the worker: what is wrong with its settings is told before anything runs.
        self.carrier = open_carrier(self.worker.nudge)
        self._is_fresh = True
        self._announced: dict[str, dict[str, Any]] = {}

    def _make(self, counts: Callable[[], bool]) -> Carrier:
        """The first carrier, or after a crash a new one: the old one has hung up for good."""
        if not self._is_fresh:
            self.carrier = self._open_carrier(self.worker.nudge)
            # The mode may not change for months, so nobody would tell the new one.
            for kind, document in list(self._announced.items()):
                self.carrier.announce(kind, document)
        self._is_fresh = False
        return self.carrier

    def announce(self, kind: str, document: dict[str, Any]) -> None:
        """The latest of each kind; also for a carrier that is made after a crash."""
        self._announced[kind] = document
        self.carrier.announce(kind, document)
        self.worker.nudge()

    def facts(self) -> dict[str, Any]:
        """The publisher's part of now.json."""
        carrier = self.carrier
        return {
            "link": carrier.link(),
            "backlog": carrier.backlog(),
            "delivered": carrier.delivered,
            "confirmed_at": carrier.confirmed_at,
        }


def delivery_of(
    name: str,
    table: Any,
    settings: Settings,
    store: Store,
    clock: Clock,
    on_trouble: Callable[[str, str], None],
    may_leave: Filter,
) -> Delivery:
    """The publisher of ``[publishers.NAME]``, whose table is ``table``.

    Raises:
        SettingsError, MissingPackage: it cannot be opened with these settings.
    """
    module = publishers.load(table.get("driver") or name)
    publisher_settings = parse(module.Settings, table, f"publishers.{name}")

    steady = needed(settings)

    def told() -> dict[str, Any]:
        """What the box decides by is read at its own pace also where others rest."""
        found = may_leave.told()
        for sensor in steady & found["sensors"].keys():
            found["sensors"][sensor].pop("saving_interval_s", None)
        return found

    def open_carrier(wake: Callable[[], None]) -> Carrier:
        publisher = module.open(publisher_settings, public_box(settings.box), clock, wake)
        return Carrier(store, publisher, name, clock, may_leave.passed, told, may_leave.pace_s)

    return Delivery(name, open_carrier, clock, on_trouble)
