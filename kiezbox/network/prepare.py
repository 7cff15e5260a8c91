"""``prepare``: writes what every posture needs while there is time, so that on the night itself
only hostapd and its like have to start.

At boot and every hour (``kiezbox-network.service``, ``kiezbox-network-refresh.timer``). Files are
replaced one by one and only where their text changed; which ones did is what the caller needs to
start the right parts anew.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

from kiezbox.clock import Clock
from kiezbox.errors import NetworkError
from kiezbox.network import client, hostapd, mesh, scan, street
from kiezbox.network.machine import Machine
from kiezbox.network.plan import Plan, plan
from kiezbox.network.survey import output_of, parse_rules, survey
from kiezbox.posture import Posture
from kiezbox.settings import MeshSettings, Settings

__all__ = ["Prepared", "alone", "look", "prepare"]

#: Folder below run_dir in which dnsmasq's hook notes when a guest joined.
JOINED = "joined"
#: dnsmasq's own file of leases.
LEASES = "leases"
#: Who dnsmasq is (systemd/kiezbox-dnsmasq@.service); started by hand, it becomes nobody itself.
DNSMASQ_USER = "kiezbox-dnsmasq"

#: A file's name → the command that says whether its program understands it.
JUDGES = {
    "ruleset.nft": ("/usr/sbin/nft", "--check", "--file", "{file}"),
    "dnsmasq.conf": ("/usr/sbin/dnsmasq", "--test", "--conf-file={file}"),
}
JUDGE_S = 20.0

SECRETS = client.SECRETS | mesh.SECRETS


@dataclass(frozen=True, slots=True)
class Prepared:
    """What lies in ``network.run_dir`` now."""

    plans: Mapping[Posture, Plan]
    machine: Machine
    #: Paths below run_dir that were written or removed just now.
    changed: frozenset[str]
    #: Path → why the program that is to read the file refuses it.
    refused: Mapping[str, str]


def prepare(settings: Settings, clock: Clock, *, scans: bool = False) -> Prepared:
    """Survey, plan, write. ``scans``: also listen for neighbours' WLANs, while ours is off.

    Raises:
        NetworkError: the folder cannot be written.
    """
    run = Path(settings.network.run_dir)
    with alone(run, ".lock"):
        if scans:
            scan.refresh(settings, clock)
        _rules(settings)
        machine = look(settings, clock)
        plans = {posture: plan(posture, settings, machine) for posture in Posture}
        files = {name: text for each in plans.values() for name, text in each.files.items()}
        changed = _write_all(run, files)
        refused = _judge(run, changed)
        _write(run / "plan.json", _facts(settings, machine, plans, files))
        _leases(run, settings)
    return Prepared(plans, machine, frozenset(changed), refused)


def _judge(run: Path, changed: Iterable[str]) -> dict[str, str]:
    """Let the programs say now, not on the night, whether they understand what was written. By
    the way the kernel loads the modules that the rules need, which takes a while.
    """
    if os.geteuid() != 0:
        return {}
    refused = {}
    for name in sorted(changed):
        judge = JUDGES.get(name.rpartition("/")[2])
        if judge is None or not (run / name).exists():
            continue
        command = [word.replace("{file}", str(run / name)) for word in judge]
        with contextlib.suppress(OSError, subprocess.TimeoutExpired):
            done = subprocess.run(command, capture_output=True, timeout=JUDGE_S)
            if done.returncode:
                words = (done.stderr or done.stdout).decode(errors="replace").strip()
                refused[name] = "\n".join(words.splitlines()[:3])
    return refused


def look(settings: Settings, clock: Clock) -> Machine:
    """The survey, with what only memory knows: the scan's choice, the certificate, and how
    things were before our own parts changed them.
    """
    machine = survey(settings)
    kernel, port, uplink = _before(settings, machine)
    return replace(
        machine,
        uplink=uplink,
        channel=scan.chosen(),
        has_certificate=_has_certificate(settings, clock),
        before=MappingProxyType(kernel),
        interfaces=tuple(
            replace(each, **port) if each.name == street.port_of(settings) else each
            for each in machine.interfaces
        ),
    )


def _before(settings: Settings, machine: Machine) -> tuple[dict[str, str], dict[str, Any], str]:
    """How things were before: kernel settings as seen first after the machine's start; the
    guests' port as last seen without a street; the last interface that led to the world, since a
    route that comes and goes must not change everybody's rules each time.
    """
    path = Path(settings.network.run_dir) / "before.json"
    known = _read_json(path)
    kernel = dict(machine.before) | known.get("kernel", {})
    seen = machine.interface(street.port_of(settings))
    port = {"is_up": seen.is_up, "manager": seen.manager} if seen is not None else {}
    if machine.has_street:
        port = known.get("port", port)
    uplink = machine.uplink or str(known.get("uplink", ""))
    if os.access(path.parent, os.W_OK):
        _write(path, json.dumps({"kernel": kernel, "port": port, "uplink": uplink}))
    return kernel, port, uplink


def _read_json(path: Path) -> dict[str, Any]:
    """{} where there is no such file, or none that we wrote."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _has_certificate(settings: Settings, clock: Clock) -> bool:
    if not settings.network.certificate.name:
        return False
    from kiezbox.network import certificate

    folder = settings.network.certificate.folder
    standing = certificate.standing(
        folder, clock.now(), clock.is_trusted(), settings.network.certificate.name
    )
    return standing.is_valid


