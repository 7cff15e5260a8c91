"""A role's private key under a passphrase, as it lies on the card.

One byte of version (1), one of passes, four of memory in KiB, 16 of salt, and the box (XSalsa20
and Poly1305) with its nonce. So a later Kiezbox may ask for more work, and old locks still open.
"""

from __future__ import annotations

import unicodedata

from kiezbox.sealing.deriving import FULL, SALT_BYTES, NotOpened, Work, derived, random_bytes

__all__ = ["fault_of", "lock", "unlock"]

_VERSION = 1
_HEAD = 6

#: As the desk's (NIST SP 800-63B asks for 8 at least; whoever has the card can try for ever).
LEAST_LETTERS, MOST_LETTERS, LEAST_DIFFERENT = 12, 256, 5


def fault_of(passphrase: str) -> str:
    """Why it cannot be one: "short", "long", "simple"; "" if it can.

    >>> fault_of("geheim"), fault_of("aaaaaaaaaaaaaa"), fault_of("vier Dosen Birnen")
    ('short', 'simple', '')
    """
    if len(passphrase) < LEAST_LETTERS:
        return "short"
    if len(passphrase) > MOST_LETTERS:
        return "long"
    return "simple" if len(set(passphrase)) < LEAST_DIFFERENT else ""


def lock(private: bytes, passphrase: str, work: Work = FULL) -> bytes:
    """The private key, for the card."""
    from nacl.secret import SecretBox

    salt = random_bytes(SALT_BYTES)
    head = bytes([_VERSION, work.passes]) + work.memory_kib.to_bytes(4, "big") + salt
    key = derived(_letters(passphrase), salt, work)
    return head + bytes(SecretBox(key).encrypt(private))


def unlock(locked: bytes, passphrase: str) -> bytes:
    """The private key.

    Raises:
        NotOpened: another passphrase, damaged, or of a newer Kiezbox.
    """
    from nacl.exceptions import CryptoError
    from nacl.secret import SecretBox

    if len(locked) <= _HEAD + SALT_BYTES or locked[0] != _VERSION:
        raise NotOpened("this lock is damaged, or of a newer Kiezbox")
    work = Work(locked[1], int.from_bytes(locked[2:_HEAD], "big"))
    salt, box = locked[_HEAD : _HEAD + SALT_BYTES], locked[_HEAD + SALT_BYTES :]
    try:
        return bytes(SecretBox(derived(_letters(passphrase), salt, work)).decrypt(box))
    except (CryptoError, ValueError) as error:
        raise NotOpened("the passphrase is another one") from error


def _letters(passphrase: str) -> bytes:
    # RFC 8265 (OpaqueString): the same letters typed on another keyboard are the same passphrase.
    return unicodedata.normalize("NFC", passphrase.strip()).encode("utf-8", "surrogatepass")
