"""The box's side: a certificate comes and goes, daemons die, postures flap, the mesh knocks."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import struct
from collections.abc import Iterator
from pathlib import Path

import pytest
from beds.netns import dns
from beds.netns.bed import Bed, wait_for
from beds.netns.box import ALIAS, HTTPS, MESH, OWN6, RUN, Box, fetch
from network.authority import NAME, Authority

pytestmark = pytest.mark.bed

API = f"https://{NAME}/captive"
#: Where the bed's box would look for it.
FOLDER = "/run/certificate"


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Box]:
    """In posture emergency, with a mesh and without a portal."""
    with Bed(tmp_path_factory.mktemp("box")) as bed:
        box = Box(bed, MESH)
        box.apply("emergency")
        bed.lease("anna")
        yield box


# --- a certificate --------------------------------------------------------------------------------


@pytest.fixture
def certified(box: Box, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    """A valid certificate in a box that knows the time; somebody listens on 443 everywhere."""
    authority = Authority(tmp_path / "authority")
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.root))
    folder = box.bed.path(FOLDER)
    authority.certificate(folder)
    synchronized = box.bed.path("/run/systemd/timesync/synchronized")
    synchronized.parent.mkdir(parents=True, exist_ok=True)
    synchronized.touch()
    box.set(f'{MESH}\n[network.certificate]\nname = "{NAME}"\nfolder = "{FOLDER}"\n')
    box.apply("emergency")
    with box.bed.inside(
        "box",
        lambda: socket.create_server(("::", 443), family=socket.AF_INET6, dualstack_ipv6=True),
    ) as listener:
        yield listener
    for path in folder.iterdir():
        path.unlink()
    synchronized.unlink()
    box.set(MESH)
    box.apply("emergency")


def told_by_dhcpv6(bed: Bed, guest: str) -> dict[int, bytes]:
    """Options in the answer to an INFORMATION-REQUEST (RFC 8415, 18.2.6) for DNS and 103."""
    wanted = struct.pack("!HHHH", 6, 4, 23, 103)
    client = struct.pack("!HHHH", 1, 10, 3, 1) + bytes(6)
    message = struct.pack("!I", 11 << 24 | 0x123456) + client + wanted

    def ask() -> bytes:
        with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as udp:
            udp.settimeout(5)
            udp.bind(("::", 546))
            udp.sendto(message, ("ff02::1:2", 547, 0, socket.if_nametoindex("wlan0")))
            return udp.recv(2048)

    answer, at, found = bed.inside(guest, ask), 4, {}
    while at < len(answer):
        code, size = struct.unpack_from("!HH", answer, at)
        found[code] = answer[at + 4 : at + 4 + size]
        at += 4 + size
    return found


def is_open(bed: Bed, address: str, port: int) -> bool:
    try:
        bed.connect("anna", address, port, timeout_s=1).close()
    except OSError:
        return False
    return True


def test_with_a_good_certificate_phones_are_told_of_the_portal_and_443_opens_in_one_place(
    box: Box, certified: socket.socket
) -> None:
    lease = box.bed.lease("anna")
    name = box.bed.inside("anna", lambda: dns.ask(NAME))

    assert bytes.fromhex(lease["opt114"]).decode() == API
    assert told_by_dhcpv6(box.bed, "anna")[103].decode() == API
    assert name.addresses == [HTTPS]
    assert [is_open(box.bed, each, 443) for each in (HTTPS, ALIAS, OWN6)] == [True, False, False]


def test_without_one_nothing_is_told_and_443_is_closed_everywhere(
    box: Box, certified: socket.socket
) -> None:
    (box.bed.path(FOLDER) / "fullchain.pem").unlink()

    box.apply("emergency")

    assert "opt114" not in box.bed.lease("anna")
    assert told_by_dhcpv6(box.bed, "anna").keys() & {23, 103} == {23}
    assert box.bed.inside("anna", lambda: dns.ask(NAME)).addresses == [ALIAS]
    assert not is_open(box.bed, HTTPS, 443)


def test_dhcpv6_names_the_box_as_resolver(box: Box) -> None:
    found = told_by_dhcpv6(box.bed, "anna")

    assert socket.inet_ntop(socket.AF_INET6, found[23]) == OWN6


# --- daemons die ----------------------------------------------------------------------------------


def test_after_kill_9_of_dnsmasq_everything_is_closed_as_before_and_no_lease_is_lost(
    box: Box,
) -> None:
    address = box.bed.lease("anna")["ip"]
    rules = box.bed.run("box", "nft -s list table inet kiezbox").stdout
    killed = box.pid_of("dnsmasq")

    os.kill(killed, signal.SIGKILL)
    wait_for(lambda: box.pid_of("dnsmasq") != killed, "dnsmasq ends")

    assert not is_open(box.bed, ALIAS, 22)
    assert box.bed.run("box", "nft -s list table inet kiezbox").stdout == rules
    box.apply("emergency")
    assert box.pid_of("dnsmasq") not in (0, killed)
    assert address in box.leases()
    assert box.bed.lease("anna")["ip"] == address


def test_a_guest_that_joins_is_noted_without_its_hardware_address(box: Box) -> None:
    address = box.bed.lease("bora")["ip"]

    joined = wait_for(
        lambda: [path for path in box.bed.path(f"{RUN}/joined").iterdir() if path.name == address],
        "the hook has run",
    )

    assert joined[0].read_text() == ""


# --- postures flap --------------------------------------------------------------------------------


def state(box: Box) -> dict[str, object]:
    """What could be left behind: links, addresses, routes, rules, kernel settings, processes."""
    bed = box.bed
    links = json.loads(bed.run("box", "ip -j address").stdout)
    processes = bed.run("box", "ps -eo comm=").stdout.split()
    keys = ["net.ipv4.ip_forward", "net.ipv6.conf.all.forwarding", "net.ipv6.conf.eth0.accept_ra"]
    return {
        "addresses": {
            link["ifname"]: (
                link["operstate"],
                link.get("master"),
                sorted(each["local"] for each in link["addr_info"] if "local" in each),
            )
            for link in links
        },
        "routes": sorted(bed.run("box", "ip -4 route show table all").stdout.splitlines()),
        "rules": bed.run("box", "ip rule").stdout,
        "tables": bed.run("box", "nft list tables").stdout,
        "kernel": bed.run("box", ["sysctl", *keys]).stdout,
        "processes": sorted(set(processes) - {"ps"}),
        "files": sorted(
            path.name
            for path in bed.path(RUN).rglob("*")
            if "log" not in path.parts and "joined" not in path.parts
        ),
    }


def flap(box: Box, times: int) -> None:
    box.apply("normal")
    before = state(box)

    for _ in range(times):
        box.apply("emergency")
        box.apply("normal")

    assert state(box) == before
    assert "kb-street" not in str(before["addresses"])
    assert "dnsmasq" not in str(before["processes"])


def test_a_flapping_grid_leaves_nothing_behind(empty_bed: Bed) -> None:
    flap(Box(empty_bed), 3)


@pytest.mark.long
def test_a_grid_that_flaps_twenty_times_leaves_nothing_behind(empty_bed: Bed) -> None:
    flap(Box(empty_bed, MESH), 20)


def test_guests_keep_their_addresses_from_posture_to_posture(empty_bed: Bed) -> None:
    """A phone does not notice that the box was given an uplink."""
    box = Box(empty_bed, '[network.uplink]\nguest_uplink = "all"\n')
    box.apply("emergency")
    address = box.bed.lease("anna")["ip"]

    box.apply("shared")

    assert box.bed.lease("anna")["ip"] == address
    assert address in box.leases()


# --- the mesh knocks ------------------------------------------------------------------------------


def test_another_box_reaches_what_a_mesh_needs_and_nothing_else(box: Box) -> None:
    """Not the guests' names and pages, not SSH, not the desk; Babel and respondd are UDP."""
    own = box.in_mesh()
    box.bed.run("other", "ping -c 1 -W 2 " + own)

    found = box.bed.run("other", f"nmap -n -Pn -sS -T5 --max-retries 1 -p- {own}", timeout=60)

    assert "Nmap done" in found.stdout
    assert re.findall(r"^\d+/tcp\s+open", found.stdout, re.MULTILINE) == []


def test_another_box_does_not_reach_a_guest_nor_the_home_lan(box: Box) -> None:
    own = box.in_mesh()
    box.bed.run("box", "sysctl -qw net.ipv4.ip_forward=1")
    address = box.bed.lease("anna")["ip"]
    try:
        for target in (address, "192.168.77.50", "192.168.77.2", ALIAS):
            box.bed.run("other", f"ip route replace {target}/32 via {own}")
            with pytest.raises(OSError):
                box.bed.connect("other", target, 80, timeout_s=0.5)
    finally:
        box.bed.run("box", "sysctl -qw net.ipv4.ip_forward=0")


def test_the_portal_is_not_for_the_mesh_but_for_the_street(box: Box) -> None:
    portal = box.serve()
    try:
        assert fetch(box.bed, "anna", f"http://{ALIAS}/").stdout.startswith("HTTP/1.1 200 ")
        own = box.in_mesh()
        with pytest.raises(ConnectionRefusedError):
            box.bed.connect("other", own, 80)
    finally:
        portal.end()
