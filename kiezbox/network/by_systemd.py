"""Parts under systemd: ask for ``kiezbox-POSTURE.target``, look whether it came true."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterable

from kiezbox.errors import NetworkError
from kiezbox.network.parts import Part, parts, unit_of
from kiezbox.network.plan import Plan
from kiezbox.network.proof import is_proven
from kiezbox.posture import Posture
from kiezbox.settings import Settings
from kiezbox.wanted import Wanted

__all__ = ["BySystemd", "target_of"]

#: Longer than any unit's TimeoutStartSec.
SYSTEMCTL_S = 60.0
PROVEN_S = 15.0
#: So often a unit may fail before we say so.
MOST_RESTARTS = 3


def target_of(posture: Posture) -> str:
    """The unit that is a posture."""
    return f"kiezbox-{posture.value}.target"


class BySystemd:
    """Speaks to systemd by ``systemctl`` only."""

    def __init__(self, settings: Settings) -> None:
        self._wanted = Wanted(settings.store.run_dir)

    def posture(self) -> Posture | None:
        """The posture whose target is there or coming, else None."""
        for posture in Posture:
            if self._state(target_of(posture)) in ("active", "activating"):
                return posture
        return None

    def apply(self, plan: Plan, changed: frozenset[str]) -> tuple[str, ...]:
        """Want the posture as the node does, and wait until it is there.

        Raises:
            NetworkError: a unit failed; the posture from before is wanted again.
        """
        before = self.posture()
        were = self._active(plan)
        self._want(plan.posture)
        try:
            self._systemctl("start", target_of(plan.posture))
            done = [] if before is plan.posture else [f"started {target_of(plan.posture)}"]
            done += self._anew(plan, changed, were)
            self._prove(plan)
        except NetworkError:
            self._back(before, plan.posture)
            raise
        return (*done, *(f"started {name}" for name in sorted(self._active(plan) - were)))

    def refresh(self, plan: Plan, changed: frozenset[str]) -> tuple[str, ...]:
        """Start anew what runs from files that changed; start what is wanted only now. Does not
        wait: at boot those units wait for the one that we are in.
        """
        done = self._anew(plan, changed, self._active(plan), waits=False)
        if changed:
            self._systemctl("start", "--no-block", target_of(plan.posture))
        return tuple(done)

    def states(self, posture: Posture) -> dict[str, str]:
        """Part → systemd's word for it; parts that are not wanted here are left out."""
        found = {part.name: self._state(unit_of(part, posture)) for part in parts()}
        return {name: state for name, state in found.items() if state not in ("", "inactive")}

    def _anew(
        self, plan: Plan, changed: frozenset[str], were: set[str], *, waits: bool = True
    ) -> list[str]:
        done, how = [], [] if waits else ["--no-block"]
        for part in plan.parts:
            unit = unit_of(part, plan.posture)
            if unit not in were and not part.is_passing:
                continue
            if _touches(changed, (part.file, *part.files), plan.posture):
                self._systemctl("restart", *how, unit)
                done.append(f"restarted {unit}")
            elif _touches(changed, part.rereads, plan.posture):
                self._systemctl("reload", *how, unit)
                done.append(f"reloaded {unit}")
        return done

    def _prove(self, plan: Plan) -> None:
        until = time.monotonic() + PROVEN_S
        for part in (part for part in plan.parts if part.is_vital):
            unit = unit_of(part, plan.posture)
            restarts = self._restarts(unit)
            while not self._is_there(part, plan.posture):
                if self._has_failed(unit, restarts) or time.monotonic() > until:
                    raise NetworkError(f"{unit} did not start", hint=self._last_words(unit))
                time.sleep(0.1)

    def _has_failed(self, unit: str, restarts_before: int) -> bool:
        """Whether it failed and failed again: what comes back after one failure is given time."""
        return (
            self._state(unit) == "failed" or self._restarts(unit) - restarts_before >= MOST_RESTARTS
        )

    def _restarts(self, unit: str) -> int:
        return int(self._show(unit, "NRestarts") or 0)

    def _is_there(self, part: Part, posture: Posture) -> bool:
        """A passing part is there once it has ended well; what the one before it has left looks
        the same from outside.
        """
        unit = unit_of(part, posture)
        state = self._state(unit)
        if part.is_passing:
            has_ended = state == "inactive" and self._show(unit, "Result") == "success"
            return has_ended and is_proven(part, posture)
        return state == "active" and is_proven(part, posture)

    def _back(self, before: Posture | None, posture: Posture) -> None:
        if before is None:
            self._wanted.forget()
            self._systemctl("stop", target_of(posture), is_try=True)
            self._systemctl("start", f"kiezbox-firewall@{Posture.DARK.value}.service", is_try=True)
        elif before is not posture:
            self._want(before)
            self._systemctl("start", target_of(before), is_try=True)

    def _want(self, posture: Posture) -> None:
        try:
            self._wanted.say(posture)
        except OSError as error:
            raise NetworkError(f"cannot write {self._wanted.folder}: {error.strerror}") from error

    def _active(self, plan: Plan) -> set[str]:
        units = [unit_of(part, plan.posture) for part in plan.parts]
        return {unit for unit in units if self._state(unit) == "active"}

    def _state(self, unit: str) -> str:
        return self._show(unit, "ActiveState")

    def _show(self, unit: str, name: str) -> str:
        return self._ask("systemctl", "show", "--value", f"--property={name}", unit).strip()

    def _last_words(self, unit: str) -> str:
        words = self._ask("journalctl", "--unit", unit, "--lines=5", "--output=cat", "--quiet")
        return words.strip() or f"journalctl -u {unit} says more."

    def _systemctl(self, *words: str, is_try: bool = False) -> None:
        try:
            done = subprocess.run(
                ["systemctl", *words], capture_output=True, text=True, timeout=SYSTEMCTL_S
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            if is_try:
                return
            raise NetworkError(f"systemctl {' '.join(words)}: {error}") from error
        if done.returncode and not is_try:
            hint = "\n".join(done.stderr.strip().splitlines()[-5:])
            raise NetworkError(f"systemctl {' '.join(words)} failed", hint=hint)

    @staticmethod
    def _ask(*command: str) -> str:
        try:
            return subprocess.run(
                command, capture_output=True, text=True, timeout=SYSTEMCTL_S
            ).stdout
        except (OSError, subprocess.TimeoutExpired):
            return ""


def _touches(changed: frozenset[str], names: Iterable[str], posture: Posture) -> bool:
    return any(name.format(posture=posture.value) in changed for name in names)
