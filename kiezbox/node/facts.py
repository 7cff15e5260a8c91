"""now.json: what is true just now, for the portal, the command line and the checks.

The format stands in docs/architecture.md. Written atomically into a tmpfs: at once when the mode
or the posture changes, else at most four times a second, and at least every ten seconds.
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable, Mapping
from typing import Any

from kiezbox.clock import Clock, SystemClock
from kiezbox.node.latest import Latest
from kiezbox.place.phones import phones_of
from kiezbox.privacy.grid import public_box
from kiezbox.settings import BoxSettings, OperatorSettings
from kiezbox.store import Store
from kiezbox.store.places import read_meta

#: At most so often, and at least so often, in real seconds.
LEAST_PAUSE_S = 0.25
MOST_PAUSE_S = 10.0

#: The fields of now.json that come from the power worker.
_OF_POWER = ("mode", "grid", "battery", "network")


class Facts:
    """Collects what the workers know; ``write_if_due`` is called by the main thread."""

    def __init__(
        self,
        box: BoxSettings,
        run_dir: str,
        *,
        clock: Clock,
        store: Store,
        latest: Latest,
        on_change: Callable[[], None],
        operator: OperatorSettings | None = None,
        place_path: str = "",
        tell_the_portal: Callable[[], None] = lambda: None,
        radio_country: str = "",
    ) -> None:
        """``place_path``: of the package of the place, which has the country if ``box`` has none;
        ``radio_country``: whose radio rules hold, for boxes that have neither;
        ``tell_the_portal``: called whenever now.json is written.
        """
        self.path = os.path.join(run_dir, "now.json")
        # now.json goes to the public pages.
        box = public_box(box)
        self._box = {
            "id": box.id,
            "name": box.name or box.id,
            "latitude": box.latitude,
            "longitude": box.longitude,
            "accuracy_m": box.accuracy_m,
        }
        self._country, self._poison = box.country, box.poison_phone
        self._radio_country = radio_country
        self._place_path = place_path
        self._tell_the_portal = tell_the_portal
        self._place: tuple[Any, dict[str, str | None]] = (None, {})
        answers = operator or OperatorSettings()
        self._operator = {
            "controller": answers.controller or None,
            "contact": answers.contact or None,
            "privacy_basis": answers.privacy_basis or None,
        }
        self._clock = clock
        self._machine = SystemClock()
        self._store = store
        self._latest = latest
        self._lock = threading.Lock()
        self._power: dict[str, Any] = dict.fromkeys(_OF_POWER)
        self._publishers: dict[str, Callable[[], dict[str, Any]]] = {}
        self._advice: list[dict[str, Any]] = []
        self._steps: list[dict[str, Any]] = []
        self._peers: list[dict[str, Any]] = []
        self._radio: dict[str, Any] | None = None
        self._on_change = on_change
        self._is_changed = True
        self._is_urgent = False
        self._written_at = -1e9

    def changed(self) -> None:
        """Something a reader wants to see has changed."""
        if not self._is_changed:
            self._is_changed = True
            self._on_change()

    def set_power(self, mode: Any, grid: Any, battery: Any, network: Any) -> None:
        """What the power worker knows, as it stands in now.json."""
        power = dict(zip(_OF_POWER, (mode, grid, battery, network), strict=True))
        with self._lock:
            before, self._power = self._power, power
        if _headline(power) != _headline(before):
            # What everybody waits for, so the pause does not hold for it.
            self._is_urgent = self._is_changed = True
            self._on_change()
        elif power != before:
            self.changed()

    def set_advice(self, advice: list[dict[str, Any]]) -> None:
        """What helps in which room, first things first."""
        with self._lock:
            before, self._advice = self._advice, advice
        if advice != before:
            self.changed()

    def set_steps(self, steps: list[dict[str, Any]]) -> None:
        """Which steps the values that have some have reached."""
        with self._lock:
            before, self._steps = self._steps, steps
        if steps != before:
            self.changed()

    def set_peers(self, peers: list[dict[str, Any]]) -> None:
        """The other boxes of the Kiez. That one was heard again is no news."""
        with self._lock:
            before, self._peers = self._peers, peers
        if [_of_peer(each) for each in peers] != [_of_peer(each) for each in before]:
            self.changed()

    def set_radio(self, radio: dict[str, Any]) -> None:
        """How the radio is. That something was heard again is no news."""
        with self._lock:
            before, self._radio = self._radio or {}, radio
        if radio.get("state") != before.get("state"):
            self.changed()

    def add_publisher(self, name: str, facts: Callable[[], dict[str, Any]]) -> None:
        """Ask this function for the publisher's part of now.json."""
        with self._lock:
            self._publishers[name] = facts

    def _told_by_the_place(self) -> dict[str, str | None]:
        """Country and poison helpline, as far as the settings do not say them. Looked up again when
        another package has been installed.
        """
        try:
            found = os.stat(self._place_path)
            stamp: Any = found.st_ino, found.st_mtime_ns, found.st_size
        except OSError:
            stamp = ()
        if self._place[0] != stamp:
            meta = read_meta(self._place_path) if stamp else {}
            country = self._country or meta.get("country") or self._radio_country or None
            poison = phones_of(country, meta.get("region"))["poison"]
            told = {"country": country, "poison_phone": self._poison or poison or None}
            self._place = stamp, told
        return self._place[1]

    def document(self) -> dict[str, Any]:
        """The whole of now.json."""
        with self._lock:
            power = dict(self._power)
            publishers = {name: ask() for name, ask in self._publishers.items()}
            advice, steps, peers = self._advice, self._steps, self._peers
            radio = self._radio
        return {
            "version": 1,
            "box": {**self._box, **self._told_by_the_place()},
            "operator": self._operator,
            "written_at": self._clock.now(),
            "boot": self._store.boot,
            "clock_trusted": self._clock.is_trusted(),
            **power,
            "latest": {
                name: {
                    "value": reading.value,
                    "flag": reading.flag,
                    "reason": reading.reason,
                    "taken_at": reading.taken_at,
                }
                for name, reading in sorted(self._latest.snapshot().items())
            },
            "store": {
                "state": self._store.state,
                "newest_serial": self._store.newest_serial,
                "stored_serial": self._store.stored_serial,
                "buffered": self._store.buffered,
            },
            "publishers": publishers,
            "peers": peers,
            "radio": radio,
            "advice": advice,
            "steps": steps,
            "faults": [
                {
                    "source": fault.source,
                    "kind": fault.kind,
                    "message": fault.message,
                    "hint": fault.hint,
                    "opened_at": fault.opened_at,
                    "times": fault.times,
                }
                for fault in self._store.faults()
            ],
        }

    def due_in_s(self) -> float:
        """Real seconds until the file should be written."""
        if self._is_urgent:
            return 0.0
        since_s = self._machine.monotonic() - self._written_at
        return max(0.0, (LEAST_PAUSE_S if self._is_changed else MOST_PAUSE_S) - since_s)

    def write_if_due(self) -> None:
        """Write, if something changed or the file has become old."""
        if self.due_in_s() == 0.0:
            self.write()

    def write(self) -> None:
        """Write now. Raises OSError where the run directory cannot be written."""
        self._tell_the_portal()
        self._is_changed = self._is_urgent = False
        write_atomically(self.path, self.document())
        self._written_at = self._machine.monotonic()


def _headline(power: Mapping[str, Any]) -> tuple[Any, Any]:
    """Mode and posture."""
    mode, network = power["mode"] or {}, power["network"] or {}
    return mode.get("name"), network.get("wanted")


def _of_peer(each: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in each.items() if name != "heard_at"}


def write_atomically(path: str, document: Mapping[str, Any]) -> None:
    """A reader sees the old file or the new one, never a half."""
    aside = f"{path}.new"
    with open(aside, "w", encoding="utf-8") as file:
        # dumps, not dump: one piece from C instead of a thousand from Python.
        file.write(json.dumps(document, ensure_ascii=False))
        os.fchmod(file.fileno(), 0o644)
    os.replace(aside, path)


def read(path: str) -> dict[str, Any] | None:
    """now.json as it stands there, or None."""
    try:
        with open(path, encoding="utf-8") as file:
            document: dict[str, Any] = json.load(file)
            return document
    except (OSError, ValueError):
        return None
