"""What a node finds in its store when it starts: where each machine stood, and where it goes on."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace

from kiezbox import power as power_rules
from kiezbox.battery import BatteryState, Stage
from kiezbox.clock import Clock
from kiezbox.mode import Mode, ModeState
from kiezbox.node.outage import Absence
from kiezbox.power import Grid, PowerState
from kiezbox.settings import Settings
from kiezbox.store import Store

log = logging.getLogger("kiezbox")


@dataclass(frozen=True, slots=True)
class Resumed:
    """The machines, and the transitions that were stored but not noted as carried out."""

    power: PowerState
    mode: ModeState
    battery: BatteryState | None
    unfinished: tuple[int, ...]


def resume(settings: Settings, store: Store, absence: Absence, clock: Clock) -> Resumed:
    """Read the kept states; nothing is changed and nothing is carried out."""
    now = clock.monotonic()
    kept = store.kept("power") or {}
    off_s = absence.since(kept)
    power = PowerState.from_dict(kept.get("grid") or {}, now, off_s or 0.0)
    mode = ModeState.from_dict(kept.get("mode") or {}, now, off_s or 0.0)
    battery: BatteryState | None = None
    if settings.power.battery.sensor:
        counted = store.kept("battery") or {}
        battery = BatteryState.from_dict(
            counted.get("state") or {}, now, settings.power.battery, absence.since(counted)
        )
        # The count rides on the journal's next flush, its stage's last change is on the card: an
        # empty box that died before that flush must not open its WLAN once more.
        for transition in store.transitions("battery", limit=1):
            battery = replace(battery, stage=Stage(transition.after))
    unfinished = []
    # Transitions that were stored, but died before the state that goes with them was.
    for transition in reversed(store.transitions(limit=20)):
        if transition.id > int(kept.get("transition") or 0):
            if transition.machine == "grid":
                power = replace(power, grid=Grid(transition.after), since=now, vote_since=now)
            elif transition.machine == "mode":
                is_open = bool(transition.detail.get("wlan"))
                mode = replace(
                    mode,
                    mode=Mode(transition.after),
                    since=now,
                    is_open=is_open,
                    changed_at=now if is_open != mode.is_open else mode.changed_at,
                )
        if transition.carried_out_at is None:
            log.info(
                "power: goes on with %s %s -> %s",
                transition.machine,
                transition.before,
                transition.after,
            )
            unfinished.append(transition.id)
    if not settings.power.grid:
        # A box that lost its sources by a change of settings must not stay in an outage that
        # nobody can end any more.
        power = power_rules.start(now)
    return Resumed(power, mode, battery, tuple(unfinished))
