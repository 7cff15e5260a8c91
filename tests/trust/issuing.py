"""What the tests of trust share: roots, issuers, a clock, and bulletins as somebody signed them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from kiezbox.clock import ManualClock
from kiezbox.records import KINDS, Record, Scope, unpack_body
from kiezbox.trust import Certificate, Key, Signed, Trust, certify, pack_certificate, sign

#: Sunday 4 January 2026, 09:00 UTC.
NOW = 1_767_517_200
DAY_S = 86400


def key(number: int, name: str = "") -> Key:
    """The same key for the same number: tests need no randomness."""
    return Key(name or f"key {number}", number.to_bytes(32, "little"))


ROOT, CITY, BRIGADE, DISTRICT, STRANGER = (key(n) for n in range(1, 6))


def certificate(of: Key, by: Key = ROOT, **fields: Any) -> Certificate:
    """For a year around ``NOW``; everything a bulletin may be."""
    given = {
        "name": of.name, "public_key": of.public, "rights": ("bulletin",), "scope": Scope.CITY,
        "severity": 4, "valid_from": NOW - 100 * DAY_S, "valid_until": NOW + 265 * DAY_S, **fields,
    }  # fmt: skip
    return certify(Certificate(**given), by)


def bulletin(by: Key, *, lifetime_s: int = DAY_S, scope: Scope = Scope.KIEZ,
             second: Key | None = None, **fields: Any) -> Signed:  # fmt: skip
    said = {"text": "Wasser gibt es am Platz", "language": "de", "issued_at": NOW, "serial": 1}
    return sign(
        "bulletin", {**said, **fields}, by, lifetime_s=lifetime_s, scope=scope, second=second
    )


def record(signed: Signed, *, origin: str = "kb-a", sequence: int = 1, at: float = NOW) -> Record:
    """As a box took it in."""
    number = next(n for n, kind in KINDS.items() if kind.name == signed.kind)
    return Record(
        origin, sequence, int(at * 1000) << 16, number, signed.priority, signed.scope,
        signed.lifetime_s, True, signed.body, signed.key, signed.signature,
    )  # fmt: skip


@dataclass
class Box:
    """One that believes ``ROOT``."""

    clock: ManualClock = field(default_factory=lambda: ManualClock(NOW + 60))
    certificates: list[Certificate] = field(default_factory=list)
    revocations: list[Record] = field(default_factory=list)
    withdrawals: list[Record] = field(default_factory=list)
    roots: tuple[Key, ...] = (ROOT,)

    def trust(self) -> Trust:
        return Trust(
            [root.public for root in self.roots],
            self.clock,
            certificates=map(pack_certificate, self.certificates),
            revocations=self.revocations,
            withdrawals=self.withdrawals,
        )

    def believes(self, what: Signed | Record) -> str:
        """Who vouches for it: "" for nobody."""
        found = record(what) if isinstance(what, Signed) else what
        body, _ = unpack_body(KINDS[found.kind], found.body)
        return self.trust().judge(found, body)

    def why_not(self, what: Signed | Record) -> str:
        found = record(what) if isinstance(what, Signed) else what
        body, _ = unpack_body(KINDS[found.kind], found.body)
        verdict = self.trust().verdict(found, body)
        assert verdict.name == ""
        return verdict.why


def revocation(of: Key, by: Key, **fields: Any) -> Record:
    said = {"key": of.id, "revoked_at": NOW, **fields}
    return record(sign("revocation", said, by, lifetime_s=3660 * DAY_S), sequence=900)


def with_bit(record: Record, name: str, bit: int) -> Record:
    """The same with one bit of a field of bytes turned."""
    value = bytearray(getattr(record, name))
    value[bit // 8 % len(value)] ^= 1 << bit % 8
    return replace(record, **{name: bytes(value)})
