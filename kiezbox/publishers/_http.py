"""One POST, bounded in time and bytes, over TLS; and what each answer to it means.

For publishers that speak HTTP. Each request has its own connection, so there is no idle one that
dies unnoticed; where an answer points elsewhere it is not followed, because what is sent may carry
a token. ``http.client`` bounds each wait but not their sum, so a timer shuts the socket when the
whole answer is due, also within a TLS handshake.

A publisher lays its own ``verdicts`` over ``VERDICTS`` where its other side means something else
by a status.
"""

from __future__ import annotations

import gzip
import http.client
import socket
import ssl
import threading
from collections.abc import Mapping
from contextlib import suppress
from email.utils import parsedate_to_datetime
from typing import NamedTuple
from urllib.parse import SplitResult, urlsplit

from kiezbox import __version__
from kiezbox.clock import Clock
from kiezbox.errors import PublishError, Refused, Rejected, Unreachable
from kiezbox.publishers._reasons import Failure, Verdict, failure

__all__ = ["VERDICTS", "Answer", "Client", "NotTaken", "Verdict", "secret", "wrong_url"]

#: Seconds for the TCP connection to each of a name's addresses, and for each single wait after it.
CONNECT_S = 5.0

#: Seconds for the whole request, from the connection to the answer's last byte.
WHOLE_S = 30.0

#: Bytes of an answer's body. What says more says it to nobody here.
MOST_BYTES = 65536

#: The longest that a Retry-After is believed, in seconds: a server's mistake must not silence a
#: box for a day.
MOST_PAUSE_S = 900.0

#: Characters of the other side's own words that are shown to people.
MOST_WORDS = 200

_WAIT = "Nothing to do: the box keeps its readings and tries again."
_MOVED = "Put the new address into kiezbox.toml: the box sends nothing to where it is pointed to."
_ADDRESS = "Is the address in kiezbox.toml right, with its path?"

#: What a status means (RFC 9110 section 15; 429: RFC 6585). Of those that are not here 2xx is
#: good, 3xx and 4xx call a person, all else passes.
VERDICTS: dict[int, Verdict] = {
    301: Verdict(Refused, _MOVED),
    302: Verdict(Refused, _MOVED),
    303: Verdict(Refused, _MOVED),
    307: Verdict(Refused, _MOVED),
    308: Verdict(Refused, _MOVED),
    400: Verdict(Rejected, "The other side does not understand what it was sent."),
    401: Verdict(Refused, "The token or password is missing, wrong or too old."),
    402: Verdict(Refused, "The other side wants to be paid."),
    403: Verdict(Refused, "The token or user may not write there."),
    404: Verdict(Refused, _ADDRESS),
    405: Verdict(Refused, _ADDRESS),
    408: Verdict(Unreachable, _WAIT),
    410: Verdict(Refused, _ADDRESS),
    413: Verdict(Rejected, "The other side takes only less at once."),
    422: Verdict(Rejected, "The other side understands it, and does not take it."),
    425: Verdict(Unreachable, _WAIT),
    429: Verdict(Unreachable, "Too much in too short a time; the box waits as long as it is told."),
}


_TLS = "Does that port speak TLS? The address must begin with what it speaks: https or http."

#: What failed before there was an answer. The first that fits counts.
FAILURES = (
    Failure(
        "SSLCertVerificationError",
        Refused,
        "{where} shows a certificate that is not trusted: {words}",
        "ca_file must be the authority that signed it, and the address a name in it.",
    ),
    Failure("SSLError", Refused, "{where} and this box do not agree on TLS: {words}", _TLS),
    Failure(
        "gaierror",
        Unreachable,
        "cannot find {where}: {words}",
        "Is the name right, and does the box have a network?",
    ),
    Failure(
        "ConnectionRefusedError",
        Unreachable,
        "nothing listens at {where}",
        "Does the server run, and is the port right?",
    ),
    Failure("ConnectionError", Unreachable, "{where} hangs up without an answer", _TLS),
    Failure(
        "TimeoutError",
        Unreachable,
        "{where} does not answer",
        "Is there a network, or a firewall between?",
    ),
    Failure("OSError", Unreachable, "cannot reach {where}: {words}", _WAIT),
)


class Answer(NamedTuple):
    """The other side's answer: at most ``MOST_BYTES`` of ``body``."""

    status: int
    body: bytes

    @property
    def words(self) -> str:
        """The beginning of the body, for people: one line without control characters."""
        text = self.body[: 4 * MOST_WORDS].decode("utf-8", "replace")
        return " ".join("".join(c if c.isprintable() else " " for c in text).split())[:MOST_WORDS]


