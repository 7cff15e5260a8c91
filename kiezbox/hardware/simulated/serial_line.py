"""A simulated serial sensor behind a pseudo-terminal, so that unchanged pyserial opens it.

Modelled: raw bytes both ways, a stable name (``…/ttyUSB0``) over a device that changes with
every plugging in, pulling the plug (the open port then fails with EIO, as a USB adapter's does),
bytes lost when nobody reads them.
Not modelled: parity, modem lines, and the baud rate but for the fault ``half_speed``: a port opened
at the wrong speed works here.
"""

from __future__ import annotations

import errno
import logging
import os
import random
import select
import threading
import time
import tty
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Protocol

from kiezbox.hardware.simulated._noise import one_bit_flipped

__all__ = ["FAULTS", "SerialDevice", "SerialFault", "SerialLine"]

log = logging.getLogger("kiezbox.bench")

#: How often a device is asked whether it has something to say. SDS011 and its like send once a
#: second; a reader's time-out is a second or more.
TICK_S = 0.1


class SerialDevice(Protocol):
    """The sensor at the end of the cable. One thread at a time calls it."""

    def received(self, data: bytes) -> bytes:
        """Take bytes as they arrive, in any pieces; return what it answers."""

    def due(self, now_monotonic: float) -> bytes:
        """What it sends by itself up to now. Asked ten times a second, or every ``tick_s`` if it
        has such an attribute; time.monotonic(). If it has a ``lock``, that is held until what it
        said is on the line."""


@dataclass
class SerialFault:
    """What goes wrong on one line. The device does not notice."""

    is_unplugged = False

    def spoil(self, data: bytes) -> bytes:
        """What of a message arrives at the box."""
        return data

    def late(self, now_monotonic: float) -> bytes:
        """What arrives by now of messages said before."""
        return b""


@dataclass
class Unplug(SerialFault):
    """The adapter is pulled out: the port's name is gone, an open port fails."""

    is_unplugged = True


@dataclass
class Cut(SerialFault):
    """A bad contact: of each message only the first part arrives."""

    share: float = 0.5

    def spoil(self, data: bytes) -> bytes:
        return data[: int(len(data) * self.share)]


@dataclass
class Garbage(SerialFault):
    """The wrong speed, or a disturbed line: as many bytes, but any."""

    seed: int = 1

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)

    def spoil(self, data: bytes) -> bytes:
        return self._random.randbytes(len(data))


@dataclass
class Silence(SerialFault):
    """The port is there, the sensor says nothing."""

    def spoil(self, data: bytes) -> bytes:
        return b""


@dataclass
class EveryNthError(SerialFault):
    """A bad contact now and then: each n-th message is lost."""

    n: int = 3
    seen: int = 0

    def spoil(self, data: bytes) -> bytes:
        self.seen += 1
        return data if self.seen % self.n else b""


@dataclass
class BitFlip(SerialFault):
    """A disturbed line: in each n-th message one bit is wrong."""

    n: int = 1
    seed: int = 1
    seen: int = 0

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)

    def spoil(self, data: bytes) -> bytes:
        self.seen += 1
        if self.seen % self.n:
            return data
        return one_bit_flipped(data, self._random)


@dataclass
class Slow(SerialFault):
    """A choked adapter: a byte each so many seconds. What is said meanwhile is lost."""

    seconds: float = 0.1

    def __post_init__(self) -> None:
        self._waiting = b""
        self._next_at = 0.0

    def spoil(self, data: bytes) -> bytes:
        self._waiting = self._waiting or data
        return b""

    def late(self, now_monotonic: float) -> bytes:
        if now_monotonic < self._next_at:
            return b""
        self._next_at = now_monotonic + self.seconds
        byte, self._waiting = self._waiting[:1], self._waiting[1:]
        return byte


@dataclass
class HalfSpeed(SerialFault):
    """The box listens at half the speed at which the sensor talks."""

    def spoil(self, data: bytes) -> bytes:
        return at_half_speed(data)


def at_half_speed(data: bytes) -> bytes:
    """What a UART at half the sender's speed makes of bytes sent without a pause (8N1).

    A byte on the line is a low start bit, eight bits from the lowest, a high stop bit. The slow
    receiver looks at every second of them, from the middle of its own start bit on. Where it finds
    no stop bit it reports 0, as Linux does (termios(3), PARMRK).

    >>> at_half_speed(bytes(1)).hex()
    'f8'
    """
    line = [level for byte in data for level in (0, *(byte >> bit & 1 for bit in range(8)), 1)]
    line += [1] * 20
    heard, at = bytearray(), 0
    while at < len(line) - 20:
        if line[at] or line[at + 1]:
            at += 1  # no start bit, or too short for one
            continue
        seen = [line[at + 3 + 2 * bit] for bit in range(8)]
        has_stop = line[at + 19]
        heard.append(sum(level << bit for bit, level in enumerate(seen)) if has_stop else 0)
        at += 19
    return bytes(heard)


