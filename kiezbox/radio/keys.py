"""The secret of a Kiez, by which its boxes know each other's frames: a file for the node alone.

One box makes it, the others get a copy of the file. From it follows the key of the radio's channel,
one way: who takes the radio apart has the channel, and no seal.
"""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from hashlib import blake2b

from kiezbox.errors import SettingsError, UsageError

__all__ = ["KEY_BYTES", "channel_key", "key_path", "make_key", "read_key", "word_of"]

KEY_BYTES = 32
_NAME = "kiez.key"


def key_path(named: str, store_path: str) -> str:
    """``[radio] key_file``, or beside the database."""
    return named or os.path.join(os.path.dirname(os.path.abspath(store_path)), _NAME)


def make_key(path: str) -> bytes:
    """A fresh one, in a file of mode 0600.

    Raises:
        UsageError: there is one already, or it cannot be written.
    """
    key = secrets.token_bytes(KEY_BYTES)
    try:
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except FileExistsError as error:
        raise UsageError(
            f"there is a key in {path} already",
            hint="With another one this box would not be understood any more. To begin anew, move"
            " the file away on every box.",
        ) from error
    except OSError as error:
        raise UsageError(
            f"cannot write {path}: {error.strerror or error}", hint="Is it the node's folder?"
        ) from error
    try:
        os.write(file, key.hex().encode() + b"\n")
        os.fsync(file)
        if os.geteuid() == 0:
            # By hand, and as root: it must be the node's all the same.
            owner = os.stat(os.path.dirname(os.path.abspath(path)))
            os.fchown(file, owner.st_uid, owner.st_gid)
    except OSError:
        with suppress(OSError):
            os.unlink(path)
        raise
    finally:
        os.close(file)
    return key


def read_key(path: str) -> bytes:
    """
    Raises:
        SettingsError: it is not there, is no key, or others may read it.
    """
    try:
        file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            mode = os.fstat(file).st_mode & 0o077
            text = os.read(file, 200)
        finally:
            os.close(file)
    except FileNotFoundError as error:
        raise SettingsError(
            f"there is no key of the Kiez in {path}",
            hint="On the first box: `kiezbox radio key new`. On the others: a copy of its file.",
        ) from error
    except OSError as error:
        raise SettingsError(
            f"cannot read {path}: {error.strerror or error}", hint="It must be the node's file."
        ) from error
    if mode:
        raise SettingsError(
            f"others may read the key of the Kiez in {path}", hint=f"chmod 600 {path}"
        )
    try:
        key = bytes.fromhex(text.decode("ascii").strip())
    except ValueError:
        key = b""
    if len(key) != KEY_BYTES:
        raise SettingsError(
            f"{path} is no key of a Kiez: 64 digits (0-9, a-f)",
            hint="Copy it anew from another box.",
        )
    return key


def channel_key(key: bytes) -> bytes:
    """Of the radio's channel (AES-256)."""
    return blake2b(b"kiezbox channel 1", key=key, digest_size=32).digest()


def word_of(key: bytes) -> str:
    """Eight digits by which people see that two boxes have the same key."""
    return blake2b(b"kiezbox key word 1", key=key, digest_size=4).digest().hex()
