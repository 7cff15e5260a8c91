"""The I²C bus of a simulated bench, reached over its Unix socket (``sim:PATH``)."""

from __future__ import annotations

import errno
import os
import socket
import threading
import time

from kiezbox.errors import SensorMissing
from kiezbox.hardware import wire

BENCH_GONE_HINT = "Does the bench still run? `kiezbox demo` keeps it; the box tries again."


class WireBus:
    """One connection, opened when needed and again after any trouble."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._turn = threading.Lock()
        self._connection: socket.socket | None = None
        self._is_closed = False

    def transfer(
        self, address: int, out: bytes | None, count: int | None, timeout_s: float
    ) -> bytes:
        until = time.monotonic() + timeout_s
        if not self._turn.acquire(timeout=timeout_s):
            raise TimeoutError(errno.ETIMEDOUT, "the bus is busy")
        try:
            return self._transfer(address, out, count, until)
        except TimeoutError as error:
            # The late answer must not be taken for the next one's.
            self._hang_up()
            raise TimeoutError(
                errno.ETIMEDOUT, f"I2C address 0x{address:02x} did not finish"
            ) from error
        except ConnectionError as error:
            self._hang_up()
            raise SensorMissing(
                f"the simulated bench at {self._path} does not answer", hint=BENCH_GONE_HINT
            ) from error
        finally:
            self._turn.release()

    def _transfer(self, address: int, out: bytes | None, count: int | None, until: float) -> bytes:
        parts = (wire.WRITES if out is not None else 0) | (wire.READS if count is not None else 0)
        head = wire.TRANSFER_HEAD.pack(address, parts, count or 0)
        request = wire.frame(wire.TRANSFER, head + (out or b""))
        if self._is_closed:
            raise ConnectionAbortedError(errno.ECONNABORTED, "the bus was closed")
        if self._connection is None:
            try:
                self._connection = wire.connect(self._path, _left(until))
            except OSError as error:
                raise ConnectionRefusedError(errno.ECONNREFUSED, str(error)) from error
        self._connection.settimeout(_left(until))
        self._connection.sendall(request)
        kind, body = wire.receive(self._connection, _left(until), _left(until))
        if kind == wire.ERROR and len(body) == wire.NUMBER.size:
            (number,) = wire.NUMBER.unpack(body)
            raise OSError(number, f"I2C address 0x{address:02x}: {os.strerror(number)}")
        if kind != wire.DATA or len(body) != (count or 0):
            raise ConnectionAbortedError(errno.ECONNABORTED, f"an answer of kind 0x{kind:02x}")
        return body

    def _hang_up(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def close(self) -> None:
        with self._turn:
            self._is_closed = True
            self._hang_up()


def _left(until: float) -> float:
    return max(0.001, until - time.monotonic())
