"""A box as a client of Freifunk, as it is found: names dead, the broker by address.

::

    anna ─ box ─ lan ─ router ─ air ─ world

Gluon: IPv6 first. Everything is one link up to the gateway, which advertises a local prefix and
a default route; IPv4 comes by DHCP from there, too. Maps ask by respondd.
(gluon.readthedocs.io: site.conf's prefix6, "Batman-adv", "Monitoring".)

Falter (Berlin): routed IPv4. The router hands out a /28 of its own and translates to its one
address in the mesh, where every node is a /32; its IPv6 is a local prefix without a way out.
(freifunk-berlin/falter-packages: falter-berlin-dhcp-defaults, falter-berlin-network-defaults.)
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from beds.freifunk.places import PUBLISH, Place, Resident
from beds.freifunk.test_boxes_among_themselves import ask
from beds.netns.bed import RESOLVER, RESOLVER6, SITE, Program, wait_for
from beds.netns.world import World

from kiezbox.privacy.grid import snapped

pytestmark = pytest.mark.bed

#: RFC 5737 and RFC 3849 addresses where Freifunk's own would be public ones.
GLUON6, GLUON4 = "fd01:67c:2ed8:1::", "10.169."
FALTER4, FALTER6 = "10.36.5.", "fd5b:b1a:77::"
#: More often than radvd likes, for which it must speak to mobile hosts (radvd.conf(5)).
OFTEN = "AdvSendAdvert on; AdvIntervalOpt on; MinRtrAdvInterval 1.5; MaxRtrAdvInterval 2;"
#: Where the broker is, of each: in the prefix, and a /32 behind the router.
BROKER = {"gluon": f"{GLUON6}1883", "falter": "10.230.1.9"}

UPLINK = """
[network.uplink]
interface = "eth0"
guest_uplink = "all"
respondd = true
"""
PLACE = "latitude = 52.4861\nlongitude = 13.3559\n"


@dataclass(frozen=True)
class Network:
    kind: str
    place: Place
    box: Resident
    world: World
    listener: Program

    def state(self) -> dict[str, object]:
        """What the uplink is to the box: addresses and ways out, without how long they hold."""
        found: dict[str, object] = {}
        for family in ("-4", "-6"):
            links = json.loads(
                self.place.run("box", f"ip -j {family} address show dev eth0").stdout
            )
            found[family] = sorted(
                each["local"] for link in links for each in link.get("addr_info", ())
            )
        for family in ((), ("-6",)):
            routes = self.place.routes("box", *family, "default")
            found[f"routes {family}"] = sorted((each["gateway"], each["dev"]) for each in routes)
        return found

    def publish(self) -> float:
        """Seconds until the broker had confirmed a reading."""
        before = self.heard()
        done = self.place.run("box", [sys.executable, "-c", PUBLISH, BROKER[self.kind], "-"])
        wait_for(lambda: self.heard() > before, "the listener hears the reading")
        return float(done.stdout)

    def heard(self) -> int:
        return self.listener.said().count('"v":21.5')


def gluon(place: Place) -> None:
    """The gateway's services; the node between is a bridge."""
    place.run("router", "sysctl -qw net.ipv6.conf.all.forwarding=1 net.ipv4.ip_forward=1")
    radvd = place.path("/run/radvd.conf")
    radvd.write_text(
        f"interface lan {{ {OFTEN}"
        f" AdvDefaultLifetime 9000; prefix {GLUON6}/64 {{ }}; RDNSS {GLUON6}1 {{ }}; }};\n"
    )
    radvd.chmod(0o644)
    _leases(place, f"{GLUON4}8.2,{GLUON4}8.200,255.255.0.0", f"{GLUON4}0.1")


