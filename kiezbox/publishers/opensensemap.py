"""openSenseMap: every good reading of the series that are mapped, with its time, also afterwards.

A reading goes to the sensor whose id is in ``sensors``; all others are passed over, and so is what
is not good or in the future: there is no place to say so, and one value from the future makes them
refuse the whole request. What was taken while nobody had set the clock waits until somebody has,
and goes with its right time; what can never be put right (another start) is passed over::

    POST /boxes/57000b8745fd40c8196ad04c/data    Authorization: TOKEN
    [{"sensor":"5fb7…","value":"21.54","createdAt":"2026-05-28T20:26:40.000Z"},…]

Source: sensebox/openSenseMap-API: measurementsController.js (postNewMeasurements: JSON array, at
most 2500, 201, "Box access token not valid!"), measurement/decoding/validators.js; its issue 187:
15 POST a minute for each address, then 429.
"""

from __future__ import annotations

import json
import logging
import re
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from math import isfinite
from typing import Any

from kiezbox.clock import Clock
from kiezbox.errors import PublishError, Refused, Rejected, SettingsError, Unreachable
from kiezbox.model import Batch, Flag, Quantity
from kiezbox.publishers._http import Client, NotTaken, Verdict, secret, wrong_url
from kiezbox.settings import BoxSettings, PublisherSettings, Table, setting, tables

__all__ = ["OpenSenseMap", "Settings", "open"]

log = logging.getLogger("kiezbox")

#: Measurements that they take in one request; ``batch`` is never more than 1,000.
MOST_MEASUREMENTS = 2500

#: Seconds from one request to the next: six a minute, where all behind one address have 15.
PACE_S = 10.0

#: After a 429 that does not say for how long; it doubles with each one that follows. (Of their
#: limit two numbers are told: 15 a minute (issue 187), 15 in a quarter of an hour (issue 325 of
#: openSenseMap).)
TOO_MANY_S, MOST_TOO_MANY_S = 60.0, 900.0

#: Seconds that their clock may be behind ours.
AHEAD_S = 30.0

#: So many requests in a row must be taken before they grow again.
GOOD_REQUESTS = 8

_ID = re.compile(r"[0-9a-f]{24}")
_QUANTITIES = {quantity.value for quantity in Quantity}


def _check_id(value: str) -> str:
    return "" if _ID.fullmatch(value) else "must be 24 hex digits, as their page of the box shows"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings(PublisherSettings):
    box_id: str = setting(
        help="senseBox ID, from the box's page at https://opensensemap.org.",
        check=_check_id,
        example="57000b8745fd40c8196ad04c",
    )
    token_file: str = setting(
        "",
        help="File that holds the box's access token and nothing else; only user kiezbox should\n"
        "read it. It may be a credential of systemd. Empty: the box there wants none.",
        example="/etc/kiezbox/opensensemap-token",
    )
    sensors: Mapping[str, Table] = tables(
        help='A table for each sensor of the box, with QUANTITY = "their sensor ID".',
        example={"temperature_c": "5fb7c0ffee00000000000001"},
    )
    url: str = setting("https://ingress.opensensemap.org", help="Theirs.", check=wrong_url)
    ca_file: str = setting("", help="PEM file of an authority. Empty: the system's authorities.")

    def __post_init__(self) -> None:
        seen: dict[str, str] = {}
        for sensor, table in self.sensors.items():
            for quantity, given in table.items():
                where = f"sensors.{sensor}.{quantity}"
                if quantity not in _QUANTITIES:
                    known = ", ".join(sorted(_QUANTITIES))
                    raise SettingsError(f"{where} is no quantity", hint=f"There are: {known}.")
                if not isinstance(given, str) or _check_id(given):
                    raise SettingsError(f"{where} must be 24 hex digits", hint="Their sensor ID.")
                if given in seen:
                    raise SettingsError(
                        f"{where} is the same sensor as {seen[given]}",
                        hint="Two series in one sensor there cannot be told apart any more.",
                    )
                seen[given] = where
        if not seen:
            raise SettingsError("sensors is empty", hint="Which series are to be sent?")


_VERDICTS = {
    401: Verdict(Refused, "The access token is missing, wrong or too old: see the box's page."),
    403: Verdict(Refused, "The access token is missing, wrong or too old: see the box's page."),
    404: Verdict(Refused, "Are box_id and the sensors' ids those of the box's page?"),
}


def open(
    settings: Settings, box: BoxSettings, clock: Clock, wake: Callable[[], None]
) -> OpenSenseMap:
    """The publisher; each request has a connection of its own."""
    return OpenSenseMap(settings, clock)


