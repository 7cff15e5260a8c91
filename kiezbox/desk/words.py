"""Codes and passphrases: how they are made, written, hashed and compared. No file, no clock."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import unicodedata
from collections.abc import Mapping
from typing import Any

#: Crockford's base 32: no I, L, O, U, so nobody asks which of two letters it is
#: (crockford.com/base32.html). Eight of them are 40 bits.
ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
CODE_LETTERS = 8

#: What people type instead, after the same source.
_READ_AS = str.maketrans("ILO", "110", "- \t")

#: NIST SP 800-63B asks for 8 at least; there is no second factor here and no way to lock out.
LEAST_LETTERS = 12
#: Nobody types more; a hash must not be made to work.
MOST_LETTERS = 256
#: "aaaaaaaaaaaa" is long, too.
LEAST_DIFFERENT = 5

#: 16 MiB and p = 5, one of the settings in OWASP's password storage cheat sheet. 0.2 s on a
#: computer; a Pi Zero 2 W has 512 MiB in all, so more memory would be taken from the portal.
SCRYPT = {"n": 2**14, "r": 8, "p": 5}
_MOST_MEMORY = 64 * 1024 * 1024


def new_code() -> str:
    """Forty random bits for a person to type: ``7K3M-Q9TX``."""
    letters = "".join(secrets.choice(ALPHABET) for _ in range(CODE_LETTERS))
    return f"{letters[:4]}-{letters[4:]}"


def plain_code(typed: str) -> str:
    """What was meant: without dash, in capitals, with the look-alikes sorted out.

    >>> plain_code(" 7k3m q9ox ")
    '7K3MQ90X'
    """
    return typed.strip().upper().translate(_READ_AS)


def fault_of(passphrase: str) -> str:
    """Why it cannot be one, as a key of ``texts``; "" if it can."""
    if len(passphrase) < LEAST_LETTERS:
        return "too short"
    if len(passphrase) > MOST_LETTERS:
        return "too long"
    return "too simple" if len(set(passphrase)) < LEAST_DIFFERENT else ""


def hashed(word: str) -> dict[str, Any]:
    """All that is ever stored of a code or a passphrase: salt, scrypt's settings, hash."""
    salt = secrets.token_bytes(16)
    return {"salt": salt.hex(), **SCRYPT, "hash": _scrypt(word, salt, **SCRYPT).hex()}


def matches(word: str, stored: Mapping[str, Any]) -> bool:
    """Whether the hash was made of this word; a wrong one takes as long as the right one."""
    work = {name: int(stored[name]) for name in SCRYPT}
    made = _scrypt(word, bytes.fromhex(stored["salt"]), **work)
    return hmac.compare_digest(made, bytes.fromhex(stored["hash"]))


def _scrypt(word: str, salt: bytes, *, n: int, r: int, p: int) -> bytes:
    # RFC 8265 (OpaqueString): the same letters typed on another keyboard are the same word.
    # A lone surrogate cannot come from a browser's form; it must not become a traceback.
    letters = unicodedata.normalize("NFC", word).encode("utf-8", "surrogatepass")
    return hashlib.scrypt(letters, salt=salt, n=n, r=r, p=p, maxmem=_MOST_MEMORY, dklen=32)
