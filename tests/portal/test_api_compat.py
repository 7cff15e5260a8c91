"""The existing Kiezbox app against our box, by what it asks (kiezbox-2.0.md, 1.3 and 1.4)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from asking import HTTPS_NAME, Portal
from geojson_pydantic import FeatureCollection
from residents import Resident
from shared import SHARED
from street import now_json, outage, portal, write_facts

from kiezbox.portal.sight import Sight

JSON = "application/json"

#: Every path that is asked by GET.
PATHS = (
    "/api/mode", "/api/info", "/api/session", "/box.json", "/city/city.json",
    "/captive-portal/api/status", "/captive-portal/api/setmefree", "/captive-portal/api/jailmepls",
)  # fmt: skip

CAUSE = [{"cause": "grid_lost", "since": 1.0, "detail": "lost"}]


def is_emergency_to_the_app(mode: int) -> bool:
    """Its own rule, word for word: ``isEmergency = (mode % 2 == 0)``."""
    return mode % 2 == 0


@pytest.mark.parametrize(
    ("changes", "mode"),
    [
        ({}, 1),
        ({"mode__name": "maintenance"}, 1),
        ({"mode__name": "exercise", "mode__is_exercise": True}, 1),
        ({"mode__name": "emergency", "mode__causes": CAUSE}, 2),
        ({"mode__name": "saving", "mode__causes": CAUSE}, 2),
        ({"mode__name": "dark", "mode__causes": CAUSE}, 2),
        ({"mode__name": "emergency"}, 2),
        ({"mode__name": "saving"}, 1),
        # A drill, and then the grid fails: no drill any more.
        ({"mode__name": "exercise", "mode__is_exercise": True, "mode__causes": CAUSE}, 2),
        ({"mode__name": None}, 1),
        ({"mode__name": "unheard-of"}, 1),
    ],
)
def test_the_app_takes_for_an_emergency_what_is_one(
    door: Portal, box: Path, changes: dict[str, Any], mode: int
) -> None:
    write_facts(box / "run", now_json(**changes))

    shown = door.ask("/api/mode")

    assert (shown.status, shown.json) == (200, {"mode": mode})
    assert is_emergency_to_the_app(shown.json["mode"]) == (mode == 2)


def test_a_box_that_has_never_known_its_mode_calls_nobody_to_an_emergency(
    door: Portal, box: Path
) -> None:
    (box / "run" / "now.json").unlink()
    (box / "kiezbox.db").unlink()

    assert door.ask("/api/mode").json == {"mode": 1}


def test_a_node_that_fell_silent_in_an_outage_leaves_the_emergency_as_it_was(
    door: Portal, box: Path
) -> None:
    write_facts(box / "run", {**outage(), "written_at": 1_767_400_000.0})

    assert door.ask("/api/mode").json == {"mode": 2}


def test_mode_numbers_are_those_of_the_original(door: Portal) -> None:
    vectors = SHARED / "reference" / "kiezbox-2.0-vectors.json"
    if not vectors.exists():
        pytest.skip(f"the vectors are not here: {vectors}")
    messages = {m["name"]: m for m in json.loads(vectors.read_text())["kiezbox_messages"]}
    # control { meta { } mode: … }: the last byte is the number on the wire.
    named = {
        messages[f"control_mode_{n}"]["text"].split("mode: ")[1].split(" ")[0]: int(
            messages[f"control_mode_{n}"]["hex"][-2:], 16
        )
        for n in range(3)
    }

    from kiezbox.portal.pages import api

    assert {"normal": api.NORMAL, "emergency": api.EMERGENCY} == {
        name: named[name] for name in ("normal", "emergency")
    }
    assert named["maintenance"] == 0


def test_info_is_where_the_box_stands(door: Portal, box: Path) -> None:
    assert door.ask("/api/info").json == {"lon": 10.448, "lat": 51.163}

    write_facts(box / "run", now_json(box__latitude=None))

    assert door.ask("/api/info").json == {"lon": 10.448, "lat": None}


@pytest.mark.parametrize(
    ("method", "cookie", "status"),
    [
        ("POST", "", 503), ("POST", "session_token=x", 503),
        ("GET", "", 401), ("HEAD", "", 401), ("DELETE", "", 401),
        ("GET", "a=b; session_token=5f1c", 404), ("HEAD", "session_token=x", 404),
        ("DELETE", "session_token=x", 404), ("PUT", "", 405), ("PATCH", "session_token=x", 405),
    ],
)  # fmt: skip
def test_there_is_no_telephony_and_the_app_is_told_so(
    door: Portal, method: str, cookie: str, status: int
) -> None:
    shown = door.ask("/api/session", method, **({"cookie": cookie} if cookie else {}))

    assert (shown.status, shown.headers["content-type"]) == (status, JSON)
    assert "set-cookie" not in shown.headers


def test_whom_the_app_would_call_can_be_nobody(door: Portal) -> None:
    document = door.ask("/box.json").json

    assert set(document) == {"targetUri", "demoTargetUri"}
    # RFC 2606: .invalid never exists.
    assert all(uri.startswith("sip:") and uri.endswith(".invalid") for uri in document.values())


@pytest.mark.parametrize("path", ["/api/admin/control", "/api/asterisk/ps_auth/single", "/api",
                                  "/api/", "/city", "/city/", "/city/../../etc/passwd",
                                  "/captive-portal", "/captive-portal/api/x"])  # fmt: skip
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_what_is_not_offered_is_not_there(door: Portal, path: str, method: str) -> None:
    shown = door.ask(path, method)

    assert (shown.status, shown.headers["content-type"]) == (404, JSON)


# --- the captive portal ----------------------------------------------------------------------


def test_a_new_guest_is_captive_and_is_told_where_the_page_is(door: Portal) -> None:
    shown = door.ask("/captive-portal/api/status")

    assert shown.json == {
        "captive": True,
        "user-portal-url": "http://198.51.100.1/",
        "venue-info-url": "http://198.51.100.1/info",
    }
    assert shown.headers["content-type"] == "application/captive+json"
    assert "no-store" in shown.headers["cache-control"]


def test_over_tls_the_page_is_named_by_its_name(door: Portal, box: Path) -> None:
    write_facts(box / "run", outage(network__https_name=HTTPS_NAME))

    shown = door.ask("/captive-portal/api/status", host=HTTPS_NAME, is_tls=True)

    assert shown.json["user-portal-url"] == f"https://{HTTPS_NAME}/"


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("path", PATHS)
def test_no_get_sets_anybody_free_or_takes_freedom_away(
    door: Portal, path: str, method: str
) -> None:
    for _ in range(3):
        door.ask(path, method)
    assert door.ask("/captive-portal/api/status").json["captive"] is True

    door.stay()
    for _ in range(3):
        door.ask(path, method)

    assert door.ask("/captive-portal/api/status").json["captive"] is False


def test_with_the_token_of_our_page_the_app_sets_its_guest_free_and_back(door: Portal) -> None:
    token = door.ask("/").token

    freed = door.ask("/captive-portal/api/setmefree", "POST", body=b"token=" + token)
    jailed = door.ask("/captive-portal/api/jailmepls", "POST")

    assert freed.json["captive"] is False and freed.json["seconds-remaining"] == 86400
    assert jailed.json["captive"] is True


@pytest.mark.parametrize("body", [b"", b"token=", b"token=" + b"0" * 40, b"token=%ff%00"])
def test_nobody_is_set_free_without_having_seen_the_page(door: Portal, body: bytes) -> None:
    door.ask("/")

    shown = door.ask("/captive-portal/api/setmefree", "POST", body=body)

    assert (shown.status, shown.json["captive"]) == (200, True)


def test_one_guest_sets_no_other_free(door: Portal) -> None:
    token = door.ask("/").token
    door.ask("/", client="10.42.0.8")

    door.ask("/captive-portal/api/setmefree", "POST", body=b"token=" + token, client="10.42.0.8")

    assert door.ask("/captive-portal/api/status", client="10.42.0.8").json["captive"] is True


# --- who may read it -------------------------------------------------------------------------


def test_what_is_for_everybody_may_be_read_by_an_app_from_elsewhere(door: Portal) -> None:
    is_open = {
        path: door.ask(path).headers.get("access-control-allow-origin") == "*" for path in PATHS
    }

    assert is_open == {path: path in PATHS[:2] + PATHS[3:5] for path in PATHS}
    assert not any("access-control-allow-credentials" in door.ask(p).headers for p in PATHS)


# --- the city --------------------------------------------------------------------------------


@pytest.fixture
def city(box: Path, door: Portal) -> Portal:
    """With the invented Kiez around the box."""
    from kiezbox.place.invented import invented
    from kiezbox.store.places import write_package

    (box / "place").mkdir()
    write_package(invented(), str(box / "place" / "place.db"))
    door.sight = Sight(str(box / "run"), str(box / "kiezbox.db"), door.sight._clock)
    return door


#: What the app reads of a city package (kiezbox-2.0.md, 5.6).
CITY_KEYS = {
    "schemaVersion", "dataVersion", "slug", "name", "defaultLocale", "bounds", "center", "minzoom",
    "maxzoom", "mapMaxZoom", "fallbackCoordinates", "poiMap", "files",
}  # fmt: skip


def test_without_a_package_the_city_is_empty_and_valid(door: Portal) -> None:
    document = door.ask("/city/city.json").json

    assert set(document) == CITY_KEYS and document["schemaVersion"] == 1
    west, south, east, north = document["bounds"]
    assert west < 10.448 < east and south < 51.163 < north
    assert document["center"] == [10.448, 51.163]
    for name in document["files"]:
        assert door.ask(f"/city/{name}").status == 200


def test_the_points_of_the_city_are_geojson_with_openstreetmaps_tags(city: Portal) -> None:
    document = city.ask("/city/city.json").json
    points = [name for name in document["files"] if name != document["poiMap"]]

    assert points == ["toilets.json", "drinking-water.json", "defibrillator.json",
                      "water-pumps.json"]  # fmt: skip
    found = 0
    for name in points:
        collection = city.ask(f"/city/{name}").json
        FeatureCollection.model_validate(collection)
        for feature in collection["features"]:
            found += 1
            longitude, latitude = feature["geometry"]["coordinates"]
            assert -180 <= longitude <= 180 and -90 <= latitude <= 90
            status = feature["properties"].get("pump:status", "ok")
            assert status in ("ok", "broken", "out_of_order", "locked", "missing_beam", "blocked")
    assert found > 0


def test_the_version_of_the_city_is_another_when_its_points_are(city: Portal, box: Path) -> None:
    from kiezbox.place.invented import invented
    from kiezbox.store.places import write_package

    before = city.ask("/city/city.json").json["dataVersion"]
    assert city.ask("/city/city.json").json["dataVersion"] == before

    write_package(invented(2), str(box / "place" / "place.db"))

    assert city.ask("/city/city.json").json["dataVersion"] != before


def test_the_app_meets_a_real_portal(box: Path) -> None:
    with portal(box, "--secrets", str(box)) as served:
        phone = Resident(served.port)

        assert json.loads(phone.open("/api/mode").text)["mode"] in (1, 2)
        assert phone.ask("DELETE", "/api/session", b"", {}).status == 401
        assert phone.send_raw("/api/session", b"").status == 503
        assert json.loads(phone.open("/city/city.json").text)["schemaVersion"] == 1
        assert json.loads(phone.open("/captive-portal/api/setmefree").text)["captive"] is True
