"""Who may open what residents sealed: the roles' public keys, and who holds their private ones.

In the log's file, but no records: these never leave the box, and a key that came by radio would be
anybody's. A private key lies here only locked, once for each holder, under that holder's
passphrase; or, until it is used or too old, under a one-time code.
"""

from __future__ import annotations

from typing import NamedTuple

from kiezbox.errors import UsageError
from kiezbox.sealing import PUBLIC_BYTES, ROLES, random_bytes
from kiezbox.store.log import Log

__all__ = ["MOST_TRIES", "Holder", "Keyring"]

#: A code (50 bits) is void after so many wrong ones. Not ten: holders are numbered from 1, so
#: whoever types rubbish ten times would keep each new helper out. At a guess in five seconds
#: (``portal.tries``) this takes more than an hour, and is a chance of one in 10¹² to hit.
MOST_TRIES = 1000


class Holder(NamedTuple):
    """``number`` is what a holder types, ``who`` (8 bytes) what records say. ``expires_at``: of a
    code (Unix seconds); None once there is a passphrase.
    """

    number: int
    who: bytes
    role: str
    made_at: float
    expires_at: float | None
    tries: int
    locked: bytes


_COLUMNS = ", ".join(Holder._fields)


class Keyring:
    """Of one log; inside ``log.group`` its changes become durable with the records'."""

    def __init__(self, log: Log) -> None:
        self._log = log

    def publics(self) -> dict[str, bytes]:
        """Role → the key to seal to."""
        return dict(self._log._read("SELECT role, public FROM role_keys"))

    def set_public(self, role: str, public: bytes) -> None:
        """One key pair per role. ``public``: ``sealing.PUBLIC_BYTES``.

        Raises:
            UsageError: no such role, or it has another key.
        """
        assert len(public) == PUBLIC_BYTES
        if role not in ROLES:
            raise UsageError(f"there is no role {role}", hint=f"There are {', '.join(ROLES)}.")
        if self.publics().get(role) != public:
            self.must_be_without_key(role)
        with self._log._writing():
            self._log._db.execute(
                "INSERT OR IGNORE INTO role_keys VALUES (?, ?, ?)",
                (role, public, self._log._now()),
            )

    def must_be_without_key(self, role: str) -> None:
        """Raises UsageError if it has one."""
        if role in self.publics():
            raise UsageError(
                f"{role} have a key already",
                hint="What was sealed to it could not be opened with another one. To begin anew:"
                " `kiezbox helper forget-keys --role ROLE`.",
            )

    def forget(self, role: str) -> None:
        """The key and all who hold it. What is sealed to it stays sealed for ever."""
        with self._log._writing():
            self._log._db.execute("DELETE FROM role_keys WHERE role = ?", (role,))
            self._log._db.execute("DELETE FROM holders WHERE role = ?", (role,))
            self._log._has_erased = True

    def admit(self, role: str, locked: bytes, *, lasts_s: float | None = None) -> Holder:
        """One more holder. ``lasts_s``: of a code."""
        now = self._log._now()
        row = (random_bytes(8), role, now, lasts_s and now + lasts_s, 0, locked)
        with self._log._writing():
            done = self._log._db.execute(
                "INSERT INTO holders (who, role, made_at, expires_at, tries, locked)"
                " VALUES (?, ?, ?, ?, ?, ?)",
                row,
            )
        return Holder(int(done.lastrowid or 0), *row)

    def holders(self) -> list[Holder]:
        """All of them, codes that are still good included."""
        rows = self._log._read(f"SELECT {_COLUMNS} FROM holders ORDER BY number")
        found = [Holder(*row) for row in rows]
        return [each for each in found if _is_good(each, self._log._now())]

    def holder(self, number: int) -> Holder | None:
        """None: nobody, or a code that is too old or was tried too often."""
        return next((each for each in self.holders() if each.number == number), None)

    def tried(self, number: int) -> None:
        """A wrong code was typed. Those that are void are erased."""
        with self._log._writing():
            self._log._db.execute(
                "UPDATE holders SET tries = tries + 1 WHERE number = ? AND expires_at IS NOT NULL",
                (number,),
            )
            self._sweep()

    def settle(self, number: int, locked: bytes) -> bool:
        """The code is used up: the key is locked under the holder's own passphrase from now on.
        False: somebody was quicker, or it is void.
        """
        with self._log._writing():
            done = self._log._db.execute(
                "UPDATE holders SET locked = ?, expires_at = NULL, tries = 0"
                " WHERE number = ? AND expires_at > ? AND tries < ?",
                (locked, number, self._log._now(), MOST_TRIES),
            ).rowcount
            self._sweep()
            self._log._has_erased = True
        return done == 1

    def remove(self, number: int) -> bool:
        """A holder less. Whoever copied the lock before and knows its passphrase still has the key:
        then the role needs another key pair.
        """
        with self._log._writing():
            done = self._log._db.execute("DELETE FROM holders WHERE number = ?", (number,)).rowcount
            self._log._has_erased = True
        return done == 1

    def switch(self, name: str) -> bool:
        """A switch that the portal must know of and kiezbox.toml sets; off by default."""
        rows = self._log._read("SELECT value FROM switches WHERE name = ?", (name,))
        return bool(rows and rows[0][0])

    def set_switch(self, name: str, is_on: bool) -> None:
        if self.switch(name) != is_on:
            with self._log._writing():
                self._log._db.execute(
                    "INSERT OR REPLACE INTO switches VALUES (?, ?)", (name, int(is_on))
                )

    def _sweep(self) -> None:
        done = self._log._db.execute(
            "DELETE FROM holders WHERE expires_at <= ? OR (expires_at IS NOT NULL AND tries >= ?)",
            (self._log._now(), MOST_TRIES),
        ).rowcount
        self._log._has_erased = self._log._has_erased or done > 0


def _is_good(holder: Holder, now: float) -> bool:
    is_code = holder.expires_at is not None
    return not is_code or (now < (holder.expires_at or 0) and holder.tries < MOST_TRIES)
