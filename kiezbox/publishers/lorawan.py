"""LoRaWAN: the latest good values, in few bytes, through a modem on a serial port; EU868, OTAA.

For The Things Network and every other LoRaWAN network. docs/lorawan.md has wiring, keys, the format
of a payload and what a data rate carries; docs/lorawan/decoder.js turns it into names and numbers.

A carrier of the latest values: every ``interval_s`` the newest good value of each series, and rain
as the sum since the last time. There is no backlog: a day of outage would take a month of airtime.
Unconfirmed, "delivered" means that the modem has sent it. The airtime of 24 hours is counted, joins
included, and kept to; so is the duty cycle.
"""

from __future__ import annotations

import logging
import random
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import inf
from typing import Any

from kiezbox.clock import Clock
from kiezbox.errors import PublishError, Refused, Rejected, SettingsError, Unreachable
from kiezbox.model import Batch, Flag, Quantity, is_sensor_name
from kiezbox.publishers import SUMMED
from kiezbox.publishers._lora_air import EU868, JOIN_BYTES, Ledger, airtime_s, frame_airtime_s
from kiezbox.publishers._lora_keys import read_keys
from kiezbox.publishers._lora_modem import DIALECTS, Answer, Ask, Modem, Outcome
from kiezbox.publishers._lora_payload import (
    FIELDS,
    MOST_SENSORS,
    PORT,
    Packed,
    Value,
    cayenne,
    pack,
)
from kiezbox.publishers._lora_troubles import MOST_PAUSE_S, PAUSE_S, TROUBLES
from kiezbox.settings import BoxSettings, PublisherSettings, setting

__all__ = ["LoRaWan", "Settings", "open"]

log = logging.getLogger("kiezbox")

#: See ``kiezbox.publishers``.
CARRIES_PAST = False

#: The longest time over which is summed.
DAY_MS = 86_400_000

#: A value may be so much older than the interval, in seconds: sensors have a pace of their own.
GRACE_S = 60.0

#: A confirmed uplink without an answer is sent so often in all.
TRIES = 2

#: Whatever is put right by a person works after so long, in seconds.
REFUSED_PAUSE_S = 30.0


def _wrong_sensors(value: Sequence[str]) -> str:
    if not value or len(value) > MOST_SENSORS or len(set(value)) != len(value):
        return f"must name one to {MOST_SENSORS} different sensors"
    bad = [name for name in value if not is_sensor_name(name)]
    return f"holds what is no sensor's name: {bad[0]}" if bad else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings(PublisherSettings):
    port: str = setting(
        help="The modem's serial port.", example="/dev/serial/by-id/usb-RAKwireless_RAK3172"
    )
    modem: str = setting(
        "rak3172",
        help="rak3172: RAKwireless with RUI3. e5: Wio-E5 of Seeed.",
        choices=tuple(DIALECTS),
    )
    keys_file: str = setting(
        "/etc/kiezbox/lorawan.toml",
        help="dev_eui, join_eui and app_key, as the network gave them (docs/lorawan.md). Only\n"
        "user kiezbox should read it.",
    )
    sensors: tuple[str, ...] = setting(
        help="Whose values travel. The place in this list is the sensor's number on the air, so\n"
        "add new ones at its end.",
        example=["roof", "dust"],
        check=_wrong_sensors,
    )
    interval_s: float = setting(
        900.0, help="An uplink so often, if airtime allows.", unit="s", least=60, most=86400
    )
    payload: str = setting(
        "kiezbox",
        help="kiezbox: docs/lorawan/decoder.js reads it. cayenne: Cayenne LPP, which every\n"
        "network reads; coarser, and longer.",
        choices=("kiezbox", "cayenne"),
    )
    data_rate: str = setting(
        "adr",
        help="adr: the network chooses. 0 (slow and far) to 5 (fast and near): for a box that\n"
        "moves.",
        choices=("adr", *(str(number) for number in EU868)),
    )
    confirmed: bool = setting(
        False,
        help="Ask for an answer to each uplink. The Things Network gives ten a day: with an\n"
        "interval below 8640 s that is too much.",
    )
    airtime_s_per_day: float = setting(
        30.0,
        help="Airtime within 24 hours; 30 is The Things Network's fair use. 0: no limit but the\n"
        "duty cycle.",
        unit="s",
        least=0,
        most=864,
    )
    ledger: str = setting(
        "/run/kiezbox/lorawan-airtime.json",
        help="Where the airtime of the last day is remembered over a restart of the node; must be\n"
        "in a tmpfs. Empty: nowhere.",
    )

    def __post_init__(self) -> None:
        if self.confirmed and self.airtime_s_per_day and self.interval_s < 8640:
            raise SettingsError(
                "interval_s must be at least 8640 with confirmed, as long as there is a fair use",
                hint="Each answer is one of ten downlinks a day. airtime_s_per_day = 0 for a"
                " network of your own.",
            )


