"""An answer: status, headers, body, and what of it may be kept for the next who asks."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping
    from typing import Any

__all__ = ["HTML", "SLOT", "Answer", "takes_gzip", "zipped"]

HTML = "text/html; charset=utf-8"

#: Stands in a page where each guest gets something of their own: as long as a token of ``guests``.
#: 0xFF occurs in no UTF-8, so nothing that anybody wrote can be taken for it.
SLOT = b"\xff" * 40

#: Whatever a browser is made to fetch or run from our pages: it does not. Forms come to us alone.
#: The only pages that may show ours in a frame are those of the same computer: the demo's.
_SAFE = (
    (
        "Content-Security-Policy",
        "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'self';"
        " frame-ancestors http://127.0.0.1:* http://localhost:*",
    ),
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "no-referrer"),
)

#: Below this gzip saves less than its header costs.
WORTH_ZIPPING = 300

#: RFC 1952, 2.3: deflate, no flags, no time, system unknown.
_GZIP = b"\x1f\x8b\x08\0\0\0\0\0\0\xff"


class Answer:
    """``Content-Length`` is its server's to add.

    ``keep_s`` > 0: whoever asks for the same page in the same language and coding within so many
    seconds may get the same bytes, until ``Sight.version`` changes; with ``stands_on`` until that
    is another, which is asked before the answer is made. ``slot`` names a placeholder in the body
    for what is each guest's own: send ``filled(answers.own(…)(client))``, never ``body``.
    ``is_slow``: the answer takes longer, ``answers.behind`` gives it.
    """

    __slots__ = (
        "_around", "body", "headers", "is_slow", "job", "keep_s", "slot", "stands_on",
        "status", "wire",
    )  # fmt: skip

    def __init__(
        self,
        status: int,
        body: bytes,
        kind: str = HTML,
        *more: tuple[str, str],
        keep_s: float = 0.0,
        stands_on: Hashable = None,
        is_slow: bool = False,
    ) -> None:
        """``kind`` is the media type; "" for an answer without any content (204)."""
        self.status = status
        self.body = body
        self.headers = [("Content-Type", kind), *more] if kind else [*more]
        self.headers += _SAFE if kind == HTML else _SAFE[1:2]
        self.keep_s = keep_s
        self.stands_on = stands_on
        self.is_slow = is_slow
        #: What must be written before there is an answer (``asking.Job``).
        self.job: Any = None
        self.slot = SLOT if SLOT in body else b""
        #: As it was last sent (``prepared.Wire``), for an answer that is given again and again.
        self.wire: Any = None
        #: Zipped: the pieces around the slots, the checksum of the text before the first slot, the
        #: texts after each, and the length of the whole text.
        self._around: tuple[list[bytes], int, list[bytes], int] | None = None

    def pieces_of(self, whole: bytes) -> list[bytes]:
        """What is around the slots of the body, with what comes before it; none if it is zipped,
        which ends with a checksum over all.
        """
        return [] if self._around else whole.split(self.slot)

    def filled(self, own: bytes) -> bytes:
        """The body with ``own``, which is as long as the slot, in each slot: a page may have
        several forms.
        """
        if self._around is None:
            return self.body.replace(self.slot, own) if self.slot else self.body
        import zlib

        (first, *others), checksum, texts, size = self._around
        whole = [first]
        for piece, text in zip(others, texts, strict=True):
            checksum = zlib.crc32(text, zlib.crc32(own, checksum))
            whole += own, piece
        # RFC 1952, 2.3.1: checksum and length, the least significant byte first.
        return b"".join((*whole, checksum.to_bytes(4, "little"), size.to_bytes(4, "little")))


def zipped(whole: Answer, headers: Mapping[str, str], vary: str = "Accept-Encoding") -> Answer:
    """The same with gzip, if the other side takes it."""
    whole.headers.append(("Vary", vary))
    if len(whole.body) >= WORTH_ZIPPING and takes_gzip(headers.get("accept-encoding", "")):
        _zip(whole)
        whole.headers.append(("Content-Encoding", "gzip"))
    return whole


def _zip(whole: Answer) -> None:
    import zlib

    if not whole.slot:
        # 31: a window of 32 KiB inside a gzip frame (zlib.h, deflateInit2).
        packer = zlib.compressobj(6, zlib.DEFLATED, 31)
        whole.body = packer.compress(whole.body) + packer.flush()
        return
    # -15: deflate without a frame (zlib.h). A slot is a stored block (RFC 1951, 3.2.4), so that
    # its bytes can be changed; what follows may refer to what came before it, never to it.
    length, size = len(whole.slot), len(whole.body)
    stored = b"\0" + length.to_bytes(2, "little") + (length ^ 0xFFFF).to_bytes(2, "little")
    first, *texts = whole.body.split(whole.slot)
    packer = zlib.compressobj(6, zlib.DEFLATED, -15)
    pieces, seen = [_GZIP + packer.compress(first)], first
    for text in texts:
        pieces[-1] += packer.flush(zlib.Z_SYNC_FLUSH) + stored
        seen += whole.slot
        packer = zlib.compressobj(6, zlib.DEFLATED, -15, zdict=seen)
        pieces.append(packer.compress(text))
        seen += text
    pieces[-1] += packer.flush()
    whole._around = pieces, zlib.crc32(first), texts, size
    whole.body = whole.filled(whole.slot)


def takes_gzip(accept_encoding: str) -> bool:
    """RFC 9110, 12.5.3: named (or ``*``) and not with the weight 0.

    >>> takes_gzip("br, gzip;q=0.5"), takes_gzip("gzip;q=0, *")
    (True, False)
    """
    weights: dict[str, bool] = {}
    for each in accept_encoding.lower().split(","):
        coding, _, parameter = each.partition(";")
        weight = parameter.strip().removeprefix("q=").strip("0.")
        weights[coding.strip()] = weight != "" or not parameter.strip()
    return weights.get("gzip", weights.get("*", False))
