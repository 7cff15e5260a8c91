"""A publisher's worker: what the store holds, handed over in order, remembered as confirmed.

Two lanes (see ``Cursor``). A box that was without uplink for a week sends what it measures
now first, then one window of the week, and so on, until the lanes meet.

Carriers of the latest values (``publishers.Latest``) have no backlog: when one of them is due it is
handed the newest readings that are to be had, and all before them lies behind it.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from kiezbox.clock import Clock
from kiezbox.errors import PublishError, Refused, Rejected, StoreError
from kiezbox.model import Batch, Cursor
from kiezbox.node.refused_items import RefusedItems
from kiezbox.privacy.shown import sensor_of_fault
from kiezbox.publishers import Latest, Publisher, repeatable
from kiezbox.store import Store

log = logging.getLogger("kiezbox")

#: Seconds until the store is asked again when it had nothing new. Whoever adds readings nudges
#: the worker; this is for a nudge that came too early.
IDLE_S = 10.0

#: Pauses after a failure, the first and the longest, where no publisher wakes its worker before.
LEAST_PAUSE_S = 0.1
MOST_PAUSE_S = 4.0

#: How many of the newest readings a carrier of the latest values looks at. Ten quantities every ten
#: seconds make 900 of them in a quarter of an hour.
LATEST_OF = 5000

#: A missing link is a fault only after so long. A mobile link that comes and goes would
#: otherwise write two rows a minute onto the card to say so.
FAULT_AFTER_S = 60.0

#: And it stays for so long at least: two boxes with one id take each other's place at the broker
#: every few seconds, and each change of a fault is written at once.
FAULT_FOR_S = 60.0


class Carrier:
    """The task of one publisher's worker."""

    def __init__(
        self,
        store: Store,
        publisher: Publisher,
        name: str,
        clock: Clock,
        passes: Callable[[Batch], Batch] | None = None,
        told: Callable[[], dict[str, Any]] | None = None,
        pace_s: Callable[[], float] = lambda: IDLE_S,
    ) -> None:
        """``passes`` takes out of a batch what may not leave the box, ``told`` says of which
        sensors something may, and ``pace_s`` after how long that is to be asked again at the latest
        (``node.private``).
        """
        self._store = store
        self._publisher = publisher
        self._name = name
        self._clock = clock
        self._passes = passes
        self._told = told
        self._pace_limit_s = pace_s
        self._sensors: dict[str, Any] | None = None
        self._latest = publisher if isinstance(publisher, Latest) else None
        self._source = f"publishers.{name}"
        self._refused_items = RefusedItems(store, publisher, name, clock, passes)
        self._cursor = cursor = store.cursor(name)
        # The backlog, counted once and then kept up to date: it is asked for every second, and
        # counting a week takes milliseconds.
        self._counting = threading.Lock()
        self._counted_to = store.newest_serial
        self._left = store.count_after(cursor.live, self._counted_to)
        if cursor.backlog < cursor.live_from:
            self._left += store.count_after(cursor.backlog, cursor.live_from)
        #: Readings confirmed since this start, and when the last one was (Unix seconds).
        self.delivered = 0
        self.confirmed_at: float | None = None
        #: Why the last step delivered nothing; None if it went well.
        self.problem: PublishError | None = None
        #: What a carrier of the latest values was not allowed to deliver in its last round.
        self.rejected: Rejected | None = None
        self._is_again = False
        self._pause_s = LEAST_PAUSE_S
        self._failing_since: float | None = None
        self._offset_s: float | None = None
        self._faults: list[dict[str, Any]] | None = None
        # A fault may be open from before this start.
        self._may_have_fault = True
        self._fault_until = 0.0

    # --- the worker ----------------------------------------------------------------------

    def step(self) -> float:
        """Deliver one window of each lane; seconds until the next step."""
        return min(self._step(), self._pace_limit_s())

    def _step(self) -> float:
        try:
            self._announce_clock()
            self._announce_sensors()
            self._announce_faults()
            if self._latest is not None:
                return self._deliver_latest(self._latest)
            is_more = self._deliver()
            self.delivered += self._refused_items.try_again()
        except PublishError as error:
            return self._failed(error)
        except StoreError as error:
            # The store says so itself. What it could not read now it may read later.
            log.debug("%s: %s", self._source, error)
            return MOST_PAUSE_S
        if self._publisher.link() == "connected":
            self._works()
        return 0.0 if is_more else IDLE_S

    def _announce_clock(self) -> None:
        """What time it was when: with it a receiver corrects what an unset clock had stamped."""
        if not self._clock.is_trusted():
            return
        now, up = self._clock.now(), self._clock.monotonic()
        # 2 s: NTP slews smaller errors away; what is larger was a jump.
        if self._offset_s is None or abs(now - up - self._offset_s) > 2.0:
            self._offset_s = now - up
            document = {"boot": self._store.boot, "up": round(up, 3), "at": round(now, 3)}
            self._publisher.announce("clock", document)

    def _announce_sensors(self) -> None:
        """So that whoever keeps something of a sensor at the other side can take it away."""
        sensors = self._told() if self._told is not None else None
        if sensors is not None and sensors != self._sensors:
            self._sensors = sensors
            self._publisher.announce("sensors", sensors)
            self._refused_items.forget_private()

    def _announce_faults(self) -> None:
        """How often a fault came is no news, so it is left out; and so is what a sensor in a flat
        has, of which nothing may go there.
        """
        faults = [
            {
                "source": fault.source,
                "kind": fault.kind,
                "message": fault.message,
                "hint": fault.hint,
                "opened_at": fault.opened_at,
            }
            for fault in self._store.faults()
            if self._may_tell(fault.source)
        ]
        if faults != self._faults:
            self._faults = faults
            self._publisher.announce("faults", {"faults": faults})

    def _may_tell(self, source: str) -> bool:
        sensor = sensor_of_fault(source)
        return sensor is None or self._sensors is None or sensor in self._sensors["sensors"]

    def announce(self, kind: str, document: Mapping[str, Any]) -> None:
        """Pass on the box's latest state; the publisher keeps it until the link is there."""
        self._publisher.announce(kind, document)

    def interrupt(self) -> None:
        """The end is near: a publisher that can be waited for stops waiting."""
        interrupt = getattr(self._publisher, "interrupt", None)
        if interrupt is not None:
            interrupt()

    def close(self) -> None:
        """Hang up. Idempotent."""
        self._publisher.close()

    # --- facts ---------------------------------------------------------------------------

    @property
    def proves_uplink(self) -> bool:
        """Whether a connected link means that there is an uplink."""
        return bool(getattr(self._publisher, "proves_uplink", True))

    def link(self) -> str:
        """ "connected", "waiting" or "refused"."""
        is_refused = isinstance(self.problem, (Refused, Rejected))
        return "refused" if is_refused else self._publisher.link()

    def backlog(self) -> int:
        """How many readings are not confirmed yet. Safe in any thread.

        For a carrier of the latest values nothing waits until it is due.
        """
        with self._counting:
            newest = self._store.newest_serial
            if self._latest is not None:
                is_quiet = self.problem is None and self._latest.due_in_s() > 0
                since = max(self._cursor.live, newest - LATEST_OF)
                return 0 if is_quiet else self._store.count_after(since, newest)
            if newest > self._counted_to:
                self._left += self._store.count_after(self._counted_to, newest)
                self._counted_to = newest
            return self._left

    # --- the lanes -----------------------------------------------------------------------

    def _deliver(self) -> bool:
        """True if there may be more to send at once."""
        # Without a link one reading is enough to ask with, for publishers that have no other way
        # to find out.
        is_connected = self._publisher.link() == "connected"
        window = self._publisher.window if is_connected else 1
        if self._cursor.backlog < self._cursor.live_from:
            return self._deliver_both(window)
        newest = self._store.newest_serial
        if newest <= self._cursor.live:
            with self._counting:
                self._left, self._counted_to = 0, newest
            return False
        batch = self._store.after(self._cursor.live, window, brief=True)
        if not len(batch):  # they grew too old and were deleted
            self._all_confirmed(newest)
            return True
        if is_connected and len(batch) == window and batch.readings[-1][0] < newest:
            # More than one window waits. What is measured from now on overtakes it.
            self._cursor = self._cursor._replace(live_from=newest, live=newest)
            log.info("%s: delivers a backlog of %d readings", self._source, self.backlog())
            self._send(batch, self._backlog_confirmed)
        else:
            self._send(batch, self._all_confirmed)
        return len(batch) == window

    def _deliver_both(self, window: int) -> bool:
        if self._store.newest_serial > self._cursor.live:
            self._send(
                self._store.after(self._cursor.live, window, brief=True), self._live_confirmed
            )
        cursor = self._cursor
        batch = self._store.after(cursor.backlog, window, cursor.live_from, brief=True)
        if self._send(batch, self._backlog_confirmed) and len(batch) < window:
            self._all_confirmed(cursor.live)
            log.info("%s: backlog delivered", self._source)
        return True

    def _all_confirmed(self, serial: int) -> None:
        self._advance(Cursor(self._name, serial, serial, serial))

    def _backlog_confirmed(self, serial: int) -> None:
        self._advance(self._cursor._replace(backlog=serial))

    def _live_confirmed(self, serial: int) -> None:
        self._advance(self._cursor._replace(live=serial))

    def _advance(self, cursor: Cursor) -> None:
        self._cursor = cursor
        self._store.set_cursor(cursor)

    def _deliver_latest(self, publisher: Latest) -> float:
        """Hand over the newest readings if it is time; seconds until the next step."""
        newest, due_s = self._store.newest_serial, publisher.due_in_s()
        since = max(self._cursor.live, newest - LATEST_OF)
        if since > self._cursor.live:
            # Also while it cannot be reached: nobody keeps old readings for its sake.
            self._all_confirmed(since)
        again = self._again(publisher) if due_s <= 0 else None
        if again is not None:
            since = max(0, newest - LATEST_OF)
        if due_s <= 0 and newest > since:
            batch = self._store.after(since, LATEST_OF, brief=True)
            batch = again(batch) if again is not None else batch
            passed = self._passes(batch) if self._passes and len(batch) else batch
            if len(passed):
                self._publish_latest(publisher, passed)
            self._all_confirmed(newest)
            due_s = publisher.due_in_s()
        if publisher.link() == "connected":
            self._works()
        return min(IDLE_S, due_s) if due_s > 0 else IDLE_S

    def hand_over_again(self) -> None:
        """Next time hand a carrier of the latest values also what it was handed before."""
        self._is_again = True

    def _again(self, publisher: Latest) -> Callable[[Batch], Batch] | None:
        """What of all that was handed over before is to be once more; None: nothing."""
        asked, is_by_hand = getattr(publisher, "wants_again", None), self._is_again
        self._is_again = False
        if asked is not None and asked():
            return lambda batch: batch
        return partial(repeatable, handed_to=self._cursor.live) if is_by_hand else None

    def _publish_latest(self, publisher: Latest, batch: Batch) -> None:
        self.rejected = None
        try:
            publisher.publish(batch)
        except Rejected as error:
            self.rejected = error
            # The next values are other ones, so these are not put aside. Most probably those are
            # rejected, too: the fault stays until a round has passed without.
            if self._store.open_fault(self._source, "rejected", str(error), error.hint):
                log.warning("%s: %s", self._source, error)
            pause_s = max(0.0, publisher.due_in_s())
            self._fault_until = self._clock.monotonic() + pause_s + FAULT_FOR_S
            self._may_have_fault = True
        if publisher.sent > self.delivered:
            self.delivered = publisher.sent
            self.confirmed_at = self._clock.now()

    # --- sending -------------------------------------------------------------------------

    def _send(self, batch: Batch, confirmed_to: Callable[[int], None]) -> bool:
        """Publish; move the lane as far as the other side confirmed, also when it fails.

        False: not all of it is through, but what is left can be tried at once.
        """
        if not len(batch):
            return True
        whole, batch = batch, self._passes(batch) if self._passes else batch
        if not len(batch):
            self._passed_over(whole, confirmed_to)
            return True
        try:
            self._publisher.publish(batch)
        except PublishError as error:
            self._confirmed(batch, error.confirmed, confirmed_to)
            if not isinstance(error, Rejected):
                raise
            if not error.confirmed:
                self._skip_first(batch, error, confirmed_to)
            return False
        self._confirmed(batch, len(batch), confirmed_to)
        if batch is not whole:
            self._passed_over(whole, confirmed_to)
        return True

    def _passed_over(self, whole: Batch, confirmed_to: Callable[[int], None]) -> None:
        """What may not go out lies behind us, too; it is counted as waiting no more."""
        confirmed_to(whole.readings[-1][0])
        with self._counting:
            self._left = self._store.count_after(self._cursor.live, self._counted_to)
            if self._cursor.backlog < self._cursor.live_from:
                self._left += self._store.count_after(self._cursor.backlog, self._cursor.live_from)

    def _confirmed(self, batch: Batch, count: int, confirmed_to: Callable[[int], None]) -> None:
        if count:
            with self._counting:
                self._left -= count
            self.delivered += count
            self.confirmed_at = self._clock.now()
            confirmed_to(batch.readings[count - 1][0])

    def _skip_first(
        self, batch: Batch, error: Rejected, confirmed_to: Callable[[int], None]
    ) -> None:
        """Put the first reading aside, but only if the one behind it is taken.

        A broker that rejects everything, because somebody set it up so, must not empty the box.
        """
        if len(batch) == 1:
            raise error
        second = Batch(batch.box, batch.series, batch.readings[1:2])
        try:
            self._publisher.publish(second)
        except Rejected as again:
            raise Refused(f"everything is rejected: {again}", hint=again.hint) from again
        self._refused_items.put_aside(batch.readings[0][0], error)
        self._confirmed(second, 1, confirmed_to)
        with self._counting:
            self._left -= 1

    def _works(self) -> None:
        self._pause_s = LEAST_PAUSE_S
        self.problem = None
        self._failing_since = None
        if self._may_have_fault and self._clock.monotonic() >= self._fault_until:
            self._store.close_fault(self._source)
            self._may_have_fault = False

    def _failed(self, error: PublishError) -> float:
        now = self._clock.monotonic()
        if self._failing_since is None or error.confirmed:
            self._failing_since = now
        self.problem = error
        is_refused = isinstance(error, (Refused, Rejected))
        if is_refused or now - self._failing_since >= FAULT_AFTER_S:
            kind = "refused" if is_refused else "unreachable"
            if self._store.open_fault(self._source, kind, str(error), error.hint):
                log.warning("%s: %s", self._source, error)
                self._fault_until = now + FAULT_FOR_S
            self._may_have_fault = True
        if error.confirmed:
            self._pause_s = LEAST_PAUSE_S
        pause_s = self._pause_s
        self._pause_s = min(MOST_PAUSE_S, 2 * pause_s)
        return MOST_PAUSE_S if is_refused else pause_s
