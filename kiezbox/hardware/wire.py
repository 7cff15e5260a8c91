"""What a node and its bench say to each other: frames on a Unix stream socket.

====== ==== =========================================================
offset size
====== ==== =========================================================
0      1    kind
1      2    length of the body, big endian, at most ``MOST``
3      n    body
====== ==== =========================================================

======== ==== ===== ============================================================
kind     byte from  body
======== ==== ===== ============================================================
TRANSFER 0x01 node  address u8, parts u8 (1 write, 2 read), count u16, bytes to write
LINE     0x02 node  number u8, use u8 (see ``USES``)
ONEWIRE  0x03 node  id, as text; empty: which ids there are
DATA     0x11 bench what was read: the answer to TRANSFER and to ONEWIRE
ERROR    0x12 bench errno u16: the other answer to both
LEVEL    0x13 bench number u8, level u8: the answer to LINE, then again at every change
======== ==== ===== ============================================================

Whoever gets anything else closes the connection. One TRANSFER or ONEWIRE at a time on a connection.
"""

from __future__ import annotations

import errno
import os
import select
import socket
import struct
import time

TRANSFER, LINE, ONEWIRE, DATA, ERROR, LEVEL = 0x01, 0x02, 0x03, 0x11, 0x12, 0x13
WRITES, READS = 1, 2

#: How a box uses a line; the order is the byte on the wire.
USES = ("floating", "up", "down", "low", "high")

HEADER = struct.Struct("!BH")
TRANSFER_HEAD = struct.Struct("!BBH")
NUMBER = struct.Struct("!H")
PAIR = struct.Struct("!BB")

#: The longest message Linux lets through i2c-dev (drivers/i2c/i2c-dev.c).
MOST_DATA = 8192
MOST = TRANSFER_HEAD.size + MOST_DATA


def frame(kind: int, body: bytes = b"") -> bytes:
    """One frame, ready to send."""
    if len(body) > MOST:
        raise ValueError(f"{len(body)} bytes do not fit into a frame of at most {MOST}")
    return HEADER.pack(kind, len(body)) + body


def receive(
    connection: socket.socket, wait_s: float | None, rest_s: float = 5.0
) -> tuple[int, bytes]:
    """The next frame: (kind, body). Its first byte may take ``wait_s``, the rest ``rest_s``.

    Leaves the connection non-blocking.

    Raises:
        TimeoutError: it did not come in time.
        ConnectionError: the other side is gone, or does not speak this language.
    """
    # Not settimeout(): it would make another thread's send() on this connection wait as well.
    connection.setblocking(False)
    head = _part(connection, 1, wait_s)
    until = time.monotonic() + rest_s
    head += _exactly(connection, HEADER.size - 1, until)
    kind, length = HEADER.unpack(head)
    if length > MOST:
        raise ConnectionAbortedError(errno.ECONNABORTED, f"a frame of {length} bytes")
    return kind, _exactly(connection, length, until)


def _exactly(connection: socket.socket, count: int, until: float) -> bytes:
    data = b""
    while len(data) < count:
        data += _part(connection, count - len(data), max(0.0, until - time.monotonic()))
    return data


def _part(connection: socket.socket, most: int, wait_s: float | None) -> bytes:
    """At least one byte, within so many seconds."""
    poll = select.poll()
    poll.register(connection, select.POLLIN)
    if not poll.poll(None if wait_s is None else wait_s * 1000):
        raise TimeoutError(errno.ETIMEDOUT, "nothing came")
    data = connection.recv(most)
    if not data:
        raise ConnectionResetError(errno.ECONNRESET, "the other side closed the connection")
    return data


def connect(path: str, timeout_s: float) -> socket.socket:
    """A connection to the bench at ``path``."""
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        connection.settimeout(timeout_s)
        connection.connect(os.fspath(path))
    except BaseException:
        connection.close()
        raise
    return connection
