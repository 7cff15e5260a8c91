"""What can be said about the units without starting them."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

UNITS = Path(__file__).resolve().parent.parent.parent / "systemd"
SERVICES = ["kiezbox-node.service", "kiezbox-portal.service"]
PROGRAM = "/opt/kiezbox/.venv/bin/kiezbox"

#: Exposure as systemd 252 reckons it, 0 (locked away) to 10; newer ones ask a little more.
SCORES = {"kiezbox-node.service": 1.7, "kiezbox-portal.service": 0.6}


def unit_files() -> list[Path]:
    return sorted([*UNITS.glob("*.service"), *UNITS.glob("*.socket")])


def directives(path: Path) -> list[tuple[str, str]]:
    """(directive, the line above it), lines that were continued joined."""
    lines = path.read_text(encoding="utf-8").replace("\\\n", " ").splitlines()
    return [
        (line, above)
        for above, line in zip(["", *lines], lines, strict=False)
        if line and not line.startswith(("#", "[", ";"))
    ]


def settings(path: Path) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for line, _ in directives(path):
        name, _, value = line.partition("=")
        found.setdefault(name, []).append(value)
    return found


@pytest.fixture
def installed(tmp_path: Path) -> list[str]:
    """The units with a program that is there: what a test machine lacks is only /opt/kiezbox."""
    if not shutil.which("systemd-analyze"):
        pytest.skip("systemd-analyze is not installed (package systemd)")
    for path in unit_files():
        text = path.read_text(encoding="utf-8")
        for program in (PROGRAM, f"{Path(PROGRAM).parent}/python"):
            text = text.replace(program, "/bin/true")
        (tmp_path / path.name).write_text(text, encoding="utf-8")
    return [str(tmp_path / path.name) for path in unit_files()]


def analyze(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["systemd-analyze", "--no-pager", *arguments], capture_output=True, text=True, timeout=60
    )


@pytest.mark.parametrize("path", unit_files(), ids=lambda path: path.name)
def test_every_directive_has_its_reason_above_it(path: Path) -> None:
    bare = [line for line, above in directives(path) if not above.startswith("#")]

    assert bare == []


@pytest.mark.parametrize("path", [*UNITS.glob("*.d/*.conf")], ids=lambda path: path.parent.name)
def test_every_file_of_settings_for_systemd_says_why(path: Path) -> None:
    assert path.read_text(encoding="utf-8").startswith("# ")


def test_systemd_finds_nothing_to_say_about_the_units(installed: list[str]) -> None:
    done = analyze("verify", *installed)

    # A machine may have other units that are wrong; ours are in a folder of this test.
    ours = [line for line in done.stderr.splitlines() if "kiezbox" in line]
    assert (ours, done.returncode) == ([], 0)


@pytest.mark.parametrize("name", SERVICES)
def test_the_units_are_as_closed_as_the_page_says(name: str, installed: list[str]) -> None:
    (path,) = [path for path in installed if path.endswith(name)]

    done = analyze("security", "--offline=true", f"--threshold={SCORES[name] * 10 + 4:.0f}", path)

    assert done.returncode == 0, done.stdout
    page = (UNITS / "README.md").read_text(encoding="utf-8")
    assert f"| `{name}` | {SCORES[name]} |" in page


def test_an_open_unit_would_be_noticed(tmp_path: Path, installed: list[str]) -> None:
    """The threshold is one: without the sandbox the same unit exceeds it."""
    bare = tmp_path / "open.service"
    bare.write_text("[Service]\nExecStart=/bin/true\nUser=kiezbox\n", encoding="utf-8")

    done = analyze("security", "--offline=true", "--threshold=17", str(bare))

    assert done.returncode != 0


@pytest.mark.parametrize("name", SERVICES)
def test_the_users_of_the_units_are_made_by_sysusers(name: str) -> None:
    made = re.findall(
        r"^[ug] (\S+)", (UNITS / "sysusers.d" / "kiezbox.conf").read_text(encoding="utf-8"), re.M
    )
    found = settings(UNITS / name)

    users = [*found["User"], *found["Group"], *found["SupplementaryGroups"][0].split()]
    assert set(users) <= set(made)


@pytest.mark.parametrize("name", SERVICES)
def test_the_program_is_where_the_maker_puts_it(name: str) -> None:
    maker = (UNITS.parent / "docs" / "maker.md").read_text(encoding="utf-8")

    assert settings(UNITS / name)["ExecStart"][0].startswith(PROGRAM)
    assert "/opt/kiezbox" in maker


def test_the_directories_are_the_settings_defaults() -> None:
    from kiezbox.settings import StoreSettings

    found, defaults = settings(UNITS / "kiezbox-node.service"), StoreSettings()

    assert Path(defaults.path).parent == Path("/var/lib", *found["StateDirectory"])
    assert Path(defaults.run_dir) == Path("/run", *found["RuntimeDirectory"])
    portal = settings(UNITS / "kiezbox-portal.service")["ExecStart"][0].split()
    assert portal[portal.index("--store") + 1] == defaults.path
    assert portal[portal.index("--run-dir") + 1] == defaults.run_dir


def test_the_watchdog_waits_longer_than_the_node_between_its_words() -> None:
    """sd_watchdog_enabled(3) asks for half; the node's longest pause is shorter than that."""
    from kiezbox.node.assemble import MOST_PAUSE_S

    (watchdog_s,) = settings(UNITS / "kiezbox-node.service")["WatchdogSec"]

    assert float(watchdog_s) / 2 > MOST_PAUSE_S
    assert float(watchdog_s) <= 60


def test_the_portal_has_no_door_of_its_own() -> None:
    portal = settings(UNITS / "kiezbox-portal.service")

    assert portal["PrivateNetwork"] == portal["PrivateDevices"] == ["yes"]
    assert portal["RestrictAddressFamilies"] == ["AF_UNIX"]
    assert portal["CapabilityBoundingSet"] == [""]
    assert "ReadWritePaths" not in portal and "StateDirectory" not in portal
