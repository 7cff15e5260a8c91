"""Where babel routes, a box in the middle carries for those who do not hear each other."""

from __future__ import annotations

from pathlib import Path

import pytest
from beds.freifunk.places import Place, Resident
from beds.freifunk.test_boxes_among_themselves import GIVES, MESH, SHARES
from beds.netns.bed import BOX_AT_HOME, HOME_ROUTER, RESOLVER, RESOLVER6, SITE, wait_for
from beds.netns.world import World

pytestmark = [pytest.mark.bed, pytest.mark.long]


def test_the_first_boxs_uplink_serves_the_third(tmp_path: Path) -> None:
    """The middle one hears both ears of the wire; between them nothing passes."""
    wires = [
        ("one:ap0", "anna:wlan0"), ("mid:ap0", "bora:wlan0"), ("far:ap0", "cem:wlan0"),
        ("one:eth0", "world:eth0"), ("one:mesh0", "air:one"), ("mid:mesh0", "air:mid"),
        ("far:mesh0", "air:far"),
    ]  # fmt: skip
    addresses = {
        "one:eth0": [f"{BOX_AT_HOME}/24"], "world:eth0": [f"{HOME_ROUTER}/24"],
        "world:lo": [SITE, RESOLVER, f"{RESOLVER6}/128"],
    }  # fmt: skip
    place = Place(tmp_path, wires, switches=["air"], addresses=addresses, guests=["cem"])
    with place, World(place) as world:
        for end in ("one", "far"):
            place.run("air", f"ip link set {end} type bridge_slave isolated on")
        place.run("one", f"ip route add default via {HOME_ROUTER}")
        one = Resident(place, "one", MESH.format(name="one", broker=0) + SHARES)
        mid = Resident(place, "mid", MESH.format(name="mid", broker=0))
        far = Resident(place, "far", MESH.format(name="far", broker=0) + GIVES)
        for box, posture in ((one, "closed"), (mid, "closed"), (far, "shared")):
            box.apply(posture)

        far.wait_for_uplink("mesh", 40)
        wait_for(lambda: set(far.neighbours()) == {"kb-mid"}, "far hears mid alone")
        place.lease("cem")
        with place.connect("cem", SITE, 80) as connection:
            connection.sendall(b"GET / HTTP/1.0\r\n\r\n")
            answer = connection.recv(4096)

        assert answer.endswith(b"this is the world")
        assert world.callers == [BOX_AT_HOME]