FAULTS: dict[str, type[SerialFault]] = {
    "unplug": Unplug,
    "cut": Cut,
    "garbage": Garbage,
    "silence": Silence,
    "half_speed": HalfSpeed,
    "every_nth_error": EveryNthError,
    "bit_flip": BitFlip,
    "slow": Slow,
}


class SerialLine:
    """One cable with its device; ``path`` is the port to open."""

    def __init__(self, path: str, device: SerialDevice) -> None:
        self.path = path
        self._device = device
        self._tick_s = getattr(device, "tick_s", TICK_S)
        self._speaking: AbstractContextManager[object] = getattr(device, "lock", nullcontext())
        self._fault = SerialFault()
        self._lock = threading.Lock()
        self._is_closed = False
        self._master: int | None = None
        self._slave: int | None = None
        self._wake_read, self._wake_write = os.pipe()
        os.set_blocking(self._wake_write, False)
        try:
            self._plug_in()
        except BaseException:
            os.close(self._wake_read)
            os.close(self._wake_write)
            raise
        name = f"bench-{os.path.basename(path)}"
        self._thread = threading.Thread(target=self._pump, name=name, daemon=True)
        self._thread.start()

    def fault(self, fault: SerialFault | None) -> None:
        """Let something go wrong, or (None) right again: an unplugged cable is plugged in."""
        with self._lock:
            if self._is_closed:
                return
            self._fault = fault or SerialFault()
            if self._fault.is_unplugged:
                self._pull_out()
            elif self._master is None:
                self._plug_in()
            self._wake()

    def close(self) -> None:
        """Pull the cable for good. Idempotent."""
        with self._lock:
            if self._is_closed:
                return
            self._is_closed = True
            self._wake()
        self._thread.join(5)
        self._pull_out()
        os.close(self._wake_read)
        os.close(self._wake_write)

    def _plug_in(self) -> None:
        master, slave = os.openpty()
        self._master, self._slave = master, slave
        # Both ends share it; without, the device would hear its own words as an echo until
        # somebody opens the port.
        tty.setraw(slave)
        os.set_blocking(master, False)
        fresh = f"{self.path}.new"
        if os.path.lexists(fresh):
            os.unlink(fresh)
        os.symlink(os.ttyname(slave), fresh)
        os.replace(fresh, self.path)

    def _pull_out(self) -> None:
        if self._master is None or self._slave is None:
            return
        os.unlink(self.path)
        # Our own slave end was only kept so that the master does not fail while nobody has
        # the port open; with the master closed, an open port fails at once.
        os.close(self._slave)
        os.close(self._master)
        self._master = self._slave = None

    def _wake(self) -> None:
        try:
            os.write(self._wake_write, b"!")
        except BlockingIOError:
            pass  # the pipe is full of wake-ups already

    def _pump(self) -> None:
        while True:
            with self._lock:
                if self._is_closed:
                    return
                watched = [self._wake_read]
                pause = None
                if self._master is not None:
                    watched.append(self._master)
                    pause = self._tick_s
            try:
                readable, _, _ = select.select(watched, [], [], pause)
            except OSError as error:
                # The cable was pulled between the two lines above.
                if error.errno != errno.EBADF:
                    raise
                continue
            if self._wake_read in readable:
                os.read(self._wake_read, 4096)
                continue
            with self._lock:
                if self._master is not None:
                    self._exchange(self._master)

    def _exchange(self, master: int) -> None:
        with self._speaking:
            self._exchange_now(master)

    def _exchange_now(self, master: int) -> None:
        try:
            data = os.read(master, 4096)
        except BlockingIOError:
            data = b""
        try:
            answers = [self._device.received(data)] if data else []
            answers.append(self._device.due(time.monotonic()))
        except Exception:
            # A broken model must not take the other lines of the bench with it.
            log.exception("bench: the model behind %s failed", self.path)
            return
        arriving = [self._fault.spoil(answer) for answer in answers if answer]
        arriving.append(self._fault.late(time.monotonic()))
        for data in arriving:
            if data:
                self._send(master, data)

    def _send(self, master: int, data: bytes) -> None:
        try:
            os.write(master, data)
        except BlockingIOError:
            pass  # nobody reads: as on a real line, the bytes are lost
