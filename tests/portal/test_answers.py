"""Which path is answered with what, the same by the doorway and by Flask."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from geojson_pydantic import FeatureCollection
from street import NOW, outage, split, write_facts

from kiezbox.clock import ManualClock
from kiezbox.portal.answers import ROUTES, answer
from kiezbox.portal.app import create_app
from kiezbox.portal.doorway import response
from kiezbox.portal.sight import Sight

PAGES = ("/", "/en", "/mitteilungen", "/en/bulletins")


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOW)


@pytest.fixture
def flask(box: Path, clock: ManualClock) -> FlaskClient:
    return create_app(str(box / "kiezbox.db"), str(box / "run"), clock).test_client()


@pytest.fixture
def sight(box: Path, clock: ManualClock) -> Sight:
    return Sight(str(box / "run"), str(box / "kiezbox.db"), clock)


def doorway(
    sight: Sight, path: str, method: str = "GET", **headers: str
) -> tuple[int, dict[str, str], bytes]:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    whole = response(answer(method, path, named, sight), is_head=method == "HEAD")
    return split(whole)


@pytest.mark.parametrize("path", [*ROUTES, "/nowhere"])
@pytest.mark.parametrize("encoding", ["", "gzip, deflate"])
def test_doorway_and_flask_say_the_same_byte_for_byte(
    flask: FlaskClient, sight: Sight, path: str, encoding: str
) -> None:
    status, headers, body = doorway(sight, path, accept_encoding=encoding)

    answered = flask.get(path, headers={"Accept-Encoding": encoding})

    assert (answered.status_code, answered.data) == (status, body)
    theirs = {name.lower(): value for name, value in answered.headers}
    assert theirs == {name: value for name, value in headers.items() if name != "connection"}


@pytest.mark.parametrize("path", PAGES)
def test_pages_are_never_kept_and_can_load_nothing(sight: Sight, path: str) -> None:
    status, headers, _ = doorway(sight, path)

    assert (status, headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert headers["cache-control"] == "no-store"
    assert headers["content-security-policy"].startswith("default-src 'none'; ")
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "BREW"])
@pytest.mark.parametrize(
    "path", ["/generate_204", "/hotspot-detect.html", "/x/../etc", "//", "/EN"]
)
def test_every_other_path_leads_to_the_first_page_and_says_nothing(
    flask: FlaskClient, sight: Sight, path: str, method: str
) -> None:
    status, headers, body = doorway(sight, path, method)
    answered = flask.open(path, method=method, headers={"Host": "evil.example"})

    assert (status, headers["location"]) == (302, "/")
    assert (answered.status_code, answered.headers["Location"]) == (302, "/")
    assert body == answered.data
    assert not any(
        word in str(answered.headers) + str(body) for word in ("evil", "etc", "Werkzeug")
    )


@pytest.mark.parametrize("path", ROUTES)
def test_what_would_change_something_changes_nothing(
    flask: FlaskClient, sight: Sight, path: str
) -> None:
    assert doorway(sight, path, "POST")[0] == 302
    assert flask.post(path, data=b"x" * 100).status_code == 302


@pytest.mark.parametrize("path", ROUTES)
def test_a_head_has_the_headers_of_a_get_and_no_body(
    flask: FlaskClient, sight: Sight, path: str
) -> None:
    status, headers, body = doorway(sight, path)

    assert doorway(sight, path, "HEAD") == (status, headers, b"")
    answered = flask.head(path)
    assert (answered.status_code, answered.data) == (status, b"")
    assert int(answered.headers["Content-Length"]) == len(body)


@pytest.mark.parametrize(
    "accepted, is_zipped",
    [
        ("gzip", True),
        ("deflate, GZIP;q=0.5", True),
        ("*", True),
        ("gzip;q=0", False),
        ("gzip; q=0.000, *", False),
        ("br", False),
        ("", False),
        (";;,=,", False),
    ],
)
def test_what_is_sent_is_zipped_for_those_who_take_it(
    sight: Sight, accepted: str, is_zipped: bool
) -> None:
    # RFC 9110, 12.5.3.
    plain = doorway(sight, "/")[2]

    _, headers, body = doorway(sight, "/", accept_encoding=accepted)

    assert (gzip.decompress(body) if is_zipped else body) == plain
    assert headers["vary"] == "Accept-Encoding"
    assert ("content-encoding" in headers) is is_zipped


def test_a_page_on_the_air_takes_less_than_three_kilobytes(sight: Sight) -> None:
    # Goal b3.
    assert len(doorway(sight, "/", accept_encoding="gzip")[2]) <= 3000


def test_the_situation_is_geojson_that_strangers_understand(sight: Sight) -> None:
    status, headers, body = doorway(sight, "/situation.geojson")

    found = FeatureCollection(**json.loads(body))

    # RFC 7946, section 12: the media type.
    assert (status, headers["content-type"]) == (200, "application/geo+json")
    assert found.features[0].properties is not None
    assert found.features[0].properties["bulletins"][0]["text"] == "Warmer Raum: Turnhalle"


def test_the_situation_is_not_sent_again_while_nothing_but_the_time_has_changed(
    sight: Sight, clock: ManualClock
) -> None:
    tag = doorway(sight, "/situation.geojson")[1]["etag"]
    clock.advance(5)

    for known in (tag, f'"other", {tag}', "*", tag.removeprefix("W/")):
        status, headers, body = doorway(sight, "/situation.geojson", if_none_match=known)
        assert (status, body, headers["etag"]) == (304, b"", tag)


def test_a_new_fact_has_a_new_tag(sight: Sight, box: Path, clock: ManualClock) -> None:
    tag = doorway(sight, "/situation.geojson")[1]["etag"]

    write_facts(box / "run", outage(written_at=NOW))

    assert doorway(sight, "/situation.geojson", if_none_match=tag)[0] == 200
    clock.advance(3600)
    stale = doorway(sight, "/situation.geojson")
    assert json.loads(stale[2])["features"][0]["properties"]["state"] == "stale"


@pytest.mark.parametrize("facts, state", [(outage(), "active"), (None, "unknown")])
def test_health_says_that_the_portal_answers_and_how_fresh_its_facts_are(
    box: Path, sight: Sight, facts: Any, state: str
) -> None:
    write_facts(box / "run", facts)

    _, _, body = doorway(sight, "/healthz")

    assert json.loads(body) == {"portal": "ok", "facts": state, "bulletins": "readable"}


def test_an_error_of_ours_is_one_sentence_for_the_street(
    box: Path, flask: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_: Sight) -> None:
        raise RuntimeError("secret")

    monkeypatch.setattr(Sight, "facts", broken)

    answered = flask.get("/")

    assert answered.status_code == 500
    assert b"secret" not in answered.data and b"Traceback" not in answered.data
    assert b'href="/"' in answered.data
