"""The 1-Wire sensors of a simulated bench, reached over its Unix socket (``sim:PATH``)."""

from __future__ import annotations

import errno
import os

from kiezbox.errors import SensorMissing
from kiezbox.hardware import Deadline, wire
from kiezbox.hardware.i2c_wire import BENCH_GONE_HINT

__all__ = ["WireOneWire"]

#: A bench answers a scan at once; a read takes what the deadline leaves.
PATIENCE_S = 1.0


class WireOneWire:
    """A connection for each question: they are seldom, and a late answer finds nobody."""

    def __init__(self, path: str, deadline: Deadline) -> None:
        self._path = path
        self._deadline = deadline

    def scan(self) -> list[str]:
        return self._ask("", PATIENCE_S).decode("ascii").split()

    def read(self, identity: str) -> bytes:
        self._deadline.check()
        return self._ask(identity, max(0.001, self._deadline.remaining_s()))

    def _ask(self, identity: str, within_s: float) -> bytes:
        within_s = min(within_s, 3600.0)
        try:
            with wire.connect(self._path, PATIENCE_S) as connection:
                connection.sendall(wire.frame(wire.ONEWIRE, identity.encode("ascii")))
                kind, body = wire.receive(connection, within_s)
        except TimeoutError:
            raise TimeoutError(errno.ETIMEDOUT, f"{identity} did not finish") from None
        except (ConnectionError, FileNotFoundError) as error:
            raise SensorMissing(
                f"the simulated bench at {self._path} does not answer", hint=BENCH_GONE_HINT
            ) from error
        if kind == wire.ERROR and len(body) == wire.NUMBER.size:
            (number,) = wire.NUMBER.unpack(body)
            raise OSError(number, os.strerror(number), identity)
        if kind != wire.DATA:
            raise SensorMissing(
                f"the simulated bench at {self._path} answers nonsense", hint=BENCH_GONE_HINT
            )
        return body
