"""Two boxes at a wire with babeld: found, shared, withdrawn, and apart from each other's guests.

::

    anna ─ one ─┐              ┌─ two ─ bora
                ├─ mesh ───────┤
    world ──────┘ (one's eth0) └─ stranger   on the same wire, without the key

batman-adv is not in every kernel; ``beds.radio`` has it, on virtual radios.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import sys
import time
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from beds.freifunk.places import PUBLISH, Place, Resident
from beds.netns.bed import BOX_AT_HOME, HOME_ROUTER, RESOLVER, RESOLVER6, SITE, wait_for
from beds.netns.world import World

from kiezbox.neighbours import babel

pytestmark = pytest.mark.bed

MESH = """
[network.mesh]
interface = "mesh0"
kind = "wire"
key_file = "/run/{name}/mesh.key"
routing = "babel"
broker_port = {broker}
"""
#: A server of Freifunk's behind one's uplink: an address as private as the house's own.
SERVER = "192.168.77.53"
SHARES = f"""
[network.uplink]
share_with_mesh = true
interface = "eth0"
emergency_services = ["{SERVER}"]
"""
GIVES = '[network.uplink]\nguest_uplink = "all"\n'


@dataclass(frozen=True)
class Street:
    place: Place
    one: Resident
    two: Resident
    world: World


@pytest.fixture(scope="module")
def street(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Street]:
    wires = [
        ("one:ap0", "anna:wlan0"), ("two:ap0", "bora:wlan0"), ("one:eth0", "world:eth0"),
        ("one:mesh0", "wire:one"), ("two:mesh0", "wire:two"), ("stranger:mesh0", "wire:stranger"),
    ]  # fmt: skip
    addresses = {
        "one:eth0": [f"{BOX_AT_HOME}/24"], "world:eth0": [f"{HOME_ROUTER}/24", f"{SERVER}/24"],
        "world:lo": [SITE, RESOLVER, f"{RESOLVER6}/128"],
    }  # fmt: skip
    folder = tmp_path_factory.mktemp("boxes")
    place = Place(folder, wires, switches=["wire"], addresses=addresses, guests=["anna", "bora"])
    with place, World(place) as world:
        place.run("one", f"ip route add default via {HOME_ROUTER}")
        one = Resident(place, "one", MESH.format(name="one", broker=1883) + SHARES)
        two = Resident(place, "two", MESH.format(name="two", broker=0) + GIVES)
        # The grid is there where the uplink is; around the corner it is not.
        one.apply("closed")
        two.apply("shared")
        yield Street(place, one, two, world)


def ask(
    place: Place, where: str, interface: str, question: bytes, *, most: int, limit_s: float = 1
) -> list[Any]:
    """As a collector of Freifunk's maps asks; the first ``most`` answers, unpacked."""

    def go() -> list[Any]:
        answers = []
        with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as asking:
            asking.settimeout(limit_s)
            index = socket.if_nametoindex(interface)
            asking.sendto(question, ("ff02::2:1001", 1001, 0, index))
            while len(answers) < most:
                try:
                    answers.append(json.loads(zlib.decompress(asking.recv(65536), -15)))
                except TimeoutError:
                    break
        return answers

    return place.inside(where, go)


def is_refused(place: Place, where: str, address: str, port: int) -> bool:
    try:
        place.connect(where, address, port, timeout_s=0.7).close()
    except OSError:
        return True
    return False


def test_boxes_find_each_other(street: Street) -> None:
    wait_for(lambda: "kb-two" in street.one.neighbours(), "one hears two")
    wait_for(lambda: "kb-one" in street.two.neighbours(), "two hears one")

    heard = street.two.neighbours()["kb-one"]
    assert heard["name"] == "Box one" and heard["has_uplink"] is True
    assert heard["link_local"].startswith("fe80::")
    assert heard["address"] in street.place.run("one", "ip address show dev kb-mesh").stdout
    assert street.one.neighbours()["kb-two"]["has_uplink"] is False


def test_one_boxs_uplink_serves_the_others_guests(street: Street) -> None:
    street.one.wait_for_uplink("own")
    street.two.wait_for_uplink("mesh")
    street.place.lease("bora")
    street.world.callers.clear()

    with street.place.connect("bora", SITE, 80) as connection:
        connection.sendall(b"GET / HTTP/1.0\r\n\r\n")
        answer = connection.recv(4096)

    assert answer.endswith(b"this is the world")
    # One's address: what is two's, and who its guests are, stays in the mesh.
    assert street.world.callers == [BOX_AT_HOME]


