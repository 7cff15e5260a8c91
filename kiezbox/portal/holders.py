"""Who works at the helpers' page: how they are known, for how long, how often anybody may try."""

from __future__ import annotations

import time
from typing import Any, NamedTuple

from kiezbox.portal.asking import Ask
from kiezbox.portal.tries import Tries

__all__ = [
    "NOBODY", "SESSION_S", "TRIES", "WORKS_AS", "Holder", "holder_of", "is_safe", "session_field",
    "session_of",
]  # fmt: skip

#: So long after the last page nobody need say again who he is; opening always asks.
SESSION_S = 1800

#: As ``store.helping.WORKS_AS``.
WORKS_AS = {"helpers": "helper", "protection": "protection"}

#: A lock that nothing opens: a number that is nobody's costs the same reckoning as one that is.
NOBODY = bytes([1, 4]) + (19 * 1024).to_bytes(4, "big") + bytes(16 + 72)

TRIES = Tries()

#: As ``store.keyring.MOST_TRIES``.
MOST_TRIES = 1000


class Holder(NamedTuple):
    """Of a role's key (``store.keyring``), as far as this page needs it. ``signer``: what the role
    signs with, while this holder works here; it opens nothing.
    """

    number: int
    who: bytes
    role: str
    locked: bytes
    signer: bytes = b""


def is_safe(ask: Ask) -> bool:
    """Whether a passphrase may be typed here: by https, on the box itself (ssh -L), or where the
    operator allows it (``help.helper_over_http``).
    """
    if ask.request.is_tls or ask.request.client in ("127.0.0.1", "::1"):
        return True
    rows = ask.shown.rows("SELECT value FROM switches WHERE name = 'helper_over_http'")
    return bool(rows and rows[0][0])


def holder_of(ask: Ask, number: str, *, is_code: bool) -> Holder | None:
    if not (number.isascii() and number.isdecimal() and len(number) < 10):
        return None
    sql = "SELECT number, who, role, expires_at, tries, locked FROM holders WHERE number = ?"
    for found, who, role, expires_at, tries, locked in ask.shown.rows(sql, (int(number),)) or ():
        is_good = expires_at is None or (expires_at > ask.now and tries < MOST_TRIES)
        if is_good and is_code == (expires_at is not None):
            return Holder(found, who, role, locked)
    return None


def _seal(ask: Ask, holder: Holder, until: int) -> str:
    about = f"helper {holder.number} {until} {ask.request.client} {ask.request.is_tls}"
    return ask.forms.once(about, holder.locked).hex()


def _box(ask: Ask, holder: Holder, until: int) -> tuple[Any, bytes]:
    """What hides the signer in a page, and for how long the same one: a nonce that belongs to this
    session, so that all forms of a page carry the same bytes.
    """
    from nacl.secret import SecretBox

    key = b"".join(ask.forms.once(f"signer {n}", holder.locked) for n in (1, 2))
    nonce = b"".join(ask.forms.once(f"nonce {n} {until}", holder.locked) for n in (1, 2))
    return SecretBox(key), nonce[: SecretBox.NONCE_SIZE]


def session_field(ask: Ask, holder: Holder) -> str:
    """A hidden field: who works here, until when, from where, and (locked with this process's
    secret) what the role signs with; void with another passphrase.
    """
    until = int(time.clock_gettime(time.CLOCK_BOOTTIME)) + SESSION_S
    box, nonce = _box(ask, holder, until)
    signer = box.encrypt(holder.signer, nonce).ciphertext.hex()
    value = f"{holder.number}.{until}.{_seal(ask, holder, until)}.{signer}"
    return f"<input type=hidden name=session value={value}>"


def session_of(ask: Ask) -> Holder | None:
    from _operator import _compare_digest as compare_digest

    number, given, seal, hidden = (ask.form.get("session", "").split(".") + [""] * 4)[:4]
    holder = holder_of(ask, number, is_code=False)
    if holder is None or not (given.isascii() and given.isdecimal() and len(given) < 13):
        return None
    left_s = int(given) - time.clock_gettime(time.CLOCK_BOOTTIME)
    is_ours = compare_digest(
        _seal(ask, holder, int(given)).encode(), seal.encode("utf-8", "replace")
    )
    if not (is_ours and 0 < left_s <= SESSION_S):
        return None
    from nacl.exceptions import CryptoError

    box, nonce = _box(ask, holder, int(given))
    try:
        return holder._replace(signer=bytes(box.decrypt(bytes.fromhex(hidden), nonce)))
    except (CryptoError, ValueError, TypeError):
        return None
