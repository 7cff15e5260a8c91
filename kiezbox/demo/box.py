"""One box of the demo: its world, its settings file, its two processes, and what it says."""

from __future__ import annotations

import http.client
import json
import sys
import threading
import time
from collections import deque
from pathlib import Path
from typing import Any

from kiezbox.battery import BatteryState, Stage
from kiezbox.cli._common import load_settings, open_clock
from kiezbox.demo.authority import ARS
from kiezbox.demo.broker import free_port
from kiezbox.demo.helpers import Helpers
from kiezbox.demo.places import Site
from kiezbox.demo.processes import HERE, Child, Children
from kiezbox.demo.uplink import Uplink
from kiezbox.demo.world import CAPACITY_AH, GRID_PIN, Air, World
from kiezbox.mode import Mode, is_emergency_wlan
from kiezbox.model import COUNTER_BITS
from kiezbox.node.outage import Absence
from kiezbox.place.invented import invented
from kiezbox.store import Store
from kiezbox.store.places import write_package

#: How often the box is asked, and how long it may take to answer, in real seconds.
ASK_EVERY_S, PATIENCE_S = 1.0, 2.0

#: Which of the invented surroundings: all boxes stand in one.
SEED = 1

#: Points of a sparkline: about eight minutes at one reading every five seconds.
SPARKLINE = 100

#: The times of power that the page counts down, in seconds.
TIMES = {"bridge_s": 3.0, "return_hold_s": 30.0}

#: The demo's times and what a real box takes instead, as the page tells it.
SHORTENED = (
    ("grid loss is confirmed after", "3 s", "8 s"),
    ("its return is held for", "30 s", "10 min"),
    ("the WLAN changes at most every", "20 s", "5 min"),
    ("sensors are read every", "5 s", "1 to 2.5 min"),
    ("the dust sensor's fan warms up for", "0 s", "30 s"),
    ("readings reach the card every", "5 s", "1 min"),
    ("a full battery carries an emergency for about", "15 min", "a day"),
)


