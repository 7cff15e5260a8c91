"""Making signed words, where a key is: on the issuer's computer, or with a stick at the box."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from kiezbox.errors import UsageError
from kiezbox.records.bodies import pack_body
from kiezbox.records.kinds import Scope, kind_named
from kiezbox.records.record import decoded, encoded, signed_bytes
from kiezbox.trust.keys import Key

__all__ = ["Signed", "second_bytes", "sign"]

#: Said before what the second of two issuers signs, so that it is never the first's.
_SECOND = b"kiezbox second 1\0"

#: The numbers of a bulletin's fields that hold the second name: not part of what it signs.
_SECOND_FIELDS = (12, 13)


class Signed(NamedTuple):
    """What goes into ``store.log.Draft`` under the same names."""

    kind: str
    body: bytes
    lifetime_s: int
    scope: Scope
    priority: int
    key: bytes
    signature: bytes


def sign(
    kind: str,
    fields: Mapping[str, Any],
    key: Key,
    *,
    lifetime_s: int,
    scope: Scope = Scope.KIEZ,
    priority: int | None = None,
    second: Key | None = None,
) -> Signed:
    """The words, signed by this key, and by a second one if the scope asks for two.

    Raises:
        UsageError: the kind does not have these fields, or does not live so long.
    """
    known = kind_named(kind)
    if not 1 <= lifetime_s <= known.most_s:
        raise UsageError(f"a {kind} lives 1 to {known.most_s} s, not {lifetime_s}")
    level = int(known.priority if priority is None else priority)
    said = dict(fields)
    if second is not None:
        message = second_bytes(known.number, level, scope, lifetime_s, pack_body(known, said))
        said |= {"second_key": second.id, "second_signature": second.sign(message)}
    body = pack_body(known, said)
    signature = key.sign(signed_bytes(known.number, level, int(scope), lifetime_s, body))
    return Signed(kind, body, lifetime_s, scope, level, key.id, signature)


def second_bytes(kind: int, priority: int, scope: int, lifetime_s: int, body: bytes) -> bytes:
    """What the second signature is over: the same words, without itself."""
    fields = decoded(body)
    bare = encoded({n: value for n, value in fields.items() if n not in _SECOND_FIELDS})
    return _SECOND + encoded([int(kind), int(priority), int(scope), int(lifetime_s), bare])
