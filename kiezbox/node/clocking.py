"""The clock worker: hears what GPS and clock chip say, and wishes for the right time.

The node may not set the system clock. It writes ``clock.wish`` into its folder in /run, and a unit
of its own, which may do that and nothing else, looks at the wish by the same rules
(``kiezbox.timekeeping``, ``kiezbox clock set``, docs/clock.md).
"""

from __future__ import annotations

import json
import logging
import os
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from kiezbox.clock import TRUSTED_BY, Clock, Holder, Told, holder
from kiezbox.model import serial_of
from kiezbox.store import Store
from kiezbox.timekeeping import OFFER_S, Offer, Verdict, best, of_neighbours, verdict

__all__ = ["STATE", "WISH", "Clocking", "Timekeeper", "neighbours_time"]

log = logging.getLogger("kiezbox")

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")

#: Files in the node's folder in /run.
WISH, STATE = "clock.wish", "clock.json"

LOOK_S = 5.0
#: A wish is said again so often; systemd may have looked away.
AGAIN_S = 30.0
#: A wish that nobody has fulfilled for so long is a fault.
UNHEARD_S = 120.0
#: The latest sure moment is kept so often; it rides on the journal's next frame.
KEEP_S = 3600.0
#: A chip says whole seconds and is set when it is off by two; a better source that finds the clock
#: farther off than that finds the chip wrong.
CHIP_ERROR_S = 2.0
#: A time service sets the clock a moment before it says so; who has moved it shows within that.
MOVED_S = 30.0
#: Two words of one receiver in a row must fit each other so well.
FITS_S = 2.0

#: Verdicts on who is not even asked.
NOT_BELIEVED = frozenset(("behind", "impossible"))

#: A driver's attribute that holds what it heard of the time -> which source that is.
TELLERS = {"last_fix": "gps", "last_time": "rtc"}


class Timekeeper:
    """What the sensors said of the time. Their workers tell it; any thread."""

    def __init__(self, clock: Clock, holds: Callable[[], Holder] = holder) -> None:
        """``holds`` says by whom the system clock is right."""
        self._clock = clock
        self._holds = holds
        self._lock = threading.Lock()
        self._offers: dict[str, Offer] = {}
        #: A receiver's word that waits for a second one.
        self._first: dict[str, Told] = {}
        #: Clock chips that lost their time, and nobody has set them.
        self.stopped: frozenset[str] = frozenset()

    def heard(self, name: str, sensor: object) -> None:
        """The sensor was read. Those that tell no time are passed over."""
        for attribute, source in TELLERS.items():
            if hasattr(sensor, attribute):
                self._take(name, source, getattr(sensor, attribute))
                is_stopped = bool(getattr(sensor, "is_stopped", False))
                with self._lock:
                    others = self.stopped - {name}
                    self.stopped = others | {name} if is_stopped else others

    def _take(self, name: str, source: str, said: Any) -> None:
        is_good = said is not None and said.time is not None and getattr(said, "is_measured", True)
        with self._lock:
            self._offers.pop(name, None)
            before = self._first.pop(name, None)
            if not is_good:
                return
            told = Told(said.heard_at, said.time)
            if source == "gps":
                # One sentence with a right checksum may still be wrong; a second one must fit it.
                self._first[name] = told
                if before is None or not _fits(before, told):
                    return
            self._offers[name] = Offer(source, name, told)

    def offers(self) -> list[Offer]:
        with self._lock:
            return list(self._offers.values())

    def true_time(self) -> float | None:
        """What the clock says while GPS or NTP vouches for it: by that a chip may be set."""
        is_sure = self._clock.is_trusted() and self._holds().source in ("gps", "ntp")
        return self._clock.now() if is_sure else None


def _fits(before: Told, told: Told) -> bool:
    passed = told.heard_at - before.heard_at
    return passed > 0 and abs(told.time - before.time - passed) <= FITS_S


