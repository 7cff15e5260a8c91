"""From the grid's loss to the page on a guest's phone, stage by stage, with everything cold.

A whole box in a virtual machine (user-mode Linux) with virtual radios: systemd, hostapd, dnsmasq,
wpa_supplicant and udhcpc are the real ones. tests/beds/radio plays it.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from benchmarks.lib.contest import Options, Outcome, Run, Skipped, interleave, say
from kiezbox.settings import PowerSettings

#: Whose time a stage is. The rest is ours, with systemd's starts and dnsmasq's answers in it.
OTHERS = {"on_air": "hostapd", "associated": "the guest's radio", "lease": "DHCP"}


def measure(options: Options) -> Outcome:
    """A fresh machine a round, in real time."""
    outcome = Outcome(
        "failover",
        "Seconds since the end of the debounce until a guest's first page, and each stage's share:"
        " wanted file, the street's bridge, the access point beacons, a guest is associated, has"
        " its lease, an address for a name, the redirect, the page. ours_s: all but"
        f" {', '.join(OTHERS.values())}. The machine is emulated: systemd takes longer to start a"
        " program in it than on a Raspberry Pi.",
        # hostapd does the same in every round: if it takes twice as long, the machine was busy.
        reference=("kiezbox", "on_air_s"),
    )
    interleave(outcome, {"kiezbox": _run}, options)
    return outcome


def _run() -> Run:
    import pytest
    from beds.radio.failover import STAGES, failover

    with tempfile.TemporaryDirectory(prefix="kiezbox-failover-") as folder:
        try:
            at = failover(Path(folder))
        except pytest.skip.Exception as reason:
            raise Skipped(str(reason)) from reason
        except (AssertionError, LookupError, TypeError) as failure:
            # The machine's last words, or a script in it that ended in a traceback.
            say(f"failover: {failure}")
            return {"unserved": 1.0}
    return shares(at, STAGES)


def shares(at: dict[str, float], stages: tuple[str, ...]) -> Run:
    """The stages' own times from seconds since the edge.

    >>> found = shares({"wanted": 8.25, "on_air": 9.5, "page": 9.75}, ("wanted", "on_air", "page"))
    >>> found["page_after_debounce_s"], found["ours_s"], found["on_air_s"]
    (1.75, 0.5, 1.25)
    """
    before = PowerSettings().bridge_s
    found: dict[str, float] = {}
    for stage in stages:
        found[f"{stage}_s"] = at[stage] - before
        before = at[stage]
    ours = sum(found[f"{stage}_s"] for stage in stages if stage not in OTHERS)
    total = at[stages[-1]] - PowerSettings().bridge_s
    return {"page_after_debounce_s": total, "ours_s": ours, "unserved": 0.0, **found}
