"""InfluxDB: line protocol over HTTP, version 1 (1.8 and before) and 2 (2.x, 3). docs/publishers.md

A reading is a point: its measurement is the quantity, its tags are ``box`` and ``sensor``, its time
is when it was measured. So the same reading twice is one point, and what waited for a week stands
where it belongs:

    temperature_c,box=kb-1,sensor=roof value=21.5,serial=206158430209i 1780000000000

A flagged reading has another measurement, ``temperature_c_suspect`` or ``…_bad``: who asks for
``temperature_c`` gets good ones only.

Source: InfluxData, "Line protocol reference" (v2), sections "Elements", "Special characters",
"Duplicate points"; "Troubleshoot issues writing data" (v2) and "InfluxDB API reference" (v1.8),
"/write", for what each status means.
"""

from __future__ import annotations

import base64
import logging
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any
from urllib.parse import urlencode

from kiezbox.clock import Clock
from kiezbox.errors import PublishError, Refused, Rejected, SettingsError, Unreachable
from kiezbox.model import Batch, Flag, Reading
from kiezbox.publishers._http import Client, NotTaken, Verdict, secret, wrong_url
from kiezbox.settings import BoxSettings, PublisherSettings, setting

__all__ = ["Influx", "Settings", "open", "pack"]

log = logging.getLogger("kiezbox")

#: What is put behind a flagged reading's measurement.
SUFFIXES: dict[int, str] = {Flag.SUSPECT: "_suspect", Flag.BAD: "_bad"}

#: Which characters get a backslash where (section "Special characters").
_IN_MEASUREMENT = re.compile(r"([, ])")
_IN_KEY = re.compile(r"([,= ])")
_IN_TEXT = re.compile(r'(["\\])')

#: Where InfluxDB means something else than others by a status.
_VERDICTS = {
    404: Verdict(Refused, "bucket must be there: the box makes none (v1: a database; v2: org?)."),
    # 1.x says 500 "timeout" when its disk is slow, 2.x when it is full: both may pass.
    500: Verdict(Unreachable, "InfluxDB's own log has the reason; the box tries again."),
}

#: InfluxDB dropped points because they are older than the bucket keeps any; it would have deleted
#: them anyway. (1.x: "partial write: points beyond retention policy dropped=3"; 2.x the same, with
#: 422 or 400.) The rest of the batch was written.
_TOO_OLD = re.compile(rb"(?:beyond|outside) (?:the )?retention (?:policy|window|period)")


