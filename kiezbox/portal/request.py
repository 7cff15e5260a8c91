"""Reading HTTP requests from anybody who joins the WLAN (RFC 9112). The parser is httptools' (the
llhttp of Node.js); here stand its limits, and what of a request the portal cares for.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["MOST_BODY", "MOST_HEAD", "BadRequest", "Reader", "Request", "request_parser"]

#: Request line and headers. Phones send under 1 KiB.
MOST_HEAD = 16384
MOST_HEADERS = 100

#: A body in all: the longest form is a request for help, and a letter of Arabic takes six bytes.
MOST_BODY = 12288

#: What chunks may cost beside the body they carry.
MOST_WRAPPING = 8192

#: So many requests may come in one breath; whoever sends more is answered these and let go
#: (RFC 9112, 9.3.2: a client asks again for what was not answered).
MOST_AT_ONCE = 16

#: What may stand in Host (RFC 3986, 3.2.2 and 3.2.3; no user part).
_HOST = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-._~!$&'()*+,;=%:[]")


class BadRequest(Exception):
    """This can never become a request we answer. ``status`` is what to say."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


class Request:
    """What was asked, and by whom.

    ``host`` is in lower case and without port, "" if none; ``path`` is without the query and as
    it came, not decoded; ``headers`` has lower-case names, the first of several counts. ``client``
    is the peer's address, from the socket and nothing else, ``local`` our own on that connection.
    """

    __slots__ = ("body", "client", "headers", "host", "is_last", "is_tls", "local", "method",
                 "path", "query")  # fmt: skip

    def __init__(
        self,
        method: str,
        host: str,
        path: str,
        query: str,
        headers: dict[str, str],
        *,
        body: bytes = b"",
        client: str = "",
        local: str = "",
        is_tls: bool = False,
        is_last: bool = False,
    ) -> None:
        self.method = method
        self.host = host
        self.path = path
        self.query = query
        self.headers = headers
        self.body = body
        self.client = client
        self.local = local
        self.is_tls = is_tls
        #: Whoever asks wants the connection closed after the answer.
        self.is_last = is_last

    def of(self, client: str, local: str, is_tls: bool) -> Request:
        """The same, asked by somebody else."""
        return Request(
            self.method, self.host, self.path, self.query, self.headers, body=self.body,
            client=client, local=local, is_tls=is_tls, is_last=self.is_last,
        )  # fmt: skip


