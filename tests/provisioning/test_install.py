"""provisioning/install, run for real: as root, in an overlay over this machine's own files, with
this machine's systemd tools, and with no network. Whatever it does is gone afterwards."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from roots import CHECKOUT, Root, seed_program, this_machine

STEPS = sorted(path.name for path in (CHECKOUT / "provisioning").glob("[0-9][0-9]-*"))

#: All but Debian's packages: there is no network here. tests/provisioning/test_clean_debian.py
#: has them.
ALL_BUT_PACKAGES = [word for step in STEPS[1:] for word in ("--only", step)]

CONFIG_TXT = "# the firmware's\ndtparam=audio=on\n\n[pi4]\narm_boost=1\n"


@pytest.fixture
def fresh() -> Iterator[Root]:
    """A machine that has never heard of Kiezbox, and a Raspberry Pi."""
    with this_machine() as root:
        seed_program(root)
        root.write("/boot/firmware/config.txt", CONFIG_TXT)
        root.write("/etc/dhcpcd.conf", "hostname\n")
        yield root


@pytest.fixture(scope="module")
def installed() -> Iterator[Root]:
    """The same after one installation. Tests with it look and change nothing."""
    with this_machine() as root:
        seed_program(root)
        root.write("/boot/firmware/config.txt", CONFIG_TXT)
        root.write("/etc/dhcpcd.conf", "hostname\n")
        done = root.install("--id", "kb-test", "--country", "DE", *ALL_BUT_PACKAGES)
        assert done.returncode == 0, done.stdout + done.stderr
        yield root


def mode_of(root: Root, name: str) -> str:
    return root.do("stat", "-c", "%a %U:%G", name).strip()


def test_a_dry_run_says_what_it_would_do_and_does_nothing(fresh: Root) -> None:
    before = fresh.changes()

    done = fresh.install("--dry-run")

    assert done.returncode == 0, done.stderr
    assert "would    write /etc/systemd/system/kiezbox-node.service" in done.stdout
    assert " now " not in done.stdout
    assert fresh.changes() == before


def test_the_second_run_changes_nothing_and_says_already(installed: Root) -> None:
    before = installed.changes()

    done = installed.install("--id", "kb-other", "--country", "FR", *ALL_BUT_PACKAGES)

    assert done.returncode == 0, done.stderr
    assert "  now  " not in done.stdout
    assert "already  /etc/kiezbox/kiezbox.toml (never overwritten)" in done.stdout
    assert installed.changes() == before


def test_whoever_sits_at_a_terminal_is_asked_what_only_the_operator_knows(fresh: Root) -> None:
    typed = "Späti\n51.163, 10.448\nVerein, Weg 1\nbox@musterplatz.example\n\n\n\n"
    for step in STEPS[1 : STEPS.index("50-settings")]:
        fresh.do(f"/src/provisioning/{step}", "install")

    given = {"KIEZBOX_ID": "kb-test", "KIEZBOX_COUNTRY": "DE"}
    done = fresh.run(
        "/src/provisioning/50-settings", "install", environment=given, typed=f"\n{typed}"
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert "Who is responsible" in done.stdout
    program = ("/opt/kiezbox/.venv/bin/kiezbox", "settings", "value")
    names = ("box.name", "box.latitude", "operator.controller", "operator.contact", "box.id")
    assert fresh.do(*program, *names).splitlines() == [
        "Späti", "51.163", "Verein, Weg 1", "box@musterplatz.example", "kb-test",
    ]  # fmt: skip
    assert mode_of(fresh, "/etc/kiezbox/kiezbox.toml") == "640 root:kiezbox"

    again = fresh.run("/src/provisioning/50-settings", "install", environment=given, typed="x\n")
    assert "Who is responsible" not in again.stdout and "never overwritten" in again.stdout


def test_without_a_terminal_nothing_is_asked_and_the_way_is_named(fresh: Root) -> None:
    steps = [
        word for step in STEPS[1 : STEPS.index("50-settings") + 1] for word in ("--only", step)
    ]

    done = fresh.install("--id", "kb-test", "--country", "DE", *steps)

    assert done.returncode == 0, done.stderr
    assert "Who is responsible" not in done.stdout and "sudo kiezbox init" in done.stdout


def test_the_settings_hold_what_was_given_and_pass_the_program_s_own_check(
    installed: Root,
) -> None:
    program = ("/opt/kiezbox/.venv/bin/kiezbox", "settings")

    values = installed.do(*program, "value", "box.id", "network.access_point.country")

    assert values == "kb-test\nDE\n"
    installed.do(*program, "check")
    assert mode_of(installed, "/etc/kiezbox/kiezbox.toml") == "640 root:kiezbox"
    assert mode_of(installed, "/etc/kiezbox") == "750 root:kiezbox"


def test_a_box_whose_grid_line_is_not_wired_yet_does_not_take_that_for_a_blackout(
    installed: Root,
) -> None:
    said = json.loads(installed.run("/usr/local/bin/kiezbox", "check", "--json").stdout)

    (finding,) = [each for each in said if each["check"] == "grid"]
    assert finding["level"] == "note" and "no grid sensing" in finding["message"]
    toml = installed.path("/etc/kiezbox/kiezbox.toml").read_text()
    assert "\n# [power.grid.mains]\n" in toml and '\n# driver = "pin"\n' in toml


def test_somebody_at_a_terminal_is_asked_for_what_was_not_given(fresh: Root) -> None:
    fresh.install("--only", "20")

    done = fresh.run("/src/provisioning/install", "--only", "50", typed="kb-asked\nDE\n" + 8 * "\n")

    assert done.returncode == 0, done.stderr
    toml = fresh.path("/etc/kiezbox/kiezbox.toml").read_text()
    assert '\nid = "kb-asked"\n' in toml and '\ncountry = "DE"\n' in toml


def test_it_runs_from_a_stick_that_knows_no_executable_files(fresh: Root) -> None:
    fresh.do("sh", "-c", "cp -R /src /stick && chmod -R a-x,a+X /stick")

    done = fresh.run("sh", "/stick/provisioning/install", "--only", "20", "--only", "30")

    assert done.returncode == 0, done.stderr


def test_the_mesh_key_is_long_secret_and_no_two_boxes_have_the_same(fresh: Root) -> None:
    keys, said = [], ""
    for _ in range(2):
        done = fresh.install("--only", "20", "--only", "50", "--only", "60", "--id", "kb-test")
        keys.append(fresh.path("/etc/kiezbox/mesh.key").read_text())
        assert mode_of(fresh, "/etc/kiezbox/mesh.key") == "600 root:root"
        fresh.do("rm", "/etc/kiezbox/mesh.key")
        said += done.stdout + done.stderr

    assert keys[0] != keys[1]
    # IEEE 802.11 lets a passphrase have 8 to 63 characters; 24 bytes are 32 letters of base64.
    assert all(re.fullmatch(r"[A-Za-z0-9+/]{32}", key) for key in keys)
    assert not any(key in said for key in keys)


def test_a_box_that_joins_a_kiez_takes_the_key_it_is_given(fresh: Root) -> None:
    fresh.write("/tmp/given", "a key of the first box\n")
    steps = ("--only", "20", "--only", "50", "--only", "60", "--id", "kb-test")

    first = fresh.install(*steps, "--mesh-key", "/tmp/given")
    fresh.write("/tmp/given", "a key of another Kiez\n")
    second = fresh.install(*steps, "--mesh-key", "/tmp/given")

    assert first.returncode == 0, first.stderr
    assert fresh.path("/etc/kiezbox/mesh.key").read_text() == "a key of the first box\n"
    assert second.returncode == 1
    assert "not the same" in second.stderr
    assert "a key of" not in first.stdout + second.stdout + second.stderr


def test_every_file_of_the_units_folder_is_installed(installed: Root) -> None:
    """Whoever adds a kind of file to systemd/ teaches the installer about it."""
    ours = installed.path("/src/systemd")

    missing = []
    for path in sorted(ours.rglob("*")):
        name = path.relative_to(ours)
        if path.is_dir() or path.name == "README.md":
            continue
        place = Path("/etc/systemd/system") if len(name.parts) == 1 else Path("/etc")
        target = installed.path(str(place / name))
        if not target.exists() or target.read_bytes() != path.read_bytes():
            missing.append(str(name))

    assert missing == []


def test_systemd_finds_nothing_to_say_about_the_installed_units(installed: Root) -> None:
    done = installed.run(
        "sh", "-c", "systemd-analyze --no-pager verify /etc/systemd/system/kiezbox-*"
    )

    ours = [line for line in done.stderr.splitlines() if "kiezbox" in line]
    assert ours == []


def test_what_has_an_install_section_is_switched_on(installed: Root) -> None:
    for path in installed.path("/src/systemd").glob("kiezbox-*.*"):
        text = path.read_text()
        if "\n[Install]" not in text or "@." in path.name or "https" in path.name:
            continue
        state = installed.run("systemctl", "is-enabled", path.name).stdout.strip()

        assert state in ("enabled", "alias"), path.name


def test_the_door_for_https_opens_where_a_name_is_set_and_closes_with_it(fresh: Root) -> None:
    toml = '[box]\nid = "kb-1"\n[network.certificate]\nname = "{name}"\n'
    states = []
    fresh.install("--only", "20")

    for name in ("", "portal.example.org", ""):
        fresh.write("/etc/kiezbox/kiezbox.toml", toml.format(name=name))
        fresh.install("--only", "70")
        said = fresh.run("systemctl", "is-enabled", "kiezbox-portal-https.socket")
        states.append(said.stdout.strip())

    assert states == ["disabled", "enabled", "disabled"]


def test_the_box_s_own_check_finds_every_unit_switched_on(installed: Root) -> None:
    said = json.loads(installed.run("/usr/local/bin/kiezbox", "check", "--json").stdout)

    # What runs it cannot know: no systemd runs in here.
    found = [each for each in said if each["check"] == "units"]
    assert [each["level"] for each in found] == ["note"], found


def test_the_users_of_the_units_exist(installed: Root) -> None:
    users = {
        line.partition("=")[2]
        for path in installed.path("/src/systemd").glob("*.service")
        for line in path.read_text().splitlines()
        if line.startswith("User=")
    }

    for user in users - {"root"}:
        installed.do("getent", "passwd", user)


@pytest.mark.parametrize(
    ("uplink", "is_ours"),
    [
        # NetworkManager joins Freifunk with it on ordinary days; the box borrows it in a blackout.
        ("system", False),
        ("none", True),
    ],
)
def test_network_manager_itself_reads_which_interfaces_are_ours(
    fresh: Root, uplink: str, is_ours: bool
) -> None:
    if not shutil.which("NetworkManager"):
        pytest.skip("skipped, because NetworkManager is not installed")
    fresh.write(
        "/etc/kiezbox/kiezbox.toml",
        f'[box]\nid = "kb-1"\n[network.uplink]\nkind = "{uplink}"\n'
        '[network.mesh]\ninterface = "wlan1"\n',
    )

    fresh.install("--only", "80")

    read = fresh.do("NetworkManager", "--print-config")
    (line,) = [line for line in read.splitlines() if line.startswith("unmanaged-devices")]
    names = {name.removeprefix("interface-name:") for name in re.split("[=,;]", line)[1:]}
    assert names == {"kb-street", "kb-owe", "kb-mesh", "wlan1"} | ({"wlan0"} if is_ours else set())


def test_dhcpcd_is_told_too_where_it_is_there(installed: Root) -> None:
    text = installed.path("/etc/dhcpcd.conf").read_text()

    assert text.startswith("hostname\n")
    assert re.search(r"^denyinterfaces .*\bwlan0\b.*$", text, re.M)


def test_the_firmware_switches_on_the_bus_on_every_model(installed: Root) -> None:
    """Lines below a filter such as [pi4] hold for that model only (config.txt, "Conditional
    filters"), so ours come after an [all]."""
    text = installed.path("/boot/firmware/config.txt").read_text()

    assert text.startswith(CONFIG_TXT)
    assert text.index("[pi4]") < text.index("[all]") < text.index("dtparam=i2c_arm=on")


def test_on_a_pi_5_pins_8_and_10_are_the_port_that_they_are_elsewhere(installed: Root) -> None:
    """Raspberry Pi documentation, Pico C SDK: serial0 of a Pi 5 is its debug plug by default."""
    text = installed.path("/boot/firmware/config.txt").read_text()

    assert "[pi5]\ndtparam=uart0_console\n[all]\n" in text


def test_a_line_that_somebody_wrote_before_us_is_not_written_again(fresh: Root) -> None:
    own = "dtparam=i2c_arm=on\nenable_uart=1\ndtparam=uart0=on\n"
    fresh.write("/boot/firmware/config.txt", own)

    fresh.install("--only", "30")

    assert fresh.path("/boot/firmware/config.txt").read_text() == own


def test_services_that_would_take_our_ports_are_off_until_we_go(fresh: Root) -> None:
    fresh.write(
        "/etc/systemd/system/dnsmasq.service",
        "[Service]\nExecStart=/bin/true\n[Install]\nWantedBy=multi-user.target\n",
    )
    fresh.do("systemctl", "enable", "dnsmasq.service")

    fresh.install("--only", "80")
    during = fresh.run("systemctl", "is-enabled", "dnsmasq.service").stdout.strip()
    fresh.install("--uninstall", "--only", "80")
    after = fresh.run("systemctl", "is-enabled", "dnsmasq.service").stdout.strip()

    assert (during, after) == ("disabled", "enabled")


def test_a_unit_of_an_older_version_goes(fresh: Root) -> None:
    fresh.write(
        "/etc/systemd/system/kiezbox-gone.service",
        "[Service]\nExecStart=/bin/true\n[Install]\nWantedBy=multi-user.target\n",
    )
    fresh.do("systemctl", "enable", "kiezbox-gone.service")

    fresh.install("--only", "20", "--only", "70")

    left = [name for name, kind in fresh.changes().items() if "kiezbox-gone" in name and kind[3]]
    assert [name for name in left if fresh.path(name).exists()] == []


def test_an_uninstallation_takes_away_what_was_installed_and_keeps_what_is_the_operator_s(
    fresh: Root,
) -> None:
    seeded = set(fresh.changes())
    fresh.install("--id", "kb-test", "--country", "DE", *ALL_BUT_PACKAGES)
    toml = fresh.path("/etc/kiezbox/kiezbox.toml").read_text()

    done = fresh.install("--uninstall")

    assert done.returncode == 0, done.stderr
    left = {
        name
        for name, (_, _, _, content) in fresh.changes().items()
        if "kiezbox" in name and content != "removed" and name not in seeded
    }
    assert left == {"/etc/kiezbox/kiezbox.toml", "/etc/kiezbox/mesh.key"}
    assert fresh.path("/etc/kiezbox/kiezbox.toml").read_text() == toml
    assert fresh.path("/boot/firmware/config.txt").read_text() == CONFIG_TXT
    assert fresh.path("/etc/dhcpcd.conf").read_text() == "hostname\n"


def test_a_purge_leaves_neither_users_nor_keys(fresh: Root) -> None:
    fresh.install("--id", "kb-test", *(w for n in "2456" for w in ("--only", f"{n}0")))

    done = fresh.install("--uninstall", "--purge")

    assert done.returncode == 0, done.stderr
    left = [n for n, kind in fresh.changes().items() if "kiezbox" in n and kind[3] != "removed"]
    assert left == []
    assert fresh.run("getent", "passwd", "kiezbox").returncode != 0


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--frobnicate"], "there is no option --frobnicate"),
        (["--id"], "--id needs a value"),
        (["--country", "Germany"], "--country Germany is no country"),
        (["--only", "77"], "there is no step 77"),
        (["--mesh-key", "/nowhere/key"], "cannot read /nowhere/key"),
        (["--purge"], "--purge goes with --uninstall"),
    ],
)
def test_a_wrong_call_is_answered_with_a_sentence(options: list[str], sentence: str) -> None:
    done = subprocess.run(
        [str(CHECKOUT / "provisioning" / "install"), *options],
        capture_output=True,
        text=True,
        timeout=30,
    )

    assert done.returncode == 2
    assert done.stderr.startswith(f"kiezbox: {sentence}")
    assert len(done.stderr.splitlines()) == 2


