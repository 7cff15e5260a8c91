"""What the hardware's tests solder onto a bench."""

from __future__ import annotations

import errno
import threading
import time
from collections.abc import Callable

from kiezbox.clock import SystemClock
from kiezbox.hardware import Deadline

#: Writing to this register is not acknowledged, as a chip that resets itself does.
REFUSING = 0xEE


class Registers:
    """256 registers; the first byte written chooses one, every further byte moves on by one."""

    def __init__(self, seed: int = 0) -> None:
        self.cells = bytearray((7 * cell + seed) % 256 for cell in range(256))
        self.pointer = 0

    def write(self, data: bytes) -> None:
        if data[:1] == bytes([REFUSING]):
            raise OSError(errno.EREMOTEIO, "refused")
        for index, byte in enumerate(data):
            if index == 0:
                self.pointer = byte
            else:
                self.cells[self.pointer] = byte
                self.pointer = (self.pointer + 1) % 256

    def read(self, count: int) -> bytes:
        answer = bytes(self.cells[(self.pointer + step) % 256] for step in range(count))
        self.pointer = (self.pointer + count) % 256
        return answer


class Parrot:
    """A serial device that repeats what it hears in brackets, and says what it is told to."""

    def __init__(self) -> None:
        self.to_say = b""

    def received(self, data: bytes) -> bytes:
        return b"<" + data + b">"

    def due(self, now_monotonic: float) -> bytes:
        said, self.to_say = self.to_say, b""
        return said


def deadline(seconds: float) -> Deadline:
    """A read that begins now."""
    started = Deadline(SystemClock())
    started.start(seconds)
    return started


def wait_until(condition: Callable[[], bool], limit_s: float = 5.0) -> bool:
    """Whether it became true in time."""
    until = time.monotonic() + limit_s
    while not condition():
        if time.monotonic() > until:
            return False
        time.sleep(0.005)
    return True


def threads(name: str) -> int:
    """How many threads of that name there are."""
    return sum(thread.name.startswith(name) for thread in threading.enumerate())
