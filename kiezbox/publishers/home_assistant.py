"""Home Assistant: the box as a device that is found by itself, over MQTT. docs/publishers.md

One retained message, ``homeassistant/device/kiezbox-BOX/config``, describes the box and everything
it measures ("device discovery", Home Assistant 2024.11 and later). The values follow on topics of
their own, not retained: a value that a broker kept would look new after each restart. Each carries
its reading's id, for whoever else listens. Mode, grid and faults are retained: Home Assistant
listens to a new entity only a while after it was described, and they may not change for months;
while the box is not there the last will makes them unavailable.

Only what is good becomes a state. Of what is not believed a sensor's attributes say so, without the
value; without good ones its state expires after three intervals. A sensor that is gone, or private
from now on, is taken out of the description; what was in it before is read back from the broker, so
that this also works after a restart.

Source: Home Assistant, "MQTT" (sections "Device discovery payload", "Birth and last will
messages", "Using availability topics"), "MQTT sensor", "MQTT binary sensor", "Sensor" (device
classes and their units, state classes).
"""

from __future__ import annotations

import json
import logging
import math
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from kiezbox.clock import Clock
from kiezbox.errors import PublishError, Unreachable
from kiezbox.model import Batch, Flag, Series
from kiezbox.publishers import _home_assistant as words
from kiezbox.publishers import mqtt
from kiezbox.publishers._lean import import_paho
from kiezbox.publishers._newest import Newest, Value
from kiezbox.senml import id_text
from kiezbox.settings import BoxSettings, setting

if TYPE_CHECKING:
    from kiezbox.publishers._connection import Connection

__all__ = ["HomeAssistant", "Settings", "open"]

log = logging.getLogger("kiezbox")

#: See ``kiezbox.publishers``.
CARRIES_PAST = False

#: A state lives so many intervals of its sensor.
INTERVALS = 3.0

#: Seconds between two looks at the store.
PACE_S = 1.0

#: Seconds after a description when what was said is said again. Home Assistant does not listen to a
#: new entity before, and what it knew of one that expires otherwise now it forgets. More than once,
#: because it may be slow, and gathers subscriptions for some seconds.
HEED_S = (0.5, 5.0, 30.0)

#: Messages on their way at once; paho keeps 64 at most.
IN_FLIGHT = 16

_JSON = "application/json"
_TEXT = "text/plain"


def _check_prefix(value: str) -> str:
    is_topic = bool(value) and value.isprintable() and not set(value) & set("+# ")
    return "" if is_topic and value.strip("/") == value else "is no beginning of a topic"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings(mqtt.Settings):
    prefix: str = setting(
        "homeassistant",
        help="Home Assistant's discovery prefix, as in its MQTT options.",
        check=_check_prefix,
    )


def open(
    settings: Settings, box: BoxSettings, clock: Clock, wake: Callable[[], None]
) -> HomeAssistant:
    """The publisher; it connects by itself, in a thread of its own.

    Raises:
        MissingPackage: paho-mqtt is not installed.
    """
    import_paho(needs_tls=settings.tls)
    return HomeAssistant(settings, box, clock, wake)


