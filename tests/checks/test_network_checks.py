"""What ``kiezbox check`` says about everything around the radio."""

from __future__ import annotations

import dataclasses
from typing import Any, NamedTuple

import pytest
from machines import Tree, found

from kiezbox.checks import Level, names
from kiezbox.clock import SystemClock


def test_a_box_without_a_country_is_told_to_name_one(tree: Tree) -> None:
    (finding,) = found("country", tree.examined())

    assert finding.level is Level.WARNING
    assert 'country = "DE"' in finding.hint


@pytest.mark.parametrize(("kernel", "level"), [("DE", "FINE"), ("US", "NOTE"), ("99", "FINE")])
def test_a_kernel_with_other_rules_is_a_note(tree: Tree, kernel: str, level: str) -> None:
    """99 is what the kernel calls rules that a driver brings itself (cfg80211)."""
    tree.country = kernel

    (finding,) = found("country", tree.examined(access_point={"country": "DE"}))

    assert finding.level.name == level


# What each leaves behind while it looks after wlan0; {index} is the interface's number.
RIVALS = {
    # NetworkManager 1.42, nm-config.c: nm_config_device_state_write.
    "NetworkManager": {
        "run/NetworkManager/devices/{index}": "[device]\nmanaged=true\nnm-owned=0\n"
    },
    # systemd 252, networkd-state-file.c: link_save.
    "systemd-networkd": {
        "run/systemd/netif/links/{index}": "ADMIN_STATE=configured\nOPER_STATE=routable\n"
    },
    "dhcpcd": {"run/dhcpcd/pid": "411\n", "etc/dhcpcd.conf": "hostname\ndenyinterfaces eth7\n"},
    "wpa_supplicant": {"run/wpa_supplicant/wlan0": ""},
    "ifupdown": {
        "etc/network/interfaces": "source /etc/network/interfaces.d/*\n",
        "etc/network/interfaces.d/wlan": "allow-hotplug wlan0\niface wlan0 inet dhcp\n",
    },
}

#: The same machine where each was told to leave wlan0 alone.
PEACEFUL = {
    "run/NetworkManager/devices/{index}": "[device]\nmanaged=false\n",
    "run/systemd/netif/links/{index}": "ADMIN_STATE=unmanaged\n",
    "run/dhcpcd/pid": "411\n",
    "etc/dhcpcd.conf": "denyinterfaces eth7 wlan0 kb-street\n",
    "etc/network/interfaces": "auto lo\niface lo inet loopback\niface wlan01 inet dhcp\n",
}


def write(tree: Tree, files: dict[str, str], index: int) -> None:
    for name, text in files.items():
        tree.write(name.format(index=index), text)


@pytest.mark.parametrize("rival", RIVALS)
def test_whoever_else_looks_after_the_interface_is_named_with_what_mends_it(
    tree: Tree, rival: str
) -> None:
    write(tree, RIVALS[rival], tree.radio("wlan0", "brcmfmac"))

    (finding,) = found("managers", tree.examined(uplink={"kind": "none"}))

    assert (finding.level, finding.message) == (
        Level.WARNING,
        f"{rival} looks after wlan0, too",
    )
    assert "wlan0" in finding.hint and "provisioning/install --only 80" in finding.hint


def test_rivals_that_were_told_are_none(tree: Tree) -> None:
    write(tree, PEACEFUL, tree.radio("wlan0", "brcmfmac"))

    (finding,) = found("managers", tree.examined(uplink={"kind": "none"}))

    assert finding.level is Level.FINE


def test_a_radio_that_carries_the_everyday_wlan_is_lent_by_network_manager(tree: Tree) -> None:
    write(tree, RIVALS["NetworkManager"], tree.radio("wlan0", "brcmfmac"))

    (finding,) = found("managers", tree.examined(uplink={"kind": "system"}))

    assert finding.level is Level.FINE


@pytest.mark.parametrize(
    ("ssid", "uplink", "level"),
    [
        ("Kiezbox-Notfall", "berlin.freifunk.net", Level.FINE),
        ("berlin.freifunk.net", "berlin.freifunk.net", Level.BROKEN),
        ("Berlin.Freifunk.net", "berlin.freifunk.net", Level.BROKEN),
        ("Freifunk-Notfall", "", Level.WARNING),
    ],
)
def test_the_emergency_wlan_has_a_name_that_no_phone_knows(
    tree: Tree, ssid: str, uplink: str, level: Level
) -> None:
    """iOS stops looking for a portal in a WLAN that had none before (captive portal contract)."""
    (finding,) = found(
        "wlan_name", tree.examined(access_point={"ssid": ssid}, uplink={"ssid": uplink})
    )

    assert finding.level is level


@pytest.mark.parametrize(
    ("open_s", "every_s", "level"),
    [
        (900, 3600, "FINE"),
        (3600, 3600, "FINE"),
        (120, 3600, "WARNING"),
        (900, 86400, "WARNING"),
        (900, 5000, "NOTE"),
    ],
)
def test_time_slices_must_be_long_often_and_easy_to_remember(
    tree: Tree, open_s: float, every_s: float, level: str
) -> None:
    street = {"slice_open_s": open_s, "slice_every_s": every_s}

    (finding,) = found("slices", tree.examined(street=street))

    assert finding.level.name == level


class Standing(NamedTuple):
    is_valid: bool
    reason: str = ""
    hint: str = ""
    expires_at: float | None = None


