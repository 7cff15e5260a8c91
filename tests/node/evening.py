"""A node's decisions without its threads: the real power worker's task on a clock of its own.

Store, power, mode, street and the wanted file are the real ones; the grid's source is a word that
the story sets, and the street is a folder of small files as the root part writes them.
"""

from __future__ import annotations

import functools
import json
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from kiezbox.battery import BatteryState, Stage
from kiezbox.clock import ManualClock
from kiezbox.hardware.box import BoxHardware
from kiezbox.hardware.simulated.bench import Bench
from kiezbox.model import Reading
from kiezbox.node.facts import Facts
from kiezbox.node.latest import Latest
from kiezbox.node.observing import Observer
from kiezbox.node.outage import Absence
from kiezbox.node.powering import Powering
from kiezbox.node.resuming import resume
from kiezbox.node.street import Street
from kiezbox.node.switch import Switch
from kiezbox.settings import HardwareSettings, Settings, StoreSettings, parse
from kiezbox.store import Store

#: Sunday 22 November 2026, 18:00 UTC: a full hour.
SIX = 1_795_370_400.0


class Source:
    """Says what the story says."""

    def __init__(self) -> None:
        self.word = "present"

    def vote(self) -> str:
        return self.word

    def close(self) -> None:
        """Nothing was opened."""


