"""What was sent to one node, and whether that node has it.

Meshtastic's radios say "acknowledged" also when some neighbour was heard to relay a packet; then
the acknowledgement comes from the own radio. It is delivered only when its destination says so.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import NamedTuple

from kiezbox.clock import SystemClock
from kiezbox.radio.wire import protobufs

__all__ = ["DELIVERED", "Acknowledging", "error_name"]

DELIVERED = "delivered"

MOST_EXPECTED = 64

#: Three tries and their pauses, on the slowest preset.
PATIENCE_S = 120.0


class _Expected(NamedTuple):
    to: int
    told: Callable[[str], None]
    until: float


class Acknowledging:
    """Of one link. ``heard`` is called in another thread than the others."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._expected: OrderedDict[int, _Expected] = OrderedDict()
        self._answered: list[tuple[Callable[[str], None], str]] = []
        self._machine = SystemClock()
        #: Answers that came before it was known to what.
        self._early: OrderedDict[int, tuple[int, str, bool]] = OrderedDict()

    def expect(self, packet_id: int, to: int, told: Callable[[str], None], now: float) -> None:
        with self._lock:
            self._expected[packet_id] = _Expected(to, told, now + PATIENCE_S)
            if len(self._expected) > MOST_EXPECTED:
                _, old = self._expected.popitem(last=False)
                self._answered.append((old.told, "not known"))
            early = self._early.pop(packet_id, None)
        if early is not None:
            self._answer(packet_id, *early)

    def heard(self, packet_id: int, sender: int, payload: bytes, *, is_own: bool) -> None:
        """A routing packet that answers this one."""
        routing = protobufs().mesh.Routing()
        try:
            routing.ParseFromString(payload)
        except Exception:  # DecodeError: from the air, anything may come
            return
        how = DELIVERED if not routing.error_reason else error_name(routing.error_reason)
        with self._lock:
            if packet_id not in self._expected:
                self._early[packet_id] = sender, how, is_own
                if len(self._early) > MOST_EXPECTED:
                    self._early.popitem(last=False)
                return
        self._answer(packet_id, sender, how, is_own)

    def _answer(self, packet_id: int, sender: int, how: str, is_own: bool) -> None:
        with self._lock:
            expected = self._expected.get(packet_id)
            if expected is None:
                return
            is_from_there = sender == expected.to
            # Our own radio knows that it failed, and never that it came.
            if is_from_there or (is_own and how != DELIVERED):
                del self._expected[packet_id]
                self._answered.append((expected.told, how))

    def due(self, now: float) -> list[tuple[Callable[[str], None], str]]:
        """Whom to tell what."""
        with self._lock:
            for packet_id in [key for key, each in self._expected.items() if each.until <= now]:
                self._answered.append((self._expected.pop(packet_id).told, "no answer"))
            found, self._answered = self._answered, []
        return found

    def all(self) -> list[Callable[[str], None]]:
        """All who still wait: nobody will answer them."""
        with self._lock:
            found = [each.told for each in self._expected.values()]
            self._expected.clear()
            self._early.clear()
        return found


def error_name(number: int) -> str:
    """Of ``Routing.Error``, or the firmware's ``ErrorCode`` where a queue's status has it."""
    try:
        return str(protobufs().mesh.Routing.Error.Name(number))
    except ValueError:
        return f"error {number}"
