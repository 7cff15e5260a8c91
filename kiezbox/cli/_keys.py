"""Key files, and what is signed with them, for verbs that sign."""

from __future__ import annotations

import os
import sys
import time
from typing import TYPE_CHECKING

from kiezbox.errors import KiezboxError, MissingPackage, UsageError

if TYPE_CHECKING:
    from kiezbox.clock import Clock
    from kiezbox.trust import Key

__all__ = [
    "desk_clock", "issued_at", "moment", "needs_signing", "read_key", "read_text", "write_key",
    "write_new",
]  # fmt: skip


def needs_signing() -> None:
    """
    Raises:
        MissingPackage: PyNaCl is not installed.
    """
    try:
        import nacl.bindings  # noqa: F401
    except ImportError as error:
        raise MissingPackage(
            f"PyNaCl is not installed: {error}", hint="pip install 'kiezbox[words]'"
        ) from error


def read_text(path: str, most_bytes: int = 1_000_000) -> str:
    """A small text file.

    Raises:
        UsageError: it cannot be read, or is none.
    """
    try:
        with open(path, encoding="utf-8") as file:
            return file.read(most_bytes)
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is no text"
        raise UsageError(f"cannot read {path}: {why}", hint="Is the name right?") from error


def read_key(path: str, passphrase_file: str | None = None) -> Key:
    """The key in this file; asks for its passphrase at the terminal if it is sealed.

    Raises:
        UsageError: the file cannot be read.
        BadKey: it is none, or the passphrase is wrong.
    """
    from kiezbox.trust import is_sealed, unpack_key

    needs_signing()
    text = read_text(path)
    return unpack_key(text, passphrase(passphrase_file, path) if is_sealed(text) else "")


def passphrase(file: str | None, path: str) -> str:
    """From a file's first line, or asked for at the terminal."""
    if file is not None:
        return read_text(file).partition("\n")[0]
    if not sys.stdin.isatty():
        raise UsageError(
            f"{path} is sealed, and nobody is there to ask for its passphrase",
            hint="At a terminal it is asked for; a program gives --passphrase-file FILE.",
        )
    import getpass

    return getpass.getpass(f"Passphrase of {os.path.basename(path)}: ")


def write_key(path: str, text: str) -> None:
    """A new file that only its owner reads; one that is there is never overwritten.

    Raises:
        KiezboxError: it is there already, or cannot be written.
    """
    try:
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        with open(file, "w", encoding="utf-8") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(file)
    except FileExistsError as error:
        raise KiezboxError(
            f"{path} is there already", hint="A key that is overwritten is lost: take another name."
        ) from error
    except OSError as error:
        raise KiezboxError(f"cannot write {path}: {error.strerror}") from error


def write_new(path: str, text: str) -> None:
    """A new file for anybody to read; one that is there is not overwritten.

    Raises:
        KiezboxError: it is there already, or cannot be written.
    """
    try:
        with open(path, "x", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
    except FileExistsError as error:
        raise KiezboxError(f"{path} is there already", hint="Take another name.") from error
    except OSError as error:
        raise KiezboxError(f"cannot write {path}: {error.strerror}") from error


def desk_clock() -> Clock:
    """A computer without network is told by ``--time`` or believed: whoever signs sits before it
    and sees its clock.
    """
    from kiezbox.clock import SystemClock

    class AtADesk(SystemClock):
        def is_trusted(self) -> bool:
            return True

    return AtADesk()


def moment(text: str, now: float) -> float:
    """Unix seconds of "18:30" (the next time it is so late) or "2026-01-07T18:30", in the zone of
    this machine.

    Raises:
        UsageError: it is neither.
    """
    from datetime import datetime, timedelta

    is_time = len(text) <= 5 and ":" in text
    try:
        if not is_time:
            return datetime.fromisoformat(text).timestamp()
        hour, minute = map(int, text.split(":"))
        today = datetime.fromtimestamp(now)
        found = today.replace(hour=hour, minute=minute, second=0, microsecond=0)
        return (found if found.timestamp() > now else found + timedelta(days=1)).timestamp()
    except (ValueError, OverflowError, OSError) as error:
        raise UsageError(f"{text} is no time", hint="18:30 or 2026-01-07T18:30.") from error


def issued_at(given: str | None, clock: Clock) -> int:
    """The moment that goes under a signature.

    Raises:
        UsageError: this box does not know what time it is, and nobody said it.
    """
    if given is not None:
        return int(moment(given, clock.now()))
    if not clock.is_trusted():
        shown = time.strftime("%Y-%m-%dT%H:%M", time.localtime(clock.now()))
        raise UsageError(
            f"the clock of this box is not set (it says {shown})",
            hint="A signature is over the time, too: look at a watch and say --time"
            " 2026-01-07T18:30.",
        )
    return int(clock.now())
