"""Who may moderate on this box alone, without a city's certificate: their public keys, in a file
that only the node's user may write (``vouched.beside``).

Whoever is root on a box decides what hangs there from the first day on; other boxes believe none of
it (for that a root of theirs certifies the key: docs/trust.md).
"""

from __future__ import annotations

import os
from contextlib import suppress

from kiezbox.errors import UsageError
from kiezbox.trust.keys import is_public_key
from kiezbox.vouched import beside

__all__ = ["FILE", "believe", "believed", "forget"]

FILE = "moderators"

_MOST = 100


def believed(words_path: str) -> dict[bytes, str]:
    """Public key → name. Lines that are none are passed over."""
    found: dict[bytes, str] = {}
    with suppress(OSError, UnicodeDecodeError):
        with open(_path(words_path), encoding="utf-8") as file:
            for line in file.read(1 << 16).splitlines()[:_MOST]:
                digits, _, name = line.strip().partition(" ")
                if is_public_key(digits):
                    found[bytes.fromhex(digits)] = name.strip() or digits[:16]
    return found


def believe(words_path: str, public: bytes, name: str) -> None:
    """From now on; idempotent.

    Raises:
        UsageError: the name is none.
    """
    name = " ".join(name.split())
    if not name or not name.isprintable() or len(name) > 80:
        raise UsageError("a moderator's name has 1 to 80 signs", hint="Say the role, no name.")
    _write(words_path, {**believed(words_path), public: name})


def forget(words_path: str, public: bytes) -> bool:
    """False: it was not there."""
    found = believed(words_path)
    if found.pop(public, None) is None:
        return False
    _write(words_path, found)
    return True


def _write(words_path: str, keys: dict[bytes, str]) -> None:
    path = _path(words_path)
    with open(f"{path}.new", "w", encoding="utf-8") as file:
        file.writelines(f"{public.hex()} {name}\n" for public, name in keys.items())
        file.flush()
        os.fsync(file.fileno())
    os.chmod(f"{path}.new", 0o644)
    os.replace(f"{path}.new", path)


def _path(words_path: str) -> str:
    return beside(words_path, FILE)
