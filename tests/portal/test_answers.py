"""Which path of ours is answered with what."""

from __future__ import annotations

import gzip
import json
import zlib
from pathlib import Path
from typing import Any

import pytest
from asking import NAME, Portal
from geojson_pydantic import FeatureCollection
from hypothesis import given
from hypothesis import strategies as st
from street import NOW, outage, write_facts

from kiezbox.clock import ManualClock
from kiezbox.portal.answered import SLOT, Answer, zipped
from kiezbox.portal.answers import PAGES

HTML_PAGES = ("/", "/en", "/again", "/bulletins", "/de/bulletins", "/info", "/en/info")


@pytest.mark.parametrize("path", HTML_PAGES)
def test_pages_are_never_kept_and_can_load_nothing(door: Portal, path: str) -> None:
    shown = door.ask(path)

    assert (shown.status, shown.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert shown.headers["cache-control"] == "no-store"
    assert set(shown.headers["content-security-policy"].split("; ")) == {
        "default-src 'none'", "style-src 'unsafe-inline'", "form-action 'self'",
        "base-uri 'none'", "frame-ancestors http://127.0.0.1:* http://localhost:*",
    }  # fmt: skip
    assert shown.headers["x-content-type-options"] == "nosniff"
    assert shown.headers["referrer-policy"] == "no-referrer"


@pytest.mark.parametrize(
    "path", ["/generate_204", "/hotspot-detect.html", "/x/../etc", "//", "/EN"]
)
def test_every_other_path_of_ours_leads_to_the_first_page_and_says_nothing(
    door: Portal, path: str
) -> None:
    shown = door.ask(path, host=NAME)

    assert (shown.status, shown.location) == (302, "/")
    assert not any(word in str(shown.headers) + shown.text for word in (NAME, "etc", "204"))


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "PATCH", "BREW"])
@pytest.mark.parametrize("path", ["/", "/en", "/info", "/nowhere", "/situation.geojson"])
def test_every_other_method_leads_to_the_first_page(door: Portal, path: str, method: str) -> None:
    shown = door.ask(path, method, body=b"x" * 100)

    assert (shown.status, shown.location) == (303, "/")


@pytest.mark.parametrize("path", [*(f"/{name}" for name in PAGES), "/nowhere"])
def test_a_head_has_the_headers_of_a_get_and_no_body(door: Portal, path: str) -> None:
    shown = door.ask(path)

    head = door.ask(path, "HEAD")

    assert (head.status, head.body) == (shown.status, b"")
    assert head.headers == {**shown.headers, "content-length": str(len(shown.body))}


@pytest.mark.parametrize("path", ["/favicon.ico", "/wpad.dat", "/apple-touch-icon-precomposed.png"])
def test_what_only_programs_ask_for_is_not_here(door: Portal, path: str) -> None:
    assert (door.ask(path).status, len(door.ask(path).body)) == (404, 2)


# --- how it is sent ------------------------------------------------------------------------------


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
    door: Portal, accepted: str, is_zipped: bool
) -> None:
    # RFC 9110, 12.5.3. The clock stands still, so the same guest gets the same token twice.
    plain = door.ask("/").body

    shown = door.ask("/", accept_encoding=accepted)

    assert (gzip.decompress(shown.body) if is_zipped else shown.body) == plain
    assert "Accept-Encoding" in shown.headers["vary"]
    assert ("content-encoding" in shown.headers) is is_zipped


@given(st.binary(max_size=400), st.binary(max_size=400), st.binary(min_size=40, max_size=40))
def test_what_is_put_into_a_zipped_page_is_in_the_page(
    before: bytes, after: bytes, own: bytes
) -> None:
    before, after = (part.replace(b"\xff", b"") * 3 for part in (before, after))
    whole = zipped(Answer(200, before + SLOT + after), {"accept-encoding": "gzip"})

    sent = whole.filled(own)

    assert len(sent) == len(whole.body)
    is_zipped = ("Content-Encoding", "gzip") in whole.headers
    assert (gzip.decompress(sent) if is_zipped else sent) == before + own + after


def test_a_zipped_page_with_a_slot_is_hardly_longer_than_without(door: Portal) -> None:
    page = door.ask("/").body

    sent = door.ask("/", accept_encoding="gzip").body

    assert len(sent) <= len(zlib.compress(page, 6)) + 60


def test_a_page_on_the_air_takes_less_than_three_kilobytes(door: Portal) -> None:
    # Goal b3.
    assert len(door.ask("/", accept_encoding="gzip").body) <= 3000


# --- situation.geojson, healthz ------------------------------------------------------------------


def test_the_situation_is_geojson_that_strangers_understand(door: Portal) -> None:
    shown = door.ask("/situation.geojson")

    found = FeatureCollection(**shown.json)

    # RFC 7946, section 12: the media type.
    assert (shown.status, shown.headers["content-type"]) == (200, "application/geo+json")
    assert found.features[0].properties is not None
    assert found.features[0].properties["bulletins"][0]["text"] == "Warmer Raum: Turnhalle"


def test_the_situation_is_not_sent_again_while_nothing_but_the_time_has_changed(
    door: Portal, clock: ManualClock
) -> None:
    tag = door.ask("/situation.geojson").headers["etag"]
    clock.advance(5)

    for known in (tag, f'"other", {tag}', "*", tag.removeprefix("W/")):
        shown = door.ask("/situation.geojson", if_none_match=known)
        assert (shown.status, shown.body, shown.headers["etag"]) == (304, b"", tag)


def test_a_new_fact_has_a_new_tag(door: Portal, box: Path, clock: ManualClock) -> None:
    tag = door.ask("/situation.geojson").headers["etag"]

    write_facts(box / "run", outage(written_at=NOW))

    assert door.ask("/situation.geojson", if_none_match=tag).status == 200
    clock.advance(3600)
    stale = door.ask("/situation.geojson").json
    assert stale["features"][0]["properties"]["state"] == "stale"


@pytest.mark.parametrize("facts, state", [(outage(), "active"), (None, "unknown")])
def test_health_says_that_the_portal_answers_and_how_fresh_its_facts_are(
    box: Path, door: Portal, facts: Any, state: str
) -> None:
    write_facts(box / "run", facts)

    found = json.loads(door.ask("/healthz").body)

    assert found == {"portal": "ok", "facts": state, "bulletins": "readable"}
