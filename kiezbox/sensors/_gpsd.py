"""What gpsd says, as if it were a serial port: NMEA sentences over TCP.

Source: gpsd(8) and gpsd_json(5), "?WATCH": with ``nmea`` true a client gets the sentences of an
NMEA receiver as they are, and sentences made for it where the receiver speaks another language.
"""

from __future__ import annotations

import select
import socket

from kiezbox.errors import SensorMissing
from kiezbox.hardware import Deadline

__all__ = ["GPSD", "GpsdPort"]

#: How a port of this kind begins in kiezbox.toml: "gpsd:HOST:PORT", "gpsd:" for this computer's.
GPSD = "gpsd:"
LOCAL, PORT = "127.0.0.1", 2947
WATCH = b'?WATCH={"enable":true,"nmea":true};\r\n'
CONNECT_S = 3.0
MOST = 4096

HINT = "Does gpsd run, and has it a receiver? `systemctl status gpsd`, `gpspipe -r`."


class GpsdPort:
    """As much of ``serial.Serial`` as a ``Line`` needs."""

    def __init__(self, address: str, deadline: Deadline) -> None:
        """``address`` is a setting that begins with ``GPSD``.

        Raises:
            SensorMissing: nobody answers there.
            SensorTimeout: the deadline has passed.
        """
        deadline.check()
        host, _, port = address.removeprefix(GPSD).rpartition(":")
        self.timeout = CONNECT_S
        self.in_waiting = 0
        self._deadline = deadline
        where = (host or LOCAL, int(port or PORT))
        self._where = f"{where[0]}:{where[1]}"
        try:
            self._socket = socket.create_connection(where, CONNECT_S)
        except OSError as error:
            raise self._gone("does not answer") from error
        self.write(WATCH)

    def read(self, size: int = 1) -> bytes:
        """What has come, at least one byte, or nothing after ``timeout`` seconds."""
        self._deadline.check()
        if size == 0:
            return b""
        try:
            if not select.select([self._socket], [], [], self.timeout)[0]:
                return b""
            data = self._socket.recv(MOST)
        except (OSError, ValueError) as error:
            raise self._gone("is gone") from error
        if not data:
            raise self._gone("hung up")
        return data

    def reset_input_buffer(self) -> None:
        """Forget what has come so far."""
        while select.select([self._socket], [], [], 0)[0]:
            self.read()

    def write(self, data: bytes) -> int:
        try:
            self._socket.sendall(data)
        except OSError as error:
            raise self._gone("is gone") from error
        return len(data)

    def close(self) -> None:
        self._socket.close()

    def _gone(self, what: str) -> SensorMissing:
        return SensorMissing(f"gpsd at {self._where} {what}", hint=HINT)
