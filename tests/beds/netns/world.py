"""The world beyond the uplink: pages, a resolver, and somebody who sends as much as one takes."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator
from types import TracebackType

from beds.netns.bed import RESOLVER, RESOLVER6, SITE, SITE6, Bed, Program, wait_for

#: Where bytes come from without end, and where they go.
SOURCE, SINK = 7001, 7002
GREETING = b"HTTP/1.0 200 OK\r\nContent-Length: 17\r\n\r\nthis is the world"


class World:
    """Services at all addresses of the namespace ``world``. A context manager."""

    def __init__(self, bed: Bed) -> None:
        self.bed = bed
        #: Who was seen to call, by address.
        self.callers: list[str] = []
        self._doors: list[socket.socket] = []
        self.resolver: Program | None = None

    def __enter__(self) -> World:
        for port, serve in ((80, _greet), (443, _greet), (SOURCE, _pour), (SINK, _drain)):
            door = self.bed.inside("world", lambda port=port: socket.create_server(
                ("::", port), family=socket.AF_INET6, dualstack_ipv6=True))  # fmt: skip
            self._doors.append(door)
            threading.Thread(target=self._welcome, args=(door, serve), daemon=True).start()
        self.start_resolver()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        for door in self._doors:
            with contextlib.suppress(OSError):
                door.shutdown(socket.SHUT_RDWR)
            door.close()

    def start_resolver(self) -> None:
        """Every name is SITE, but evil.example, which is a computer in the box's own house."""
        self.resolver = self.bed.start(
            "world",
            ["dnsmasq", "-k", "--conf-file=/dev/null", "--no-resolv", "--no-hosts", "--pid-file=",
             f"--listen-address={RESOLVER},{RESOLVER6}", "--bind-interfaces",
             f"--address=/#/{SITE}", f"--address=/#/{SITE6}",
             "--address=/evil.example/192.168.77.50"],
        )  # fmt: skip
        wait_for(
            lambda: RESOLVER in self.bed.run("world", "ss -Hlnu sport = 53").stdout,
            "the world's resolver listens",
        )

    def _welcome(self, door: socket.socket, serve: Callable[[socket.socket], None]) -> None:
        while True:
            try:
                guest, caller = door.accept()
            except OSError:
                return
            self.callers.append(caller[0].removeprefix("::ffff:"))
            threading.Thread(target=_serve, args=(guest, serve), daemon=True).start()


def _serve(guest: socket.socket, serve: Callable[[socket.socket], None]) -> None:
    with guest, contextlib.suppress(OSError):
        guest.settimeout(10)
        serve(guest)


def _greet(guest: socket.socket) -> None:
    guest.recv(4096)
    guest.sendall(GREETING)


def _pour(guest: socket.socket) -> None:
    while True:
        guest.sendall(bytes(65536))


def _drain(guest: socket.socket) -> None:
    while guest.recv(65536):
        pass


def measured(connection: socket.socket, *, sends: bool, for_s: float) -> list[tuple[float, int]]:
    """Seconds since the beginning and bytes until then, again and again."""
    begun = time.monotonic()
    total, points = 0, [(0.0, 0)]
    connection.settimeout(0.1)
    # Small, so that what we count has left.
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 32768)
    while points[-1][0] < for_s:
        with contextlib.suppress(TimeoutError):
            total += connection.send(bytes(8192)) if sends else len(connection.recv(65536))
        points.append((time.monotonic() - begun, total))
    return points


def kbit_s(points: list[tuple[float, int]], after_s: float) -> float:
    """The rate after the first seconds, in which the allowance for a start is used up."""
    rest = [point for point in points if point[0] >= after_s]
    (begun, before), (ended, total) = rest[0], rest[-1]
    return (total - before) * 8 / 1000 / (ended - begun)


@contextlib.contextmanager
def world_of(bed: Bed) -> Iterator[World]:
    """The world, and the box told of its resolver as a DHCP client would be."""
    folder = bed.path("/etc/netns/box")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "resolv.conf").write_text(f"nameserver {RESOLVER}\noptions timeout:1 attempts:1\n")
    with World(bed) as world:
        yield world
