"""The small part that may set the system clock: looks at the node's wish, and sets it or not."""

from __future__ import annotations

import json
import os
import stat
import time
from collections.abc import Callable
from pathlib import Path

from kiezbox.clock import Holder, Told, holder
from kiezbox.errors import KiezboxError, NotRunning
from kiezbox.timekeeping import RANKS, Offer, Verdict, verdict

__all__ = ["carry_out", "read_wish"]

MOST_BYTES = 1024
#: A wish is said again every half minute; an older one is of a node that has gone.
MOST_AGE_S = 120.0

#: timesyncd keeps the last right time as this file's (systemd-timesyncd.service(8), "Files"): not
#: even a battery-backed chip may lead before it.
KNOWN_TO_TIMESYNCD = Path("/var/lib/systemd/timesync/clock")


def read_wish(path: Path, monotonic: float) -> Offer:
    """The node's wish. Whoever wrote it is not trusted: a small file, four fields, nothing else.

    Raises:
        NotRunning: there is none, or it is old.
        KiezboxError: it is no wish.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError as error:
        raise NotRunning(
            "the node wishes for no other time",
            hint="`kiezbox clock` says by whom the clock is right, and who knows the time.",
        ) from error
    except OSError as error:
        raise _no_wish(path, error.strerror or "") from error
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise _no_wish(path, "not a file")
        data = file.read(MOST_BYTES + 1)
    if len(data) > MOST_BYTES:
        raise _no_wish(path, "too long")
    try:
        said = json.loads(data)
        source, name = said["source"], said["name"]
        told = Told(said["heard_at"], said["time"])
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise _no_wish(path, repr(error)) from error
    if source not in ("gps", "rtc", "neighbours") or not isinstance(name, str):
        raise _no_wish(path, "no such source")
    if not all(type(number) in (int, float) and abs(number) < 1e12 for number in told):
        raise _no_wish(path, "no such moment")
    assert source in RANKS
    if not 0 <= monotonic - told.heard_at <= MOST_AGE_S:
        raise NotRunning(
            "the node's wish is old, or of another start of the machine",
            hint="Does it run? `systemctl status kiezbox-node`.",
        )
    return Offer(source, name[:31], told)


def carry_out(
    wish: Path,
    mark: Path,
    *,
    holds: Callable[[], Holder] = holder,
    now: Callable[[], float] = time.time,
    monotonic: Callable[[], float] = lambda: time.clock_gettime(time.CLOCK_BOOTTIME),
    set_time: Callable[[float], object] = lambda at: time.clock_settime(time.CLOCK_REALTIME, at),
    known: Path = KNOWN_TO_TIMESYNCD,
) -> Verdict:
    """Set the clock if the rules say so, and leave ``mark``; what was done.

    Raises:
        KiezboxError: no wish, or no right to set the clock.
    """
    moment = monotonic()
    offer = read_wish(wish, moment)
    said = verdict(offer, holds(), now(), moment, _floor(known))
    if said.action == "set":
        try:
            set_time(offer.at(monotonic()))
        except PermissionError as error:
            raise KiezboxError(
                "only root may set the clock", hint="sudo kiezbox clock set"
            ) from error
    if said.action in ("set", "vouch"):
        # After the clock: whoever reads the mark in between would trust the wrong time.
        mark.parent.mkdir(mode=0o755, exist_ok=True)
        new = mark.with_name(f"{mark.name}.new")
        new.write_text(f"{offer.source} {monotonic():.3f}\n", encoding="ascii")
        new.chmod(0o644)
        new.replace(mark)
    return said


def _floor(known: Path) -> float:
    try:
        return known.stat().st_mtime
    except OSError:
        return 0.0


def _no_wish(path: Path, why: str) -> KiezboxError:
    return KiezboxError(
        f"{path} is no wish of a node: {why}", hint="Nothing was set. The node writes it anew."
    )
