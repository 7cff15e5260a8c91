"""The air that simulated radios share: what one sends, others hear, unless something is in the way.

Modelled: time on air by the LoRa formula; a radio that sends hears nothing; two packets at once
spoil each other where both arrive, unless one is 6 dB stronger (then that one is received); loss by
distance or by a table; a channel that is busy for those who hear the sender, from the second symbol
on (so two who begin at the same moment collide); radios on another channel or preset, which neither
hear nor disturb.
Not modelled: interference between presets, a receiver that stays with the first of two packets, a
clock that is off, other users of the band (``loss`` stands for them).
"""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from kiezbox.airtime import Modulation, airtime_s
from kiezbox.hardware.simulated.air_agenda import Agenda
from kiezbox.hardware.simulated.air_paths import Paths, Signal, needed_snr_db, noise_dbm

__all__ = ["Air", "Recorded", "Station", "Tuning"]

#: A packet survives another one on the same channel if it is so much stronger (Semtech AN1200.22).
CAPTURE_DB = 6.0

#: A chip that looks whether the channel is free sees a packet once so many symbols of it are there.
SENSED_SYMBOLS = 2

#: How many packets the air remembers for those who check its hours.
RECORDED = 50_000


class Tuning(NamedTuple):
    """``channel``: any word; stations with the same tuning hear each other."""

    channel: str
    modulation: Modulation


class Station(Protocol):
    """A radio on the air. It hears what arrives whole."""

    name: str

    @property
    def tuning(self) -> Tuning | None:
        """None: it is off."""

    def heard(self, packet: bytes, rssi_dbm: float, snr_db: float) -> None: ...

    def noticed(self, airtime_s: float) -> None:
        """Somebody's packet was in the air for so long, received or not."""


class Recorded(NamedTuple):
    """A packet that was sent: when (seconds of the air), for how long, by whom, with what, and who
    received it.
    """

    at: float
    airtime_s: float
    sender: str
    packet: bytes
    heard_by: tuple[str, ...]


@dataclass(eq=False, slots=True)
class _Sent:
    station: Station
    tuning: Tuning
    packet: bytes
    begun_at: float
    airtime_s: float
    #: Who can hear it, by name.
    signals: dict[str, Signal]
    #: What was in the air at the same time.
    others: list[_Sent] = field(default_factory=list)


class Air:
    """One air; all its stations are called in the agenda's thread."""

    def __init__(self, agenda: Agenda, paths: Paths, chance: random.Random) -> None:
        self.agenda = agenda
        self.paths = paths
        self.recorded: deque[Recorded] = deque(maxlen=RECORDED)
        self._chance = chance
        self._stations: dict[str, Station] = {}
        self._sending: list[_Sent] = []

    def join(self, station: Station) -> None:
        """From now on it hears. Names are of one station each."""
        self._stations[station.name] = station

    def leave(self, station: Station) -> None:
        """It hears no more; what it is sending is cut off, and nobody hears that."""
        self._stations.pop(station.name, None)
        for sent in self._sending:
            if sent.station is station:
                sent.signals.clear()

    def send(self, station: Station, packet: bytes, done: Callable[[], None]) -> float:
        """It sends from now on, for so many seconds (the answer); then ``done`` is called.

        The station must be tuned and not be sending.
        """
        tuning = station.tuning
        assert tuning is not None
        seconds = airtime_s(len(packet), tuning.modulation)
        signals = {}
        for name in self._stations:
            if name != station.name and (signal := self.paths.signal(station.name, name)):
                signals[name] = self._faded(signal)
        sent = _Sent(station, tuning, packet, self.agenda.now, seconds, signals)
        for other in self._sending:
            if other.tuning == tuning:
                other.others.append(sent)
                sent.others.append(other)
        self._sending.append(sent)

        def end() -> None:
            self._sending.remove(sent)
            done()
            self._deliver(sent)

        self.agenda.after(seconds, end)
        return seconds

    def is_busy_for(self, station: Station) -> bool:
        """Whether it hears that somebody is sending, or sends itself."""
        for sent in self._sending:
            if sent.station is station:
                return True
            if sent.tuning != station.tuning or not self._can_hear(sent, station.name):
                continue
            modulation = sent.tuning.modulation
            symbol_s = (1 << modulation.spreading) / modulation.bandwidth_hz
            if self.agenda.now - sent.begun_at >= SENSED_SYMBOLS * symbol_s:
                return True
        return False

    def _faded(self, signal: Signal) -> Signal:
        if not self.paths.fading_db:
            return signal
        return signal._replace(
            rssi_dbm=signal.rssi_dbm + self._chance.gauss(0.0, self.paths.fading_db)
        )

    def _can_hear(self, sent: _Sent, name: str) -> bool:
        signal = sent.signals.get(name)
        modulation = sent.tuning.modulation
        return signal is not None and (
            signal.rssi_dbm - noise_dbm(modulation) >= needed_snr_db(modulation)
        )

    def _deliver(self, sent: _Sent) -> None:
        senders = {other.station.name for other in sent.others}
        heard = []
        # Chance is asked for everybody in the same order, so that a run repeats.
        for name, signal in sent.signals.items():
            is_lost = signal.loss > 0 and self._chance.random() < signal.loss
            station = self._stations.get(name)
            if station is None or station.tuning != sent.tuning or not self._can_hear(sent, name):
                continue
            is_spoiled = any(
                self._can_disturb(other, name, signal.rssi_dbm) for other in sent.others
            )
            if not (is_lost or is_spoiled or name in senders):
                heard.append((station, signal))
            if name not in senders:
                station.noticed(sent.airtime_s)
        self.recorded.append(
            Recorded(
                sent.begun_at,
                sent.airtime_s,
                sent.station.name,
                sent.packet,
                tuple(station.name for station, _ in heard),
            )  # fmt: skip
        )
        noise = noise_dbm(sent.tuning.modulation)
        for station, signal in heard:
            station.heard(sent.packet, signal.rssi_dbm, signal.rssi_dbm - noise)

    def _can_disturb(self, other: _Sent, name: str, rssi_dbm: float) -> bool:
        signal = other.signals.get(name)
        return signal is not None and rssi_dbm < signal.rssi_dbm + CAPTURE_DB