def test_a_box_reaches_the_world_itself_through_the_other(street: Street) -> None:
    street.two.wait_for_uplink("mesh")

    assert not is_refused(street.place, "two", SITE, 80)


def test_the_mesh_is_no_way_to_the_house_behind_the_uplink(street: Street) -> None:
    street.two.wait_for_uplink("mesh")

    assert is_refused(street.place, "two", HOME_ROUTER, 80)
    assert not is_refused(street.place, "two", SERVER, 80), "but to who is named in it"
    assert is_refused(street.place, "bora", HOME_ROUTER, 80)


def test_a_map_sees_both_boxes_and_the_link_between_them(street: Street) -> None:
    street.two.wait_for_uplink("mesh")

    answers = ask(street.place, "stranger", "mesh0", b"GET nodeinfo statistics neighbours", most=2)

    boxes = {each["nodeinfo"]["hostname"]: each for each in answers}
    assert set(boxes) == {"Box one", "Box two"}
    one, two = boxes["Box one"], boxes["Box two"]
    assert one["statistics"]["uptime"] > 0
    links = two["neighbours"]["babel"]["kb-mesh"]["neighbours"]
    (own,) = [each for each in one["nodeinfo"]["network"]["addresses"] if each.startswith("fe80")]
    # RFC 8966, appendix A.2.1: an unimpaired wire costs 96.
    assert links[own]["cost"] == 96


def test_guests_of_one_box_are_nothing_to_the_guests_of_the_other(street: Street) -> None:
    """Hostile on the mesh, too: two lays routes to one's street by hand."""
    place = street.place
    street.one.apply("emergency")
    place.lease("anna")
    (door,) = [
        each["local"]
        for link in json.loads(place.run("anna", "ip -j -6 address show dev wlan0").stdout)
        for each in link["addr_info"]
        if each["scope"] == "global"
    ][:1] or [""]
    listening = place.inside(
        "anna",
        lambda: socket.create_server(("::", 4444), family=socket.AF_INET6, dualstack_ipv6=True),
    )
    meshed = street.two.neighbours()["kb-one"]["address"]
    anna = next(line.split()[2] for line in street.one.says("leases").splitlines() if "." in line)
    place.run("two", f"ip route add {anna}/32 via {meshed} dev kb-mesh onlink")
    place.run("two", f"ip route add 198.51.100.1/32 via {meshed} dev kb-mesh onlink table 44")

    with listening:
        for where in ("two", "bora"):
            assert is_refused(place, where, anna, 4444)
            assert not door or is_refused(place, where, door, 4444)
        assert not is_refused(place, "anna", anna, 4444), "it does listen"
    place.run("two", f"ip route delete {anna}/32")
    street.one.apply("closed")


def test_the_mesh_reaches_no_service_of_a_box_but_a_lent_broker(street: Street) -> None:
    place = street.place
    found = json.loads(place.run("one", "ip -j address show dev kb-mesh").stdout)[0]["addr_info"]
    ours = [each["local"] for each in found if each["scope"] == "global"]

    def listening(port: int) -> socket.socket:
        return place.inside(
            "one",
            lambda: socket.create_server(("::", port), family=socket.AF_INET6, dualstack_ipv6=True),
        )

    with listening(22), listening(80), listening(8090):
        for port in (22, 80, 8090, 33123):
            assert not is_refused(place, "one", "::1", port), f"somebody listens on {port}"
            assert all(is_refused(place, "two", address, port) for address in ours)
    with listening(1883):
        assert not any(is_refused(place, "two", address, 1883) for address in ours)
        assert is_refused(place, "bora", ours[0], 1883), "guests have no business with it"


def test_readings_arrive_at_a_broker_found_in_the_mesh(street: Street) -> None:
    place = street.place
    conf = place.path("/run/mosquitto.conf")
    conf.write_text("listener 1883\nallow_anonymous true\nuser root\n")
    mosquitto = place.start("one", ["mosquitto", "-c", "/run/mosquitto.conf"])
    command = [sys.executable, "-c", PUBLISH, "mesh", "/run/two/network"]

    took_s = float(place.run("two", command).stdout)

    mosquitto.end()
    assert took_s < 4


