"""Boxes whose peers run in threads, at loopback: real sockets, real logs."""

from __future__ import annotations

import threading
from collections.abc import Sequence

from peers.boxes import Box

from kiezbox.peers.home import Home, Members
from kiezbox.peers.peers import Peers, Where
from kiezbox.settings.kiez import Place


class Running:
    """A context manager. ``places`` may be changed meanwhile."""

    def __init__(
        self,
        box: Box,
        places: Sequence[Place] = (),
        *,
        listen: str = "127.0.0.1:0",
        audit_every_s: float = 3600.0,
        members: Members | None = None,
    ) -> None:
        self.box, self.places = box, list(places)
        self._listen, self._audit_every_s, self._members = listen, audit_every_s, members
        self._ready, self._stop = threading.Event(), threading.Event()
        self.error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Running:
        self._thread.start()
        assert self._ready.wait(10), "the box did not start"
        if self.error:
            raise self.error
        return self

    def __exit__(self, *_: object) -> None:
        self.end()
        if self.error:
            raise self.error

    def end(self) -> None:
        self._stop.set()
        if hasattr(self, "peers"):
            self.peers.wake()
        self._thread.join(10)
        assert not self._thread.is_alive()

    @property
    def place(self) -> Place:
        return Place(self.box.name, "127.0.0.1", self.peers.port)

    def is_connected(self, other: str) -> bool:
        return any(each["box"] == other and each["is_connected"] for each in self.peers.facts())

    def _run(self) -> None:
        try:
            home = Home(self.box.settings, self.box.clock, self._members)
            try:
                self.peers = Peers(
                    home, self._listen, lambda: Where((), self.places), self.box.clock,
                    audit_every_s=self._audit_every_s,
                )  # fmt: skip
                try:
                    self._ready.set()
                    while not self._stop.is_set():
                        self.peers.step(0.5)
                finally:
                    self.peers.close()
            finally:
                home.close()
        except BaseException as error:
            self.error = error
        finally:
            self._ready.set()
