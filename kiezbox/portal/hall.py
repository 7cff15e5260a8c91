"""The hall behind the doors: who is let in, who must leave for that, and when a door rests."""

from __future__ import annotations

import select
import sys
import time

from kiezbox.portal.crowd import Crowd, most_visits, plain_address
from kiezbox.portal.loop import Loop

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from kiezbox.portal.visit import Door, Visit

__all__ = ["Hall"]

#: Let in at once, before the others have their turn.
MOST_ACCEPTS = 64

_IN = select.EPOLLIN


class Hall(Loop):
    """All visits by all doors, until ``close``. What is done for a visit is the subclass's."""

    def __init__(self, doors: list[Door], *, most: int = 0) -> None:
        super().__init__()
        self._doors = doors
        self._visits: dict[int, Visit] = {}
        self.crowd = Crowd(most or most_visits())
        self._now = time.monotonic()
        #: A door is shut for a moment.
        self._is_resting = False
        for door in doors:
            self._open(door)

    def close(self) -> None:
        for visit in list(self._visits.values()):
            self._end(visit)
        super().close()

    # --- what the subclass does ------------------------------------------------------------------

    def _welcome(self, visit: Visit) -> None:
        """Somebody has come in."""
        raise NotImplementedError

    def _read(self, visit: Visit) -> None:
        """Something has come on it. May raise OSError."""
        raise NotImplementedError

    def _forget(self, visit: Visit) -> None:
        """Nobody waits for its answer any more."""
        raise NotImplementedError

    # --- coming and going ------------------------------------------------------------------------

    def _open(self, door: Door) -> None:
        if not door.is_open and self._stop_at is None:
            door.is_open = True
            self.listen_to(door.file, lambda: self._accept(door))

    def _shut(self, door: Door) -> None:
        if door.is_open:
            door.is_open = False
            self.listen_no_more_to(door.file)

    def _accept(self, door: Door) -> None:
        # Whoever else has the socket may make it block again at any moment, as systemd does when it
        # hands it to another unit; accepting would then wait for ever, and all guests with it (seen
        # in the bed of units). So nobody is accepted who was not seen at the door.
        door.listener.setblocking(False)
        has_made_room = False
        for _ in range(MOST_ACCEPTS):
            if not door.has_somebody():
                return
            try:
                file, address = door.listener._accept()  # type: ignore[attr-defined]
            except (BlockingIOError, ConnectionAbortedError):
                return
            except OSError:
                # No descriptors or no memory left: somebody makes room. If that does not help,
                # the door rests: a listener that stays readable would burn the processor.
                leaving = self.crowd.greediest(self._now)
                if has_made_room or leaving is None:
                    self._shut(door)
                    self._is_resting = True
                    return
                has_made_room = True
                self._end(leaving)
                continue
            has_made_room = False
            client = plain_address(address[0])
            self._end(self.crowd.in_the_way(client, self._now))
            try:
                visit = door.visit(file, client, self._now)
            except OSError:
                continue
            if visit is not None:
                self._let_in(visit)

    def _let_in(self, visit: Visit) -> None:
        visit.party = self.crowd.add(visit)
        self._welcome(visit)
        self._visits[visit.file] = visit
        visit.mask = _IN
        self._epoll.register(visit.file, _IN)
        self._safely(self._read, visit)

    def _end(self, visit: Visit | None) -> None:
        """Idempotent."""
        # A number of a descriptor is somebody else's as soon as it is closed.
        if visit is not None and self._visits.get(visit.file) is visit:
            del self._visits[visit.file]
            if visit.is_waiting:
                self._forget(visit)
            self.crowd.remove(visit)
            visit.socket.close()

    def _want(self, visit: Visit, mask: int) -> None:
        if visit.mask != mask:
            visit.mask = mask
            self._epoll.modify(visit.file, mask)

    def _is_empty(self) -> bool:
        return not self._visits

    def _safely(self, step: Callable[[Visit], None], visit: Visit) -> None:
        try:
            step(visit)
        except OSError:
            # It has gone.
            self._end(visit)
        except Exception:
            # The outermost loop: whoever comes next shall find an open door.
            sys.excepthook(*sys.exc_info())
            self._end(visit)
