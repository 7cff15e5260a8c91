"""What is laid out for the mesh. Hashes are from sha256sum(1), not from our code."""

from __future__ import annotations

import ipaddress
import json
import shutil
import subprocess
import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiezbox.errors import NetworkError, SettingsError
from kiezbox.network import mesh
from kiezbox.settings import MeshSettings, Settings, parse

KEY = "elf kleine Zeichen oder mehr"


def machine(**differently: Any) -> Any:
    lacks_nothing = {"has_batman": True, "has_babel": True, "mesh_key": KEY}
    return SimpleNamespace(**(lacks_nothing | differently))


def settings(box: str = "kb-test-1", uplink: dict[str, Any] | None = None, **mesh: Any) -> Settings:
    network = {"mesh": {"interface": "wlan1", **mesh}, "uplink": uplink or {}}
    return parse(Settings, {"box": {"id": box}, "network": network})


# --- addresses -------------------------------------------------------------------------------


def test_a_box_has_the_same_addresses_for_ever() -> None:
    """printf 'kiezbox mesh address kb-test-1' | sha256sum: 53833d4917629586 7cbe601338c0a216 …
    0x53833d4917629586 mod 65534 + 1 = 21903 = 85·256 + 143. The prefix: fd and the first 40 bits of
    printf 'kiezbox mesh prefix kiezbox-mesh' | sha256sum. Boxes in the field rely on them.
    """
    of = MeshSettings()

    assert str(mesh.address("kb-test-1", of)) == "10.43.85.143"
    assert str(mesh.network6(of)) == "fdad:25ba:612d::/64"
    assert str(mesh.address6("kb-test-1", of)) == "fdad:25ba:612d:0:7cbe:6013:38c0:a216"


@given(box=st.from_regex(r"[a-z0-9](-?[a-z0-9]){0,30}", fullmatch=True), bits=st.integers(16, 28))
def test_an_address_is_always_one_that_a_box_can_have(box: str, bits: int) -> None:
    network = ipaddress.IPv4Network(f"10.64.0.0/{bits}")

    found = mesh.address(box, MeshSettings(network=str(network)))

    assert found in network
    assert found not in (network.network_address, network.broadcast_address)


def test_the_odds_of_a_clash_are_those_of_the_page() -> None:
    """20 boxes of 65534 places: 1 in 345 (the birthday problem), so of 3450 streets about ten."""
    of = MeshSettings()

    clashes = sum(
        len({mesh.address(f"kb-{street}-{box}", of) for box in range(20)}) < 20
        for street in range(3450)
    )

    # Poisson with mean 10: outside 1 to 25 less than once in 10 000 such tests.
    assert 1 <= clashes <= 25


def test_an_address_given_by_hand_wins_and_must_be_of_the_mesh() -> None:
    given = settings(address="10.43.7.1")

    assert str(mesh.address("kb-test-1", given.network.mesh)) == "10.43.7.1"
    with pytest.raises(SettingsError, match=r"10\.42\.0\.1 is outside network 10\.43\.0\.0/16"):
        settings(address="10.42.0.1")


# --- which routing ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("asked", "has", "way"),
    [
        ("auto", {}, "batman"),
        ("auto", {"has_batman": False}, "babel"),
        ("auto", {"has_batman": False, "has_babel": False}, "plain"),
        ("babel", {}, "babel"),
        ("plain", {}, "plain"),
    ],
)
def test_the_routing_is_the_first_that_is_there(asked: str, has: dict[str, bool], way: str) -> None:
    assert mesh.routing(MeshSettings(routing=asked), machine(**has)) == way


@pytest.mark.parametrize("way", ["batman", "babel"])
def test_a_routing_that_is_not_there_is_said_with_its_package(way: str) -> None:
    lacking = machine(has_batman=False, has_babel=False)

    with pytest.raises(NetworkError, match="does not have") as caught:
        mesh.files(settings(routing=way), lacking)

    assert {"batman": "batctl", "babel": "babeld"}[way] in caught.value.hint


# --- files -----------------------------------------------------------------------------------


def test_without_a_mesh_only_the_uplink_is_watched() -> None:
    alone = parse(Settings, {"box": {"id": "kb-1"}})

    assert list(mesh.files(alone, machine(mesh_key=None))) == ["mesh/respondd.json"]


@pytest.mark.parametrize(
    "key", [None, "", "short", "x" * 64, "zwölf Zeichen sind es", "two\nlines in it"]
)
def test_a_mesh_without_a_good_key_is_no_mesh(key: str | None) -> None:
    with pytest.raises(NetworkError, match=r"/etc/kiezbox/mesh\.key"):
        mesh.files(settings(), machine(mesh_key=key))


