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
    wrong = list(_not_running(folder))
    yield from wrong
    if not off and not wrong:
        yield Finding(
            Level.FINE, f"systemd knows {len(units)} units of the box, all is as it should"
        )


def _not_running(folder: Path) -> Iterator[Finding]:
    """What has failed, and what should have started and has not."""
    listed = ["systemctl", "list-units", "--failed", "--plain", "--no-legend", "kiezbox-*"]
    code, said = output_of(listed)
    for line in said.splitlines() if code == 0 else ():
        name = line.split()[0]
        yield Finding(Level.BROKEN, f"{name} has failed", f"journalctl -u {name} -n 50 says why.")
    wanted = sorted({link.name for link in folder.glob("*.wants/kiezbox-*")})
    properties = "--property=Id,ActiveState,Type,ConditionResult,ConditionTimestampMonotonic"
    code, said = output_of(["systemctl", "show", properties, *wanted])
    for block in said.split("\n\n") if code == 0 and wanted else ():
        about = dict(line.partition("=")[::2] for line in block.splitlines())
        # A oneshot has done its work; a condition that does not hold is no fault, but one that
        # was never asked for is.
        was_asked = about.get("ConditionTimestampMonotonic", "0") != "0"
        is_excused = about.get("Type") == "oneshot" or (
            was_asked and about.get("ConditionResult") == "no"
        )
        if about.get("ActiveState") == "inactive" and not is_excused:
            name = about.get("Id", "?")
            yield Finding(Level.WARNING, f"{name} does not run", f"sudo systemctl start {name}")


def _is_on(unit: Path) -> bool:
    """A link among what some target wants (systemd.unit(5), "[Install] Section"); of a template,
    an instance's."""
    stem, at, suffix = unit.name.partition("@")
    name = f"{stem}@?*{suffix}" if at else unit.name
    return any(unit.parent.glob(f"*.wants/{name}")) or any(unit.parent.glob(f"*.requires/{name}"))
