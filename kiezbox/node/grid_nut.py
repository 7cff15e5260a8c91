"""A UPS that Network UPS Tools looks after, as a grid source: ``driver = "nut"``.

upsd's protocol is lines of text over TCP, port 3493 (NUT developer guide, "Network protocol
information"): ``GET VAR ups ups.status`` is answered by ``VAR ups ups.status "OL CHRG"`` or by
``ERR DATA-STALE``. No login is needed to read. Spoken here, because of the libraries for it nut2
wants telnetlib, which Python 3.13 has no more, and pynutclient 2.8.5 reads for ever when a server
hangs up or sends no new line.

Asked in a thread of its own: a network that swallows packets must not hold up the power worker.
"""

from __future__ import annotations

import logging
import re
import socket
import threading
from collections.abc import Callable

from kiezbox.clock import Clock
from kiezbox.errors import KiezboxError
from kiezbox.settings import GridSourceSettings
from kiezbox.settings.hardware import UPS

__all__ = ["Nut", "NutSource", "vote_of"]

log = logging.getLogger("kiezbox")

PORT = 3493
#: upsd is asked so often. Its drivers look at the UPS every 2 s or more seldom.
ASK_S = 1.0
#: How long a connection and an answer may take.
PATIENCE_S = 3.0
#: A pause after a failure.
AGAIN_S = 5.0
#: What was said longer ago counts no more.
FRESH_S = 8.0
#: upsd's own limit is 512 characters a line (``NUT_NET_ANSWER_MAX``).
MOST_LINE = 1024

_STATUS = re.compile(r'VAR ([A-Za-z0-9._-]+) ups\.status "((?:[^"\\]|\\.)*)"')

#: upsd's errors -> what to do.
ERRORS = {
    "DATA-STALE": "upsd runs, but hears nothing of the UPS: its USB cable, `upsc NAME@HOST`.",
    "DRIVER-NOT-CONNECTED": "upsd runs, its driver does not: `systemctl restart nut-driver@NAME`.",
    "UNKNOWN-UPS": "No UPS has that name there: `upsc -l HOST` lists them; correct `ups`.",
    "ACCESS-DENIED": "upsd does not let this computer ask: LISTEN and ACLs in upsd.conf.",
    "VAR-NOT-SUPPORTED": "This UPS's driver says no ups.status; another driver may.",
}


def vote_of(status: str) -> str:
    """What ``ups.status`` says of the grid: "present", "lost" or "silent".

    OL is on line power, OB on battery (NUT's status words). A UPS that calibrates or tests itself
    runs on its battery on purpose, so it says nothing.

    >>> vote_of("OB DISCHRG LB"), vote_of("OL CHRG"), vote_of("OB CAL"), vote_of("WAIT")
    ('lost', 'present', 'silent', 'silent')
    """
    words = set(status.split())
    if words & {"CAL", "TEST"} or ("OL" in words) == ("OB" in words):
        return "silent"
    return "present" if "OL" in words else "lost"


class Nut:
    """A connection to upsd, opened when needed."""

    def __init__(self, where: str) -> None:
        """``where`` is the setting ``ups``: NAME@HOST or NAME@HOST:PORT."""
        match = UPS.fullmatch(where)
        if match is None:
            raise ValueError(where)
        self.name, host, port = match[1], match[2].strip("[]"), match[3]
        self._address = host, int(port or PORT)
        self._where = where
        self._socket: socket.socket | None = None
        self._rest = b""

    def status(self) -> str:
        """``ups.status`` now.

        Raises:
            KiezboxError: nobody answers, or it is no answer; the hint says what to do.
        """
        try:
            if self._socket is None:
                self._socket = socket.create_connection(self._address, PATIENCE_S)
                self._socket.settimeout(PATIENCE_S)
            self._socket.sendall(f"GET VAR {self.name} ups.status\n".encode("ascii"))
            line = self._line(self._socket)
        except OSError as error:
            self.close()
            raise KiezboxError(
                f"upsd at {self._where} does not answer: {error.strerror or error}",
                hint="Does it run? `systemctl status nut-server`, `upsc " + self._where + "`.",
            ) from error
        return self._understood(line)

    def close(self) -> None:
        """Idempotent."""
        self._rest = b""
        if self._socket is not None:
            gone, self._socket = self._socket, None
            gone.close()

    def _line(self, connection: socket.socket) -> str:
        while b"\n" not in self._rest:
            if len(self._rest) > MOST_LINE:
                raise ConnectionAbortedError(0, "it sends no lines")
            data = connection.recv(MOST_LINE)
            if not data:
                raise ConnectionResetError(0, "it hung up")
            self._rest += data
        line, self._rest = self._rest.split(b"\n", 1)
        if self._rest:
            # An answer to nothing would be taken for the next one's, for ever one behind.
            raise ConnectionAbortedError(0, "it sends more than was asked for")
        return line.decode("ascii", "replace").rstrip("\r")

    def _understood(self, line: str) -> str:
        match = _STATUS.fullmatch(line)
        if match is not None and match[1] == self.name:
            return match[2]
        self.close()
        if line.startswith("ERR "):
            code = line[4:40].split(" ", 1)[0]
            hint = ERRORS.get(code, "The log of upsd may say more.")
            raise KiezboxError(f"upsd at {self._where} says {code}", hint=hint)
        raise KiezboxError(
            f"what answers at {self._where} is no upsd: {line[:20]!r}",
            hint="Correct `ups` in [power.grid.NAME]; upsd's port is 3493.",
        )


class NutSource:
    """A grid source; its thread asks, ``vote()`` says what was heard last, and how old that is."""

    def __init__(
        self,
        name: str,
        settings: GridSourceSettings,
        *,
        clock: Clock,
        on_edge: Callable[[], None],
        on_fault: Callable[[str, str, str], None],
        on_good: Callable[[str], object],
    ) -> None:
        """The callbacks are a ``PinSource``'s; they are called in the thread."""
        self._name = name
        self._nut = Nut(settings.ups)
        self._clock = clock
        self._on_edge = on_edge
        self._on_fault = on_fault
        self._on_good = on_good
        self._heard = "silent"
        self._heard_at = -float("inf")
        self._fault = ""
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"grid-{name}", daemon=True)
        self._thread.start()

    def vote(self) -> str:
        heard, heard_at = self._heard, self._heard_at
        return heard if self._clock.monotonic() - heard_at <= FRESH_S else "silent"

    def close(self) -> None:
        self._stop.set()
        if self._thread is not threading.current_thread():
            self._thread.join(1.0)

    def _run(self) -> None:
        while not self._stop.is_set():
            pause_s = ASK_S
            try:
                vote = vote_of(self._nut.status())
            except KiezboxError as error:
                vote, pause_s = "silent", AGAIN_S
                if str(error) != self._fault:
                    self._fault = str(error)
                    self._on_fault(f"power.grid.{self._name}", f"{self._name}: {error}", error.hint)
            else:
                if self._fault or self._heard_at < 0:
                    self._fault = ""
                    self._on_good(f"power.grid.{self._name}")
            has_changed = vote != self._heard
            # In this order: a vote read in between is the old one, with its old age.
            self._heard, self._heard_at = vote, self._clock.monotonic()
            if has_changed:
                self._on_edge()
            self._stop.wait(pause_s)
        self._nut.close()
