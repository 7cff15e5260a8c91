"""How a radio gets a packet onto the air: a queue of sixteen, a free channel, a little chance.

As firmware 2.7 (``RadioLibInterface``, ``MeshPacketQueue``): before each packet it waits a number
of slots by chance, out of more the busier the channel was; a packet that it relays waits longer,
and the better it was heard the longer, so that those far away go first. If somebody is sending when
the wait is over, it waits anew.
"""

from __future__ import annotations

import random
from bisect import insort
from collections.abc import Callable
from typing import NamedTuple

from kiezbox.airtime import Modulation
from kiezbox.hardware.simulated.air import Air, Station
from kiezbox.hardware.simulated.air_agenda import Item
from kiezbox.hardware.simulated.air_packet import AirPacket
from kiezbox.hardware.simulated.meshtastic_count import AirCount

__all__ = ["SLOTS", "Outbox", "retry_s", "slot_s"]

#: How many packets it holds.
SLOTS = 16

#: The contention window is 2^3 to 2^8 slots.
WINDOW_LEAST, WINDOW_MOST = 3, 8

#: Signal-to-noise ratios from which a relay takes the least and the most time.
SNR_LEAST_DB, SNR_MOST_DB = -20.0, 10.0

#: What a receiver may take until its acknowledgement is on its way.
PROCESSING_S = 4.5


def slot_s(modulation: Modulation) -> float:
    """Two and a half symbols to see whether the channel is free, and 7.6 ms to turn around.

    >>> round(slot_s(Modulation(11, 250_000)) * 1000)
    28
    """
    return 2.5 * (1 << modulation.spreading) / modulation.bandwidth_hz + 0.0076


def _window(share: float) -> int:
    return WINDOW_LEAST + int(min(max(share, 0.0), 1.0) * (WINDOW_MOST - WINDOW_LEAST))


def retry_s(airtime_s: float, modulation: Modulation, busy_share: float) -> float:
    """How long it waits for an acknowledgement before it sends again."""
    slots = 2 ** _window(busy_share) + 2 * WINDOW_MOST + 2 ** ((WINDOW_MOST + WINDOW_LEAST) // 2)
    return float(2 * airtime_s + slots * slot_s(modulation) + PROCESSING_S)


class _Waiting(NamedTuple):
    #: Negative, so that what is most urgent comes first.
    urgency: int
    order: int
    packet: AirPacket
    #: How well it was heard, if it is to be relayed.
    snr_db: float | None


class Outbox:
    """Of one radio. ``freed`` is called when the queue is no longer full."""

    def __init__(
        self, air: Air, station: Station, count: AirCount, chance: random.Random,
        freed: Callable[[], None],
    ) -> None:  # fmt: skip
        self._air = air
        self._station = station
        self._count = count
        self._chance = chance
        self._freed = freed
        self._waiting: list[_Waiting] = []
        self._order = 0
        self._timer: Item | None = None
        self._is_sending = False
        self._is_closed = False
        self.packets_sent = 0

    @property
    def free(self) -> int:
        return SLOTS - len(self._waiting)

    def put(self, packet: AirPacket, priority: int, snr_db: float | None = None) -> bool:
        """False if the queue is full of what is as urgent."""
        self._order += 1
        waiting = _Waiting(-priority, self._order, packet, snr_db)
        if not self.free:
            if self._waiting[-1].urgency <= -priority:
                return False
            self._waiting.pop()
        insort(self._waiting, waiting, key=lambda each: each[:2])
        self._wait()
        return True

    def has(self, key: tuple[int, int]) -> bool:
        return any(each.packet.key == key for each in self._waiting)

    def cancel(self, key: tuple[int, int]) -> None:
        """Send it not, if it is still here."""
        was_full = not self.free
        self._waiting = [each for each in self._waiting if each.packet.key != key]
        if was_full and self.free:
            self._freed()

    def close(self) -> None:
        """Forget all. What is on the air goes on to its end."""
        self._is_closed = True
        self._waiting.clear()
        if self._timer:
            self._timer.cancel()

    def _wait(self) -> None:
        if self._timer is not None or self._is_sending or not self._waiting or self._is_closed:
            return
        tuning = self._station.tuning
        if tuning is None:
            return
        snr_db = self._waiting[0].snr_db
        if snr_db is None:
            slots = self._chance.randrange(
                2 ** _window(self._count.busy_share(self._air.agenda.now))
            )
        else:
            size = _window((snr_db - SNR_LEAST_DB) / (SNR_MOST_DB - SNR_LEAST_DB))
            slots = 2 * WINDOW_MOST + self._chance.randrange(2**size)
        self._timer = self._air.agenda.after(slots * slot_s(tuning.modulation), self._try)

    def _try(self) -> None:
        self._timer = None
        if self._is_sending or not self._waiting or self._station.tuning is None:
            return
        if self._air.is_busy_for(self._station):
            self._wait()
            return
        was_full = not self.free
        packet = self._waiting.pop(0).packet
        self._is_sending = True
        seconds = self._air.send(self._station, packet.pack(), self._sent)
        self._count.sent(self._air.agenda.now, seconds)
        self.packets_sent += 1
        if was_full:
            self._freed()

    def _sent(self) -> None:
        self._is_sending = False
        self._wait()
