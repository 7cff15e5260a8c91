"""Every system's way to ask whether it is online, in every phase, byte for byte.

The rows are in probes.json, written from the captive portal contract and not from our table.
"""

from __future__ import annotations

import html
import json
from pathlib import Path
from typing import Any

import pytest
from asking import BOX, GUEST, NAME, Portal
from hypothesis import given
from hypothesis import strategies as st
from shared import shared_data
from street import outage, write_facts

from kiezbox.portal.sight import Sight

PROBES: list[dict[str, Any]] = json.loads(
    (Path(__file__).parent / "probes.json").read_text(encoding="utf-8")
)["probes"]

each_probe = pytest.mark.parametrize(
    "probe", PROBES, ids=[f"{probe['host']}{probe['path']}" for probe in PROBES]
)


@pytest.fixture(scope="module")
def street_door(tmp_path_factory: pytest.TempPathFactory) -> Portal:
    """One portal for all rows: nothing in it is changed by a probe."""
    folder = tmp_path_factory.mktemp("probes")
    write_facts(folder / "run", outage())
    portal = Portal(Sight(str(folder / "run"), str(folder / "kiezbox.db")))
    portal.ask("/", client="10.42.0.2")
    assert portal.stay("10.42.0.3").location == "/connected"
    return portal


#: A guest in each phase before it stays.
NEW_AND_SEEN = {"new": "10.42.0.1", "seen": "10.42.0.2"}
STAYS = "10.42.0.3"


def forms_of(host: str) -> list[str]:
    return [host, host.upper(), f"{host}.", f"{host}:80"]


@each_probe
@pytest.mark.parametrize("phase", NEW_AND_SEEN)
def test_before_a_guest_stays_every_probe_finds_a_portal(
    street_door: Portal, probe: dict[str, Any], phase: str
) -> None:
    for host in forms_of(probe["host"]):
        shown = street_door.ask(probe["path"], host=host, client=NEW_AND_SEEN[phase])

        # AOSP NetworkStack: 200-399 but 204, and Location or more than 4 bytes. Anything else is
        # "failed" there, and nothing opens.
        assert (shown.status, shown.location) == (302, "http://198.51.100.1/")
        assert shown.headers["cache-control"] == "no-store"
        assert len(shown.body) > 64 and b'href="http://198.51.100.1/"' in shown.body
        assert b"Success" not in shown.body
        assert probe["host"] not in shown.text + str(shown.headers)


@each_probe
def test_after_that_each_gets_its_systems_own_answer(
    street_door: Portal, probe: dict[str, Any]
) -> None:
    ack = probe["ack"]

    for host in forms_of(probe["host"]):
        shown = street_door.ask(probe["path"], host=host, client=STAYS)

        assert shown.status == ack["status"]
        if ack["status"] == 302:
            assert shown.location == "http://198.51.100.1/"
            continue
        assert shown.text == ack["body"]
        assert shown.headers.get("content-type") == ack.get(
            "ctype", shown.headers.get("content-type") if ack["body"] else None
        )
        assert (
            ack.get("headers", {}).items()
            <= {
                name.replace("x-networkmanager-status", "X-NetworkManager-Status"): value
                for name, value in shown.headers.items()
            }.items()
        )
        assert shown.headers["cache-control"] == "no-store"
        assert "location" not in shown.headers


@each_probe
def test_a_head_is_answered_like_a_get(street_door: Portal, probe: dict[str, Any]) -> None:
    for client in (*NEW_AND_SEEN.values(), STAYS):
        shown = street_door.ask(probe["path"], host=probe["host"], client=client)

        head = street_door.ask(probe["path"], "HEAD", host=probe["host"], client=client)

        assert (head.status, head.body) == (shown.status, b"")
        assert int(head.headers.pop("content-length")) == len(shown.body)
        assert head.headers == shown.headers


@each_probe
def test_other_methods_than_get_are_sent_to_the_first_page(
    street_door: Portal, probe: dict[str, Any]
) -> None:
    for method in ("POST", "PUT", "OPTIONS"):
        for client in ("10.42.0.1", STAYS):
            shown = street_door.ask(probe["path"], method, host=probe["host"], client=client)

            assert (shown.status, shown.location) == (303, "http://198.51.100.1/")


def test_the_lengths_that_clients_compare() -> None:
    # Microsoft, "Network Connectivity Status Indicator": 22 and 14 bytes, no line end.
    bodies = {(probe["host"], probe["path"]): probe["ack"]["body"] for probe in PROBES}

    assert len(bodies["www.msftconnecttest.com", "/connecttest.txt"]) == 22
    assert len(bodies["www.msftncsi.com", "/ncsi.txt"]) == 14


def test_every_host_of_the_alliances_list_is_in_the_table() -> None:
    listed = json.loads(shared_data("captive/probe_hosts_wba.json").read_text())["hosts"]
    hosts = {host.partition("/")[0] for hosts in listed.values() for host in hosts}

    assert hosts <= {probe["host"] for probe in PROBES}


# --- who is no probe -----------------------------------------------------------------------------


@pytest.mark.parametrize("client", ["10.42.0.1", STAYS])
@pytest.mark.parametrize(
    "path", ["/", "/index.html", "/a/b?c=d", "/generate_204x", "/x/generate_204", "*", ""]
)
@pytest.mark.parametrize("accept", ["", "*/*", "text/html,application/xhtml+xml", "text/*;q=0.1"])
def test_whoever_goes_anywhere_else_is_led_to_the_first_page(
    street_door: Portal, client: str, path: str, accept: str
) -> None:
    for method in ("GET", "HEAD"):
        shown = street_door.ask(path, method, host="example.org", client=client, accept=accept)

        assert (shown.status, shown.location) == (302, "http://198.51.100.1/")


