"""One guest does harm; the others are served as if there were none."""

from __future__ import annotations

import contextlib
import itertools
import random
import socket
import threading
import time
from collections.abc import Callable, Iterator

import pytest
from beds.netns import dns
from beds.netns.bed import hardware_address
from beds.netns.box import ALIAS, OWN, RUN, fetch
from beds.netns.conftest import Street
from beds.netns.forging import (
    arp_claim,
    dhcp_discover,
    dhcp_release,
    ethernet,
    hardware,
    ip,
    packet_socket,
    send,
    station,
    tcp_ack,
    tcp_syn,
    udp,
)

from kiezbox.network.limits import HELD

pytestmark = pytest.mark.bed

ANNA, BORA = (hardware(hardware_address(number)) for number in (1, 2))
#: What a guest may wait for anything while another does harm.
PATIENCE_S = 2.0


@pytest.fixture
def forger(street: Street) -> Iterator[socket.socket]:
    """Anna's way to send whole frames."""
    with street.bed.inside("anna", packet_socket) as found:
        yield found


@pytest.fixture
def open_air(street: Street) -> Iterator[None]:
    """An access point that takes frames from anybody, such as a cheap switch."""
    street.bed.run("air", "bridge link set dev anna locked off learning on")
    yield
    street.bed.run("air", "bridge link set dev anna locked on learning off")


@contextlib.contextmanager
def meanwhile(harm: Callable[[], object]) -> Iterator[None]:
    """``harm`` is done a hundred times a second as long as the block lasts.

    Not faster: all of the bed shares this computer's processors, and a WLAN carries no more than
    ten to twenty thousand frames a second.
    """
    is_over = threading.Event()

    def go() -> None:
        while not is_over.wait(0.01):
            harm()

    thread = threading.Thread(target=go)
    thread.start()
    try:
        yield
    finally:
        is_over.set()
        thread.join()


def seconds(what: Callable[[], object]) -> float:
    begun = time.monotonic()
    what()
    return time.monotonic() - begun


def page(street: Street) -> None:
    """Bora joins, asks for a name, and gets the portal's page."""
    answer = fetch(street.bed, "bora", "http://kiezbox.internal/")
    assert answer.stdout.startswith("HTTP/1.1 200 "), answer


def tracked(street: Street) -> int:
    """Connections that the box's kernel remembers."""
    shown = street.bed.run("box", "sysctl -n net.netfilter.nf_conntrack_count").stdout
    return int(shown)


def test_invented_hardware_addresses_get_no_leases(street: Street, forger: socket.socket) -> None:
    before = street.box.leases()

    send((dhcp_discover(ANNA, station()) for _ in range(3000)), forger)

    assert seconds(lambda: street.bed.lease("bora")) < PATIENCE_S
    assert street.box.leases() == before


def test_a_station_gets_one_lease_however_many_clients_it_claims_to_be(
    street: Street, forger: socket.socket
) -> None:
    before = street.box.leases()

    for number in range(30):
        send([dhcp_discover(ANNA, ANNA, b"\0client %d" % number)], forger)

    assert seconds(lambda: street.bed.lease("bora")) < PATIENCE_S
    assert sorted(street.box.leases()) == sorted(before)


def test_nobody_gives_back_the_lease_of_another(street: Street, forger: socket.socket) -> None:
    address = street.bed.lease("bora")["ip"]

    frame = dhcp_release(ANNA, BORA, address, street.box.hardware, OWN)
    send([frame] * 5, forger)

    assert seconds(lambda: street.bed.lease("anna")) < PATIENCE_S
    assert address in street.box.leases()


def test_a_station_that_asks_for_leases_all_the_time_hinders_nobody(
    street: Street, forger: socket.socket
) -> None:
    with meanwhile(lambda: send([dhcp_discover(ANNA, ANNA)] * 100, forger)):
        taken_s = seconds(lambda: street.bed.lease("bora"))

    assert taken_s < PATIENCE_S


def test_a_flood_of_questions_leaves_the_others_their_answers(
    street: Street, forger: socket.socket
) -> None:
    to, message = street.box.hardware, dns.question("flood.example", dns.A, 1)
    source = street.told["anna"]["ip"]
    frames = itertools.cycle(
        ethernet(ANNA, to, ip(source, OWN, 17, udp(port, 53, message)))
        for port in range(2000, 12000)
    )
    before = tracked(street)

    with meanwhile(lambda: send(itertools.islice(frames, 300), forger)):
        replies = [street.bed.inside("bora", asked) for _ in range(30)]

    send(itertools.islice(frames, 10000), forger)
    assert [reply.addresses for reply in replies] == [[ALIAS]] * 30
    assert tracked(street) - before < 1000


def asked() -> dns.Reply:
    """As a phone does it, which asks again after a while."""
    for _ in range(3):
        with contextlib.suppress(TimeoutError):
            return dns.ask("example.org", timeout_s=0.5)
    raise TimeoutError("no answer to three questions")


def test_questions_over_tcp_that_never_end_leave_room_for_others(street: Street) -> None:
    """dnsmasq serves 20 at once, each for up to 150 s."""
    hoarded: list[socket.socket] = []
    with contextlib.suppress(OSError):
        for _ in range(40):
            hoarded.append(street.bed.connect("anna", OWN, 53, timeout_s=0.3))
    try:
        reply = street.bed.inside("bora", lambda: dns.ask("example.org", over="tcp"))
    finally:
        for each in hoarded:
            each.close()

    assert reply.addresses == [ALIAS]
    assert len(hoarded) < 20


