"""Guests who are given an uplink: all of it, shaped, or emergency services only."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from beds.netns import dns
from beds.netns.bed import (
    BOX_AT_HOME,
    BOX_AT_HOME6,
    HOME_COMPUTER,
    HOME_ROUTER,
    OTHER_BOX,
    RESOLVER,
    RESOLVER6,
    SITE,
    SITE6,
    Bed,
    wait_for,
)
from beds.netns.box import ALIAS, HTTPS, MESH, OWN, OWN6, Box, fetch
from beds.netns.world import SINK, SOURCE, World, kbit_s, measured, world_of

pytestmark = pytest.mark.bed

RATE = 4000
WORLD = "this is the world"


@dataclass(frozen=True)
class Uplink:
    bed: Bed
    box: Box
    world: World
    told: dict[str, dict[str, str]]


@contextlib.contextmanager
def uplink(bed: Bed, settings: str, mode: str) -> Iterator[Uplink]:
    with bed, world_of(bed) as world:
        box = Box(bed, MESH + settings)
        box.apply(mode)
        box.serve()
        yield Uplink(bed, box, world, {guest: bed.lease(guest) for guest in bed.guests})


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Uplink]:
    """guest_uplink = all"""
    settings = (
        f'[network.uplink]\nguest_uplink = "all"\nguest_kbit_s = {RATE}\n'
        f'resolvers = ["{RESOLVER6}"]\n'
    )
    with uplink(Bed(tmp_path_factory.mktemp("shared")), settings, "shared") as found:
        yield found


@pytest.fixture(scope="module")
def services(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Uplink]:
    """guest_uplink = emergency-services: those at SITE."""
    settings = (
        '[network.uplink]\nguest_uplink = "emergency-services"\n'
        f'emergency_services = ["{SITE}", "{SITE6}"]\n'
    )
    with uplink(Bed(tmp_path_factory.mktemp("services")), settings, "emergency") as found:
        yield found


def refused(uplink: Uplink, address: str, port: int) -> bool:
    try:
        uplink.bed.connect("anna", address, port, timeout_s=0.5).close()
    except OSError:
        return True
    return False


# --- all -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("address", "source"), [(SITE, BOX_AT_HOME), (SITE6, BOX_AT_HOME6)], ids=["ipv4", "ipv6"]
)
@pytest.mark.parametrize("port", [80, 443])
def test_the_world_is_reached_untouched_and_sees_the_box(
    shared: Uplink, address: str, source: str, port: int
) -> None:
    shared.world.callers.clear()

    with shared.bed.connect("anna", address, port) as connection:
        connection.sendall(b"GET / HTTP/1.0\r\n\r\n")
        answer = connection.recv(4096)

    assert answer.endswith(WORLD.encode())
    assert shared.world.callers == [source]


@pytest.mark.parametrize("server", [OWN, OWN6, RESOLVER, RESOLVER6])
def test_names_are_the_worlds_whoever_is_asked(shared: Uplink, server: str) -> None:
    reply = shared.bed.inside("anna", lambda: dns.ask("captive.apple.com", server=server))

    assert reply.addresses == [SITE]


def test_a_browser_of_a_guest_gets_the_page_it_asked_for(shared: Uplink) -> None:
    assert WORLD in fetch(shared.bed, "anna", "http://neverssl.com/").stdout


@pytest.mark.parametrize("host", ["kiezbox.internal", ALIAS])
def test_the_boxs_own_name_and_address_still_answer(shared: Uplink, host: str) -> None:
    assert fetch(shared.bed, "anna", f"http://{host}/").stdout.startswith("HTTP/1.1 200 ")


def test_ipv6_has_a_way_out(shared: Uplink) -> None:
    routes = json.loads(shared.bed.run("anna", "ip -j -6 route show default").stdout)

    assert [(route["gateway"], route["protocol"]) for route in routes] == [("fe80::1", "ra")]


@pytest.mark.parametrize(
    ("address", "port"),
    [
        (HOME_COMPUTER, 80), (HOME_ROUTER, 80), (BOX_AT_HOME, 22), (OTHER_BOX, 80),
        (ALIAS, 22), (ALIAS, 443), (HTTPS, 443), (OWN6, 853), ("2001:db8:77::2", 22),
    ],
)  # fmt: skip
def test_the_home_lan_the_mesh_and_the_box_stay_closed(
    shared: Uplink, address: str, port: int
) -> None:
    assert refused(shared, address, port)


def test_a_guest_does_not_reach_another(shared: Uplink) -> None:
    bora = shared.told["bora"]["ip"]
    shared.bed.run("anna", f"ip route replace {bora}/32 via {OWN} dev wlan0 onlink")

    assert refused(shared, bora, 22)


def test_a_name_of_the_world_never_means_a_computer_in_the_house(shared: Uplink) -> None:
    """DNS rebinding."""
    reply = shared.bed.inside("anna", lambda: dns.ask("evil.example"))

    assert HOME_COMPUTER not in reply.addresses


def test_each_guest_gets_the_set_rate_each_way_and_no_more(shared: Uplink) -> None:
    """At the same time. TCP against a policer must still reach 60 % of the rate."""
    rates: dict[str, float] = {}
    beyond: dict[str, float] = {}

    def use(guest: str, way: str, address: str) -> None:
        with shared.bed.connect(guest, address, SINK if way == "up" else SOURCE) as connection:
            points = measured(connection, sends=way == "up", for_s=3.0)
        rates[f"{guest} {way} {address}"] = kbit_s(points, after_s=1.2)
        # A second's worth may come at once, and the sender's own buffers hold 64 KiB.
        at_once = RATE + 524
        beyond[f"{guest} {way} {address}"] = kbit_s(points, after_s=0) - RATE - at_once / 3.0

    ways = [
        ("anna", "up", SITE), ("anna", "down", SITE6),
        ("bora", "up", SITE6), ("bora", "down", SITE),
    ]  # fmt: skip
    threads = [threading.Thread(target=use, args=way) for way in ways]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(rates) == len(ways)
    assert all(rate >= 0.6 * RATE for rate in rates.values()), rates
    assert all(rate < 0.05 * RATE for rate in beyond.values()), beyond


def test_names_are_found_where_the_machines_own_resolver_is_out_of_reach(shared: Uplink) -> None:
    """The home's router is without power, and the uplink is another box's."""
    told = shared.bed.path("/etc/netns/box/resolv.conf")
    before = told.read_text()
    told.write_text("nameserver 50.0.0.66\n")
    # Begins anew: it looks into that file now and then only.
    os.kill(shared.box.pid_of("dnsmasq"), signal.SIGKILL)
    wait_for(lambda: not shared.box.pid_of("dnsmasq"), "dnsmasq ends")
    shared.box.apply("shared")
    try:
        reply = shared.bed.inside("anna", lambda: dns.ask("far.example", timeout_s=5))
    finally:
        told.write_text(before)

    assert reply.addresses == [SITE]


def test_a_guest_with_a_thousand_flows_leaves_the_others_theirs(shared: Uplink) -> None:
    """One guest may hold 512; the kernel's table is for all."""

    def tracked() -> int:
        return int(shared.bed.run("box", "sysctl -n net.netfilter.nf_conntrack_count").stdout)

    def open_flows() -> None:
        for port in range(20000, 21000):
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
                udp.bind(("", port))
                udp.sendto(b"?", (SITE, 9))

    before = tracked()
    shared.bed.inside("anna", open_flows)

    assert 500 <= tracked() - before <= 540
    with shared.bed.connect("bora", SITE, 80) as connection:
        connection.sendall(b"GET / HTTP/1.0\r\n\r\n")
        assert connection.recv(4096).endswith(WORLD.encode())


