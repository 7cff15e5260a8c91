"""The captive portal API (RFC 8908), as Android and iOS 14 ask it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from asking import HTTPS_NAME, NAME, Portal, Shown
from shared import shared_data
from street import outage, write_facts

#: RFC 8908, section 5: the keys and the types of their values.
KEYS = {
    "captive": bool, "user-portal-url": str, "venue-info-url": str, "can-extend-session": bool,
    "seconds-remaining": int, "bytes-remaining": int,
}  # fmt: skip


@pytest.fixture
def certified(box: Path, door: Portal) -> Portal:
    """A box with a certificate that is good for a while."""
    write_facts(box / "run", outage(network__https_name=HTTPS_NAME))
    return door


def ask(door: Portal, accept: str = "application/captive+json", **more: Any) -> Shown:
    asked = {"host": HTTPS_NAME, "local": "198.51.100.2", "is_tls": True, **more}
    return door.ask("/captive", accept=accept, **asked)


def test_a_new_guest_is_told_where_the_portal_is(certified: Portal) -> None:
    shown = ask(certified)

    # The exact document of the contract, 2.5.
    assert shown.json == {
        "captive": True,
        "user-portal-url": "https://portal.example.org/",
        "venue-info-url": "https://portal.example.org/info",
    }
    assert (shown.status, shown.headers["content-type"]) == (200, "application/captive+json")
    assert shown.headers["cache-control"] == "private, no-store"
    assert shown.headers["vary"] == "Accept"
    # Android reads 4,096 characters of it.
    assert len(shown.text) <= 4096


def test_a_guest_who_stays_is_told_for_how_long(certified: Portal) -> None:
    certified.stay()
    assert ask(certified).json == {
        "captive": False,
        "seconds-remaining": 86400,
        "venue-info-url": "https://portal.example.org/info",
    }

    certified.clock.now += 3600.5

    assert ask(certified).json["seconds-remaining"] == 82799
    certified.clock.now += 86400
    assert ask(certified).json["captive"] is True


def test_who_is_seen_is_captive_still(certified: Portal) -> None:
    certified.ask("/")

    assert ask(certified).json["captive"] is True


def test_where_guests_have_the_internet_nobody_is_captive(certified: Portal, box: Path) -> None:
    write_facts(box / "run", outage(network__https_name=HTTPS_NAME, network__wanted="shared"))

    assert ask(certified).json == {
        "captive": False,
        "venue-info-url": "https://portal.example.org/info",
    }


@pytest.mark.parametrize("accept", ["", "*/*", "text/html", "application/json"])
def test_a_person_who_opens_it_is_led_to_the_page(certified: Portal, accept: str) -> None:
    shown = ask(certified, accept)

    assert (shown.status, shown.location) == (302, "https://portal.example.org/")
    assert shown.headers["vary"] == "Accept"


@pytest.mark.parametrize("host", [HTTPS_NAME, NAME, "198.51.100.1"])
def test_it_is_never_answered_without_tls(certified: Portal, host: str) -> None:
    # RFC 8908, section 4: only by TLS.
    shown = ask(certified, host=host, local="198.51.100.1", is_tls=False)

    assert (shown.status, shown.location) == (302, "/")


def test_without_a_good_certificate_there_is_no_api(door: Portal) -> None:
    shown = ask(door, host="198.51.100.1")

    assert (shown.status, shown.location) == (302, "/")


def test_the_documents_use_the_words_of_the_rfc(certified: Portal) -> None:
    examples = json.loads(shared_data("captive/rfc8908_examples.json").read_text())
    new = ask(certified)
    certified.stay()

    for document in (new.json, ask(certified).json, *examples["examples"]):
        assert all(type(value) is KEYS[key] for key, value in document.items())
        assert "captive" in document
    assert new.headers["content-type"] == examples["content_type"]
    assert examples["cache_control"] in new.headers["cache-control"]


def test_the_page_is_also_there_by_tls(certified: Portal) -> None:
    assert certified.ask("/", host=HTTPS_NAME, local="198.51.100.2", is_tls=True).status == 200
