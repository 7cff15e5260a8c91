"""A box's log of words, opened so that other boxes can have of it, and give to it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress

from kiezbox.clock import Clock
from kiezbox.errors import StoreDamaged
from kiezbox.settings import Settings
from kiezbox.store.box_key import own_key
from kiezbox.store.log import Log
from kiezbox.store.proofs import Proofs
from kiezbox.store.sharing import Sharing
from kiezbox.trust import Key

__all__ = ["Home", "Members", "as_its_owner", "members_of"]

#: Public keys (Ed25519) of the box of this name; none: it is no member.
Members = Callable[[str], Sequence[bytes]]


def members_of(box: str, own: bytes, listed: Mapping[str, str] | None) -> Members:
    """Those of ``[kiez.members]``, and this box: what it lost, others may bring back."""
    keys = {name: (bytes.fromhex(key),) for name, key in (listed or {}).items()}
    keys[box] = (own,)
    return lambda name: keys.get(name, ())


class Home:
    """Everything of one box that its exchanges share. ``close`` it."""

    def __init__(self, settings: Settings, clock: Clock, members: Members | None = None) -> None:
        """
        Raises:
            StoreError: the log, the proofs or the box's key cannot be opened or made.
        """
        store, self.box = settings.store, settings.box.id
        self.key: Key = own_key(store.path, store.words_path, self.box)
        self.members = members or members_of(self.box, self.key.public, settings.kiez.members)
        self.log = Log.open(store.words_path, clock, box=self.box)
        try:
            folder = os.path.dirname(os.path.abspath(store.path))
            self.proofs = _proofs(os.path.join(folder, "proofs.db"))
        except BaseException:
            self.log.close()
            raise
        self.look_anew()

    def look_anew(self) -> None:
        """What is held, from the log as it is now."""
        self.sharing = Sharing(self.log, self.proofs, self.key, self.members)

    def close(self) -> None:
        """Idempotent."""
        self.log.close()
        self.proofs.close()


def _proofs(path: str) -> Proofs:
    """The file; a new one beside a damaged one: others have the proofs, and give them again."""
    try:
        return Proofs(path)
    except StoreDamaged:
        for side in ("-wal", "-shm"):
            with suppress(FileNotFoundError):
                os.unlink(path + side)
        os.replace(path, f"{path}.damaged")
        return Proofs(path)


@contextmanager
def as_its_owner(path: str) -> Iterator[None]:
    """Where root does this by hand, act as the owner of that file's folder meanwhile: what is made
    in it must be the node's. Files that are open already stay so.
    """
    folder = os.path.dirname(os.path.abspath(path))
    if os.geteuid() != 0 or not os.path.isdir(folder):
        yield
        return
    # What is called in later may lie where only root reads.
    import encodings.ascii  # noqa: F401

    import cbor2  # noqa: F401
    import nacl.signing
    import nacl.utils  # noqa: F401

    found, groups, group = os.stat(folder), os.getgroups(), os.getegid()
    if found.st_uid == 0:
        yield
        return
    os.setgroups(_groups_of(found.st_uid, found.st_gid))
    os.setegid(found.st_gid)
    os.seteuid(found.st_uid)
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(group)
        os.setgroups(groups)


def _groups_of(user: int, group: int) -> list[int]:
    import pwd

    try:
        return os.getgrouplist(pwd.getpwuid(user).pw_name, group)
    except KeyError:
        return [group]