def test_hoarded_connections_and_half_requests_do_not_keep_the_page_from_others(
    street: Street,
) -> None:
    hoarded: list[socket.socket] = []

    def hoard() -> None:
        for _ in range(150):
            each = socket.socket()
            each.setblocking(False)
            hoarded.append(each)
            with contextlib.suppress(BlockingIOError):
                each.connect((ALIAS, 80))

    street.bed.inside("anna", hoard)
    try:
        for each in hoarded:
            with contextlib.suppress(OSError):
                each.send(b"GET / HTTP/1.1\r\nHost: kie")
        taken_s = seconds(lambda: page(street))
    finally:
        for each in hoarded:
            each.close()

    assert taken_s < PATIENCE_S


def test_a_station_holds_a_limited_number_of_connections(street: Street) -> None:
    """With eight instead of a hundred: the portal itself lets one guest have sixteen."""
    rules = street.bed.path(f"{RUN}/emergency/ruleset.nft").read_text()
    few = rules.replace(f"ct count over {HELD['holding']} ", "ct count over 8 ")
    assert few != rules
    street.bed.run("box", "nft -f -", input=few)
    held: list[socket.socket] = []
    try:
        with pytest.raises(ConnectionRefusedError):
            for _ in range(12):
                held.append(street.bed.connect("bora", ALIAS, 80))
    finally:
        street.bed.run("box", "nft -f -", input=rules)
        for each in held:
            each.close()

    assert len(held) == 8


@pytest.mark.parametrize("family", ["ipv4", "ipv6"])
def test_a_flood_of_connections_from_forged_sources_hinders_nobody(
    street: Street, forger: socket.socket, family: str
) -> None:
    """Any source of the street may be forged, but not the station."""
    to = street.box.hardware

    def source() -> tuple[str, str]:
        number = random.randrange(2, 1000)
        if family == "ipv4":
            return f"10.42.{number // 256}.{number % 256}", ALIAS
        return f"fd00:6b62::{random.randrange(1 << 16):x}:{number:x}", "fd00:6b62::1"

    def flood() -> None:
        for _ in range(100):
            here, there = source()
            packet = ip(here, there, 6, tcp_syn(random.randrange(1024, 65536), 80))
            forger.send(ethernet(ANNA, to, packet))

    before = tracked(street)
    with meanwhile(flood):
        taken_s = max(seconds(lambda: page(street)) for _ in range(5))

    assert taken_s < PATIENCE_S
    assert tracked(street) - before < 1000


def test_nobody_takes_the_pages_of_another_by_claiming_the_address(
    street: Street, forger: socket.socket
) -> None:
    bora, to = street.told["bora"]["ip"], street.box.hardware

    with meanwhile(lambda: send([arp_claim(ANNA, bora, to)] * 100, forger)):
        taken_s = max(seconds(lambda: page(street)) for _ in range(5))

    assert taken_s < PATIENCE_S


def test_a_flood_of_pieces_of_connections_fills_no_table(
    street: Street, forger: socket.socket
) -> None:
    """Connection tracking would take up each as one that began before it was there."""
    to, here = street.box.hardware, street.told["anna"]["ip"]
    frames = [
        ethernet(ANNA, to, ip(here, ALIAS, 6, tcp_ack(port, 80))) for port in range(2000, 6000)
    ]
    before = tracked(street)

    send(frames, forger)

    assert seconds(lambda: page(street)) < PATIENCE_S
    assert tracked(street) - before < 50


def test_where_the_sets_are_full_newcomers_are_served_and_the_known_still_limited(
    street: Street, forger: socket.socket, open_air: None
) -> None:
    rules = street.bed.path(f"{RUN}/emergency/ruleset.nft").read_text()
    assert "size 16384" in rules
    small = rules.replace("size 16384", "size 8")
    street.bed.run("box", "nft -f -", input=small)
    to, message = street.box.hardware, dns.question("full.example", dns.A, 1)
    for number in range(64):
        packet = ip(f"10.42.0.{10 + number}", OWN, 17, udp(4000, 53, message))
        send([ethernet(station(), to, packet)], forger)
        packet = ip(f"10.42.0.{10 + number}", OWN, 6, tcp_syn(4000, 80))
        send([ethernet(station(), to, packet)], forger)
    try:
        page(street)
        reply = street.bed.inside("bora", lambda: dns.ask("example.org"))
    finally:
        street.bed.run("box", "nft -f -", input=rules)

    assert reply.addresses == [ALIAS]


def test_where_the_access_point_admits_anybody_invented_stations_do_not_use_up_the_addresses(
    street: Street, forger: socket.socket, open_air: None
) -> None:
    """Not at once: 200 messages are served, then 50 a second. A /22 has 1021 addresses."""
    before = len(street.box.leases())

    def attack_and_join() -> None:
        send((dhcp_discover(each, each) for each in [station() for _ in range(2000)]), forger)
        street.bed.lease("bora")

    taken_s = seconds(attack_and_join)

    assert taken_s < 10
    assert len(street.box.leases()) - before <= 200 + 50 * taken_s + 1


def test_invented_stations_are_stopped_by_the_access_point(
    street: Street, forger: socket.socket
) -> None:
    """As hostapd does it; the bed's bridge must do the same, or the tests above mean little."""
    before = street.box.leases()

    send((dhcp_discover(invented, invented) for invented in [station() for _ in range(50)]), forger)

    assert seconds(lambda: street.bed.lease("bora")) < PATIENCE_S
    assert street.box.leases() == before
