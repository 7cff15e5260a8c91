"""The firewall's texts. What they do is seen in tests/beds/netns."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest
from beds.netns.bed import Bed

from kiezbox.network.machine import Machine
from kiezbox.network.nftables import mesh_ruleset, ruleset, uplinks
from kiezbox.posture import Posture
from kiezbox.settings.network import (
    CertificateSettings,
    MeshSettings,
    NetworkSettings,
    StreetSettings,
    UplinkSettings,
)

GUESTED = (Posture.EMERGENCY, Posture.SHARED)
#: Overlapping, of both families, one address and one network.
SERVICES = ("192.0.2.0/24", "192.0.2.7", "2001:db8::/32")


def settings(guest_uplink: str = "none", mesh: str = "", shares: bool = False) -> NetworkSettings:
    return NetworkSettings(
        uplink=UplinkSettings(
            guest_uplink=guest_uplink, emergency_services=SERVICES, share_with_mesh=shares
        ),
        mesh=MeshSettings(interface=mesh),
        certificate=CertificateSettings(name="portal.example.org"),
    )


@pytest.mark.bed
def test_nft_takes_every_script_whatever_was_loaded_before(tmp_path: Path) -> None:
    """All combinations, one after the other: each replaces the one before."""
    texts = [
        ruleset(posture, made, machine) + mesh_ruleset(made, machine)
        for posture, guest_uplink, uplink, mesh in itertools.product(
            Posture, ("none", "emergency-services", "all"), ("", "eth0"), ("", "wlan1")
        )
        for made, machine in (
            (settings(guest_uplink, mesh), Machine(uplink=uplink)),
            (settings(guest_uplink, mesh, True), Machine(uplink=uplink, has_certificate=True)),
        )
    ]

    with Bed(tmp_path) as bed:
        for number, text in enumerate(texts):
            (tmp_path / f"{number:03}.nft").write_text(text)
        bed.run("box", ["sh", "-ec", f"for file in {tmp_path}/*.nft; do nft -f $file; done"])
        before = bed.run("box", "nft -s list ruleset").stdout
        bed.run("box", ["nft", "-f", str(tmp_path / f"{len(texts) - 1:03}.nft")])
        after = bed.run("box", "nft -s list ruleset").stdout

    assert len(texts) == 96
    assert after == before


@pytest.mark.parametrize("posture", [Posture.CLOSED, Posture.DARK])
def test_postures_without_guests_only_take_the_table_away(posture: Posture) -> None:
    text = ruleset(posture, settings("all"), Machine(uplink="eth0"))

    assert text == "table inet kiezbox\ndelete table inet kiezbox\n"


def test_nft_of_debian_12_has_no_destroy() -> None:
    for posture in Posture:
        assert "destroy" not in ruleset(posture, settings(), Machine())


@pytest.mark.parametrize("posture", GUESTED)
@pytest.mark.parametrize("guest_uplink", ["none", "emergency-services", "all"])
def test_without_an_uplink_nothing_is_forwarded_and_everything_is_answered_by_us(
    posture: Posture, guest_uplink: str
) -> None:
    text = ruleset(posture, settings(guest_uplink), Machine())

    assert "masquerade" not in text
    assert "chain translate" in text
    assert 'iifname "kb-street" drop\n        oifname "kb-street" drop' in text


def test_only_guest_uplink_all_gives_all_whatever_posture_was_asked_for() -> None:
    """An operator may type `kiezbox network apply shared`."""
    made, machine = settings("emergency-services"), Machine(uplink="eth0")

    assert ruleset(Posture.SHARED, made, machine) == ruleset(Posture.EMERGENCY, made, machine)


def test_guests_may_leave_by_the_uplink_and_by_the_mesh_never_by_the_street() -> None:
    both = uplinks(settings("all", mesh="wlan1"), Machine(uplink="eth0"))

    assert both == ("eth0", "kb-mesh")
    assert uplinks(settings("none", mesh="wlan1"), Machine(uplink="eth0")) == ()


def test_443_is_named_only_where_a_certificate_is() -> None:
    bare, certified = (
        ruleset(Posture.EMERGENCY, settings(), Machine(has_certificate=has))
        for has in (False, True)
    )

    address = StreetSettings().https_address
    assert address not in bare
    assert certified.count(f"ip daddr {address} tcp dport 443") == 2


def test_a_slow_rate_still_lets_a_whole_burst_through() -> None:
    """The kernel may hand 64 KiB of a guest's TCP to the firewall in one piece."""
    slow = NetworkSettings(uplink=UplinkSettings(guest_uplink="all", guest_kbit_s=16))

    text = ruleset(Posture.SHARED, slow, Machine(uplink="eth0"))

    assert "limit rate over 2000 bytes/second burst 129072 bytes" in text


def test_without_a_mesh_there_are_no_rules_for_one() -> None:
    text = mesh_ruleset(settings(), Machine(uplink="eth0"))

    assert text == "table inet kiezbox_mesh\ndelete table inet kiezbox_mesh\n"


def test_the_uplink_is_for_other_boxes_only_where_it_is_shared() -> None:
    machine = Machine(uplink="eth0")

    assert "eth0" not in mesh_ruleset(settings(mesh="wlan1"), machine)
    assert 'oifname "eth0" accept' in mesh_ruleset(settings(mesh="wlan1", shares=True), machine)
