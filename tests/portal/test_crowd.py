"""Who is one guest: on our own link each IPv6 address, while new ones come as phones do."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from kiezbox.portal import crowd
from kiezbox.portal.buckets import Buckets, Limits
from kiezbox.portal.crowd import MOST_KNOWN, NEW_AT_ONCE, NEW_EACH_S, Links, is_network

OURS = "fd12:3456:789a:1::1"


class Monotonic:
    """Seconds that pass when told to."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Monotonic:
    return Monotonic()


@pytest.fixture
def links(clock: Monotonic) -> Links:
    links = Links(clock)
    links.is_ours(OURS)
    return links


def guest(number: int, network: str = "fd12:3456:789a:1") -> str:
    return f"{network}::1:{number:x}"


def test_two_guests_on_our_link_are_two_and_a_foreign_network_is_one(links: Links) -> None:
    assert links.party_of(guest(1)) != links.party_of(guest(2))
    assert links.party_of(guest(1, "fd99:0:0:5")) == links.party_of(guest(2, "fd99:0:0:5"))
    assert not is_network(links.party_of(guest(1)))
    assert is_network(links.party_of(guest(1, "fd99:0:0:5")))


def test_ipv4_and_the_box_itself_are_what_they_were(links: Links) -> None:
    links.is_ours("10.42.0.1")
    links.is_ours("::1")

    assert links.party_of("10.42.0.7") == "10.42.0.7"
    assert links.party_of("::1") == "::1"


def test_whoever_makes_up_addresses_is_soon_one_guest_and_those_before_stay_themselves(
    links: Links, clock: Monotonic
) -> None:
    neighbours = {links.party_of(guest(n)) for n in range(20)}

    flood = {links.party_of(guest(n)) for n in range(1000, 65_000)}

    assert not neighbours & flood
    assert len(flood) == NEW_AT_ONCE - 20 + 1
    assert sum(map(is_network, flood)) == 1


def test_known_guests_stay_themselves_while_addresses_are_made_up_for_hours(
    links: Links, clock: Monotonic
) -> None:
    known = links.party_of(guest(1))
    for n in range(1000, 1000 + 3 * MOST_KNOWN):
        clock.now += 1.0
        links.party_of(guest(n))
        assert links.party_of(guest(1)) == known

    assert len(links._known) <= MOST_KNOWN


def test_a_street_that_joins_later_is_let_in_one_by_one(links: Links, clock: Monotonic) -> None:
    for n in range(NEW_AT_ONCE):
        links.party_of(guest(n))
    assert is_network(links.party_of(guest(500)))

    clock.now += NEW_EACH_S

    assert not is_network(links.party_of(guest(501)))
    assert is_network(links.party_of(guest(502)))
    # What was decided stays: letters are counted by it.
    assert is_network(links.party_of(guest(500)))


def test_one_guest_by_ipv6_spends_its_own_points_and_nobody_elses(
    links: Links, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(crowd, "_links", links)
    buckets = Buckets(Limits(client_burst=30, network_factor=10))
    spent = 0
    while not buckets.wait_s(guest(1), 3):
        buckets.take(guest(1), 3)
        spent += 3

    assert spent == 30
    assert buckets.wait_s(guest(2), 3) == 0


#: In a network of its own: a box with the address ::1 of a link, and guests on it.
_GUESTS = """
import json, socket, subprocess, sys
from pathlib import Path
sys.path[:0] = sys.argv[2].split(":")
link = "fd12:3456:789a:1"
subprocess.run(["ip", "link", "set", "lo", "up"], check=True, timeout=10)
for n in (1, *range(0x100, 0x100 + 3)):
    subprocess.run(["ip", "-6", "addr", "add", f"{link}::{n:x}/64", "dev", "lo", "nodad"],
                   check=True, timeout=10)
from street import read_all, running, split
from urllib.parse import urlencode
import re
folder = Path(sys.argv[1])

def ask(port, client, whole):
    where = f"{link}::1", port
    with socket.create_connection(where, timeout=20, source_address=(client, 0)) as c:
        c.sendall(whole)
        return split(read_all(c))

def post(port, client, text):
    head = f"Host: [{link}::1]\\r\\nConnection: close\\r\\n"
    page = ask(port, client, f"GET /de/board/write HTTP/1.1\\r\\n{head}\\r\\n".encode())[2].decode()
    token = re.search(r'name=token value="([0-9a-f]{40})"', page).group(1)
    body = urlencode({"token": token, "topic": "1", "hours": "24", "text": text}).encode()
    head += f"Content-Length: {len(body)}\\r\\n\\r\\n"
    return ask(port, client, f"POST /de/board HTTP/1.1\\r\\n{head}".encode() + body)[0]

with running(["--run-dir", str(folder / "run"), "--store", str(folder / "kiezbox.db"),
              "--listen", f"[{link}::1]:0", "--secrets", str(folder)]) as portal:
    found = {"flood": [post(portal.port, f"{link}::100", f"Flut {n}") for n in range(40)],
             "others": [post(portal.port, f"{link}::{n:x}", "Biete Suppe") for n in (0x101, 0x102)]}
print(json.dumps(found))
"""


@pytest.mark.skipif(
    os.geteuid() != 0 or not shutil.which("unshare"), reason="needs root for a network of its own"
)
def test_a_guest_by_ipv6_who_floods_the_board_keeps_no_other_off_it(box: Path) -> None:
    from street import fresh, outage, write_facts

    write_facts(box / "run", fresh(outage()))
    here = Path(__file__).resolve()
    done = subprocess.run(
        ["unshare", "--net", sys.executable, "-c", _GUESTS, str(box),
         f"{here.parent}:{here.parents[2]}"],
        capture_output=True, text=True, timeout=60, check=False, cwd=here.parents[2],
    )  # fmt: skip

    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["flood"].count(200) == 10
    assert found["flood"].count(429) == 30
    assert found["others"] == [200, 200]
