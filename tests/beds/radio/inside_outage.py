"""Runs inside the virtual machine, which travels in time: a long outage with a battery that
empties, then outages that come and go, with real units, radios and guests. Ends in
``$OUT/facts.json``; ``test_outage.py`` says what is right.

    inside_outage.py OUTAGE_H SOAK_H
"""

from __future__ import annotations

import sys
import threading
import time
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "uml"), str(HERE), str(HERE.parent.parent.parent)]

from air import Guest, wait_for_radio  # noqa: E402
from guest import note  # noqa: E402
from installed import InstalledBox, mode, now, processes, until  # noqa: E402
from watching import (  # noqa: E402
    DAEMONS,
    SSID,
    everybody,
    is_on_air,
    kill,
    posture,
    real_time,
    serves,
    settle,
    use,
)

from kiezbox.hardware.simulated.bench import Bench  # noqa: E402
from kiezbox.hardware.simulated.bme280 import SimulatedBme280  # noqa: E402
from kiezbox.hardware.simulated.ina219 import SimulatedIna219  # noqa: E402
from kiezbox.store import StoreReader  # noqa: E402

#: The battery is low before half of the outage is over, and empty before its end: then the night
#: goes on in the dark.
MORE = """
[sensors.battery]
driver = "ina219"
where = "box"
address = 0x40
interval_s = 30

# A pin's edge wakes the node at once; looks between them are what simulated hours cost.
[power]
interval_s = 5

[power.battery]
sensor = "battery"
capacity_ah = {capacity_ah}

[network.street]
slice_open_s = {open_s}
slice_every_s = {every_s}
"""

#: Between two looks.
LOOK_S = 5.0

#: Volts and amperes of a LiFePO4 battery of four cells.
CHARGED, DRAINING, SAVING, CHARGING = (14.2, 0.02), (13.1, -1.0), (13.0, -0.4), (13.6, 3.0)


class Recorder:
    """Looks now and then, and writes down every change of what matters; samples memory."""

    def __init__(self, sample_s: float) -> None:
        self.changes: list[tuple[float, str, Any]] = []
        self.samples: list[dict[str, Any]] = []
        self._sample_s = sample_s
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        """Cheap enough for a look every few seconds: four small files."""
        last: dict[str, Any] = {}
        sampled_at = 0.0
        while not self._stop.wait(LOOK_S):
            at = time.monotonic()
            known = now()
            for name, value in (
                ("posture", posture()),
                ("is_on_air", is_on_air()),
                ("mode", (known.get("mode") or {}).get("name")),
                ("stage", (known.get("battery") or {}).get("stage")),
            ):
                if value is not None and last.get(name) != value:
                    last[name] = value
                    self.changes.append((round(at, 1), name, value))
            if at - sampled_at >= self._sample_s:
                sampled_at = at
                self.samples.append(
                    {"at": at, "everybody": everybody()}
                    | {name: use(DAEMONS[name]) for name in ("node", "portal")}
                )

    def stop(self) -> None:
        self._stop.set()
        self._thread.join(10)


class Night:
    """The box, its battery and its one guest."""

    def __init__(self, outage_h: float) -> None:
        wait_for_radio("wlan1")
        bench = Bench(Path("/run/bench"))
        climate, self.meter = SimulatedBme280(), SimulatedIna219()
        climate.set(temperature_c=21.5, humidity_percent=55.0, pressure_hpa=1008.0)
        bench.attach(0x76, climate)
        bench.attach(0x40, self.meter)
        self.meter.set(*CHARGED)
        for path in (Path("/run/bench"), *Path("/run/bench").iterdir()):
            path.chmod(0o777)
        open_s, every_s = (900, 3600) if outage_h >= 24 else (300, 900)
        self.box = InstalledBox(
            MORE.format(
                capacity_ah=round(outage_h * 2 / 3, 2) or 12, open_s=open_s, every_s=every_s
            ),
            i2c=bench.address,
            interval_s=60,
        )
        self.guest = Guest("wlan1")
        self.guest.switch_on(SSID)
        self.box.start()
        settle(self.box)

    def visit(self) -> bool:
        self.guest.join(120)
        self.guest.lease()
        served = serves(self.guest)
        time.sleep(60)
        self.guest.leave()
        return served

    def flap(self, seconds: float) -> None:
        """The grid comes and goes every three seconds, and is away at the end. Half-way the node
        is killed.
        """
        began, is_killed = time.monotonic(), False
        while time.monotonic() < began + seconds:
            if not is_killed and time.monotonic() > began + seconds / 2:
                kill("node")
                is_killed = True
            for is_there in (True, False):
                self.box.chip.drive(17, is_there)
                time.sleep(3)


