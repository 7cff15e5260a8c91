"""What is open to a guest, and what is not: ports, other guests, the mesh, the home LAN."""

from __future__ import annotations

import re
import socket
import threading
import time
from collections.abc import Iterator

import pytest
from beds.netns import dns
from beds.netns.bed import (
    BOX_AT_HOME,
    HOME_COMPUTER,
    OTHER_BOX,
    SITE,
    SITE6,
    Bed,
    hardware_address,
)
from beds.netns.box import ALIAS, HTTPS, OWN, OWN6, OWN_LINK_LOCAL, fetch
from beds.netns.conftest import Street
from beds.netns.forging import ethernet, hardware, ip, packet_socket, send, udp

pytestmark = pytest.mark.bed

#: What a box may run beside ours, on all its addresses: SSH, the desk, a printer, a
#: database, NTP, the boxes' own port.
TCP_SERVICES = (22, 25, 111, 443, 631, 853, 1883, 3306, 7412, 8080, 8081)
UDP_SERVICES = (111, 123, 161, 443, 500, 1002, 1900, 4500, 5353, 51820)


@pytest.fixture(scope="module", autouse=True)
def services(street: Street) -> Iterator[dict[int, socket.socket]]:
    """Listen on the box's every address, as careless services do; UDP sockets by port."""

    def listen() -> list[socket.socket]:
        found = []
        for port in TCP_SERVICES:
            found.append(
                socket.create_server(("::", port), family=socket.AF_INET6, dualstack_ipv6=True)
            )
        for port in UDP_SERVICES:
            udp = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
            udp.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
            udp.bind(("::", port))
            udp.setblocking(False)
            found.append(udp)
        return found

    sockets = street.bed.inside("box", listen)
    yield {each.getsockname()[1]: each for each in sockets if each.type == socket.SOCK_DGRAM}
    for each in sockets:
        each.close()


def scan(bed: Bed, *arguments: str) -> dict[str, str]:
    """nmap's verdicts other than the common one: {"53/tcp": "open"}."""
    words = ["nmap", "-n", "-Pn", "-T5", "--max-retries", "1", *arguments]
    found = bed.run("anna", words, timeout=60).stdout
    assert "Nmap done" in found, found
    return dict(re.findall(r"^(\d+/\w+)\s+(\S+)", found, re.MULTILINE))


@pytest.mark.parametrize("address", [OWN, ALIAS, HTTPS, BOX_AT_HOME])
def test_of_65535_tcp_ports_names_and_pages_are_open(street: Street, address: str) -> None:
    """At the box's address in the home LAN, it is our redirection that answers."""
    found = scan(street.bed, "-sS", "-p-", address)

    assert found == {"53/tcp": "open", "80/tcp": "open"}


@pytest.mark.parametrize("address", [OWN6, f"{OWN_LINK_LOCAL}%wlan0"])
def test_of_65535_tcp_ports_over_ipv6_the_same_are_open(street: Street, address: str) -> None:
    found = scan(street.bed, "-6", "-e", "wlan0", "-sS", "-p-", address)

    assert found == {"53/tcp": "open", "80/tcp": "open"}


@pytest.mark.parametrize("address", [OWN, ALIAS, BOX_AT_HOME, OWN6])
def test_no_datagram_reaches_a_service_of_the_box(
    street: Street, services: dict[int, socket.socket], address: str
) -> None:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET

    with street.bed.inside("anna", lambda: socket.socket(family, socket.SOCK_DGRAM)) as guest:
        for port in services:
            guest.sendto(b"\0" * 32, (address, port))
    # One wire: what was sent before this question has arrived before it.
    server = OWN6 if ":" in address else OWN
    street.bed.inside("anna", lambda: dns.ask("after.example", server=server))

    for port, service in services.items():
        with pytest.raises(BlockingIOError):
            service.recv(64)
            pytest.fail(f"reached port {port}")


@pytest.mark.parametrize("port", [443, 853])
@pytest.mark.parametrize(
    "address", [ALIAS, HTTPS, OWN, SITE, "1.1.1.1", "17.253.144.10", HOME_COMPUTER, OWN6, SITE6]
)
def test_https_and_private_dns_are_refused_within_100_ms_wherever_they_go(
    street: Street, address: str, port: int
) -> None:
    """Contract, 2.1: a phone must see at once that https does not work, and no certificate."""
    if ":" in address:
        street.bed.run("anna", "ip -6 route replace default via fe80::1 dev wlan0")

    assert min(refused_after_s(street, address, port) for _ in range(3)) < 0.1


def refused_after_s(street: Street, address: str, port: int) -> float:
    begun = time.monotonic()
    with pytest.raises(ConnectionRefusedError):
        street.bed.connect("anna", address, port)
    return time.monotonic() - begun