def open(settings: Settings, box: BoxSettings, clock: Clock, wake: Callable[[], None]) -> LoRaWan:
    """The publisher; the port is opened when there is something to send."""
    return LoRaWan(settings, clock)


class LoRaWan:
    """See ``kiezbox.publishers.Latest``."""

    proves_uplink = False

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self.window = settings.batch
        self.sent = 0
        self._settings, self._clock = settings, clock
        self._modem = Modem(settings.port, DIALECTS[settings.modem])
        self._ledger = Ledger(settings.ledger, settings.airtime_s_per_day, clock.monotonic)
        self._not_before_s = 0.0
        self._failures = 0
        self._link = "waiting"
        self._is_joined = False
        self._must_set_up = False
        self._most_bytes = 255
        self._rate = -1
        #: The series that did not fit last time go first.
        self._first = 0

    def due_in_s(self) -> float:
        """Seconds until the next uplink may go."""
        return self._not_before_s - self._clock.monotonic()

    def publish(self, batch: Batch) -> None:
        """Send the newest good value of each series, if it is time; pass over the rest."""
        values = self._values(batch)
        if not values or self.due_in_s() > 0:
            return
        try:
            self._send(values)
        except PublishError as error:
            is_refused = isinstance(error, Refused)
            self._link = "refused" if is_refused else "waiting"
            if isinstance(error, Rejected):
                self._most_bytes = 255
                self._wait(self._settings.interval_s)
            elif is_refused:
                self._wait(REFUSED_PAUSE_S)
            elif self.due_in_s() <= 0:
                self._pause(PAUSE_S, MOST_PAUSE_S)
            raise

    # --- what is sent --------------------------------------------------------------------

    def _values(self, batch: Batch) -> list[Value]:
        """In the order of the settings; nothing if no value of them is good."""
        now_ms = self._clock.now() * 1000
        oldest_ms = (self._settings.interval_s + GRACE_S) * 1000
        places = {name: place for place, name in enumerate(self._settings.sensors)}
        found: dict[tuple[int, int], Value] = {}
        for reading in batch:
            series = batch.series[reading.series]
            quantity = _quantity(series.quantity)
            # What fell in the meantime has fallen, however long the last uplink is past.
            limit_ms = DAY_MS if series.quantity in SUMMED else oldest_ms
            is_fresh = abs(now_ms - reading.taken_ms) <= limit_ms
            if series.sensor not in places or quantity is None or not is_fresh:
                continue
            key = (places[series.sensor], FIELDS[quantity].code)
            before = found.get(key)
            if reading.flag != Flag.GOOD and before is not None and before.flag == Flag.GOOD:
                continue
            value = reading.value
            if series.quantity in SUMMED and before is not None and before.flag == Flag.GOOD:
                value += before.value
            found[key] = Value(key[0], quantity, value, reading.flag)
        if not any(value.flag == Flag.GOOD for value in found.values()):
            return []
        return [found[key] for key in sorted(found)]

    def _packed(self, values: list[Value], most_bytes: int) -> tuple[Packed, list[Value]]:
        """The payload, and the values in the order in which they were offered to it."""
        first = self._first % len(values)
        offered = values[first:] + values[:first]
        packs = {"kiezbox": pack, "cayenne": cayenne}[self._settings.payload]
        packed = packs(offered, most_bytes)
        if not packed.carried or (packed.port != PORT and not packed.payload):
            raise Rejected(
                f"not one value fits into {most_bytes} bytes",
                hint='payload = "kiezbox" takes fewer bytes and knows more quantities.',
            )
        return packed, offered[: packed.carried]

    def _send(self, values: list[Value]) -> None:
        self._make_ready()
        rate = self._data_rate()
        most_bytes = min(EU868[rate].most_bytes, self._most_bytes)
        packed, carried = self._packed(values, most_bytes)
        tries = TRIES if self._settings.confirmed else 1
        cost_s = tries * frame_airtime_s(len(packed.payload), EU868[rate])
        due_s = self._ledger.due_in_s(cost_s)
        if due_s == inf:
            raise Refused(
                f"one uplink takes {cost_s:.1f} s of airtime at data rate {rate}, and a day has"
                f" {self._settings.airtime_s_per_day:g} s",
                hint="A gateway or an antenna that is nearer makes it faster; or fewer sensors.",
            )
        if due_s > 0:
            self._wait(due_s)
            raise Unreachable(
                f"no airtime is left; {due_s / 60:.0f} min",
                hint="Nothing to do. A longer interval_s, fewer sensors or a nearer gateway help.",
            )
        # Also if it fails: what the modem did with it is not known.
        self._ledger.spend(cost_s)
        answer = self._transmit(packed, tries)
        if answer.outcome is Outcome.TOO_LONG or (
            # RUI3 has no word of its own for it.
            answer.outcome is Outcome.WRONG and self._settings.modem == "rak3172"
        ):
            told = int(answer.word) if answer.word.isdecimal() else len(packed.payload) // 2
            self._most_bytes = min(told, len(packed.payload) - 1)
            raise self._trouble(Outcome.TOO_LONG, answer)
        if answer.outcome is not Outcome.DONE:
            raise self._trouble(answer.outcome, answer)
        if self._settings.confirmed and not any(
            re.fullmatch(self._modem.dialect.acknowledged, line) for line in answer.lines
        ):
            raise self._trouble(Outcome.NOT_CONFIRMED, answer)
        is_all = packed.carried == len(values)
        self._first = 0 if is_all else (self._first + packed.carried) % len(values)
        self.sent += sum(value.flag == Flag.GOOD for value in carried)
        self._failures, self._link = 0, "connected"
        self._wait(max(self._settings.interval_s, self._ledger.due_in_s(cost_s)))

    def _transmit(self, packed: Packed, tries: int) -> Answer:
        dialect = self._modem.dialect
        fields = {
            "port": packed.port,
            "payload": packed.payload.hex().upper(),
            "tries": tries,
            "repeats": tries - 1,
        }
        *before, last = dialect.send_confirmed if self._settings.confirmed else dialect.send
        for ask in before:
            self._must(ask, fields)
        return self._modem.ask(last, fields)

    # --- the modem and its network -------------------------------------------------------

    def _make_ready(self) -> None:
        """Open, set up if it is not ours yet, and join if it is in no network."""
        dialect = self._modem.dialect
        if self._is_joined and self._modem.is_open:
            return
        self._is_joined = False
        self._modem.open()
        self._must(dialect.hello, {})
        keys = read_keys(self._settings.keys_file)
        who = self._must(dialect.who, {}).word.replace(":", "").upper()
        is_ours = who == keys["dev_eui"] and not self._must_set_up
        if is_ours and dialect.status is not None:
            self._is_joined = self._modem.ask(dialect.status).outcome is Outcome.JOINED
            is_ours = self._is_joined
        if not is_ours:
            self._is_joined = False
            for ask in dialect.setup:
                self._must(ask, keys)
            self._must_set_up = False
        for ask in self._rate_asks():
            self._must(ask, {"rate": self._settings.data_rate})
        if not self._is_joined:
            self._join()

    def _rate_asks(self) -> tuple[Ask, ...]:
        dialect = self._modem.dialect
        return (dialect.adaptive,) if self._settings.data_rate == "adr" else dialect.fixed

    def _join(self) -> None:
        fixed = self._settings.data_rate
        # With ADR the modem tries what rate it likes; counted is the slowest.
        cost_s = airtime_s(JOIN_BYTES, EU868[0 if fixed == "adr" else int(fixed)])
        if (due_s := self._ledger.due_in_s(cost_s)) > 0:
            self._wait(due_s)
            raise Unreachable(
                f"no airtime is left to join with; {due_s / 60:.0f} min",
                hint="Nothing to do: the day's airtime comes back hour by hour.",
            )
        answer = self._modem.ask(self._modem.dialect.join)
        if answer.outcome in (Outcome.JOINED, Outcome.JOIN_FAILED) and len(answer.lines) > 1:
            self._ledger.spend(cost_s, is_join=True)
        if answer.outcome is not Outcome.JOINED:
            # Perhaps the keys in the modem are older than those in the file.
            self._must_set_up = True
            raise self._trouble(answer.outcome, answer)
        self._is_joined = True
        log.info("publishers.lorawan: joined")

    def _data_rate(self) -> int:
        rate = int(self._must(self._modem.dialect.rate, {}).word)
        if rate not in EU868:
            raise Refused(
                f"the modem sends at data rate {rate}, which is none of LoRa in EU868",
                hint="Set data_rate in kiezbox.toml, or the network's band to EU868.",
            )
        if rate != self._rate:
            self._rate, self._most_bytes = rate, 255
        return rate

    def _must(self, ask: Ask, fields: Mapping[str, object]) -> Answer:
        """Ask, and raise whatever is not the wanted answer."""
        answer = self._modem.ask(ask, fields)
        if answer.outcome is not Outcome.DONE:
            raise self._trouble(answer.outcome, answer, ask)
        return answer

    def _trouble(self, outcome: Outcome, answer: Answer, ask: Ask | None = None) -> PublishError:
        trouble = TROUBLES[outcome]
        if outcome in (Outcome.NOT_JOINED, Outcome.JOIN_FAILED, Outcome.WRONG):
            self._is_joined = False
        told_s = 0.0
        if outcome is Outcome.NO_CHANNEL and answer.word.isdecimal():
            told_s = int(answer.word) / 1000
        self._pause(max(told_s, trouble.pause_s), trouble.most_s)
        # The command's name alone: what follows may be a key.
        command = ask.say.partition("=")[0] if ask else "the uplink"
        message = f"{self._settings.port}: {trouble.message.format(command=command)}"
        return trouble.error(message, hint=trouble.hint)

    def _pause(self, least_s: float, most_s: float) -> None:
        self._failures += 1
        pause_s = min(most_s, least_s * 2 ** min(self._failures - 1, 10))
        # Not all boxes of a street at the same moment.
        self._wait(pause_s * random.uniform(0.8, 1.2))

    def _wait(self, pause_s: float) -> None:
        self._not_before_s = self._clock.monotonic() + pause_s

    # --- the rest of a publisher ---------------------------------------------------------

    def announce(self, kind: str, document: Mapping[str, Any]) -> None:
        """There is no airtime for the box's state."""

    def link(self) -> str:
        """ "connected": the last uplink was sent."""
        return self._link

    def interrupt(self) -> None:
        """Wait for the modem no more. From any thread; idempotent."""
        self._modem.close()

    def close(self) -> None:
        """Let the modem go; it stays in its network."""
        self.interrupt()
        self._modem.close_port()


_QUANTITIES = {quantity.value: quantity for quantity in FIELDS}


def _quantity(name: str) -> Quantity | None:
    return _QUANTITIES.get(name)
