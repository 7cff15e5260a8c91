"""A box that has been lived in for a week: readings, words, an outage. All of it is invented.

For whoever wants to look at every page: tests of accessibility, stories, ``make screenshots``.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from residents import Resident
from street import Portal, fresh, now_json, open_store, outage, portal, write_facts

from kiezbox.clock import ManualClock, SystemClock
from kiezbox.model import Flag, Measurement, Quantity
from kiezbox.store import StoreWriter
from kiezbox.store.log import Log

WEEK_S, STEP_S = 7 * 86400, 600

OPERATOR = {
    "controller": "Nachbarschaftsverein Musterplatz e. V., Musterplatz 1, 00000 Musterstadt",
    "contact": "box@musterplatz.example",
    "privacy_basis": "Art. 6 Abs. 1 lit. d und e DSGVO",
}


def readings_at(hours: float) -> list[Measurement]:
    """A week in January: cold nights, dust when the stoves are lit, one storm front."""
    day = math.sin((hours - 9) / 24 * math.tau)
    evening = max(0.0, math.sin((hours - 14) / 24 * math.tau)) ** 3
    temperature = -2.5 + 3 * day + math.sin(hours / 37)
    dust = 7 + 38 * evening + 4 * math.sin(hours / 5)
    return [
        Measurement(Quantity.TEMPERATURE_C, round(temperature, 2)),
        Measurement(Quantity.HUMIDITY_PERCENT, round(78 - 12 * day, 1)),
        Measurement(Quantity.PRESSURE_HPA, round(1012 + 9 * math.sin(hours / 60), 1)),
        Measurement(Quantity.PM2_5_UG_M3, round(dust, 1)),
        Measurement(Quantity.PM10_UG_M3, round(dust * 1.4 + 3, 1)),
    ]


def fill_store(folder: Path, now: float) -> dict[str, Any]:
    """A week of readings up to now, with one night missing; the latest ones, as in now.json."""
    clock = ManualClock(now - WEEK_S)
    steps = WEEK_S // STEP_S
    with closing(open_store(folder, clock)) as store:
        for step in range(steps + 1):
            if not 3.0 <= step * STEP_S / 86400 < 3.3:
                air, dust = readings_at(step * STEP_S / 3600)[:3], readings_at(step / 6)[3:]
                store.add("roof", air)
                store.add("street", dust)
            if step < steps:
                clock.advance(STEP_S)
        doubtful = Measurement(Quantity.HUMIDITY_PERCENT, 99.9, flag=Flag.SUSPECT, reason="stuck")
        store.add("yard", [doubtful])
    latest: dict[str, Any] = {
        "yard/humidity_percent": {
            "value": 99.9, "flag": 1, "reason": "stuck", "taken_at": now - 60,
        }
    }  # fmt: skip
    for sensor, measured in (("roof", air), ("street", dust)):
        for each in measured:
            latest[f"{sensor}/{each.quantity.value}"] = {
                "value": each.value, "flag": 0, "reason": "", "taken_at": now - 40,
            }  # fmt: skip
    return latest


def situation(folder: Path, latest: dict[str, Any], kind: str = "outage", **more: Any) -> None:
    """now.json: "outage", "ordinary" or "exercise"."""
    made = {
        "outage": lambda: outage(5.0, network__slice=None),
        "ordinary": now_json,
        "exercise": lambda: now_json(mode__name="exercise", mode__is_exercise=True),
    }[kind]()
    document = fresh({**made, "latest": latest, "operator": OPERATOR})
    shift = document["written_at"] - made["written_at"]
    for part in (document["mode"], document["grid"], *document["mode"]["causes"]):
        part["since"] += shift
    for path, value in more.items():
        document[path.partition("__")[0]][path.partition("__")[2]] = value
    write_facts(folder / "run", document)


def write_words(port: int) -> None:
    """What neighbours have written, by the pages that take it."""
    for n, (topic, words) in enumerate(
        [
            ("0", "Suche Kerzen und Batterien AA.\nKlingel Hinterhaus, 2. Stock."),
            ("1", "Biete heiße Suppe ab 18 Uhr im Hof. Bitte Becher mitbringen."),
            ("2", "Der Aufzug in Haus 7 steht. Niemand ist darin."),
            ("1", "يمكنني الترجمة بين العربية والألمانية."),
        ]
    ):
        neighbour = Resident(port, address=f"127.0.0.{20 + n}")
        neighbour.open("/de/board/write")
        neighbour.send("/de/board", topic=topic, text=words)


@contextmanager
def furnished(folder: Path, kind: str = "outage", **more: Any) -> Iterator[Portal]:
    """A portal over such a box in ``folder``."""
    now = time.time()
    latest = fill_store(folder, now)
    situation(folder, latest, kind, **more)
    with StoreWriter(str(folder / "kiezbox.db")) as store:
        store.post(
            "Warmer Raum: Turnhalle am Musterplatz, Eingang Hof. Decken mitbringen.", now + 9e5
        )
        store.post("Trinkwasser am Tankwagen vor der Schule, 8 bis 20 Uhr.", now + 9e5)
    Log.open(str(folder / "words" / "words.db"), SystemClock(), box="kb-musterplatz-1").close()
    with portal(folder, "--secrets", str(folder)) as running:
        write_words(running.port)
        yield running
