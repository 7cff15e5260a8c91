"""The box's own key: with it the node signs what it fetched and what it took in, so that
nobody else can say so.

The secret half lies beside the database, readable by the node alone; the public half where only the
node may write (``vouched.beside``), for whoever judges its records. It proves that this box fetched
these words, and to the other boxes of its Kiez that it took a record in (``proofs``). It is no
issuer's key: nothing is official by it anywhere else.
"""

from __future__ import annotations

import os
from contextlib import suppress

from kiezbox.errors import StoreError
from kiezbox.trust.keys import BadKey, Key, new_key, pack_key, public_of, unpack_key
from kiezbox.vouched import beside

__all__ = ["own_key", "own_public"]

SECRET, PUBLIC = "box.key", "box.pub"


def own_key(store_path: str, words_path: str, box: str) -> Key:
    """The box's key, made if it is not there, by the paths of the database and of the log.

    Raises:
        StoreError: it is there and cannot be read, or cannot be made.
    """
    secret = os.path.join(os.path.dirname(os.path.abspath(store_path)), SECRET)
    try:
        key = _read(secret)
        if key is None:
            _write(secret, pack_key(new_key(box)), 0o600, is_new=True)
            # Two sources start at the same time; the key of the first one counts.
            key = _read(secret)
            assert key is not None
        if own_public(words_path) != key.public:
            public = beside(words_path, PUBLIC)
            os.makedirs(os.path.dirname(public), exist_ok=True)
            _write(public, key.public.hex() + "\n", 0o644)
        return key
    except (OSError, BadKey, UnicodeDecodeError) as error:
        raise StoreError(
            f"the box's own key {secret} cannot be used: {error}",
            hint="It belongs to the node's user. If it is damaged, delete it: a new one is made.",
        ) from error


def own_public(words_path: str) -> bytes:
    """The public half; b"" where there is none yet."""
    with suppress(OSError, BadKey, UnicodeDecodeError):
        with open(beside(words_path, PUBLIC), encoding="ascii") as file:
            return public_of(file.read(1000))
    return b""


def _read(path: str) -> Key | None:
    try:
        with open(path, encoding="utf-8") as file:
            return unpack_key(file.read())
    except FileNotFoundError:
        return None


def _write(path: str, text: str, mode: int, *, is_new: bool = False) -> None:
    """Aside, onto the medium, then in its place: half a key would be none for ever. ``is_new``:
    what is there already stays.
    """
    aside = f"{path}.{os.urandom(8).hex()}"
    file = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
    try:
        os.write(file, text.encode())
        os.fsync(file)
        if os.geteuid() == 0:
            # By hand, and as root: it must be the node's all the same.
            owner = os.stat(os.path.dirname(path))
            os.fchown(file, owner.st_uid, owner.st_gid)
        if is_new:
            with suppress(FileExistsError):
                os.link(aside, path)
        else:
            os.replace(aside, path)
    finally:
        os.close(file)
        with suppress(FileNotFoundError):
            os.unlink(aside)