class Reader:
    """Bytes of one connection in, requests out."""

    __slots__ = (
        "_body", "_fields", "_has_begun", "_is_told", "_parser", "_size", "_target", "_wrapping",
        "has_more", "is_head_read", "is_over", "requests",
    )  # fmt: skip

    def __init__(self) -> None:
        self.requests: list[Request] = []
        #: No further request can come on this connection ...
        self.is_over = False
        #: ... but something else may.
        self.has_more = False
        self._has_begun = self._is_told = False
        self._parser = request_parser()(self)
        self._begin()

    def feed(self, received: bytes) -> None:
        """Read on; whole requests are in ``requests`` afterwards, also when this raises.

        Raises:
            BadRequest: what comes after them is none.
        """
        try:
            self._feed(received)
        except BadRequest:
            self.is_over = self.has_more = True
            raise

    def _feed(self, received: bytes) -> None:
        self._wrapping += len(received)
        try:
            self._parser.feed_data(received)
        except Exception as error:
            # HttpParserError and its kinds, by name: they must not be imported before the parser.
            if isinstance(error.__context__, BadRequest):
                raise error.__context__ from None
            # An upgrade is answered in HTTP/1.1 all the same (RFC 9110, 7.8). Whether a body
            # follows is not known any more, so nothing of it is taken for a request.
            is_upgrade = type(error).__name__ == "HttpParserUpgrade"
            if not self.requests or not (is_upgrade or self.requests[-1].is_last):
                raise BadRequest(400) from error
            self.is_over = self.has_more = True
            return
        if not self.is_between():
            most = MOST_HEAD + (MOST_BODY + MOST_WRAPPING if self.is_head_read else 0)
            if self._wrapping > most:
                raise BadRequest(413 if self.is_head_read else 431)

    def is_between(self) -> bool:
        """Whether nothing of a next request has come."""
        return not self._has_begun

    def wants_to_be_told(self) -> bool:
        """Whether a body waits for "100 Continue" (RFC 9110, 10.1.1); said once."""
        if self._is_told or not self.is_head_read:
            return False
        self._is_told = True
        is_asked = self._fields.get("expect", "").lower() == "100-continue"
        return is_asked and self._parser.get_http_version() == "1.1"

    def _begin(self) -> None:
        self._has_begun = False
        self._target = b""
        self._fields: dict[str, str] = {}
        self._body = b""
        self._size = 0
        self._wrapping = 0
        self.is_head_read = False
        self._is_told = False

    # --- called by the parser --------------------------------------------------------------------

    def on_message_begin(self) -> None:
        self._has_begun = True

    def on_url(self, piece: bytes) -> None:
        self._target += piece
        self._count(len(piece))

    def on_header(self, name: bytes, value: bytes) -> None:
        self._count(len(name) + len(value) + 4)
        # Latin-1 never fails; bytes that mean nothing in it are compared with nothing either.
        key = name.decode("latin-1").lower()
        if key == "host" and "host" in self._fields:
            raise BadRequest(400)
        if len(self._fields) >= MOST_HEADERS:
            raise BadRequest(431)
        self._fields.setdefault(key, value.decode("latin-1").strip())

    def on_headers_complete(self) -> None:
        version = self._parser.get_http_version()
        if version not in ("1.0", "1.1"):
            raise BadRequest(505)
        if version == "1.1" and "host" not in self._fields:
            raise BadRequest(400)  # RFC 9112, 3.2
        length = self._fields.get("content-length", "0")
        if len(length) > 5 or int(length or 0) > MOST_BODY:
            raise BadRequest(413)
        self.is_head_read = True

    def on_body(self, piece: bytes) -> None:
        if len(self._body) + len(piece) > MOST_BODY:
            raise BadRequest(413)
        self._body += piece

    def on_message_complete(self) -> None:
        if len(self.requests) >= MOST_AT_ONCE:
            self.is_over = self.has_more = True
            self._begin()
            return
        method = self._parser.get_method().decode("ascii")
        target = self._target.decode("ascii")
        is_last = not self._parser.should_keep_alive() or self._parser.get_http_version() == "1.0"
        host, path, query = _where(target, self._fields.get("host", ""))
        body = self._body if method == "POST" else b""
        self.is_over = self.is_over or is_last
        self.requests.append(
            Request(method, host, path, query, self._fields, body=body, is_last=is_last)
        )
        self._begin()

    def _count(self, size: int) -> None:
        self._size += size
        if self._size > MOST_HEAD:
            raise BadRequest(431)


def _where(target: str, host: str) -> tuple[str, str, str]:
    """Host, path and query, also of ``http://host/path``, whose host counts (RFC 9112, 3.2.2)."""
    target = target.partition("#")[0]
    if "://" in target[:8]:
        host = target = target.partition("://")[2]
        for end in "/?":
            host = host.partition(end)[0]
        target = "/" + target.removeprefix(host).removeprefix("/")
    path, _, query = target.partition("?")
    host = host.lower()
    if not _HOST.issuperset(host):
        raise BadRequest(400)
    if host.startswith("["):
        name = host[1:].partition("]")[0]
    else:
        name = host.partition(":")[0]
    return name.removesuffix("."), path, query


def request_parser() -> Any:
    """httptools' HttpRequestParser; loaded at the first call. Raises ImportError."""
    from kiezbox.portal.lean import httptools

    return httptools().HttpRequestParser
