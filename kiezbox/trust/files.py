"""Certificates and revocations as texts, to carry from an offline computer to the boxes.

A line each: ``certificate BASE64`` or ``signed BASE64``; whatever else stands in the file (a title,
an e-mail around it) is passed over.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Iterator
from typing import NamedTuple

from kiezbox.errors import KiezboxError
from kiezbox.records.kinds import KINDS, Scope
from kiezbox.records.record import BadRecord, decoded, encoded
from kiezbox.trust.certificates import Certificate, pack_certificate, unpack_certificate
from kiezbox.trust.signing import Signed

__all__ = ["NotTaken", "certificate_line", "lines_of", "signed_line"]

#: A line longer than this is none of ours.
_MOST_LETTERS = 4000


class NotTaken(NamedTuple):
    """A line that begins like ours and is not; ``number`` counts from 1."""

    number: int
    why: str


def certificate_line(certificate: Certificate) -> str:
    return f"certificate {b64encode(pack_certificate(certificate)).decode()}"


def signed_line(signed: Signed) -> str:
    kind = next(number for number, kind in KINDS.items() if kind.name == signed.kind)
    parts = [kind, signed.priority, int(signed.scope), signed.lifetime_s, *_bytes_of(signed)]
    return f"signed {b64encode(encoded(parts)).decode()}"


def lines_of(text: str) -> Iterator[Certificate | Signed | NotTaken]:
    """What stands in such a file, in its order."""
    for number, line in enumerate(text.splitlines(), 1):
        word, _, rest = line.strip().partition(" ")
        if word not in ("certificate", "signed") or not rest or " " in rest.strip():
            continue
        try:
            if len(rest) > _MOST_LETTERS:
                raise ValueError("it is too long")
            data = b64decode(rest.strip(), validate=True)
            yield unpack_certificate(data) if word == "certificate" else _signed(data)
        except (KiezboxError, ValueError) as error:
            yield NotTaken(number, str(error))


def _signed(data: bytes) -> Signed:
    parts = decoded(data)
    if not isinstance(parts, list) or list(map(type, parts)) != [int] * 4 + [bytes] * 3:
        raise BadRecord("nothing that was signed")
    number, priority, scope, lifetime_s, body, key, signature = parts
    if number not in KINDS or not min(Scope) <= scope <= max(Scope) or priority > 6:
        raise BadRecord("signed words of a kind that is not known")
    return Signed(KINDS[number].name, body, lifetime_s, Scope(scope), priority, key, signature)


def _bytes_of(signed: Signed) -> list[bytes]:
    return [signed.body, signed.key, signed.signature]
