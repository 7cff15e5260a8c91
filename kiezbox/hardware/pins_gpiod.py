"""gpiozero's pins on the kernel's GPIO character device (``/dev/gpiochipN``), through gpiod 2.

Rather than lgpio, which has no wheel for Python 3.13, asks which Raspberry Pi this is, makes a
FIFO in the working directory and polls; gpiod sleeps in the kernel until an edge comes.

``bounce_time`` is the kernel's debouncing: a change counts once the line has been still for so
long (gpiozero's own idea is to believe the first edge and be deaf afterwards).
"""

from __future__ import annotations

import errno
import os
import select
import threading
from datetime import timedelta

import gpiod
from gpiod.line import Bias, Direction, Edge, Value

from kiezbox.errors import SensorError, SensorMissing
from kiezbox.hardware.pins import Line, LineFactory, start

_BIAS = {"floating": Bias.DISABLED, "up": Bias.PULL_UP, "down": Bias.PULL_DOWN}
_EDGE = {"both": Edge.BOTH, "rising": Edge.RISING, "falling": Edge.FALLING, "none": Edge.NONE}

_OPENING = {
    errno.ENOENT: (
        "there is no such GPIO chip",
        "Correct hardware.gpio in kiezbox.toml; `gpiodetect` lists the chips.",
    ),
    errno.EACCES: (
        "permission denied",
        "By hand: with sudo. For the node: sudo usermod -aG gpio kiezbox, then restart it.",
    ),
    errno.EBUSY: ("the line is in use", "`gpioinfo` tells by which program."),
    # libgpiod's answer to a file that is something else.
    errno.ENODEV: ("it is not a GPIO chip", "Correct hardware.gpio; `gpiodetect` lists the chips."),
}


class GpiodFactory(LineFactory):
    """Each line is a request of its own; one thread waits for the edges of all."""

    def __init__(self, path: str) -> None:
        super().__init__()
        self._path = path
        # gpiod's requests want to be called by one thread at a time.
        self._lock = threading.Lock()
        self._requests: dict[int, gpiod.LineRequest] = {}
        self._lines: dict[int, Line] = {}
        self._thread: threading.Thread | None = None
        self._wake_read, self._wake_write = os.pipe()
        self._is_closed = False

    def configure(self, line: Line) -> None:
        number = line.number_on_chip
        settings = _settings(line)
        with self._lock:
            request = self._requests.get(number)
            try:
                if request is None:
                    self._requests[number] = gpiod.request_lines(
                        self._path, consumer="kiezbox", config={number: settings}
                    )
                else:
                    request.reconfigure_lines({number: settings})
            except (OSError, ValueError) as error:
                raise self._translated(number, error) from error
            self._lines[number] = line
            if line.is_watched:
                if self._thread is None:
                    self._thread = start("pins-gpiod", self._run)
                os.write(self._wake_write, b"!")

    def read(self, number: int) -> bool:
        with self._lock:
            if number not in self._requests:
                raise self._gone(number)
            try:
                return self._requests[number].get_value(number) is Value.ACTIVE
            except OSError as error:
                self._drop(number)
                raise self._gone(number) from error

    def release(self, number: int) -> None:
        with self._lock:
            self._drop(number)

    def close(self) -> None:
        super().close()
        with self._lock:
            if self._is_closed:
                return
            self._is_closed = True
            os.write(self._wake_write, b"!")
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(5)
        os.close(self._wake_read)
        os.close(self._wake_write)

    def _drop(self, number: int) -> None:
        self._lines.pop(number, None)
        request = self._requests.pop(number, None)
        if request is not None:
            request.release()

    def _gone(self, number: int) -> SensorMissing:
        return SensorMissing(
            f"line {number} of {self._path} is gone", hint="Was the GPIO driver taken away?"
        )

    def _translated(self, number: int, error: Exception) -> SensorError:
        place = f"line {number} of {self._path}"
        if isinstance(error, ValueError):
            return SensorMissing(
                f"there is no {place}", hint="`gpioinfo` lists the lines; correct the pin number."
            )
        code = getattr(error, "errno", None) or 0
        reason, hint = _OPENING.get(code, (os.strerror(code).lower(), ""))
        kind = SensorError if code == errno.EBUSY else SensorMissing
        return kind(f"cannot use {place}: {reason}", hint=hint)

    def _run(self) -> None:
        while True:
            with self._lock:
                if self._is_closed:
                    return
                poll = select.poll()
                poll.register(self._wake_read, select.POLLIN)
                numbers = {}
                for number, line in self._lines.items():
                    if line.is_watched:
                        fd = self._requests[number].fd
                        poll.register(fd, select.POLLIN)
                        numbers[fd] = number
            for fd, events in poll.poll():
                if fd == self._wake_read:
                    os.read(self._wake_read, 4096)
                else:
                    self._edges(numbers[fd], has_ended=not events & select.POLLIN)

    def _edges(self, number: int, *, has_ended: bool) -> None:
        with self._lock:
            request, line = self._requests.get(number), self._lines.get(number)
            # Asked again under the lock: the line may have been given back and asked for anew
            # since poll() returned, and reading without an event would block.
            if request is None or line is None:
                return
            if has_ended:
                # The chip is gone; the next read says so. Polling its dead file would spin.
                self._drop(number)
                return
            events = request.read_edge_events() if request.wait_edge_events(0) else []
        for event in events:
            high = event.event_type is gpiod.EdgeEvent.Type.RISING_EDGE
            line.changed(event.timestamp_ns / 1e9, high)


def _settings(line: Line) -> gpiod.LineSettings:
    if line.function == "output":
        value = Value.ACTIVE if line.use == "high" else Value.INACTIVE
        return gpiod.LineSettings(direction=Direction.OUTPUT, output_value=value)
    return gpiod.LineSettings(
        direction=Direction.INPUT,
        bias=_BIAS[line.use],
        edge_detection=_EDGE[line.edges] if line.is_watched else Edge.NONE,
        debounce_period=timedelta(seconds=line.bounce or 0),
    )