def _rules(settings: Settings) -> None:
    """hostapd waits 5 s for the kernel to take over a country's radio rules, unless the kernel
    goes by that country already.
    """
    country = settings.network.access_point.country
    if not country or not Path("/sys/class/ieee80211").is_dir():
        return
    if parse_rules(output_of(["iw", "reg", "get"])) != country:
        output_of(["iw", "reg", "reload"])
        output_of(["iw", "reg", "set", country])


@contextlib.contextmanager
def alone(run: Path, name: str) -> Iterator[None]:
    """One at a time: the timer and a person may come at once.

    Raises:
        NetworkError: the folder cannot be written.
    """
    try:
        run.mkdir(mode=0o755, parents=True, exist_ok=True)
        lock = (run / name).open("a")
    except OSError as error:
        raise NetworkError(
            f"cannot write {run}: {error.strerror}", hint="Only root prepares the network: sudo."
        ) from error
    with lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _write_all(run: Path, files: Mapping[str, str]) -> set[str]:
    """Write what differs, remove what is no longer planned; what was touched."""
    before = _read_json(run / "plan.json").get("files", [])
    gone = {name for name in before if name not in files and (run / name).exists()}
    for name in gone:
        (run / name).unlink()
    return gone | {name for name, text in files.items() if _write(run / name, text)}


def _write(path: Path, text: str) -> bool:
    """Replace the file by one with this text, unless it is that already. No fsync: the folder is
    in memory.
    """
    with contextlib.suppress(FileNotFoundError, UnicodeDecodeError):
        if path.read_text(encoding="utf-8") == text:
            return False
    path.parent.mkdir(mode=0o755, exist_ok=True)
    secret = any(path.match(name) for name in SECRETS)
    new = path.with_name(f".{path.name}.new")
    with open(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(text)
    new.chmod(0o600 if secret else 0o644)
    new.replace(path)
    return True


def _facts(
    settings: Settings, machine: Machine, plans: Mapping[Posture, Plan], files: Iterable[str]
) -> str:
    """``plan.json``: what the node, the checks and the portal may know of it. No secret."""
    network, point = settings.network, settings.network.access_point
    return json.dumps(
        {
            "files": sorted(files),
            "access_point": point.kind,
            "ssid": point.ssid,
            "channel": hostapd.channel(settings, machine) if point.kind == "radio" else None,
            "address": network.street.address,
            "name": network.street.name,
            "https_name": network.certificate.name if machine.has_certificate else None,
            "mesh": _mesh(network.mesh, machine),
            "machine": machine.as_facts(),
            "postures": {posture.value: each.as_facts() for posture, each in plans.items()},
        },
        ensure_ascii=False,
        indent=1,
    )


def _mesh(settings: MeshSettings, machine: Machine) -> str | None:
    try:
        mesh.routing(settings, machine)
    except NetworkError:
        return None
    return mesh.interface(settings) or None


def _leases(run: Path, settings: Settings) -> None:
    """dnsmasq may write its leases, its hook who joined; neither outlives a lease: both are all
    that a box ever notes about a guest's device.
    """
    joined, leases = run / JOINED, run / LEASES
    joined.mkdir(mode=0o755, exist_ok=True)
    if not leases.exists():
        leases.touch(mode=0o644)
    with contextlib.suppress(LookupError, PermissionError):
        shutil.chown(joined, DNSMASQ_USER)
        shutil.chown(leases, DNSMASQ_USER)
    oldest = time.time() - settings.network.street.lease_s
    for path in joined.iterdir():
        with contextlib.suppress(FileNotFoundError):
            if path.stat().st_mtime < oldest:
                path.unlink()
    if leases.stat().st_mtime < oldest and leases.stat().st_size:
        # dnsmasq, if it runs, has had nothing to do with a lease for longer than one lasts.
        os.truncate(leases, 0)
