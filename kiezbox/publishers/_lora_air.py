"""LoRa airtime in the EU 868 MHz band: what a frame costs, what a data rate carries, and a ledger
of what was used of a day.

Sources: LoRaWAN 1.0.2 Regional Parameters, 2.1 (EU863-870: data rates, payloads with a repeater,
1 % duty cycle); The Things Network, "Fair Use Policy": 30 s of uplink airtime and 10 downlinks a
day and device. The formula is ``kiezbox.airtime``'s.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from contextlib import suppress
from math import inf
from typing import NamedTuple

from kiezbox import airtime as lora

__all__ = ["EU868", "JOIN_BYTES", "Ledger", "Rate", "airtime_s", "frame_airtime_s"]

DAY_S = 86_400.0

#: Bytes of a LoRaWAN frame beside the payload: MHDR, DevAddr, FCtrl, FCnt, FPort, MIC. What the MAC
#: itself adds now and then (answers to ADR requests, FOpts, at most 15) is not known here.
OVERHEAD_BYTES = 13

#: Symbols before a LoRaWAN frame.
PREAMBLE = 8

#: A join request: MHDR, JoinEUI, DevEUI, DevNonce, MIC.
JOIN_BYTES = 23

#: Of 868.0 to 868.6 MHz, where the three channels lie that every network has.
DUTY_CYCLE = 0.01

#: Entries that the file of a ledger may have. A day of the shortest frames is some 800.
MOST_ENTRIES = 5000


class Rate(NamedTuple):
    """A data rate: its spreading factor, bandwidth (Hz) and largest payload (bytes)."""

    spreading: int
    bandwidth_hz: int
    most_bytes: int


#: The data rates of EU868 that are LoRa, by their number.
EU868 = {
    0: Rate(12, 125_000, 51),
    1: Rate(11, 125_000, 51),
    2: Rate(10, 125_000, 51),
    3: Rate(9, 125_000, 115),
    4: Rate(8, 125_000, 222),
    5: Rate(7, 125_000, 222),
    6: Rate(7, 250_000, 222),
}


def airtime_s(frame_bytes: int, rate: Rate) -> float:
    """Seconds on air of a LoRa frame with explicit header, CRC, coding rate 4/5 and a preamble of
    eight symbols, as LoRaWAN uplinks are.

    >>> round(airtime_s(23, EU868[5]) * 1000, 3), round(airtime_s(23, EU868[0]) * 1000, 3)
    (61.696, 1482.752)
    """
    return lora.airtime_s(
        frame_bytes, lora.Modulation(rate.spreading, rate.bandwidth_hz), preamble=PREAMBLE
    )


def frame_airtime_s(payload_bytes: int, rate: Rate) -> float:
    """Seconds on air of an uplink with so many bytes of payload."""
    return airtime_s(payload_bytes + OVERHEAD_BYTES, rate)


class Ledger:
    """What was sent within the last day, and when the next frame may go.

    It is kept in a file that outlives a restart of the node, so that a node that crashes every
    minute does not fill the band. Times are monotonic and so are the machine's own: the file must
    be in a tmpfs, which begins anew when they do.
    """

    def __init__(self, path: str, budget_s: float, monotonic: Callable[[], float]) -> None:
        """``path``: the file; empty: none. ``budget_s``: airtime of a day; 0: no limit."""
        self._path, self._budget_s, self._monotonic = path, budget_s, monotonic
        self._sent: list[tuple[float, float]] = self._read()
        self._quiet_until = 0.0

    def used_s(self) -> float:
        """Airtime within the last 24 hours, in seconds."""
        self._forget()
        return sum(cost_s for _, cost_s in self._sent)

    def due_in_s(self, cost_s: float) -> float:
        """Seconds until a frame of this airtime may be sent; infinite if never."""
        self._forget()
        now = self._monotonic()
        return max(0.0, self._quiet_until - now, self._budget_due_in_s(cost_s, now))

    def _budget_due_in_s(self, cost_s: float, now: float) -> float:
        """Until enough of the day's airtime is a day old."""
        if not self._budget_s:
            return 0.0
        if cost_s > self._budget_s:
            return inf
        over_s = sum(cost for _, cost in self._sent) + cost_s - self._budget_s
        due_in_s = 0.0
        for at, cost in self._sent:
            if over_s <= 0:
                break
            over_s -= cost
            due_in_s = at + DAY_S - now
        return due_in_s

    def spend(self, cost_s: float, *, is_join: bool = False) -> None:
        """A frame of this airtime goes on air now. After an uplink the band is left alone for as
        long as its duty cycle wants; the modem minds that of joins.
        """
        now = self._monotonic()
        self._sent.append((now, cost_s))
        if not is_join:
            self._quiet_until = now + cost_s / DUTY_CYCLE
        self._write()

    def _forget(self) -> None:
        since = self._monotonic() - DAY_S
        self._sent = [entry for entry in self._sent if entry[0] > since]

    def _read(self) -> list[tuple[float, float]]:
        if not self._path:
            return []
        try:
            with open(self._path, encoding="utf-8") as file:
                entries = json.loads(file.read(200_000))
            now = self._monotonic()
            read = [(float(at), float(cost_s)) for at, cost_s in entries[-MOST_ENTRIES:]]
        except (OSError, ValueError, TypeError, KeyError):
            return []
        return sorted(entry for entry in read if entry[0] <= now and 0 < entry[1] < 60)

    def _write(self) -> None:
        if not self._path:
            return
        fresh = f"{self._path}.new"
        # Not writable, or no such folder: then it is kept in memory only.
        with suppress(OSError):
            with open(fresh, "w", encoding="utf-8") as file:
                json.dump([[round(at, 1), round(cost_s, 4)] for at, cost_s in self._sent], file)
            os.replace(fresh, self._path)
