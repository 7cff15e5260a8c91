"""A box that has been lived in for a week: readings, words, an outage. All of it is invented.

For whoever wants to look at every page: tests of accessibility, stories, ``make screenshots``.
"""

from __future__ import annotations

import json
import math
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from residents import Resident
from street import Portal, fresh, now_json, open_store, outage, portal, post, write_facts
from warned import warn_of_everything

from kiezbox import sealing
from kiezbox.clock import ManualClock, SystemClock
from kiezbox.model import Flag, Measurement, Quantity
from kiezbox.place.invented import invented
from kiezbox.store import helping, moderation
from kiezbox.store.believing import trust_of
from kiezbox.store.keyring import Keyring
from kiezbox.store.log import Draft, Log
from kiezbox.store.moderators import believe
from kiezbox.store.places import write_package
from kiezbox.trust import new_key, pack_certificate

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "trust"))
from issuing import BRIGADE, ROOT, bulletin, certificate

BOX = "kb-musterplatz-1"

WEEK_S, STEP_S = 7 * 86400, 600


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
    document = fresh({**made, "latest": latest})
    shift = document["written_at"] - made["written_at"]
    for part in (document["mode"], document["grid"], *document["mode"]["causes"]):
        part["since"] += shift
    for path, value in more.items():
        document[path.partition("__")[0]][path.partition("__")[2]] = value
    write_facts(folder / "run", document)


def write_words(folder: Path, port: int) -> None:
    """What has been said: officially, by the operator, by neighbours, by those who need help."""
    now, moderator = int(time.time()), new_key("Kiezteam")
    valid = {"valid_from": now - 86400, "valid_until": now + 30 * 86400}
    brigade = certificate(BRIGADE, name="Feuerwehr Musterstadt", **valid)
    said = bulletin(
        BRIGADE, code=1, parameters={"place": "Schulhof am Musterplatz"},
        issued_at=now - 900, text="",
    )  # fmt: skip
    believe(words_path(folder), moderator.public, "Kiezteam")
    with closing(open_log(folder)) as log:
        log.add(Draft(kind="certificate", fields={"certificate": pack_certificate(brigade)}))
        log.judge_by(trust_of(log, (ROOT.public.hex(),), SystemClock()).judge)
        log.add(Draft(**said._asdict()))
        moderation.ask(
            log, "Ist das Wasser aus der Pumpe am Musterplatz klar?", ["ja", "nein", "weiß nicht"],
            moderator, language="de", lifetime_s=86400, now=now,
        )  # fmt: skip
        ring = Keyring(log)
        ring.set_public("helpers", sealing.new_pair().public)
        exact = {"place": "Hinterhaus, 4. Stock", "name": "Klingel unten", "people": 2}
        ask = {"what": "ask", "needs": [1], "block": "Musterweg", "exact": exact}
        offer = {"what": "offer", "needs": [3], "block": "Am Platz", "exact": {}}
        log.add(*(helping.ticket_draft(ring.publics(), **each) for each in (ask, offer)))
    for n, (topic, words) in enumerate(POSTS):
        neighbour = Resident(port, address=f"127.0.0.{20 + n}")
        neighbour.open("/de/board/write")
        neighbour.send("/de/board", topic=topic, text=words, hours="24")


POSTS = [
    ("0", "Suche Kerzen und Batterien AA.\nKlingel Hinterhaus, 2. Stock."),
    ("1", "Biete heiße Suppe ab 18 Uhr im Hof. Bitte Becher mitbringen."),
    ("2", "Der Aufzug in Haus 7 steht. Niemand ist darin."),
    ("1", "يمكنني الترجمة بين العربية والألمانية."),
]


def words_path(folder: Path) -> str:
    return str(folder / "words" / "words.db")


def open_log(folder: Path) -> Log:
    return Log.open(words_path(folder), SystemClock(), box=BOX)


@contextmanager
def kept_fresh(folder: Path) -> Iterator[None]:
    """now.json is written again and again, as by a node that runs."""
    over = threading.Event()

    def write() -> None:
        while not over.wait(5):
            path = folder / "run" / "now.json"
            write_facts(folder / "run", fresh(json.loads(path.read_text(encoding="utf-8"))))

    node = threading.Thread(target=write)
    node.start()
    try:
        yield
    finally:
        over.set()
        node.join()


@contextmanager
def furnished(folder: Path, kind: str = "outage", **more: Any) -> Iterator[Portal]:
    """A portal over such a box in ``folder``; official warnings in an outage only."""
    latest = fill_store(folder, time.time())
    situation(folder, latest, kind, **more)
    (folder / "place").mkdir()
    write_package(invented(1, zone="Europe/Berlin"), str(folder / "place" / "place.db"))
    post(folder, "Warmer Raum: Turnhalle am Musterplatz, Eingang Hof. Decken mitbringen.")
    with portal(folder, "--secrets", str(folder)) as running, kept_fresh(folder):
        write_words(folder, running.port)
        if kind == "outage":
            warn_of_everything(folder)
        yield running
