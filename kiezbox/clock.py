"""Time, passed in. Unix seconds (UTC) for records, monotonic seconds for waiting.

The box wakes after a blackout with a wrong wall clock, so nothing measures a duration with
``now()``, and every record keeps ``monotonic()`` and ``is_trusted()`` beside it.
"""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import NamedTuple, Protocol

#: systemd-timesyncd touches this once the clock was set from outside, and at each word of its
#: server (systemd-timesyncd.service(8), section "Files"). chrony does not (docs/clock.md).
SYNCHRONIZED = Path("/run/systemd/timesync/synchronized")

#: What `kiezbox clock set` leaves when it has set the system clock, or found it right: who said the
#: time, and when (monotonic). In memory, so a start of the machine forgets it (docs/clock.md).
SET = Path("/run/kiezbox-clock/set")

#: Who may make a clock trusted. Neighbours may only bring it near.
TRUSTED_BY = frozenset(("gps", "ntp", "rtc"))

#: timesyncd asks at least every 34 min (2048 s); one that has heard nothing for longer is offline.
NTP_FRESH_S = 7200.0

#: 2025-01-01T00:00:00Z. A wall clock before it was never set.
EARLIEST_PLAUSIBLE = 1_735_689_600


class Told(NamedTuple):
    """What somebody else's clock said, and when that was heard."""

    #: ``Clock.monotonic()`` of the moment.
    heard_at: float
    #: Unix seconds, UTC.
    time: float


class Holder(NamedTuple):
    """By whom the system clock is right: "gps", "ntp", "rtc", "neighbours", or "" for nobody."""

    source: str
    #: Seconds since that source last said so.
    age_s: float

    @property
    def is_ntp_at_work(self) -> bool:
        """Whether a time service sets the clock just now, and nobody else should."""
        return self.source == "ntp" and self.age_s < NTP_FRESH_S


NOBODY = Holder("", float("inf"))


def holder() -> Holder:
    """Who last set the system clock since the machine's start, or found it right."""
    return held(SYNCHRONIZED, SET, SystemClock())


def held(synchronized: Path, by_us: Path, clock: Clock) -> Holder:
    """The same by these two files and this clock."""
    try:
        ntp = Holder("ntp", abs(clock.now() - synchronized.stat().st_mtime))
    except OSError:
        ntp = NOBODY
    ours = _by_us(by_us, clock.monotonic())
    return min(ntp, ours, key=lambda each: each.age_s)


def _by_us(path: Path, monotonic: float) -> Holder:
    try:
        source, _, at = path.read_text(encoding="ascii")[:80].strip().partition(" ")
        return Holder(source, max(0.0, monotonic - float(at)))
    except (OSError, ValueError):
        return NOBODY


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
        if time.time() <= EARLIEST_PLAUSIBLE:
            return False
        return SYNCHRONIZED.exists() or _by_us(SET, self.monotonic()).source in TRUSTED_BY

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
