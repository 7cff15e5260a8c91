"""Who may change what was left: whoever knows its word, or holds a key that signs.

- **A word** (board, "I am safe", messages). The record keeps a *check*, a hash of the *proof*; the
  proof is made of the word, and shown when something is changed. Every box sees that it was right,
  and none that has only the check can make it. It is shown once and ends the thing, so nobody has
  use for it afterwards.
- **A key** (tickets, which change often: a proof that was shown once could be shown again). A
  ticket names the keys by which its states are signed: one that comes from the resident's own
  words, and those of the roles that it is sealed to. Ed25519 (RFC 8032).
"""

from __future__ import annotations

# Not hashlib: it loads OpenSSL, 4 MiB of the portal's 40.
from _blake2 import blake2b
from _operator import _compare_digest as compare_digest

from kiezbox.sealing.code_words import folded
from kiezbox.sealing.deriving import LIGHT, derived

__all__ = [
    "PROOF_BYTES", "check_of", "is_proof_of", "is_signed", "plain_word", "proof_of", "signature",
    "signer_of", "stretched", "ticket_check", "ticket_signer", "verifier_of", "word_of",
]  # fmt: skip

PROOF_BYTES = 32

#: No vowels, so that no word comes out; no l, o, 0, 1, j, which are taken for one another.
_SIGNS = "bcdfghkmnpqrstvwxyz23456789"
_LENGTH = 12

_SALT = 8


# --- a word ---------------------------------------------------------------------------------------


def check_of(proof: bytes) -> bytes:
    """What is kept of a proof: 32 bytes."""
    return blake2b(proof, digest_size=32, person=b"kiezbox proof 1").digest()


def is_proof_of(proof: bytes, check: bytes) -> bool:
    """Whether this is what the check was made of."""
    return len(proof) == PROOF_BYTES and compare_digest(check_of(proof), check)


def word_of(noise: bytes) -> str:
    """A word out of at least 16 random bytes: twelve signs in four groups, which go on paper more
    easily than a password. Whoever copied the database would try 27¹² of them for each post: half a
    year of the fastest graphics card, and what is posted lives for two days.

    >>> word_of(bytes(16))
    'bbb-bbb-bbb-bbb'
    """
    number, word = int.from_bytes(noise, "big"), ""
    for _ in range(_LENGTH):
        number, which = divmod(number, len(_SIGNS))
        word += _SIGNS[which]
    return "-".join(word[n : n + 3] for n in range(0, _LENGTH, 3))


def plain_word(typed: str) -> str:
    """As it was given, whatever case and spaces it was typed with; "": it can be none.

    >>> plain_word(" BBB bb2-bbb bbb"), plain_word("bbb")
    ('bbbbb2bbbbbb', '')
    """
    word = "".join(sign for sign in typed[:64].lower() if sign in _SIGNS)
    return word if len(word) == _LENGTH else ""


def proof_of(word: str, about: str) -> bytes:
    """``word`` as of ``plain_word``; ``about``: the text that it takes back. Not stretched: that
    cost more than all the rest of taking a post, and twelve signs need it not.
    """
    return blake2b(about.encode(), digest_size=32, key=word.encode(), person=b"kbword").digest()


def stretched(words: str, salt: bytes) -> bytes:
    """32 bytes of words that somebody can say; 0.6 ms. ``salt``: 8 to 16 bytes, another one each
    time. Good as a proof, or as what signs.
    """
    return derived(folded(words).encode(), salt.ljust(16, b"\0")[:16], LIGHT)


# --- a key ----------------------------------------------------------------------------------------


def signer_of(private: bytes) -> bytes:
    """What a role signs with, out of its private key; it opens nothing."""
    return blake2b(private, digest_size=32, person=b"kiezbox signs 1").digest()


def verifier_of(signer: bytes) -> bytes:
    """By which everybody sees that it signed: 32 bytes."""
    from nacl.bindings import crypto_sign_seed_keypair

    return bytes(crypto_sign_seed_keypair(signer)[0])


def signature(signer: bytes, message: bytes) -> bytes:
    """64 bytes."""
    from nacl.signing import SigningKey

    return bytes(SigningKey(signer).sign(message).signature)


def is_signed(verifier: bytes, message: bytes, given: bytes) -> bool:
    """Whether it was signed by whoever has the key; False as well for what is no key."""
    from nacl.bindings import crypto_sign_open
    from nacl.exceptions import CryptoError

    if len(verifier) != 32 or len(given) != 64:
        return False
    try:
        crypto_sign_open(given + message, verifier)
    except (CryptoError, ValueError):
        return False
    return True


def ticket_check(words: str, salt: bytes) -> bytes:
    """What a ticket keeps of its words: salt (8 bytes) and verifier (32)."""
    salt = salt[:_SALT]
    return salt + verifier_of(stretched(words, salt))


def ticket_signer(words: str, kept: bytes) -> bytes:
    """What signs, if these are the words of the ticket that keeps this; b"" if they are not."""
    if len(kept) != _SALT + 32:
        return b""
    signer = stretched(words, kept[:_SALT])
    return signer if compare_digest(verifier_of(signer), kept[_SALT:]) else b""
