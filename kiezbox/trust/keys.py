"""Keys as files: a small JSON text, readable by its owner only, its secret sealed if one wants.

Sealing is Argon2id (RFC 9106) over the passphrase, then XSalsa20-Poly1305 ("secretbox"). A key
file is made where the key is used, and never enters a log, a repository or a bug report.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from kiezbox.errors import KiezboxError
from kiezbox.trust.certificates import key_id

__all__ = [
    "BadKey", "Key", "WrongPassphrase", "is_public_key", "is_sealed", "new_key", "pack_key",
    "public_of", "unpack_key",
]  # fmt: skip

#: Argon2id: passes and bytes. A second on a small box; the file says which, so that they may grow.
PASSES, MEMORY = 3, 64 << 20
_MOST_PASSES, _MOST_MEMORY = 16, 256 << 20


class BadKey(KiezboxError, ValueError):
    """A file that is no key of ours."""


class WrongPassphrase(BadKey):
    """The file is a key, and this passphrase does not open it."""


@dataclass(frozen=True, slots=True, repr=False)
class Key:
    """``seed``: 32 secret bytes (RFC 8032, 5.1.5). ``name`` is for whoever finds the file."""

    name: str
    seed: bytes

    def __repr__(self) -> str:
        return f"<Key {self.id.hex()} {self.name!r}>"

    @property
    def public(self) -> bytes:
        return _public(self.seed)

    @property
    def id(self) -> bytes:
        return key_id(self.public)

    def sign(self, message: bytes) -> bytes:
        """64 bytes."""
        from nacl.signing import SigningKey

        return SigningKey(self.seed).sign(message).signature


def new_key(name: str) -> Key:
    """A fresh one, out of the system's randomness."""
    from nacl.utils import random

    return Key(name, random(32))


def pack_key(key: Key, passphrase: str = "") -> str:
    """The file's text; with a passphrase nobody gets at the secret without it."""
    document: dict[str, Any] = {
        "kiezbox_key": 1, "name": key.name, "public": key.public.hex(), "id": key.id.hex(),
    }  # fmt: skip
    if passphrase:
        from nacl.pwhash import argon2id
        from nacl.secret import SecretBox
        from nacl.utils import random

        salt = random(argon2id.SALTBYTES)
        derived = argon2id.kdf(32, passphrase.encode(), salt, PASSES, MEMORY)
        sealed = bytes(SecretBox(derived).encrypt(key.seed))
        document |= {
            "salt": salt.hex(), "passes": PASSES, "memory": MEMORY, "sealed": sealed.hex(),
        }  # fmt: skip
    else:
        document["secret"] = key.seed.hex()
    return json.dumps(document, ensure_ascii=False, indent=1) + "\n"


def is_sealed(text: str) -> bool:
    """Whether this key file asks for a passphrase."""
    return "sealed" in _document(text)


def public_of(text: str) -> bytes:
    """The public half of a key file, or of a text that is nothing but its 64 digits.

    Raises:
        BadKey: it is neither.
    """
    if is_public_key(text.strip()):
        return bytes.fromhex(text.strip())
    return _hex(_document(text), "public", 32)


def is_public_key(text: str) -> bool:
    """64 hexadecimal digits."""
    return len(text) == 64 and all(letter in "0123456789abcdefABCDEF" for letter in text)


def unpack_key(text: str, passphrase: str = "") -> Key:
    """The key of a file.

    Raises:
        WrongPassphrase: its secret is sealed, with another passphrase.
        BadKey: it is no key file, or the halves do not belong together.
    """
    document = _document(text)
    seed = _opened(document, passphrase) if "sealed" in document else _hex(document, "secret", 32)
    if _public(seed) != _hex(document, "public", 32):
        raise BadKey("a key file whose halves do not belong together")
    return Key(str(document.get("name", "")), seed)


def _opened(document: dict[str, Any], passphrase: str) -> bytes:
    from nacl.exceptions import CryptoError
    from nacl.pwhash import argon2id
    from nacl.secret import SecretBox

    passes, memory = document.get("passes", 0), document.get("memory", 0)
    for value, most in ((passes, _MOST_PASSES), (memory, _MOST_MEMORY)):
        if type(value) is not int or not 1 <= value <= most:
            raise BadKey("a key file that asks for more work than any of ours")
    try:
        salt = _hex(document, "salt", argon2id.SALTBYTES)
        derived = argon2id.kdf(32, passphrase.encode(), salt, passes, memory)
        return SecretBox(derived).decrypt(_hex(document, "sealed", 72))
    except CryptoError as error:
        raise WrongPassphrase("this passphrase does not open the key") from error


def _document(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadKey("this is no key file", hint="`kiezbox trust key FILE` makes one.") from error
    if not isinstance(found, dict) or found.get("kiezbox_key") != 1:
        raise BadKey("this is no key file", hint="`kiezbox trust key FILE` makes one.")
    return found


def _hex(document: dict[str, Any], name: str, size: int) -> bytes:
    try:
        value = bytes.fromhex(document[name])
    except (KeyError, TypeError, ValueError) as error:
        raise BadKey(f'a key file without "{name}"') from error
    if len(value) != size:
        raise BadKey(f'a key file whose "{name}" has {len(value)} bytes, not {size}')
    return value


@lru_cache(maxsize=64)
def _public(seed: bytes) -> bytes:
    from nacl.signing import SigningKey

    return bytes(SigningKey(seed).verify_key)
