"""The log of words, opened by somebody who can judge it: with the roots of kiezbox.toml."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kiezbox.store.box_key import own_public
from kiezbox.store.log import Log
from kiezbox.store.moderators import believed

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kiezbox.clock import Clock
    from kiezbox.settings import Settings
    from kiezbox.trust import Trust

__all__ = ["open_believing", "trust_of"]


def trust_of(log: Log, roots: Iterable[str], clock: Clock) -> Trust:
    """Whom this box believes, as of what its log holds. ``roots``: hexadecimal public keys.

    Raises:
        ImportError: PyNaCl is not installed.
    """
    import nacl.bindings  # noqa: F401  Now, and not in the middle of a judgement.

    from kiezbox.trust import Trust

    return Trust(
        map(bytes.fromhex, roots),
        clock,
        certificates=[told.body["certificate"] for told in log.records("certificate")],
        revocations=[told.record for told in log.records("revocation")],
        withdrawals=[told.record for told in log.records("withdrawal")],
        own=own_public(log.path),
        moderators=believed(log.path),
    )


def open_believing(settings: Settings, clock: Clock, *, box: str = "") -> Log:
    """The log with its judge; what it holds is judged anew.

    Raises:
        StoreError: there is none, or it cannot be opened.
    """
    log = Log.open(settings.store.words_path, clock, box=box)
    try:
        log.judge_by(trust_of(log, settings.trust.roots, clock).judge)
    except BaseException:
        log.close()
        raise
    return log
