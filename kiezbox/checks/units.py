"""Whether systemd starts the box, and what of it has failed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from kiezbox.checks import Examined, Finding, Level
from kiezbox.checks._looking import is_there, output_of, text_of


def run(box: Examined) -> Iterator[Finding]:
    folder = box.root / "etc/systemd/system"
    units = sorted(path for path in folder.glob("kiezbox-*.*") if path.is_file())
    if not units:
        yield Finding(
            Level.NOTE,
            "systemd does not know the box: it runs only while somebody has started it",
            "sudo provisioning/install",
        )
        return
    has_https = bool(box.settings.network.certificate.name)
    off = [
        unit.name
        for unit in units
        if "[Install]" in text_of(unit)
        and not _is_on(unit)
        and (has_https or not unit.name.endswith("-https.socket"))
    ]
    for name in off:
        yield Finding(
            Level.WARNING, f"{name} does not start with the machine", f"systemctl enable {name}"
        )
    if not is_there(box.root / "run/systemd/system"):
        yield Finding(Level.NOTE, "systemd does not run here: what runs is not known")
        return
    listed = ["systemctl", "list-units", "--failed", "--plain", "--no-legend", "kiezbox-*"]
    code, said = output_of(listed)
    failed = [line.split()[0] for line in said.splitlines() if line.strip()] if code == 0 else []
    for name in failed:
        yield Finding(Level.BROKEN, f"{name} has failed", f"journalctl -u {name} -n 50 says why.")
    if not off and not failed:
        yield Finding(Level.FINE, f"systemd knows {len(units)} units of the box, none has failed")


def _is_on(unit: Path) -> bool:
    """A link among what some target wants (systemd.unit(5), "[Install] Section"); of a template,
    an instance's."""
    stem, at, suffix = unit.name.partition("@")
    name = f"{stem}@?*{suffix}" if at else unit.name
    return any(unit.parent.glob(f"*.wants/{name}")) or any(unit.parent.glob(f"*.requires/{name}"))
