"""What one publisher's other side would not take: put aside, and tried again when a person says so.

A reading that is rejected must not stop those behind it, and must not vanish either. It stays in
the store as a dead letter (``kiezbox publish NAME --dead-letters``): which reading, why, when.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

from kiezbox.clock import Clock
from kiezbox.errors import Rejected
from kiezbox.model import Batch
from kiezbox.publishers import Publisher
from kiezbox.senml import id_text
from kiezbox.store import Store

log = logging.getLogger("kiezbox")

#: Seconds between two looks whether a person wants some tried again.
LOOK_EVERY_S = 10.0

#: Tried again in one step of the carrier.
AT_ONCE = 20


class RefusedItems:
    """The dead letters of one publisher."""

    def __init__(
        self,
        store: Store,
        publisher: Publisher,
        name: str,
        clock: Clock,
        passes: Callable[[Batch], Batch] | None,
    ) -> None:
        """``passes``: as ``Carrier`` has it."""
        self._store = store
        self._publisher = publisher
        self._name = name
        self._clock = clock
        self._passes = passes
        self._look_at = clock.monotonic()

    def put_aside(self, serial: int, error: Rejected) -> None:
        """Durable when this returns: only then may the cursor pass it."""
        self._store.put_dead_letter(self._name, serial, str(error))
        source, reading = f"publishers.{self._name}", id_text(serial)
        self._store.open_fault(
            source,
            "rejected",
            f"reading {reading} was rejected and put aside: {error}",
            f"kiezbox publish {self._name} --dead-letters",
        )
        self._store.close_fault(source, "rejected")
        log.warning("%s: reading %s put aside: %s", source, reading, error)

    def forget_private(self) -> None:
        """Drop those that may not leave the box any more: they wait for nothing, and the other
        side's answer may hold a value. The readings stay where they are.
        """
        if self._passes is None:
            return
        for letter in self._store.dead_letters(self._name):
            batch = self._store.after(letter.serial - 1, 1, letter.serial)
            if len(batch) and not len(self._passes(batch)):
                self._store.dead_letter_gone(letter.id)

    def try_again(self) -> int:
        """Send those a person has asked for; how many went out.

        Raises:
            PublishError: the other side is not there, or refuses us as a whole.
        """
        now = self._clock.monotonic()
        if now < self._look_at:
            return 0
        self._look_at = now + LOOK_EVERY_S
        sent = 0
        letters = self._store.dead_letters(self._name, only_retried=True)
        for letter in letters[:AT_ONCE]:
            batch = self._store.after(letter.serial - 1, 1, letter.serial)
            batch = self._passes(batch) if self._passes and len(batch) else batch
            if not len(batch):  # It grew too old, or may not leave the box any more.
                self._store.dead_letter_gone(letter.id)
                continue
            try:
                self._publisher.publish(batch)
            except Rejected as error:
                self._store.put_dead_letter(self._name, letter.serial, str(error))
                continue
            self._store.dead_letter_gone(letter.id)
            sent += 1
        if len(letters) > AT_ONCE:
            self._look_at = now
        return sent
