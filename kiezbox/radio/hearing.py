"""What the radio tells, in the library's reader thread: sorted, counted, and put where others find
it. Everything is bounded, whoever floods the air, and nothing here takes long.
"""

from __future__ import annotations

import threading
from collections import Counter, OrderedDict, deque
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from kiezbox.clock import Clock
from kiezbox.frames import PORT
from kiezbox.radio.acknowledging import Acknowledging, error_name
from kiezbox.radio.packets import BROADCAST, Heard, Neighbour
from kiezbox.radio.wire import Wire, protobufs

__all__ = ["Hearing"]

ROUTING, TELEMETRY = 5, 67
DUTY_CYCLE_LIMIT = 9

MOST_HEARD, MOST_NEIGHBOURS = 64, 64

#: The firmware's queue, until it has said how long it is.
QUEUE = 16


class Hearing:
    """Of one link; a ``wire.Listener``."""

    def __init__(self, clock: Clock, nudge: Callable[[], None], wake: Callable[[], None]) -> None:
        """``nudge`` the link, ``wake`` whoever takes frames."""
        #: What was sent, heard, dropped and refused → how often.
        self.counts: Counter[str] = Counter()
        self.frames: deque[Heard] = deque(maxlen=MOST_HEARD)
        self.acknowledging = Acknowledging()
        #: Of the radio's queue.
        self.free = self.most = QUEUE
        #: The packet of which the radio last said whether it has it.
        self.answered = 0
        #: Its number, once it is connected.
        self.own: int | None = None
        self.is_over_duty = False
        self._clock, self._nudge, self._wake = clock, nudge, wake
        self._lock = threading.Lock()
        self._metrics: tuple[float, float] | None = None
        self._neighbours: OrderedDict[int, Neighbour] = OrderedDict()

    # --- for the link ----------------------------------------------------------------------------

    def neighbours(self) -> list[Neighbour]:
        """The one that was heard last in front."""
        with self._lock:
            return list(reversed(self._neighbours.values()))

    def take_metrics(self) -> tuple[float, float] | None:
        """Channel utilization and the radio's own share of the hour (0 to 1), if it has said them
        since the last time.
        """
        found, self._metrics = self._metrics, None
        return found

    # --- for the wire ----------------------------------------------------------------------------

    def packet(self, packet: Any) -> None:
        sender = int(getattr(packet, "from"))
        is_own = sender == self.own
        if not is_own:
            self._note(sender, packet)
        if packet.WhichOneof("payload_variant") != "decoded":
            self.counts["dropped: of another channel"] += 1
            return
        data = packet.decoded
        if data.portnum == PORT and not is_own:
            self._take(packet)
        elif data.portnum == ROUTING and data.request_id:
            self.acknowledging.heard(data.request_id, sender, bytes(data.payload), is_own=is_own)
            self._nudge()
        elif data.portnum == TELEMETRY and is_own and not packet.rx_rssi:
            # What came by the air anybody may have said in this radio's name.
            self._take_telemetry(bytes(data.payload))

    def queue_status(self, free: int, most: int, res: int, packet_id: int) -> None:
        self.free, self.most = free, most or self.most
        self.answered = packet_id or self.answered
        if res:
            self.counts[f"refused by the radio: {error_name(res)}"] += 1
            self.is_over_duty = self.is_over_duty or res == DUTY_CYCLE_LIMIT
        self._nudge()

    def metrics(self, channel_utilization: float, air_util_tx: float) -> None:
        """In percent."""
        self._metrics = _share(channel_utilization), _share(air_util_tx)
        self._nudge()

    def lost(self, wire: Wire, why: str) -> None:
        self._nudge()

    def _take(self, packet: Any) -> None:
        self.counts["heard"] += 1
        if len(self.frames) == MOST_HEARD:
            self.counts["dropped: too many at once"] += 1
        self.frames.append(
            Heard(
                bytes(packet.decoded.payload),
                int(getattr(packet, "from")),
                packet.rx_snr,
                packet.rx_rssi,
                _hops(packet),
                packet.to != BROADCAST,
            )  # fmt: skip
        )
        self._wake()

    def _take_telemetry(self, payload: bytes) -> None:
        told = protobufs().telemetry.Telemetry()
        with suppress(Exception):  # DecodeError
            told.ParseFromString(payload)
            if told.HasField("device_metrics"):
                metrics = told.device_metrics
                self.metrics(metrics.channel_utilization, metrics.air_util_tx)

    def _note(self, sender: int, packet: Any) -> None:
        heard = Neighbour(
            sender, self._clock.now(), packet.rx_snr, packet.rx_rssi, _hops(packet)
        )  # fmt: skip
        with self._lock:
            self._neighbours.pop(sender, None)
            self._neighbours[sender] = heard
            if len(self._neighbours) > MOST_NEIGHBOURS:
                self._neighbours.popitem(last=False)


def _hops(packet: Any) -> int:
    """How often it was relayed."""
    return max(0, int(packet.hop_start) - int(packet.hop_limit))


def _share(percent: float) -> float:
    """What is no number is none."""
    return min(1.0, percent / 100) if percent >= 0 else 0.0
