"""The portal process: sockets in, the doorway first, waitress behind it.

The order of things is the point. The first page must be on a phone's screen as soon as the
process runs, so Flask and waitress (0.2 s on a computer, seconds on a small box) are imported in a
thread of their own, and only once the first visitor has been served: he would wait 3 ms more for
the interpreter. Then waitress gets the very same listening sockets; a connection that comes
meanwhile waits in the kernel and is lost to nobody.
"""

from __future__ import annotations

import _socket
import os
import sys
import time

from kiezbox.errors import KiezboxError
from kiezbox.portal.doorway import Doorway
from kiezbox.portal.sight import Sight

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from kiezbox.portal.sight import Clock

__all__ = ["listen", "serve"]

#: So long the doorway waits for a first visitor before it loads Flask anyway.
FIRST_VISITOR_S = 0.1

#: systemd hands its sockets over from this descriptor on (sd_listen_fds(3)).
FIRST_INHERITED = 3

#: Connections the kernel keeps for us while we are busy.
BACKLOG = 1024

#: What waitress may take from one visitor, and how long he may say nothing.
WAITRESS = {
    "ident": None,
    "connection_limit": 512,
    "channel_timeout": 20,
    "cleanup_interval": 5,
    "max_request_header_size": 16384,
    "max_request_body_size": 65536,
    "asyncore_use_poll": True,
    "clear_untrusted_proxy_headers": True,
    "backlog": BACKLOG,
}


def listen(address: str) -> list[_socket.socket]:
    """The sockets systemd hands over, else one of our own on ``HOST:PORT`` (``[::]:80``, ``:80``).

    Raises:
        KiezboxError: the address is none, or taken, or not allowed; or what was handed over is
            not a listening socket.
    """
    inherited = _inherited()
    if inherited:
        return inherited
    host, colon, port = address.rpartition(":")
    if not colon or not port.isdecimal() or int(port) > 65535:
        raise KiezboxError(
            f'"{address}" is no address and port', hint='Write "127.0.0.1:8081" or "[::]:80".'
        )
    try:
        return [_bound(host.strip("[]") or "0.0.0.0", int(port))]
    except OSError as error:
        raise KiezboxError(
            f"cannot listen on {address}: {error.strerror}",
            hint="Another program may have that port, and ports below 1024 need systemd"
            " (kiezbox-portal.socket). portal.listen or --listen names another.",
        ) from error


def _bound(host: str, port: int) -> _socket.socket:
    family, place = _place(host, port)
    listener = _socket.socket(family, _socket.SOCK_STREAM | _socket.SOCK_CLOEXEC)
    try:
        listener.setsockopt(_socket.SOL_SOCKET, _socket.SO_REUSEADDR, 1)
        if family == _socket.AF_INET6:
            listener.setsockopt(_socket.IPPROTO_IPV6, _socket.IPV6_V6ONLY, 0)
        listener.bind(place)
        listener.listen(BACKLOG)
    except OSError:
        listener.close()
        raise
    return listener


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


def _inherited() -> list[_socket.socket]:
    """systemd's sockets, if it meant us (sd_listen_fds(3))."""
    count, meant = os.environ.pop("LISTEN_FDS", ""), os.environ.pop("LISTEN_PID", "")
    os.environ.pop("LISTEN_FDNAMES", None)
    if not count.isdecimal() or meant != str(os.getpid()):
        return []
    sockets = []
    for file in range(FIRST_INHERITED, FIRST_INHERITED + int(count)):
        try:
            os.set_inheritable(file, False)
            socket = _socket.socket(fileno=file)
            is_listening = socket.getsockopt(_socket.SOL_SOCKET, _socket.SO_ACCEPTCONN)
        except OSError as error:
            raise KiezboxError(
                f"descriptor {file}, handed over by systemd, is no socket: {error.strerror}"
            ) from error
        if not is_listening or socket.type != _socket.SOCK_STREAM:
            raise KiezboxError(
                f"descriptor {file}, handed over by systemd, does not listen for connections",
                hint="kiezbox-portal.socket needs ListenStream= and Accept=no.",
            )
        sockets.append(socket)
    return sockets


def serve(
    listeners: list[_socket.socket],
    *,
    run_dir: str,
    store_path: str,
    threads: int = 8,
    clock: Clock | None = None,
) -> None:
    """Answer until told to end (SIGTERM, Ctrl-C)."""
    sight = Sight(run_dir, store_path, clock)
    doorway = Doorway(listeners, sight)
    _tell_systemd("READY=1")
    for listener in listeners:
        host, port, *_ = listener.getsockname()
        shown = f"[{host}]" if ":" in host else host
        print(f"kiezbox portal: http://{shown}:{port}/", file=sys.stderr, flush=True)
    wait_until = time.monotonic() + FIRST_VISITOR_S
    doorway.run(lambda: doorway.answered > 0 or time.monotonic() >= wait_until)
    server = _loaded_behind(doorway, listeners, sight, threads)
    _end_on_sigterm()
    try:
        server.run()
    finally:
        server.close()


def _loaded_behind(
    doorway: Doorway, listeners: list[_socket.socket], sight: Sight, threads: int
) -> Any:
    """waitress, ready to run on the listeners; the doorway serves until then."""
    import threading

    loaded: list[Any] = []

    def load() -> None:
        try:
            loaded.append(_waitress(listeners, sight, threads))
        except ImportError as error:
            # A page without Flask is worth more to the street than an error message.
            print(
                f"kiezbox portal: {error.name} is not installed; the doorway goes on alone\n"
                "         pip install 'kiezbox[portal]'",
                file=sys.stderr,
                flush=True,
            )

    loader = threading.Thread(target=load, name="load", daemon=True)
    loader.start()
    doorway.run(lambda: not loader.is_alive())
    if not loaded:
        doorway.run(lambda: False, tick_ms=1000)
    if doorway.has_visits():
        threading.Thread(target=doorway.finish, name="doorway", daemon=True).start()
    else:
        doorway.finish()
    return loaded[0]


def _waitress(listeners: list[_socket.socket], sight: Sight, threads: int) -> Any:
    import logging
    import socket

    from waitress.server import create_server

    from kiezbox.portal.app import app_of

    # It counts its queue aloud; a full house is not worth a line per visitor on the card.
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)
    sockets = [socket.socket(fileno=os.dup(listener.fileno())) for listener in listeners]
    return create_server(app_of(sight), sockets=sockets, threads=threads, **WAITRESS)


def _end_on_sigterm() -> None:
    """systemd's way to say that it is enough: waitress ends what it has begun."""
    import signal

    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))


def _tell_systemd(text: str) -> None:
    """sd_notify(3), if somebody listens."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address:
        return
    if address.startswith("@"):
        address = "\0" + address[1:]
    to_systemd = _socket.socket(_socket.AF_UNIX, _socket.SOCK_DGRAM | _socket.SOCK_CLOEXEC)
    try:
        to_systemd.sendto(text.encode(), address)
    except OSError:
        # It restarts just now; it will see that we answer.
        pass
    finally:
        to_systemd.close()
