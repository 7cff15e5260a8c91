"""The power worker: asks the grid sources and the battery, lets the rules decide, carries it out.

Vital. What it decides is stored before it is carried out; a node that dies in between finds the
stored transition when it starts, and goes on from there.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from kiezbox import battery as battery_rules
from kiezbox import mode as mode_rules
from kiezbox import power as power_rules
from kiezbox.battery import Sample, Stage
from kiezbox.clock import Clock
from kiezbox.mode import Mode, ModeState, ModeStep
from kiezbox.model import Quantity
from kiezbox.node.facts import Facts
from kiezbox.node.grid import GridSource
from kiezbox.node.latest import Latest
from kiezbox.node.outage import Absence
from kiezbox.node.resuming import Resumed
from kiezbox.node.street import Street
from kiezbox.node.thresholds import Thresholds
from kiezbox.power import Fired, Trouble
from kiezbox.settings import Settings
from kiezbox.store import Store

log = logging.getLogger("kiezbox")

#: The coulomb count rides on the journal's next frame so often; what a power cut takes of it is
#: one minute's current.
KEEP_BATTERY_S = 60.0

#: A box with neither grid source nor battery only looks for orders, so often: each look costs as
#: much as a reading.
ORDERS_ONLY_S = 2.0

#: Without a new reading for so long, the battery's rule is told that there is none.
NO_SAMPLE_S = 60.0


class Powering:
    """The task. ``announce(kind, document)`` hands the state to every publisher."""

    def __init__(
        self,
        settings: Settings,
        *,
        sources: Mapping[str, GridSource],
        store: Store,
        latest: Latest,
        facts: Facts,
        announce: Callable[[str, dict[str, Any]], None],
        has_uplink: Callable[[], bool | None],
        clock: Clock,
        absence: Absence,
        resumed: Resumed,
        street: Street,
        warning: Callable[[], str | None] = lambda: None,
        thresholds: Thresholds | None = None,
        spare: Callable[[Mode], None] = lambda mode: None,
    ) -> None:
        """``has_uplink`` says whether any publisher is connected; None: there is none.
        ``warning`` says what the gravest official warning that holds says; None: there is none.
        ``thresholds`` says which sensor is at its alarm step.
        ``spare`` hears the mode at every look, for those that draw less in some.

        ``street`` has already said what ``resumed.mode`` wants.
        """
        self._settings = settings
        self._sources = sources
        self._store = store
        self._latest = latest
        self._facts = facts
        self._announce = announce
        self._has_uplink = has_uplink
        self._warning = warning
        self._thresholds = thresholds
        self._spare = spare
        self._clock = clock
        self._absence = absence
        self._power, self._mode, self._battery = resumed.power, resumed.mode, resumed.battery
        self._street = street
        self._offset_s = clock.now() - clock.monotonic()
        self._troubles: set[tuple[str, str]] = set()
        self._seen_change = -1
        self._taken: list[int] = []
        self._battery_serial = 0
        self._battery_at = self._kept_battery_at = clock.monotonic()
        self._announced: dict[str, Any] = {}

    # --- one look --------------------------------------------------------------------------------

    def step(self) -> float:
        now = self._clock.monotonic()
        votes = {name: source.vote() for name, source in self._sources.items()}
        fired: list[Fired] = []
        pause_s = self._settings.power.interval_s
        if not self._sources and self._battery is None:
            pause_s = max(pause_s, ORDERS_ONLY_S)
        if self._sources:
            looked = power_rules.step(self._power, votes, now, self._settings.power)
            self._power, pause_s = looked.state, looked.next_in_s
            fired += looked.fired
            self._tell_troubles(looked.troubles)
        fired += self._look_at_battery(now)
        if self._thresholds is not None:
            self._thresholds.look(now)
        decided = self._decide(now)
        fired += decided.fired
        if fired or decided.must_keep:
            self._carry_out(fired, now)
        turns_in_s = self._street.follow(self._mode)
        self._spare(self._mode.mode)
        self._street.look()
        if turns_in_s is not None:
            pause_s = min(pause_s, turns_in_s)
        self._show(votes, decided, now)
        return max(0.01, pause_s)

    def _look_at_battery(self, now: float) -> Iterable[Fired]:
        if self._battery is None:
            return ()
        settings = self._settings.power.battery
        voltage = self._latest.good(f"{settings.sensor}/{Quantity.VOLTAGE_V.value}")
        current = self._latest.good(f"{settings.sensor}/{Quantity.CURRENT_A.value}")
        if voltage is not None and current is not None and voltage.serial != self._battery_serial:
            self._battery_serial = voltage.serial
            sample = Sample(voltage.value, current.value, voltage.monotonic_ms / 1000)
        elif now - self._battery_at >= NO_SAMPLE_S:
            sample = Sample(None, None, now)
        else:
            return ()
        self._battery_at = now
        stepped = battery_rules.step(self._battery, sample, settings)
        self._battery = stepped.state
        if stepped.fired or now - self._kept_battery_at >= KEEP_BATTERY_S:
            self._kept_battery_at = now
            self._store.keep_lazily(
                "battery", {"state": self._battery.to_dict(), **self._absence.mark()}
            )
        return stepped.fired

    def _decide(self, now: float) -> ModeStep:
        decided = self._step_mode(self._mode, now)
        for order in self._new_orders():
            rest_s = self._settings.mode.order_most_s
            if order.until is not None:
                rest_s = order.until - self._clock.now()
            log.info("power: order verb=%s for_s=%.0f", order.verb, rest_s)
            taken = self._step_mode(decided.state, now, mode_rules.Order(order.verb, rest_s))
            decided = taken._replace(fired=(*decided.fired, *taken.fired), must_keep=True)
            self._taken.append(order.id)
        self._mode = decided.state
        if decided.order_ended:
            log.info("power: order ended reason=%s", decided.order_ended)
        return decided

    def _step_mode(
        self, state: ModeState, now: float, order: mode_rules.Order | None = None
    ) -> ModeStep:
        return mode_rules.step(
            state,
            now=now,
            settings=self._settings.mode,
            grid=self._power.grid,
            battery=self._battery.stage if self._battery else Stage.UNKNOWN,
            signals=self._signals(),
            order=order,
        )

    def _signals(self) -> dict[str, str]:
        has_uplink, warning = self._has_uplink(), self._warning()
        said = {"official_warning": warning} if warning is not None else {}
        if has_uplink is False:
            said["uplink_lost"] = "no publisher connected"
        alarm = self._thresholds.alarm() if self._thresholds is not None else None
        if alarm is not None:
            said["sensor_threshold"] = alarm
        return said

    def _new_orders(self) -> list[Any]:
        change = self._store.changed()
        if change == self._seen_change:
            return []
        self._seen_change = change
        return self._store.orders()

    # --- what follows ----------------------------------------------------------------------------

    def _carry_out(self, fired: Iterable[Fired], now: float) -> None:
        """Store, then do, then note that it was done."""
        numbers = []
        for arrow in fired:
            log.warning(
                "power: %s %s -> %s event=%s", arrow.machine, arrow.before, arrow.after, arrow.event
            )
            numbers.append(self._store.put_transition(*arrow))
        # Now, not after the state is kept: whoever finds the transition knows what is wanted, and
        # each flush of an old card takes longer than all of our own work.
        self._street.follow(self._mode)
        self._keep(now, numbers[-1] if numbers else None)
        for number in numbers:
            self._store.carried_out(number)
        # Last: an order that was kept and is taken again after a crash changes nothing.
        while self._taken:
            self._store.order_taken(self._taken.pop())

    def _keep(self, now: float, transition: int | None = None) -> None:
        if transition is None:
            newest = self._store.transitions(limit=1)
            transition = newest[0].id if newest else 0
        self._store.keep(
            "power",
            {
                "grid": self._power.to_dict(now),
                "mode": self._mode.to_dict(now),
                "transition": transition,
                **self._absence.mark(),
            },
        )

    def _tell_troubles(self, troubles: Iterable[Trouble]) -> None:
        current = set()
        for trouble in troubles:
            current.add((trouble.source, trouble.kind))
            if (trouble.source, trouble.kind) not in self._troubles:
                self._store.open_fault(*trouble)
                log.warning("power: %s", trouble.message)
        for source, kind in self._troubles - current:
            self._store.close_fault(source, kind)
        self._troubles = current

    # --- what readers see ------------------------------------------------------------------------

    def _unix(self, monotonic: float) -> float:
        """A monotonic moment on the wall clock, steady to the second."""
        offset_s = self._clock.now() - self._clock.monotonic()
        if abs(offset_s - self._offset_s) > 1.0:
            self._offset_s = offset_s
        return round(monotonic + self._offset_s, 1)

    def _show(self, votes: Mapping[str, str], decided: ModeStep, now: float) -> None:
        mode, order = self._mode, self._mode.order
        mode_facts = {
            "name": str(mode.mode),
            "since": self._unix(mode.since),
            "causes": [
                {"cause": cause.name, "since": self._unix(cause.since), "detail": cause.detail}
                for cause in mode.counting
            ],
            "wanted": str(decided.wanted) if decided.wanted else None,
            "wanted_in_s": round(decided.wanted_in_s) if decided.wanted_in_s else None,
            "order": {"mode": order.verb, "until": self._unix(order.until)} if order else None,
            "is_exercise": mode.mode is Mode.EXERCISE,
        }
        grid_facts = {
            "state": str(self._power.grid),
            "since": self._unix(self._power.since),
            "is_sensed": bool(self._sources),
            "sources": votes,
        }
        battery_facts = self._battery_facts()
        network_facts = self._street.facts(self._unix)
        self._facts.set_power(mode_facts, grid_facts, battery_facts, network_facts)
        news = {key: value for key, value in mode_facts.items() if key != "wanted_in_s"}
        state = {
            "mode": news,
            "grid": grid_facts,
            "battery": _coarse(battery_facts),
            "network": {
                "posture": network_facts["wanted"],
                "is_on_air": network_facts["is_on_air"],
            },
        }
        if state != self._announced:
            self._announced = state
            self._announce("state", state)

    def _battery_facts(self) -> dict[str, Any] | None:
        if self._battery is None:
            return None
        settings = self._settings.power.battery
        charge = battery_rules.charge_percent(self._battery, settings)
        hours = battery_rules.hours_left(self._battery, settings)
        street, whole = self._settings.network.street, None
        if street.slice_open_s < street.slice_every_s:
            # Mode saving, and with it the time slices, begin at this charge.
            whole = battery_rules.hours_left(self._battery, settings, settings.low_percent)
        voltage = self._latest.good(f"{settings.sensor}/{Quantity.VOLTAGE_V.value}")
        current = self._latest.good(f"{settings.sensor}/{Quantity.CURRENT_A.value}")
        return {
            "stage": str(self._battery.stage),
            "charge_percent_low": round(charge.low, 1),
            "charge_percent_high": round(charge.high, 1),
            "hours_left_low": round(hours.low, 1) if hours else None,
            "hours_left_high": round(hours.high, 1) if hours else None,
            "hours_open_low": round(whole.low, 1) if whole else None,
            "hours_open_high": round(whole.high, 1) if whole else None,
            "voltage_v": voltage.value if voltage else None,
            "current_a": current.value if current else None,
        }

    def interrupt(self) -> None:
        """No step takes long."""

    def close(self) -> None:
        for source in self._sources.values():
            source.close()
        self._street.close()


def _coarse(battery: dict[str, Any] | None) -> dict[str, Any] | None:
    """The battery as it is announced: in steps, so that a message is news and not noise."""
    if battery is None:
        return None
    return {
        "stage": battery["stage"],
        "charge_percent_low": round(battery["charge_percent_low"] / 5) * 5,
        "charge_percent_high": round(battery["charge_percent_high"] / 5) * 5,
        "hours_left_low": battery["hours_left_low"] and round(battery["hours_left_low"]),
        "hours_left_high": battery["hours_left_high"] and round(battery["hours_left_high"]),
    }