def wrong_url(value: str) -> str:
    """Why this is no address that a publisher can post to; empty if it is one.

    >>> wrong_url("https://influx.example.org:8086"), wrong_url("ftp://x"), wrong_url("http://")
    ('', 'must begin with https:// or http://', 'has no host')
    """
    try:
        parts = urlsplit(value)
        port = parts.port
    except ValueError as error:
        return f"is no address: {error}"
    if parts.scheme not in ("http", "https"):
        return "must begin with https:// or http://"
    if not parts.hostname or port == 0:
        return "has no host"
    if parts.username is not None or parts.password is not None:
        return "must not hold a password: kiezbox.toml is not secret"
    if parts.fragment or any(not 0x21 <= ord(character) <= 0x7E for character in value):
        return "holds a character that an address cannot have"
    return ""


def secret(path: str, named: str) -> str:
    """What stands in a file that holds a token or a password, without the line's end; read anew
    for each request, so that what somebody puts right works without a restart.

    ``named``: the setting that names the file, for the message.

    Raises:
        Refused: it cannot be read, or holds what cannot stand in a header.
    """
    hint = "It holds the token or password and nothing else, readable for the user kiezbox."
    try:
        with open(path, encoding="utf-8") as file:
            text = file.read(4097).rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        words = getattr(error, "strerror", None) or "it is no text"
        raise Refused(f"cannot read {named} {path}: {words}", hint=hint) from error
    if not text or len(text) > 4096 or not text.isprintable() or not text.isascii():
        raise Refused(f"{named} {path} holds no token", hint=hint)
    return text