@pytest.mark.parametrize(
    ("days", "level"), [(80, Level.FINE), (21, Level.FINE), (19, Level.WARNING)]
)
def test_a_certificate_s_days_are_counted(tree: Tree, days: int, level: Level) -> None:
    box = tree.examined(certificate={"name": "portal.example.org"})
    standing = Standing(True, expires_at=SystemClock().now() + days * 86400 + 60)

    (finding,) = found("certificate", dataclasses.replace(box, certificate=standing))

    assert finding.level is level
    assert f"{days} more days" in finding.message


def test_a_certificate_that_is_not_there_is_said_by_the_command_itself(
    tree: Tree, capsys: pytest.CaptureFixture[str]
) -> None:
    """The whole way, through OpenSSL's own judgement."""
    import json

    from kiezbox.cli import main

    toml = tree.write(
        "kiezbox.toml",
        '[box]\nid = "kb-1"\n[network.certificate]\nname = "portal.example.org"\n'
        f'folder = "{tree.root}/none"\n[store]\nrun_dir = "{tree.root}/run"\n',
    )

    main(["check", "--json", "--settings", str(toml)])

    said = json.loads(capsys.readouterr().out)
    (finding,) = [each for each in said if each["check"] == "certificate"]
    assert finding["level"] == "warning" and "portal.example.org" in finding["message"]


UNIT = "[Service]\nExecStart=/bin/true\n[Install]\nWantedBy=multi-user.target\n"


@pytest.mark.parametrize(
    ("files", "levels"),
    [
        ({}, ["NOTE"]),
        ({"kiezbox-node.service": UNIT}, ["WARNING", "NOTE"]),
        (
            {
                "kiezbox-node.service": UNIT,
                "multi-user.target.wants/kiezbox-node.service": UNIT,
                "kiezbox-wanted@.path": UNIT,
                "paths.target.wants/kiezbox-wanted@closed.path": UNIT,
            },
            ["NOTE"],
        ),
        ({"kiezbox-hostapd.service": "[Service]\n"}, ["NOTE"]),
    ],
)
def test_units_that_do_not_start_with_the_machine_are_named(
    tree: Tree, files: dict[str, str], levels: list[str]
) -> None:
    for name, text in files.items():
        tree.write(f"etc/systemd/system/{name}", text)

    findings = found("units", tree.examined())

    assert [each.level.name for each in findings] == levels


#: As ``systemctl show`` of systemd 252 prints them; a line of its own between two units.
SHOWN = {
    "runs": "Type=notify\nId=kiezbox-node.service\nActiveState=active\nConditionResult=yes\n"
    "ConditionTimestampMonotonic=9",
    "was never started": "Id=kiezbox-desk.socket\nActiveState=inactive\nConditionResult=no\n"
    "ConditionTimestampMonotonic=0",
    "was stopped": "Type=notify\nId=kiezbox-node.service\nActiveState=inactive\n"
    "ConditionResult=yes\nConditionTimestampMonotonic=9",
    "is not wanted here": "Id=kiezbox-a.path\nActiveState=inactive\nConditionResult=no\n"
    "ConditionTimestampMonotonic=9",
    "has done its work": "Type=oneshot\nId=kiezbox-network.service\nActiveState=inactive\n"
    "ConditionResult=yes\nConditionTimestampMonotonic=9",
}


@pytest.mark.parametrize(
    ("shown", "levels"),
    [
        ("runs", ["FINE"]),
        ("was never started", ["WARNING"]),
        ("was stopped", ["WARNING"]),
        ("is not wanted here", ["FINE"]),
        ("has done its work", ["FINE"]),
    ],
)
def test_a_unit_that_should_run_and_does_not_is_named(
    tree: Tree, monkeypatch: pytest.MonkeyPatch, shown: str, levels: list[str]
) -> None:
    for name in ("kiezbox-node.service", "multi-user.target.wants/kiezbox-node.service"):
        tree.write(f"etc/systemd/system/{name}", UNIT)
    tree.write("run/systemd/system/.keep", "")
    answers = tree.write("answers", SHOWN["runs"] + "\n\n" + SHOWN[shown])
    program = tree.write(
        "bin/systemctl", f"#!/bin/sh\n[ $1 = show ] && exec cat '{answers}'\nexit 0\n"
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:/usr/bin:/bin")

    findings = found("units", tree.examined())

    assert [each.level.name for each in findings] == levels


@pytest.mark.parametrize(("files", "notes"), [([], 0), ([""], 1), (["operator.json"], 0)])
def test_a_box_that_nobody_operates_says_how_to_become_its_operator(
    tree: Tree, files: list[str], notes: int
) -> None:
    for name in files:
        tree.write(f"var/lib/kiezbox-desk/{name or '.keep'}", "")

    assert len(found("desk", tree.examined())) == notes


@pytest.mark.parametrize("name", names())
@pytest.mark.parametrize("facts", [None, {}, {"store": None, "faults": None, "grid": None}])
def test_no_check_breaks_on_an_empty_machine(tree: Tree, name: str, facts: Any) -> None:
    box = tree.examined(facts, mesh={"interface": "wlan9"}, access_point={"country": "DE"})

    for finding in found(name, box):
        assert finding.message
        assert finding.hint or finding.level <= Level.NOTE


@pytest.mark.parametrize("name", names())
def test_a_box_without_wlan_is_not_asked_about_one(tree: Tree, name: str) -> None:
    box = tree.examined(access_point={"kind": "none"})

    assert not any("ssid" in each.hint for each in found(name, box))


def test_every_check_says_in_its_first_line_what_it_looks_at() -> None:
    import importlib

    for name in names():
        doc = importlib.import_module(f"kiezbox.checks.{name}").__doc__ or ""

        assert doc.splitlines()[0].endswith((".", "?", ":")) or len(doc.splitlines()[0]) > 60, name