def falter(place: Place) -> None:
    place.run("router", "sysctl -qw net.ipv4.ip_forward=1")
    radvd = place.path("/run/radvd.conf")
    radvd.write_text(
        f"interface lan {{ {OFTEN} AdvDefaultLifetime 0; prefix {FALTER6}/64 {{ }}; }};\n"
    )
    radvd.chmod(0o644)
    # OLSR lays out a route for every node; the world knows the router's one address alone.
    place.run("router", "ip route add 10.230.1.9/32 dev air")
    place.run("world", "ip route add 10.230.1.1/32 dev air")
    nat = 'type nat hook postrouting priority srcnat\noifname "air" masquerade'
    place.run("router", "nft -f -", input=f"table ip nat {{ chain leave {{ {nat}\n}}\n}}\n")
    _leases(place, f"{FALTER4}2,{FALTER4}14,255.255.255.240", f"{FALTER4}1")


def _leases(place: Place, pool: str, router: str) -> None:
    """DHCP as the router does it, and a resolver that never answers: its way out is cut."""
    place.run("router", "nft -f -", input=(
        "table inet dead { chain first { type filter hook prerouting priority raw\n"
        "udp dport 53 drop\ntcp dport 53 drop\n}\n}\n"))  # fmt: skip
    place.start("router", [
        "dnsmasq", "-k", "--conf-file=/dev/null", "--port=0", "--pid-file=", "--leasefile-ro",
        "--interface=lan", f"--dhcp-range={pool},1h", f"--dhcp-option=3,{router}", "--user=root",
        f"--dhcp-option=6,{router}", "--dhcp-authoritative", "--no-ping"])  # fmt: skip
    place.start("router", ["radvd", "-n", "-C", "/run/radvd.conf", "-p", "/run/radvd.pid"])


ADDRESSES = {
    "gluon": {
        "router:lan": [f"{GLUON4}0.1/16", f"{GLUON6}1/64"],
        "router:air": ["192.0.2.1/24"], "world:air": ["192.0.2.2/24"],
    },
    "falter": {
        "router:lan": [f"{FALTER4}1/28", f"{FALTER6}1/64"],
        "router:air": ["10.230.1.1/32"], "world:air": ["10.230.1.9/32"],
    },
}  # fmt: skip


@pytest.fixture(scope="module", params=["gluon", "falter"])
def network(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Network]:
    kind = request.param
    wires = [("box:ap0", "anna:wlan0"), ("box:eth0", "router:lan"), ("router:air", "world:air")]
    addresses = ADDRESSES[kind] | {"world:lo": [SITE, RESOLVER, f"{RESOLVER6}/128"]}
    folder = tmp_path_factory.mktemp(kind)
    with Place(folder, wires, addresses=addresses, guests=["anna"]) as place, World(place) as world:
        gateway = "10.230.1.9" if kind == "falter" else "192.0.2.2"
        place.run("router", f"ip route add default via {gateway} dev air onlink")
        broker = "world" if kind == "falter" else "router"
        if kind == "gluon":
            gluon(place)
            place.run("router", f"ip address add {BROKER[kind]}/64 dev lan nodad")
            place.run("world", "ip route add 10.169.0.0/16 via 192.0.2.1")
        else:
            falter(place)
        conf = place.path("/run/mosquitto.conf")
        conf.write_text("listener 1883\nallow_anonymous true\nuser root\n")
        place.start(broker, ["mosquitto", "-c", "/run/mosquitto.conf"])
        listener = place.start(broker, [
            "sh", "-c", "until mosquitto_sub -t 'kiezbox/#'; do sleep 0.1; done"])  # fmt: skip
        # The box's system: whatever manages Ethernet there. It takes what it is given.
        place.path("/etc/netns/box/resolv.conf").write_text("nameserver 10.169.0.1\n")
        place.run("box", "udhcpc -i eth0 -n -q -f -t 20 -T 1 -A 1 -s /run/lease-script".split(),
                  env={"GUEST": "box", "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"})  # fmt: skip
        box = Resident(place, "box", UPLINK)
        file = place.path("/run/box/kiezbox.toml")
        file.write_text(
            file.read_text().replace('name = "Box box"\n', f'name = "Box box"\n{PLACE}')
        )
        prefix = (GLUON6 if kind == "gluon" else FALTER6).rstrip(":")
        here = Network(kind, place, box, world, listener)
        wait_for(
            lambda: any(str(each).startswith(prefix) for each in here.state()["-6"]),  # type: ignore[attr-defined]
            "the box has an address of the advertised prefix",
        )
        box.apply("closed")
        yield here