def test_a_stranger_without_the_key_is_nobodys_way_to_the_world(street: Street) -> None:
    """A babeld without key, on the same wire, that announces a better way."""
    place = street.place
    place.run("stranger", "ip address add 10.43.200.1/16 dev mesh0")
    place.run("stranger", "ip link add name out type bridge")
    place.run("stranger", "ip link set out up")
    place.run("stranger", "ip route add default dev out")
    conf = (
        "local-port 33123\nskip-kernel-setup true\n"
        "interface mesh0 type wired hello-interval 0.3 update-interval 1\n"
        "redistribute ip 0.0.0.0/0 eq 0 proto 3 allow\n"
    )
    place.path("/run/stranger.conf").write_text(conf)
    street.two.wait_for_uplink("mesh")
    babeld = place.start("stranger", ["babeld", "-c", "/run/stranger.conf", "-S", "", "-I", ""])

    try:
        # He has heard three hellos of both, and so has told his news three times as often.
        wait_for(lambda: _well_heard(place, "stranger") == 2, "the stranger hears both boxes")
        (route,) = place.routes("two", "default")
        assert route["gateway"] == street.two.neighbours()["kb-one"]["address"]
        assert _well_heard(place, "two") == 1, "he is nobody's neighbour"
    finally:
        babeld.end()


def _well_heard(place: Place, where: str) -> int:
    """Of how many neighbours babeld has heard the last three hellos (RFC 8966, appendix A.1)."""
    heard = babel.neighbours(place.inside(where, babel.dump))
    return sum(int(each["reach"], 16) & 0xE000 == 0xE000 for each in heard)


def test_a_box_with_my_address_is_noticed(street: Street) -> None:
    mine = street.one.neighbours()["kb-two"]["address"]
    packer = zlib.compressobj(wbits=-15)
    said = json.dumps({"kiezbox": {"id": "kb-twin", "address": mine}}).encode()
    forged = packer.compress(said) + packer.flush()

    def tell() -> None:
        with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as telling:
            telling.bind(("::", 1001))
            index = socket.if_nametoindex("mesh0")
            telling.sendto(forged, ("ff02::2:1001", 1001, 0, index))

    street.place.inside("stranger", tell)

    clash = wait_for(
        lambda: json.loads(street.two.says("neighbours.json"))["clash"], "two notices its twin"
    )
    assert clash == {"what": "address", "value": mine, "with": "kb-twin"}


def test_hostile_bytes_cost_neither_the_answer_nor_memory(street: Street) -> None:
    place, pid = street.place, street.two.pid_of("neighbours")
    noise = [os.urandom(size % 1400) for size in range(3000)]
    noise += [b"GET " + b"nodeinfo " * 28, b"GET " * 63, b"\x00" * 1200, b"nodeinfo" * 100]

    def shout() -> None:
        with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as shouting:
            index = socket.if_nametoindex("mesh0")
            for packet in noise:
                shouting.sendto(packet, ("ff02::2:1001", 1001, 0, index))

    place.inside("stranger", shout)

    # His bucket is empty for a while; another sender's is not, nor is his for ever.
    wait_for(
        lambda: len(ask(place, "stranger", "mesh0", b"GET nodeinfo", most=2, limit_s=0.3)) == 2,
        "they answer again",
    )
    status = dict(
        line.split(":", 1)
        for line in open(f"/proc/{pid}/status").read().splitlines()
        if ":" in line
    )
    assert int(status["VmHWM"].split()[0]) < 15 * 1024


def test_a_lost_uplink_is_withdrawn_within_seconds(street: Street) -> None:
    """babeld 1.12 withdraws an IPv4 default route wrongly; kiezbox-babel-withdraw.path starts it
    anew when respondd writes ``withdrawn``, which this test does in its place.
    """
    street.two.wait_for_uplink("mesh")

    street.place.run("one", "ip route delete default")
    began = time.monotonic()
    wait_for(lambda: street.one.says("withdrawn"), "one notices at once", 1)
    os.kill(street.one.pid_of("babeld"), signal.SIGTERM)

    street.one.wait_for_uplink("none", 1)
    street.two.wait_for_uplink("none", 5)
    assert time.monotonic() - began < 5
    assert street.place.routes("two", "default") == []


def test_dark_leaves_nothing_of_the_mesh(street: Street) -> None:
    for box in (street.one, street.two):
        box.apply("dark")

        links = json.loads(street.place.run(box.name, "ip -j link show").stdout)
        assert "kb-mesh" not in {link["ifname"] for link in links}
        assert set(box.processes()) == {"sleep infinity "}
        assert box.says("uplink") == box.says("neighbours.json") == ""
