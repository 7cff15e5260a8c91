"""Sockets as the boxes among themselves need them."""

from __future__ import annotations

import socket
from contextlib import suppress

from kiezbox.errors import NetworkError

__all__ = ["called", "opened", "prepare"]


def opened(where: str) -> socket.socket:
    """Listen at ADDRESS:PORT.

    Raises:
        NetworkError: it cannot.
    """
    host, _, port = where.rpartition(":")
    host = host.strip("[]")
    try:
        number = int(port)
        family = socket.AF_INET6 if ":" in host and socket.has_ipv6 else socket.AF_INET
        found = socket.socket(family, socket.SOCK_STREAM)
        try:
            found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                found.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
            found.bind(socket.getaddrinfo(host, number, family, flags=socket.AI_NUMERICHOST)[0][4])
            found.listen(16)
            found.setblocking(False)
            return found
        except BaseException:
            found.close()
            raise
    except (OSError, ValueError) as error:
        raise NetworkError(
            f"cannot listen at kiez.listen = {where!r}: {error}",
            hint="An address of this box and a port that nobody has: [::]:7412.",
        ) from error


def called(address: str, port: int) -> socket.socket:
    """On its way to somebody; whether it comes there is seen when it can be written to.

    Raises:
        OSError: there is no way, or no such address.
    """
    family, kind, number, _, where = socket.getaddrinfo(
        address, port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST
    )[0]
    connection = socket.socket(family, kind, number)
    prepare(connection)
    connection.setblocking(False)
    try:
        with suppress(BlockingIOError):
            connection.connect(where)
    except BaseException:
        connection.close()
        raise
    return connection


def prepare(connection: socket.socket) -> None:
    """What is said goes out at once."""
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
