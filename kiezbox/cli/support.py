"""Write a file for a bug report: how this box is, without what is nobody's business.

  kiezbox support [--to FILE]     kiezbox-support-ID.tar.gz, unless FILE says otherwise

Inside: settings, status, checks, versions, the last log lines, the network's plan and rules, the
radios, systemd. Not inside: passwords, keys, comments of kiezbox.toml, readings of the past,
anything that is measured indoors, what residents wrote, names and addresses of guests, names of
other people's WLANs. Hardware addresses are replaced by made-up ones, the box's place is rounded to
ten kilometres.
As root it sees more (log, firewall). Look into it before you send it.
"""

from __future__ import annotations

import io
import os
import tarfile
import traceback
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from kiezbox.errors import KiezboxError

if TYPE_CHECKING:
    from kiezbox.cli._redacting import Redactor
    from kiezbox.settings import Settings

#: Of each file inside: a log that says one thing for ever helps nobody.
MOST_BYTES = 1_000_000

#: Lines of the journal.
LOG_LINES = 500


def main(argv: list[str]) -> int:
    """``kiezbox support [--to FILE] [--json]``."""
    from kiezbox.cli._common import Parser, print_json, settings_path

    parser = Parser("support", __doc__)
    parser.add_argument("--to", metavar="FILE", help="the file to write; it must not exist yet")
    parser.add_argument("--json", action="store_true", help="for programs: what is inside")
    arguments = parser.parse_args(argv)
    path = settings_path(arguments.settings)
    table, settings, trouble = _settings(path)
    redactor = redactor_of(table, settings, path)
    files = {
        name: redactor.text(text)[:MOST_BYTES]
        for name, text in _collected(table, settings, trouble, redactor)
    }
    box = settings.box.id if settings else "unknown"
    target = arguments.to or f"kiezbox-support-{box}.tar.gz"
    write(target, files)
    if arguments.json:
        print_json({"file": target, "contains": {name: len(t) for name, t in files.items()}})
        return 0
    print(f"{target} contains")
    for name, text in files.items():
        print(f"  {name:18} {len(text.encode()):7} bytes  {_ABOUT[name]}")
    if os.geteuid() != 0:
        print("As root it would also hold the log, the firewall's rules and all checks: sudo.")
    print("Look into it before you send it; you know better what is nobody's business:")
    print(f"  tar -xzOf {target} | less")
    return 0


def write(target: str, files: Mapping[str, str]) -> None:
    """The files as a tar.gz that only its owner may read. Times and users say nothing.

    Raises:
        KiezboxError: it is there already, or cannot be written.
    """
    try:
        handle = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError as error:
        raise KiezboxError(f"{target} is there already", hint="--to names another.") from error
    except OSError as error:
        raise KiezboxError(f"cannot write {target}: {error.strerror}") from error
    with open(handle, "wb") as raw, tarfile.open(fileobj=raw, mode="w:gz") as archive:
        for name, text in files.items():
            content = text.encode("utf-8", "replace")
            entry = tarfile.TarInfo(f"kiezbox-support/{name}")
            entry.size, entry.mode = len(content), 0o600
            archive.addfile(entry, io.BytesIO(content))


def _settings(path: str) -> tuple[dict[str, Any], Settings | None, str]:
    """The file as it stands, the same checked, and what was wrong with it."""
    from kiezbox.cli._common import read_toml
    from kiezbox.cli.settings import check

    table: dict[str, Any] = {}
    try:
        table = read_toml(path)
        return table, check(table), ""
    except KiezboxError as error:
        return table, None, f"{error}\n"


def redactor_of(table: Mapping[str, Any], settings: Settings | None, path: str) -> Redactor:
    """One that knows this box's secrets, and which addresses and names are its own.

    Secrets are read as far as we may; what we may not read we cannot give away either.
    """
    import ipaddress

    from kiezbox.cli._redacting import Redactor, secret_words
    from kiezbox.settings import Settings as Declared

    secrets = list(_declared_secrets(Declared, table))
    for file in {*_secret_files(table), *_usual_secrets(settings)}:
        try:
            with open(file, encoding="utf-8", errors="surrogateescape") as content:
                secrets += secret_words(content.read(MOST_BYTES))
        except OSError:
            continue
    if settings is None:
        # A file that cannot be understood may hold anything, and the message about it a piece.
        try:
            with open(path, encoding="utf-8", errors="replace") as content:
                secrets += secret_words(content.read(MOST_BYTES))
        except OSError:
            pass
        return Redactor(secrets)
    network = settings.network
    street = network.street
    guests = ipaddress.IPv4Network(street.guests)
    return Redactor(
        secrets,
        addresses=(street.address, street.https_address, str(guests[1])),
        names=(network.access_point.ssid, network.uplink.ssid, network.mesh.name),
    )


def _secret_files(table: Any) -> Iterator[str]:
    """Files that settings name and that hold secrets: every ``…_file``, but the authorities'."""
    if not isinstance(table, Mapping):
        return
    for key, value in table.items():
        if isinstance(value, Mapping):
            yield from _secret_files(value)
        elif isinstance(value, str) and key != "ca_file":
            if key.endswith(("_file", "_credentials", "_path")):
                yield value


def _usual_secrets(settings: Settings | None) -> Iterator[str]:
    """Where secrets are if kiezbox.toml says nothing."""
    from kiezbox.settings import NetworkSettings

    network = settings.network if settings else NetworkSettings()
    yield network.mesh.key_file
    yield network.uplink.password_file
    yield network.certificate.acme_credentials
    yield os.path.join(network.certificate.folder, "privkey.pem")


