"""TCP without the pauses that are meant for people who type."""

from __future__ import annotations

import socket
from typing import Any


def send_at_once(_client: Any, _data: Any, sock: Any) -> None:
    """Our messages are whole when they are written: nothing to wait for."""
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    answer_at_once(sock)


def answer_at_once(sock: Any) -> None:
    """Acknowledge the broker's next bytes without the kernel's usual pause of 40 ms.

    A broker with Nagle's algorithm (Mosquitto's default) holds back each PUBACK until the one
    before it was acknowledged. Linux forgets the option, so it is set again after each PUBACK.
    """
    if hasattr(socket, "TCP_QUICKACK") and sock is not None:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