class ChipsWord:
    """What was dated in this start of the machine while nobody but a chip vouched for the clock."""

    def __init__(self, machine: str, first: int = 0, offset_s: float = 0.0) -> None:
        self.machine = machine
        #: Serials; 0: no chip's word was taken, or it has been judged.
        self.first, self.last = first, 0
        #: Wall minus monotonic clock, as the chip had it.
        self.offset_s = self._kept_s = offset_s
        #: Monotonic, when that was last seen.
        self.seen_at = 0.0
        self._moved_at: float | None = None

    @classmethod
    def kept(cls, document: Any, machine: str, last: int, now: float) -> ChipsWord:
        """As an earlier start of the node has kept it; ``last`` is the newest that it had stored.

        Nobody's word, where the machine was started since.
        """
        try:
            found = cls(*document)
        except TypeError:
            return cls(machine)
        if found.machine != machine:
            return cls(machine)
        found.last, found.seen_at = last, now
        return found

    def document(self) -> list[Any]:
        self._kept_s = self.offset_s
        return [self.machine, self.first, round(self.offset_s, 3)]

    def vouches(self, first: int, last: int, now: float, offset_s: float) -> bool:
        """A chip vouches just now; whether there is something new to be kept."""
        if not self.first:
            self.first = first
        elif abs(offset_s - self.offset_s) > CHIP_ERROR_S:
            # Somebody has moved the clock. A better source says so in a moment, or it was the chip.
            self._moved_at = now if self._moved_at is None else self._moved_at
            if now - self._moved_at < MOVED_S:
                return False
        self._moved_at = None
        self.last, self.seen_at, self.offset_s = last, now, offset_s
        return self.first == first or abs(offset_s - self._kept_s) > 1.0


def _boot_id() -> str:
    """A word of the kernel's, another one at each start (random(4))."""
    try:
        return BOOT_ID.read_text(encoding="ascii").strip()
    except OSError:
        return ""


