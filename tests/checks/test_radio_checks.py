"""What ``kiezbox check`` says about radios, by what drivers and people have said of them."""

from __future__ import annotations

import dataclasses
import os
import subprocess
import sys
from pathlib import Path

import pytest
from machines import IW, Tree, found

from kiezbox.checks import Level
from kiezbox.checks._radios import RADIOS
from kiezbox.network import plan
from kiezbox.posture import Posture

ROOT = Path(__file__).resolve().parent.parent.parent


@pytest.mark.parametrize(
    ("driver", "guests"),
    [
        # raspberrypi/documentation#2520: "between 7 and 10".
        ("brcmfmac", "7 to 10 guests"),
        # qca/open-ath9k-htc-firmware#43: "more than 7" is too many.
        ("ath9k_htc", "7 guests"),
        # morrownr/USB-WiFi#44: "supporting a high number of connected wireless clients (>20)".
        ("rt2800usb", "20 and more guests"),
    ],
)
def test_a_box_says_how_many_guests_its_radio_takes(tree: Tree, driver: str, guests: str) -> None:
    tree.radio("wlan0", driver)

    (finding,) = found("access_point", tree.examined())

    assert f"this box takes {guests} at once" in finding.message
    assert "docs/hardware.md" in finding.hint


def test_the_minimal_firmware_of_the_pi_takes_nineteen(tree: Tree) -> None:
    """raspberrypi/documentation#2520; the link is that of Debian's update-alternatives(1)."""
    tree.radio("wlan0", "brcmfmac")
    link = tree.root / "etc/alternatives/cyfmac43455-sdio.bin"
    link.parent.mkdir(parents=True)
    link.symlink_to("/lib/firmware/cypress/cyfmac43455-sdio-minimal.bin")

    (finding,) = found("access_point", tree.examined())

    assert "takes 19 guests" in finding.message


def test_more_guests_than_the_chip_takes_is_a_warning(tree: Tree) -> None:
    tree.radio("wlan0", "brcmfmac")

    (finding,) = found("access_point", tree.examined(access_point={"most_guests": 50}))

    assert finding.level is Level.WARNING
    assert "takes 7 to 10" in finding.message


def test_a_radio_that_nobody_has_counted_is_not_called_few(tree: Tree) -> None:
    IW["strange"] = ["managed", "AP"]
    tree.radio("wlan0", "strange")

    (finding,) = found("access_point", tree.examined())

    assert finding.level is Level.FINE


@pytest.mark.parametrize(("kind", "said"), [("soft", "rfkill unblock"), ("hard", "a switch")])
def test_a_radio_that_is_switched_off_is_named_with_its_switch(
    tree: Tree, kind: str, said: str
) -> None:
    tree.radio("wlan0", "mt76x2u")
    tree.switch("wlan0", **{kind: 1})

    broken, _ = found("access_point", tree.examined())

    assert broken.level is Level.BROKEN
    assert said in broken.hint


@pytest.mark.parametrize(("carrier", "levels"), [("1", ["FINE"]), ("0", ["WARNING", "FINE"])])
def test_an_external_access_point_that_is_not_plugged_in_is_noticed(
    tree: Tree, carrier: str, levels: list[str]
) -> None:
    tree.interface("eth1", carrier=carrier)

    findings = found(
        "access_point", tree.examined(access_point={"kind": "external", "interface": "eth1"})
    )

    assert [each.level.name for each in findings] == levels


def test_an_adapter_that_cannot_be_an_access_point_is_said_by_the_plan(tree: Tree) -> None:
    tree.radio("wlan0", "rtl8xxxu")
    box = tree.examined()
    lacks = plan(Posture.EMERGENCY, box.settings, box.machine).lacks  # type: ignore[arg-type]

    findings = found("network", dataclasses.replace(box, lacks=lacks))

    assert [each for each in findings if "cannot be an access point" in each.message]
    assert max(each.level for each in findings) is Level.BROKEN


