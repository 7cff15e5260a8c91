"""Who knows the words may change what was left: a proof, and the check that is kept of it.

The check lies in the record and travels with it; the proof is shown when something is changed, so
that every box can see that it was right, and none that has only the check can make it.
"""

from __future__ import annotations

from _blake2 import blake2b
from _operator import _compare_digest as compare_digest

from kiezbox.sealing.code_words import folded
from kiezbox.sealing.deriving import LIGHT, derived

__all__ = ["check_of", "is_proof_of", "is_ticket_proof", "ticket_check", "ticket_proof"]

_SALT = 8


def check_of(proof: bytes, size: int = 32) -> bytes:
    """What is kept of a proof."""
    return blake2b(proof, digest_size=size, person=b"kiezbox proof 1").digest()


def is_proof_of(proof: bytes, check: bytes) -> bool:
    """Whether this is what the check was made of."""
    return len(check) >= 16 and compare_digest(check_of(proof, len(check)), check)


def ticket_proof(words: str, salt: bytes) -> bytes:
    """32 bytes of a resident's words; 0.6 ms. ``salt``: 8 to 16 bytes, another one each time."""
    return derived(folded(words).encode(), salt.ljust(16, b"\0")[:16], LIGHT)


def ticket_check(words: str, salt: bytes) -> bytes:
    """What a ticket keeps of its words: salt (8 bytes) and check (24)."""
    salt = salt[:_SALT]
    return salt + check_of(ticket_proof(words, salt), 24)


def is_ticket_proof(proof: bytes, kept: bytes) -> bool:
    """Whether the proof is of the ticket that keeps this."""
    return len(kept) == 32 and is_proof_of(proof, kept[_SALT:])