class HomeAssistant(mqtt.Mqtt):
    """See ``kiezbox.publishers.Latest``. The link is that of ``mqtt``."""

    name = "publishers.home_assistant"
    window = 1000

    def __init__(
        self, settings: Settings, box: BoxSettings, clock: Clock, wake: Callable[[], None]
    ) -> None:
        self.sent = 0
        self._clock = clock
        self._place = words.Place(box.id, box.name or box.id, settings.prefix)
        self.topics = (self._place.config, self._place.birth)
        self._newest = Newest(clock, INTERVALS)
        self._due_at_s = self._not_before_s = clock.monotonic()
        # When what was said is to be said again, the next time first. A lock of its own, because
        # the link's thread must not wait.
        self._again = threading.Lock()
        self._again_at_s: list[float] = []
        # What is described, and what was: by id, with its platform. Only touched under the lock.
        self._describing = threading.RLock()
        self._components: dict[str, dict[str, Any]] = words.of_the_box(self._place)
        self._series: set[Series] = set()
        self._gone: dict[str, str] = {}
        self._described: bytes | None = None
        self._quality: dict[Series, bytes] = {}
        self._found: bytes | None = None
        # The connection that our description was said on, and "online" on its way there.
        self._known_on: Connection | None = None
        self._hello: tuple[Connection, int] | None = None
        self._helper: threading.Thread | None = None
        super().__init__(settings, box.id, wake)

    # --- values --------------------------------------------------------------------------

    def publish(self, batch: Batch) -> None:
        """Say the newest good value of each series, after describing those that are new."""
        if self.due_in_s() > 0:
            return
        with self._describing:
            taken = self._newest.take(batch)
            self._judge(batch)
        if not taken:
            return
        if self._known_on is not None:
            # A first connection is waited for by the worker's own pauses.
            self._due_at_s = self._clock.monotonic() + self._settings.retry_least_s
            self._not_before_s = self._due_at_s
        connection = self._connection
        if connection is None or not connection.is_up:
            raise self._why()
        is_new = self._introduce(connection, taken)
        self._say_values(connection, taken)
        self.sent += len(taken)
        self._due_at_s = self._clock.monotonic() + PACE_S
        if is_new:
            # The next readings may be ten minutes away.
            self._say_again(*HEED_S)

    def _say_values(self, connection: Connection, taken: Mapping[Series, Value]) -> None:
        values = list(taken.items())
        for start in range(0, len(values), IN_FLIGHT):
            mids = []
            for series, value in values[start : start + IN_FLIGHT]:
                said = {
                    "value": value.value,
                    "id": id_text(value.serial),
                    "taken_at": value.taken_at,
                }
                mids.append(connection.send(self._place.state(series), _packed(said), _JSON))
            for mid in mids:
                connection.acknowledged(mid, self._settings.keepalive_s)

    def due_in_s(self) -> float:
        """See ``publishers.Latest``."""
        with self._again:
            due_at_s = min([self._due_at_s, *self._again_at_s[:1]])
        return max(self._not_before_s, due_at_s) - self._clock.monotonic()

    def wants_again(self) -> bool:
        """Whether what was said has to be said again (see ``publishers.Latest``)."""
        with self._again:
            now = self._clock.monotonic()
            later = [at_s for at_s in self._again_at_s if at_s > now]
            is_wanted = len(later) < len(self._again_at_s)
            self._again_at_s = later
        if is_wanted:
            # Whoever was told so hands it over at once, whatever was said a moment ago.
            self._due_at_s = now
        return is_wanted

    def _say_again(self, *after_s: float) -> None:
        with self._again:
            now = self._clock.monotonic()
            self._again_at_s = [now + seconds for seconds in after_s]

    def _judge(self, batch: Batch) -> None:
        """Keep how far each series' newest reading may be believed; the value is not said."""
        newest: dict[Series, bytes] = {}
        for reading in batch:
            series = batch.series[reading.series]
            if self._newest.is_told(series):
                newest[series] = words.quality(Flag(reading.flag), reading.reason)
        for series, said in newest.items():
            # Of what is not believed again each time: Home Assistant may not have listened.
            if self._quality.get(series) != said or said != words.GOOD:
                self._quality[series] = said
                if series in self._series:
                    self._say_later(self._place.quality(series), said)

    # --- announcements -------------------------------------------------------------------

    def announce(self, kind: str, document: Mapping[str, Any]) -> None:
        """The box's state and faults as entities of its own; which sensors may be shown."""
        if kind in ("sensors", "state"):
            with self._describing:
                is_other_pace = self._newest.announced(kind, document)
                self._describe_if_known()
                if is_other_pace:
                    self._say_again(*HEED_S)
        if kind in ("state", "faults"):
            payload = _packed(words.told(kind, document))
            with self._saying:
                if self._said.get(kind) == payload:
                    return
                self._said[kind] = payload
            self._say_later(self._place.told(kind), payload, retain=True)

    def _say_later(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        """Send it if there is a link that knows us; else it is said when there is one."""
        connection = self._connection
        if connection is None or connection is not self._known_on or not connection.is_up:
            return
        try:
            connection.unwatched(connection.send(topic, payload, _JSON, retain=retain))
        except PublishError as error:
            log.debug("%s: %s will be said later: %s", self.name, topic, error)

    # --- the description -----------------------------------------------------------------

    def _introduce(
        self, connection: Connection, taken: Mapping[Series, Value] | None = None
    ) -> bool:
        """Describe the box on this connection: once, and again when there is something new. True if
        a series is new.

        Before the first time the broker must have told what was described before, or it would be
        forgotten that it has to go. It has, once it acknowledges what was sent after the
        subscription.
        """
        with self._describing:
            hello = self._hello
            if connection is not self._known_on and hello is not None and hello[0] is connection:
                connection.acknowledged(hello[1], self._settings.keepalive_s)
                self._remember()
                self._known_on = connection
                self._described = None
            if connection is not self._known_on:
                raise Unreachable(f"not yet introduced to {connection.where}")
            is_new = not self._series.issuperset(taken or ())
            self._series |= set(taken or ())
            mid = self._describe(connection)
        if mid is not None:
            connection.acknowledged(mid, self._settings.keepalive_s)
        return is_new

    def _describe_if_known(self) -> None:
        connection = self._connection
        if connection is not None and connection is self._known_on and connection.is_up:
            try:
                mid = self._describe(connection)
                if mid is not None:
                    connection.unwatched(mid)
            except PublishError as error:
                log.debug("%s: described later: %s", self.name, error)

    def _describe(self, connection: Connection) -> int | None:
        """Send the description if it is another one than before."""
        self._settle()
        payload = _packed(words.description(self._place, self._components, self._gone))
        if payload == self._described:
            return None
        mid = connection.send(self._place.config, payload, _JSON, retain=True)
        is_first = self._described is None
        self._described = payload
        if is_first:
            for kind, said in list(self._said.items()):
                self._say_later(self._place.told(kind), said, retain=True)
            for series, said in self._quality.items():
                if series in self._series:
                    self._say_later(self._place.quality(series), said)
        return mid

    def _settle(self) -> None:
        """Bring the components in line with what may be shown."""
        for series in {each for each in self._series if not self._newest.is_told(each)}:
            self._series.discard(series)
            self._quality.pop(series, None)
        shown = words.of_the_box(self._place)
        for series in sorted(self._series):
            expire_s = math.ceil(self._newest.limit_s(series.sensor))
            component = words.of_series(self._place, series, expire_s)
            shown[words.component_id(series)] = component
        for name, component in self._components.items():
            if name not in shown:
                self._gone[name] = component["platform"]
        self._gone = {name: kind for name, kind in self._gone.items() if name not in shown}
        self._components = shown

    def _remember(self) -> None:
        """Take over what the broker kept of our last description. What stays must not go even for a
        moment: Home Assistant would forget how people there have called it.
        """
        found, self._found = self._found, None
        for name, platform in words.remembered(found).items():
            series = words.series_of(name)
            if series is not None and self._newest.is_told(series):
                self._series.add(series)
            elif name not in self._components:
                self._gone.setdefault(name, platform)

    # --- the link ------------------------------------------------------------------------

    def _client_id(self) -> str:
        return f"{self._box}-home-assistant"

    def _last_will(self) -> tuple[str, bytes]:
        return self._place.online, b"offline"

    def _is_up(self, connection: Connection) -> None:
        """In the link's thread, which must not wait: another one describes the box."""
        log.info("%s: connected to %s", self.name, connection.where)
        try:
            mid = connection.send(self._place.online, b"online", _TEXT, retain=True)
        except PublishError as error:
            log.debug("%s: not up any more: %s", self.name, error)
            return
        self._hello = (connection, mid)
        self._in_its_own_thread(connection)

    def _heard(self, topic: str, payload: bytes, is_retained: bool) -> None:
        if topic == self._place.config and is_retained:
            self._found = payload
        elif topic == self._place.birth and payload == b"online" and not is_retained:
            connection = self._connection
            if connection is not None:
                log.info("%s: Home Assistant is there again", self.name)
                self._described = None
                self._say_again(0.0, *HEED_S)
                self._in_its_own_thread(connection)

    def _in_its_own_thread(self, connection: Connection) -> None:
        def introduce() -> None:
            try:
                self._introduce(connection)
            except PublishError as error:
                log.debug("%s: %s", self.name, error)
                return
            self._due_at_s = self._clock.monotonic()
            self._wake()

        if self._helper is not None and self._helper.is_alive():
            # Somebody calls "online" again and again; the next reading is described anyway.
            return
        self._helper = threading.Thread(target=introduce, name="home-assistant", daemon=True)
        self._helper.start()


def _packed(document: Any) -> bytes:
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()
