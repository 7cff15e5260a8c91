"""dnsmasq's texts, and its hook. What they do is seen in tests/beds/netns."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from kiezbox.network import dnsmasq
from kiezbox.network.machine import Machine
from kiezbox.posture import Posture
from kiezbox.settings.network import CertificateSettings, NetworkSettings, UplinkSettings

NAME = "portal.example.org"
LEASE_S = 2700


def settings(guest_uplink: str = "none", *services: str, name: str = NAME) -> NetworkSettings:
    return NetworkSettings(
        uplink=UplinkSettings(guest_uplink=guest_uplink, emergency_services=services),
        certificate=CertificateSettings(name=name),
    )


@pytest.mark.parametrize("posture", [Posture.EMERGENCY, Posture.SHARED])
@pytest.mark.parametrize("uplink", ["", "eth0"])
def test_dnsmasq_takes_every_configuration(tmp_path: Path, posture: Posture, uplink: str) -> None:
    program = shutil.which("dnsmasq", path=os.environ["PATH"] + ":/usr/sbin")
    if program is None:
        pytest.skip("skipped, because dnsmasq is not here: apt install dnsmasq-base")
    text = dnsmasq.configuration(posture, settings("all"), Machine(uplink=uplink))
    path = tmp_path / "dnsmasq.conf"
    # --test opens no file but this one; the hook must be there.
    path.write_text(text)

    done = subprocess.run(
        [program, "--test", f"--conf-file={path}"], capture_output=True, text=True, timeout=20
    )

    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("posture", [Posture.CLOSED, Posture.DARK])
def test_without_guests_there_is_nothing_to_configure(posture: Posture) -> None:
    assert dnsmasq.configuration(posture, settings(), Machine(uplink="eth0")) == ""


@pytest.mark.parametrize(
    ("posture", "made", "uplink", "lifetime_s"),
    [
        (Posture.EMERGENCY, settings(), "eth0", 0),
        (Posture.EMERGENCY, settings("all"), "eth0", 0),
        (Posture.SHARED, settings("all"), "", 0),
        (Posture.SHARED, settings("all"), "eth0", 1800),
        (Posture.EMERGENCY, settings("emergency-services", "192.0.2.1"), "eth0", 0),
        (Posture.EMERGENCY, settings("emergency-services", "2001:db8::1"), "eth0", 1800),
        (Posture.EMERGENCY, settings("emergency-services", "2001:db8::1"), "", 0),
    ],
)
def test_ipv6_is_routed_only_while_there_is_somewhere_to_go(
    posture: Posture, made: NetworkSettings, uplink: str, lifetime_s: int
) -> None:
    text = dnsmasq.configuration(posture, made, Machine(uplink=uplink))

    assert f"ra-param=kb-street,600,{lifetime_s}\n" in text


def test_phones_are_told_of_the_api_exactly_while_the_certificate_is_good() -> None:
    assert dnsmasq.options(settings(), True) == (
        f"114,https://{NAME}/captive\noption6:103,https://{NAME}/captive\n"
    )
    assert dnsmasq.options(settings(), False) == ""
    assert dnsmasq.options(settings(name=""), True) == ""


def test_the_https_name_has_its_own_address_exactly_while_the_certificate_is_good() -> None:
    assert dnsmasq.hosts(settings(), True) == f"198.51.100.2 {NAME}\n"
    assert dnsmasq.hosts(settings(), False) == ""
    assert dnsmasq.hosts(settings(name=""), True) == ""


# --- the hook ------------------------------------------------------------------------------------


class Hook:
    """dnsmasq's calls, with a clock of our own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __call__(self, event: str, at: int, address: str = "10.42.0.9") -> None:
        done = subprocess.run(
            [dnsmasq.HOOK, event, "02:00:5e:00:53:01", address, "phone"],
            env={
                "KIEZBOX_JOINED": str(self.folder),
                "DNSMASQ_LEASE_EXPIRES": str(at + LEASE_S),
                "DNSMASQ_TIME_REMAINING": str(LEASE_S),
            },
            cwd="/", capture_output=True, text=True, timeout=20,
        )  # fmt: skip
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")

    def joined(self) -> tuple[int, int]:
        """Inode and time of the file for the guest, in nanoseconds."""
        found = (self.folder / "10.42.0.9").stat()
        return found.st_ino, found.st_mtime_ns

    def is_noted(self, event: str, at: int) -> bool:
        """Whether the call makes the guest one that joined just now."""
        path = self.folder / "10.42.0.9"
        os.utime(path, ns=(0, 0))
        self(event, at)
        return self.joined()[1] != 0


@pytest.fixture
def hook(tmp_path: Path) -> Hook:
    return Hook(tmp_path)


def test_a_new_guest_gets_a_file_of_its_own(hook: Hook) -> None:
    hook("add", 0)
    first, _ = hook.joined()
    # Keeps the inode from being given away again.
    os.link(hook.folder / "10.42.0.9", hook.folder / "kept")

    hook("add", 5000)

    assert hook.joined()[0] != first


def test_half_time_renewals_are_no_arrivals(hook: Hook) -> None:
    """dnsmasq proposes half the lease less up to a sixteenth (RFC 2131, 4.4.5; dnsmasq 2.90,
    do_options: the fuzz)."""
    hook("add", 0)

    assert not hook.is_noted("old", LEASE_S // 2)
    assert not hook.is_noted("old", LEASE_S // 2 + LEASE_S // 2 - LEASE_S // 16)


@pytest.mark.parametrize("away_s", [301, 600, 1100, 1500, 2600])
def test_who_comes_back_after_five_minutes_has_joined_anew(hook: Hook, away_s: int) -> None:
    hook("add", 0)

    assert hook.is_noted("old", away_s)


def test_who_was_hardly_away_has_not(hook: Hook) -> None:
    """A phone that changes its access point, or whose WLAN sleeps for a minute."""
    hook("add", 0)

    assert not hook.is_noted("old", 60)
    assert not hook.is_noted("old", 120)


def test_a_restart_of_dnsmasq_makes_nobody_new(hook: Hook) -> None:
    """It then reports every lease as old, with the end that it had."""
    hook("add", 0)

    assert not hook.is_noted("old", 0)


def test_a_lease_that_ends_leaves_nothing(hook: Hook) -> None:
    hook("add", 0)

    hook("del", 0)

    assert list(hook.folder.iterdir()) == []


def test_no_hardware_address_and_no_name_is_written(hook: Hook) -> None:
    hook("add", 0)

    for path in hook.folder.iterdir():
        assert "02:00" not in path.name + path.read_text()
        assert "phone" not in path.name + path.read_text()


@pytest.mark.parametrize("address", ["../../etc/passwd", "fd00::9", "", "-rf"])
def test_what_is_no_ipv4_address_becomes_no_file(hook: Hook, address: str) -> None:
    hook("add", 0, address)

    assert list(hook.folder.iterdir()) == []
