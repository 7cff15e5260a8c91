"""A certificate: a name, a key, and how far what that key signs is believed.

One version byte (1), then canonical CBOR, an array of the body (bytes: a CBOR map by the numbers of
``_FIELDS``), the signer's key id (8 bytes) and the signature (64 bytes, over ``_DOMAIN``, body and
signer).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from kiezbox.errors import KiezboxError
from kiezbox.records.kinds import Scope
from kiezbox.records.record import BadRecord, decoded, encoded

if TYPE_CHECKING:
    from kiezbox.trust.keys import Key

__all__ = [
    "MOST_VALID_S", "RIGHTS", "BadCertificate", "Certificate", "certify", "is_signed_by", "key_id",
    "pack_certificate", "unpack_certificate", "verifies",
]  # fmt: skip

VERSION = 1

#: What an issuer may do: tell (and take back), decide what is hidden, make further issuers.
RIGHTS = ("bulletin", "moderate", "certify")

#: Five years; a revocation is kept for ten, so that none is ever forgotten before what it revokes.
MOST_VALID_S = 1830 * 86400

#: Of a certificate, as a record's field has it.
MOST_BYTES = 1000

_DOMAIN = b"kiezbox certificate 1\0"


class BadCertificate(KiezboxError, ValueError):
    """Bytes that are no certificate, or fields that may not stand in one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """``scope`` is the widest and ``severity`` (0 to 4, CAP's words in order) the gravest that the
    issuer may say. ``languages``: of its free texts; none means all. ``area``: for whom it speaks,
    in words. Times are Unix seconds. ``signer`` is the key id of who certified it.
    """

    name: str
    public_key: bytes
    rights: tuple[str, ...]
    scope: int = Scope.KIEZ
    severity: int = 4
    languages: tuple[str, ...] = ()
    area: str = ""
    valid_from: int
    valid_until: int
    signer: bytes = b""
    signature: bytes = b""

    @property
    def key(self) -> bytes:
        """The id of the certified key."""
        return key_id(self.public_key)

    def signed_bytes(self) -> bytes:
        return _DOMAIN + encoded([_body(self), self.signer])


def key_id(public_key: bytes) -> bytes:
    """The first eight bytes of its BLAKE2b (RFC 7693, 64 bytes long)."""
    from hashlib import blake2b

    return blake2b(public_key).digest()[:8]


def certify(certificate: Certificate, signer: Key) -> Certificate:
    """The same, signed.

    Raises:
        BadCertificate: what it says may not stand in one.
    """
    unsigned = replace(certificate, signer=signer.id, signature=bytes(64))
    checked = unpack_certificate(pack_certificate(unsigned))
    return replace(checked, signature=signer.sign(checked.signed_bytes()))


def is_signed_by(certificate: Certificate, public_key: bytes) -> bool:
    """Whether this key signed it."""
    is_named = certificate.signer == key_id(public_key)
    return is_named and verifies(public_key, certificate.signed_bytes(), certificate.signature)


def verifies(public_key: bytes, message: bytes, signature: bytes) -> bool:
    """Ed25519. libsodium refuses keys of small order and signatures that are not canonical."""
    from nacl.bindings import crypto_sign_open
    from nacl.exceptions import BadSignatureError
    from nacl.exceptions import ValueError as BadValue

    try:
        crypto_sign_open(signature + message, public_key)
    except (BadSignatureError, BadValue):
        return False
    return len(signature) == 64


def pack_certificate(certificate: Certificate) -> bytes:
    """The canonical bytes."""
    parts = [_body(certificate), certificate.signer, certificate.signature]
    return bytes([VERSION]) + encoded(parts)


def unpack_certificate(packed: bytes) -> Certificate:
    """The certificate of these bytes; whether to believe it is another question.

    Raises:
        BadCertificate: too long, another version, not canonical, or a value out of range.
    """
    if not 1 < len(packed) <= MOST_BYTES:
        raise BadCertificate(f"a certificate of {len(packed)} bytes")
    if packed[0] != VERSION:
        raise BadCertificate(
            f"a certificate of version {packed[0]}",
            hint="A newer Kiezbox wrote it; update this one.",
        )
    try:
        parts = decoded(packed[1:])
        is_whole = isinstance(parts, list) and list(map(type, parts)) == [bytes] * 3
        body = decoded(parts[0]) if is_whole else None
    except BadRecord as error:
        raise BadCertificate(f"a certificate that is {error}") from error
    if not isinstance(body, dict) or len(parts[1]) != 8 or len(parts[2]) != 64:
        raise BadCertificate("a certificate is body, signer and signature")
    fields: dict[str, Any] = {}
    for number, (name, check) in _FIELDS.items():
        if number not in body or not check(body[number]):
            raise BadCertificate(f'a certificate whose "{name}" is none')
        value = body[number]
        fields[name] = tuple(value) if isinstance(value, list) else value
    if not fields["valid_from"] < fields["valid_until"] <= fields["valid_from"] + MOST_VALID_S:
        raise BadCertificate(
            "a certificate that is never valid, or too long",
            hint=f"At most {MOST_VALID_S // 86400} days.",
        )
    found = Certificate(**fields, signer=parts[1], signature=parts[2])
    if pack_certificate(found) != packed:
        raise BadCertificate("a certificate that is not canonical, or says what is not known")
    return found


def _text(most: int, least: int = 0) -> Callable[[Any], bool]:
    def check(value: Any) -> bool:
        return (
            isinstance(value, str)
            and value.isprintable()
            and (least <= len(value.encode("utf-8", "replace")) <= most)
        )

    return check


def _list(each: Callable[[Any], bool], most: int) -> Callable[[Any], bool]:
    def check(value: Any) -> bool:
        is_list = isinstance(value, list) and len(value) <= most and len(set(value)) == len(value)
        return is_list and all(map(each, value))

    return lambda value: (
        isinstance(value, list) and all(isinstance(each, str) for each in value) and check(value)
    )


def _count(most: int) -> Callable[[Any], bool]:
    return lambda value: type(value) is int and 0 <= value <= most


_FIELDS: dict[int, tuple[str, Callable[[Any], bool]]] = {
    1: ("name", _text(80, 1)),
    2: ("public_key", lambda value: isinstance(value, bytes) and len(value) == 32),
    3: ("rights", _list(lambda each: each in RIGHTS, len(RIGHTS))),
    4: ("scope", _count(max(Scope))),
    5: ("severity", _count(4)),
    6: ("languages", _list(_text(12, 2), 20)),
    7: ("area", _text(200)),
    8: ("valid_from", _count(1 << 40)),
    9: ("valid_until", _count(1 << 40)),
}


def _body(certificate: Certificate) -> bytes:
    values = {number: getattr(certificate, name) for number, (name, _) in _FIELDS.items()}
    return encoded(
        {n: list(v) if isinstance(v, tuple) else int(v) if isinstance(v, Scope) else v
         for n, v in values.items()}
    )  # fmt: skip