class Box:
    """A node and a portal, real processes, and everything around them."""

    def __init__(
        self,
        folder: Path,
        number: int,
        site: Site,
        *,
        broker_port: int,
        authority: str,
        helpers: Helpers,
        speed: float,
        wall_anchor: float,
    ) -> None:
        self.site = site
        self.speed = speed
        folder.mkdir()
        self._run_dir = folder / "run"
        self._run_dir.mkdir()
        self.uplink = Uplink(broker_port)
        self.world = World(folder / "bench", number, speed=speed)
        self._bench_folder = f"{self.world.bench.folder}/".encode()
        self.portal_port = free_port()
        self._authority = authority
        self._moderator_key = helpers.moderator_key
        settings = folder / "kiezbox.toml"
        settings.write_text(self._settings(folder, wall_anchor), encoding="utf-8")
        self._give_memory(settings)
        helpers.come_to(load_settings(str(settings)))
        (folder / "place").mkdir()
        write_package(invented(SEED), str(folder / "place" / "place.db"))
        # Children run in their own folder, so the package must be found from anywhere.
        environment = {"PYTHONPATH": str(HERE.parent.parent), "KIEZBOX_SETTINGS": str(settings)}
        self.node, self.portal = (
            Child(
                verb,
                [sys.executable, "-m", "kiezbox", verb, "--settings", str(settings)],
                folder=folder,
                environment=environment,
            )
            for verb in ("run", "portal")
        )
        self._lock = threading.Lock()
        self._properties: dict[str, Any] | None = None
        #: Longitude and latitude: where the box says it is, once it has said so.
        self._place = (site.longitude, site.latitude)
        self._serials: dict[str, int] = {}
        self._history: dict[str, deque[tuple[str, float]]] = {}
        self._stop = threading.Event()
        self._watch = threading.Thread(target=self._ask_on, name=site.id, daemon=True)

    def start_portal(self, children: Children) -> None:
        """Start the portal, which needs no world, and begin to ask it."""
        children.start(self.portal)
        self._watch.start()

    def start_node(self, children: Children) -> None:
        """Start the node, once the world around it is there."""
        children.start(self.node)

    def step(self, unix_s: float, air: Air) -> None:
        """Let the world around it go on."""
        self.world.step(unix_s, air, self.mode or "normal")

    @property
    def mode(self) -> str | None:
        """What mode the box says it is in; None while it says nothing."""
        properties = self._properties
        return properties["mode"] if properties else None

    @property
    def answers(self) -> bool:
        """Whether both its processes work."""
        properties = self._properties
        return bool(properties and properties["state"] == "active" and properties["mode"])

    def document(self) -> dict[str, Any]:
        """What the page shows of it on the plan."""
        with self._lock:
            return {
                "id": self.site.id,
                "name": self.site.name,
                "longitude": self._place[0],
                "latitude": self._place[1],
                "portal": f"http://127.0.0.1:{self.portal_port}/",
                "situation": self._properties,
                "serials": self._serials,
                "node": {
                    "pid": self.node.pid,
                    "restarts": self.node.restarts,
                    "last_end": self.node.last_end,
                },
                "has_grid": self.world.has_grid,
                "has_uplink": not self.uplink.is_cut,
                "battery_forced": self.world.battery.forced,
                "is_open": self._is_open(),
                "broken": dict(self.world.broken),
            }

    def _is_open(self) -> bool:
        """Whether a phone in the street would see the emergency WLAN."""
        properties = self._properties
        if not properties or properties["mode"] not in set(Mode):
            return False
        return is_emergency_wlan(Mode(properties["mode"]), bool(properties["causes"]))

    def history(self) -> dict[str, list[float]]:
        """Per series the last values, oldest first: the page's sparklines."""
        with self._lock:
            return {name: [value for _, value in points] for name, points in self._history.items()}

    def close(self) -> None:
        """Take the world away. The processes belong to ``Children``. Idempotent."""
        self._stop.set()
        self.uplink.close()
        self.world.close()
        if self._watch.is_alive():
            self._watch.join(PATIENCE_S + 1)

    # --- asking the box -----------------------------------------------------------------------

    def _ask_on(self) -> None:
        while not self._stop.is_set():
            started_at = time.monotonic()
            properties, serials = self._ask(), self._read_serials()
            with self._lock:
                self._properties = properties
                self._serials = serials
                self._remember(properties or {})
            # A box that is starting up is asked again at once, as somebody waits for it.
            pause_s = ASK_EVERY_S if properties else 0.1
            self._stop.wait(max(0.05, started_at + pause_s - time.monotonic()))

    def _ask(self) -> dict[str, Any] | None:
        """The properties of the box's one feature, as any neighbour could read them."""
        connection = http.client.HTTPConnection("127.0.0.1", self.portal_port, timeout=PATIENCE_S)
        try:
            connection.request("GET", "/situation.geojson")
            answer = connection.getresponse()
            if answer.status != 200:
                return None
            # The bench's folder is where a real box has /dev: it only makes sentences long.
            text = answer.read().replace(self._bench_folder, b"/dev/")
            feature = json.loads(text)["features"][0]
            if feature["geometry"]:
                longitude, latitude = feature["geometry"]["coordinates"]
                self._place = (longitude, latitude)
            properties: dict[str, Any] = feature["properties"]
            return properties
        except (OSError, http.client.HTTPException, ValueError, LookupError):
            return None
        finally:
            connection.close()

    def _read_serials(self) -> dict[str, int]:
        """How many readings this start of the node has taken, and how many are on the card."""
        try:
            store = json.loads((self._run_dir / "now.json").read_text(encoding="utf-8"))["store"]
            newest, stored = store["newest_serial"], store["stored_serial"]
        except (OSError, ValueError, LookupError):
            return {}
        boot = newest >> COUNTER_BITS << COUNTER_BITS
        return {"taken": newest - boot, "on_card": max(0, stored - boot)}

    def _remember(self, properties: dict[str, Any]) -> None:
        for reading in properties.get("readings", ()):
            if reading["value"] is None:
                continue
            name = f"{reading['sensor']}/{reading['quantity']}"
            points = self._history.setdefault(name, deque(maxlen=SPARKLINE))
            if not points or points[-1][0] != reading["observed_at"]:
                points.append((reading["observed_at"], reading["value"]))

    def _give_memory(self, settings: Path) -> None:
        """Let the box know its battery, as one does that was not born this minute.

        A new box knows nothing until it has seen its battery full or empty once.
        """
        known = 100 * self.world.battery.charge
        settled = load_settings(str(settings))
        clock = open_clock(settled)
        store = Store.open(settled.store, self.site.id, clock)
        state = BatteryState(stage=Stage.GOOD, low=known - 2, high=known + 2)
        store.keep("battery", {"state": state.to_dict(), **Absence(clock).mark()})
        store.close()

    # --- its settings -------------------------------------------------------------------------

    def _settings(self, folder: Path, wall_anchor: float) -> str:
        site = self.site
        tables: dict[str, dict[str, Any]] = {
            "box": {
                "id": site.id,
                "name": site.name,
                "latitude": site.latitude,
                "longitude": site.longitude,
                "accuracy_m": 5.0,
            },
            "store": {
                "path": str(folder / "kiezbox.db"),
                "run_dir": str(self._run_dir),
                "flush_s": 5.0,
                "fold_s": 60.0,
            },
            "hardware": {"i2c": self.world.bench.address, "gpio": self.world.bench.address},
            "sensors.air": {"driver": "bme280", "where": "outdoor", "interval_s": 5.0},
            "sensors.street": {
                "driver": "sds011",
                "where": "outdoor",
                "port": self.world.dust_port,
                "interval_s": 5.0,
                "deadline_s": 10.0,
                "warm_up_s": 0.0,
            },
            "sensors.battery": {"driver": "ina219", "where": "box", "interval_s": 2.0},
            "power": {**TIMES, "agreed_bridge_s": 1.0},
            "power.battery": {"sensor": "battery", "capacity_ah": CAPACITY_AH * self.speed},
            "power.grid.supply": {"driver": "pin", "pin": GRID_PIN},
            "mode": {"wlan_pause_s": 20.0},
            # A demo opens no WLAN on somebody's computer, and so misses none.
            "network": {"run_dir": str(self._run_dir / "network")},
            "network.access_point": {"kind": "none"},
            "sources.nina": {"url": self._authority, "ars": ARS},
            "abuse": {"moderator_key": str(self._moderator_key)},
            "operator": {
                "controller": "Kiezbox demo",
                "contact": "Ctrl-C",
                "privacy_basis": "nothing here is real and nothing is kept",
            },
            "publishers.mqtt": {"host": "127.0.0.1", "port": self.uplink.port, "tls": False},
            "portal": {"listen": f"127.0.0.1:{self.portal_port}"},
            "clock": {"speed": self.speed, "wall_anchor": wall_anchor},
        }
        return toml(tables)


def toml(tables: dict[str, dict[str, Any]]) -> str:
    """Texts, numbers and truths as TOML; JSON writes these three the same way."""
    lines: list[str] = []
    for name, table in tables.items():
        lines += [f"[{name}]"]
        lines += [f"{key} = {json.dumps(value)}" for key, value in table.items()]
        lines += [""]
    return "\n".join(lines)
