"""What this box vouches for: a list beside the log of words, and out of the portal's reach.

The portal writes the log of words, verdicts and folds included: somebody who has broken into it
could write *official* beside words of his own, and they would still stand there after it was
started anew. So whoever can judge (the node, the command line: ``store.log_judging``) writes down
what a believed record is shown as, in a file that the portal can only read; and what says of itself
that somebody vouches for it is passed over unless it stands there (``portal.shown``).

    ORIGIN/SEQUENCE DIGEST          32 hexadecimal digits: BLAKE2b of what is shown (``digest_of``)

Only a few modules are loaded by this one: the first page needs it.
"""

from __future__ import annotations

from _blake2 import blake2b

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["COLUMNS", "FILE", "MOST", "MOST_BYTES", "NUMBERS", "beside", "digest_of", "packed",
           "unpacked"]  # fmt: skip

FILE = "vouched"

#: So many lines are written, the newest things first; and so many bytes are read.
MOST = 5000
MOST_BYTES = MOST * 128

#: Of the table ``things``, what is vouched for. Not what neighbours add to it: how many reports and
#: voices there are, and whether it is hidden.
COLUMNS = ("origin", "sequence", "kind", "written_at", "expires_at", "topic", "state", "text",
           "language", "issuer", "data")  # fmt: skip

#: Those of them that are no texts.
NUMBERS = ("sequence", "kind", "written_at", "expires_at")

_COUNTS = b'"counts": ['


def beside(words_path: str, name: str) -> str:
    """Where a file lies that only the node may write: not in the log's own folder, if that is one
    for the log alone (``words``), because the portal writes there.

    >>> beside("/var/lib/kiezbox/words/words.db", "vouched")
    '/var/lib/kiezbox/vouched'
    """
    folder = words_path.rpartition("/")[0] if "/" in words_path else "."
    above, _, last = folder.rpartition("/")
    if last == "words":
        folder = above or ("" if folder.startswith("/") else ".")
    return f"{folder}/{name}"


def digest_of(*values: bytes | int | float) -> str:
    """Of the values of ``COLUMNS``, texts as UTF-8."""
    *others, data = values
    if isinstance(data, bytes) and _COUNTS in data:
        before, _, rest = data.partition(_COUNTS)
        data = before + rest.partition(b"]")[2]
    hashed = blake2b(digest_size=16, person=b"kbvouched")
    for value in (*others, data):
        part = value if isinstance(value, bytes) else repr(value).encode()
        hashed.update(b"%d:" % len(part))
        hashed.update(part)
    return hashed.hexdigest()


def packed(digests: Mapping[str, str]) -> bytes:
    """The list: name (``ORIGIN/SEQUENCE``) → digest."""
    lines = [f"{name} {digest}\n" for name, digest in digests.items()]
    return "".join(lines[:MOST]).encode("ascii")


def unpacked(data: bytes) -> dict[str, str]:
    """The way back; lines that are none are passed over."""
    pairs = (line.partition(" ") for line in data.decode("ascii", "replace").splitlines())
    return {name: digest for name, _, digest in pairs if len(digest) == 32}
