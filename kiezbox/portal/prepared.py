"""Answers as bytes of HTTP/1.1, made once and given to everybody who asks for the same.

A page costs a millisecond to make and a fifth of that to compress (ten times as much on a small
box), and ten microseconds to send. This is a cache as of RFC 9111: an answer that says how long it
may be kept is given to whoever asks for the same target with the same headers of its ``Vary``.
"""

from __future__ import annotations

from kiezbox.i18n import RIGHT_TO_LEFT, entries_of, lang_of
from kiezbox.portal.answered import HTML, Answer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Hashable
    from typing import Protocol

    from kiezbox.portal.request import Request

    class Contents(Protocol):
        """What is given away. None of it may raise or wait."""

        def answer(self, request: Request) -> Answer: ...

        def own(self, path: str) -> Callable[[str], bytes]:
            """What goes into the slots of this page, by the guest's address."""

        def told(self, request: Request, name: str) -> Hashable:
            """The header of this name, as far as it makes a difference."""

        def version(self) -> Hashable:
            """Another one as soon as no kept answer is true any more, but for what ``standing`` is
            asked of.
            """

        def standing(self) -> Hashable:
            """``Answer.stands_on`` of an answer that was made now; None if nobody can say."""


__all__ = ["SORRY_IN", "Known", "Prepared", "Wire", "refusal"]

REASONS = {
    200: "OK", 201: "Created", 204: "No Content", 206: "Partial Content", 301: "Moved Permanently",
    302: "Found", 303: "See Other", 304: "Not Modified", 307: "Temporary Redirect",
    308: "Permanent Redirect", 400: "Bad Request", 401: "Unauthorized", 403: "Forbidden",
    404: "Not Found", 405: "Method Not Allowed", 406: "Not Acceptable", 408: "Request Timeout",
    409: "Conflict", 410: "Gone", 411: "Length Required", 412: "Precondition Failed",
    413: "Content Too Large", 415: "Unsupported Media Type", 422: "Unprocessable Content",
    429: "Too Many Requests", 431: "Request Header Fields Too Large",
    500: "Internal Server Error", 501: "Not Implemented", 502: "Bad Gateway",
    503: "Service Unavailable", 504: "Gateway Timeout", 505: "HTTP Version Not Supported",
    507: "Insufficient Storage",
}  # fmt: skip

#: Which sentence of the room "sorry" a refusal says; all others: "failed".
_SORRY = {503: "busy", 504: "unsure", 408: "slow", 413: "long", 431: "long"}

#: In these languages at once: whoever is refused may have asked for none yet.
SORRY_IN = ("de", "en", "tr", "ar", "uk", "ru")

_SORRY_PAGE = (
    "<!DOCTYPE html><html lang=de><meta charset=utf-8><title>Kiezbox</title>"
    "<meta name=viewport content='width=device-width,initial-scale=1'>"
    "<meta name=color-scheme content='light dark'><style>body{{font:1.1rem/1.5 sans-serif;"
    "max-width:34rem;margin:1rem auto;padding:0 1rem}}a{{font-size:1.5rem}}</style>"
    "<h1>Kiezbox</h1>{}<p><a href=/>Kiezbox</a></html>"
)

#: Whether the contents are still what they were is looked at so often.
LOOK_S = 0.02

#: Requests remembered by their bytes, how long each may be, and answers kept.
MOST_KNOWN, KNOWN_BYTES = 256, 1024
MOST_KEPT = 128

_KEEP, _CLOSE = b"\r\n", b"Connection: close\r\n\r\n"


