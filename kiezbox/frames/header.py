"""What all frames share: the first byte, and for those that are not signed the last eight.

=====  ============================================================================
byte   meaning
=====  ============================================================================
0      version (upper three bits, 1), kind (lower five)
1 …    the kind's own
last   eight bytes: BLAKE2b (RFC 7693), keyed with the Kiez's group key, digest of
       eight bytes, over everything before; not in signed kinds
=====  ============================================================================

The seal says that somebody of this Kiez has sent it, and not who: every box has the key.
"""

from __future__ import annotations

from enum import IntEnum
from hashlib import blake2b
from hmac import compare_digest

from kiezbox.errors import KiezboxError

__all__ = ["SEAL_BYTES", "VERSION", "BadFrame", "Kind", "first_byte", "kind_of", "sealed",
           "unsealed"]  # fmt: skip

VERSION = 1
SEAL_BYTES = 8

#: Shorter keys can be guessed; BLAKE2b takes no longer ones.
KEY_BYTES_LEAST, KEY_BYTES_MOST = 16, 64

_KIND_BITS = 5


class BadFrame(KiezboxError, ValueError):
    """Bytes from the air that are no frame of ours. To be counted and dropped."""


class Kind(IntEnum):
    """What a frame is. A number is never given to another kind."""

    DIGEST = 0
    WANT = 1
    READINGS = 2
    #: A bulletin or a withdrawal in codes, signed.
    CODED_RECORD = 3
    #: Any other record, compressed.
    RECORD = 4
    TICKET_STATE = 5
    BOX_STATE = 6
    #: A part of something larger, with an erasure code.
    BLOCK = 7
    RECEIPT = 8
    #: Which box an origin id is, and its key.
    NAME = 9
    ORDER = 10
    #: What was asked for is not there, or no more.
    GONE = 11
    #: Any other record that somebody has signed, compressed.
    SIGNED_RECORD = 12


def first_byte(kind: Kind) -> bytes:
    """Version and kind.

    >>> first_byte(Kind.READINGS).hex()
    '22'
    """
    return bytes((VERSION << _KIND_BITS | kind,))


def kind_of(frame: bytes) -> Kind:
    """What a frame says it is.

    Raises:
        BadFrame: empty, of another version, of a kind that is not known here.
    """
    if not frame:
        raise BadFrame("an empty frame")
    version, number = frame[0] >> _KIND_BITS, frame[0] & (1 << _KIND_BITS) - 1
    if version != VERSION:
        raise BadFrame(f"a frame of version {version}; this box knows {VERSION}")
    try:
        return Kind(number)
    except ValueError as error:
        raise BadFrame(f"a frame of kind {number}, which this box does not know") from error


def sealed(frame: bytes, key: bytes) -> bytes:
    """The frame with its seal. ``key``: the Kiez's group key, 16 to 64 bytes."""
    return frame + _seal(frame, key)


def unsealed(frame: bytes, key: bytes) -> bytes:
    """The frame without its seal.

    Raises:
        BadFrame: too short for one, or not sealed with this key.
    """
    inner, seal = frame[:-SEAL_BYTES], frame[-SEAL_BYTES:]
    if not inner:
        raise BadFrame(f"a frame of {len(frame)} bytes, too short for a seal")
    if not compare_digest(_seal(inner, key), seal):
        raise BadFrame("a frame that nobody of this Kiez has sealed")
    return inner


def _seal(frame: bytes, key: bytes) -> bytes:
    if not KEY_BYTES_LEAST <= len(key) <= KEY_BYTES_MOST:
        raise ValueError(f"a group key of {len(key)} bytes")
    return blake2b(frame, key=key, digest_size=SEAL_BYTES).digest()
