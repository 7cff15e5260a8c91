"""What a radio was on the air for, kept so that no restart of box or radio forgets it.

``airtime.Budget`` counts; this keeps its count on the card, always ahead of what is sent: a few
seconds are written as spent before the first of them is, and used up from memory. Whoever dies in
between has paid for what was not sent, never the other way round, and the card is flushed once for
some ten packets.

What was kept is believed only as far as the clock is: where nobody knows how long the box was off,
all of it counts as of now. A file that cannot be understood counts as an hour that is used up.
"""

from __future__ import annotations

import json
import logging
import os
from contextlib import suppress
from pathlib import Path
from typing import Any

from kiezbox.airtime import Budget, Spent
from kiezbox.clock import Clock
from kiezbox.errors import StoreError
from kiezbox.store.database import store_error

__all__ = ["AT_ONCE_S", "LATE_S", "AirtimeLedger"]

log = logging.getLogger("kiezbox")

#: Seconds of air that are written as spent at once, and at most so much of the limit.
AT_ONCE_S, AT_ONCE = 5.0, 0.02

#: So long a packet may lie in the radio, behind others and on a busy channel, until it is sent.
LATE_S = 60.0

VERSION = 1
_MINUTE_S = 60
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
_MOST_BYTES = 100_000


class AirtimeLedger:
    """Of one radio. Used by one thread at a time; ``close`` it."""

    def __init__(self, path: str, duty: float, clock: Clock, *, boot: str | None = None) -> None:
        """``duty``: the share of an hour that the law gives. ``boot``: which start of the machine
        this is, the kernel's word for it if None; within one the monotonic clock tells how long it
        was.

        Raises:
            StoreError: what was kept cannot be read.
        """
        self.path = path
        self._clock = clock
        self._boot = _boot_id() if boot is None else boot
        #: Of what is on the card: how much of ours, and of the radio's own, may still come.
        self._ahead_s = 0.0
        self._others_ahead_s = 0.0
        self._at_once_s = min(AT_ONCE_S, AT_ONCE * duty * 3600)
        #: (minute, class) → seconds; for people to look at.
        self._classes: dict[tuple[int, int], float] = {}
        #: Of the radio's own, what is not on the card.
        self._others_new_s = 0.0
        kept = self._read()
        self._budget = Budget(duty, kept or (), late_s=LATE_S)
        if kept is None:
            # More than any limit there is; kept, so that it has an end.
            self._budget = Budget(duty, [self._now_spent(3600.0, 0.0)], late_s=LATE_S)
            with suppress(StoreError):
                self._write(0.0, others_ahead_s=0.0)

    @property
    def limit_s(self) -> float:
        """Seconds of an hour."""
        return self._budget.limit_s

    def used_s(self) -> float:
        """Of the last hour, ours and the radio's own."""
        return self._budget.used_s(self._clock.monotonic())

    def others_s(self) -> float:
        """Of the last hour, what the radio relayed or said of itself."""
        self.used_s()
        return self._others_now()

    def left_s(self, priority: int) -> float:
        """What may still be sent of this class."""
        return self._budget.left_s(self._clock.monotonic(), priority)

    def by_class(self) -> dict[int, float]:
        """Class → seconds of the last hour, ours alone."""
        self._forget_classes()
        found: dict[int, float] = {}
        for (_, priority), seconds in sorted(self._classes.items(), key=lambda each: each[0][1]):
            found[priority] = found.get(priority, 0.0) + seconds
        return found

    def may_send(self, airtime_s: float, priority: int, *, busy: float = 0.0) -> bool:
        """Whether ``take`` would give it. ``busy``: the channel's utilization, 0 to 1."""
        return self._budget.may_send(
            self._clock.monotonic(), airtime_s, priority, channel_utilization=busy
        )

    def free_in_s(self, airtime_s: float, priority: int) -> float:
        """When ``left_s`` will be enough, if nothing else is sent; infinite if never."""
        now = self._clock.monotonic()
        return self._budget.free_at(now, airtime_s, priority) - now

    def take(self, airtime_s: float, priority: int, *, busy: float = 0.0) -> bool:
        """Whether a packet may go now; if so it is spent, and durably so.

        Raises:
            StoreError: the card does not take it, so the packet must not go.
        """
        now = self._clock.monotonic()
        if not self._budget.may_send(now, airtime_s, priority, channel_utilization=busy):
            return False
        if airtime_s > self._ahead_s:
            self._write(max(self._at_once_s, airtime_s))
        self._ahead_s -= airtime_s
        if not self._budget.take(now, airtime_s, priority, channel_utilization=busy):
            return False
        key = int(now // _MINUTE_S), priority
        self._classes[key] = self._classes.get(key, 0.0) + airtime_s
        return True

    def reported(self, air_util_tx: float) -> None:
        """The radio's own count, a share (0 to 1) of the last hour.

        Raises:
            StoreError: the card does not take it; it counts all the same, until this process ends.
        """
        if air_util_tx != air_util_tx:
            return
        before_s = self._others_now()
        self._budget.reported(self._clock.monotonic(), air_util_tx)
        self._others_new_s += self._others_now() - before_s
        if self._others_new_s > self._others_ahead_s:
            self._write(self._ahead_s)

    def close(self) -> None:
        """What was written ahead and not used is given back. Idempotent."""
        if self._ahead_s or self._others_ahead_s:
            with suppress(StoreError):
                self._write(0.0, others_ahead_s=0.0)

    def _others_now(self) -> float:
        spent = self._budget.spent(self._clock.monotonic())
        return sum(each.other_s for each in spent)

    def _forget_classes(self) -> None:
        oldest = int((self._clock.monotonic() - LATE_S) // _MINUTE_S) - 60
        for key in [key for key in self._classes if key[0] < oldest]:
            del self._classes[key]

    # --- the file --------------------------------------------------------------------------------

    def _write(self, ahead_s: float, others_ahead_s: float | None = None) -> None:
        """Aside, onto the medium, then in its place: there is always a whole one."""
        others_ahead_s = self._at_once_s if others_ahead_s is None else others_ahead_s
        now = self._clock.monotonic()
        self._forget_classes()
        document = {
            "version": VERSION, "boot": self._boot, "monotonic": now,
            "written_at": self._clock.now(), "is_clock_trusted": self._clock.is_trusted(),
            "ahead_s": ahead_s, "others_ahead_s": others_ahead_s,
            "spent": [[each.minute, each.own_s, each.other_s] for each in self._budget.spent(now)],
            "classes": [[*key, seconds] for key, seconds in sorted(self._classes.items())],
        }  # fmt: skip
        folder = os.path.dirname(os.path.abspath(self.path))
        aside = f"{self.path}.new"
        try:
            os.makedirs(folder, exist_ok=True)
            with open(aside, "w", encoding="ascii") as file:
                json.dump(document, file)
                file.flush()
                os.fsync(file.fileno())
            os.replace(aside, self.path)
            handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
            try:
                os.fsync(handle)
            finally:
                os.close(handle)
        except OSError as error:
            raise store_error(error, self.path) from error
        self._ahead_s, self._others_ahead_s = ahead_s, others_ahead_s
        self._others_new_s = 0.0

    def _now_spent(self, own_s: float, other_s: float) -> Spent:
        return Spent(int(self._clock.monotonic() // _MINUTE_S), own_s, other_s)

    def _read(self) -> list[Spent] | None:
        """None: it cannot be understood."""
        now = self._clock.monotonic()
        try:
            with open(self.path, encoding="ascii") as file:
                kept: Any = json.loads(file.read(_MOST_BYTES), parse_constant=_no_number)
            return self._spent(kept, now)
        except FileNotFoundError:
            return []
        except OSError as error:
            raise store_error(error, self.path) from error
        except (ValueError, TypeError, KeyError, AttributeError, OverflowError) as error:
            log.warning("%s: not understood, so the hour counts as used up: %s", self.path, error)
            self._classes.clear()
            return None

    def _spent(self, kept: dict[str, Any], now: float) -> list[Spent]:
        """By this process's minutes; a bucket that lies across two of them counts in the later."""
        if kept["version"] != VERSION:
            raise ValueError(f"of version {kept['version']}")
        this_minute = int(now // _MINUTE_S)
        shift_s = self._shift_s(kept, now)

        def minute_of(was: int) -> int:
            if shift_s is None:
                return this_minute
            last_s = (int(was) + 1) * _MINUTE_S - 0.001 + shift_s
            return min(this_minute, int(last_s // _MINUTE_S))

        found = [
            Spent(minute_of(minute), float(own_s), float(other_s))
            for minute, own_s, other_s in kept["spent"]
        ]
        for minute, priority, seconds in kept["classes"]:
            key = minute_of(minute), int(priority)
            self._classes[key] = self._classes.get(key, 0.0) + float(seconds)
        found.append(self._now_spent(float(kept["ahead_s"]), float(kept["others_ahead_s"])))
        return found

    def _shift_s(self, kept: dict[str, Any], now: float) -> float | None:
        """What is added to a moment of the file's monotonic clock to have one of ours; None: nobody
        knows.
        """
        then = float(kept["monotonic"])
        if kept["boot"] and kept["boot"] == self._boot and now >= then:
            return 0.0
        off_s = self._clock.now() - float(kept["written_at"])
        if kept["is_clock_trusted"] and self._clock.is_trusted() and off_s >= 0:
            return now - off_s - then
        return None


def _boot_id() -> str:
    try:
        return _BOOT_ID.read_text(encoding="ascii").strip()
    except OSError:
        return ""


def _no_number(text: str) -> float:
    raise ValueError(f"{text} is no number of seconds")
