"""One connection with another box, from the first byte to the last; nothing in it waits.

Whoever is at the other end may be anybody until the handshake is over, and a member that means
harm afterwards: everything is bounded in bytes and in seconds.
"""

from __future__ import annotations

import socket
from collections import OrderedDict
from collections.abc import Iterator

from kiezbox.exchange import Give, Message
from kiezbox.exchange.audit import AuditMessage
from kiezbox.peers import wire
from kiezbox.peers.handshake import (
    ANSWER_BYTES,
    CALL_BYTES,
    CONFIRM_BYTES,
    MOST_PLAIN,
    Answering,
    BadPeer,
    Calling,
)
from kiezbox.records import Ref

__all__ = ["Link"]

#: The handshake takes no longer; nor does a connection to come about.
GREET_WITHIN_S = 5.0
CONNECT_WITHIN_S = 2.5

#: Something is said at least so often, and who is not heard for so long has gone.
ALIVE_EVERY_S = 4.0
SILENT_S = 12.0

#: Bytes that wait to be sent. What does not fit is not said: the other one will ask for it.
MOST_WAITING = 1 << 20

#: Bytes a second that are taken from one box, and at once.
RATE, BURST = 1 << 20, 4 << 20

#: Records that one is known to have, as it gave them or got them.
_MOST_KNOWN = 4096

_TAG = 16


class Link:
    """``box`` is "" until it is known who that is; ``is_open`` when both may speak."""

    def __init__(
        self,
        connection: socket.socket,
        side: Calling | Answering,
        now: float,
        *,
        to: str = "",
        address: str = "",
    ) -> None:
        """``to``: whom it was called as; "" for one who calls here. ``address``: where it is."""
        connection.setblocking(False)
        self.address = address
        self.connection, self.to = connection, to
        self._side = side
        self.is_caller = isinstance(side, Calling)
        self.box, self.public = "", b""
        self.is_open = self.is_closed = False
        #: Why it was closed, for the log.
        self.why = ""
        self.is_connected = not self.is_caller
        self._in, self._out = bytearray(), bytearray()
        self._began_at = now
        self.heard_at = self._said_at = now
        self._allowance, self._allowed_at = float(BURST), now
        #: Records that came and went, and those it is known to have.
        self.received = self.given = 0
        self._known: OrderedDict[Ref, None] = OrderedDict()

    def fileno(self) -> int:
        return self.connection.fileno()

    def close(self, why: str = "") -> None:
        """Idempotent."""
        if not self.is_closed:
            self.is_closed, self.why = True, why
            self.is_open = False
            self.connection.close()

    # --- what happens ----------------------------------------------------------------------------

    @property
    def wants_to_write(self) -> bool:
        return bool(self._out) or not self.is_connected

    def may_read(self, now: float) -> bool:
        """Not while it has sent more than it may: then its own end has to wait."""
        left = self._allowance + (now - self._allowed_at) * RATE
        self._allowance, self._allowed_at = min(left, float(BURST)), now
        return self._allowance > 0

    def look_after(self, now: float) -> None:
        """Say that we are there; close what takes too long."""
        if not self.is_open:
            limit_s = GREET_WITHIN_S if self.is_connected else CONNECT_WITHIN_S
            if now - self._began_at > limit_s:
                self.close("no answer")
        elif now - self.heard_at > SILENT_S:
            self.close("silent")
        elif now - self._said_at > ALIVE_EVERY_S:
            self.send(wire.ALIVE, now)

    def writable(self, now: float) -> None:
        try:
            if not self.is_connected:
                error = self.connection.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
                if error:
                    self.close("not reached")
                    return
                self.is_connected, self._began_at = True, now
                assert isinstance(self._side, Calling)
                self._out += self._side.call
            if self._out:
                sent = self.connection.send(self._out[: 1 << 16])
                del self._out[:sent]
        except BlockingIOError:
            pass
        except OSError as error:
            self.close(error.strerror or "broken")

    def readable(self, now: float) -> Iterator[Message | AuditMessage]:
        """What came. A connection that breaks its rules is closed."""
        try:
            data = self.connection.recv(1 << 16)
        except BlockingIOError:
            return
        except OSError as error:
            self.close(error.strerror or "broken")
            return
        if not data:
            self.close("ended")
            return
        self._allowance -= len(data)
        self._in += data
        try:
            yield from self._said(now)
        except (BadPeer, wire.BadMessage) as error:
            self.close(str(error))

    def _said(self, now: float) -> Iterator[Message | AuditMessage]:
        if not self.is_open and not self._greet(now):
            return
        while not self.is_closed and len(self._in) >= 4:
            length = int.from_bytes(self._in[:4], "big")
            if not _TAG <= length <= MOST_PLAIN + _TAG:
                raise BadPeer("a frame that is too long")
            if len(self._in) < 4 + length:
                return
            frame = bytes(self._in[4 : 4 + length])
            del self._in[: 4 + length]
            assert self._side.opener is not None
            plain = self._side.opener.open(frame)
            self.heard_at = now
            if not self.box:
                # The first frame of the one that was called: we are let in.
                self._be_open(now)
            message = wire.unpack(plain)
            if isinstance(message, Give):
                self.received += len(message.items)
                for item in message.items:
                    self.knows(item.number)
            if message is not None:
                yield message

    def _greet(self, now: float) -> bool:
        """The handshake; whether it is over."""
        side = self._side
        if isinstance(side, Calling):
            if side.opener is None:
                if len(self._in) < ANSWER_BYTES:
                    return False
                self._out += side.answered(self._take(ANSWER_BYTES))
            # It is open when the first frame can be opened.
            return True
        if not side.is_called:
            if len(self._in) < CALL_BYTES:
                return False
            self._out += side.called(self._take(CALL_BYTES))
        if len(self._in) < CONFIRM_BYTES:
            return False
        side.confirmed(self._take(CONFIRM_BYTES))
        self._be_open(now)
        self.send(wire.ALIVE, now)
        return True

    def _take(self, size: int) -> bytes:
        taken = bytes(self._in[:size])
        del self._in[:size]
        return taken

    def _be_open(self, now: float) -> None:
        self.box, self.public = self._side.peer, self._side.public
        self.is_open, self.heard_at = True, now

    # --- what is said ----------------------------------------------------------------------------

    def send(self, plain: bytes, now: float) -> bool:
        """False: too much waits already."""
        if not self.is_open or len(self._out) + len(plain) > MOST_WAITING:
            return False
        assert self._side.sealer is not None
        self._out += self._side.sealer.seal(plain)
        self._said_at = now
        return True

    def say(self, message: Message | AuditMessage, now: float) -> bool:
        """Give to it only what it is not known to have, unless it asked."""
        is_said = self.send(wire.pack(message), now)
        if is_said and isinstance(message, Give):
            self.given += len(message.items)
            for item in message.items:
                self.knows(item.number)
        return is_said

    def lacking(self, give: Give) -> Give:
        """Of news, what it does not have by what is known here."""
        return Give(tuple(item for item in give.items if item.number not in self._known))

    def knows(self, number: Ref) -> None:
        self._known[number] = None
        if len(self._known) > _MOST_KNOWN:
            self._known.popitem(last=False)
