"""Keys out of what people know, with Argon2id (RFC 9106), and randomness."""

from __future__ import annotations

from typing import NamedTuple

from kiezbox.errors import KiezboxError

__all__ = ["FULL", "LIGHT", "SALT_BYTES", "NotOpened", "Work", "derived", "random_bytes"]

#: libsodium's crypto_pwhash_SALTBYTES.
SALT_BYTES = 16


class Work(NamedTuple):
    """What a guess costs: passes over so much memory, on one lane."""

    passes: int
    memory_kib: int


#: OWASP's password storage cheat sheet has 19 MiB and two passes as the least; a small box has
#: 512 MiB in all, so the memory stays and the passes are doubled. 34 ms on a core of the bench.
FULL = Work(4, 19 * 1024)

#: For what is worth little and must be quick: 0.6 ms.
LIGHT = Work(1, 1024)

#: What is read from a card must not cost more than this, whatever it says.
_MOST = Work(16, 19 * 1024)


class NotOpened(KiezboxError):
    """Another key, passphrase or word than it was sealed with; or it is damaged."""


def derived(secret: bytes, salt: bytes, work: Work) -> bytes:
    """32 bytes of key.

    Raises:
        NotOpened: more work than any of ours asks for.
    """
    from nacl.pwhash import argon2id

    if not (1 <= work.passes <= _MOST.passes and 8 <= work.memory_kib <= _MOST.memory_kib):
        raise NotOpened(f"{work.passes} passes over {work.memory_kib} KiB are not ours")
    return argon2id.kdf(32, secret, salt, work.passes, work.memory_kib * 1024)


def random_bytes(count: int) -> bytes:
    """From the kernel."""
    from nacl.utils import random

    return random(count)
