"""Time, passed in. Unix seconds (UTC) for records, monotonic seconds for waiting.

The box wakes after a blackout with a wrong wall clock, so nothing measures a duration with
``now()``, and every record keeps ``monotonic()`` and ``is_trusted()`` beside it.
"""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import NamedTuple, Protocol

#: systemd-timesyncd and chrony-wait create or touch this once the clock was set from outside
#: (systemd-timesyncd.service(8), section "Files").
SYNCHRONIZED = Path("/run/systemd/timesync/synchronized")

#: 2025-01-01T00:00:00Z. A wall clock before it was never set.
EARLIEST_PLAUSIBLE = 1_735_689_600


class Told(NamedTuple):
    """What somebody else's clock said, and when that was heard."""

    #: ``Clock.monotonic()`` of the moment.
    heard_at: float
    #: Unix seconds, UTC.
    time: float


class Clock(Protocol):
    """What everything above floor 0 sees of time."""

    def now(self) -> float:
        """Unix seconds, UTC."""

    def monotonic(self) -> float:
        """Seconds since some fixed moment, never going back while the machine is up."""

    def is_trusted(self) -> bool:
        """Whether the wall clock was set from outside since power-up."""

    def wait(self, event: threading.Event, timeout_s: float) -> bool:
        """Wait for the event, at most so long; True when the event is set."""


class SystemClock:
    """The machine's clocks. ``CLOCK_BOOTTIME``, because a duration goes on while suspended."""

    def now(self) -> float:
        return time.time()

    def monotonic(self) -> float:
        return time.clock_gettime(time.CLOCK_BOOTTIME)

    def is_trusted(self) -> bool:
        return time.time() > EARLIEST_PLAUSIBLE and SYNCHRONIZED.exists()

    def wait(self, event: threading.Event, timeout_s: float) -> bool:
        return event.wait(max(0.0, timeout_s))


class ScaledClock:
    """The machine's clocks, running ``speed`` times as fast: for the demo and for drills.

    ``wall_anchor`` (Unix seconds) is the moment at which fast and real time agree; processes
    that share it share the time.
    """

    def __init__(self, speed: float, wall_anchor: float) -> None:
        self.speed = speed
        self._wall_anchor = wall_anchor
        # The monotonic anchor is derived from the wall anchor, so that it is the same in every
        # process that was given the same anchor.
        self._mono_anchor = time.clock_gettime(time.CLOCK_BOOTTIME) - time.time() + wall_anchor

    def now(self) -> float:
        return self._wall_anchor + (time.time() - self._wall_anchor) * self.speed

    def monotonic(self) -> float:
        elapsed = time.clock_gettime(time.CLOCK_BOOTTIME) - self._mono_anchor
        return self._mono_anchor + elapsed * self.speed

    def is_trusted(self) -> bool:
        return True

    def wait(self, event: threading.Event, timeout_s: float) -> bool:
        return event.wait(max(0.0, timeout_s) / self.speed)


class ManualClock:
    """A clock that moves when told to. ``wait`` moves it by the whole time-out at once."""

    def __init__(self, now: float = 1_780_000_000.0, *, trusted: bool = True) -> None:
        self._now = now
        self._monotonic = 1000.0
        self.trusted = trusted

    def now(self) -> float:
        return self._now

    def monotonic(self) -> float:
        return self._monotonic

    def is_trusted(self) -> bool:
        return self.trusted

    def wait(self, event: threading.Event, timeout_s: float) -> bool:
        if event.is_set():
            return True
        self.advance(max(0.0, timeout_s))
        return event.is_set()

    def advance(self, seconds: float) -> None:
        """Let both clocks run on."""
        if seconds < 0:
            raise ValueError("time does not go back; use set_wall() for a wrong wall clock")
        self._now += seconds
        self._monotonic += seconds

    def set_wall(self, now: float) -> None:
        """Put the wall clock somewhere else, as NTP or an empty battery does."""
        self._now = now