@pytest.mark.parametrize(
    "path, accept",
    [
        ("/favicon.ico", ""),
        ("/wpad.dat", "*/*"),
        ("/apple-touch-icon-120x120.png", "*/*"),
        ("/.well-known/assetlinks.json", "text/html"),
        ("/logo", "image/avif,image/webp"),
        ("/api", "application/json"),
    ],
)
def test_programs_that_could_not_read_a_page_are_told_so_in_few_bytes(
    street_door: Portal, path: str, accept: str
) -> None:
    shown = street_door.ask(path, host="example.org", accept=accept)

    assert (shown.status, len(shown.body) <= 4) == (404, True)


@pytest.mark.parametrize(
    "host",
    [
        "evil.example", "kiezbox.internal.evil.example", "198.51.100.1.evil.example", "../../etc",
        "apple.com.edgekey.net.evil.example", "xcaptive.apple.com", "%00", "<b>", "a" * 4000,
        "captive.apple.com\\@x", "[", "::::", "..", "*", "*.apple.com.edgekey.net\t",
    ],
)  # fmt: skip
def test_what_stands_in_host_is_never_repeated_and_never_ours(
    street_door: Portal, host: str
) -> None:
    for client in ("10.42.0.1", STAYS):
        for path in ("/", "/hotspot", f"/{host}"):
            shown = street_door.ask(path, host=host, client=client)

            assert (shown.status, shown.location) == (302, "http://198.51.100.1/")
            answered = html.unescape(shown.text) + str(shown.headers)
            assert len(host) < 6 or host not in answered


@given(
    st.text(max_size=60), st.text(max_size=60).map(lambda rest: f"/{rest}"), st.booleans(),
    st.dictionaries(st.sampled_from(["accept", "accept_language", "x_forwarded_for", "forwarded"]),
                    st.text(max_size=30)),
)  # fmt: skip
def test_a_stranger_to_the_portal_is_never_told_that_it_is_online(
    street_door: Portal, host: str, path: str, is_head: bool, headers: dict[str, str]
) -> None:
    shown = street_door.ask(
        path, "HEAD" if is_head else "GET", host=host, client="10.42.0.1", **headers
    )

    assert shown.status in (200, 302, 404)
    assert shown.status != 200 or is_head or len(shown.body) > 64
    assert b"Success" not in shown.body


@pytest.mark.parametrize("header", ["x_forwarded_for", "forwarded", "x_real_ip", "client_ip"])
def test_nobody_speaks_for_another(street_door: Portal, header: str) -> None:
    shown = street_door.ask(
        "/generate_204", host="x.example", client="10.42.0.1", **{header: STAYS}
    )

    assert shown.status == 302


# --- which addresses and names are ours ----------------------------------------------------------


@pytest.mark.parametrize("host", [BOX, NAME, NAME.upper(), f"{NAME}.", f"{BOX}:80", ""])
def test_our_own_names_and_no_name_at_all_get_the_page(street_door: Portal, host: str) -> None:
    shown = street_door.ask("/", host=host)

    assert (shown.status, "Stromausfall" in shown.text) == (200, True)


@pytest.mark.parametrize(
    "local, host",
    [
        ("127.0.0.1", "127.0.0.1"), ("127.0.0.1", "localhost"), ("10.7.0.9", "10.7.0.9"),
        ("fd00::1", "fd00::1"), ("::1", "localhost"), ("::ffff:10.7.0.9", "10.7.0.9"),
    ],
)  # fmt: skip
def test_the_address_that_was_called_is_ours(street_door: Portal, local: str, host: str) -> None:
    assert street_door.ask("/", host=host, local=local).status == 200


@pytest.mark.parametrize("path", ["/check_network_status.txt", "/nm-check.txt", "/online", "/"])
def test_networkmanager_finds_its_sign_at_an_address_that_nobody_listed(
    street_door: Portal, path: str
) -> None:
    # nm-connectivity.c: the header counts whatever the status is.
    for client, sign in (("10.42.0.1", None), ("10.42.0.2", None), (STAYS, "online")):
        shown = street_door.ask(path, host="ping.example.org", client=client)

        assert shown.headers.get("x-networkmanager-status") == sign


@pytest.mark.parametrize("wanted", ["closed", "dark"])
def test_on_an_ordinary_day_whoever_asks_meant_this_box(
    box: Path, door: Portal, wanted: str
) -> None:
    write_facts(box / "run", outage(network__wanted=wanted))

    shown = door.ask("/", host="kiezbox-7.olsr", local="10.36.1.7")
    lost = door.ask("/nowhere", host="kiezbox-7.olsr", local="10.36.1.7")

    assert shown.status == 200
    assert (lost.status, lost.location) == (302, "/")


@pytest.mark.parametrize("wanted", ["closed", "shared", "dark"])
def test_where_nothing_is_intercepted_nobody_is_told_that_it_is_online(
    box: Path, door: Portal, wanted: str
) -> None:
    door.stay()
    write_facts(box / "run", outage(network__wanted=wanted))

    for probe in PROBES:
        shown = door.ask(probe["path"], host=probe["host"])

        assert shown.status in (200, 302)
        assert shown.text not in ("", probe["ack"]["body"]) and "Success" not in shown.text


def test_before_the_node_has_said_anything_guests_are_led_to_the_address_they_reached(
    tmp_path: Path,
) -> None:
    portal = Portal(Sight(str(tmp_path), str(tmp_path / "kiezbox.db")))

    shown = portal.ask("/generate_204", host="x.example", local="198.51.100.77", client=GUEST)
    sixth = portal.ask("/generate_204", host="x.example", local="fd00::1", client="fd00::7")

    assert (shown.status, shown.location) == (302, "http://198.51.100.77/")
    assert sixth.location == "http://[fd00::1]/"
