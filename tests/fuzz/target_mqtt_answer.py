"""What a broker answers: both versions of MQTT, before and after the connection is up."""

from __future__ import annotations

import socket
from typing import Any

from kiezbox.errors import PublishError
from kiezbox.publishers import _lean, mqtt

_lean.import_paho(needs_tls=False)

from kiezbox.publishers._connection import Connection  # noqa: E402

SEEDS = [
    # First the byte that chooses the version, then CONNACK and …
    bytes.fromhex("05 20 03 00 00 00 40 02 00 01"),  # PUBACK
    bytes.fromhex("05 20 0d 00 00 0a 21 00 14 27 00 00 10 00 22 00 0a 40 04 00 01 10 00"),
    bytes.fromhex("05 20 03 00 00 00 e0 02 8e 00"),  # DISCONNECT, session taken over
    bytes.fromhex("05 20 03 00 87 00"),  # CONNACK, not authorized
    bytes.fromhex("05 20 02 00 01"),  # an old broker's "unacceptable protocol version"
    bytes.fromhex("04 20 02 00 00 40 02 00 01 d0 00"),  # PUBACK, PINGRESP
    bytes.fromhex("04 20 02 00 05"),
    bytes.fromhex("05 20 03 00 00 00 30 0b 00 04 74 65 73 74 00 68 65 6c 6c"),  # a PUBLISH
]

SETTINGS = mqtt.Settings(host="127.0.0.1", port=1883, tls=False)

_LISTENER = socket.create_server(("127.0.0.1", 0))


class _Prepared(Connection):
    """A connection to a broker that has said everything before it was asked."""

    def __init__(self, version: int, answer: bytes) -> None:
        super().__init__(SETTINGS, "kb-1", version, ("kiezbox/1/kb-1/state", b"{}"), _announce)
        self._ours = socket.create_connection(_LISTENER.getsockname(), timeout=5)
        self._theirs, _ = _LISTENER.accept()
        self._theirs.sendall(answer)
        self._theirs.shutdown(socket.SHUT_WR)

    def _make_client(self) -> Any:
        client: Any = super()._make_client()
        client._create_socket_connection = lambda: self._ours
        return client

    def close(self) -> None:
        self._ours.close()
        self._theirs.close()


def _announce(connection: Connection) -> None:
    connection.unwatched(connection.send("kiezbox/1/kb-1/state", b"{}", "application/json"))


def one(data: bytes) -> None:
    """The attempt ends, and says why."""
    connection = _Prepared(4 if data[:1] == b"\x04" else 5, data[1:])
    try:
        connection.run()
    finally:
        connection.close()
    assert isinstance(connection.over, PublishError)
    assert not connection.is_up
