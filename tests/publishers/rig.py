"""A store, a broker and what comes out at its other end."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from broker import Listener, Mosquitto, Wire, wait_for

from kiezbox.clock import ManualClock
from kiezbox.model import Measurement, Quantity, Reading
from kiezbox.node.carrier import Carrier
from kiezbox.publishers import mqtt
from kiezbox.senml import id_text
from kiezbox.settings import BoxSettings, StoreSettings, parse
from kiezbox.store import Store

BOX = "kb-test"


class Rig:
    """What a test of a publisher needs; everything it opens is closed behind it."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self.folder = folder
        self.clock = ManualClock()
        self.woken = threading.Event()
        self._stack = stack
        self._stores = 0

    def keep(self, thing: Any) -> Any:
        self._stack.callback(thing.close)
        return thing

    def broker(self, more: str = "allow_anonymous true") -> Mosquitto:
        broker: Mosquitto = self.keep(Mosquitto(self.folder, more))
        return broker

    def wire(self, target: int) -> Wire:
        wire: Wire = self.keep(Wire(target))
        return wire

    def listener(self, port: int, **options: Any) -> Listener:
        listener: Listener = self.keep(Listener(port, **options))
        return listener

    def mqtt(self, port: int, *, up: bool = True, **settings: Any) -> mqtt.Mqtt:
        """The publisher, with pauses that a test can wait for; connected, unless told otherwise."""
        wanted = {"host": "127.0.0.1", "port": port, "tls": False}
        wanted |= {"retry_least_s": 0.01, "retry_most_s": 0.05} | settings
        publisher: mqtt.Mqtt = self.keep(
            mqtt.open(
                mqtt.Settings(**wanted), parse(BoxSettings, {"id": BOX}), self.clock, self.woken.set
            )
        )
        if up:
            wait_for(lambda: publisher.link() == "connected", "the publisher is connected")
        return publisher

    def store(self, path: str = "kiezbox.db") -> Store:
        settings = StoreSettings(path=str(self.folder / path), run_dir=str(self.folder))
        store: Store = self.keep(Store.open(settings, BOX, self.clock))
        return store

    def carrier(self, store: Store, publisher: Any, name: str = "mqtt") -> Carrier:
        return Carrier(store, publisher, name, self.clock)

    def ids(self, store: Store) -> list[str]:
        """The ids of all readings the store holds, in order."""
        return [id_text(row[0]) for row in store.after(0, 1_000_000).readings]

    def measure(self, store: Store, rounds: int = 1) -> list[Reading]:
        """So many minutes, two readings each."""
        added = []
        for number in range(rounds):
            self.clock.advance(60)
            added += store.add(
                "roof",
                [
                    Measurement(Quantity.TEMPERATURE_C, 20 + number % 97 / 10),
                    Measurement(Quantity.PRESSURE_HPA, 1000 + number % 89 / 10),
                ],
            )
        return added


def deliver(carrier: Carrier, until: Callable[[], bool] | None = None) -> None:
    """Step as the worker does, but without its pauses, until all is delivered."""
    is_done = until or (lambda: carrier.backlog() == 0)

    def step() -> bool:
        carrier.step()
        return is_done()

    try:
        wait_for(step, "everything is delivered")
    except AssertionError as error:
        raise AssertionError(
            f"{error}: {carrier.backlog()} left, link {carrier.link()}, {carrier.problem!r}"
        ) from None
