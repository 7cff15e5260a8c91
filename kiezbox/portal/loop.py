"""What every event loop needs: an epoll, a bell that wakes it, and an end."""

from __future__ import annotations

import os
import select
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Loop"]


class _Bell:
    """An eventfd that lasts as long as anybody can ring it: a thread that ends after its loop must
    not write into whatever file has the number by then.
    """

    def __init__(self) -> None:
        self.file = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)

    def __del__(self) -> None:
        os.close(self.file)


class Loop:
    """Runs ``_turn`` until stopped and until ``_is_empty``. For one thread but for ``ring``."""

    def __init__(self) -> None:
        self._epoll = select.epoll()
        #: Descriptor → what to do when it is ready.
        self._others: dict[int, Callable[[], None]] = {}
        self._stop_at: float | None = None
        self._bell = _Bell()
        self.listen_to(self._bell.file, self._rung)

    def run(self) -> None:
        """Until stopped."""
        while not self._is_over():
            self._turn()

    def stop(self, within_s: float = 2.0) -> None:
        """End what was begun and no more; may be called by a signal handler."""
        self._stop_at = time.monotonic() + within_s
        self.ring()

    def ring(self) -> None:
        """Wake the loop; from any thread."""
        os.eventfd_write(self._bell.file, 1)

    def close(self) -> None:
        """Idempotent."""
        self._epoll.close()

    def listen_to(self, file: int, act: Callable[[], None]) -> None:
        """Call ``act`` whenever the descriptor can be read."""
        self._others[file] = act
        self._epoll.register(file, select.EPOLLIN)

    def listen_no_more_to(self, file: int) -> None:
        """Idempotent; to be called before the descriptor is closed."""
        if self._others.pop(file, None) is not None:
            self._epoll.unregister(file)

    def _is_over(self) -> bool:
        if self._stop_at is None:
            return False
        return self._is_empty() or time.monotonic() >= self._stop_at

    def _rung(self) -> None:
        os.eventfd_read(self._bell.file)

    def _is_empty(self) -> bool:
        """Whether nothing is left that was begun."""
        raise NotImplementedError

    def _turn(self) -> None:
        """Wait for something, and see to it."""
        raise NotImplementedError