def test_the_box_has_what_the_network_gives(network: Network) -> None:
    state = network.state()

    four = GLUON4 if network.kind == "gluon" else FALTER4
    assert any(str(each).startswith(four) for each in state["-4"])  # type: ignore[attr-defined]
    assert bool(state["routes ('-6',)"]) == (network.kind == "gluon")
    network.box.wait_for_uplink("own")


def test_readings_arrive_by_address_while_names_are_dead(network: Network) -> None:
    dead = network.place.run("box", "timeout 1 getent ahosts mqtt.example.org", is_checked=False)
    assert dead.returncode != 0

    # No name is looked up on the way: the resolver's first pause would be 5 s (resolv.conf(5)).
    assert network.publish() < 4


@pytest.mark.parametrize("posture", ["emergency", "shared", "closed"])
def test_no_posture_disturbs_the_uplink(network: Network, posture: str) -> None:
    before = network.state()

    network.box.apply(posture)

    assert network.state() == before
    assert network.publish() < 4


def test_a_box_that_forwards_still_listens_to_its_router(network: Network) -> None:
    """The trap: a forwarding Linux takes no advertised default route, nor renews one (ip-sysctl,
    accept_ra). The advertised prefix's address must be renewed, too.
    """
    network.box.apply("shared")

    def expiries() -> tuple[int, ...]:
        """Seconds for which the address, and with Gluon the default route, were last promised."""
        link = json.loads(network.place.run("box", "ip -j -6 address show dev eth0").stdout)[0]
        lives = [each["valid_life_time"] for each in link["addr_info"] if each["scope"] == "global"]
        routes = network.place.routes("box", "-6", "default")
        return (*lives, *(each["expires"] for each in routes if "expires" in each))

    first = expiries()
    assert len(first) == (2 if network.kind == "gluon" else 1)

    # They go down by the second and up again with each advertisement.
    def is_renewed() -> bool:
        nonlocal first
        now = expiries()
        risen = all(later > earlier for earlier, later in zip(first, now, strict=True))
        first = tuple(min(pair) for pair in zip(first, now, strict=True))
        return risen

    wait_for(is_renewed, "a promise is renewed", limit_s=10)


def test_guests_reach_the_world_through_freifunk(network: Network) -> None:
    network.box.apply("shared")
    network.place.lease("anna")

    with network.place.connect("anna", SITE, 80) as connection:
        connection.sendall(b"GET / HTTP/1.0\r\n\r\n")
        answer = connection.recv(4096)

    assert answer.endswith(b"this is the world")


def test_a_freifunk_map_shows_the_box(network: Network) -> None:
    (said,) = ask(network.place, "router", "lan", b"GET nodeinfo statistics neighbours", most=1)

    assert said["nodeinfo"]["hostname"] == "Box box"
    # The middle of its square of the public grid (docs/privacy.md), not where it hangs.
    latitude, longitude, _ = snapped(52.4861, 13.3559, 100)
    assert said["nodeinfo"]["location"] == {
        "latitude": round(latitude, 5), "longitude": round(longitude, 5),
    }  # fmt: skip
    assert said["nodeinfo"]["location"] != {"latitude": 52.4861, "longitude": 13.3559}
    assert "clients" in said["statistics"]


def test_leaving_leaves_the_kernel_as_it_was(network: Network) -> None:
    network.box.apply("closed")

    keys = ["net.ipv6.conf.all.forwarding", "net.ipv6.conf.eth0.accept_ra",
            "net.ipv4.conf.eth0.forwarding"]  # fmt: skip
    found = network.place.run("box", ["sysctl", "-n", *keys]).stdout.split()
    assert found == ["0", "1", "0"]