def test_while_the_worlds_resolver_is_dead_the_boxs_own_name_answers(shared: Uplink) -> None:
    assert shared.world.resolver is not None
    shared.world.resolver.end()
    try:

        def ask_many() -> dns.Reply:
            for number in range(100):
                with contextlib.suppress(TimeoutError):
                    dns.ask(f"{number}.example", timeout_s=0.001)
            return dns.ask("kiezbox.internal")

        reply = shared.bed.inside("anna", ask_many)
    finally:
        shared.world.start_resolver()

    assert reply.addresses == [ALIAS]


def test_guests_use_the_uplink_of_a_meshed_box_too(shared: Uplink) -> None:
    """Babel would set this route; the other box sees the address of this one, not the guest's."""
    far = "50.0.0.99"
    shared.bed.run("other", f"ip address add {far}/32 dev lo")
    shared.bed.run("box", f"ip route replace {far}/32 via {OTHER_BOX} dev kb-mesh")

    with shared.bed.inside("other", lambda: socket.create_server((far, 80))) as server:
        server.settimeout(5)
        with shared.bed.connect("bora", far, 80):
            guest, (caller, _) = server.accept()
            guest.close()

    assert caller == shared.box.in_mesh()


# --- for other boxes ------------------------------------------------------------------------------


def test_a_box_that_shares_its_uplink_lets_others_out_but_not_into_the_house(
    empty_bed: Bed,
) -> None:
    """In everyday posture: another box's blackout need not be ours."""
    box = Box(empty_bed, MESH + "[network.uplink]\nshare_with_mesh = true\n")
    with world_of(empty_bed) as world:
        box.apply("normal")
        empty_bed.run("other", f"ip route replace default via {box.in_mesh()}")

        with empty_bed.connect("other", SITE, 80) as connection:
            connection.sendall(b"GET / HTTP/1.0\r\n\r\n")
            answer = connection.recv(4096)

        assert answer.endswith(WORLD.encode())
        assert world.callers == [BOX_AT_HOME]
        for address in (HOME_COMPUTER, HOME_ROUTER, BOX_AT_HOME):
            with pytest.raises(OSError):
                empty_bed.connect("other", address, 80, timeout_s=0.5)


# --- emergency services only ----------------------------------------------------------------------


@pytest.mark.parametrize("port", [80, 443])
@pytest.mark.parametrize("address", [SITE, SITE6])
def test_emergency_services_are_reached_untouched(
    services: Uplink, address: str, port: int
) -> None:
    with services.bed.connect("anna", address, port) as connection:
        connection.sendall(b"GET / HTTP/1.0\r\n\r\n")
        answer = connection.recv(4096)

    assert answer.endswith(WORLD.encode())


def test_everything_else_is_led_to_the_portal(services: Uplink) -> None:
    for url in ("http://neverssl.com/", f"http://{RESOLVER}/", f"http://{HOME_COMPUTER}/"):
        assert f"Location: http://{ALIAS}/" in fetch(services.bed, "anna", url).stdout


@pytest.mark.parametrize(
    ("address", "port"),
    [(RESOLVER, 443), (RESOLVER, SINK), (RESOLVER6, SINK), (HOME_COMPUTER, SINK), (OTHER_BOX, 80)],
)
def test_nothing_else_is_reached(services: Uplink, address: str, port: int) -> None:
    if port == 80:
        assert WORLD not in fetch(services.bed, "anna", f"http://{address}/").stdout
    else:
        assert refused(services, address, port)


def test_names_still_mean_the_portal(services: Uplink) -> None:
    for server in (OWN, RESOLVER):
        reply = services.bed.inside("anna", lambda server=server: dns.ask("x.org", server=server))
        assert reply.addresses == [ALIAS]
