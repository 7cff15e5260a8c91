"""MQTT: readings to a broker, QoS 1, as SenML. docs/mqtt.md has every topic and field.

Speaks MQTT 5, and 3.1.1 with a broker that knows no better. The broker's acknowledgement, and
nothing else, counts as delivered; what it means on the broker's side is the broker's promise.
"""

from __future__ import annotations

import json
import logging
import random
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from kiezbox import senml
from kiezbox.clock import Clock
from kiezbox.errors import PublishError, Refused, Rejected, SettingsError, Unreachable
from kiezbox.model import Batch
from kiezbox.publishers._lean import import_paho
from kiezbox.settings import BoxSettings, PublisherSettings, setting

if TYPE_CHECKING:
    from kiezbox.publishers._connection import Connection

__all__ = ["Mqtt", "Settings", "open"]

log = logging.getLogger("kiezbox")

#: The byte "Protocol Version" of CONNECT (MQTT 5.0 and 3.1.1, section 3.1.2.2).
V5, V311 = 5, 4

#: The first part of every topic; the number changes when a receiver would have to.
ROOT = "kiezbox/1"

#: Messages on their way at once. Enough that the broker never waits for us; more only means
#: more to send again after a lost link.
IN_FLIGHT = 4

#: So many windows in a row must get through before messages grow again.
GOOD_WINDOWS = 16

#: As a host: the broker that a box of the mesh lends.
MESH = "mesh"

#: Seconds the broker has to take our goodbye.
GOODBYE_S = 2.0


def place(host: str, port: int) -> str:
    """How a broker is called in messages.

    >>> place("192.0.2.1", 1883), place("fd00::1", 1883), place("mesh", 8883)
    ('192.0.2.1:1883', '[fd00::1]:1883', 'the broker of the mesh')
    """
    if host == MESH:
        return "the broker of the mesh"
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def content_type(payload: bytes) -> str:
    """Of a last will: MQTT 5 tells it beside the payload.

    >>> content_type(b'{"online":false}'), content_type(b"offline")
    ('application/json', 'text/plain')
    """
    return "application/json" if payload[:1] == b"{" else "text/plain"


def _check_host(value: str) -> str:
    if value.startswith("[") or "//" in value or value.count(":") == 1:
        return "must be a name or an address alone, without brackets; its port stands in port"
    return "" if value and not value.isspace() else "is empty"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings(PublisherSettings):
    host: str = setting(
        help="The broker's name or address; an address needs no DNS, which is\n"
        "the first thing that a blackout takes.\n"
        "mesh: the broker that a box of the mesh lends (network.mesh.broker_port), whatever its\n"
        "address.",
        check=_check_host,
        example="mqtt.example.org",
    )
    port: int = setting(8883, help="Usually 8883 with TLS and 1883 without.", least=1, most=65535)
    tls: bool = setting(
        True,
        help="Encrypt, and check the broker's certificate. false only for a broker on this\n"
        "machine or in this house: the password and all readings are then for all to see.",
    )
    ca_file: str = setting(
        "",
        help="PEM file of the authority that signed the broker's certificate. Empty: the\n"
        "system's authorities.",
    )
    cert_file: str = setting("", help="PEM file of the box's own certificate, if the broker asks.")
    key_file: str = setting("", help="PEM file of its key. Empty: it is in cert_file.")
    username: str = setting("", help="Empty: without login.")
    password_file: str = setting(
        "",
        help="File that holds the password and nothing else; only user kiezbox should read it.",
        example="/etc/kiezbox/mqtt-password",
    )
    keepalive_s: float = setting(
        10.0,
        help="A broker that is not heard for so long is asked, and after as long again given up.\n"
        "Longer saves mobile data and notices a dead link later.",
        unit="s",
        least=1,
        most=600,
    )
    neighbours: str = setting(
        "/run/kiezbox-network", help="host mesh: where neighbours.json is (network.run_dir)."
    )

    def __post_init__(self) -> None:
        if self.host == MESH and (self.tls or self.username):
            raise SettingsError(
                "tls and username must be off with host mesh",
                hint="Whichever box lends a broker is spoken to: there is no name to check, so no"
                " secret is said. Readings are public; the mesh itself is encrypted.",
            )


