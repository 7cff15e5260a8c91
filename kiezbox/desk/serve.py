"""The desk's process: systemd's sockets, or one of its own, and waitress."""

from __future__ import annotations

import logging
import os
import signal
import socket
import sys
from typing import NoReturn

from flask import Flask

from kiezbox.errors import KiezboxError

__all__ = ["listen", "serve"]

#: systemd hands its sockets over from this descriptor on (sd_listen_fds(3)).
FIRST_INHERITED = 3

#: One operator, perhaps two; nobody may hold a thread for long.
WAITRESS = {
    "ident": None,
    "threads": 4,
    "connection_limit": 50,
    "channel_timeout": 20,
    "max_request_header_size": 8192,
    "max_request_body_size": 8192,
    "asyncore_use_poll": True,
    "clear_untrusted_proxy_headers": True,
}


def listen(address: str) -> list[socket.socket]:
    """The sockets systemd hands over, else one of our own on ``HOST:PORT``.

    Raises:
        KiezboxError: the address is none, or taken, or not allowed.
    """
    count, meant = os.environ.pop("LISTEN_FDS", ""), os.environ.pop("LISTEN_PID", "")
    os.environ.pop("LISTEN_FDNAMES", None)
    if count.isdecimal() and meant == str(os.getpid()):
        inherited = range(FIRST_INHERITED, FIRST_INHERITED + int(count))
        return [socket.socket(fileno=file) for file in inherited]
    host, colon, port = address.rpartition(":")
    if not colon or not port.isdecimal() or int(port) > 65535:
        raise KiezboxError(f'"{address}" is no address and port', hint='Write "127.0.0.1:8090".')
    host = host.strip("[]")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return [socket.create_server((host, int(port)), family=family, backlog=16)]
    except OSError as error:
        raise KiezboxError(
            f"cannot listen on {address}: {error.strerror}",
            hint="Does the desk run already (systemctl status kiezbox-desk)? desk.listen or"
            " --listen names another port.",
        ) from error


def serve(app: Flask, listeners: list[socket.socket]) -> None:
    """Answer until told to end (SIGTERM, Ctrl-C)."""
    from waitress.server import create_server

    logging.getLogger("waitress.queue").setLevel(logging.ERROR)
    server = create_server(app, sockets=listeners, **WAITRESS)
    for listener in listeners:
        host, port, *_ = listener.getsockname()
        shown = f"[{host}]" if ":" in host else host
        print(f"kiezbox desk: http://{shown}:{port}/", file=sys.stderr, flush=True)
    signal.signal(signal.SIGTERM, _end)
    try:
        server.run()
    finally:
        server.close()


def _end(*_: object) -> NoReturn:
    sys.exit(0)
