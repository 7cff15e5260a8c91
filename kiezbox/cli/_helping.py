"""What `kiezbox helper` and `kiezbox ticket` share: the log, the keyring, asking for secrets."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from kiezbox.errors import KiezboxError, UsageError

if TYPE_CHECKING:
    from kiezbox.settings import Settings
    from kiezbox.store.keyring import Holder, Keyring
    from kiezbox.store.log import Log

__all__ = ["holder_for", "open_log", "secret", "unlocked"]


@contextmanager
def open_log(settings: Settings) -> Iterator[tuple[Log, Keyring]]:
    """The log of words of this box, and its keyring, which learns what kiezbox.toml says."""
    from kiezbox.cli._common import open_clock
    from kiezbox.store.believing import open_believing
    from kiezbox.store.keyring import Keyring

    log = open_believing(settings, open_clock(settings))
    try:
        ring = Keyring(log)
        ring.set_switch("helper_over_http", settings.help.helper_over_http)
        yield log, ring
    finally:
        log.close()


def secret(question: str) -> str:
    """A passphrase: typed unseen, or a line of standard input; in no argument, where `ps` and the
    shell's history would show it.
    """
    if sys.stdin.isatty():
        from getpass import getpass

        return getpass(f"{question}: ")
    line = sys.stdin.readline()
    if not line:
        raise UsageError(
            f"{question} is asked on standard input, and there is none",
            hint="Type it at a terminal, or give a line each: `kiezbox … < FILE`.",
        )
    return line.rstrip("\n")


def holder_for(ring: Keyring, role: str, number: int | None) -> Holder:
    """Whose passphrase opens: the one of this number, or the role's first (who made the key).

    Raises:
        UsageError: there is nobody.
    """
    found = [each for each in ring.holders() if each.role == role and each.expires_at is None]
    if number is not None:
        found = [each for each in found if each.number == number]
    if not found:
        raise UsageError(
            f"nobody here holds the key of {role}" + (f" as {number}" if number else ""),
            hint="`kiezbox helper list` shows who does; `kiezbox helper keys` makes one.",
        )
    return found[0]


def unlocked(holder: Holder) -> bytes:
    """The role's private key, for this process only.

    Raises:
        KiezboxError: the passphrase is another one.
    """
    from kiezbox.sealing import NotOpened, unlock

    passphrase = secret(f"passphrase of {holder.role} number {holder.number}")
    try:
        return unlock(holder.locked, passphrase)
    except NotOpened as error:
        raise KiezboxError("the passphrase is another one") from error