class Clocking:
    """The task."""

    def __init__(
        self,
        timekeeper: Timekeeper,
        store: Store,
        clock: Clock,
        run_dir: str,
        holds: Callable[[], Holder] = holder,
        neighbours: Callable[[], Mapping[str, Told]] = dict,
        machine: str = "",
    ) -> None:
        """``neighbours`` says what other boxes say the time is, by box; ``machine`` is another one
        at each start of the machine.
        """
        self._timekeeper = timekeeper
        self._neighbours = neighbours
        self._store = store
        self._clock = clock
        self._run_dir = run_dir
        self._holds = holds
        kept = store.kept("clock") or {}
        #: The latest moment that has been for sure, Unix seconds; a chip that says less is wrong.
        self._floor = float(kept.get("sure_at", 0.0))
        self._chip = ChipsWord.kept(
            kept.get("chip"),
            machine or _boot_id(),
            min(store.newest_serial, serial_of(store.boot, 0) - 1),
            clock.monotonic(),
        )
        self._before = store.newest_serial
        self._kept_at = -float("inf")
        self._wished_at = -float("inf")
        self._wishing_since: float | None = None
        self._faults: dict[str, str] = {}
        for source in ("clock", "clock.rtc", "clock.rtc.was"):
            store.close_fault(source)

    def step(self) -> float:
        # In this order: once somebody says that it is right, the clock is.
        held, now, wall = self._holds(), self._clock.monotonic(), self._clock.now()
        self._follow_chip(held, now, wall - now)
        if now - self._kept_at >= KEEP_S and (sure := self._timekeeper.true_time()) is not None:
            self._kept_at = now
            self._floor = max(self._floor, sure)
            self._keep()
        offers = self._timekeeper.offers()
        if held.source not in TRUSTED_BY:
            young = {box: each for box, each in self._neighbours().items() if each.heard_at <= now}
            if (middle := of_neighbours(young, now)) is not None:
                offers.append(Offer("neighbours", "neighbours", middle))
        judged = {each.name: verdict(each, held, wall, now, self._floor) for each in offers}
        unbelieved = {each.name for each in offers if judged[each.name].action in NOT_BELIEVED}
        behind = [each.name for each in offers if each.name in unbelieved and each.source == "rtc"]
        offer = best([each for each in offers if each.name not in unbelieved], now)
        said = judged[offer.name] if offer is not None else None
        self._tell_chips(behind)
        self._tell_disagreement(offer, said)
        self._wish(offer, said, held, now)
        self._show(offers, judged, now)
        return LOOK_S

    def _keep(self) -> None:
        # Past the first flush of a start all of it is in the journal's next frame.
        self._store.keep_lazily("clock", {"sure_at": self._floor, "chip": self._chip.document()})

    def _follow_chip(self, held: Holder, now: float, offset_s: float) -> None:
        """While a chip vouches for the clock, note what it dates; judge it by the first better one.

        ``offset_s``: wall minus monotonic clock.
        """
        before, self._before = self._before, self._store.newest_serial
        if held.source == "rtc":
            if self._chip.vouches(before + 1, self._before, now, offset_s):
                self._keep()
        elif held.source in TRUSTED_BY and self._chip.first:
            ahead_s, chip = self._chip.offset_s - offset_s, self._chip
            if abs(ahead_s) > CHIP_ERROR_S:
                self._store.doubt_clock(chip.first, chip.last, ahead_s, chip.seen_at)
                self._say(
                    "clock.rtc.was", "wrong",
                    f"the clock chip was off by {ahead_s:+.0f} s when it was believed: what was"
                    " measured by it is dated anew",
                    "It is set now. What had left the box before carries the wrong time. If it"
                    " comes back, exchange the chip's cell, then the chip.",
                )  # fmt: skip
            self._chip = ChipsWord(chip.machine)
            self._keep()

    def _tell_chips(self, behind: list[str]) -> None:
        # While the clock is right the chip is set at its next read, and that ends it.
        lost = sorted({*behind, *self._timekeeper.stopped})
        message = (
            f"{', '.join(lost)}: the clock chip has lost the time, so it is not believed"
            if lost
            else ""
        )
        self._say(
            "clock.rtc", "stopped", message,
            "It is set as soon as GPS or NTP knows the time. If it comes back, the cell is empty.",
        )  # fmt: skip

    def _tell_disagreement(self, offer: Offer | None, said: Verdict | None) -> None:
        if offer is None or said is None or said.action != "disagree":
            if self._faults.get("clock") == "disagree":
                self._say("clock", "disagree", "", "")
            return
        self._say(
            "clock", "disagree",
            f"GPS ({offer.name}) and the time service differ by {abs(said.ahead_s):.0f} s",
            "One of them is wrong; the clock is left as it is. Another time server in"
            " /etc/systemd/timesyncd.conf, or another place for the receiver, tells which.",
        )  # fmt: skip

    def _wish(self, offer: Offer | None, said: Verdict | None, held: Holder, now: float) -> None:
        if offer is None or said is None or said.action not in ("set", "vouch"):
            if self._wishing_since is not None:
                self._wishing_since = None
                self._wished_at = -float("inf")
                self._remove(WISH)
            if self._faults.get("clock") == "unset":
                self._say("clock", "unset", "", "")
            return
        if self._wishing_since is None:
            self._wishing_since = now
            log.info(
                "clock: %s by source=%s off_s=%.1f held_by=%s",
                said.action, offer.source, said.ahead_s, held.source or "nobody",
            )  # fmt: skip
        if now - self._wished_at >= AGAIN_S:
            self._wished_at = now
            told = {"source": offer.source, "name": offer.name, **offer.told._asdict()}
            self._write(WISH, told)
        if now - self._wishing_since >= UNHEARD_S:
            self._say(
                "clock", "unset",
                f"{offer.name} ({offer.source}) knows the time, and nobody sets the clock by it",
                "Is kiezbox-clock.path switched on? `systemctl status kiezbox-clock.path`; by hand:"
                " `sudo kiezbox clock set`.",
            )  # fmt: skip

    def _say(self, source: str, kind: str, message: str, hint: str) -> None:
        """Open a fault, or with an empty message close it; once each."""
        if not message:
            if self._faults.pop(source, None):
                self._store.close_fault(source)
        elif self._faults.get(source) != kind:
            self._store.close_fault(source)
            self._faults[source] = kind
            if self._store.open_fault(source, kind, message, hint):
                log.warning("%s: %s", source, message)

    def _show(self, offers: list[Offer], judged: dict[str, Verdict], now: float) -> None:
        told = [
            {
                "name": each.name,
                "source": each.source,
                "heard_at": each.told.heard_at,
                "ahead_s": round(judged[each.name].ahead_s, 3),
                "verdict": judged[each.name].action,
            }
            for each in offers
        ]
        stopped = sorted(self._timekeeper.stopped)
        self._write(STATE, {"written_at": now, "offers": told, "stopped": stopped})

    def _write(self, name: str, document: dict[str, Any]) -> None:
        path = os.path.join(self._run_dir, name)
        try:
            with open(f"{path}.new", "w", encoding="ascii") as file:
                # Whoever sets the clock has no other right, not even to read others' files.
                os.fchmod(file.fileno(), 0o644)
                json.dump(document, file)
            os.replace(f"{path}.new", path)
        except OSError as error:
            log.warning("clock: cannot write %s: %s", path, error)

    def interrupt(self) -> None:
        """No step takes long."""

    def close(self) -> None:
        for name in (WISH, STATE):
            self._remove(name)

    def _remove(self, name: str) -> None:
        path = os.path.join(self._run_dir, name)
        if os.path.exists(path):
            os.unlink(path)


def neighbours_time(run_dir: str, clock: Clock) -> dict[str, Told]:
    """What the boxes of the mesh say the time is, by box; those that do not know are left out."""
    from kiezbox.neighbours.known import read

    known = read(run_dir, clock.now())
    if known is None:
        return {}
    return {
        each.id: Told(each.time_at, each.time)
        for each in known.neighbours
        if each.time > 0 and 0 <= clock.monotonic() - each.time_at <= OFFER_S
    }
