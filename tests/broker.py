"""Real MQTT brokers on loopback, a listener, and a wire that can be cut."""

from __future__ import annotations

import json
import os
import selectors
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from paho.mqtt import client as paho

#: Every wait here ends at the latest after so many seconds.
LIMIT_S = 15.0


def wait_for(what: Callable[[], Any], why: str, limit_s: float = LIMIT_S) -> Any:
    """The first true answer, or a failure that says what was waited for."""
    limit = time.monotonic() + limit_s
    while True:
        answer = what()
        if answer:
            return answer
        assert time.monotonic() < limit, f"not within {limit_s:g} s: {why}"
        time.sleep(0.005)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


class Mosquitto:
    """A real Mosquitto. ``more`` is added to its settings; they may be changed between starts."""

    def __init__(self, folder: Path, more: str = "allow_anonymous true", port: int = 0) -> None:
        program = shutil.which("mosquitto", path=os.environ.get("PATH", "") + ":/usr/sbin")
        if program is None:
            pytest.skip("Mosquitto is not installed: apt-get install mosquitto")
        self.port = port or free_port()
        self.more = more
        self._program = program
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        self.start()

    def start(self) -> None:
        settings = self._folder / f"mosquitto-{self.port}.conf"
        # As root it would become user mosquitto, who cannot read the test's folder.
        user = "user root\n" if os.geteuid() == 0 else ""
        # Without nodelay every acknowledgement that passes a Wire would wait 40 ms.
        settings.write_text(
            f"{user}listener {self.port} 127.0.0.1\nset_tcp_nodelay true\n{self.more}\n"
        )
        self._process = subprocess.Popen(
            [self._program, "-c", settings],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd=self._folder,
        )
        wait_for(lambda: answers(self.port), "Mosquitto answers")

    def kill(self) -> None:
        """As a power cut at the broker does."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """As systemd does; with persistence it saves first."""
        self._end(signal.SIGTERM)

    def restart(self) -> None:
        self.kill()
        self.start()

    def pause(self) -> None:
        """The kernel still takes connections and bytes; nobody answers."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def _end(self, number: int) -> None:
        if self._process is not None:
            self._process.send_signal(signal.SIGCONT)
            self._process.send_signal(number)
            self._process.wait(LIMIT_S)
            self._process = None

    def close(self) -> None:
        self._end(signal.SIGKILL)


_AMQTT = """
import asyncio, sys
from amqtt.broker import Broker

async def main():
    listener = {"type": "tcp", "bind": "127.0.0.1:" + sys.argv[1]}
    broker = Broker({"listeners": {"default": listener}})
    await broker.start()
    await asyncio.Event().wait()

asyncio.run(main())
"""


