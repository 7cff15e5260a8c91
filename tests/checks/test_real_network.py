"""Ports and the firewall, in namespaces of this test's own: with real programs in the way."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent


def isolated(*command: str) -> subprocess.CompletedProcess[str]:
    """Without a network but its own loopback, without other processes; all of it ends with it."""
    if os.geteuid() != 0:
        pytest.skip("skipped, because only root may make namespaces")
    return subprocess.run(
        ["unshare", "--net", "--mount", "--pid", "--fork", "--mount-proc", "--kill-child=KILL",
         *command],
        capture_output=True, text=True, timeout=60,
        env={**os.environ, "PYTHONPATH": str(ROOT),
             "PATH": f"{os.environ['PATH']}:/usr/sbin:/sbin"},
    )  # fmt: skip


@pytest.fixture(scope="module")
def said() -> dict[str, Any]:
    for tool in ("unshare", "dnsmasq", "ip"):
        if not shutil.which(tool, path=f"{os.environ['PATH']}:/usr/sbin:/sbin"):
            pytest.skip(f"skipped, because {tool} is not installed")
    done = isolated(sys.executable, str(HERE / "inside_ports.py"))
    if done.returncode and "unshare" in done.stderr:
        pytest.skip(f"skipped, because no namespaces can be made here: {done.stderr}")
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def test_free_ports_are_fine(said: dict[str, Any]) -> None:
    assert [level for level, *_ in said["nobody"]] == ["FINE"]


def test_a_foreign_dnsmasq_is_named_at_both_ports_with_what_mends_it(said: dict[str, Any]) -> None:
    findings = said["dnsmasq everywhere"]

    assert [(level, message.split(" (")[0]) for level, message, _ in findings] == [
        ("BROKEN", "dnsmasq holds port 53"),
        ("BROKEN", "dnsmasq holds port 67"),
    ]
    assert all("systemctl disable --now dnsmasq" in hint for *_, hint in findings)


def test_a_resolver_of_the_machine_s_own_on_loopback_is_in_nobody_s_way(
    said: dict[str, Any],
) -> None:
    assert [level for level, *_ in said["a resolver on loopback"]] == ["FINE"]


def test_a_resolver_on_the_street_s_address_is_in_the_way(said: dict[str, Any]) -> None:
    assert [level for level, *_ in said["a resolver on the street's address"]] == ["BROKEN"]


def test_a_web_server_is_in_the_way_also_on_loopback(said: dict[str, Any]) -> None:
    """The portal's socket takes port 80 at all addresses; Linux gives no port twice then."""
    ((level, message, _),) = said["a web server on loopback"]

    assert level == "BROKEN" and "holds port 80" in message


def test_the_box_s_own_programs_are_not_in_the_way(said: dict[str, Any]) -> None:
    assert [level for level, *_ in said["our own dnsmasq"]] == ["FINE"]


def test_whoever_may_not_look_into_processes_gets_a_note(said: dict[str, Any]) -> None:
    ((level, _, hint),) = said["the same, for whoever has no rights"]

    assert (level, hint) == ("NOTE", "sudo kiezbox check")


def test_the_real_kernel_is_asked_about_the_firewall_s_rules_and_keeps_none() -> None:
    if not shutil.which("nft", path=f"{os.environ['PATH']}:/usr/sbin"):
        pytest.skip("skipped, because nft is not installed")
    program = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "from pathlib import Path; from machines import Tree, found\n"
        "print([f.level.name for f in found('firewall', Tree(Path('/nowhere')).examined())])\n"
        "import subprocess; print(subprocess.run(['nft', 'list', 'tables'], capture_output=True,"
        " text=True, timeout=10).stdout)"
    )

    done = isolated(sys.executable, "-c", program, str(HERE))

    assert done.returncode == 0, done.stderr
    if "BROKEN" in done.stdout:
        pytest.skip("skipped, because this kernel has no nf_tables")
    assert done.stdout.strip() == "['FINE']"
