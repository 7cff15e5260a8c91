"""Kiezbox itself as a contestant: stores full of readings, and a process that drains one.

``python -m benchmarks.lib.boxes DATABASE PORT`` runs the node's real store, carrier and MQTT
publisher, without the rest of the node, until nothing is left to deliver.
"""

from __future__ import annotations

import contextlib
import json
import random
import sys
import threading
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kiezbox.clock import Clock
    from kiezbox.publishers import Publisher
    from kiezbox.store import Store

BOX = "kb-bench"

#: Seven readings a minute: what one box with three sensors measures.
SERIES = (
    ("roof", "temperature_c", 21.5, 0.01),
    ("roof", "humidity_percent", 55.0, 0.1),
    ("roof", "pressure_hpa", 1008.0, 0.01),
    ("dust", "pm2_5_ug_m3", 8.5, 0.1),
    ("dust", "pm10_ug_m3", 14.2, 0.1),
    ("battery", "voltage_v", 13.2, 0.004),
    ("battery", "current_a", -0.4, 0.001),
)


def add_minute(store: Store, rng: random.Random) -> int:
    """One read of each sensor, in the steps of its converter; how many readings that were."""
    from kiezbox.model import Measurement, Quantity

    sensors: dict[str, list[Measurement]] = {}
    for sensor, quantity, middle, step in SERIES:
        value = round(round((middle + rng.uniform(-3, 3)) / step) * step, 3)
        sensors.setdefault(sensor, []).append(Measurement(Quantity(quantity), value))
    for sensor, measurements in sensors.items():
        store.add(sensor, measurements)
    return len(SERIES)


def fill(path: Path, count: int) -> list[str]:
    """A store with so many readings, all durable; each also as a line for the other contestants.

    A line is one reading as a small JSON object: id, name, time, value.
    """
    from kiezbox.clock import ManualClock
    from kiezbox.senml import id_text
    from kiezbox.settings import StoreSettings
    from kiezbox.store import Store

    clock = ManualClock()
    settings = StoreSettings(path=str(path), run_dir=str(path.parent))
    store = Store.open(settings, BOX, clock)
    rng = random.Random(1)
    added = 0
    while added < count:
        added += add_minute(store, rng)
        clock.advance(60)
        if added % 7000 == 0:
            store.fold()
    store.fold()
    lines = []
    position = 0
    while len(batch := store.after(position, 5000)):
        for r in batch:
            name = f"{BOX}/{batch.series[r.series]}"
            identity = id_text(r.serial)
            lines.append(f'{{"id":"{identity}","n":"{name}","t":{r.taken_at:.3f},"v":{r.value}}}')
            position = r.serial
    store.close()
    return lines


@contextlib.contextmanager
def publisher(port: int, clock: Clock) -> Iterator[Publisher]:
    """The MQTT publisher of a node, connected."""
    from kiezbox.publishers import load
    from kiezbox.settings import BoxSettings, parse

    woken = threading.Event()
    mqtt = load("mqtt")
    table = {"host": "127.0.0.1", "port": port, "tls": False}
    settings = parse(mqtt.Settings, table, "publishers.mqtt")
    found: Publisher = mqtt.open(settings, BoxSettings(id=BOX), clock, woken.set)
    try:
        if not woken.wait(10):
            raise RuntimeError(f"no link to the broker: {found.link()}")
        yield found
    finally:
        found.close()


def ids_in(messages: Iterable[tuple[float, str, bytes]]) -> list[str]:
    """The readings' ids in a receiver's messages, by a resolver that knows only RFC 8428."""
    from senml_rfc8428 import resolve

    return [record["id"] for _, _, payload in messages for record in resolve(payload)]


def battery_document(minute: int) -> dict[str, Any]:
    """About what the power worker keeps with each minute's flush."""
    return {
        "state": {"stage": "full", "charge_ah": 11.2 - minute / 1000, "band_ah": 0.8 + minute / 9e3,
                  "anchored": True, "voltage_v": 13.204, "current_a": -0.4},
        "at": 1_780_000_000.0 + 60 * minute,
        "monotonic": 1000.0 + 60 * minute,
    }  # fmt: skip


def main(path: str, port: int) -> None:
    from kiezbox.clock import SystemClock
    from kiezbox.node.carrier import Carrier
    from kiezbox.settings import StoreSettings
    from kiezbox.store import Store

    clock = SystemClock()
    store = Store.open(StoreSettings(path=path, run_dir=str(Path(path).parent)), BOX, clock)
    with publisher(port, clock) as link:
        carrier = Carrier(store, link, "mqtt", clock)
        begun, cpu = time.monotonic(), time.process_time()
        while carrier.step() == 0.0:  # more to send at once
            pass
        store.flush()
        ended = time.monotonic()
        if left := carrier.backlog():
            raise SystemExit(f"{left} readings were not delivered: {carrier.problem}")
        print(json.dumps({"begun": begun, "ended": ended, "cpu_s": time.process_time() - cpu}))
    store.close()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
