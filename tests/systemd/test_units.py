"""What can be said about the units without starting them."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from kiezbox.network import Interface, Machine, Radio, plan
from kiezbox.network.parts import Part, fill, parts
from kiezbox.posture import Posture
from kiezbox.settings import Settings, parse

UNITS = Path(__file__).resolve().parent.parent.parent / "systemd"
SERVICES = sorted(path.name for path in UNITS.glob("*.service"))
PROGRAM = "/opt/kiezbox/.venv/bin/kiezbox"
KINDS = ("service", "socket", "path", "target", "timer")

#: Exposure as systemd 252 reckons it, 0 (locked away) to 10; newer ones ask a little more.
SCORES = {
    "kiezbox-node.service": 1.7,
    "kiezbox-portal.service": 0.6,
    "kiezbox-dnsmasq@.service": 2.2,
    "kiezbox-hostapd.service": 2.7,
    "kiezbox-client.service": 2.7,
    "kiezbox-network.service": 2.8,
    "kiezbox-mesh.service": 2.7,
    "kiezbox-babel.service": 2.4,
    "kiezbox-respondd.service": 1.6,
    "kiezbox-clock.service": 1.7,
    "kiezbox-street.service": 6.7,
    "kiezbox-firewall@.service": 6.7,
}

#: A box that has everything: two radios, a mesh with a routing daemon, the way out by WLAN.
EVERYTHING = """
[box]
id = "kb-1"
[network.access_point]
owe = true
[network.uplink]
kind = "wlan"
ssid = "berlin.freifunk.net"
[network.mesh]
interface = "wlan1"
"""


def unit_files() -> list[Path]:
    return sorted(path for kind in KINDS for path in UNITS.glob(f"*.{kind}"))


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


@pytest.mark.parametrize("name", SCORES)
def test_the_units_are_as_closed_as_the_page_says(name: str, installed: list[str]) -> None:
    (path,) = [path for path in installed if path.endswith(name)]
    if "@." in name:
        path = shutil.copy(path, path.replace("@.", "@emergency."))

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
        r"(?m)^[ug] (\S+)", "".join(path.read_text() for path in UNITS.glob("sysusers.d/*"))
    )
    found = settings(UNITS / name)

    users = [*found.get("User", []), *found.get("Group", [])]
    users += " ".join(found.get("SupplementaryGroups", [])).split()
    assert set(users) <= {*made, "root"}


@pytest.mark.parametrize("name", SERVICES)
def test_who_reads_what_strangers_send_is_not_root(name: str) -> None:
    """hostapd and wpa_supplicant can be nothing else: the kernel wants CAP_NET_ADMIN for WLAN."""
    found = settings(UNITS / name)
    is_nobody = "User" in found or "DynamicUser" in found
    capabilities = found.get("CapabilityBoundingSet", ["all"])[0]

    assert is_nobody or capabilities != "all"
    assert found["NoNewPrivileges"] == ["yes"]


@pytest.mark.parametrize("name", SERVICES)
def test_our_programs_are_where_the_maker_puts_them(name: str) -> None:
    maker = (UNITS.parent / "docs" / "maker.md").read_text(encoding="utf-8")

    ours = [each for each in settings(UNITS / name)["ExecStart"] if "kiezbox/" in each.split()[0]]
    assert all(each.startswith("/opt/kiezbox/.venv/bin/") for each in ours)
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
    assert "StateDirectory" not in portal


def test_the_portal_writes_words_and_nothing_else() -> None:
    from kiezbox.settings import StoreSettings

    portal = settings(UNITS / "kiezbox-portal.service")
    folder = Path(StoreSettings().words_path).parent
    made = (UNITS / "tmpfiles.d" / "kiezbox.conf").read_text(encoding="utf-8")

    assert portal["ReadWritePaths"] == [f"-{folder}"]
    assert f"\nd {folder} 2770 kiezbox kiezbox-words -\n" in made
    for name in ("portal", "node"):
        found = settings(UNITS / f"kiezbox-{name}.service")
        assert "kiezbox-words" in found["SupplementaryGroups"][0].split()
    start = portal["ExecStart"][0].split()
    assert start[start.index("--secrets") + 1] == f"/run/{portal['RuntimeDirectory'][0]}"
    assert portal["RuntimeDirectoryPreserve"] == ["yes"]


# --- the network: units and the table of parts say the same ----------------------------------


def unit_file(part: Part) -> Path:
    return UNITS / f"kiezbox-{part.name}{'@' if part.is_per_posture else ''}.service"


def as_installed(part: Part, command: tuple[str, ...]) -> list[str]:
    """A row's command as a unit has it: the default folder, the checkout in /opt/kiezbox."""
    words = fill(
        tuple(word.replace("$", "$$") for word in command),
        run="/run/kiezbox-network",
        posture="%i",
        environment={},
    )
    here = {sys.prefix: "/opt/kiezbox/.venv", str(UNITS.parent): "/opt/kiezbox"}
    for ours, installed in here.items():
        words = [word.replace(ours, installed) for word in words]
    return words


def commands(path: Path, name: str) -> list[list[str]]:
    return [shlex.split(line) for line in settings(path).get(name, [])]


@pytest.mark.parametrize("part", parts(), ids=lambda part: part.name)
def test_a_unit_starts_what_the_table_of_parts_starts(part: Part) -> None:
    path = unit_file(part)

    assert commands(path, "ExecStart") == [as_installed(part, each) for each in part.start]
    expected = [[f"-{word}", *rest] for word, *rest in [as_installed(part, part.stop or ("",))]]
    assert commands(path, "ExecStopPost") == (expected if part.stop else [])
    # Outside the sandbox (+), which would have to be built once more.
    then = [[f"-+{word}", *rest] for word, *rest in [as_installed(part, part.then or ("",))]]
    assert commands(path, "ExecStartPost") == (then if part.then else [])