class NotTaken(Exception):
    """An answer that was not 2xx: the ``__cause__`` of the error that was raised."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(f"status {answer.status}")
        self.answer = answer


class Client:
    """Posts to one server. For one thread, but for ``interrupt``."""

    def __init__(
        self,
        url: str,
        clock: Clock,
        *,
        ca_file: str = "",
        verdicts: Mapping[int, Verdict] | None = None,
        connect_s: float = CONNECT_S,
        whole_s: float = WHOLE_S,
    ) -> None:
        """``url``: scheme, host, port, and a path that goes before every target.

        ``ca_file``: PEM file of the authority that signed the server's certificate; empty: the
        system's authorities. ``verdicts``: over ``VERDICTS``.
        """
        self._parts: SplitResult = urlsplit(url)
        self._clock = clock
        self._ca_file = ca_file
        self._verdicts = {**VERDICTS, **(verdicts or {})}
        self._connect_s, self._whole_s = connect_s, whole_s
        self._sock: socket.socket | None = None
        self._is_over = self._is_closed = False
        self._not_before_s = 0.0
        self._asked_to_wait = ""
        #: "connected", "waiting" or "refused": what the last request says of the link.
        self.link = "waiting"

    @property
    def where(self) -> str:
        """The server, for messages."""
        host, port = self._parts.hostname or "", self._parts.port
        host = f"[{host}]" if ":" in host else host
        return f"{host}:{port}" if port else host

    def post(
        self,
        target: str,
        body: bytes,
        headers: Mapping[str, str] | None = None,
        *,
        compress: bool = False,
    ) -> Answer:
        """Send the body and take the answer, a 2xx.

        ``target``: path and query, put behind the path of the client's address. ``compress``: as
        gzip (RFC 9110 section 8.4.1.3), for servers that are known to take it.

        Raises:
            Unreachable: no link, no whole answer in time, 408, 429, 5xx; a wait that the server
                asked for (Retry-After) is not over yet.
            Refused: certificate, token, address.
            Rejected: this body can never be delivered.

        Where it was an answer that was not taken well, the error's ``__cause__`` is a
        ``NotTaken`` with it.
        """
        try:
            answer = self._post(target, body, dict(headers or {}), compress)
            if not 200 <= answer.status < 300:
                raise self._no(answer)
        except PublishError as error:
            # Rejected is about the item; the link is as good as it was.
            if not isinstance(error, Rejected):
                self.link = "refused" if isinstance(error, Refused) else "waiting"
            raise
        self.link = "connected"
        return answer

    def interrupt(self) -> None:
        """Whoever waits for an answer waits no more, and there are no further ones. From any
        thread; idempotent.
        """
        self._is_closed = True
        self._end()

    def _no(self, answer: Answer) -> PublishError:
        status = answer.status
        other = Verdict(Refused, _ADDRESS) if 300 <= status < 500 else Verdict(Unreachable, _WAIT)
        kind, hint = self._verdicts.get(status, other)
        phrase = http.client.responses.get(status, "")
        said = " ".join(filter(None, (str(status), phrase)))
        words = f": {answer.words}" if answer.words else ""
        problem = kind(f"{self.where} answers {said}{words}", hint=hint)
        problem.__cause__ = NotTaken(answer)
        return problem

    def _post(self, target: str, body: bytes, headers: dict[str, str], compress: bool) -> Answer:
        if self._is_closed:
            raise Unreachable("the publisher was closed")
        if (left_s := self._not_before_s - self._clock.monotonic()) > 0:
            raise Unreachable(f"{self._asked_to_wait}; {left_s:.0f} s are left", hint=_WAIT)
        headers |= {"User-Agent": f"Kiezbox/{__version__}", "Connection": "close"}
        if compress:
            # Level 6 and no time in it: the same readings are the same bytes.
            body = gzip.compress(body, 6, mtime=0)
            headers["Content-Encoding"] = "gzip"
        self._is_over = False
        timer = threading.Timer(self._whole_s, self._end)
        timer.daemon = True
        timer.start()
        try:
            return self._exchange(self._parts.path.rstrip("/") + target, body, headers)
        except (OSError, http.client.HTTPException, ValueError) as error:
            if isinstance(error, PublishError):
                raise
            raise self._broken(error) from error
        finally:
            timer.cancel()
            if self._sock is not None:
                self._sock.close()
                self._sock = None

    def _exchange(self, target: str, body: bytes, headers: dict[str, str]) -> Answer:
        connection = self._connect()
        try:
            connection.request("POST", target, body=body, headers=headers)
            response = connection.getresponse()
            text = response.read(MOST_BYTES)
            if self._is_over:
                # The socket was shut: what looks like the end of the answer may be none.
                raise TimeoutError
            if response.status in (429, 503):
                self._heed(response.status, response.getheader("Retry-After", ""))
            return Answer(response.status, text)
        finally:
            connection.close()

    def _connect(self) -> http.client.HTTPConnection:
        """A connection whose socket is ours, so that the timer can shut it at any moment."""
        host = self._parts.hostname or ""
        is_tls = self._parts.scheme == "https"
        port = self._parts.port or (443 if is_tls else 80)
        sock = self._sock = socket.create_connection((host, port), self._connect_s)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection: http.client.HTTPConnection
        if is_tls:
            context = self._context()
            connection = http.client.HTTPSConnection(host, port, context=context)
            # The handshake not within wrap_socket: until that returns nobody could shut it.
            self._sock = tls = context.wrap_socket(
                sock, server_hostname=host, do_handshake_on_connect=False
            )
            tls.do_handshake()
        else:
            connection = http.client.HTTPConnection(host, port)
        # What is slow but alive has until the timer.
        self._sock.settimeout(self._whole_s)
        connection.sock = self._sock
        if self._is_closed or self._is_over:
            raise TimeoutError
        return connection

    def _context(self) -> ssl.SSLContext:
        try:
            return ssl.create_default_context(cafile=self._ca_file or None)
        except (OSError, ValueError) as error:
            raise Refused(
                f"cannot use ca_file {self._ca_file}: {getattr(error, 'strerror', '') or error}",
                hint="ca_file is a PEM file, readable for user kiezbox.",
            ) from error

    def _broken(self, error: Exception) -> PublishError:
        if self._is_closed:
            return Unreachable("the publisher was closed")
        if self._is_over:
            return Unreachable(
                f"{self.where} gave no whole answer in {self._whole_s:g} s", hint=_WAIT
            )
        if isinstance(error, OSError):
            return failure(error, self.where, FAILURES)
        return Unreachable(
            f"{self.where} does not speak HTTP as it should ({type(error).__name__})",
            hint="Is it a web server, and does it expect https?",
        )

    def _heed(self, status: int, retry_after: str) -> None:
        """Keep still as long as we are told (RFC 9110 section 10.2.3: seconds, or a date)."""
        pause_s = 0.0
        if retry_after.isascii() and retry_after.isdecimal():
            pause_s = float(retry_after[:9])
        elif retry_after:
            with suppress(ValueError):
                pause_s = parsedate_to_datetime(retry_after).timestamp() - self._clock.now()
        pause_s = min(MOST_PAUSE_S, pause_s)
        if pause_s > 0:
            self._not_before_s = self._clock.monotonic() + pause_s
            self._asked_to_wait = f"{self.where} answered {status} and asked for a pause"

    def _end(self) -> None:
        self._is_over = True
        sock = self._sock
        if sock is not None:
            with suppress(OSError):
                # Not close(): another thread waits on this file descriptor.
                sock.shutdown(socket.SHUT_RDWR)
