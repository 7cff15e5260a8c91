"""One connection to an MQTT broker, from CONNECT to its end. paho-mqtt inside.

Each attempt is a new object with a new paho client. paho would send again by itself what was
not acknowledged when a link broke; here the store's cursor decides what is sent again, and a
client that never reconnects cannot send it a second time.
"""

from __future__ import annotations

import logging
import socket
import threading
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from paho.mqtt import client as paho
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from kiezbox.errors import PublishError, Rejected, Unreachable
from kiezbox.publishers import _credentials
from kiezbox.publishers._haste import answer_at_once, send_at_once
from kiezbox.publishers._reasons import failure, verdict
from kiezbox.publishers.mqtt import MESH, content_type, place

if TYPE_CHECKING:
    from kiezbox.publishers.mqtt import Settings

log = logging.getLogger("kiezbox")

#: Seconds for the TCP connection, and again for the TLS handshake. The kernel repeats a lost
#: SYN after 1 and 3 s, so 3.5 s is three of them: a link that comes back is never more than
#: 2 s away from the next one.
CONNECT_S = 3.5

#: Seconds for the broker's CONNACK.
ANSWER_S = 5.0

#: Messages paho holds at most, announcements included; the publisher sends far fewer at once.
MOST_QUEUED = 64


#: Bytes that we hear at most: our own description for Home Assistant, 500 of its components.
MOST_HEARD = 1 << 18


