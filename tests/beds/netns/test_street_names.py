"""What names mean to a guest, and what a lease tells. Captive portal contract, 2.1."""

from __future__ import annotations

import ipaddress
import json
import socket
import struct
from collections.abc import Iterator
from pathlib import Path

import pytest
from beds.netns import dns
from beds.netns.bed import RESOLVER, RESOLVER6, wait_for
from beds.netns.box import ALIAS, HTTPS, OWN, OWN6
from beds.netns.conftest import Street

pytestmark = pytest.mark.bed

#: Names that systems ask for before anything else (contract, 2.2).
PROBED = (
    "captive.apple.com", "connectivitycheck.gstatic.com", "www.google.com", "play.googleapis.com",
    "www.msftconnecttest.com", "detectportal.firefox.com", "nmcheck.gnome.org",
    "connectivity-check.ubuntu.com", "neverssl.com", "tagesschau.de", "a.b.c.d.example",
)  # fmt: skip


def ask(street: Street, name: str, kind: int = dns.A, **how: object) -> dns.Reply:
    return street.bed.inside("anna", lambda: dns.ask(name, kind, **how))  # type: ignore[arg-type]


@pytest.mark.parametrize("over", ["udp", "tcp"])
@pytest.mark.parametrize("name", PROBED)
def test_every_name_means_the_public_alias_for_ten_seconds_at_most(
    street: Street, name: str, over: str
) -> None:
    reply = ask(street, name, over=over)

    assert reply.rcode == dns.NOERROR
    assert reply.addresses == [ALIAS]
    assert all(ttl <= 10 for _, ttl, _ in reply.answers)


def test_the_alias_is_none_that_android_or_samsung_mistrust() -> None:
    """java.net.Inet4Address.isSiteLocalAddress, isLinkLocalAddress, isLoopbackAddress."""
    mistrusted = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16", "127.0.0.0/8")

    alias = ipaddress.ip_address(ALIAS)

    assert not any(alias in ipaddress.ip_network(network) for network in mistrusted)


@pytest.mark.parametrize("kind", [dns.AAAA, dns.HTTPS, dns.SVCB, dns.TXT])
@pytest.mark.parametrize("name", [*PROBED[:3], "kiezbox.internal"])
def test_other_questions_are_answered_with_nothing_not_with_no(
    street: Street, name: str, kind: int
) -> None:
    assert ask(street, name, kind) == dns.Reply(dns.NOERROR, ())


@pytest.mark.parametrize("kind", [dns.A, dns.AAAA, dns.HTTPS])
@pytest.mark.parametrize(
    "name", ["use-application-dns.net", "mask.icloud.com", "mask-h2.icloud.com"]
)
def test_canaries_are_told_no(street: Street, name: str, kind: int) -> None:
    """Firefox: any answer but NOERROR with addresses switches its own resolver off."""
    reply = ask(street, name, kind)

    assert reply.rcode == dns.NXDOMAIN
    assert reply.answers == ()


@pytest.mark.parametrize("name", ["wpad", "wpad.fritz.box", "wpad.lan", "wpad.home.arpa"])
def test_there_is_no_proxy_to_be_found(street: Street, name: str) -> None:
    assert ask(street, name) == dns.Reply(dns.NXDOMAIN, ())


@pytest.mark.parametrize(
    ("kind", "address"), [(dns.A, "131.107.255.255"), (dns.AAAA, "fd3e:4f5a:5b81::1")]
)
def test_windows_finds_the_address_it_compares(street: Street, kind: int, address: str) -> None:
    assert ask(street, "dns.msftncsi.com", kind).addresses == [address]


@pytest.mark.parametrize("over", ["udp", "tcp"])
@pytest.mark.parametrize("server", [RESOLVER, "8.8.8.8", "192.168.77.1", ALIAS, OWN])
def test_whoever_is_asked_we_answer(street: Street, server: str, over: str) -> None:
    """dns.ask takes an answer only from the one who was asked."""
    assert ask(street, "example.org", server=server, over=over).addresses == [ALIAS]


