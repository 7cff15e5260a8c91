"""Preparing: what is written, for whom, and what of it is news."""

from __future__ import annotations

import json
import os
import stat
import time
from pathlib import Path

import pytest
from network.computers import box, computer

from kiezbox.clock import ManualClock
from kiezbox.errors import NetworkError
from kiezbox.network import Interface, Machine
from kiezbox.network import prepare as room
from kiezbox.network.prepare import Prepared, prepare
from kiezbox.settings import Settings

LOCKED = """
[network.uplink]
kind = "wlan"
ssid = "neighbour"
password_file = "/etc/kiezbox/uplink"
[network.mesh]
interface = "wlan1"
"""


@pytest.fixture
def found(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> dict[str, Machine]:
    """The computer that the survey finds; a test puts another one in its place."""
    now = {"machine": computer(mesh_key="mesh-secret-123", client_password="uplink-secret")}
    monkeypatch.setattr(room, "survey", lambda settings: now["machine"])
    monkeypatch.setenv("STATE_DIRECTORY", str(tmp_path / "state"))
    return now


def settings(folder: Path, text: str = "") -> Settings:
    return box(f'[network]\nrun_dir = "{folder}/net"\n{text}')


def prepared(folder: Path, text: str = "") -> Prepared:
    return prepare(settings(folder, text), ManualClock())


def test_every_file_of_every_posture_is_there(found: object, tmp_path: Path) -> None:
    done = prepared(tmp_path)

    for planned in done.plans.values():
        for name, text in planned.files.items():
            assert (tmp_path / "net" / name).read_text(encoding="utf-8") == text


def test_the_second_time_nothing_is_written(found: object, tmp_path: Path) -> None:
    prepared(tmp_path)
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "net").rglob("*.*")}

    assert prepared(tmp_path).changed == frozenset()
    assert {path: path.stat().st_mtime_ns for path in before} == before


def test_what_changed_is_named_and_nothing_else(found: object, tmp_path: Path) -> None:
    prepared(tmp_path)

    done = prepared(tmp_path, "[network.street]\nlease_s = 600\n")

    assert done.changed == {"emergency/dnsmasq.conf", "shared/dnsmasq.conf"}


def test_what_is_no_longer_planned_is_taken_away(found: object, tmp_path: Path) -> None:
    prepared(tmp_path)

    done = prepared(tmp_path, '[network.access_point]\nkind = "none"\n')

    assert {"hostapd.conf", "street-up.ip", "emergency/dnsmasq.conf"} <= done.changed
    assert not (tmp_path / "net" / "hostapd.conf").exists()


def test_what_a_program_refuses_is_known_before_the_night(
    found: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if os.geteuid() != 0 or not Path("/usr/sbin/dnsmasq").exists():
        pytest.skip("only root asks dnsmasq and nft (tests/prepare installs them)")
    from kiezbox.network import dnsmasq

    monkeypatch.setattr(dnsmasq, "configuration", lambda *given: "no-such-option\n")

    done = prepared(tmp_path)

    assert set(done.refused) == {"emergency/dnsmasq.conf", "shared/dnsmasq.conf"}
    assert "bad option at line 1" in done.refused["emergency/dnsmasq.conf"]


def test_every_text_of_ours_is_understood_by_its_program(found: object, tmp_path: Path) -> None:
    assert prepared(tmp_path, LOCKED).refused == {}


def test_a_file_with_a_password_is_roots_alone(found: object, tmp_path: Path) -> None:
    prepared(tmp_path, LOCKED)

    for path in (tmp_path / "net").rglob("*"):
        text = path.read_text(encoding="utf-8") if path.is_file() else ""
        holds = any(word in text for word in ("sae_password", "psk=", "secret"))
        if holds:
            assert stat.S_IMODE(path.stat().st_mode) == 0o600, path
    assert stat.S_IMODE((tmp_path / "net" / "client.conf").stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "net" / "plan.json").stat().st_mode) == 0o644


def test_the_plan_for_programs_says_what_the_box_opens(found: object, tmp_path: Path) -> None:
    prepared(tmp_path)

    facts = json.loads((tmp_path / "net" / "plan.json").read_text(encoding="utf-8"))

    assert (facts["ssid"], facts["address"]) == ("Kiezbox-Notfall", "198.51.100.1")
    assert facts["https_name"] is None
    assert set(facts["postures"]) == {"closed", "emergency", "shared", "dark"}


def test_a_folder_that_cannot_be_made_is_a_sentence(found: object, tmp_path: Path) -> None:
    (tmp_path / "net").write_text("a file")

    with pytest.raises(NetworkError, match="cannot write .*net"):
        prepared(tmp_path)


def test_the_port_is_remembered_as_it_was_before_the_street(
    found: dict[str, Machine], tmp_path: Path
) -> None:
    """While the street is there hostapd has the radio up, and NetworkManager knows it no more."""
    free = Interface(name="wlan0", phy="phy0", is_up=False, manager="NetworkManager")
    taken = Interface(name="wlan0", phy="phy0", is_up=True, manager="")
    found["machine"] = computer(interfaces=(free,))
    prepared(tmp_path)
    found["machine"] = computer(interfaces=(taken,), has_street=True)

    done = prepared(tmp_path)

    assert done.machine.interfaces == (free,)
    assert done.changed == frozenset()


def test_kernel_settings_are_remembered_as_they_were_first(
    found: dict[str, Machine], tmp_path: Path
) -> None:
    key = "net/ipv6/conf/all/forwarding"
    found["machine"] = computer(before={key: "0"})
    prepared(tmp_path)
    found["machine"] = computer(before={key: "1"})

    assert prepared(tmp_path).machine.before[key] == "0"


def test_a_route_that_comes_and_goes_changes_nobodys_rules(
    found: dict[str, Machine], tmp_path: Path
) -> None:
    text = '[network.uplink]\nguest_uplink = "all"\n'
    found["machine"] = computer(uplink="eth0")
    prepared(tmp_path, text)
    found["machine"] = computer(uplink="")

    done = prepared(tmp_path, text)

    assert done.machine.uplink == "eth0"
    assert done.changed == frozenset()


def test_half_a_memory_is_none(found: object, tmp_path: Path) -> None:
    prepared(tmp_path)
    for name in ("before.json", "plan.json"):
        (tmp_path / "net" / name).write_text('{"kernel"', encoding="utf-8")

    assert prepared(tmp_path).changed == frozenset()


def test_who_was_here_is_forgotten_when_the_lease_is_over(found: object, tmp_path: Path) -> None:
    prepared(tmp_path)
    joined, leases = tmp_path / "net" / "joined", tmp_path / "net" / "leases"
    for name, age_s in (("10.42.0.7", 3000), ("10.42.0.8", 60)):
        (joined / name).touch()
        os.utime(joined / name, (time.time() - age_s,) * 2)
    leases.write_text("1780000000 02:00:00:00:00:01 10.42.0.7 * *\n")

    prepared(tmp_path)
    assert [path.name for path in joined.iterdir()] == ["10.42.0.8"]
    assert leases.stat().st_size
    os.utime(leases, (time.time() - 3000,) * 2)
    prepared(tmp_path)
    assert leases.stat().st_size == 0
