"""A box's radio, from its settings: the ledger, the link, and the exchange on it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from random import Random
from typing import Any

from kiezbox.airtime import PRESETS, band_at
from kiezbox.clock import Clock
from kiezbox.errors import SettingsError
from kiezbox.exchange.lora import Turns, lora_bearer
from kiezbox.frames import MOST_BYTES
from kiezbox.radio.keys import channel_key, key_path, read_key
from kiezbox.radio.link import Link
from kiezbox.radio.talk import Talk, boxes_of, fits, signers_of
from kiezbox.radio.wanted import Pace, Wanted
from kiezbox.radio.wire import address_of
from kiezbox.settings import Settings
from kiezbox.settings.radio import FREQUENCIES_MHZ
from kiezbox.store.airtime_ledger import AirtimeLedger
from kiezbox.store.sharing import Sharing

__all__ = ["LEDGER", "Station"]

#: Beside the database.
LEDGER = "airtime.json"


class Station:
    """Used by one thread; ``facts`` by any. ``close`` it."""

    def __init__(
        self,
        settings: Settings,
        sharing: Sharing,
        key_ids: Callable[[], Iterable[bytes]],
        clock: Clock,
        *,
        wake: Callable[[], None] = lambda: None,
        on_trouble: Callable[[str, str], None] = lambda kind, message: None,
        pace: Pace | None = None,
    ) -> None:
        """``key_ids``: of all whose signatures are believed. ``wake``: ``step`` is worth it now.

        Raises:
            SettingsError: no address, or no key of the Kiez.
            StoreError: the ledger cannot be read.
        """
        radio = settings.radio
        address = address_of(radio.address)
        if address is None:
            raise SettingsError(
                f"radio.address = {radio.address!r} is no address", hint="See docs/radio.md."
            )
        key = read_key(key_path(radio.key_file, settings.store.path))
        modulation = PRESETS[radio.preset]
        band = band_at(FREQUENCIES_MHZ[radio.region], modulation.bandwidth_hz / 1000)
        folder = os.path.dirname(os.path.abspath(settings.store.path))
        self._ledger = AirtimeLedger(os.path.join(folder, LEDGER), band.duty, clock)
        wanted = Wanted(
            radio.region, radio.preset, radio.hop_limit, radio.channel, channel_key(key)
        )  # fmt: skip
        self.link = Link(
            address, wanted, self._ledger, clock, wake=wake, on_trouble=on_trouble, pace=pace
        )
        # Not to be foreseen, and not in step with any other box.
        chance = Random()
        self.talk = Talk(
            settings.box.id,
            sharing,
            lora_bearer(fits, self.link.airtime_s(MOST_BYTES)),
            self.link,
            Turns(chance),
            key=key,
            members=boxes_of(settings.kiez.members, settings.box.id),
            signers=signers_of(key_ids),
            clock=clock,
            random=chance,
            city_hops=radio.hop_limit,
        )
        self.link.start()

    def step(self) -> float:
        """Take in and send what there is; seconds until the next.

        Raises:
            StoreError: the card does not take what came; it will be asked for again.
        """
        return self.talk.step()

    def facts(self) -> dict[str, Any]:
        """The part ``radio`` of now.json."""
        link, talk = self.link.facts(), self.talk.facts()
        counts = {**link.pop("counts"), **talk.pop("counts")}
        return {**link, **talk, "counts": {name: n for name, n in sorted(counts.items()) if n}}

    def close(self) -> None:
        """Idempotent."""
        self.link.close()
        self._ledger.close()