def test_the_pi_s_own_chip_is_no_mesh_radio_and_the_hint_names_some_that_are(tree: Tree) -> None:
    tree.radio("wlan0", "mt76x2u")
    tree.radio("wlan1", "brcmfmac")

    finding, *_ = found("mesh", tree.examined(mesh={"interface": "wlan1"}))

    assert finding.level is Level.BROKEN
    assert "the Raspberry Pi's own chip" in finding.message
    assert "MT7612U" in finding.hint and "AR9271" in finding.hint


@pytest.mark.parametrize("driver", ["ath9k_htc", "rt2800usb", "mt76x2u"])
def test_an_adapter_that_could_mesh_is_noticed(tree: Tree, driver: str) -> None:
    tree.radio("wlan0", "brcmfmac")
    tree.radio("wlan1", driver)

    (finding,) = found("mesh", tree.examined())

    assert 'network.mesh.interface = "wlan1"' in finding.hint


@pytest.mark.parametrize("driver", sorted(set(IW) & set(RADIOS)))
def test_the_table_and_iw_agree_on_who_can_mesh(driver: str) -> None:
    assert RADIOS[driver].can_mesh == ("mesh point" in IW[driver])


def test_the_network_s_own_room_counts_the_pi_s_guests_alike(tree: Tree) -> None:
    """hostapd's limit comes from there, the sentence from here."""
    tree.radio("wlan0", "brcmfmac")

    radio = tree.examined().machine.radio_of("wlan0")  # type: ignore[union-attr]

    assert radio is not None and radio.most_guests == RADIOS["brcmfmac"].most  # type: ignore[attr-defined]


def test_every_driver_of_the_table_stands_on_the_hardware_page() -> None:
    page = (ROOT / "docs" / "hardware.md").read_text()

    assert [driver for driver in RADIOS if f"`{driver}`" not in page] == []


def mesh_key(tree: Tree, key: str, mode: int = 0o600) -> None:
    tree.write("etc/kiezbox/mesh.key", key).chmod(mode)


GOOD = "Q7mZt1y4vWc0RrUe8sKpXbN2aLhJ3dGf"


@pytest.mark.skipif(os.geteuid() != 0, reason="skipped, because root's file needs root")
@pytest.mark.parametrize(
    ("key", "mode", "level", "words"),
    [
        (GOOD, 0o600, Level.FINE, "a good key"),
        (GOOD, 0o640, Level.WARNING, "others than root"),
        ("passwort", 0o600, Level.WARNING, "easy to guess"),
        ("aaaaaaaaaaaaaaaaaaaaaaaa", 0o600, Level.WARNING, "easy to guess"),
        (None, 0, Level.BROKEN, "there is no mesh key"),
    ],
)
def test_the_mesh_s_key_must_be_there_secret_and_long(
    tree: Tree, key: str | None, mode: int, level: Level, words: str
) -> None:
    tree.radio("wlan1", "mt76x2u")
    if key is not None:
        mesh_key(tree, key, mode)

    findings = found("mesh", tree.examined(mesh={"interface": "wlan1"}))

    assert (level, True) in [(each.level, words in each.message) for each in findings]
    assert not any(key and key in each.message + each.hint for each in findings)


@pytest.mark.skipif(os.geteuid() != 0, reason="skipped, because only root can become another user")
def test_whoever_may_not_look_at_the_key_gets_a_note_and_not_an_alarm(tree: Tree) -> None:
    tree.radio("wlan1", "mt76x2u")
    mesh_key(tree, GOOD)
    (tree.root / "etc/kiezbox").chmod(0o700)
    program = (
        "import os, sys\n"
        "from pathlib import Path\n"
        "from kiezbox.checks.mesh import _key\n"
        "os.setgroups([]); os.setgid(65534); os.setuid(65534)\n"
        "print([f.level.name for f in _key(Path(sys.argv[1]))])"
    )
    for folder in [tree.root, *tree.root.parents]:
        if "pytest" in str(folder):
            folder.chmod(0o755)

    done = subprocess.run(
        [sys.executable, "-c", program, str(tree.root / "etc/kiezbox/mesh.key")],
        capture_output=True, text=True, timeout=30, cwd="/",
        env={"PYTHONPATH": str(ROOT), "PATH": os.environ["PATH"]},
    )  # fmt: skip

    assert done.stdout.strip() == "['NOTE']", done.stderr