def test_a_wrong_machine_or_a_missing_word_stops_it_with_a_sentence_and_nothing_done(
    fresh: Root,
) -> None:
    fresh.write("/tmp/old", 'ID=raspbian\nVERSION_ID="11"\nPRETTY_NAME="Raspbian 11"\n')
    fresh.write("/tmp/foreign", 'ID=fedora\nVERSION_ID=41\nPRETTY_NAME="Fedora 41"\n')
    fresh.write("/tmp/short", "abc")
    step = "/src/provisioning/"

    said = [
        fresh.run(step + "10-packages", environment={"KIEZBOX_OS_RELEASE": "/tmp/old"}),
        fresh.run(step + "10-packages", environment={"KIEZBOX_OS_RELEASE": "/tmp/foreign"}),
        fresh.run(step + "60-secrets"),
        fresh.install("--only", "20", "--only", "50"),
        fresh.install("--only", "50", "--id", "Not An Id"),
        fresh.install("--only", "60", "--mesh-key", "/tmp/short"),
        fresh.run("setpriv", "--reuid=65534", step + "install"),
    ]

    for done, sentence in zip(
        said,
        [
            "this is Raspbian 11, and Kiezbox needs bookworm (12) or newer",
            "this is Fedora 41; the installer knows Raspberry Pi OS and Debian",
            "there is no /etc/kiezbox",
            "this box needs an id",
            "the id Not An Id is none",
            "the key in /tmp/short is shorter than 16 letters",
            "this needs root",
        ],
        strict=True,
    ):
        assert done.returncode == 1, sentence
        assert done.stderr.startswith(f"kiezbox: {sentence}")
    assert not fresh.path("/etc/kiezbox/kiezbox.toml").exists()