def _check_url(value: str) -> str:
    return wrong_url(value) or ("must hold no question mark" if "?" in value else "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings(PublisherSettings):
    url: str = setting(
        help="The server, with https:// or http://, its port, and a path if there is one.\n"
        "http only within this house: the token and all readings are then for all to see.",
        check=_check_url,
        example="https://influx.example.org:8086",
    )
    api: str = setting(
        "v2", help="v2 for InfluxDB 2 and 3; v1 for 1.8 and before.", choices=("v2", "v1")
    )
    bucket: str = setting(
        help="v2: the bucket. v1: the database, or DATABASE/RETENTION_POLICY.", example="kiez"
    )
    org: str = setting("", help="v2: the organization; 3 needs none.")
    username: str = setting("", help="v1: the user. Empty: without login.")
    token_file: str = setting(
        "",
        help="File that holds the token (v2) or the user's password (v1) and nothing else; only\n"
        "user kiezbox should read it.",
        example="/etc/kiezbox/influx-token",
    )
    ca_file: str = setting(
        "",
        help="PEM file of the authority that signed the server's certificate. Empty: the\n"
        "system's authorities.",
    )

    def __post_init__(self) -> None:
        if self.api == "v2" and self.username:
            raise SettingsError(
                'username is of api = "v1"', hint="With v2 a token alone says who you are."
            )
        if self.username and not self.token_file:
            raise SettingsError(
                "username needs a token_file", hint="It holds the password and nothing else."
            )


def open(settings: Settings, box: BoxSettings, clock: Clock, wake: Callable[[], None]) -> Influx:
    """The publisher; each batch has a connection of its own."""
    return Influx(settings, clock)


class Influx:
    """See ``kiezbox.publishers.Publisher``."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self.window = settings.batch
        self._settings = settings
        self._client = Client(settings.url, clock, ca_file=settings.ca_file, verdicts=_VERDICTS)
        self._target = _target(settings)

    def publish(self, batch: Batch) -> None:
        """Write the batch; where the server takes it only in part, in halves, down to the one
        reading that it does not take.

        That is safe: what was written already is the same point again.
        """
        confirmed = 0
        # What is to be sent, the next part last: a stack of (from, to).
        parts = [(0, len(batch))]
        while parts:
            begin, end = parts.pop()
            try:
                self._write(Batch(batch.box, batch.series, batch.readings[begin:end]))
            except Rejected as error:
                if end - begin == 1:
                    error.confirmed = confirmed
                    raise
                middle = (begin + end) // 2
                parts += [(middle, end), (begin, middle)]
                if _status(error) == 413:
                    self.window = min(self.window, middle - begin)
                    log.info("publishers.influx: %d readings at once from now on", self.window)
            except PublishError as error:
                error.confirmed = confirmed
                raise
            else:
                confirmed = end

    def _write(self, batch: Batch) -> None:
        try:
            self._client.post(self._target, pack(batch), self._headers(), compress=True)
        except (Rejected, Unreachable) as error:
            cause = error.__cause__
            if not isinstance(cause, NotTaken) or not _TOO_OLD.search(cause.answer.body):
                raise
            log.info("publishers.influx: some readings are older than the bucket keeps any")

    def _headers(self) -> dict[str, str]:
        headers = {"Content-Type": "text/plain; charset=utf-8"}
        settings = self._settings
        if settings.token_file:
            token = secret(settings.token_file, "token_file")
            if settings.username:
                pair = f"{settings.username}:{token}".encode()
                headers["Authorization"] = f"Basic {base64.b64encode(pair).decode()}"
            else:
                headers["Authorization"] = f"Token {token}"
        return headers

    def announce(self, kind: str, document: Mapping[str, Any]) -> None:
        """A database of numbers has no place for the box's state."""

    def link(self) -> str:
        return self._client.link

    def close(self) -> None:
        self._client.interrupt()


def _target(settings: Settings) -> str:
    if settings.api == "v2":
        asked = {"org": settings.org} if settings.org else {}
        return "/api/v2/write?" + urlencode({**asked, "bucket": settings.bucket, "precision": "ms"})
    database, _, policy = settings.bucket.partition("/")
    asked = {"rp": policy} if policy else {}
    return "/write?" + urlencode({"db": database, **asked, "precision": "ms"})


def _status(error: PublishError) -> int:
    return error.__cause__.answer.status if isinstance(error.__cause__, NotTaken) else 0


# --- line protocol -----------------------------------------------------------------------


def pack(batch: Batch) -> bytes:
    """The batch in line protocol, a line per reading; times are Unix milliseconds.

    Fields: ``value`` (float), ``serial`` (integer, see ``Reading``), and where they say something
    ``raw`` (float), ``reason`` (string), ``clock`` ("untrusted") with ``up_ms`` (integer, since the
    machine's start), ``text`` (string, what is no number: line protocol has no NaN).
    """
    heads: dict[tuple[int, str], str] = {}
    lines = []
    for reading in batch:
        suffix, fields = _fields(reading)
        head = heads.get((reading.series, suffix))
        if head is None:
            series = batch.series[reading.series]
            tags = (("box", batch.box), ("sensor", series.sensor))
            head = heads[reading.series, suffix] = point(series.quantity + suffix, tags)
        lines.append(f"{head} {fields} {reading.taken_ms}\n")
    return "".join(lines).encode()


def _fields(reading: Reading) -> tuple[str, str]:
    value, flag, reason = float(reading.value), reading.flag, reading.reason
    more: list[tuple[str, float | int | str]] = []
    if isfinite(value):
        more.append(("value", value))
    else:
        flag, reason = Flag.BAD, reason or "not a number"
        more.append(("text", str(value)))
    more.append(("serial", reading.serial))
    if reading.raw is not None and isfinite(reading.raw):
        more.append(("raw", float(reading.raw)))
    if flag:
        more.append(("reason", reason))
    if not reading.clock_trusted:
        more += [("clock", "untrusted"), ("up_ms", reading.monotonic_ms)]
    return SUFFIXES.get(flag, "_bad") if flag else "", fields_of(more)


def point(measurement: str, tags: Sequence[tuple[str, str]]) -> str:
    r"""A line's beginning. Tags are to come in the order of their names ("Canonical form").

    >>> point("my Measurement", [("tag Key1", "tag Value1")])
    'my\\ Measurement,tag\\ Key1=tag\\ Value1'
    """
    parts = [_IN_MEASUREMENT.sub(r"\\\1", measurement)]
    parts += [f"{_key(name)}={_key(value)}" for name, value in tags]
    return ",".join(parts)


def fields_of(fields: Sequence[tuple[str, float | int | str]]) -> str:
    r"""A line's fields: a float bare, an integer with an i, a string in quotes.

    >>> fields_of([("a", 1.0), ("b", -12485903), ("c", '"string" within a string')])
    'a=1.0,b=-12485903i,c="\\"string\\" within a string"'
    """
    return ",".join(f"{_key(name)}={_value(value)}" for name, value in fields)


def _key(text: str) -> str:
    return _IN_KEY.sub(r"\\\1", text)


def _value(value: float | int | str) -> str:
    if isinstance(value, str):
        # A line's end within a text would begin a new point.
        return '"' + _IN_TEXT.sub(r"\\\1", " ".join(value.splitlines())) + '"'
    return repr(value) if isinstance(value, float) else f"{value}i"