@pytest.mark.parametrize("over", ["udp", "tcp"])
@pytest.mark.parametrize("server", [RESOLVER6, "2001:4860:4860::8888", OWN6])
def test_whoever_is_asked_over_ipv6_we_answer(street: Street, server: str, over: str) -> None:
    street.bed.run("anna", "ip -6 route replace default via fe80::1 dev wlan0")

    assert ask(street, "example.org", server=server, over=over).addresses == [ALIAS]


# --- the lease ------------------------------------------------------------------------------------


def test_a_lease_names_the_box_as_router_and_resolver(street: Street) -> None:
    told = street.told["anna"]

    assert told["router"] == told["dns"] == told["serverid"] == OWN
    assert ipaddress.ip_address(told["ip"]) in ipaddress.ip_network("10.42.0.0/22")
    assert told["lease"] == "2700"


def test_without_a_certificate_a_lease_says_nothing_of_a_portal(street: Street) -> None:
    assert "opt114" not in street.told["anna"]


def test_ipv6_comes_with_a_local_prefix_and_without_a_way_out(street: Street) -> None:
    def addresses() -> list[str]:
        shown = street.bed.run("bora", "ip -j -6 address show dev wlan0 scope global").stdout
        found = [
            info.get("local", "")
            for link in json.loads(shown)
            for info in link.get("addr_info", [])
        ]
        return [address for address in found if address.startswith("fd00:6b62:")]

    wait_for(addresses, "an address from the router's prefix")

    routes = json.loads(street.bed.run("bora", "ip -j -6 route show default").stdout)
    assert routes == []


def test_an_advertisement_names_our_resolver_and_no_router_and_no_portal(street: Street) -> None:
    """RFC 4861, 4.2; RFC 8106, 5.1 (option 25); RFC 8910, 2.3 (37, which dnsmasq cannot send)."""
    found = street.bed.inside("bora", solicited)

    hops, flags, lifetime_s = struct.unpack_from("!BBH", found, 4)
    options = dict(options_of(found[16:]))
    assert hops > 0
    assert lifetime_s == 0
    assert flags & 0xC0 == 0x40, "addresses from the prefix, the rest by DHCPv6"
    assert ipaddress.ip_address(options[3][14:30]) == ipaddress.ip_address("fd00:6b62::")
    assert ipaddress.ip_address(options[25][6:22]) == ipaddress.ip_address(OWN6)
    assert 37 not in options


def solicited() -> bytes:
    """The answer to a router solicitation."""
    with socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6) as icmp:
        icmp.settimeout(5)
        icmp.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, 255)
        icmp.bind(("::", 0, 0, socket.if_nametoindex("wlan0")))
        icmp.sendto(bytes([133]) + bytes(7), ("ff02::2", 0, 0, socket.if_nametoindex("wlan0")))
        while (message := icmp.recv(2048))[0] != 134:
            pass
        return message


def options_of(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Type and content, without the two bytes of type and length (in eight bytes)."""
    while data:
        size = data[1] * 8
        yield data[0], data[2:size]
        data = data[size:]


def test_dhclient_is_served_too(street: Street, tmp_path: Path) -> None:
    """ISC's client, another writing of RFC 2131."""
    script = tmp_path / "script"
    script.write_text('#!/bin/sh\necho "$reason $new_ip_address $new_routers" >>"$0.said"\n')
    script.chmod(0o755)
    files = ["-lf", str(tmp_path / "leases"), "-pf", str(tmp_path / "pid"), "-cf", "/dev/null"]

    street.bed.run("anna", ["dhclient", "-1", "-sf", str(script), *files, "wlan0"])

    said = (tmp_path / "script.said").read_text()
    assert f"BOUND {street.told['anna']['ip']} {OWN}" in said
    street.bed.run("anna", ["dhclient", "-x", "-sf", "/bin/true", *files, "wlan0"])


def test_the_https_name_is_only_a_name_like_all_others(street: Street) -> None:
    assert ask(street, "portal.example.org").addresses == [ALIAS] != [HTTPS]
