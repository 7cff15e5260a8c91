"""Sealed to a role's public key: X25519 with a key of its own for each (libsodium's sealed box).

A sealed text is eight bytes that name the key, and the box. Texts are filled up to multiples of
256 bytes, so that lengths do not tell a short address from a long story.
"""

from __future__ import annotations

# Not hashlib: it loads OpenSSL, 4 MiB of the portal's 40.
from _blake2 import blake2b
from typing import NamedTuple

from kiezbox.sealing.deriving import NotOpened
from kiezbox.sealing.proofs import signer_of, verifier_of

__all__ = [
    "PADDING", "PUBLIC_BYTES", "ROLES", "Pair", "filled_up", "key_id", "new_pair", "public_of",
    "seal", "stripped", "unseal", "verifying_half",
]  # fmt: skip

#: Whom residents' exact words are sealed to: one key pair each.
ROLES = ("helpers", "protection")

PADDING = 256

#: Half of it seals to the role (X25519), half shows that the role has signed (Ed25519).
PUBLIC_BYTES = 64


class Pair(NamedTuple):
    """``private``: 32 bytes, from which a role's signing key comes as well (``signer_of``);
    ``public``: ``PUBLIC_BYTES``.
    """

    private: bytes
    public: bytes


def new_pair() -> Pair:
    from nacl.public import PrivateKey

    private = bytes(PrivateKey.generate())
    return Pair(private, public_of(private))


def public_of(private: bytes) -> bytes:
    from nacl.public import PrivateKey

    return bytes(PrivateKey(private).public_key) + verifier_of(signer_of(private))


def verifying_half(public: bytes) -> bytes:
    """By which everybody sees that the role has signed; 32 bytes."""
    return public[32:]


def key_id(public: bytes) -> bytes:
    """Eight bytes that name a public key."""
    return blake2b(public, digest_size=8, person=b"kiezbox key 1").digest()


def seal(public: bytes, text: bytes) -> bytes:
    """Nobody opens it without the private key, not even whoever sealed it."""
    from nacl.public import PublicKey, SealedBox

    return key_id(public) + SealedBox(PublicKey(public[:32])).encrypt(filled_up(text))


def unseal(private: bytes, sealed: bytes) -> bytes:
    """The text.

    Raises:
        NotOpened: it was sealed to another key, or is damaged.
    """
    from nacl.exceptions import CryptoError
    from nacl.public import PrivateKey, SealedBox

    try:
        return stripped(SealedBox(PrivateKey(private)).decrypt(sealed[8:]))
    except (CryptoError, ValueError, TypeError) as error:
        raise NotOpened("it is sealed to another key, or damaged") from error


def filled_up(text: bytes, step: int = PADDING) -> bytes:
    """ISO/IEC 7816-4: a byte 0x80 and zeros.

    >>> filled_up(b"ab", 4), stripped(b"ab\\x80\\0")
    (b'ab\\x80\\x00', b'ab')
    """
    text += b"\x80"
    return text + bytes(-len(text) % step)


def stripped(text: bytes) -> bytes:
    """``filled_up`` taken back."""
    bare = text.rstrip(b"\0")
    if not bare.endswith(b"\x80"):
        raise NotOpened("it is not filled up as ours are")
    return bare[:-1]
