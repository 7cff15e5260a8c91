"""The node's part in the Kiez: keeps the connections with other boxes, and says how they are."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

from kiezbox.clock import Clock, SystemClock
from kiezbox.errors import KiezboxError
from kiezbox.neighbours import known
from kiezbox.node.worker import Worker
from kiezbox.settings import Settings
from kiezbox.settings.kiez import place_of
from kiezbox.store.database import TROUBLE

if TYPE_CHECKING:
    from kiezbox.peers.home import Home
    from kiezbox.peers.peers import Peers, Where

__all__ = ["Peering", "peering_worker"]

log = logging.getLogger("kiezbox")

#: Name of the worker, and of its faults.
SOURCE = "peers"

#: The longest wait of one step, and the pause after a failure.
STEP_S, RETRY_S = 1.0, 10.0


class Memory(Protocol):
    """The part of ``store.Store`` that is needed."""

    def open_fault(self, source: str, kind: str, message: str, hint: str = "") -> bool: ...
    def close_fault(self, source: str, kind: str | None = None) -> bool: ...


class Telling(Protocol):
    """The part of ``node.facts.Facts`` that is needed."""

    def set_peers(self, peers: list[dict[str, Any]]) -> None: ...


class Peering:
    """The task. Whatever goes wrong, all of it is opened anew; what was taken in is in the log."""

    def __init__(
        self,
        settings: Settings,
        store: Memory,
        clock: Clock,
        facts: Telling,
        taken: Callable[[], None],
    ) -> None:
        """``taken`` is called when something new is in the log of words."""
        self._settings, self._store, self._clock = settings, store, clock
        self._facts, self._taken = facts, taken
        self._machine = SystemClock()
        self._home: Home | None = None
        self._peers: Peers | None = None
        self._members = sorted(set(settings.kiez.members or ()) - {settings.box.id})
        self._places = [place for each in settings.kiez.peers if (place := place_of(each))]
        #: A fault may be open from before this start.
        self._is_silent: bool | None = None

    def step(self) -> float:
        try:
            peers = self._peers or self._open()
            peers.step(STEP_S)
        except (KiezboxError, OSError, ImportError, *TROUBLE) as error:
            self.close()
            self._tell(error)
            return RETRY_S
        self._say(peers)
        return 0.0

    def interrupt(self) -> None:
        """End the wait."""
        peers = self._peers
        if peers is not None:
            peers.wake()

    def close(self) -> None:
        """Idempotent."""
        peers, home = self._peers, self._home
        self._peers = self._home = None
        if peers is not None:
            peers.close()
        if home is not None:
            home.close()

    def _open(self) -> Peers:
        from kiezbox.peers.home import Home
        from kiezbox.peers.peers import Peers

        self._home = Home(self._settings, self._clock)
        self._peers = Peers(
            self._home, self._settings.kiez.listen, self._find, self._clock, taken=self._taken
        )
        self._store.close_fault(SOURCE, "unusable")
        self._store.close_fault(SOURCE, "missing")
        return self._peers

    def _find(self) -> Where:
        from kiezbox.peers.calling import Heard
        from kiezbox.peers.peers import Where

        # respondd's clock is the machine's.
        found = known.read(self._settings.network.run_dir, self._machine.now())
        heard = []
        for each in found.neighbours if found else ():
            ways = [f"{each.link_local}%{found.interface}" if found and each.link_local else "",
                    each.address]  # fmt: skip
            heard.append(Heard(each.id, tuple(way for way in ways if way)))
        return Where(heard, self._places)

    def _say(self, peers: Peers) -> None:
        said = {each["box"]: each for each in peers.facts()}
        for box in self._members:
            said.setdefault(
                box,
                {"box": box, "is_connected": False, "heard_at": None, "received": 0, "given": 0},
            )
        self._facts.set_peers([said[box] for box in sorted(said)])
        is_silent = bool(self._members) and peers.quiet_s() > self._settings.kiez.silent_s
        if is_silent == self._is_silent:
            return
        self._is_silent = is_silent
        if is_silent:
            names = ", ".join(self._members)
            self._store.open_fault(
                SOURCE,
                "silent",
                f"no other box of the Kiez has been heard for long ({names})",
                "Are they on? `kiezbox network neighbours` shows who is in the mesh; boxes"
                " elsewhere need an address in kiez.peers (docs/peers.md).",
            )
        else:
            self._store.close_fault(SOURCE, "silent")

    def _tell(self, error: Exception) -> None:
        kind, hint = "unusable", getattr(error, "hint", "")
        if isinstance(error, ImportError):
            kind, hint = "missing", "pip install 'kiezbox[words]'"
        message = f"words cannot be exchanged with other boxes: {error}"
        if self._store.open_fault(SOURCE, kind, message, hint):
            log.warning("%s: %s", SOURCE, message)


def peering_worker(
    settings: Settings,
    store: Memory,
    clock: Clock,
    facts: Telling,
    taken: Callable[[], None],
    on_trouble: Callable[[str, str], None],
) -> Worker:
    return Worker(
        SOURCE,
        lambda counts: Peering(settings, store, clock, facts, taken),
        clock,
        # A damaged log is copied page by page when it is opened.
        step_limit_s=600.0,
        on_trouble=on_trouble,
    )
