"""Trust: whose word is official, and how far.

An offline *root* key certifies *issuers*; a box believes a signed record only as far as a chain of
certificates reaches from one of its roots (the setting ``trust.roots``) to the key that signed it.
Ed25519 (RFC 8032) by PyNaCl. Pure: records and certificates go in, a name or nothing comes out.
docs/trust.md says what the rules are and why.
"""

from kiezbox.trust.certificates import (
    RIGHTS,
    BadCertificate,
    Certificate,
    certify,
    key_id,
    pack_certificate,
    unpack_certificate,
)
from kiezbox.trust.files import NotTaken, certificate_line, lines_of, signed_line
from kiezbox.trust.judging import FETCHED_HERE, NOBODY, Issuer, Trust, Verdict
from kiezbox.trust.keys import (
    BadKey,
    Key,
    WrongPassphrase,
    is_public_key,
    is_sealed,
    new_key,
    pack_key,
    public_of,
    unpack_key,
)
from kiezbox.trust.signing import Signed, sign

__all__ = [
    "FETCHED_HERE", "NOBODY", "RIGHTS", "BadCertificate", "BadKey", "Certificate", "Issuer", "Key",
    "NotTaken", "Signed", "Trust", "Verdict", "WrongPassphrase", "certificate_line", "certify",
    "is_public_key", "is_sealed", "key_id", "lines_of", "new_key", "pack_certificate", "pack_key",
    "public_of", "sign", "signed_line", "unpack_certificate", "unpack_key",
]  # fmt: skip