def _declared_secrets(kind: type, table: Mapping[str, Any]) -> Iterator[str]:
    """Values of settings that are declared secret."""
    from kiezbox.settings import declarations

    for field, declaration in declarations(kind):
        value = table.get(field.name)
        if "section" in field.metadata and isinstance(value, Mapping):
            yield from _declared_secrets(field.metadata["section"], value)
        elif declaration.is_secret and isinstance(value, str):
            yield value


#: File inside → what the sender is told about it.
_ABOUT = {
    "settings.json": "kiezbox.toml, without its comments and secrets",
    "now.json": "what the node says just now",
    "status.txt": "the same in words",
    "checks.txt": "kiezbox check",
    "versions.txt": "programs, packages, kernel, model",
    "log.txt": f"the last {LOG_LINES} lines of the box's units",
    "plan.json": "what the network needs in each posture, and what is missing",
    "firewall.txt": "nftables' table of the box",
    "radio.txt": "radios, their modes and rules; no scan",
    "systemd.txt": "the box's units and how long they took",
}

#: Commands whose words go into a file, by file.
_COMMANDS: dict[str, tuple[tuple[str, ...], ...]] = {
    "versions.txt": (
        ("uname", "-srm"),
        ("cat", "/etc/os-release"),
        ("cat", "/proc/device-tree/model"),
        ("dpkg-query", "-W", "hostapd", "dnsmasq-base", "nftables", "iw", "wpasupplicant",
         "wireless-regdb", "batctl", "babeld", "network-manager", "systemd", "firmware-brcm80211"),
    ),
    "log.txt": (
        ("journalctl", "--unit=kiezbox-*", f"--lines={LOG_LINES}", "--output=short-iso",
         "--no-hostname", "--no-pager"),
    ),
    "firewall.txt": (("nft", "list", "table", "inet", "kiezbox"), ("nft", "list", "tables")),
    "radio.txt": (("iw", "reg", "get"), ("iw", "dev"), ("iw", "phy"), ("rfkill",)),
    "systemd.txt": (
        ("systemctl", "list-units", "--all", "--no-pager", "--plain", "kiezbox-*"),
        ("systemctl", "list-timers", "--all", "--no-pager", "kiezbox-*"),
        ("systemd-analyze", "--no-pager", "time"),
        ("systemd-analyze", "--no-pager", "critical-chain", "kiezbox-node.service"),
    ),
}  # fmt: skip


def _collected(
    table: Mapping[str, Any], settings: Settings | None, trouble: str, redactor: Redactor
) -> Iterator[tuple[str, str]]:
    """File → its text. What cannot be had says so, and the rest goes on."""
    yield "settings.json", trouble + redactor.json(table)
    if settings is not None:
        for name, make in _OF_A_BOX.items():
            try:
                yield name, make(settings, redactor)
            except KiezboxError as error:
                yield name, f"not to be had: {error}\n"
            except Exception:
                # What breaks here is what the report is about: it must not end the report.
                yield name, f"not to be had:\n{traceback.format_exc()}"
    for name, commands in _COMMANDS.items():
        first = _our_versions() if name == "versions.txt" else ""
        yield name, first + "\n".join(_said(command) for command in commands)


def _facts(settings: Settings) -> dict[str, Any]:
    """now.json without what is measured in somebody's rooms: nobody there has agreed to this."""
    from kiezbox.cli._common import read_facts
    from kiezbox.privacy.consent import Consents
    from kiezbox.privacy.places import public_since

    facts, public = read_facts(settings), public_since(settings.sensors, Consents())
    latest = facts.get("latest") or {}
    shown = {name: each for name, each in latest.items() if name.partition("/")[0] in public}
    steps = [each for each in facts.get("steps") or [] if each.get("sensor") in public]
    return {**facts, "latest": shown, "steps": steps, "advice": []}


def _now(settings: Settings, redactor: Redactor) -> str:
    return redactor.json(_facts(settings))


def _status(settings: Settings, redactor: Redactor) -> str:
    from kiezbox.cli._common import open_clock
    from kiezbox.cli.status import sentences

    return "\n".join(sentences(_facts(settings), open_clock(settings).now()))


def _checks(settings: Settings, redactor: Redactor) -> str:
    from kiezbox.checks import run_all
    from kiezbox.cli._common import read_facts
    from kiezbox.cli.check import MARKS, examined
    from kiezbox.errors import NotRunning

    try:
        facts: Mapping[str, Any] | None = read_facts(settings)
    except NotRunning:
        facts = None
    return "\n".join(
        f"{MARKS[finding.level]}  {name}: {finding.message}"
        for name, finding in run_all(examined(settings, facts))
    )


def _plan(settings: Settings, redactor: Redactor) -> str:
    from kiezbox.network import plan
    from kiezbox.network.survey import survey
    from kiezbox.posture import Posture

    machine = survey(settings)
    # Without what stands in the files: some of it is secret.
    plans = {each.value: plan(each, settings, machine).as_facts() for each in Posture}
    return redactor.json(plans)


_OF_A_BOX: dict[str, Callable[[Settings, Redactor], str]] = {
    "now.json": _now,
    "status.txt": _status,
    "checks.txt": _checks,
    "plan.json": _plan,
}


def _our_versions() -> str:
    import platform
    import sqlite3

    from kiezbox import __version__

    return (
        f"kiezbox {__version__}, Python {platform.python_version()},"
        f" SQLite {sqlite3.sqlite_version}\n"
    )


def _said(command: tuple[str, ...]) -> str:
    """A command and its answer, as one would paste it."""
    from kiezbox.checks._looking import output_of

    code, text = output_of(command)
    said = text.replace("\0", "") if code == 0 else f"({text or 'not here'})"
    return f"$ {' '.join(command)}\n{said}\n"
