"""A hostile neighbour with a script: records that are forged, replayed, expired, out of scope.

Each is made from what such a neighbour can have: everything that was ever sent, his own keys, the
certificates of others, and even the keys of issuers who are limited, revoked or no longer valid.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from issuing import DAY_S, NOW, ROOT, Box, bulletin, certificate, key, record, revocation, with_bit

from kiezbox.records import KINDS, Record, Scope, pack, unpack, unpack_body
from kiezbox.records.folds import Told, fold
from kiezbox.records.record import BadRecord
from kiezbox.trust import Key, Signed, sign

GOOD, OTHER, ARM, ARMED, LIMITED, MUTE, REVOKED, LATE, FORGED, STRANGER = (
    key(n) for n in range(101, 111)
)


def besieged() -> Box:
    """A box that believes ``ROOT`` and so GOOD, OTHER, and others within their limits."""
    box = Box()
    box.certificates = [
        certificate(GOOD, name="Feuerwehr"),
        certificate(OTHER, name="Bezirk"),
        certificate(ARM, name="Stadt", rights=("certify", "bulletin")),
        certificate(ARMED, by=ARM, name="Amt"),
        certificate(LIMITED, name="Verein", scope=Scope.BOX, severity=1, languages=("de",)),
        certificate(MUTE, name="Wache", rights=("moderate",)),
        certificate(REVOKED, name="Gestohlen"),
        certificate(LATE, name="Früher", valid_until=NOW - DAY_S),
        # What a stranger certifies, himself and in the root's name.
        certificate(FORGED, by=STRANGER, name="Feuerwehr"),
        replace(certificate(FORGED, by=STRANGER, name="Feuerwehr"), signer=ROOT.id),
        certificate(STRANGER, by=STRANGER, name="Stadt", rights=("certify", "bulletin")),
    ]
    box.revocations = [revocation(REVOKED, by=ROOT), revocation(GOOD, by=STRANGER)]
    taken = {"of": ("kb-a", 1), "issued_at": NOW, "serial": 8, "issuer_serial": 7}
    box.withdrawals = [record(sign("withdrawal", taken, GOOD, lifetime_s=30 * DAY_S))]
    return box


class Forger:
    """The same records for the same seed."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)
        #: What an issuer who may has really said.
        self.said = [self._said(GOOD, serial=100 + n) for n in range(20)]

    def genuine(self) -> Record:
        """Sent by whoever may, and passed on by any box."""
        return self._carried(self.rng.choice(self.said))

    def forged(self) -> tuple[str, Record]:
        """What was done, and the record."""
        name, make = self.rng.choice(_WAYS)
        made = make(self)
        return name, made if isinstance(made, Record) else self._carried(made)

    def _said(self, by: Key, **more: Any) -> Signed:
        rng = self.rng
        return bulletin(by, **{
            "lifetime_s": rng.randint(3600, 20 * DAY_S), "text": f"Text {rng.random()}",
            "serial": rng.randint(10_000, 1 << 31), "severity": rng.randint(0, 4), **more,
        })  # fmt: skip

    def _carried(self, signed: Signed) -> Record:
        """By any box, at any time that its stamp may say."""
        at = NOW + self.rng.randint(-3600, 60)
        name = f"kb-{self.rng.randint(1, 999)}"
        return record(signed, origin=name, sequence=self.rng.randint(1, 1 << 40), at=at)

    # --- ways -----------------------------------------------------------------------------------

    def bits(self) -> Record:
        """A few bits of a good one's body or signature turned, wherever they stand."""
        made = good = self.genuine()
        for _ in range(self.rng.choice((1, 1, 1, 2, 8))):
            name = self.rng.choice(("body", "signature", "body", "key"))
            made = with_bit(made, name, self.rng.randrange(1 << 14))
        return made if made != good else with_bit(good, "signature", 0)

    def louder(self) -> Record:
        """Longer, wider, more urgent, or as another kind than its issuer said."""
        made = self.genuine()
        change: dict[str, Any] = self.rng.choice([
            {"lifetime_s": made.lifetime_s + self.rng.randint(1, 10 * DAY_S)},
            {"scope": self.rng.choice([0, 2])}, {"priority": self.rng.choice([0, 1, 6])},
            {"kind": self.rng.choice([2, 3, 7, 10, 15, 16, 17, 200])},
        ])  # fmt: skip
        return replace(made, **change)

    def expired(self) -> Signed:
        lifetime_s = self.rng.randint(60, 20 * DAY_S)
        return self._said(GOOD, issued_at=NOW - lifetime_s - self.rng.randint(0, 10 * DAY_S),
                          lifetime_s=lifetime_s)  # fmt: skip

    def from_tomorrow(self) -> Signed:
        return self._said(GOOD, issued_at=NOW + self.rng.randint(400, 5 * DAY_S))

    def taken_back(self) -> Signed:
        return self._said(GOOD, serial=7)

    def timeless(self) -> Signed:
        return self._said(GOOD, issued_at=None)

    def numberless(self) -> Signed:
        return self._said(GOOD, serial=None)

    def by_nobody(self) -> Record:
        return replace(self.genuine(), key=b"", signature=b"")

    def by_a_stranger(self) -> Record:
        """His own key, under his own name or under that of an issuer."""
        made = self._carried(self._said(self.rng.choice([STRANGER, FORGED])))
        return replace(made, key=self.rng.choice([made.key, GOOD.id, OTHER.id, ROOT.id]))

    def by_the_root(self) -> Signed:
        return self._said(ROOT)

    def by_a_thief(self) -> Signed:
        return self._said(REVOKED, issued_at=NOW - self.rng.randint(0, 20 * DAY_S),
                          lifetime_s=30 * DAY_S)  # fmt: skip

    def by_somebody_of_yesterday(self) -> Signed:
        issued_at = NOW - self.rng.randint(0, 20 * DAY_S)
        return self._said(LATE, issued_at=issued_at, lifetime_s=30 * DAY_S)

    def by_a_moderator(self) -> Signed:
        return self._said(MUTE)

    def out_of_scope(self) -> Signed:
        return self._said(LIMITED, severity=0, scope=self.rng.choice([Scope.KIEZ, Scope.CITY]),
                          second=self.rng.choice([None, GOOD]))  # fmt: skip

    def too_grave(self) -> Signed:
        more = self.rng.choice([{"severity": 4}, {"code": 41}, {"is_all_clear": 1}, {"code": 222}])
        return self._said(LIMITED, scope=Scope.BOX, **{"severity": 0, **more})

    def in_another_language(self) -> Signed:
        language = self.rng.choice(["en", "tr", "", "de-x"])
        return self._said(LIMITED, scope=Scope.BOX, severity=0, language=language)

    def for_the_city_alone(self) -> Signed:
        """One issuer, one and himself, two on one arm, one and somebody who may not."""
        first, second = self.rng.choice([
            (GOOD, None), (GOOD, GOOD), (ARM, ARMED), (ARMED, ARM), (GOOD, STRANGER),
            (GOOD, REVOKED), (GOOD, LATE), (GOOD, MUTE), (GOOD, LIMITED), (GOOD, FORGED),
        ])  # fmt: skip
        return self._said(first, scope=Scope.CITY, second=second)

    def with_a_borrowed_second(self) -> Signed:
        """The second's name from other words."""
        other = self._said(GOOD, scope=Scope.CITY, second=OTHER)
        taken = unpack_body(KINDS[1], other.body)[0]
        return self._said(GOOD, scope=Scope.CITY, second_key=OTHER.id,
                          second_signature=taken["second_signature"])  # fmt: skip

    def with_anothers_signature(self) -> Record:
        one, other = self.genuine(), self._carried(self._said(GOOD))
        return replace(one, signature=other.signature)


_WAYS: list[tuple[str, Callable[[Forger], Record | Signed]]] = [
    (name, way)
    for name, way in vars(Forger).items()
    if callable(way) and not name.startswith("_") and name not in ("genuine", "forged")
]


def ways() -> list[str]:
    return [name for name, _ in _WAYS]


def shown(box_trust: Any, made: Record) -> list[tuple[Any, ...]]:
    """Through the frame, the judge and the fold, as the log does it: rows of ``things``."""
    try:
        taken = unpack(pack(made))
        kind = KINDS[taken.kind]
        body, _ = unpack_body(kind, taken.body)
    except (BadRecord, KeyError):
        return []
    issuer = box_trust.judge(taken, body)
    thing = fold(Told(taken, body, taken.written_at, NOW + 10 * DAY_S, issuer), [])
    if thing is None or KINDS[thing.kind].name != "bulletin":
        return []
    return [(thing.origin, thing.sequence, thing.written_at, thing.expires_at, thing.text,
             thing.language, thing.issuer, thing.state, thing.data)]  # fmt: skip
