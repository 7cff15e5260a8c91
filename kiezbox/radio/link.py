"""The link to the radio: one thread that connects, sets up, sends, and begins anew when it must.

It alone talks to the library, and it alone sends; and nothing is sent that the ledger has not given
for, durably, the moment before. Whoever has a frame to send looks for ``has_room`` first: the queue
here is short, so that what is urgent does not stand behind what is not.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from kiezbox.airtime import PRESETS, airtime_s
from kiezbox.clock import Clock, SystemClock
from kiezbox.errors import MissingPackage, StoreError, Unreachable
from kiezbox.frames import MOST_BYTES
from kiezbox.radio.hearing import Hearing
from kiezbox.radio.packets import BROADCAST, TRIES, Heard, Outgoing, firmware_of, on_air_bytes
from kiezbox.radio.wanted import Pace, Wanted
from kiezbox.radio.wire import Address, Shown, Wire
from kiezbox.store.airtime_ledger import AirtimeLedger

__all__ = ["Link"]

log = logging.getLogger("kiezbox")

#: Frames that wait here to be sent.
MOST_WAITING = 4

#: The radio's queue: nothing more is given to it when so few places are free, or so many of it are
#: taken. What lies there long is sent later than the ledger thinks (``LATE_S``).
LEAST_FREE, MOST_IN_RADIO = 2, 3

#: Old connections whose closing hangs. More, and none is opened any more.
MOST_CLOSING = 4

#: Meshtastic's numbers, by class (``records.Priority``): ALERT, HIGH, DEFAULT, BACKGROUND.
_IN_RADIO = {0: 110, 1: 100, 2: 64, 3: 64, 4: 64, 5: 64, 6: 10}


class Link:
    """``start`` it, and ``close`` it. Everything else may be called from any thread."""

    def __init__(
        self,
        address: Address,
        wanted: Wanted,
        ledger: AirtimeLedger,
        clock: Clock,
        *,
        wake: Callable[[], None] = lambda: None,
        on_trouble: Callable[[str, str], None] = lambda kind, message: None,
        pace: Pace | None = None,
    ) -> None:
        """``wake``: called when a frame came, or there is room again; quick. ``on_trouble``: a
        fault, a stable word and a sentence; "" when all is well again.
        """
        self.address, self.wanted, self.pace = address, wanted, pace or Pace()
        self.modulation = PRESETS[wanted.preset]
        #: Share of the last minute in which the channel was busy (0 to 1), by the radio.
        self.channel_utilization = self.air_util_tx = 0.0
        self.state, self.why = "connecting", ""
        self.shown: Shown | None = None
        self._ledger, self._clock, self._wake, self._tell = ledger, clock, wake, on_trouble
        self._machine = SystemClock()
        self._lock = threading.Lock()
        self._nudge, self._end = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, name="radio.link", daemon=True)
        self._waiting: deque[Outgoing] = deque()
        self._hearing = Hearing(clock, self._nudge.set, wake)
        #: What was sent, heard, dropped and refused → how often.
        self.counts = self._hearing.counts
        self._wire: Wire | None = None
        self._closing: list[threading.Thread] = []
        self._fails = self._rounds = 0
        self._retry_at = self._asked_at = self._held_until = self._connected_at = 0.0
        #: The last packet that the radio was given, and when.
        self._given, self._given_at = 0, 0.0
        self._has_trouble = False

    # --- for whoever has something to send -------------------------------------------------------

    @property
    def is_up(self) -> bool:
        """Connected to a radio that is set up as it must be."""
        return self.state == "connected"

    @property
    def has_room(self) -> bool:
        return self.is_up and len(self._waiting) < MOST_WAITING

    def airtime_s(self, payload_bytes: int, *, to: int = BROADCAST) -> float:
        """All that sending it may take, repetitions included."""
        firmware = firmware_of(self.shown.firmware if self.shown else "")
        size = on_air_bytes(payload_bytes, firmware, is_direct=to != BROADCAST)
        return airtime_s(size, self.modulation) * (1 if to == BROADCAST else TRIES)

    def may_send(self, payload_bytes: int, priority: int) -> bool:
        """Whether law and politeness let a frame of this class go now."""
        with self._lock:
            return self._ledger.may_send(
                self.airtime_s(payload_bytes), priority, busy=self.channel_utilization
            )

    def send(self, frame: Outgoing) -> bool:
        """Take it for the radio; False: no room.

        Raises:
            ValueError: longer than a frame may be.
        """
        if len(frame.payload) > MOST_BYTES:
            raise ValueError(f"a frame of {len(frame.payload)} bytes")
        if not self.has_room:
            return False
        self._waiting.append(frame)
        self._nudge.set()
        return True

    def next_heard(self) -> Heard | None:
        """The frame that came first of those nobody has taken yet."""
        with suppress(IndexError):
            return self._hearing.frames.popleft()
        return None

    def facts(self) -> dict[str, Any]:
        """For now.json and `kiezbox radio status`. Times Unix seconds."""
        shown = self.shown
        with self._lock:
            ledger = self._ledger
            air = {
                "limit_s": ledger.limit_s,
                "used_s": round(ledger.used_s(), 2),
                "others_s": round(ledger.others_s(), 2),
                "left_s": {str(each): round(ledger.left_s(each), 2) for each in (1, 6)},
                "by_class": {str(key): round(s, 2) for key, s in ledger.by_class().items()},
            }
        return {
            "state": self.state,
            "why": self.why,
            "address": self.address.path or f"{self.address.host}:{self.address.port}",
            "node": f"!{shown.number:08x}" if shown else None,
            "firmware": shown.firmware if shown else None,
            "region": shown.region if shown else None,
            "preset": shown.preset if shown else None,
            "channel": shown.channel_name if shown else None,
            "channel_utilization": round(self.channel_utilization, 4),
            "air_util_tx": round(self.air_util_tx, 4),
            "queue": {
                "here": len(self._waiting),
                "free": self._hearing.free,
                "most": self._hearing.most,
            },
            "airtime": air,
            "neighbours": [each._asdict() for each in self._hearing.neighbours()],
            "counts": dict(self.counts),
        }

    # --- life ------------------------------------------------------------------------------------

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        """Hang up; takes some seconds at most. Idempotent."""
        self._end.set()
        self._nudge.set()
        if self._thread.ident is not None:
            self._thread.join(2 * self.pace.close_s)

    def _run(self) -> None:
        while not self._end.is_set():
            try:
                pause_s = self._step()
            except Unreachable as error:
                pause_s = self._drop(str(error))
            except StoreError as error:
                self._trouble("card", str(error))
                pause_s = self.pace.hold_s
            except MissingPackage as error:
                self._trouble("package", f"{error}: {error.hint}")
                pause_s = self.pace.refused_s
            except Exception as error:
                # One surprise of the library's must not end the link for good.
                log.exception("radio: surprised")
                pause_s = self._drop(f"{type(error).__name__}: {error}")
            self._nudge.wait(pause_s)
            self._nudge.clear()
        self._drop("the box ends it")

    def _step(self) -> float:
        """Do what is due; seconds until something may be due again."""
        now = self._machine.monotonic()
        if self._wire is None:
            if now < self._retry_at:
                return self._retry_at - now
            self._connect()
            return 0.0
        wire = self._wire
        silent_s = now - wire.heard_at
        if wire.why_lost or silent_s > self.pace.silent_s:
            return self._drop(wire.why_lost or f"the radio has said nothing for {silent_s:.0f} s")
        self._account()
        for told, how in self._hearing.acknowledging.due(now):
            told(how)
        if self._fails and self.is_up and now - self._connected_at > self.pace.steady_s:
            self._fails = 0
            self._trouble("", "")
        if now - max(self._asked_at, wire.heard_at) >= self.pace.heartbeat_s:
            self._ask(wire, now)
        return self._send_waiting(wire, now)

    def _connect(self) -> None:
        self._closing = [each for each in self._closing if each.is_alive()]
        if len(self._closing) >= MOST_CLOSING:
            raise Unreachable("the radio's old connections do not end; restart the node")
        self._hearing.own, self._given = None, 0
        wire = Wire(self.address, self._hearing)
        if self._end.is_set():
            wire.close()
            return
        self._wire, self.shown = wire, wire.shown
        self._hearing.own = wire.shown.number
        wrong = self.wanted.differences(wire.shown)
        if not wrong:
            self._rounds, self._connected_at = 0, self._machine.monotonic()
            self.state, self.why = "connected", ""
            if self._fails < len(self.pace.retry_s):
                self._trouble("", "")
            log.info("radio: connected node=!%08x preset=%s", wire.shown.number, wire.shown.preset)
            self._ask(wire, self._machine.monotonic())
            self._wake()
            return
        self.state, self.why = "setting up", ", ".join(wrong)
        self._rounds += 1
        if self._rounds > 3:
            self._rounds = 0
            self._trouble("settings", f"the radio does not take its settings: {self.why}")
            self._drop(f"it does not take its settings: {self.why}")
            self._retry_at = self._machine.monotonic() + self.pace.refused_s
            return
        log.info("radio: set up, because it has %s", self.why)
        target = Shown(
            wire.shown.number, "", self.wanted.region, self.wanted.preset, self.wanted.hop_limit,
            True, False, self.wanted.channel_name, self.wanted.channel_key,
        )  # fmt: skip
        # Some restart by this. Either way it is asked anew what it has.
        with suppress(Unreachable):
            wire.set_up(target, lambda: self._end.wait(self.pace.setting_s))
        self._drop(self.why)
        self._retry_at = self._machine.monotonic() + self.pace.setting_s

    def _drop(self, why: str) -> float:
        """The connection is over; seconds until the next is tried."""
        wire, self._wire = self._wire, None
        if self.is_up:
            self.counts["connections lost"] += 1
        if wire is None or self.is_up:
            # A connection that ends soon, again and again, is somebody else's, too.
            self._fails += 1
        pauses = self.pace.retry_s
        pause_s = pauses[min(max(self._fails, 1), len(pauses)) - 1]
        if self.state != "setting up" or wire is None:
            self.state, self.why = "connecting", why
        if self._fails == len(pauses):
            self._trouble("unreachable", why)
        self._retry_at = self._machine.monotonic() + pause_s
        # What waited is old when there is a radio again; the exchange makes it up.
        waiting, self._waiting = list(self._waiting), deque()
        if waiting:
            self.counts["dropped: no radio"] += len(waiting)
        untold = [frame.told for frame in waiting if frame.told] + self._hearing.acknowledging.all()
        for told in untold:
            told("no radio")
        if wire is not None:
            log.info("radio: connection ended: %s", why)
            closing = threading.Thread(target=wire.close, name="radio.closing", daemon=True)
            closing.start()
            closing.join(self.pace.close_s)
            if closing.is_alive():
                self._closing.append(closing)
        return pause_s

    # --- sending ---------------------------------------------------------------------------------

    def _send_waiting(self, wire: Wire, now: float) -> float:
        while self._waiting:
            if self._hearing.is_over_duty:
                self._hearing.is_over_duty = False
                self._held_until = now + self.pace.hold_s
            if now < self._held_until:
                return self._held_until - now
            if self._given and self._hearing.answered != self._given:
                if now - self._given_at < self.pace.answer_s:
                    return self.pace.ask_s
            taken = self._hearing.most - self._hearing.free
            if self._hearing.free <= LEAST_FREE or taken >= MOST_IN_RADIO:
                # It says how much room there is when it is asked, and not when there is some.
                if now - self._asked_at >= self.pace.ask_s:
                    self._ask(wire, now)
                return self.pace.ask_s
            self._send(wire, self._waiting.popleft(), now)
            self._wake()
        return min(self.pace.heartbeat_s, 5.0)

    def _send(self, wire: Wire, frame: Outgoing, now: float) -> None:
        seconds = self.airtime_s(len(frame.payload), to=frame.to)
        with self._lock:
            is_given = self._ledger.take(seconds, frame.priority, busy=self.channel_utilization)
        if not is_given:
            self.counts["dropped: no airtime"] += 1
            if frame.told:
                frame.told("no airtime")
            return
        is_direct = frame.to != BROADCAST
        packet_id = wire.send(
            frame.payload, to=frame.to, hops=frame.hops, want_ack=is_direct,
            priority=_IN_RADIO.get(frame.priority, 64),
        )  # fmt: skip
        self._given, self._given_at = packet_id, now
        self.counts["sent"] += 1
        if is_direct and frame.told:
            self._hearing.acknowledging.expect(packet_id, frame.to, frame.told, now)

    def _ask(self, wire: Wire, now: float) -> None:
        self._asked_at = now
        wire.heartbeat()

    def _account(self) -> None:
        """Take over what the radio said of the air."""
        metrics = self._hearing.take_metrics()
        if metrics is not None:
            self.channel_utilization, self.air_util_tx = metrics
            with self._lock:
                self._ledger.reported(self.air_util_tx)

    def _trouble(self, kind: str, message: str) -> None:
        if kind or self._has_trouble:
            self._has_trouble = bool(kind)
            if kind:
                log.warning("radio: %s", message)
            self._tell(kind, message)
