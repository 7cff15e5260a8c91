"""Where a client reaches a simulated radio: a TCP port, and a pseudo-terminal under a stable name.

Modelled: one client, the newest wins; TCP refuses while the radio is off; a terminal's name is gone
while it is unplugged, and who has it open gets an error; a client that says nothing for a quarter
of an hour of real time is sent away.
Not modelled: a serial line's speed, and the bytes it loses when nobody reads (the radio waits).
"""

from __future__ import annotations

import errno
import os
import selectors
import socket
import time
import tty
from collections.abc import Callable

from kiezbox.errors import UsageError
from kiezbox.hardware.simulated.air_loop import AirLoop
from kiezbox.hardware.simulated.meshtastic_client import Client

__all__ = ["Ports"]

#: What waits to be written before the next frame is asked for.
ENOUGH_BYTES = 4096
IDLE_S = 900.0


class Ports:
    """Of one radio. All of it is called in the loop's thread."""

    def __init__(
        self, loop: AirLoop, client: Client, *, host: str, tcp: int | None, terminal: str | None
    ) -> None:
        """``tcp``: the port (0: any that is free), or None for none; ``terminal``: a path to make,
        or None.

        Raises:
            UsageError: the port is taken, or the path cannot be made.
        """
        self._loop = loop
        self._client = client
        self._host = host
        self._tcp = tcp
        self._terminal = terminal
        self._listener: socket.socket | None = None
        self._link: _Link | None = None
        self._line: _Link | None = None
        self._slave: int | None = None
        self.is_hung = False
        client.wake = self._pump
        self.open()

    @property
    def address(self) -> tuple[str, int] | None:
        return None if self._tcp is None else (self._host, self._tcp)

    def open(self) -> None:
        """Plug it in. Idempotent."""
        try:
            if self._tcp is not None and self._listener is None:
                self._listen()
            if self._terminal is not None and self._line is None:
                self._plug_in(self._terminal)
        except OSError as error:
            self.close()
            raise UsageError(
                f"a simulated radio cannot be reached at {self._tcp or self._terminal}: {error}",
                hint="Is something else listening there, or is its folder missing?",
            ) from error

    def close(self, *, tcp_only: bool = False) -> None:
        """Pull the plug: all who are connected are cut off. Idempotent."""
        if self._listener is not None:
            self._loop.unwatch(self._listener)
            self._listener.close()
            self._listener = None
        if self._link is not None and not (tcp_only and self._link is self._line):
            self._drop(self._link)
        if self._line is not None and not tcp_only:
            self._pull_out()

    def _listen(self) -> None:
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind((self._host, self._tcp or 0))
            listener.listen(128)
            listener.setblocking(False)
        except OSError:
            listener.close()
            raise
        self._listener = listener
        self._tcp = listener.getsockname()[1]
        self._loop.watch(listener, self._accept)

    def _accept(self, mask: int) -> None:
        assert self._listener is not None
        try:
            connection, _ = self._listener.accept()
        except OSError:
            return  # it has gone again
        connection.setblocking(False)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        link = _Link(connection.fileno(), connection.close)
        self._take_over(link)
        self._loop.watch(link.fd, lambda mask: self._ready(link, mask))
        self._watch_idle(link)

    def _plug_in(self, path: str) -> None:
        master, slave = os.openpty()
        # Both ends share it; without, the radio would hear itself until somebody opens the port.
        tty.setraw(slave)
        os.set_blocking(master, False)
        self._slave = slave
        link = _Link(master, lambda: os.close(master))
        try:
            fresh = f"{path}.new"
            if os.path.lexists(fresh):
                os.unlink(fresh)
            os.symlink(os.ttyname(slave), fresh)
            os.replace(fresh, path)
        except OSError:
            link.close()
            os.close(slave)
            raise
        self._line = link
        self._loop.watch(master, lambda mask: self._ready(link, mask))

    def _pull_out(self) -> None:
        line, self._line = self._line, None
        assert line is not None and self._terminal is not None and self._slave is not None
        if self._link is line:
            self._link = None
            self._client.begin()
        os.unlink(self._terminal)
        self._loop.unwatch(line.fd)
        line.close()
        os.close(self._slave)
        self._slave = None

    def _take_over(self, link: _Link) -> None:
        if self._link is not None and self._link is not link:
            self._drop(self._link)
        self._link = link
        self._client.begin()

    def _drop(self, link: _Link) -> None:
        if self._link is link:
            self._link = None
            self._client.begin()
        link.waiting.clear()
        if link is not self._line:
            self._loop.unwatch(link.fd)
            link.close()

    def _ready(self, link: _Link, mask: int) -> None:
        if mask & selectors.EVENT_READ:
            try:
                data = os.read(link.fd, 4096)
            except BlockingIOError:
                data = b"-"
                mask = selectors.EVENT_WRITE
            except OSError as error:
                if link is self._line and error.errno == errno.EIO:
                    return  # nobody has the terminal open
                data = b""
            if not data:
                self._drop(link)
                return
            if mask & selectors.EVENT_READ and not self.is_hung:
                link.heard_at = time.monotonic()
                if self._link is not link:
                    self._take_over(link)  # somebody speaks on the terminal: he is the newest
                self._client.received(data)
        self._pump()

    def _pump(self) -> None:
        """Write as much as goes, and ask for more only then."""
        link = self._link
        if link is None or self.is_hung:
            return
        while True:
            while len(link.waiting) < ENOUGH_BYTES and (frame := self._client.next_frame()):
                link.waiting += frame
            if not link.waiting:
                break
            try:
                written = os.write(link.fd, link.waiting)
            except BlockingIOError:
                break
            except OSError:
                self._drop(link)
                return
            del link.waiting[:written]
        self._loop.want_write(link.fd, bool(link.waiting))

    def _watch_idle(self, link: _Link) -> None:
        def look() -> None:
            if self._link is not link:
                return
            if time.monotonic() - link.heard_at > IDLE_S:
                self._drop(link)
            else:
                self._watch_idle(link)

        self._loop.agenda.after(60.0, look)


class _Link:
    """A client's end: a file descriptor, and what waits to be written to it."""

    def __init__(self, fd: int, close: Callable[[], None]) -> None:
        self.fd = fd
        self.close = close
        self.waiting = bytearray()
        self.heard_at = time.monotonic()
