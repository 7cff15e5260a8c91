"""gpiozero's pins on a simulated bench (``sim:PATH``); the bench pushes every change.

The bounce time is not applied here: the bench's lines change when told to, and do not bounce.
"""

from __future__ import annotations

import socket
import threading
import time

from kiezbox.errors import SensorMissing
from kiezbox.hardware import wire
from kiezbox.hardware.i2c_wire import BENCH_GONE_HINT
from kiezbox.hardware.pins import Line, LineFactory, start

#: How long a configured line may take to report its level, and how long a connection may.
PATIENCE_S = 1.0

#: Pause before the next attempt to reach a bench that has gone.
RETRY_S = 0.5


class WireFactory(LineFactory):
    """A thread keeps the connection while lines are in use; the levels are what came last."""

    def __init__(self, path: str) -> None:
        super().__init__()
        self._path = path
        self._changed = threading.Condition()
        self._lines: dict[int, Line] = {}
        self._levels: dict[int, bool] = {}
        #: The level each line last told its device; it outlives a lost connection, so that a
        #: change meanwhile is noticed as an edge.
        self._told: dict[int, bool] = {}
        self._connection: socket.socket | None = None
        self._thread: threading.Thread | None = None
        self._stop = threading.Event()

    def configure(self, line: Line) -> None:
        number = line.number_on_chip
        with self._changed:
            self._lines[number] = line
            if self._thread is None:
                self._stop.clear()
                self._thread = start("pins-wire", self._run)
            self._levels.pop(number, None)
            if self._connection is not None:
                self._say(self._connection, line)
            if threading.current_thread() is self._thread:
                # An event switches an output: the answer can only come when this is done.
                self._levels[number] = line.use == "high"
                return
            self._changed.wait_for(lambda: number in self._levels, PATIENCE_S)
            if number not in self._levels:
                del self._lines[number]
                raise self._gone()

    def read(self, number: int) -> bool:
        with self._changed:
            if number not in self._levels:
                raise self._gone()
            return self._levels[number]

    def release(self, number: int) -> None:
        with self._changed:
            line = self._lines.pop(number, None)
            self._levels.pop(number, None)
            self._told.pop(number, None)
            if line is not None and self._connection is not None:
                self._say(self._connection, line)

    def close(self) -> None:
        super().close()
        with self._changed:
            thread, self._thread = self._thread, None
            self._stop.set()
            self._hang_up()
        if thread is not None and thread is not threading.current_thread():
            thread.join(5)

    def _gone(self) -> SensorMissing:
        return SensorMissing(
            f"the simulated bench at {self._path} does not answer", hint=BENCH_GONE_HINT
        )

    def _say(self, connection: socket.socket, line: Line) -> None:
        pair = wire.PAIR.pack(line.number_on_chip, wire.USES.index(line.use))
        try:
            connection.sendall(wire.frame(wire.LINE, pair))
        except OSError:
            # The receiving thread notices, and says it again to the next connection.
            self._hang_up()

    def _hang_up(self) -> None:
        self._levels.clear()
        if self._connection is not None:
            try:
                self._connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass  # the bench was faster

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                connection = wire.connect(self._path, PATIENCE_S)
            except OSError:
                self._stop.wait(RETRY_S)
                continue
            with connection:
                self._listen(connection)

    def _listen(self, connection: socket.socket) -> None:
        with self._changed:
            if self._stop.is_set():
                return
            self._connection = connection
            for line in self._lines.values():
                self._say(connection, line)
        try:
            while True:
                kind, body = wire.receive(connection, None)
                if kind != wire.LEVEL or len(body) != wire.PAIR.size:
                    raise ConnectionAbortedError(f"a frame of kind 0x{kind:02x}")
                self._heard(*wire.PAIR.unpack(body))
        except OSError:
            pass  # the bench is gone: _run tries again
        finally:
            with self._changed:
                self._connection = None
                self._levels.clear()

    def _heard(self, number: int, level: int) -> None:
        high = bool(level)
        with self._changed:
            line = self._lines.get(number)
            if line is None:
                return
            self._levels[number] = high
            before = self._told.get(number)
            self._told[number] = high
            self._changed.notify_all()
        if before is not None and before != high and line.is_watched:
            line.changed(time.monotonic(), high)