def outage(night: Night, hours: float) -> dict[str, Any]:
    """Full, low, critical, and the grid is back: what was when."""
    facts: dict[str, Any] = {}
    at: dict[str, float] = {}
    until(lambda: stage() == "full", 3600, "a full battery", pause_s=5)
    night.box.chip.drive(17, False)
    night.meter.set(*DRAINING)
    at["lost"] = time.monotonic()
    until(is_on_air, 60, "the WLAN", pause_s=0.1)
    at["on_air"] = time.monotonic()
    facts["is_served"] = night.visit()
    at["flapping"] = time.monotonic()
    night.flap(300)
    at["flapped"] = time.monotonic()
    facts["is_served_after_flapping"] = night.visit()
    until(lambda: stage() == "low", hours * 3600, "a low battery", pause_s=5)
    at["low"] = time.monotonic()
    night.meter.set(*SAVING)
    until(lambda: stage() == "critical", hours * 3600, "an empty battery", pause_s=5)
    at["critical"] = time.monotonic()
    until(lambda: posture() == "dark", 60, "dark", pause_s=1)
    kill("node")
    time.sleep(max(0.0, at["lost"] + hours * 3600 - time.monotonic()))
    facts["in the dark"] = {name: len(processes(unit)) for name, unit in DAEMONS.items()}
    night.box.chip.drive(17, True)
    night.meter.set(*CHARGING)
    at["back"] = time.monotonic()
    until(lambda: mode() == "normal", 7200 + hours * 3600, "normal", pause_s=1)
    at["normal"] = time.monotonic()
    return {**facts, "at": at}


def stage() -> str | None:
    return (now().get("battery") or {}).get("stage")


def soak(night: Night, hours: float) -> dict[str, Any]:
    """Outages come and go, and so do guests; everything that was taken must be given back."""
    night.meter.set(*CHARGED)
    end = time.monotonic() + hours * 3600
    every_s = 1800.0 if hours < 24 else 14400.0
    visits, quiet = [], []
    while time.monotonic() < end:
        began = time.monotonic()
        night.box.chip.drive(17, False)
        until(is_on_air, 700, "the WLAN", pause_s=0.5)
        visits.append(night.visit())
        night.box.chip.drive(17, True)
        until(lambda: posture() == "closed" and not is_on_air(), 1500, "closed", pause_s=1)
        time.sleep(max(10.0, began + every_s - time.monotonic()))
        quiet.append(
            {"everybody": everybody()} | {name: use(unit) for name, unit in DAEMONS.items()}
        )
    return {"visits": visits, "quiet": quiet}


def long_night() -> dict[str, Any]:
    outage_h, soak_h = float(sys.argv[1]), float(sys.argv[2])
    night = Night(outage_h)
    began, really = time.monotonic(), real_time()
    recorder = Recorder(300.0)
    facts: dict[str, Any] = {"outage": outage(night, outage_h)} if outage_h else {}
    if soak_h:
        facts["soak"] = soak(night, soak_h)
    recorder.stop()
    facts["hours"] = (time.monotonic() - began) / 3600
    facts["real_s"] = real_time() - really
    facts["changes"], facts["samples"] = recorder.changes, recorder.samples
    with StoreReader("/var/lib/kiezbox/kiezbox.db") as reader:
        facts["transitions"] = [
            (each.machine, each.before, each.after, each.carried_out_at is not None)
            for each in reversed(reader.transitions(limit=100_000))
        ]
    facts["journal"] = night.box.journal()[-60000:]
    return facts


note({"night": long_night})
