"""A file: one SenML pack a line. For a USB stick, and as the pattern for a new publisher.

A publisher is a module with ``Settings`` and ``open``; its file name is the ``driver`` in
kiezbox.toml. It keeps nothing: which readings come, and that they come again when ``publish``
raised, is the business of ``kiezbox/node/carrier.py``. All it has to do is to return from
``publish`` only when the other side has the batch, and to raise what kiezbox/errors.py offers
when it has not. ``tests/contracts/test_publishers.py`` finds it and holds it to that.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from kiezbox import senml
from kiezbox.clock import Clock
from kiezbox.errors import PublishError, Refused, Unreachable
from kiezbox.model import Batch
from kiezbox.settings import BoxSettings, PublisherSettings, setting

__all__ = ["File", "Settings", "open"]

#: A person has to do something about these; all else (no space, stick pulled out) may pass.
_REFUSALS = {errno.EACCES, errno.EPERM, errno.EROFS, errno.EISDIR}


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings(PublisherSettings):
    path: str = setting(
        help="The file that readings are appended to.", example="/media/stick/readings.senml"
    )


def open(settings: Settings, box: BoxSettings, clock: Clock, wake: Callable[[], None]) -> File:
    """The publisher; the file is opened for each batch."""
    return File(settings)


class File:
    """See ``kiezbox.publishers.Publisher``."""

    proves_uplink = False

    def __init__(self, settings: Settings) -> None:
        self.window = settings.batch
        self._path = settings.path
        self._link = "waiting"

    def publish(self, batch: Batch) -> None:
        """Append the batch as one line, and wait until it is on the medium."""
        try:
            self._append(senml.pack(batch) + b"\n")
        except OSError as error:
            self._link = "refused" if error.errno in _REFUSALS else "waiting"
            raise self._problem(error) from error
        self._link = "connected"

    def _append(self, line: bytes) -> None:
        # Opened each time, so that a stick may be pulled out and put back.
        file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
        try:
            end = os.fstat(file).st_size
            # A power cut may have left half a line: let it be one line that nobody can read,
            # instead of spoiling the next.
            if end and os.pread(file, 1, end - 1) != b"\n":
                line = b"\n" + line
            if os.write(file, line) != len(line):
                os.ftruncate(file, end)
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            os.fsync(file)
        finally:
            os.close(file)

    def _problem(self, error: OSError) -> PublishError:
        message = f"cannot write {self._path}: {error.strerror}"
        if self._link == "refused":
            return Refused(message, hint="The user kiezbox must be allowed to write there.")
        return Unreachable(message, hint="Is the medium there, and has it space?")

    def announce(self, kind: str, document: Mapping[str, Any]) -> None:
        """A file of readings has no place for the box's state."""

    def link(self) -> str:
        return self._link

    def close(self) -> None:
        """Nothing is held open."""
