"""Form tokens: a form counts only from a guest who was given the page, and not for ever.

No cookie: a token is bound to the guest's address and to the time. The secret outlives the process
(in the run directory, where a reboot ends it), so that a form filled in before a crash is taken
after it.
"""

from __future__ import annotations

import os
import time
from _blake2 import blake2s
from _operator import _compare_digest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

__all__ = ["FORM_S", "Forms", "kept_secret"]

#: A form may be open for so long: somebody writes with cold fingers, and is interrupted.
FORM_S = 6 * 3600.0

#: Hexadecimal digits: milliseconds since the machine's start, and 96 bits of a keyed BLAKE2s.
_STAMP, _SEAL = 16, 24


class Forms:
    """All forms of one process."""

    def __init__(
        self, secret: bytes | None = None, *, monotonic: Callable[[], float] | None = None
    ) -> None:
        self._secret = secret or os.urandom(32)
        #: The house rules of this process (``gate.house_of``), as soon as somebody sends a form.
        self.house: Any = None
        # Since the machine's start, so that it means the same to the next process.
        self._monotonic = monotonic or (lambda: time.clock_gettime(time.CLOCK_BOOTTIME))

    def token(self, client: str) -> bytes:
        """40 characters, as long as ``answered.SLOT``."""
        return self._made(client, b"%016x" % int(self._monotonic() * 1000))

    def is_good(self, client: str, token: str) -> bool:
        """Whether we gave it to this address, not too long ago."""
        try:
            given = token.encode("ascii")
            age_s = self._monotonic() - int(given[:_STAMP], 16) / 1000
        except ValueError:
            return False
        is_ours = _compare_digest(self._made(client, given[:_STAMP]), given)
        return is_ours and 0 <= age_s <= FORM_S

    def once(self, path: str, body: bytes) -> bytes:
        """The same for the same form sent again, and for nothing else: the token is in the body."""
        return blake2s(path.encode() + b"\0" + body, key=self._secret, digest_size=16).digest()

    def hashed(self, text: str) -> bytes:
        """Eight bytes that say nothing of the text to whoever has not the secret."""
        return blake2s(text.encode(), key=self._secret, digest_size=8).digest()

    def _made(self, client: str, stamp: bytes) -> bytes:
        seal = blake2s(stamp + client.encode(), key=self._secret, digest_size=_SEAL // 2)
        return stamp + seal.hexdigest().encode()


def kept_secret(folder: str) -> bytes | None:
    """The secret in this folder, made if it is not there; None: it cannot be kept."""
    path = os.path.join(folder, "forms.secret")
    try:
        file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            secret = os.read(file, 32)
            # A cut leaves zeros where bytes were to be, and everybody knows those.
            if len(secret) != 32 or not any(secret):
                secret = os.urandom(32)
                os.pwrite(file, secret, 0)
            return secret
        finally:
            os.close(file)
    except OSError:
        return None
