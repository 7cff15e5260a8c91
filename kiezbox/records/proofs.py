"""The short word with which somebody takes back what they wrote, on any box and without an account.

Twelve signs go on paper more easily than a password. A record holds the *seal*, a hash of the
*proof*, which is a hash of the word over the post's own text. Whoever copied the database would try
27¹² words for each post: half a year of the fastest graphics card, and what is posted lives for two
days. A change of the record carries the proof; whoever holds both can see that they belong
together, and nobody can make the one from the other.

Not nine signs and 2,000 rounds of PBKDF2, as it was first: that is a tenth as strong, and costs
1 ms a post (5 on a small box), more than all the rest of taking it.
"""

from __future__ import annotations

# Not hashlib: it loads OpenSSL, 4 MiB of the portal's 40.
from _blake2 import blake2s

__all__ = ["PROOF_BYTES", "is_proof", "plain_word", "proof_of", "seal_of", "word_of"]

#: No vowels, so that no word comes out; no l, o, 0, 1, j, which are taken for one another.
_SIGNS = "bcdfghkmnpqrstvwxyz23456789"
_LENGTH = 12

PROOF_BYTES = 32


def word_of(noise: bytes) -> str:
    """A word out of at least 16 random bytes, in four groups.

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
    """``word`` as of ``plain_word``; ``about``: the text that it takes back."""
    hashed = blake2s(about.encode(), digest_size=32, key=word.encode(), person=b"kbword")
    return hashed.digest()


def seal_of(proof: bytes) -> bytes:
    """What the record itself holds."""
    return blake2s(proof, digest_size=32, person=b"kbproof").digest()


def is_proof(proof: bytes, seal: bytes) -> bool:
    """Whether this is what the seal was made of."""
    return len(proof) == PROOF_BYTES and len(seal) == 32 and seal_of(proof) == seal