class Amqtt:
    """The broker of the demo: it speaks MQTT 3.1.1 only."""

    def __init__(self) -> None:
        pytest.importorskip("amqtt", reason="amqtt is not installed: pip install 'kiezbox[demo]'")
        self.port = free_port()
        self._process = subprocess.Popen(
            [sys.executable, "-c", _AMQTT, str(self.port)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        wait_for(lambda: answers(self.port), "amqtt answers")

    def close(self) -> None:
        self._process.kill()
        self._process.wait(LIMIT_S)


class Heard(NamedTuple):
    """One message, as a subscriber got it."""

    topic: str
    payload: bytes
    is_retained: bool
    content_type: str | None

    def json(self) -> Any:
        return json.loads(self.payload)


class Listener:
    """A subscriber with a memory. Comes back by itself after a broker's restart; a durable one
    (MQTT 3.1.1) also gets what the broker took in meanwhile.
    """

    def __init__(
        self, port: int, topic: str = "kiezbox/#", *, version: int = 5, durable: bool = False
    ) -> None:
        self.heard: list[Heard] = []
        self._topic = topic
        self._is_subscribed = threading.Event()
        is_v5 = version == 5 and not durable
        self._client = paho.Client(
            paho.CallbackAPIVersion.VERSION2,
            f"listener-{id(self)}",
            protocol=paho.MQTTv5 if is_v5 else paho.MQTTv311,
            clean_session=None if is_v5 else not durable,
        )
        self._client.reconnect_delay_set(1, 1)
        self._client.on_connect = lambda client, *_: client.subscribe(topic, qos=1)
        self._client.on_subscribe = lambda *_: self._is_subscribed.set()
        self._client.on_message = self._on_message
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()
        assert self._is_subscribed.wait(LIMIT_S), "the listener could not subscribe"

    def _on_message(self, _client: Any, _data: Any, message: paho.MQTTMessage) -> None:
        content_type = getattr(message.properties, "ContentType", None)
        self.heard.append(
            Heard(message.topic, bytes(message.payload), message.retain, content_type)
        )

    def on(self, kind: str) -> list[Heard]:
        """What came on ``kiezbox/1/BOX/KIND``, oldest first."""
        return [message for message in list(self.heard) if message.topic.endswith("/" + kind)]

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()


class Wire:
    """A TCP proxy in front of a broker, to be broken in every way a street has.

    ``mode``: "pass", "swallow" (takes bytes, passes nothing on in either direction), "mute"
    (passes the box's bytes on, but not the answers). ``cut_after`` ends the next connections
    after so many bytes from the box. ``refuse()`` and ``listen()`` close and open the port.
    """

    def __init__(self, target: int) -> None:
        self.port = free_port()
        self.mode = "pass"
        self.cut_after: Callable[[], int | None] = lambda: None
        self.connections = 0
        #: Bytes from the box that were passed on.
        self.passed = 0
        self._target = target
        self._pairs: dict[socket.socket, tuple[socket.socket, bool]] = {}
        self._left: dict[socket.socket, int | None] = {}
        self._selector = selectors.DefaultSelector()
        self._listener: socket.socket | None = None
        self._lock = threading.RLock()
        self._is_closed = False
        self._bell, self._rope = socket.socketpair()
        self._selector.register(self._bell, selectors.EVENT_READ)
        self.listen()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def listen(self) -> None:
        with self._lock:
            if self._listener is None:
                self._listener = socket.create_server(("127.0.0.1", self.port))
                self._selector.register(self._listener, selectors.EVENT_READ)
        self._rope.send(b"!")

    def refuse(self) -> None:
        """Nobody listens any more, and what was connected is cut."""
        with self._lock:
            if self._listener is not None:
                self._selector.unregister(self._listener)
                self._listener.close()
                self._listener = None
        self.cut()

    def cut(self) -> None:
        """Reset every connection."""
        with self._lock:
            for sock in list(self._pairs):
                if sock in self._pairs:
                    self._cut(sock)
        self._rope.send(b"!")

    def _run(self) -> None:
        while not self._is_closed:
            for key, _ in self._selector.select(1.0):
                with self._lock:
                    sock: Any = key.fileobj
                    if sock is self._bell:
                        sock.recv(4096)
                    elif sock is self._listener:
                        self._accept(sock)
                    elif sock in self._pairs:
                        self._pass_on(sock)

    def _accept(self, listener: socket.socket) -> None:
        box, _ = listener.accept()
        self.connections += 1
        try:
            broker = socket.create_connection(("127.0.0.1", self._target), timeout=1)
        except OSError:
            box.close()
            return
        self._left[box] = self.cut_after()
        for one, other, is_box in ((box, broker, True), (broker, box, False)):
            one.settimeout(LIMIT_S)
            one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._pairs[one] = (other, is_box)
            self._selector.register(one, selectors.EVENT_READ)

    def _pass_on(self, sock: socket.socket) -> None:
        other, is_box = self._pairs[sock]
        try:
            data = sock.recv(65536)
            if not data:
                self._cut(sock)
                return
            left = self._left.get(sock)
            if left is not None:
                data = data[:left]
                self._left[sock] = left - len(data)
            if self.mode == "pass" or (self.mode == "mute" and is_box):
                other.sendall(data)
                self.passed += len(data) if is_box else 0
            if self._left.get(sock) == 0:
                self._cut(sock)
        except OSError:
            self._cut(sock)

    def _cut(self, sock: socket.socket) -> None:
        other, _ = self._pairs[sock]
        for one in (sock, other):
            if self._pairs.pop(one, None) is None:
                continue
            self._left.pop(one, None)
            self._selector.unregister(one)
            # A reset, as from a rebooted router, not a polite end.
            one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            one.close()

    def close(self) -> None:
        self.refuse()
        self._is_closed = True
        self._rope.send(b"!")
        self._thread.join(LIMIT_S)
        self._selector.close()
        self._bell.close()
        self._rope.close()


class Liar:
    """A server that answers every connection with the same bytes, then waits or hangs up."""

    def __init__(self, answer: bytes, *, hangs_up: bool = False) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.connections = 0
        self._answer = answer
        self._hangs_up = hangs_up
        self._open: list[socket.socket] = []
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self) -> None:
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            try:
                sock.settimeout(LIMIT_S)
                sock.recv(4096)
                sock.sendall(self._answer)
            except OSError:
                pass
            if self._hangs_up:
                sock.close()
            else:
                self._open.append(sock)

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for sock in self._open:
            sock.close()


def kept_at(port: int) -> str:
    """All that a broker tells somebody who comes now: topics and payloads that it has retained."""
    listener = Listener(port, "#")
    try:
        # What it has kept comes before what is said afterwards.
        listener._client.publish("mark", "that is all", qos=1)
        wait_for(lambda: any(each.topic == "mark" for each in list(listener.heard)), "all is told")
        kept = [each for each in list(listener.heard) if each.is_retained]
        return "\n".join(f"{each.topic} {each.payload.decode()}" for each in kept)
    finally:
        listener.close()


def records_of(messages: list[Heard]) -> Iterator[dict[str, Any]]:
    """All readings in these messages, resolved as RFC 8428 says."""
    from senml_rfc8428 import resolve

    for message in messages:
        yield from resolve(message.payload)