class Connection:
    """``run`` in one thread, ``send`` and ``acknowledged`` in any other."""

    def __init__(
        self,
        settings: Settings,
        client_id: str,
        version: int,
        will: tuple[str, bytes] | None,
        on_up: Callable[[Connection], None],
        topics: Sequence[str] = (),
        on_message: Callable[[str, bytes, bool], None] | None = None,
    ) -> None:
        """Without ``will`` this only asks whether the broker speaks that version, and hangs up.

        ``topics`` are subscribed to before ``on_up`` is called. ``on_message(topic, payload,
        is_retained)`` is called in the connection's thread.
        """
        self.version = version
        self.is_up = False
        self.was_up = False
        #: Why it ended; None while it may still work.
        self.over: PublishError | None = None
        #: The broker said that it does not speak this version of MQTT.
        self.is_version_refused = False
        #: The broker closed before the connection was up, without a reason code.
        self.is_wordless = False
        #: The broker was not heard in time.
        self.is_silent = False
        self._settings = settings
        self._client_id = client_id
        self._will = will
        self._on_up = on_up
        self._topics, self._on_heard = topics, on_message
        #: The broker, for messages.
        self.where = place(settings.host, settings.port)
        self._largest = 1 << 28
        self._acks: dict[int, tuple[int, str, str]] = {}
        self._unwatched: set[int] = set()
        self._changed = threading.Condition()
        self._paho_said = ""
        self._is_leaving = False
        self._properties: dict[str, Properties] = {}
        self._client: paho.Client | None = None

    # --- the thread of its own -----------------------------------------------------------

    def run(self) -> None:
        """Connect, and work until it is over; ``over`` then says why. Never raises."""
        try:
            client = self._client = self._make_client()
            self._open(client)
            self._loop(client)
        except PublishError as error:
            self._end(error)
        except Exception as error:
            # What paho makes of bytes that are not MQTT: KeyError, struct.error, UnicodeError …
            # Whoever sends them must not end the worker.
            log.debug("publisher: broken MQTT from %s", self.where, exc_info=True)
            self._end(
                Unreachable(
                    f"{self.where} does not speak MQTT as it should ({type(error).__name__})",
                    hint="Is it an MQTT broker, and does it expect TLS?",
                )
            )
        finally:
            self.is_up = False
            if self._client is not None and (sock := self._client.socket()) is not None:
                sock.close()
            # The client's callbacks point back here: without this the socket pair inside it
            # would stay open until the next cyclic garbage collection.
            self._client = None

    def _make_client(self) -> paho.Client:
        settings = self._settings
        client = paho.Client(
            CallbackAPIVersion.VERSION2,
            client_id=self._client_id,
            protocol=MQTTProtocolVersion(self.version),
            reconnect_on_failure=False,
        )
        client.connect_timeout = CONNECT_S
        client.max_queued_messages_set(MOST_QUEUED)
        if settings.username:
            client.username_pw_set(settings.username, _credentials.password(settings))
        if settings.tls:
            client.tls_set_context(_credentials.tls(settings))
        if self._will is not None:
            topic, payload = self._will
            properties = self._props(content_type(payload), PacketTypes.WILLMESSAGE)
            client.will_set(topic, payload, qos=1, retain=True, properties=properties)
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_disconnect
        client.on_publish = self._on_publish
        client.on_message = self._on_message
        client.on_socket_open = send_at_once
        # With this set, publish() leaves the writing to the thread that runs the loop. Two
        # threads writing would mix their packets.
        client.on_socket_register_write = _leave_writing_to_the_loop
        client.on_log = self._on_log
        return client

    def _open(self, client: paho.Client) -> None:
        settings = self._settings
        host, port = self._find() if settings.host == MESH else (settings.host, settings.port)
        properties = None
        if self._is_v5 and self._will is not None:
            properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
            # No honest broker has a reason for more; what was said by us comes back to us.
            properties.MaximumPacketSize = MOST_HEARD if self._topics else 65536
        try:
            client.connect(host, port, int(settings.keepalive_s), properties=properties)
        except OSError as error:
            raise failure(error, self.where) from error

    def _find(self) -> tuple[str, int]:
        """Address and port of the broker that a box of the mesh lends just now."""
        # Here and not above: a box whose broker is elsewhere needs none of it.
        from kiezbox.neighbours import known

        found = known.broker(known.read(self._settings.neighbours, time.time()))
        if found is None:
            raise Unreachable(
                "no box of the mesh lends a broker just now",
                hint="One of them must say network.mesh.broker_port; see `kiezbox network"
                " neighbours`.",
            )
        self.where = place(*found)
        return found

    def _loop(self, client: paho.Client) -> None:
        answer_by = time.monotonic() + ANSWER_S
        pause_s = min(2.5, self._settings.keepalive_s / 4)
        while True:
            rc = client.loop(pause_s if self.was_up else 0.5)
            if self.over is not None:
                return
            if self._is_leaving and not self.is_up:
                raise Unreachable("the publisher was closed")
            if rc != MQTTErrorCode.MQTT_ERR_SUCCESS:
                raise self._broken()
            if not self.was_up and time.monotonic() > answer_by:
                raise Unreachable(
                    f"{self.where} accepts the connection and says nothing",
                    hint="Is it an MQTT broker, and does it expect TLS?",
                )

    def _broken(self) -> PublishError:
        if self.was_up:
            return Unreachable(
                f"the link to {self.where} is lost",
                # MQTT 5 has a reason code for it, but Mosquitto 2.0.11 closes without a word.
                hint="The box tries again by itself. Every few seconds? Then another box has"
                " the same box.id.",
            )
        self.is_wordless = True
        said = f" ({self._paho_said})" if self._paho_said else ""
        return Unreachable(
            f"{self.where} closes the connection before it is up{said}",
            hint="Is it an MQTT broker, does it expect TLS, does it want a cert_file?",
        )

    # --- what paho calls, in the same thread ---------------------------------------------

    def _on_connect(
        self, client: paho.Client, _data: Any, _flags: Any, reason: Any, properties: Any
    ) -> None:
        if reason.value >= 0x80:
            self.is_version_refused = reason.value == 0x84
            self._end(
                verdict(
                    reason.value,
                    str(reason),
                    f"{self.where} refuses the connection",
                    _reason_string(properties),
                )
            )
            return
        if self._will is None:
            self.was_up = True
            client.disconnect()
            return
        client.on_log = None
        self._largest = getattr(properties, "MaximumPacketSize", self._largest)
        self.is_up = self.was_up = True
        if self._topics:
            client.subscribe([(topic, 1) for topic in self._topics])
        self._on_up(self)

    def _on_disconnect(
        self, _client: paho.Client, _data: Any, flags: Any, reason: Any, properties: Any
    ) -> None:
        self.is_up = False
        if flags.is_disconnect_packet_from_server and reason.value >= 0x80:
            self._end(
                verdict(
                    reason.value,
                    str(reason),
                    f"{self.where} ends the connection",
                    _reason_string(properties),
                )
            )

    def _on_publish(
        self, client: paho.Client, _data: Any, mid: int, reason: Any, properties: Any
    ) -> None:
        answer_at_once(client.socket())
        code = reason.value
        detail = _reason_string(properties) if code >= 0x80 else ""
        with self._changed:
            if mid in self._unwatched:
                self._unwatched.discard(mid)
                self._tell(code, str(reason), detail)
                return
            self._acks[mid] = (code, str(reason) if code else "", detail)
            self._changed.notify_all()

    def _on_message(self, _client: paho.Client, _data: Any, message: paho.MQTTMessage) -> None:
        if self._on_heard is not None and message.topic in self._topics:
            self._on_heard(message.topic, bytes(message.payload), message.retain)

    def _on_log(self, _client: paho.Client, _data: Any, level: int, text: str) -> None:
        """paho tells only its log why a socket broke; in TLS 1.3 that is where a missing
        client certificate shows."""
        if level == paho.MQTT_LOG_ERR:
            self._paho_said = text.removeprefix("failed to receive on socket: ")

    def _tell(self, code: int, name: str, detail: str) -> None:
        if code >= 0x80:
            log.warning("publisher: %s refuses the box's state: %s %s", self.where, name, detail)

    def _end(self, error: PublishError) -> None:
        with self._changed:
            if self.over is None:
                # Not the error itself: its traceback would hold the client, and with it three
                # sockets, until the next full garbage collection. A flapping link makes hundreds
                # of them before that, and select() ends at 1024.
                self.over = _copy(error)
            self._changed.notify_all()

    # --- for the publisher's thread ------------------------------------------------------

    @property
    def _is_v5(self) -> bool:
        return self.version == MQTTProtocolVersion.MQTTv5

    def send(self, topic: str, payload: bytes, content_type: str, *, retain: bool = False) -> int:
        """Put one message on its way, QoS 1; the number by which its acknowledgement is asked.

        Raises:
            Unreachable, Refused: the connection is over, and why.
            Rejected: larger than the broker takes.
        """
        client = self._client
        if client is None or not self.is_up:
            raise self._why()
        # 64: header, topic length and the properties below.
        if len(payload) + len(topic) + 64 > self._largest:
            raise Rejected(
                f"{self.where} takes at most {self._largest} bytes in one message",
                hint="See the broker's setting for the largest packet.",
            )
        info = client.publish(
            topic, payload, qos=1, retain=retain, properties=self._props(content_type)
        )
        if info.rc != MQTTErrorCode.MQTT_ERR_SUCCESS:
            raise self._why()
        return info.mid

    def acknowledged(self, mid: int, patience_s: float) -> None:
        """Wait until the broker has this message; so long at most since it last said anything.

        Raises:
            Unreachable: the link is lost, or nothing came in time (the link is then dropped).
            Refused, Rejected: the broker's answer was no.
        """
        with self._changed:
            while mid not in self._acks:
                if self.over is not None:
                    raise self._why()
                if not self._changed.wait(patience_s):
                    self._give_up(patience_s)
            code, name, detail = self._acks.pop(mid)
        if code >= 0x80:
            raise verdict(code, name, f"{self.where} refuses readings", detail)

    def unwatched(self, mid: int) -> None:
        """Nobody will ask for this message's acknowledgement."""
        with self._changed:
            if self._acks.pop(mid, None) is None:
                self._unwatched.add(mid)

    def _give_up(self, patience_s: float) -> None:
        self.is_silent = True
        self._end(
            Unreachable(
                f"{self.where} has acknowledged nothing for {patience_s:g} s",
                hint="The link is cut and made anew.",
            )
        )
        self.drop()

    def drop(self) -> None:
        """Break the link; ``run`` ends soon."""
        client = self._client
        sock: Any = client.socket() if client is not None else None
        if sock is not None:
            try:
                # Not close(): the loop's thread waits on this file descriptor.
                sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                log.debug("publisher: the link was already gone")

    def goodbye(self) -> None:
        """Disconnect as the standard says, so that the broker keeps the will to itself."""
        self._is_leaving = True
        client = self._client
        if client is not None and self.is_up:
            client.disconnect()
        else:
            self.drop()

    def _why(self) -> PublishError:
        """A fresh copy: an exception raised in two threads would collect both tracebacks."""
        error = self.over or Unreachable(
            f"no link to {self.where}", hint="The box keeps its readings and tries again."
        )
        return _copy(error)

    def _props(self, content_type: str, packet: int = PacketTypes.PUBLISH) -> Properties | None:
        if not self._is_v5:
            return None
        if content_type not in self._properties or packet != PacketTypes.PUBLISH:
            properties = Properties(packet)  # type: ignore[no-untyped-call]
            properties.PayloadFormatIndicator = 1
            properties.ContentType = content_type
            if packet != PacketTypes.PUBLISH:
                return properties
            self._properties[content_type] = properties
        return self._properties[content_type]


def _copy(error: PublishError) -> PublishError:
    return type(error)(str(error), hint=error.hint)


def _leave_writing_to_the_loop(_client: paho.Client, _data: Any, _sock: Any) -> None:
    """See where it is set."""


def _reason_string(properties: Any) -> str:
    return str(getattr(properties, "ReasonString", ""))
