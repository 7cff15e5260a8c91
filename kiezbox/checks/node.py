"""Whether the node runs, and what it complains about."""

from __future__ import annotations

from collections.abc import Iterator

from kiezbox.checks import Examined, Finding, Level


def run(box: Examined) -> Iterator[Finding]:
    if box.facts is None:
        yield Finding(
            Level.BROKEN,
            "the node does not run",
            "systemctl status kiezbox-node, or by hand: kiezbox run",
        )
        return
    faults = box.facts.get("faults") or []
    for fault in faults:
        times = fault.get("times", 1)
        again = f" ({times} times)" if times > 1 else ""
        yield Finding(Level.WARNING, f"{fault.get('message')}{again}", fault.get("hint") or "")
    if not faults:
        yield Finding(Level.FINE, "the node runs and complains about nothing")
