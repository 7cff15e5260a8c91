"""The node's keeping of the log of words: makes it, judges by trust, forgets in time.

Whoever writes words (the portal, the command line) knows neither the grid nor the roots of
``trust``, and does not run all the time; so the node sees to it that verdicts are up to date, that
what has expired leaves the card, that personal things end when the power has been back for three
days, and that what came while the clock was wrong gets its right age once it is set. A log that
cannot be kept is a fault and never the node's end.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from kiezbox.clock import Clock
from kiezbox.errors import KiezboxError
from kiezbox.settings import Settings
from kiezbox.store import Transition

if TYPE_CHECKING:
    from kiezbox.store.log import Log

__all__ = ["ERASE_S", "STEP_S", "Keeping", "power_back_at"]

log = logging.getLogger("kiezbox")

#: How often it looks, and how often it erases: that reads the whole file and writes to the card.
STEP_S = 60.0
ERASE_S = 3600.0

#: A certificate ends by the clock, and nobody says so: so often everything is judged anew.
JUDGE_S = 600.0

#: Transitions that are looked through for the last outage.
TRANSITIONS = 200

#: Name of the worker, and of its faults.
SOURCE = "words"


class Memory(Protocol):
    """The part of ``store.Store`` that is needed."""

    def transitions(self, machine: str | None = None, limit: int = 50) -> list[Transition]: ...
    def open_fault(self, source: str, kind: str, message: str, hint: str = "") -> bool: ...
    def close_fault(self, source: str, kind: str | None = None) -> bool: ...


class Keeping:
    """The task. The log is opened by the first step, which may take long on a damaged one."""

    def __init__(
        self,
        settings: Settings,
        store: Memory,
        clock: Clock,
        *,
        counts: Callable[[], bool] = lambda: True,
    ) -> None:
        """``counts``: whether this thread's results are still wanted (see ``Worker``)."""
        self._settings = settings
        self._store = store
        self._clock = clock
        self._counts = counts
        self._log: Log | None = None
        self._was_trusted = clock.is_trusted()
        self._offset_s = clock.now() - clock.monotonic()
        self._erased_at = self._judged_at = -float("inf")
        #: Number of the newest record that was looked at, whether any of them was signed (verifying
        #: costs 6 MiB of memory), and the return of power that was told.
        self._seen, self._has_signed = 0, False
        self._back_at = 0.0

    def step(self) -> float:
        try:
            if self._log is None:
                self._log = self._open()
            self._keep(self._log)
        except (KiezboxError, ImportError) as error:
            # Anew from the file next time: whatever it was, the connection may be no good.
            self.close()
            self._tell(error)
            return STEP_S
        self._store.close_fault(SOURCE)
        return STEP_S

    def interrupt(self) -> None:
        """Each step ends by itself; a half-done one is a transaction that was not."""

    def close(self) -> None:
        if self._log is not None:
            self._log.close()
            self._log = None

    # --- one look --------------------------------------------------------------------------------

    def _open(self) -> Log:
        import cbor2  # noqa: F401  Without it no record can be read; better now than in the middle.

        from kiezbox.store.log import Log

        opened = Log.open(self._settings.store.words_path, self._clock, box=self._settings.box.id)
        self._seen, self._judged_at, self._back_at = 0, -float("inf"), 0.0
        if self._clock.is_trusted():
            # What an earlier start received by a wrong clock stays as it is; nobody knows by how
            # much that was wrong.
            opened.clock_was_set(0.0)
        return opened

    def _keep(self, words: Log) -> None:
        self._watch_clock(words)
        self._watch_power(words)
        if not self._counts():
            return
        now = self._clock.monotonic()
        if now - self._erased_at >= ERASE_S:
            erased = words.erase()
            self._erased_at = now
            if erased:
                log.info("words: erased records=%d", erased)
        is_new = self._has_news(words)
        is_due = now - self._judged_at >= JUDGE_S
        # Also what only says that it is believed: the portal could have written that.
        if (self._has_signed and (is_new or is_due)) or (is_due and words.has_claims()):
            self._judge(words)
            self._judged_at = now

    def _watch_clock(self, words: Log) -> None:
        is_trusted = self._clock.is_trusted()
        offset_s = self._clock.now() - self._clock.monotonic()
        if is_trusted and not self._was_trusted:
            by_s = offset_s - self._offset_s
            log.info("words: clock set by_s=%.0f", by_s)
            words.clock_was_set(by_s)
            # Everything signed can be judged by its time now.
            self._judged_at = -float("inf")
        self._was_trusted, self._offset_s = is_trusted, offset_s

    def _watch_power(self, words: Log) -> None:
        """The moment stands among the stored transitions, so a restart finds it again."""
        machine = "grid" if self._settings.power.grid else "mode"
        back_at = power_back_at(self._store.transitions(machine, TRANSITIONS))
        if back_at is None or back_at <= self._back_at:
            return
        shortened = words.power_is_back(back_at)
        self._back_at = back_at
        if shortened:
            log.info("words: power is back, personal records=%d end in 72 h", shortened)

    def _has_news(self, words: Log) -> bool:
        """Whether something came that is signed, or that changes whom to believe."""
        from kiezbox.records import KINDS, BadRecord, unpack

        found = False
        while frames := words.after(self._seen, 200):
            self._seen = frames[-1][0]
            for _, frame in frames:
                try:
                    record = unpack(frame)
                except BadRecord:
                    continue
                kind = KINDS.get(record.kind)
                is_certificate = kind is not None and kind.name == "certificate"
                found = found or bool(record.key) or is_certificate
        self._has_signed = self._has_signed or found
        return found

    def _judge(self, words: Log) -> None:
        from kiezbox.store.believing import trust_of

        try:
            trust = trust_of(words, self._settings.trust.roots, self._clock)
        except ImportError as error:
            # What was judged by somebody who could stays as it is.
            self._tell(error, "trust", "signatures cannot be verified")
            return
        self._store.close_fault("trust")
        if changed := words.judge_by(trust.judge):
            log.info("words: judged otherwise records=%d", changed)

    def _tell(
        self, error: Exception, source: str = SOURCE, what: str = "the log of words cannot be kept"
    ) -> None:
        kind, hint, message = "unusable", getattr(error, "hint", ""), f"{what}: {error}"
        if isinstance(error, ImportError):
            kind, hint = "missing", "pip install 'kiezbox[words]'"
        if self._store.open_fault(source, kind, message, hint):
            log.warning("%s: %s", source, message)


def power_back_at(newest_first: list[Transition]) -> float | None:
    """When an outage ended last, in Unix seconds; None: no end of one is among these.

    Of the grid: it was lost, and has been seen for ``return_hold_s``. Of a box that does not sense
    it: the emergency is over, because its operator says so.
    """
    was_out, found = False, None
    for step in reversed(newest_first):
        if step.after in ("lost", "emergency"):
            was_out = True
        elif was_out and step.after in ("present", "normal"):
            was_out, found = False, step.at
    return found
