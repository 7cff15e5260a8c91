"""The judge: who vouches for a record, as far as this box can tell. Anything odd is: nobody.

The rules, each with its reason, stand in docs/trust.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple, Protocol

from kiezbox.records.bodies import unpack_body
from kiezbox.records.codes import severity_of
from kiezbox.records.kinds import KINDS, Scope
from kiezbox.records.record import BadRecord, Record
from kiezbox.trust.certificates import (
    BadCertificate,
    Certificate,
    is_signed_by,
    key_id,
    unpack_certificate,
    verifies,
)
from kiezbox.trust.signing import second_bytes

__all__ = ["AHEAD_S", "FETCHED_HERE", "NOBODY", "Issuer", "Trust", "Verdict"]

#: So far may an issuer's clock go before ours.
AHEAD_S = 300

#: Who vouches for a warning that this box fetched itself. No certificate vouches for warnings.
FETCHED_HERE = "this box"

#: Certificates between a root and who signs.
MOST_LINKS = 4

#: Which right each kind of signed record needs. What is not here nobody can vouch for.
_RIGHT = {
    "bulletin": "bulletin",
    "withdrawal": "bulletin",
    "question": "moderate",
    "moderation": "moderate",
    "place_report": "moderate",
    "place_point": "moderate",
    "ticket_state": "moderate",
}


class Clock(Protocol):
    """The part of ``kiezbox.clock.Clock`` that is needed."""

    def now(self) -> float: ...
    def is_trusted(self) -> bool: ...


class Issuer(NamedTuple):
    """A key that is believed, and by which certificates: its own in front, the root's last.

    ``path`` has all public keys from its own to the root's.
    """

    chain: tuple[Certificate, ...]
    path: tuple[bytes, ...]

    @property
    def certificate(self) -> Certificate:
        return self.chain[0]

    @property
    def valid_until(self) -> int:
        """No longer than any link holds."""
        return min(each.valid_until for each in self.chain)

    def is_valid(self, first: float, last: float) -> bool:
        """Whether every link holds over this time."""
        return all(each.valid_from <= first and last <= each.valid_until for each in self.chain)


class Verdict(NamedTuple):
    """``name``: who vouches for it, "" for nobody; then ``why`` says what is wrong."""

    name: str
    why: str = ""


NOBODY = Verdict("", "it is not signed")


class Trust:
    """Whom this box believes, as of the certificates and revocations it holds."""

    def __init__(
        self,
        roots: Iterable[bytes],
        clock: Clock,
        *,
        certificates: Iterable[bytes] = (),
        revocations: Iterable[Record] = (),
        withdrawals: Iterable[Record] = (),
        own: bytes = b"",
        moderators: Mapping[bytes, str] | None = None,
    ) -> None:
        """``roots``: public keys. ``certificates``, packed, ``revocations`` and ``withdrawals``
        may come from anybody: what is in them counts as far as it is signed. ``own``: this box's
        public key (``store.box_key``), by which it believes the warnings that it fetched itself.
        ``moderators``: public key → name of those who moderate on this box alone
        (``store.moderators``).
        """
        self._clock = clock
        self._own = own
        self._moderators = {key_id(key): (key, name) for key, name in (moderators or {}).items()}
        self._roots = tuple(dict.fromkeys(roots))
        self._revocations: dict[bytes, list[Record]] = {}
        for record in revocations:
            if (revoked := _revoked(record)) is not None:
                self._revocations.setdefault(revoked, []).append(record)
        self._issuers: dict[bytes, list[Issuer]] = {}
        self._resolve(certificates)
        self._withdrawn: set[tuple[bytes, int]] = set()
        self._withdrawn = set(self._taken_back(withdrawals))

    @property
    def roots(self) -> tuple[bytes, ...]:
        return self._roots

    def issuers(self) -> list[Issuer]:
        """All that are believed, in whatever time; by name."""
        found = (issuer for issuers in self._issuers.values() for issuer in issuers)
        return sorted(found, key=lambda each: (each.certificate.name, each.certificate.valid_until))

    def judge(self, record: Record, body: Mapping[str, Any]) -> str:
        """For ``Log.open(judge=…)``: the name of who vouches for it, or ""."""
        return self.verdict(record, body).name

    def verdict(self, record: Record, body: Mapping[str, Any]) -> Verdict:
        """The same with the reason; ``body`` is the record's, unpacked."""
        if not record.key:
            return NOBODY
        kind = KINDS.get(record.kind)
        if kind is not None and kind.name == "warning":
            return self._fetched(record, body)
        right = _RIGHT.get(kind.name) if kind else None
        if kind is None or right is None:
            return Verdict("", "nobody can vouch for such a record")
        if record.lifetime_s > kind.most_s:
            return Verdict("", "it lives longer than its kind may")
        if kind.name == "bulletin" and body.get("serial") is None:
            return Verdict("", "it has no number of its issuer's")
        if right == "moderate" and record.key in self._moderators:
            public, name = self._moderators[record.key]
            ends_at = body.get("issued_at", self._clock.now()) + record.lifetime_s
            is_over = self._clock.is_trusted() and self._clock.now() >= ends_at
            if not is_over and verifies(public, record.signed_bytes(), record.signature):
                return Verdict(name)
        known = self._issuers.get(record.key)
        if not known:
            return Verdict("", "its key has no certificate that this box believes")
        signed = record.signed_bytes()
        known = [
            issuer
            for issuer in known
            if verifies(issuer.certificate.public_key, signed, record.signature)
        ]
        if not known:
            return Verdict("", "its signature is wrong")
        if kind.name == "bulletin" and (record.key, body.get("serial")) in self._withdrawn:
            return Verdict("", "its issuer has taken it back")
        why = ""
        for issuer in known:
            why = self._objection(record, body, issuer, right)
            if not why and record.scope == Scope.CITY and kind.name != "withdrawal":
                why = self._missing_second(record, body, issuer, right)
            if not why:
                return Verdict(issuer.certificate.name)
        return Verdict("", why)

    def _fetched(self, record: Record, body: Mapping[str, Any]) -> Verdict:
        """A warning is an authority's, and what can be vouched for is that it was fetched there:
        by this box, whose key signs that and nothing else.
        """
        is_own = bool(self._own) and record.key == key_id(self._own)
        if not is_own or not verifies(self._own, record.signed_bytes(), record.signature):
            return Verdict("", "this box has not fetched it itself")
        # By what is signed: whoever hands an old one back writes what stamp he likes.
        ends_at = body.get("fetched_at", 0) + record.lifetime_s
        if self._clock.is_trusted() and self._clock.now() >= ends_at:
            return Verdict("", "it has expired")
        return Verdict(FETCHED_HERE)

    # --- what can be wrong -----------------------------------------------------------------------

    def _objection(
        self, record: Record, body: Mapping[str, Any], issuer: Issuer, right: str
    ) -> str:
        certificate = issuer.certificate
        if right not in certificate.rights:
            return f'its issuer has not the right "{right}"'
        if record.scope > certificate.scope:
            return "it is said for a wider scope than its issuer's"
        if severity_of(body) > certificate.severity:
            return "it is graver than its issuer may say"
        language = body.get("language", "")
        if certificate.languages and (body.get("text") or body.get("headline")):
            if language not in certificate.languages:
                return f'its issuer does not write in "{language}"'
        return self._untimely(record, body, issuer)

    def _untimely(self, record: Record, body: Mapping[str, Any], issuer: Issuer) -> str:
        """Valid over its whole life by its own words; and now, where there is a clock to ask."""
        now = self._clock.now() if self._clock.is_trusted() else None
        issued_at = body.get("issued_at")
        if issued_at is None:
            if "issued_at" in {field.name for field in KINDS[record.kind].fields}:
                return "it does not say when it was issued"
            is_valid = now is None or issuer.is_valid(now, now)
            return "" if is_valid else "its issuer's certificate is not valid now"
        ends_at = issued_at + record.lifetime_s
        if not issuer.is_valid(issued_at, ends_at):
            return "its issuer's certificate does not cover its whole life"
        if now is not None and now >= ends_at:
            return "it has expired"
        if now is not None and issued_at > now + AHEAD_S:
            return "it was issued in the future"
        return ""

    def _missing_second(
        self, record: Record, body: Mapping[str, Any], first: Issuer, right: str
    ) -> str:
        """For the widest scope two must stand, and not on one arm: no certificate in common."""
        signature = body.get("second_signature", b"")
        message = second_bytes(
            record.kind, record.priority, record.scope, record.lifetime_s, record.body
        )
        for second in self._issuers.get(body.get("second_key", b""), ()):
            names = {each.name.casefold() for each in second.chain}
            is_another = not names & {each.name.casefold() for each in first.chain}
            is_apart = not set(second.path[:-1]) & set(first.path[:-1])
            if (
                is_another
                and is_apart
                and not self._objection(record, body, second, right)
                and verifies(second.certificate.public_key, message, signature)
            ):
                return ""
        return "for a whole city two issuers must sign"

    # --- whom to believe -------------------------------------------------------------------------

    def _resolve(self, packed: Iterable[bytes]) -> None:
        """From the roots down: who is certified by somebody who is believed, and may certify."""
        waiting: dict[bytes, list[Certificate]] = {}
        for each in dict.fromkeys(packed):
            try:
                certificate = unpack_certificate(each)
            except BadCertificate:
                continue
            waiting.setdefault(certificate.signer, []).append(certificate)
        signers = [Issuer((), (root,)) for root in self._roots if not self._is_revoked((root,))]
        for _ in range(MOST_LINKS):
            found = []
            for signer in signers:
                for certificate in waiting.get(key_id(signer.path[0]), ()):
                    issuer = self._link(certificate, signer)
                    if issuer is not None:
                        found.append(issuer)
                        self._issuers.setdefault(certificate.key, []).append(issuer)
            signers = [each for each in found if "certify" in each.certificate.rights]

    def _link(self, certificate: Certificate, signer: Issuer) -> Issuer | None:
        """``certificate`` under ``signer``; None: it is not to be believed."""
        path = (certificate.public_key, *signer.path)
        if certificate.public_key in signer.path or self._is_revoked(path):
            return None
        if signer.chain and not _is_within(certificate, signer.certificate):
            return None
        if not is_signed_by(certificate, signer.path[0]):
            return None
        return Issuer((certificate, *signer.chain), path)

    def _is_revoked(self, path: tuple[bytes, ...]) -> bool:
        """Whether the first key of the path is: by itself, or by any key above it. What is revoked
        was never believed: whoever stole a key writes what date he likes.
        """
        return any(
            record.key == key_id(public_key)
            and verifies(public_key, record.signed_bytes(), record.signature)
            for record in self._revocations.get(key_id(path[0]), ())
            for public_key in path
        )

    def _taken_back(self, withdrawals: Iterable[Record]) -> Iterable[tuple[bytes, int]]:
        """(key, serial) of bulletins that their issuer took back, under whichever id."""
        for record in withdrawals:
            body = _body(record)
            serial = body.get("issuer_serial") if body else None
            if body and serial is not None and self.judge(record, body):
                yield record.key, serial


def _is_within(certificate: Certificate, above: Certificate) -> bool:
    """Nobody hands on more than he has."""
    return (
        set(certificate.rights) <= set(above.rights)
        and certificate.scope <= above.scope
        and certificate.severity <= above.severity
        and (
            not above.languages
            or bool(certificate.languages)
            and set(certificate.languages) <= set(above.languages)
        )
    )


def _body(record: Record) -> Mapping[str, Any] | None:
    kind = KINDS.get(record.kind)
    try:
        return unpack_body(kind, record.body)[0] if kind and record.key else None
    except BadRecord:
        return None


def _revoked(record: Record) -> bytes | None:
    """The key id that a revocation names."""
    kind, body = KINDS.get(record.kind), _body(record)
    if kind is None or kind.name != "revocation" or body is None:
        return None
    key: bytes = body["key"]
    return key