class OpenSenseMap:
    """See ``kiezbox.publishers.Publisher``."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self._settings, self._clock = settings, clock
        self._client = Client(settings.url, clock, ca_file=settings.ca_file, verdicts=_VERDICTS)
        self._target = f"/boxes/{settings.box_id}/data"
        self._size = min(settings.batch, MOST_MEASUREMENTS)
        self._good = 0
        self._next_s = 0.0
        self._too_many_until_s = 0.0
        self._too_many_s = TOO_MANY_S
        #: Per boot number: Unix seconds minus seconds since the machine's start.
        self._offset_s: dict[int, float] = {}
        self._is_over = threading.Event()

    @property
    def window(self) -> int:
        """Readings in one request: fewer where they did not take so many."""
        return self._size

    def publish(self, batch: Batch) -> None:
        """Send what is mapped and good, in order; at most one request every ten seconds."""
        confirmed = 0
        while confirmed < len(batch):
            part = batch.readings[confirmed : confirmed + self._size]
            measurements, count = self._measurements(Batch(batch.box, batch.series, part))
            try:
                if measurements:
                    self._post(measurements)
            except Rejected as error:
                error.confirmed = confirmed
                if len(part) == 1:
                    raise
                self._size, self._good = len(part) // 2, 0
                log.info("publishers.opensensemap: %d at once from now on: %s", self._size, error)
                continue
            except PublishError as error:
                error.confirmed = confirmed
                raise
            confirmed += count
            self._grow(bool(measurements))
            if count < len(part):
                raise Unreachable(
                    "nobody has set the box's clock yet",
                    hint="Readings without a right time are kept until NTP, GPS or somebody sets"
                    " it.",
                    confirmed=confirmed,
                )

    def _grow(self, was_sent: bool) -> None:
        self._good += was_sent
        if self._good >= GOOD_REQUESTS:
            self._good = 0
            self._size = min(self._settings.batch, MOST_MEASUREMENTS, 2 * self._size)

    def _measurements(self, batch: Batch) -> tuple[list[dict[str, str]], int]:
        """What is to be sent of the batch, and how many of its readings are done with then: all up
        to the first that waits for the clock.
        """
        found: list[dict[str, str]] = []
        for count, reading in enumerate(batch):
            series = batch.series[reading.series]
            sensor = self._settings.sensors.get(series.sensor, {}).get(series.quantity)
            if sensor is None or reading.flag != Flag.GOOD or not isfinite(reading.value):
                continue
            offset_s = self._offset_s.get(reading.boot)
            taken_at = reading.taken_at
            if not reading.clock_trusted:
                if offset_s is None and not self._clock.is_trusted():
                    return found, count
                if offset_s is None:
                    continue
                taken_at = offset_s + reading.monotonic_ms / 1000
            if taken_at > self._clock.now() + AHEAD_S:
                continue
            at = datetime.fromtimestamp(taken_at, UTC)
            found.append(
                {
                    "sensor": str(sensor),
                    "value": f"{reading.value:.10g}",
                    "createdAt": at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
                }
            )
        return found, len(batch)

    def _post(self, measurements: Sequence[Mapping[str, str]]) -> None:
        left_s = self._too_many_until_s - self._clock.monotonic()
        if left_s > 0:
            raise Unreachable(
                f"{self._client.where} got too much; {left_s:.0f} s are left",
                hint="Do other boxes behind this address send there, too? 15 a minute are for all.",
            )
        headers = {"Content-Type": "application/json"}
        if self._settings.token_file:
            headers["Authorization"] = secret(self._settings.token_file, "token_file")
        # Where it cannot be reached nobody waits: the pace is theirs, not the link's.
        self._clock.wait(self._is_over, max(0.0, self._next_s - self._clock.monotonic()))
        if self._is_over.is_set():
            raise Unreachable("the publisher was closed")
        body = json.dumps(measurements, separators=(",", ":")).encode()
        try:
            self._client.post(self._target, body, headers)
        except PublishError as error:
            cause = error.__cause__
            if isinstance(cause, NotTaken):
                self._next_s = self._clock.monotonic() + PACE_S
                if cause.answer.status == 429:
                    self._too_many_until_s = self._clock.monotonic() + self._too_many_s
                    self._too_many_s = min(MOST_TOO_MANY_S, 2 * self._too_many_s)
            raise
        self._too_many_s = TOO_MANY_S
        self._next_s = self._clock.monotonic() + PACE_S

    def announce(self, kind: str, document: Mapping[str, Any]) -> None:
        """There is no place for the box's state; the clock's is heeded."""
        if kind == "clock":
            self._offset_s[int(document["boot"])] = float(document["at"]) - float(document["up"])

    def link(self) -> str:
        return self._client.link

    def interrupt(self) -> None:
        """Whoever waits waits no more. From any thread; idempotent."""
        self._is_over.set()
        self._client.interrupt()

    close = interrupt