def test_the_key_stands_only_in_files_that_are_named_secret() -> None:
    files = mesh.files(settings(), machine())

    digits = KEY.encode().hex()
    telling = {name for name, text in files.items() if KEY in text or digits in text}
    assert telling == {"mesh/wpa_supplicant.conf"}
    assert "key id mesh type hmac-sha256 value" in files["mesh/babeld.conf"]
    assert {"mesh/wpa_supplicant.conf", "mesh/babeld.conf"} <= mesh.SECRETS


def test_batman_carries_whole_frames_and_keeps_its_address() -> None:
    first = mesh.files(settings(), machine())["mesh/batman.ip"]
    again = mesh.files(settings(), machine())["mesh/batman.ip"]

    assert first == again
    assert "type batadv" in first and "mtu 1532" in first


@pytest.mark.parametrize(("way", "forwards"), [("batman", 0), ("babel", 0), ("plain", 1)])
def test_80211s_forwards_only_where_nobody_else_does(way: str, forwards: int) -> None:
    conf = mesh.files(settings(routing=way), machine())["mesh/wpa_supplicant.conf"]

    assert f" mesh_fwding={forwards}\n" in conf


@pytest.mark.parametrize("way", ["batman", "babel", "plain"])
def test_what_is_put_up_is_what_is_taken_down(way: str) -> None:
    files = mesh.files(settings(routing=way), machine())

    up, down = files["mesh/up.ip"], files["mesh/down.ip"]
    made = [line for line in up.splitlines() if line.split()[1] == "add"]
    undone = {line.replace(" delete ", " add ") for line in down.splitlines()}
    if way == "batman":
        assert {line.removesuffix(" nodad") for line in made} == undone
    else:
        # With the bridge goes all that is on it.
        assert made[0].startswith("link add name kb-mesh") and undone == {"link add dev kb-mesh"}


def test_a_shared_uplink_is_offered_and_another_one_never() -> None:
    shares = {"share_with_mesh": True, "interface": "eth0"}

    offered = mesh.files(settings(uplink=shares), machine())["mesh/babeld.conf"]
    kept = mesh.files(settings(), machine())["mesh/babeld.conf"]

    assert "redistribute ip 0.0.0.0/0 eq 0 proto 3 if eth0 metric 128" in offered
    assert "redistribute ip" not in kept


def test_babeld_leaves_the_machines_forwarding_alone() -> None:
    """It would set net.ipv6.conf.all.forwarding, and an IPv6 client that forwards takes no default
    route from its router any more (Linux, ip-sysctl.rst, accept_ra).
    """
    assert mesh.files(settings(), machine())["mesh/babeld.conf"].startswith(
        "skip-kernel-setup true"
    )


@pytest.mark.parametrize("name", ["kiezbox-mesh", 'qu"ote', "back\\slash", "#not a comment", "ü"])
def test_wpa_supplicant_itself_reads_what_was_meant(name: str, tmp_path: Path) -> None:
    """The real one, on ``lo``, with its driver for wires: it tells what it has read."""
    program = shutil.which("wpa_supplicant", path="/usr/sbin:/sbin:/usr/bin")
    if program is None:
        pytest.skip("skipped, because wpa_supplicant is not installed (tests/prepare)")
    conf = tmp_path / "wpa_supplicant.conf"
    conf.write_text(mesh.files(settings(name=name), machine())["mesh/wpa_supplicant.conf"])

    command = ["unshare", "--net", program, "-ilo", "-Dwired", "-dd", "-K", f"-c{conf}"]
    running = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, errors="replace")
    watchdog = threading.Timer(10, running.kill)
    watchdog.start()
    said = []
    with running:
        assert running.stdout is not None
        for line in running.stdout:
            said.append(line)
            if "Priority group" in line or "Failed" in line:
                running.terminate()
                break
    watchdog.cancel()

    text = "".join(said)
    if "unshare failed" in text or not said:
        pytest.skip("skipped, because network namespaces cannot be made here")
    assert "Failed" not in text and "Line 0" not in text
    assert name.encode().hex(" ") in text and KEY.encode().hex(" ")[:40] in text
    assert "mode=5" in text and "ieee80211w=2" in text and "key_mgmt: 0x400" in text


def test_what_respondd_needs_to_know_holds_no_secret_and_no_owner() -> None:
    told = json.loads(mesh.files(settings(), machine())["mesh/respondd.json"])

    assert told["id"] == "kb-test-1" and told["mesh"] == "kb-mesh" and told["port"] == "wlan1"
    assert not {"key", "owner", "password", "contact"} & set(told)
