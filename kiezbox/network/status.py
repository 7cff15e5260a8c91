"""What the network does just now, for ``kiezbox network status``. Reads, changes nothing."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from kiezbox.network import scan
from kiezbox.network.addresses import OWE, STREET
from kiezbox.network.apply import current, is_systemd
from kiezbox.network.by_hand import ByHand
from kiezbox.network.by_systemd import BySystemd
from kiezbox.network.parts import parts
from kiezbox.network.proof import flags_of, is_carrier
from kiezbox.network.survey import output_of
from kiezbox.posture import Posture
from kiezbox.settings import Settings

__all__ = ["facts", "sentences"]


def facts(settings: Settings) -> dict[str, Any]:
    """Counts and states; no hardware address of a guest."""
    posture, run = current(settings), Path(settings.network.run_dir)
    point = settings.network.access_point
    stations = None
    if point.kind == "radio" and flags_of(point.interface):
        names = [point.interface, *([OWE] if flags_of(OWE) else [])]
        stations = sum(
            len(re.findall(r"^Station ", output_of(["iw", "dev", name, "station", "dump"]), re.M))
            for name in names
        )
    return {
        "posture": posture.value if posture else None,
        "is_prepared": (run / "plan.json").exists(),
        "is_on_air": is_carrier(STREET),
        "ssid": point.ssid if point.kind != "none" else None,
        "channel": point.channel or scan.chosen() or None,
        "stations": stations,
        "leases": leases(run / "leases"),
        "parts": _parts(settings, posture),
    }


def leases(path: Path) -> int | None:
    """How many IPv4 addresses dnsmasq has given away; None where it never ran. Its file has a
    lease per line, and IPv6 ones behind a line ``duid``.
    """
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return None
    known = next((i for i, line in enumerate(lines) if line.startswith("duid ")), len(lines))
    return sum(len(line.split()) >= 4 for line in lines[:known])


def _parts(settings: Settings, posture: Posture | None) -> dict[str, str]:
    """Part → "running", "ended" or "not wanted", as whoever started them sees it."""
    if posture is None:
        return {}
    if is_systemd(settings):
        return BySystemd(settings).states(posture)
    hand = ByHand(settings.network.run_dir)
    return {
        part.name: "active" if hand.is_running(part, posture) else "failed"
        for part in parts()
        if part.name in hand.running
    }


def sentences(found: dict[str, Any]) -> list[str]:
    """``facts`` for people."""
    air = {True: "yes", False: "no", None: "no"}[found["is_on_air"]]
    lines = [
        f"posture     {found['posture'] or 'none yet'}",
        f"on the air  {air}" + (f', "{found["ssid"]}"' if found["ssid"] else ""),
        f"prepared    {'yes' if found['is_prepared'] else 'no: kiezbox network prepare'}",
    ]
    if found["channel"]:
        lines.append(f"channel     {found['channel']}")
    if found["stations"] is not None:
        lines.append(f"stations    {found['stations']}")
    if found["leases"] is not None:
        lines.append(f"leases      {found['leases']}")
    lines += [f"part        {name}: {state}" for name, state in found["parts"].items()]
    return lines
