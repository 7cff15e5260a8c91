"""The node's part in LoRa: keeps the radio's exchange going, and says how it is."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, Protocol

from kiezbox.clock import Clock, SystemClock
from kiezbox.errors import KiezboxError
from kiezbox.node.worker import Worker
from kiezbox.settings import Settings
from kiezbox.store.database import TROUBLE

if TYPE_CHECKING:
    from kiezbox.peers.home import Home
    from kiezbox.radio.station import Station
    from kiezbox.trust import Trust

__all__ = ["Radioing", "radio_worker"]

log = logging.getLogger("kiezbox")

#: Name of the worker, and of its faults.
SOURCE = "radio"

#: The longest pause, after a failure, between two looks at whom this box believes, and between
#: two that now.json tells of (real seconds).
STEP_S, RETRY_S, BELIEVE_S, TELL_S = 5.0, 30.0, 300.0, 5.0

#: What to do about the link's troubles.
_HINTS = {
    "unreachable": "Is it plugged in and switched on? Does anything else use it, a phone or an app"
    " say? `kiezbox radio status` shows what is tried.",
    "settings": "`kiezbox radio status` shows what is otherwise; is it a radio for Europe, with"
    " firmware 2.5 or newer?",
    "package": "pip install 'kiezbox[lora]'",
    "card": "Nothing is sent by radio until the card takes what was sent; see the store's fault.",
}


class Memory(Protocol):
    """The part of ``store.Store`` that is needed."""

    def open_fault(self, source: str, kind: str, message: str, hint: str = "") -> bool: ...
    def close_fault(self, source: str, kind: str | None = None) -> bool: ...


class Telling(Protocol):
    """The part of ``node.facts.Facts`` that is needed."""

    def set_radio(self, radio: dict[str, Any]) -> None: ...


class Radioing:
    """The task. Whatever goes wrong, all of it is opened anew; what was taken in is in the log."""

    def __init__(
        self,
        settings: Settings,
        store: Memory,
        clock: Clock,
        facts: Telling,
        taken: Callable[[], None],
        nudge: Callable[[], None],
    ) -> None:
        """``taken`` is called when something new is in the log of words; ``nudge`` takes the next
        step now.
        """
        self._settings, self._store, self._clock, self._facts = settings, store, clock, facts
        self._taken, self._nudge = taken, nudge
        self._machine = SystemClock()
        self._home: Home | None = None
        self._station: Station | None = None
        self._trust: Trust | None = None
        self._believe_at = self._tell_at = 0.0
        self._took, self._state = 0, ""

    def step(self) -> float:
        try:
            station = self._station or self._open()
            self._believe()
            pause_s = station.step()
        except (KiezboxError, OSError, ImportError, *TROUBLE) as error:
            self._fail(error)
            return RETRY_S
        took = station.talk.counts["taken"]
        if took != self._took:
            self._took = took
            self._taken()
        now = self._machine.monotonic()
        if now >= self._tell_at or station.link.state != self._state:
            self._tell_at, self._state = now + TELL_S, station.link.state
            self._facts.set_radio(station.facts())
        return min(STEP_S, pause_s)

    def interrupt(self) -> None:
        """No step is long."""

    def close(self) -> None:
        """Idempotent."""
        station, home = self._station, self._home
        self._station = self._home = None
        if station is not None:
            station.close()
        if home is not None:
            home.close()

    def _open(self) -> Station:
        from kiezbox.peers.home import Home
        from kiezbox.radio.station import Station

        self._home = Home(self._settings, self._clock)
        self._believe_at = 0.0
        self._believe()
        # By what is believed now: an official word is as urgent as it says.
        self._home.look_anew()
        self._station = Station(
            self._settings, self._home.sharing, self._key_ids, self._clock,
            wake=self._nudge, on_trouble=self._trouble,
        )  # fmt: skip
        self._took = 0
        self._store.close_fault(SOURCE, "unusable")
        return self._station

    def _believe(self) -> None:
        """Certificates and revocations come, too."""
        from kiezbox.store.believing import trust_of

        now = self._machine.monotonic()
        if now >= self._believe_at and self._home is not None:
            self._believe_at = now + BELIEVE_S
            log_ = self._home.log
            self._trust = trust_of(log_, self._settings.trust.roots, self._clock)
            log_.judge_by(self._trust.judge)

    def _key_ids(self) -> Iterable[bytes]:
        from kiezbox.trust.certificates import key_id

        issuers = self._trust.issuers() if self._trust else []
        return {key_id(issuer.path[0]) for issuer in issuers}

    def _trouble(self, kind: str, message: str) -> None:
        """In the link's thread."""
        if not kind:
            for each in _HINTS:
                self._store.close_fault(SOURCE, each)
            return
        self._store.open_fault(SOURCE, kind, message, _HINTS.get(kind, ""))

    def _fail(self, error: Exception) -> None:
        self.close()
        message = f"no exchange by radio: {error}"
        if self._store.open_fault(SOURCE, "unusable", message, getattr(error, "hint", "")):
            log.warning("%s: %s", SOURCE, message)
        self._facts.set_radio({"state": "off", "why": str(error)})


def radio_worker(
    settings: Settings,
    store: Memory,
    clock: Clock,
    facts: Telling,
    taken: Callable[[], None],
    on_trouble: Callable[[str, str], None],
) -> Worker:
    """``[radio]``'s worker."""

    def nudge() -> None:
        worker.nudge()

    worker = Worker(
        SOURCE,
        lambda counts: Radioing(settings, store, clock, facts, taken, nudge),
        clock,
        # A damaged log is copied page by page when it is opened.
        step_limit_s=600.0,
        on_trouble=on_trouble,
    )
    return worker