def test_a_command_that_fails_is_quoted_and_the_next_step_does_not_run(fresh: Root) -> None:
    """A package list that cannot be fetched: the most common trouble on a roof."""
    fresh.write("/usr/local/sbin/apt-get", "#!/bin/sh\necho E: no route to host >&2\nexit 100\n")
    fresh.path("/usr/local/sbin/apt-get").chmod(0o755)
    fresh.write("/usr/local/sbin/dpkg-query", "#!/bin/sh\nexit 1\n")
    fresh.path("/usr/local/sbin/dpkg-query").chmod(0o755)

    done = fresh.run(
        "env", "PATH=/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin",
        "/src/provisioning/install", "--id", "kb-test",
    )  # fmt: skip

    assert done.returncode == 1
    assert "could not: ask for the list of packages" in done.stderr
    assert "E: no route to host" in done.stderr
    assert "20-users" not in done.stdout


def test_every_step_is_a_file_that_may_be_run_and_says_what_it_is_for() -> None:
    for name in [*STEPS, "install"]:
        path = CHECKOUT / "provisioning" / name

        assert path.stat().st_mode & 0o111, name
        assert path.read_text().startswith("#!/bin/sh\n# "), name


def test_the_units_expect_the_program_where_the_installer_puts_it() -> None:
    lib = (CHECKOUT / "provisioning" / "lib.sh").read_text()

    for path in (CHECKOUT / "systemd").glob("*.service"):
        for program in re.findall(r"^Exec\w+=\S*?(/\S*kiezbox) ", path.read_text(), re.M):
            assert program == "/opt/kiezbox/.venv/bin/kiezbox"
    assert "\nPROGRAM=/opt/kiezbox\n" in lib


def test_the_files_that_units_start_by_their_path_are_there(installed: Root) -> None:
    started = {
        path
        for unit in (CHECKOUT / "systemd").glob("*.service")
        for path in re.findall(r"^Exec\w+=.*?(/opt/kiezbox/kiezbox/\S+)", unit.read_text(), re.M)
    }

    assert "/opt/kiezbox/kiezbox/neighbours" in started
    for path in started:
        installed.do("test", "-e", path)


def test_every_program_that_the_network_starts_has_its_package() -> None:
    """NetworkManager's own is not brought to a machine that lives without it."""
    from kiezbox.network.parts import PACKAGES

    step = (CHECKOUT / "provisioning" / "10-packages").read_text()

    wanted = set(PACKAGES.values()) - {"network-manager"}
    assert [name for name in sorted(wanted) if f"\n{name}:" not in step] == []