@pytest.mark.parametrize("address", [ALIAS, SITE, "1.1.1.1"])
def test_quic_is_refused_by_icmp(street: Street, address: str) -> None:
    with street.bed.inside("bora", lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as udp:
        udp.settimeout(1)
        udp.connect((address, 443))
        udp.send(b"\xc0" + bytes(1199))

        with pytest.raises(ConnectionRefusedError):
            udp.recv(64)


@pytest.mark.parametrize(
    "address", ["http://neverssl.com/", "http://192.0.2.1/", f"http://{HOME_COMPUTER}/"]
)
def test_every_page_is_led_to_the_portal(street: Street, address: str) -> None:
    answer = fetch(street.bed, "anna", address).stdout

    assert answer.startswith("HTTP/1.1 302 ")
    assert f"Location: http://{ALIAS}/" in answer


@pytest.mark.parametrize("host", [ALIAS, OWN, "kiezbox.internal", f"[{OWN6}]"])
def test_the_portal_answers_at_its_addresses_and_its_name(street: Street, host: str) -> None:
    assert fetch(street.bed, "anna", f"http://{host}/").stdout.startswith("HTTP/1.1 200 ")


# --- who reaches whom -----------------------------------------------------------------------------


def is_heard(bed: Bed, listener: str, speaker: str, address: str, port: int = 4000) -> bool:
    """Whether a TCP connection of the speaker gets through to a listener with that address."""
    with bed.inside(listener, lambda: socket.create_server(("", port))) as server:
        server.settimeout(0.3)
        called = threading.Thread(target=_call, args=(bed, speaker, address, port))
        called.start()
        try:
            server.accept()[0].close()
        except TimeoutError:
            return False
        finally:
            called.join()
    return True


def _call(bed: Bed, speaker: str, address: str, port: int) -> None:
    try:
        bed.connect(speaker, address, port, timeout_s=0.3).close()
    except OSError:
        pass


def test_a_guest_does_not_reach_another_through_the_box(street: Street) -> None:
    """Isolation at the access point is undermined by a router that sends packets back; a route of
    its own to the neighbour is what an attacker would add."""
    bora = street.told["bora"]["ip"]
    street.bed.run("anna", f"ip route replace {bora}/32 via {OWN} dev wlan0 onlink")

    assert not is_heard(street.bed, "bora", "anna", bora)


@pytest.mark.parametrize(
    ("listener", "address"),
    [("world", HOME_COMPUTER), ("world", SITE), ("other", OTHER_BOX)],
    ids=["home", "internet", "mesh"],
)
def test_a_guest_reaches_nothing_behind_the_box(
    street: Street, listener: str, address: str
) -> None:
    assert not is_heard(street.bed, listener, "anna", address)
    assert is_heard(street.bed, listener, "box", address) or listener == "other"


def test_even_where_the_machine_forwards_for_others_nothing_of_a_guest_is_forwarded(
    street: Street,
) -> None:
    """Docker, a VPN or a maker may have switched forwarding on."""
    street.bed.run("box", "sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1")
    try:
        for listener, address in (("world", HOME_COMPUTER), ("world", SITE), ("other", OTHER_BOX)):
            assert not is_heard(street.bed, listener, "anna", address)
    finally:
        street.bed.run("box", "sysctl -qw net.ipv4.ip_forward=0 net.ipv6.conf.all.forwarding=0")


@pytest.mark.parametrize(("victim", "asked"), [(SITE, OWN), (SITE6, OWN6)], ids=["ipv4", "ipv6"])
def test_nobody_is_answered_who_is_not_on_the_street(
    street: Street, victim: str, asked: str
) -> None:
    """A forged source could make the box talk to whom the forger likes."""
    family = socket.AF_INET6 if ":" in victim else socket.AF_INET
    question = ip(victim, asked, 17, udp(4000, 53, dns.question("forged.example", dns.A, 1)))
    frame = ethernet(hardware(hardware_address(1)), street.box.hardware, question)

    with street.bed.inside("world", lambda: socket.socket(family, socket.SOCK_DGRAM)) as heard:
        heard.bind((victim, 4000))
        heard.settimeout(0.2)
        with street.bed.inside("anna", packet_socket) as forger:
            send([frame] * 10, forger)

        with pytest.raises(TimeoutError):
            heard.recv(512)


def test_the_street_is_not_reached_from_the_home_lan(street: Street) -> None:
    anna = street.told["anna"]["ip"]
    street.bed.run("world", f"ip route replace {anna}/32 via {BOX_AT_HOME}")

    assert not is_heard(street.bed, "anna", "world", anna)


def test_the_boxs_own_way_out_and_ssh_from_home_stay_as_they_were(street: Street) -> None:
    assert is_heard(street.bed, "world", "box", SITE)
    with street.bed.connect("world", BOX_AT_HOME, 22):
        pass


def test_ping_of_the_box_works_and_is_limited(street: Street) -> None:
    """So that a helper sees whether the box is there, and nobody keeps it busy."""
    done = street.bed.run("anna", f"ping -q -c 60 -i 0.002 -W 1 {OWN}", is_checked=False)

    received = int(re.search(r"(\d+) received", done.stdout)[1])  # type: ignore[index]
    assert 1 <= received <= 40
