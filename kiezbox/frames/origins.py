"""A box's name in four bytes. Two boxes may share one: whoever hears it asks for the name."""

from __future__ import annotations

from hashlib import sha256

#: Of 1,000 boxes two share an id with a chance of 1 in 8,600.
ORIGIN_BYTES = 4

_SALT = b"kiezbox origin 1\0"


def origin_id(origin: str) -> bytes:
    """The first four bytes of SHA-256 over a fixed prefix and the box's id (UTF-8)."""
    return sha256(_SALT + origin.encode()).digest()[:ORIGIN_BYTES]