@pytest.mark.parametrize("part", parts(), ids=lambda part: part.name)
def test_a_unit_is_skipped_where_its_file_was_not_prepared(part: Part) -> None:
    found = settings(unit_file(part))

    file = part.file.replace("{posture}", "%i")
    assert found["ConditionPathExists"] == [f"/run/kiezbox-network/{file}"]
    has_names = any("${" in word for command in (*part.start, part.stop) for word in command)
    assert not has_names or found["EnvironmentFile"] == ["/run/kiezbox-network/environment"]


@pytest.mark.parametrize("part", parts(), ids=lambda part: part.name)
def test_a_unit_comes_after_what_its_part_needs(part: Part) -> None:
    found = settings(unit_file(part))
    after = {
        re.sub("@.*[.]", "@.", unit) for line in found.get("After", []) for unit in line.split()
    }
    names = {each.name: unit_file(each).name for each in parts()}

    assert {names[name] for name in part.needs} <= set(" ".join(found.get("Requires", [])).split())
    assert {names[name] for name in (*part.needs, *part.after)} <= after


@pytest.mark.parametrize("part", parts(), ids=lambda part: part.name)
def test_a_unit_comes_back_as_often_as_it_must(part: Part) -> None:
    found = settings(unit_file(part))

    assert found["StartLimitIntervalSec"] == ["0"]
    if part.is_daemon:
        assert (found["Type"], found["Restart"]) == (["exec"], ["always"])
    else:
        assert found["Type"] == ["oneshot"]


@pytest.mark.parametrize("part", parts(), ids=lambda part: part.name)
def test_what_a_posture_has_for_itself_goes_with_it_and_the_rest_stays(part: Part) -> None:
    found = settings(unit_file(part))

    if part.is_per_posture:
        assert found["PartOf"] == ["kiezbox-%i.target"]
        assert "kiezbox-%i.target" in found["After"]
    if part.is_passing:
        assert "RemainAfterExit" not in found
    else:
        assert found["StopWhenUnneeded"] == ["yes"]


@pytest.mark.parametrize("posture", list(Posture))
def test_a_target_wants_every_part_that_its_posture_can_have(posture: Posture) -> None:
    import tomllib

    box: Settings = parse(Settings, tomllib.loads(EVERYTHING))
    machine = Machine(
        interfaces=(
            Interface(name="wlan0", phy="phy0", manager="NetworkManager"),
            Interface(name="wlan1", phy="phy1"),
        ),
        radios=(Radio(phy="phy0", most_points=2), Radio(phy="phy1")),
        has_batman=True,
        programs=Machine().programs | {"babeld", "batctl"},
        mesh_key="a key of more than twelve",
        before={"net/ipv6/conf/all/forwarding": "0"},
    )
    found = settings(UNITS / f"kiezbox-{posture.value}.target")
    wants = set(" ".join(found["Wants"]).split()) - {"kiezbox-portal.service"}

    planned = {part.name for part in plan(posture, box, machine).parts}
    # The street brings its handover itself, so that it is the last to be given back.
    planned -= {"handover"}
    assert planned <= {re.sub("kiezbox-(.*?)(@.*)?.service", r"\1", unit) for unit in wants}
    assert all((UNITS / re.sub("@.*[.]", "@.", unit)).exists() for unit in wants)


def test_the_four_postures_exclude_each_other() -> None:
    for posture in Posture:
        found = settings(UNITS / f"kiezbox-{posture.value}.target")

        others = {f"kiezbox-{other.value}.target" for other in Posture if other is not posture}
        assert others <= set(" ".join(found["Conflicts"]).split())


def test_the_pages_are_warm_while_the_wlan_is_open() -> None:
    for posture in (Posture.EMERGENCY, Posture.SHARED):
        wants = " ".join(settings(UNITS / f"kiezbox-{posture.value}.target")["Wants"])

        assert "kiezbox-portal.service" in wants.split()


def test_nothing_that_takes_long_stands_before_the_emergency_wlan() -> None:
    """Only at boot does a part wait for the preparation (network.service); never for a network."""
    slow = ("network-online.target", "time-sync.target", "multi-user.target", "kiezbox-node")

    for part in (part for part in parts() if part.is_vital):
        after = " ".join(settings(unit_file(part))["After"])
        assert not [name for name in slow if name in after]


@pytest.mark.parametrize("part", parts(), ids=lambda part: part.name)
def test_at_boot_a_part_waits_until_its_file_is_prepared(part: Part) -> None:
    unit = unit_file(part)
    after = " ".join(settings(unit).get("After", [])).split()
    before = " ".join(settings(UNITS / "kiezbox-network.service")["Before"]).split()

    assert "kiezbox-network.service" in after or unit.name in before


def test_the_node_can_say_a_postures_word_and_nothing_else() -> None:
    found = settings(UNITS / "kiezbox-wanted@.path")

    from kiezbox.settings import StoreSettings

    assert found["PathExists"] == [f"{StoreSettings().run_dir}/wanted/%i"]
    assert found["Unit"] == ["kiezbox-%i.target"]
    made = (UNITS / "tmpfiles.d" / "kiezbox.conf").read_text(encoding="utf-8")
    assert "d /run/kiezbox/wanted 0755 kiezbox kiezbox -" in made


def test_the_networks_folder_is_the_settings_default() -> None:
    from kiezbox.settings import NetworkSettings

    made = (UNITS / "tmpfiles.d" / "kiezbox.conf").read_text(encoding="utf-8")

    assert f"d {NetworkSettings().run_dir} 0755 root root -" in made
