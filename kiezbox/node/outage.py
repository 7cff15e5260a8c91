"""How long the box was not there: what a kept state must know before it goes on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kiezbox.clock import Clock

#: A random word for this start of the machine (random(4)): monotonic time is comparable only
#: within one.
MACHINE_BOOT = "/proc/sys/kernel/random/boot_id"


class Absence:
    """Marks a kept document with its moment, and tells later how long ago that was."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        try:
            with open(MACHINE_BOOT, encoding="ascii") as file:
                self._machine_boot = file.read().strip()
        except OSError:
            self._machine_boot = ""

    def mark(self) -> dict[str, Any]:
        """What to keep beside a state."""
        return {
            "machine_boot": self._machine_boot,
            "kept_monotonic_s": self._clock.monotonic(),
            "kept_at": self._clock.now(),
            "clock_trusted": self._clock.is_trusted(),
        }

    def since(self, kept: Mapping[str, Any]) -> float | None:
        """Seconds since that mark; None where nobody knows.

        Exact while the machine stayed up; from the wall clock if it could be believed both
        times.
        """
        try:
            if self._machine_boot and kept["machine_boot"] == self._machine_boot:
                off_s = self._clock.monotonic() - float(kept["kept_monotonic_s"])
            elif kept["clock_trusted"] and self._clock.is_trusted():
                off_s = self._clock.now() - float(kept["kept_at"])
            else:
                return None
        except (KeyError, TypeError, ValueError):
            return None
        return off_s if off_s >= 0 else None