class Evening:
    """One box; ``run`` lets time pass, and ``said`` is what was wanted when."""

    def __init__(
        self,
        folder: Path,
        *,
        at: float = SIX,
        trusted: bool = True,
        bench: Bench | None = None,
        **tables: Any,
    ) -> None:
        self.folder = folder
        self.bench = bench
        self.clock = ManualClock(at, trusted=trusted)
        self.source = Source()
        self.has_publisher: bool | None = None
        self.current_a: float | None = None
        self.hardware: BoxHardware | None = None
        self.serial = 0
        self.announced: list[dict[str, Any]] = []
        self.settings = parse(Settings, settings_table(folder, tables))
        self.root = Path(self.settings.network.run_dir)
        self.interfaces = folder / "net"
        self.root.mkdir(exist_ok=True)
        if not (folder / "kiezbox.db").exists():
            for name, content in new_store().items():
                (folder / name).write_bytes(content)
        self.said: list[tuple[float, str]] = []
        self.start()

    def start(self, hook: Callable[[], None] = lambda: None) -> None:
        """The node starts; ``hook`` is called between its first word and everything else."""
        self.store = Store.open(self.settings.store, "kb-test", self.clock)
        absence = Absence(self.clock)
        resumed = resume(self.settings, self.store, absence, self.clock)
        self.street = Street(
            self.settings,
            store=self.store,
            clock=self.clock,
            has_publisher=lambda: self.has_publisher,
            switch=self._switch(),
            observer=Observer(str(self.root), str(self.interfaces)),
        )
        self.street.follow(resumed.mode)
        self.listen()
        hook()
        self.latest = Latest(lambda: None)
        self.facts = Facts(
            self.settings.box,
            self.settings.store.run_dir,
            clock=self.clock,
            store=self.store,
            latest=self.latest,
            on_change=lambda: None,
        )
        self.powering = Powering(
            self.settings,
            sources={"mains": self.source},
            store=self.store,
            latest=self.latest,
            facts=self.facts,
            announce=lambda kind, document: self.announced.append(document),
            has_uplink=lambda: self.has_publisher,
            clock=self.clock,
            absence=absence,
            resumed=resumed,
            street=self.street,
        )

    def stop(self) -> None:
        """The node ends, or dies: here it is the same, but for the database's lock."""
        self.powering.close()
        self.store.close()
        if self.hardware is not None:
            self.hardware.close()

    def run(self, seconds: float) -> None:
        end = self.clock.monotonic() + seconds
        while self.clock.monotonic() < end:
            self._measure()
            pause_s = self.powering.step()
            self.listen()
            self.clock.advance(min(pause_s, max(0.0, end - self.clock.monotonic())))
        self.look()

    def look(self) -> None:
        """One step, without time."""
        self._measure()
        self.powering.step()
        self.listen()

    def wanted(self) -> list[str]:
        return sorted(os.listdir(self.folder / "run" / "wanted"))

    def network(self) -> dict[str, Any]:
        """The part of now.json."""
        found: dict[str, Any] = self.facts.document()["network"]
        return found

    def faults(self) -> list[tuple[str, str]]:
        return [(fault.source, fault.kind) for fault in self.store.faults()]

    def minutes(self, since: float = SIX) -> list[tuple[float, str]]:
        """What was wanted, and from which minute on."""
        return [(round((at - since) / 60, 1), word) for at, word in self.said]

    def _switch(self) -> Switch | None:
        self.hardware = None
        if self.bench is None:
            return None
        self.hardware = BoxHardware(HardwareSettings(gpio=self.bench.address))
        return Switch(
            self.settings.network.access_point,
            hardware=self.hardware,
            clock=self.clock,
            on_fault=lambda source, message, hint: self.store.open_fault(
                source, "missing", message
            ),
            on_good=self.store.close_fault,
        )

    # --- the world ---------------------------------------------------------------------------

    def carrier(self, there: bool) -> None:
        """Whether the street's one port, the radio, has one."""
        for folder in (self.interfaces / "kb-street" / "brif" / "wlan0", self.interfaces / "wlan0"):
            folder.mkdir(parents=True, exist_ok=True)
        # What Linux 6.1 and 6.18 say of a bridge that is up, with ports or without.
        (self.interfaces / "kb-street" / "carrier").write_text("1\n")
        (self.interfaces / "wlan0" / "carrier").write_text("1\n" if there else "0\n")

    def root_says(self, name: str, content: str | bytes | None) -> None:
        """A file of the root part's; None: it is gone."""
        path = self.root / name
        if content is None:
            path.unlink(missing_ok=True)
        else:
            path.write_bytes(content.encode() if isinstance(content, str) else content)

    def charge(self, percent: float, current_a: float = 0.0) -> None:
        """Before ``start``: the battery is known to hold so much, and is read from now on."""
        stage = Stage.LOW if percent < 30 else Stage.GOOD
        state = BatteryState(stage=stage, low=percent - 1, high=percent + 1)
        self.current_a = current_a
        self.stop()
        self.store = Store.open(self.settings.store, "kb-test", self.clock)
        self.store.keep("battery", {"state": state.to_dict(), **Absence(self.clock).mark()})
        self.store.close()
        self.start()

    def _measure(self) -> None:
        if self.current_a is None:
            return
        self.serial += 1
        at_ms, up_ms = round(self.clock.now() * 1000), round(self.clock.monotonic() * 1000)
        self.latest.update(
            "battery",
            ("voltage_v", "current_a"),
            [
                Reading(self.serial, 1, at_ms, up_ms, 13.2),
                Reading(self.serial, 2, at_ms, up_ms, self.current_a),
            ],
        )

    def listen(self) -> None:
        (word,) = self.wanted()
        if not self.said or self.said[-1][1] != word:
            self.said.append((self.clock.now(), word))


@functools.cache
def new_store() -> dict[str, bytes]:
    """The files of a box's store on its first day: making one takes a quarter of a second."""
    with tempfile.TemporaryDirectory() as name:
        settings = StoreSettings(path=os.path.join(name, "kiezbox.db"), run_dir=name)
        Store.open(settings, "kb-test", ManualClock(SIX - 86400)).close()
        return {path.name: path.read_bytes() for path in Path(name).iterdir()}


def settings_table(folder: Path, tables: dict[str, Any]) -> dict[str, Any]:
    """kiezbox.toml as a table; ``tables`` are merged into it, a level deep."""
    table: dict[str, Any] = {
        "box": {"id": "kb-test"},
        "store": {"path": str(folder / "kiezbox.db"), "run_dir": str(folder / "run")},
        "power": {
            "interval_s": 10,
            "grid": {"mains": {"driver": "pin"}},
            "battery": {"sensor": "battery", "capacity_ah": 10.0},
        },
        "network": {"run_dir": str(folder / "root")},
    }
    for name, more in tables.items():
        table[name] = {**table.get(name, {}), **more}
    return json.loads(json.dumps(table))  # type: ignore[no-any-return]
