"""A real Mosquitto on loopback, and a subscriber that costs next to nothing."""

from __future__ import annotations

import bisect
import contextlib
import shutil
import socket
import struct
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.lib.contest import Skipped
from benchmarks.lib.proc import accepts, free_port, running, wait_for

#: Without set_tcp_nodelay a broker answers small messages 40 ms late (Nagle meets delayed ACK),
#: and the benchmark would measure that.
CONFIG = """\
listener {port} 127.0.0.1
allow_anonymous true
set_tcp_nodelay true
max_queued_messages 0
max_inflight_messages 0
sys_interval 0
log_type error
"""


def mosquitto() -> str:
    """The broker's program."""
    path = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin")
    if path is None:
        raise Skipped("no mosquitto here: apt install mosquitto mosquitto-clients")
    return path


@contextlib.contextmanager
def broker(extra: str = "", *, port: int = 0) -> Iterator[int]:
    """A running broker; yields its port."""
    port = port or free_port()
    with tempfile.TemporaryDirectory(prefix="kiezbox-bench-") as folder:
        config = Path(folder) / "mosquitto.conf"
        config.write_text(CONFIG.format(port=port) + extra, encoding="utf-8")
        Path(folder).chmod(0o755)
        with running([mosquitto(), "-c", str(config)], stderr=subprocess.DEVNULL):
            wait_for(lambda: accepts(port), "the broker")
            yield port


def _packet(kind: int, body: bytes) -> bytes:
    length, size = b"", len(body)
    while True:
        size, seven = size >> 7, size & 127
        length += bytes([seven | (128 if size else 0)])
        if not size:
            return bytes([kind]) + length + body


def _text(value: str) -> bytes:
    data = value.encode()
    return struct.pack(">H", len(data)) + data


class Receiver:
    """Subscribes to a topic at QoS 0 and keeps all bytes, with the moment of each.

    It speaks MQTT 3.1.1 by itself and looks into the messages only when asked (``payloads``), so
    that it takes next to no CPU from the contestants.
    """

    def __init__(self, port: int, topic: str = "#") -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), 5)
        self._socket.sendall(_packet(0x10, _text("MQTT") + b"\x04\x02\x00\x00" + _text("")))
        self._buffer = bytearray()
        self._socket.sendall(_packet(0x82, b"\x00\x01" + _text(topic) + b"\x00"))
        self._chunks: list[tuple[float, int]] = []
        while len(self._buffer) < 9:  # CONNACK 4 bytes, SUBACK 5
            self._buffer += self._socket.recv(4096)
        del self._buffer[:9]
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def _listen(self) -> None:
        self._socket.settimeout(None)
        while True:
            try:
                data = self._socket.recv(1 << 20)
            except OSError:
                return
            if not data:
                return
            self._buffer += data
            self._chunks.append((time.monotonic(), len(self._buffer)))

    @property
    def received(self) -> int:
        """Bytes so far."""
        return len(self._buffer)

    @property
    def last_at(self) -> float:
        """When something came last, by the monotonic clock; 0: never."""
        return self._chunks[-1][0] if self._chunks else 0.0

    def first_after(self, moment: float) -> float:
        """When the first thing came after a moment; 0: nothing did."""
        at = bisect.bisect_right(self._chunks, (moment, 1 << 62))
        return self._chunks[at][0] if at < len(self._chunks) else 0.0

    def settle(self, quiet_s: float = 0.3, limit_s: float = 30.0) -> None:
        """Wait until nothing has come for a while."""
        began = time.monotonic()
        while time.monotonic() < began + limit_s:
            if time.monotonic() - max(began, self.last_at) > quiet_s:
                return
            time.sleep(0.02)

    def messages(self) -> list[tuple[float, str, bytes]]:
        """(moment, topic, payload) of every whole message so far, oldest first."""
        found = []
        data = bytes(self._buffer)
        at, chunk = 0, 0
        chunks = list(self._chunks)
        while at < len(data):
            kind, size, shift, cursor = data[at], 0, 0, at + 1
            while cursor < len(data):
                byte = data[cursor]
                cursor += 1
                size |= (byte & 127) << shift
                shift += 7
                if byte < 128:
                    break
            end = cursor + size
            if end > len(data):
                break
            while chunk < len(chunks) and chunks[chunk][1] < end:
                chunk += 1
            if kind & 0xF0 == 0x30:
                length = struct.unpack_from(">H", data, cursor)[0]
                topic = data[cursor + 2 : cursor + 2 + length].decode()
                found.append((chunks[chunk][0], topic, data[cursor + 2 + length : end]))
            at = end
        return found

    def close(self) -> None:
        """Hang up."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join(5)

    def __enter__(self) -> Receiver:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
