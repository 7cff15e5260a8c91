"""A box goes through its postures for real, in namespaces: made, kept, changed, undone, left."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.bed

HERE = Path(__file__).resolve().parent
NEEDED = ("unshare", "ip", "nft", "dnsmasq", "sysctl")


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    missing = [name for name in NEEDED if not shutil.which(name, path="/usr/sbin:/usr/bin:/sbin")]
    if os.geteuid() != 0 or missing:
        pytest.skip(f"namespaces need root and {', '.join(missing or NEEDED)}")
    folder = tmp_path_factory.mktemp("apply")
    done = subprocess.run(
        ["unshare", "--net", "--mount", "--pid", "--fork", "--mount-proc", "--kill-child=KILL",
         sys.executable, str(HERE / "inside_apply.py"), str(folder)],
        capture_output=True, text=True, timeout=120, cwd=HERE.parent.parent,
        env={**os.environ, "STATE_DIRECTORY": str(folder / "state"), "PYTHONPATH": "."},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-4000:]
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_preparing_changes_nothing_of_the_network(story: dict[str, Any]) -> None:
    assert story["prepare"]["code"] == 0
    assert story["prepared"] == story["before"]


def test_emergency_is_made_with_bridge_rules_and_addresses(story: dict[str, Any]) -> None:
    now = story["in emergency"]

    assert story["emergency"]["code"] == 0, story["emergency"]["error"]
    assert now["interfaces"]["eth1"] == ["kb-street", True]
    assert "table inet kiezbox" in now["tables"]
    assert "dnsmasq" in now["processes"]
    assert {"10.42.0.1/22", "198.51.100.1/32", "198.51.100.2/32", "fe80::1/64"} <= set(
        story["addresses"]
    )
    assert story["usable at once"]


def test_the_second_time_nothing_is_done_and_said_so(story: dict[str, Any]) -> None:
    assert story["again"]["said"] == ["emergency: nothing to do, everything is there"]
    assert story["normal again"]["said"] == ["closed: nothing to do, everything is there"]


def test_status_tells_what_runs(story: dict[str, Any]) -> None:
    said = json.loads("\n".join(story["status"]["said"]))

    assert (said["posture"], said["is_on_air"]) == ("emergency", True)
    assert said["parts"]["dnsmasq"] == "active"


def test_what_was_killed_comes_back_and_nothing_else_is_touched(story: dict[str, Any]) -> None:
    killed = story["killed"]

    assert killed["said"] == ["restarted dnsmasq"]
    assert killed["is_new"] and killed["same_street"]


def test_rules_that_somebody_flushed_come_back(story: dict[str, Any]) -> None:
    assert story["flushed"]["said"] == ["restarted firewall"]


def test_preparing_anew_disturbs_nobody_for_nothing(story: dict[str, Any]) -> None:
    refreshed = story["refreshed"]

    assert refreshed["nothing"]["said"] == ["emergency: nothing to do, everything is there"]
    assert refreshed["kept"]


def test_changed_settings_start_anew_what_reads_them_and_nothing_else(
    story: dict[str, Any],
) -> None:
    refreshed = story["refreshed"]

    assert refreshed["changed"]["said"] == ["restarted dnsmasq"]
    assert refreshed["is_new"] and refreshed["same_street"]


def test_shared_forwards_and_emergency_after_it_does_not(story: dict[str, Any]) -> None:
    # ipv4 eth0 forwarding, ipv6 all forwarding, ipv6 eth0 accept_ra
    assert story["in shared"]["kernel"][:2] == ["1", "1"]
    assert story["in shared"]["kernel"][2] == "2"
    assert story["in emergency again"]["kernel"] == story["before"]["kernel"]


def test_guests_stay_on_the_bridge_while_an_uplink_comes_and_goes(story: dict[str, Any]) -> None:
    for change in ("shared", "back"):
        assert not [said for said in story[change]["said"] if "street" in said]


def test_normal_leaves_nothing_behind(story: dict[str, Any]) -> None:
    assert story["normal"]["code"] == 0
    # Of processes, what answers Freifunk's maps goes on, a Python program; `look` leaves those out.
    assert story["in normal"] == story["before"]
    assert story["after"] == story["before"]


def test_somebody_elses_dnsmasq_and_bridge_are_left_alone(story: dict[str, Any]) -> None:
    assert story["foreign"] == {"lives": True, "bridge": True}


def test_what_fails_half_way_is_undone_and_says_which_part_and_why(story: dict[str, Any]) -> None:
    failed = story["half-way"]

    # Somebody else's socket is no proof that ours serves addresses.
    assert failed["is proven by a stranger"] is False
    assert failed["code"] == 9
    assert "dnsmasq has ended" in failed["error"]
    assert "Address already in use" in failed["error"]
    assert failed["left"] == story["before"]


def test_a_change_that_fails_leaves_the_posture_from_before(story: dict[str, Any]) -> None:
    failed = story["half-way from emergency"]

    assert failed["code"] == 9
    assert "cannot open or create lease file /none/leases" in failed["error"]
    assert failed["posture"] == "emergency"
    assert failed["left"] == story["in emergency"]
    assert failed["then"]["said"] == ["emergency: nothing to do, everything is there"]


def test_a_process_that_only_has_the_number_of_ours_is_not_ended(story: dict[str, Any]) -> None:
    assert story["stranger's number"]["lives"]


def test_who_is_not_root_is_told_so(tmp_path: Path) -> None:
    settings = tmp_path / "kiezbox.toml"
    settings.write_text(f'[box]\nid = "kb-1"\n[network]\nrun_dir = "{tmp_path}/none/net"\n')
    script = (
        "import os, sys; from kiezbox.cli import run; import kiezbox.cli.network,"
        " kiezbox.cli._common, kiezbox.network.apply, kiezbox.settings, tomllib, argparse;"
        " os.getuid() == 0 and os.setuid(65534); sys.exit(run())"
    )
    tmp_path.chmod(0o755)

    done = subprocess.run(
        [sys.executable, "-c", script, "network", "apply", "emergency", "--settings",
         str(settings)],
        capture_output=True, text=True, timeout=30, cwd=HERE.parent.parent,
    )  # fmt: skip

    assert done.returncode != 0
    assert "Traceback" not in done.stderr
    assert "root" in done.stderr or "cannot read" in done.stderr
