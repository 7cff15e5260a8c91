"""The existing Kiezbox app, as a small client that does what it does, against a running portal.

What it calls and what it expects: kiezbox-2.0.md, 1.3, 1.4, 5.6. It loads ``/box.json`` and the
city package when it starts, polls ``/api/mode`` every 15 s, takes an even number for an emergency,
and asks for a session when somebody presses the button. No line of it is that app's.
"""

from __future__ import annotations

import http.client
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from geojson_pydantic import FeatureCollection
from street import Portal, fresh, now_json, outage, portal, wait_for, write_facts

from kiezbox.place.invented import invented
from kiezbox.store.places import write_package

LIMIT_S = 10.0

CAUSE = [{"cause": "grid_lost", "since": 1.0, "detail": "lost"}]

#: now.json, and whether people in the street are in an emergency.
MODES: dict[str, tuple[dict[str, Any], bool]] = {
    "normal": (now_json(), False),
    "exercise": (now_json(mode__name="exercise", mode__is_exercise=True), False),
    "maintenance": (now_json(mode__name="maintenance"), False),
    "emergency": (outage(), True),
    "saving": (outage(mode__name="saving"), True),
    "dark": (outage(mode__name="dark"), True),
}

#: The keys of ``city.json`` (5.6), and what the map needs each to be.
CITY: dict[str, Any] = {
    "schemaVersion": int, "dataVersion": str, "slug": str, "name": str, "defaultLocale": str,
    "bounds": list, "center": list, "minzoom": int, "maxzoom": int,
    "mapMaxZoom": (int, type(None)), "fallbackCoordinates": list, "poiMap": str, "files": list,
}  # fmt: skip

PUMP_STATES = {"ok", "broken", "out_of_order", "locked", "missing_beam", "blocked"}

#: RFC 3261, 19.1: what a telephone library accepts as an address.
SIP = re.compile(r"sips?:[A-Za-z0-9._~!*'()%&=+$,;?/-]+@[A-Za-z0-9.-]+(:\d+)?")


class App:
    """One phone with the app open."""

    def __init__(self, port: int) -> None:
        self._port = port
        self.is_emergency: bool | None = None
        self.target = self.demo_target = ""
        self.points: dict[str, list[dict[str, Any]]] = {}

    def call(self, method: str, path: str, **headers: str) -> tuple[int, str, bytes]:
        """Status, content type, body."""
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=LIMIT_S)
        try:
            connection.request(method, path, headers={"Accept": "*/*", **headers})
            answer = connection.getresponse()
            return answer.status, answer.getheader("Content-Type", ""), answer.read()
        finally:
            connection.close()

    def json(self, path: str, **headers: str) -> Any:
        """As ``fetch(path).then(r => r.json())``."""
        status, kind, body = self.call("GET", path, **headers)
        assert status == 200, (path, status)
        assert "json" in kind, (path, kind)
        return json.loads(body)

    def start(self) -> None:
        """What happens before the first page is drawn."""
        box = self.json("/box.json")
        self.target, self.demo_target = box["targetUri"], box["demoTargetUri"]
        self.poll()
        self.load_city()

    def poll(self) -> None:
        """Every 15 s. It looks for ``coordinates``, which nobody ever sent."""
        answer = self.json("/api/mode")
        self.is_emergency = answer["mode"] % 2 == 0
        assert answer.get("coordinates") is None

    def load_city(self) -> None:
        city = self.json("/city/city.json")
        for name, kind in CITY.items():
            assert isinstance(city[name], kind), name
        west, south, east, north = city["bounds"]
        assert west < east and south < north
        longitude, latitude = city["center"]
        assert west <= longitude <= east and south <= latitude <= north
        assert len(city["fallbackCoordinates"]) == 2
        meanings = self.json(f"/city/{city['poiMap']}")["files"]
        for name in city["files"]:
            document = self.json(f"/city/{name}")
            if name != city["poiMap"]:
                FeatureCollection.model_validate(document)
                self.points[name] = document["features"]
                assert set(meanings[name]) and all(
                    "kind" in each for each in meanings[name].values()
                )

    def button(self) -> str:
        """Whom the button would call now."""
        return self.target if self.is_emergency else self.demo_target

    def press(self) -> tuple[int, int, int]:
        """Ask for a telephone session; then look after it, and hang up, as the app does."""
        status, kind, body = self.call("POST", "/api/session")
        assert "json" in kind and isinstance(json.loads(body), dict)
        head, _, nothing = self.call("HEAD", "/api/session", Cookie="session_token=00000000")
        assert nothing == b""
        gone, _, _ = self.call("DELETE", "/api/session")
        return status, head, gone


@pytest.fixture
def served(box: Path) -> Iterator[Portal]:
    (box / "place").mkdir()
    write_package(invented(1), str(box / "place" / "place.db"))
    write_facts(box / "run", fresh(now_json()))
    with portal(box, "--secrets", str(box)) as found:
        yield found


def test_the_app_starts_and_follows_the_box_through_all_its_modes(
    served: Portal, box: Path
) -> None:
    app = App(served.port)
    app.start()

    for name in (*MODES, "normal"):
        facts, is_emergency = MODES[name]
        write_facts(box / "run", fresh(facts))

        def follows(wanted: bool = is_emergency) -> bool:
            app.poll()
            return app.is_emergency is wanted

        # The portal looks at the node's file each second.
        wait_for(follows, f"the app to see {name}", LIMIT_S)
        assert app.is_emergency is is_emergency
        assert app.press() == (503, 404, 401), name
        app.load_city()


@pytest.mark.parametrize("name", MODES)
def test_an_app_that_is_opened_in_a_mode_knows_it_at_once(
    served: Portal, box: Path, name: str
) -> None:
    facts, is_emergency = MODES[name]
    write_facts(box / "run", fresh(facts))
    app = App(served.port)

    app.start()

    assert app.is_emergency is is_emergency
    # Whatever is pressed in it, nobody who is somebody is called.
    assert SIP.fullmatch(app.button()) and app.button().endswith(".invalid")
    assert set(app.points) == {
        "toilets.json", "drinking-water.json", "defibrillator.json", "water-pumps.json",
    }  # fmt: skip
    for pump in app.points["water-pumps.json"]:
        assert pump["properties"].get("pump:status", "ok") in PUMP_STATES


def test_the_portal_is_there_for_an_app_that_asks_for_it_as_a_phone_does(
    served: Portal, box: Path
) -> None:
    """Its captive scripts are called by GET and must not change anything here."""
    write_facts(box / "run", fresh(outage(network__wanted="emergency")))
    app = App(served.port)

    for path in ("status", "setmefree", "jailmepls", "status"):
        status, kind, body = app.call("GET", f"/captive-portal/api/{path}")
        said = json.loads(body)
        assert (status, kind) == (200, "application/captive+json")
        assert isinstance(said["captive"], bool)
        assert said["venue-info-url"].startswith("http")
        assert ("user-portal-url" in said) == said["captive"]


def test_what_the_app_asks_in_vain_is_a_clean_no(served: Portal) -> None:
    app = App(served.port)

    status, _, _ = app.call("POST", "/api/admin/setMode")
    assert status == 404
    for path in ("/api/admin/control", "/api/asterisk/ps_endpoint/single"):
        assert app.call("POST", path)[0] == 404
    assert app.call("PUT", "/api/session")[0] == 405
    assert app.call("GET", "/api/session")[0] == 401
    assert app.call("GET", "/city/nothing.json")[0] == 404
