"""``apply``: makes a posture, or says that it is made already.

On a box systemd carries it out (``by_systemd``); in a namespace or a container we do it ourselves
(``by_hand``). Both follow the same table of parts and the same prepared files, and both end in
the same place: the posture is proven to be there, or what was begun is undone and the error says
which part failed with which words.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from kiezbox.clock import Clock
from kiezbox.errors import NetworkError
from kiezbox.network.by_hand import ByHand
from kiezbox.network.by_systemd import BySystemd
from kiezbox.network.parts import Part, in_order, parts
from kiezbox.network.plan import Plan
from kiezbox.network.prepare import alone, prepare
from kiezbox.network.proof import is_proven
from kiezbox.posture import Posture
from kiezbox.settings import NetworkSettings, Settings, StoreSettings

__all__ = ["Applied", "apply", "current", "is_systemd", "refresh"]

_log = logging.getLogger(__name__)

#: hostapd takes 0.8 s, and 5 s more where the radio rules have to be loaded first.
PROVEN_S = 15.0


@dataclass(frozen=True, slots=True)
class Applied:
    """What was done: sentences such as ``started hostapd``; empty where nothing had to be."""

    posture: Posture
    done: tuple[str, ...]


def is_systemd(settings: Settings) -> bool:
    """Whether systemd carries it out: it is process 1 and of this network namespace (one of our
    own is none of its business), and the settings name the folders that its units read.
    """
    usual = (NetworkSettings().run_dir, StoreSettings().run_dir)
    if (settings.network.run_dir, settings.store.run_dir) != usual:
        return False
    try:
        return Path("/proc/1/comm").read_text(
            encoding="utf-8"
        ).strip() == "systemd" and os.readlink("/proc/self/ns/net") == os.readlink("/proc/1/ns/net")
    except OSError:
        return False


def apply(posture: Posture, settings: Settings, clock: Clock) -> Applied:
    """Prepare, and make the posture.

    Raises:
        NetworkError: not root, something is missing, or a part failed; then everything is as it
            was before.
    """
    if os.geteuid() != 0:
        raise NetworkError("only root changes the network", hint="sudo kiezbox network apply …")
    with alone(Path(settings.network.run_dir), ".applying"):
        prepared = prepare(settings, clock)
        plan = prepared.plans[posture]
        for lack in plan.lacks:
            if lack.is_fatal:
                raise NetworkError(f"{posture.value}: {lack.what}", hint=lack.hint)
        for name, why in prepared.refused.items():
            if name in plan.files:
                raise NetworkError(f"{settings.network.run_dir}/{name} is refused", hint=why)
        if is_systemd(settings):
            return Applied(posture, BySystemd(settings).apply(plan, prepared.changed))
        return Applied(posture, _by_hand(plan, settings))


def refresh(settings: Settings, clock: Clock, *, scans: bool = False) -> Applied | None:
    """Prepare, and start anew exactly those running parts whose files changed; None where no
    posture holds.
    """
    with alone(Path(settings.network.run_dir), ".applying"):
        prepared = prepare(settings, clock, scans=scans)
        for name, why in prepared.refused.items():
            _log.error("%s/%s is refused: %s", settings.network.run_dir, name, why)
        held = current(settings)
        if held is None:
            return None
        plan = prepared.plans[held]
        if is_systemd(settings):
            return Applied(held, BySystemd(settings).refresh(plan, prepared.changed))
        return Applied(held, _by_hand(plan, settings))


def current(settings: Settings) -> Posture | None:
    """The posture that holds, None where none was ever asked for."""
    if is_systemd(settings):
        return BySystemd(settings).posture()
    return ByHand(settings.network.run_dir).posture


def _by_hand(plan: Plan, settings: Settings) -> tuple[str, ...]:
    hand = ByHand(settings.network.run_dir)
    before, were = hand.posture, [part for part in parts() if part.name in hand.running]
    done: list[str] = []
    try:
        _change(hand, plan, done)
        _prove(hand, plan)
    except (NetworkError, KeyboardInterrupt):
        _undo(hand, plan, before, were)
        raise
    hand.keep(plan.posture)
    return tuple(done)


def _change(hand: ByHand, plan: Plan, done: list[str]) -> None:
    """From what runs to what is wanted, touching nothing that is right already."""
    posture = plan.posture
    anew = _anew(hand, plan)
    wanted = {part.name for part in plan.parts}
    for part in reversed(in_order(parts())):
        known = hand.running.get(part.name)
        if known is None:
            continue
        if part.name not in wanted or part.name in anew:
            hand.stop(part)
            if part.name not in anew:
                done.append(f"stopped {part.name}")
    for part in plan.parts:
        if part.name in anew or part.name not in hand.running:
            try:
                hand.start(part, posture)
            except NetworkError as error:
                if part.is_vital:
                    raise
                hand.stop(part)
                done.append(f"FAILED {error} {error.hint}".rstrip())
                continue
            done.append(f"{'restarted' if part.name in anew else 'started'} {part.name}")
        elif part.is_daemon and hand.must_reread(part, posture):
            hand.reread(part, posture)
            done.append(f"{part.name} reads its files again")


def _anew(hand: ByHand, plan: Plan) -> set[str]:
    """Parts that run, but no longer rightly: dead, for another posture, from an old text, or on
    something that starts anew itself.
    """
    anew: set[str] = set()
    for part in plan.parts:
        if part.name not in hand.running:
            continue
        if (
            not hand.is_running(part, plan.posture)
            or hand.is_stale(part, plan.posture)
            or anew & set(part.needs)
            or not (part.is_daemon or is_proven(part, plan.posture))
        ):
            anew.add(part.name)
    return anew


def _prove(hand: ByHand, plan: Plan) -> None:
    """Wait until every vital part does what it is for.

    Raises:
        NetworkError: one does not, or has died.
    """
    until = time.monotonic() + PROVEN_S
    for part in plan.parts:
        if not part.is_vital:
            continue
        known = hand.running.get(part.name)
        pid = known.pid if known else 0
        while not is_proven(part, plan.posture, pid) or not hand.is_running(part, plan.posture):
            is_dead = not hand.is_running(part, plan.posture)
            if is_dead or time.monotonic() > until:
                what = "has ended" if is_dead else f"is not ready after {PROVEN_S:.0f} s"
                raise NetworkError(f"{part.name} {what}", hint=hand.last_words(part))
            time.sleep(0.01)


def _undo(hand: ByHand, plan: Plan, before: Posture | None, were: Iterable[Part]) -> None:
    """Back to what ran before: best effort, since the error that led here is the one to tell."""
    kept = {part.name for part in were}
    wanted_before = before or Posture.DARK
    for part in reversed(plan.parts):
        if part.name not in kept or part.is_per_posture:
            hand.stop(part)
    for part in in_order(parts()):
        if part.name not in kept and not (part.is_passing and before is None):
            continue
        if not hand.is_running(part, wanted_before):
            try:
                hand.start(part, wanted_before)
            except NetworkError:
                continue
    if before is None:
        hand.running = {name: each for name, each in hand.running.items() if each.pid}
    hand.keep(before)
