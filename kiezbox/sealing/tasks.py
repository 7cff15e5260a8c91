"""What costs Argon2's memory, as tasks: a table in, a table out, texts and hexadecimal digits only.

The portal has them done by a short-lived process (``portal.reckoning``), whose memory goes with
it, and in which alone a role's private key ever stands; the command line, which is one, does them
by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from kiezbox.sealing.boxes import public_of, unseal
from kiezbox.sealing.by_words import by_words
from kiezbox.sealing.deriving import NotOpened
from kiezbox.sealing.locks import lock, unlock
from kiezbox.sealing.proofs import signer_of

__all__ = ["TASKS", "done"]


def _words(given: Mapping[str, Any]) -> dict[str, Any]:
    """``purpose``, ``words``: what they give."""
    found = by_words(given["purpose"], *given["words"])
    return {name: value.hex() for name, value in found._asdict().items()}


def _check(given: Mapping[str, Any]) -> dict[str, Any]:
    """``locked``, ``passphrase``: whether it opens, the public key that belongs to it, and what
    the role signs with.
    """
    private = unlock(bytes.fromhex(given["locked"]), given["passphrase"])
    return {"public": public_of(private).hex(), "signer": signer_of(private).hex()}


def _open(given: Mapping[str, Any]) -> dict[str, Any]:
    """``locked``, ``passphrase``, ``sealed``: the text."""
    private = unlock(bytes.fromhex(given["locked"]), given["passphrase"])
    return {"text": unseal(private, bytes.fromhex(given["sealed"])).hex()}


def _lock_anew(given: Mapping[str, Any]) -> dict[str, Any]:
    """``locked``, ``passphrase``, ``new``: the same key under another passphrase."""
    private = unlock(bytes.fromhex(given["locked"]), given["passphrase"])
    return {"locked": lock(private, given["new"]).hex(), "signer": signer_of(private).hex()}


TASKS: dict[str, Callable[[Mapping[str, Any]], dict[str, Any]]] = {
    "words": _words,
    "check": _check,
    "open": _open,
    "lock anew": _lock_anew,
}


def done(task: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """What comes out; ``{"wrong": 1}`` for another passphrase or key."""
    try:
        return TASKS[task](given)
    except NotOpened:
        return {"wrong": 1}
