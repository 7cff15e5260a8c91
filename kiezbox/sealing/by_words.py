"""Sealed by words alone: where it is found, and with what it opens, both come from the words.

There is no salt of its own: whoever looks has nothing but the words. So somebody with a copied
card can try a guess on everything in it at once (docs/help.md has the numbers).
"""

from __future__ import annotations

from _blake2 import blake2b
from typing import NamedTuple

from kiezbox.sealing.boxes import filled_up, stripped
from kiezbox.sealing.code_words import folded
from kiezbox.sealing.deriving import FULL, SALT_BYTES, NotOpened, derived

__all__ = ["Words", "by_words", "open_by", "seal_by"]


class Words(NamedTuple):
    """``lookup`` (16 bytes) finds it, ``key`` (32) opens it, ``proof`` (32) takes it away."""

    lookup: bytes
    key: bytes
    proof: bytes


def by_words(purpose: str, *words: str) -> Words:
    """What the words give. ``purpose``: "safe", "message". 19 MiB, 34 ms on a core of the bench."""
    salt = blake2b(purpose.encode(), digest_size=SALT_BYTES, person=b"kiezbox words 1").digest()
    # The unit separator: no folded word has it, so "ab", "c" is not "a", "bc".
    secret = "\x1f".join(map(folded, words)).encode()
    material = derived(secret, salt, FULL)

    def part(name: bytes, size: int) -> bytes:
        return blake2b(name, key=material, digest_size=size).digest()

    return Words(part(b"lookup", 16), part(b"key", 32), part(b"proof", 32))


def seal_by(key: bytes, text: bytes) -> bytes:
    """With ``Words.key``; filled up to multiples of 128 bytes."""
    from nacl.secret import SecretBox

    return bytes(SecretBox(key).encrypt(filled_up(text, 128)))


def open_by(key: bytes, sealed: bytes) -> bytes:
    """The text.

    Raises:
        NotOpened: other words, or damaged.
    """
    from nacl.exceptions import CryptoError
    from nacl.secret import SecretBox

    try:
        return stripped(bytes(SecretBox(key).decrypt(sealed)))
    except (CryptoError, ValueError) as error:
        raise NotOpened("other words, or damaged") from error
