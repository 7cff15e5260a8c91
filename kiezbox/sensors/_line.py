"""A serial port, the frames in what it says, and what to say when there are none.

What all serial drivers share: old bytes are dropped when a read begins, a read never waits beyond
its deadline, and an error says whether nothing came, or nothing whole.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from typing import Any, ClassVar, Generic, Protocol, TypeVar

from kiezbox.errors import (
    SensorError,
    SensorGarbled,
    SensorMissing,
    SensorTimeout,
    SettingsError,
)
from kiezbox.hardware import Deadline, SensorHardware
from kiezbox.sensors._border import translated
from kiezbox.settings import SensorSettings, setting

__all__ = [
    "FixedFrames",
    "Line",
    "Parser",
    "RestingSettings",
    "opened",
    "trimmed",
    "warm_up_setting",
]

F = TypeVar("F")
F_co = TypeVar("F_co", covariant=True)

#: How long one look at the port waits for a byte. Shorter than the margin, or a read that hears
#: nothing would end by the deadline's error and not by the driver's.
LOOK_S = 0.25
#: Kept from the deadline, so that it is the driver that says what was wrong.
MARGIN_S = 0.3


class Parser(Protocol[F_co]):
    """Finds frames in a stream that may begin anywhere and break at any byte."""

    def feed(self, data: bytes) -> Sequence[F_co]:
        """The frames that these bytes complete, in their order. Never raises."""


class FixedFrames(Generic[F]):
    """A parser for frames of one length that begin with one byte. What does not fit costs one byte,
    so a head within a broken frame is found.
    """

    HEAD: ClassVar[int]
    LENGTH: ClassVar[int]

    def __init__(self) -> None:
        self._rest = b""

    def frame(self, whole: bytes) -> F | None:
        """What so many bytes, the head first, say; None: they are no frame."""
        raise NotImplementedError

    def feed(self, data: bytes) -> list[F]:
        """The frames that these bytes complete, in their order. Never raises."""
        data = self._rest + data
        frames: list[F] = []
        at = data.find(self.HEAD)
        while at >= 0 and len(data) - at >= self.LENGTH:
            found = self.frame(data[at : at + self.LENGTH])
            if found is not None:
                frames.append(found)
            at = data.find(self.HEAD, at + (1 if found is None else self.LENGTH))
        self._rest = data[at:] if at >= 0 else b""
        return frames


class Line(Generic[F]):
    """An open port with its parser. Errors of the port pass as they are (``SensorMissing``)."""

    def __init__(
        self,
        port: Any,
        deadline: Deadline,
        make_parser: Callable[[], Parser[F]],
        part: str,
        hint: str,
    ) -> None:
        """``part`` starts an error ("the SPS30 at /dev/ttyUSB0"); ``hint`` is for who can reach
        it; ``port`` is a ``serial.Serial`` or behaves like one."""
        self._port = port
        self._port.timeout = LOOK_S
        self._deadline = deadline
        self._make_parser = make_parser
        self._parser = make_parser()
        self._part = part
        self._hint = hint
        #: Bytes heard since ``begin``, and the frames found in them.
        self.heard = 0
        self._found: list[F] = []

    def begin(self) -> None:
        """A read begins; what came before this moment is old."""
        self._port.reset_input_buffer()
        self._parser = self._make_parser()
        self.heard = 0
        self._found = []

    def say(self, data: bytes) -> None:
        """Send these bytes; beyond the deadline nothing is said any more."""
        with suppress(SensorTimeout):
            self._port.write(data)

    def frames(self, seconds: float) -> Iterator[F]:
        """Frames as they come, for so long, and never beyond the deadline.

        Whoever stops listening early loses what came in the same piece; sensors say it again.
        """
        until = time.monotonic() + min(seconds, self._deadline.remaining_s() - MARGIN_S)
        # Asked each time: the node ends a warm-up by moving the deadline to now.
        while time.monotonic() < until and not self.is_over:
            data = self._hear()
            self.heard += len(data)
            frames = self._parser.feed(data)
            self._found += frames
            yield from frames

    def _hear(self) -> bytes:
        """What there is, or comes within one look."""
        data = b""
        # A look can end after the deadline. It is then the driver's turn to say what was wrong.
        with suppress(SensorTimeout):
            data = self._port.read(1)
            if data:
                data += self._port.read(self._port.in_waiting)
        return data

    @property
    def is_over(self) -> bool:
        """Whether the deadline leaves no time for another frame."""
        return self._deadline.remaining_s() <= MARGIN_S

    def ask(
        self,
        request: bytes,
        is_answer: Callable[[F], bool],
        *,
        tries: int = 3,
        patience_s: float = 1.0,
    ) -> F | None:
        """The first frame that answers; None when none of the tries was answered in time."""
        for _ in range(tries):
            if self.is_over:
                break
            # Half an answer before this question must not swallow the answer to it.
            self._parser = self._make_parser()
            self.say(request)
            for frame in self.frames(patience_s):
                if is_answer(frame):
                    return frame
        return None

    def is_clean(self, length: Callable[[F], int]) -> bool:
        """Whether all that was heard is whole frames, of ``length(frame)`` bytes each, or nothing:
        then a sensor that should speak by itself sleeps, and has at most said so.
        """
        return sum(map(length, self._found)) == self.heard

    def check_noise(self, length: Callable[[F], int]) -> None:
        """Chance makes a short checksum right now and then: where most of what was heard is no
        frame, what looks like one is not believed either.

        Raises:
            SensorGarbled: whole frames, of ``length(frame)`` bytes each, are less than half.
        """
        if sum(map(length, self._found)) < self.heard // 2:
            raise self.error("hardly a whole frame")

    def error(self, whole: str = "no whole frame") -> SensorError:
        """Why there is no frame."""
        if not self.heard:
            return SensorMissing(f"{self._part} says nothing", hint=self._hint)
        return SensorGarbled(
            f"{self._part} sent {self.heard} bytes and {whole}",
            hint="A bad contact, a supply that dips, or another device at this port: `port` in"
            " kiezbox.toml, `ls /dev/serial/by-id`.",
        )

    def close(self) -> None:
        """Give the port back. Idempotent."""
        self._port.close()


def opened(
    settings: Any,
    hardware: SensorHardware,
    baudrate: int,
    make_parser: Callable[[], Parser[F]],
    part: str,
    hint: str,
) -> Line[F]:
    """The line at ``settings.port``. ``part`` and ``hint`` as ``Line`` takes them.

    Raises:
        SensorError: there is no such port, or it may not be opened, or another program has it.
    """
    with translated(part, hint):
        port = hardware.serial(settings.port, baudrate)
        return Line(port, hardware.deadline, make_parser, part, hint)


class RestingSettings(SensorSettings):
    """For sensors whose fan and laser can rest; the driver declares the defaults."""

    __slots__ = ()

    #: What a read takes beside the warm-up, at most.
    READ_S = 15.0

    def __post_init__(self) -> None:
        warm_up_s = _warm_up_s(self)
        if warm_up_s and self.deadline_s < warm_up_s + self.READ_S:
            raise SettingsError(
                f"deadline_s = {self.deadline_s:g} leaves no time to read after"
                f" warm_up_s = {warm_up_s:g}",
                hint=f"Make deadline_s at least {warm_up_s + self.READ_S:g}, or warm_up_s = 0 (the"
                " fan then never rests).",
            )

    @property
    def rests(self) -> bool:
        """Whether fan and laser stop between two readings."""
        return 0 < _warm_up_s(self) <= self.interval_s / 2


def warm_up_setting() -> Any:
    """``warm_up_s``: how long fan and laser run before a reading counts."""
    return setting(
        30.0,
        help="How long fan and laser run before a reading counts. They rest between two readings\n"
        "where interval_s is at least twice that; 0: they never rest.",
        unit="s",
        least=0,
        most=100,
    )


def _warm_up_s(settings: Any) -> float:
    return float(settings.warm_up_s)


def trimmed(values: Sequence[float]) -> float:
    """The mean without the smallest and the largest, where there are three or more.

    >>> trimmed([8, 9, 8, 120, 8])
    8.333333333333334
    """
    kept = sorted(values)[1:-1] if len(values) >= 3 else values
    return sum(kept) / len(kept)
