"""Who is the operator: the one-time code and the passphrase, as files that hold hashes only.

The code lies in the run folder, in memory: a new start of the machine forgets it, and its age is
measured on a clock that no wrong date can turn back. The passphrase's hash lies in the state
folder, on the card. Both belong to the desk's own user, mode 0600.
"""

from __future__ import annotations

import json
import os
import threading
from enum import Enum
from pathlib import Path
from typing import Any

from kiezbox.clock import Clock
from kiezbox.desk import words
from kiezbox.errors import KiezboxError

__all__ = ["CODE_VALID_S", "MOST_ATTEMPTS", "Claim", "Vault"]

CODE_VALID_S = 900.0
#: Ten guesses at 40 bits succeed once in 10^11.
MOST_ATTEMPTS = 10


class Claim(Enum):
    """How an attempt to become the operator ended."""

    DONE = "done"
    WRONG = "wrong"
    #: There is no code, or it is too old, was used, or was guessed at too often.
    NONE = "none"


class Vault:
    """The two files. Threads of one process may share it."""

    def __init__(self, run_folder: str, state_folder: str, clock: Clock) -> None:
        self._claim = Path(run_folder, "claim.json")
        self._operator = Path(state_folder, "operator.json")
        self._clock = clock
        # One hash at a time: each takes 16 MiB and a while.
        self._lock = threading.Lock()

    def new_code(self) -> str:
        """A fresh code; one that was given out before is void.

        Raises:
            KiezboxError: the folder is not there, or may not be written.
        """
        code = words.new_code()
        stored = words.hashed(words.plain_code(code))
        _write(self._claim, {**stored, "made_at": self._clock.monotonic(), "attempts": 0})
        return code

    def is_claimed(self) -> bool:
        """Whether somebody has set a passphrase."""
        return self._operator.exists()

    def claim(self, code: str, passphrase: str) -> Claim:
        """Make whoever knows the code the operator, with this passphrase (checked before by
        ``words.fault_of``). A right code is used up, whatever happens next."""
        with self._lock:
            stored = self._valid_claim()
            if stored is None:
                return Claim.NONE
            # Counted before it is compared: a crash in between must not give an attempt away.
            _write(self._claim, {**stored, "attempts": stored["attempts"] + 1})
            if not words.matches(words.plain_code(code), stored):
                return Claim.WRONG
            self._claim.unlink(missing_ok=True)
            _write(self._operator, words.hashed(passphrase))
            return Claim.DONE

    def knows(self, passphrase: str) -> bool:
        """Whether this is the operator's passphrase."""
        with self._lock:
            stored = _read(self._operator)
            return stored is not None and words.matches(passphrase, stored)

    def _valid_claim(self) -> dict[str, Any] | None:
        stored = _read(self._claim)
        if stored is None:
            return None
        try:
            age_s = self._clock.monotonic() - stored["made_at"]
            is_valid = 0 <= age_s <= CODE_VALID_S and stored["attempts"] < MOST_ATTEMPTS
        except (KeyError, TypeError):
            return None
        return stored if is_valid else None


def _read(path: Path) -> dict[str, Any] | None:
    """What a file holds; None if it is not there or not ours any more."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    is_whole = isinstance(found, dict) and {"salt", "hash", *words.SCRYPT} <= found.keys()
    return found if is_whole else None


def _write(path: Path, content: dict[str, Any]) -> None:
    """Whole and durable, or not at all; never readable by others. Belongs to the folder's owner,
    so that root may give out a code and the desk may take it back."""
    half = path.with_suffix(".half")
    try:
        half.unlink(missing_ok=True)
        file = os.open(half, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        with open(file, "w", encoding="utf-8") as stream:
            owner = os.stat(path.parent)
            if os.geteuid() == 0:
                os.fchown(file, owner.st_uid, owner.st_gid)
            json.dump(content, stream)
            stream.flush()
            os.fsync(file)
        half.replace(path)
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except OSError as error:
        raise KiezboxError(
            f"cannot write {path}: {error.strerror}",
            hint="Give it as root: sudo kiezbox desk claim. The folder is made by"
            " systemd-tmpfiles (provisioning/install does that).",
        ) from error