def open(settings: Settings, box: BoxSettings, clock: Clock, wake: Callable[[], None]) -> Mqtt:
    """The publisher; it connects by itself, in a thread of its own.

    Raises:
        MissingPackage: paho-mqtt is not installed.
    """
    import_paho(needs_tls=settings.tls)
    return Mqtt(settings, box.id, wake)


class Mqtt:
    """See ``kiezbox.publishers.Publisher``. ``home_assistant`` says other words over this link."""

    #: In the log.
    name = "publishers.mqtt"

    #: What is heard, QoS 1.
    topics: tuple[str, ...] = ()

    def __init__(self, settings: Settings, box: str, wake: Callable[[], None]) -> None:
        self._settings = settings
        self._box = box
        self._wake = wake
        # Unknown until a bare CONNECT was answered. With the last will in it, amqtt 0.12 takes
        # version 5 for a 3.1.1 of another length, and waits for the rest of it for ever.
        self._version: int | None = None
        self._connection: Connection | None = None
        self._problem: PublishError = Unreachable(
            f"still connecting to {place(settings.host, settings.port)}"
        )
        # What was announced last, by kind. The lock keeps a newer one from being overtaken.
        self._said: dict[str, bytes] = {}
        self._saying = threading.Lock()
        # Readings in one message: fewer where the broker or the link cannot take so many.
        self._size = settings.batch
        self._good_windows = 0
        self._barren = 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="mqtt", daemon=True)
        self._thread.start()

    # --- readings ------------------------------------------------------------------------

    @property
    def window(self) -> int:
        """Readings on their way at once."""
        return IN_FLIGHT * self._size

    def publish(self, batch: Batch) -> None:
        """Send the batch in messages of at most ``settings.batch`` readings, in order.

        The next message is written while the one before it travels; returns when the broker
        has acknowledged all.
        """
        connection = self._connection
        if connection is None or not connection.is_up:
            raise self._why()
        sent: list[tuple[int | PublishError, int]] = []
        for start in range(0, len(batch), self._size):
            part = batch.readings[start : start + self._size]
            payload = senml.pack(Batch(batch.box, batch.series, part))
            try:
                mid = connection.send(self._topic("readings"), payload, senml.CONTENT_TYPE)
            except PublishError as error:
                sent.append((error, len(part)))
                break
            sent.append((mid, len(part)))
        confirmed, problem, stuck = 0, None, 0
        for mid_or_error, count in sent:
            # Every answer is waited for, also after a "no": one left lying would be taken for
            # that of a later message with the same number.
            answer = self._answer(connection, mid_or_error)
            if problem is None and answer is None:
                confirmed += count
            elif problem is None:
                problem, stuck = answer, count
        if problem is not None:
            raise self._adapted(problem, connection, confirmed, stuck)
        self._barren = 0
        self._good_windows += 1
        if self._good_windows >= GOOD_WINDOWS and self._size < self._settings.batch:
            self._good_windows = 0
            self._size = min(self._settings.batch, 2 * self._size)

    def _answer(self, connection: Connection, mid: int | PublishError) -> PublishError | None:
        if isinstance(mid, PublishError):
            return mid
        try:
            connection.acknowledged(mid, self._settings.keepalive_s)
        except PublishError as error:
            return error
        return None

    def _adapted(
        self, problem: PublishError, connection: Connection, confirmed: int, stuck: int
    ) -> PublishError:
        """What to raise, and smaller messages next time where that may help.

        ``stuck`` is how many readings were in the message that did not get through.
        """
        problem.confirmed = confirmed
        is_barren = confirmed == 0 and connection.over is not None
        self._barren = self._barren + 1 if is_barren else 0
        is_rejected = isinstance(problem, Rejected)
        # Twice in a row the link broke before anything was through: perhaps because of what was
        # sent. (Mosquitto 2.0 answers what is above its message_size_limit with a code that MQTT
        # does not allow there, and paho hangs up.) Silence costs too much time to try twice.
        is_too_much = is_rejected or self._barren >= 2 or (is_barren and connection.is_silent)
        if is_too_much and stuck > 1:
            self._size = stuck // 2
            self._good_windows = self._barren = 0
            log.info("%s: messages of %d readings from now on", self.name, self._size)
            if is_rejected:
                return Unreachable(
                    f"{problem}; trying less", hint=problem.hint, confirmed=confirmed
                )
        return problem

    # --- announcements -------------------------------------------------------------------

    def announce(self, kind: str, document: Mapping[str, Any]) -> None:
        """Keep the document as the retained message of ``kiezbox/1/BOX/KIND``."""
        if kind == "state":
            document = {**document, "online": True}
        payload = json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()
        with self._saying:
            if self._said.get(kind) == payload:
                return
            self._said[kind] = payload
            if self._connection is not None and self._connection.is_up:
                self._say(self._connection, kind, payload)

    def _say(self, connection: Connection, kind: str, payload: bytes) -> int | None:
        try:
            mid = connection.send(self._topic(kind), payload, "application/json", retain=True)
        except PublishError as error:
            log.debug("%s: %s will be said later: %s", self.name, kind, error)
            return None
        connection.unwatched(mid)
        return mid

    def _topic(self, kind: str) -> str:
        return f"{ROOT}/{self._box}/{kind}"

    # --- the link ------------------------------------------------------------------------

    def link(self) -> str:
        """ "connected", "waiting" or "refused"."""
        connection = self._connection
        if connection is not None and connection.is_up:
            return "connected"
        return "refused" if isinstance(self._problem, Refused) else "waiting"

    def close(self) -> None:
        """Say that the box goes offline, and hang up."""
        if self._stop.is_set():
            return
        self._stop.set()
        connection = self._connection
        if connection is not None:
            try:
                topic, payload = self._last_will()
                mid = connection.send(topic, payload, content_type(payload), retain=True)
                connection.acknowledged(mid, GOODBYE_S)
            except PublishError as error:
                log.debug("%s: no goodbye: %s", self.name, error)
            connection.goodbye()
        self._thread.join(GOODBYE_S)

    def _client_id(self) -> str:
        return self._box

    def _heard(self, topic: str, payload: bytes, is_retained: bool) -> None:
        """A message on one of ``topics``, in the link's thread."""

    def _last_will(self) -> tuple[str, bytes]:
        return self._topic("state"), b'{"online":false}'

    def _why(self) -> PublishError:
        return type(self._problem)(str(self._problem), hint=self._problem.hint)

    def _run(self) -> None:
        """The link's own thread: connect, stay, connect again."""
        least_s, most_s = self._settings.retry_least_s, self._settings.retry_most_s
        pause_s = least_s
        while not self._stop.is_set():
            began = time.monotonic()
            connection = self._connect()
            assert connection.over is not None
            is_news = str(connection.over) != str(self._problem) or connection.was_up
            self._problem = connection.over
            if is_news and not self._stop.is_set():
                log.warning("%s: %s", self.name, connection.over)
            if connection.was_up:
                pause_s, began = least_s, time.monotonic()
            # A city's boxes lose their broker at the same moment; they need not all come back
            # in the same one.
            wait_s = pause_s * random.uniform(0.7, 1.0)
            self._stop.wait(max(0.0, began + wait_s - time.monotonic()))
            pause_s = most_s if isinstance(connection.over, Refused) else min(most_s, 2 * pause_s)

    def _connect(self) -> Connection:
        """One connection until its end, in the version the broker speaks."""
        version = self._version
        if version is None:
            asked = self._attempt(V5, None)
            if asked.is_version_refused:
                version = self._version = V311
            elif asked.was_up:
                version = self._version = V5
            elif asked.is_wordless:
                # It may have been restarted at that moment: not remembered.
                version = V311
            else:
                return asked
        connection = self._attempt(version, self._last_will())
        if connection.is_version_refused or connection.is_wordless:
            self._version = None
        return connection

    def _attempt(self, version: int, will: tuple[str, bytes] | None) -> Connection:
        # Here and not above: open() has seen to it how much of paho there is by now.
        from kiezbox.publishers._connection import Connection

        connection = Connection(
            self._settings,
            self._client_id(),
            version,
            will,
            self._is_up,
            self.topics,
            self._heard,
        )
        self._connection = connection
        if self._stop.is_set():
            connection.goodbye()
        connection.run()
        return connection

    def _is_up(self, connection: Connection) -> None:
        """Called by the connection, in the link's thread."""
        log.info(
            "%s: connected to %s (MQTT %s)",
            self.name,
            connection.where,
            "5" if connection.version == V5 else "3.1.1",
        )
        with self._saying:
            for kind, payload in self._said.items():
                self._say(connection, kind, payload)
        self._wake()