class Wire:
    """An answer as it is sent."""

    __slots__ = ("_answer", "_head", "_pieces", "has_slot", "own", "whole")

    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self.has_slot = bool(answer.slot)
        # No Date: a box often does not know the time, and such a server says none (RFC 9110,
        # 6.6.1). A length with a 204 too, as the systems' own servers have it for their probes.
        lines = [f"HTTP/1.1 {answer.status} {REASONS.get(answer.status, 'Unknown')}"]
        lines += [f"{name}: {value}" for name, value in answer.headers]
        lines += [f"Content-Length: {len(answer.body)}"] * (answer.status != 304)
        self._head = "\r\n".join([*lines, ""]).encode("latin-1")
        #: What most get; b"" where each gets something of their own.
        self.whole = self._head + _KEEP + answer.body
        #: What most get, around what is each guest's own; none where filling is more than that.
        self._pieces: list[bytes] = []
        if self.has_slot:
            self._pieces = answer.pieces_of(self.whole)
            self.whole = b""
        #: ``Contents.own`` of the page, as soon as somebody was given it.
        self.own: Callable[[str], bytes] | None = None

    def filled(self, fill: bytes) -> bytes:
        """What most get, with their own in the slot."""
        if self._pieces:
            return fill.join(self._pieces)
        return b"".join((self._head, _KEEP, self._answer.filled(fill)))

    def bytes_for(self, request: Request, *, is_last: bool, fill: bytes = b"") -> bytes:
        """What to send to whoever asked so."""
        if request.method == "HEAD":
            return self._head + (_CLOSE if is_last else _KEEP)
        if is_last:
            body = self._answer.filled(fill) if self.has_slot else self._answer.body
            return self._head + _CLOSE + body
        return self.filled(fill) if self.has_slot else self.whole


_refusals: dict[int, bytes] = {}


def refusal(status: int) -> bytes:
    """The last words on a connection: what to do now, whoever reads it. Made once."""
    found = _refusals.get(status)
    if found is None:
        key = _SORRY.get(status, "failed")
        said = ""
        for language in SORRY_IN:
            direction = " dir=rtl" if language in RIGHT_TO_LEFT else ""
            words = _sorry(language).get(key, "")
            said += f"<p lang={lang_of(language)}{direction}>{words}"
        later = (("Retry-After", "60"),) if status == 503 else ()
        answer = Answer(status, _SORRY_PAGE.format(said).encode(), HTML, *later)
        wire = Wire(answer)
        found = _refusals[status] = b"".join((wire._head, _CLOSE, answer.body))
    return found


def _sorry(language: str) -> dict[str, str]:
    try:
        return entries_of(language, "sorry")
    except OSError:
        return {}


class _Kept:
    """An answer that is kept, for a while or until the contents change."""

    __slots__ = ("generation", "stands_on", "until", "wire")

    def __init__(self, wire: Wire, stands_on: Hashable, generation: int, until: float) -> None:
        self.wire = wire
        self.stands_on = stands_on
        self.generation = generation
        self.until = until


class Known:
    """A request whose bytes were parsed before, and the answer it was last given, if kept."""

    __slots__ = ("is_plain", "kept", "request")

    def __init__(self, request: Request) -> None:
        self.request = request
        #: Whoever sends it gets all of the answer, and more later.
        self.is_plain = request.method == "GET" and not request.is_last
        self.kept: _Kept | None = None


