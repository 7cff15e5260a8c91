"""A clip in sign language, where the operator has put one: ``clips/sign-language.mp4`` (or
``.webm``) beside the database. Given in pieces, as players ask for them (RFC 9110, 14), so that no
answer is large, whoever asks.
"""

from __future__ import annotations

import os

from kiezbox.portal.answered import Answer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from kiezbox.portal.sight import Sight

__all__ = ["Clip", "clip_of"]

#: Bytes of one answer at most. A minute of somebody who signs is two megabytes.
PIECE_BYTES = 131_072

#: A larger file would hold up everybody else's pages.
MOST_BYTES = 20_000_000

KINDS = {".mp4": "video/mp4", ".webm": "video/webm"}


class Clip:
    """One file and its size in bytes."""

    def __init__(self, path: str, size: int, kind: str) -> None:
        self.path = path
        self.size = size
        self.kind = kind

    def piece(self, wanted: str) -> Answer | None:
        """The part that a header ``Range`` asks for, or its beginning; None: it asks for none that
        is there. Whoever asks without a range is not a player.
        """
        ends = _range(wanted, self.size)
        if ends is None:
            return None
        first, last = ends[0], min(ends[1], ends[0] + PIECE_BYTES - 1)
        try:
            with open(self.path, "rb") as file:
                file.seek(first)
                body = file.read(last - first + 1)
        except OSError:
            return None
        return Answer(
            206, body, self.kind, ("Accept-Ranges", "bytes"), ("Cache-Control", "no-store"),
            ("Content-Range", f"bytes {first}-{first + len(body) - 1}/{self.size}"),
        )  # fmt: skip


def clip_of(sight: Sight) -> Clip | None:
    """The clip of this box; None: there is none, or it is too large."""
    folder = os.path.join(os.path.dirname(sight.store_path), "clips")
    for ending, kind in KINDS.items():
        path = os.path.join(folder, f"sign-language{ending}")
        try:
            size = os.stat(path).st_size
        except OSError:
            continue
        if 0 < size <= MOST_BYTES:
            return Clip(path, size, kind)
    return None


def _range(wanted: str, size: int) -> tuple[int, int] | None:
    """First and last byte of ``bytes=A-B`` or ``bytes=A-``.

    >>> _range("bytes=0-", 10), _range("bytes=3-4", 10), _range("bytes=10-", 10), _range("", 10)
    ((0, 9), (3, 4), None, None)
    """
    unit, _, ends = wanted.strip().partition("=")
    first, dash, last = ends.strip().partition("-")
    if unit != "bytes" or not dash or not first.isdecimal() or not (last or "0").isdecimal():
        return None
    if len(first) > 9 or len(last) > 9:
        return None
    begin, end = int(first), min(int(last or size), size - 1)
    return (begin, end) if begin <= end else None
