"""Listening sockets: systemd's, or our own."""

from __future__ import annotations

import _socket
import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from kiezbox.errors import KiezboxError

__all__ = ["HTTPS", "inherited", "listen", "refusal"]

#: systemd hands its sockets over from this descriptor on (sd_listen_fds(3)).
FIRST_INHERITED = 3

#: The name (FileDescriptorName=) of those that speak TLS.
HTTPS = "https"

#: Connections the kernel keeps for us while we are busy.
BACKLOG = 1024


def inherited() -> list[tuple[str, _socket.socket]]:
    """systemd's sockets with their names, if it meant us (sd_listen_fds(3)).

    Raises:
        KiezboxError: what was handed over is not a listening socket.
    """
    count, meant = os.environ.pop("LISTEN_FDS", ""), os.environ.pop("LISTEN_PID", "")
    names = os.environ.pop("LISTEN_FDNAMES", "").split(":")
    if not count.isdecimal() or meant != str(os.getpid()):
        return []
    sockets = []
    for number in range(int(count)):
        file = FIRST_INHERITED + number
        try:
            os.set_inheritable(file, False)
            socket = _socket.socket(fileno=file)
            is_listening = socket.getsockopt(_socket.SOL_SOCKET, _socket.SO_ACCEPTCONN)
        except OSError as error:
            raise refusal(
                f"descriptor {file}, handed over by systemd, is no socket: {error.strerror}"
            ) from error
        if not is_listening or socket.type != _socket.SOCK_STREAM:
            raise refusal(
                f"descriptor {file}, handed over by systemd, does not listen for connections",
                hint="kiezbox-portal.socket needs ListenStream= and Accept=no.",
            )
        sockets.append((names[number] if number < len(names) else "", socket))
    return sockets


def listen(address: str, option: str = "portal.listen or --listen") -> _socket.socket:
    """A socket of our own on ``HOST:PORT`` (``[::]:80``, ``:80``).

    Raises:
        KiezboxError: the address is none, or taken, or not allowed. ``option`` says where it
            comes from.
    """
    host, colon, port = address.rpartition(":")
    if not colon or not port.isdecimal() or int(port) > 65535:
        raise refusal(
            f'"{address}" is no address and port', hint='Write "127.0.0.1:8081" or "[::]:80".'
        )
    try:
        return _bound(host.strip("[]") or "0.0.0.0", int(port))
    except OSError as error:
        raise refusal(
            f"cannot listen on {address}: {error.strerror}",
            hint="Another program may have that port, and ports below 1024 need systemd"
            f" (kiezbox-portal.socket). {option} names another.",
        ) from error


def _bound(host: str, port: int) -> _socket.socket:
    family, place = _place(host, port)
    listener = _socket.socket(family, _socket.SOCK_STREAM | _socket.SOCK_CLOEXEC)
    try:
        listener.setsockopt(_socket.SOL_SOCKET, _socket.SO_REUSEADDR, 1)
        # What is accepted inherits it: the last packet of a page must not wait for company.
        listener.setsockopt(_socket.IPPROTO_TCP, _socket.TCP_NODELAY, 1)
        if family == _socket.AF_INET6:
            listener.setsockopt(_socket.IPPROTO_IPV6, _socket.IPV6_V6ONLY, 0)
        listener.bind(place)
        listener.listen(BACKLOG)
    except OSError:
        listener.close()
        raise
    return listener


def refusal(message: str, hint: str = "") -> KiezboxError:
    """What to raise. The errors are loaded for nothing else: a start that goes well has no time."""
    from kiezbox.errors import KiezboxError

    return KiezboxError(message, hint=hint)


def _place(host: str, port: int) -> tuple[int, Any]:
    """Address family and what ``bind`` takes."""
    for family in (_socket.AF_INET, _socket.AF_INET6):
        try:
            _socket.inet_pton(family, host)
        except OSError:
            continue
        return family, (host, port)
    # Only for names: it reads /etc and loads libraries, 4 ms.
    found = _socket.getaddrinfo(host, port, 0, _socket.SOCK_STREAM, 0, _socket.AI_PASSIVE)
    return found[0][0], found[0][4]
