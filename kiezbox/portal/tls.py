"""https: a certificate that is used while it is valid, and connections that speak TLS.

``ssl`` is imported here alone, and this module for the first visitor by https: it costs 20 ms and
4 MiB. Handshakes run in the responder's loop (``MemoryBIO``): nobody waits for anybody's.
"""

from __future__ import annotations

import _socket
import os
import ssl
import time
from collections.abc import Callable

from kiezbox.portal.crowd import IDLE_S
from kiezbox.portal.visit import READ_BYTES, Visit

__all__ = ["Certificate", "SecretVisit"]

CHAIN, KEY = "fullchain.pem", "privkey.pem"

#: The files are looked at so often.
LOOK_S = 1.0

#: Longest piece of plain text in a record (RFC 8446, 5.1).
_RECORD = 16384


class Certificate:
    """``fullchain.pem`` and ``privkey.pem`` in a folder, read anew when they change."""

    def __init__(self, folder: str, now: Callable[[], float]) -> None:
        """``now``: Unix seconds."""
        self._folder = folder
        self._now = now
        self._looked_at = -1e9
        self._stamp: object = None
        self._context: ssl.SSLContext | None = None
        self._valid = (0.0, 0.0)
        #: Why there is none, for the log; "" if there is one.
        self.reason = "was not looked for"

    def context(self) -> ssl.SSLContext | None:
        """For a handshake; None while there is no certificate that is good now."""
        monotonic = time.monotonic()
        if monotonic - self._looked_at >= LOOK_S:
            self._looked_at = monotonic
            stamp = _stamp(self._path(CHAIN)), _stamp(self._path(KEY))
            if stamp != self._stamp:
                self._stamp = stamp
                self._load()
        begins, ends = self._valid
        return self._context if begins <= self._now() < ends else None

    def _path(self, name: str) -> str:
        return os.path.join(self._folder, name)

    def _load(self) -> None:
        self._context, self._valid, self.reason = None, (0.0, 0.0), ""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.options |= ssl.OP_NO_RENEGOTIATION
        context.set_alpn_protocols(["http/1.1"])
        try:
            # A key with a password would be asked for at the terminal.
            context.load_cert_chain(self._path(CHAIN), self._path(KEY), password=lambda: b"")
            # What `ssl` decodes its own tests' certificates with; the first of the chain.
            found = ssl._ssl._test_decode_cert(self._path(CHAIN))  # type: ignore[attr-defined]
            begins = ssl.cert_time_to_seconds(found["notBefore"])
            ends = ssl.cert_time_to_seconds(found["notAfter"])
        except (OSError, ValueError, KeyError) as error:
            # ssl.SSLError is an OSError: no PEM, another certificate's key.
            self.reason = str(error)
            return
        self._context, self._valid = context, (begins, ends)


class SecretVisit(Visit):
    """A connection that speaks TLS."""

    __slots__ = ("_incoming", "_outgoing", "_tls", "is_agreed")

    is_tls = True

    def __init__(
        self,
        socket: _socket.socket,
        local: str,
        client: str,
        until: float,
        context: ssl.SSLContext,
    ) -> None:
        super().__init__(socket, local, client, until)
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_side=True)
        self.is_agreed = False
        self.is_idle = False

    def receive(self) -> bytes | None:
        received = self.socket.recv(READ_BYTES)
        if not received:
            return b""
        self._incoming.write(received)
        try:
            if not self.is_agreed:
                self._tls.do_handshake()
                self.is_agreed = self.is_idle = True
                self.until = time.monotonic() + IDLE_S
            return self._read()
        except ssl.SSLWantReadError:
            return None
        except ssl.SSLZeroReturnError:
            return b""
        finally:
            self._flush_own()

    def _read(self) -> bytes:
        """All there is: nobody will tell that more of it waits in here."""
        pieces = [self._tls.read(_RECORD)]
        try:
            while piece := self._tls.read(_RECORD):
                pieces.append(piece)
        except (ssl.SSLWantReadError, ssl.SSLZeroReturnError):
            pass
        return b"".join(pieces)

    def _flush_own(self) -> None:
        """What TLS itself has to say: a few kilobytes, for which there is room."""
        if self._outgoing.pending and not self.out:
            self.out.append(self._outgoing.read())
            self.flush()

    def put(self, whole: bytes) -> None:
        self._tls.write(whole)
        self.out.append(self._outgoing.read())

    def give(self, whole: bytes) -> bool:
        self.put(whole)
        return self.flush()

    def say_goodbye(self) -> None:
        try:
            self._tls.unwrap()
        except ssl.SSLError:
            # It wants to hear the other side's goodbye, too; ours is written.
            pass
        self._flush_own()
        super().say_goodbye()


def _stamp(path: str) -> object:
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size