class Prepared:
    """The contents, kept as long as they are true."""

    def __init__(self, contents: Contents) -> None:
        self._contents = contents
        #: (own address, is_tls) → the bytes of a request → what they say.
        self._known: dict[tuple[str, bool], dict[bytes, Known]] = {}
        self._known_count = 0
        self._kept: dict[Hashable, _Kept] = {}
        #: Target → headers on which its answer depends.
        self._vary: dict[Hashable, list[str]] = {}
        self._version: Hashable = None
        #: (generation, ``Contents.standing`` in it).
        self._standing: tuple[int, Hashable] = (-1, None)
        self.generation = 0
        self._look_again_at = -1e9

    def look(self, now: float) -> None:
        """Forget what is true no more. To be called often; it looks only so often."""
        if now >= self._look_again_at:
            self._look_again_at = now + LOOK_S
            version = self._contents.version()
            if version != self._version:
                self._version = version
                self.forget()

    def forget(self) -> None:
        """Something was written, and whoever wrote it looks at once. Twenty posts a second are no
        reason to make the first page twenty times: what none of them stands on is asked whether it
        is still true (the validator of RFC 9111, 4.3).
        """
        self.generation += 1
        self._kept = {key: kept for key, kept in self._kept.items() if kept.stands_on is not None}

    def known_at(self, local: str, is_tls: bool) -> dict[bytes, Known]:
        """The requests seen before at this address."""
        return self._known.setdefault((local, is_tls), {})

    def remember(self, known: dict[bytes, Known], received: bytes, request: Request) -> None:
        """These bytes were this request and nothing else."""
        if request.body or len(received) > KNOWN_BYTES:
            return
        if self._known_count >= MOST_KNOWN:
            for each in self._known.values():
                each.clear()
            self._known_count = 0
        known[received] = Known(request)
        self._known_count += 1

    def recall(self, known: Known, now: float) -> Wire | None:
        """The kept answer to a request that was seen before, without asking what it says."""
        kept = known.kept
        if kept is None or kept.generation != self.generation or now >= kept.until:
            kept = known.kept = self._found(known.request, now)
        return None if kept is None else kept.wire

    def fill(self, wire: Wire, path: str, client: str) -> bytes:
        """What goes into the answer's slot for this guest."""
        if not wire.has_slot:
            return b""
        own = wire.own
        if own is None:
            own = wire.own = self._contents.own(path)
        return own(client)

    def find(self, request: Request, now: float) -> Wire | None:
        """The kept answer to a request."""
        kept = self._found(request, now)
        return None if kept is None else kept.wire

    def make(self, request: Request, now: float) -> Wire | Answer:
        """A new answer as it is sent; or one that is left to others (``is_slow``, ``job``)."""
        answer = self._contents.answer(request)
        if answer.is_slow or answer.job:
            return answer
        wire: Wire = answer.wire or Wire(answer)
        answer.wire = wire
        if answer.keep_s > 0 and request.method in ("GET", "HEAD"):
            self._keep(request, answer, wire, now)
        return wire

    def keep(self, request: Request, answer: Answer, generation: int, now: float) -> None:
        """An answer that was made aside, since the contents were of that ``generation``."""
        if answer.keep_s > 0 and generation == self.generation:
            self._keep(request, answer, Wire(answer), now)

    def _found(self, request: Request, now: float) -> _Kept | None:
        target = _target(request)
        names = self._vary.get(target)
        if names is None or request.method not in ("GET", "HEAD"):
            return None
        kept = self._kept.get(self._key(target, names, request))
        return kept if kept is not None and now < kept.until and self._is_true(kept) else None

    def _is_true(self, kept: _Kept) -> bool:
        generation = self.generation
        if kept.generation == generation:
            return True
        if kept.stands_on is None:
            return False
        if self._standing[0] != generation:
            self._standing = generation, self._contents.standing()
        if kept.stands_on != self._standing[1]:
            return False
        kept.generation = generation
        return True

    def _keep(self, request: Request, answer: Answer, wire: Wire, now: float) -> None:
        if len(self._kept) >= MOST_KEPT or len(self._vary) >= MOST_KEPT:
            self._kept.clear()
            self._vary.clear()
        target = _target(request)
        value = ",".join(value for name, value in answer.headers if name == "Vary")
        names = [name.strip().lower() for name in value.split(",") if name.strip()]
        self._vary[target] = names
        key = self._key(target, names, request)
        self._kept[key] = _Kept(wire, answer.stands_on, self.generation, now + answer.keep_s)

    def _key(self, target: Hashable, names: list[str], request: Request) -> Hashable:
        return target, *[self._contents.told(request, name) for name in names]


def _target(request: Request) -> Hashable:
    return request.host, request.path, request.query, request.local, request.is_tls
