"""Whose word is official: what is signed, certified from a root, in time, within its limits."""

from __future__ import annotations

from dataclasses import replace

import pytest
from issuing import (
    BRIGADE,
    CITY,
    DAY_S,
    DISTRICT,
    NOW,
    ROOT,
    STRANGER,
    Box,
    bulletin,
    certificate,
    key,
    record,
    revocation,
    with_bit,
)

from kiezbox.clock import ManualClock
from kiezbox.records import KINDS, Record, Scope
from kiezbox.records.codes import CODES, code_named
from kiezbox.records.kinds import PARAMETERS
from kiezbox.records.record import encoded
from kiezbox.trust import sign
from kiezbox.trust.signing import second_bytes


def test_a_bulletin_of_an_issuer_with_a_certificate_is_believed_in_its_name() -> None:
    box = Box(certificates=[certificate(BRIGADE, name="Feuerwehr")])

    assert box.believes(bulletin(BRIGADE)) == "Feuerwehr"


def test_the_same_words_are_worth_the_same_from_every_box() -> None:
    box = Box(certificates=[certificate(BRIGADE)])
    signed = bulletin(BRIGADE)

    for origin, sequence in (("kb-a", 1), ("kb-zz", 77)):
        assert box.believes(record(signed, origin=origin, sequence=sequence))


def test_without_a_root_nobody_is_believed() -> None:
    assert not Box(certificates=[certificate(BRIGADE)], roots=()).believes(bulletin(BRIGADE))


def test_a_certificate_by_a_stranger_is_worth_nothing() -> None:
    box = Box(certificates=[certificate(BRIGADE, by=STRANGER)])

    assert "no certificate" in box.why_not(bulletin(BRIGADE))


def test_whoever_names_the_root_without_being_it_is_not_believed() -> None:
    forged = replace(certificate(BRIGADE, by=STRANGER), signer=ROOT.id)

    assert not Box(certificates=[forged]).believes(bulletin(BRIGADE))


@pytest.mark.parametrize("name", ["body", "signature"])
def test_a_record_with_any_bit_turned_is_not_believed(name: str) -> None:
    box, good = Box(certificates=[certificate(BRIGADE)]), record(bulletin(BRIGADE))
    bits = range(8 * len(getattr(good, name)))

    judge = box.trust().judge
    body = {"text": "x", "language": "de", "issued_at": NOW, "serial": 1}
    assert judge(good, body) and not [n for n in bits if judge(with_bit(good, name, n), body)]


@pytest.mark.parametrize(
    "changes", [{"kind": 2}, {"priority": 0}, {"scope": 0}, {"lifetime_s": DAY_S + 1}]
)
def test_what_was_signed_cannot_be_said_louder_longer_or_as_something_else(
    changes: dict[str, int],
) -> None:
    box, good = Box(certificates=[certificate(BRIGADE)]), record(bulletin(BRIGADE))

    changed = replace(good, **changes)  # type: ignore[arg-type]
    body = {"of": ("a", 1), "text": "x", "language": "de", "issued_at": NOW, "serial": 1}

    assert box.trust().judge(good, body) and not box.trust().judge(changed, body)


def test_an_unsigned_record_is_nobodys() -> None:
    bare = replace(record(bulletin(BRIGADE)), key=b"", signature=b"")

    assert Box(certificates=[certificate(BRIGADE)]).why_not(bare) == "it is not signed"


# --- limits --------------------------------------------------------------------------------------


def test_an_issuer_speaks_no_further_than_its_scope() -> None:
    box = Box(certificates=[certificate(BRIGADE, scope=Scope.BOX)])

    assert box.believes(bulletin(BRIGADE, scope=Scope.BOX))
    assert "wider scope" in box.why_not(bulletin(BRIGADE, scope=Scope.KIEZ))


def test_an_issuer_says_nothing_graver_than_it_may() -> None:
    box = Box(certificates=[certificate(BRIGADE, severity=2)])

    assert box.believes(bulletin(BRIGADE, severity=2))
    assert "graver" in box.why_not(bulletin(BRIGADE, severity=3))


def test_a_grave_code_is_grave_whatever_it_says_of_itself() -> None:
    box = Box(certificates=[certificate(BRIGADE, severity=1)])
    place = {"parameters": {"place": "Park"}, "text": None, "language": None, "severity": 0}

    assert box.believes(bulletin(BRIGADE, code=code_named("warm_room").number, **place))
    assert not box.believes(bulletin(BRIGADE, code=code_named("leave_area").number, **place))
    assert not box.believes(bulletin(BRIGADE, code=250, **place)), "a code of tomorrow"


def test_the_all_clear_is_for_those_who_may_say_that_there_is_a_danger() -> None:
    box = Box(certificates=[certificate(BRIGADE, severity=1)])

    assert box.believes(bulletin(BRIGADE))
    assert not box.believes(bulletin(BRIGADE, is_all_clear=1))


def test_an_issuers_free_text_counts_in_its_languages_and_its_codes_in_all() -> None:
    box = Box(certificates=[certificate(BRIGADE, languages=("de", "tr"))])
    coded = {"text": None, "language": None, "code": 22}

    assert box.believes(bulletin(BRIGADE, language="tr"))
    assert "does not write" in box.why_not(bulletin(BRIGADE, language="en"))
    assert "does not write" in box.why_not(bulletin(BRIGADE, language=None))
    assert box.believes(bulletin(BRIGADE, **coded))


def test_a_right_is_needed_for_each_kind() -> None:
    tells = Box(certificates=[certificate(BRIGADE, rights=("bulletin",))])
    hides = Box(certificates=[certificate(BRIGADE, rights=("moderate",))])
    verdict = sign("moderation", {"of": ("kb-a", 1), "verdict": "hide"}, BRIGADE, lifetime_s=DAY_S)

    assert tells.believes(bulletin(BRIGADE)) and not tells.believes(verdict)
    assert hides.believes(verdict) and not hides.believes(bulletin(BRIGADE))


@pytest.mark.parametrize("name", ["ticket", "post", "safe", "voice", "warning", "certificate"])
def test_nobody_can_sign_what_is_no_issuers_business(name: str) -> None:
    kind = next(kind for kind in KINDS.values() if kind.name == name)
    box = Box(certificates=[certificate(BRIGADE, rights=("bulletin", "moderate", "certify"))])
    bare = Record("kb-a", 1, NOW * 1000 << 16, kind.number, 0, 1, DAY_S, True, encoded({}))
    signature = BRIGADE.sign(bare.signed_bytes())

    judge = box.trust().judge

    assert not judge(replace(bare, key=BRIGADE.id, signature=signature), {"issued_at": NOW})


# --- time ----------------------------------------------------------------------------------------


def test_a_bulletin_is_over_when_its_time_is_whatever_box_it_comes_from() -> None:
    box, signed = Box(certificates=[certificate(BRIGADE)]), bulletin(BRIGADE, lifetime_s=3600)

    assert box.believes(signed)
    box.clock = ManualClock(NOW + 3600)

    assert "expired" in box.why_not(record(signed, origin="kb-replay", at=NOW + 3590))


def test_a_bulletin_from_the_future_is_not_believed_and_a_fast_clock_is_forgiven() -> None:
    box = Box(certificates=[certificate(BRIGADE)])

    assert box.believes(bulletin(BRIGADE, issued_at=NOW + 300))
    assert "future" in box.why_not(bulletin(BRIGADE, issued_at=NOW + 3600))


def test_a_bulletin_that_does_not_say_when_it_was_issued_is_not_believed() -> None:
    assert "when" in Box(certificates=[certificate(BRIGADE)]).why_not(
        bulletin(BRIGADE, issued_at=None)
    )


def test_a_bulletin_that_lives_longer_than_its_kind_may_is_not_believed() -> None:
    kind, good = KINDS[1], record(bulletin(BRIGADE))
    forever = replace(good, lifetime_s=kind.most_s + 1)
    forever = replace(forever, signature=BRIGADE.sign(forever.signed_bytes()))

    assert "longer than its kind" in Box(certificates=[certificate(BRIGADE)]).why_not(forever)


@pytest.mark.parametrize(
    "times",
    [
        {"valid_until": NOW - 1},
        {"valid_from": NOW + 1},
        # It would still be shown when its issuer is none any more.
        {"valid_until": NOW + DAY_S - 1},
    ],
)
def test_a_certificate_must_cover_a_bulletins_whole_life(times: dict[str, int]) -> None:
    box = Box(certificates=[certificate(BRIGADE, **times)])

    assert "whole life" in box.why_not(bulletin(BRIGADE))
    box.clock.trusted = False
    assert "whole life" in box.why_not(bulletin(BRIGADE)), "nor without a clock"


def test_without_a_clock_the_name_is_known_and_the_time_is_left_to_the_reader() -> None:
    box = Box(certificates=[certificate(BRIGADE)], clock=ManualClock(NOW - 900 * DAY_S))
    box.clock.trusted = False

    assert box.believes(bulletin(BRIGADE)) == "key 3"


def test_a_new_certificate_for_the_same_key_takes_over() -> None:
    old = certificate(BRIGADE, valid_until=NOW - 1)
    new = certificate(BRIGADE, valid_from=NOW - 1, name="neu")

    assert Box(certificates=[old, new]).believes(bulletin(BRIGADE)) == "neu"


# --- chains --------------------------------------------------------------------------------------


def test_an_intermediate_certifies_within_its_own_limits() -> None:
    city = certificate(CITY, rights=("certify", "bulletin"), scope=Scope.KIEZ, severity=2)
    box = Box(certificates=[certificate(BRIGADE, by=CITY, scope=Scope.KIEZ, severity=2), city])

    assert box.believes(bulletin(BRIGADE, severity=2))


@pytest.mark.parametrize(
    "more",
    [
        {"scope": Scope.CITY},
        {"severity": 3},
        {"rights": ("bulletin", "moderate")},
        {"languages": ()},
        {"languages": ("de", "en")},
    ],
)
def test_nobody_hands_on_more_than_he_has(more: dict[str, object]) -> None:
    city = certificate(
        CITY, rights=("certify", "bulletin"), scope=Scope.KIEZ, severity=2, languages=("de",)
    )
    given = {"scope": Scope.KIEZ, "severity": 2, "languages": ("de",), **more}

    box = Box(certificates=[city, certificate(BRIGADE, by=CITY, **given)])

    assert box.believes(bulletin(CITY))
    assert not box.believes(bulletin(BRIGADE))


def test_an_issuer_without_the_right_to_certify_makes_no_others() -> None:
    box = Box(certificates=[certificate(CITY), certificate(BRIGADE, by=CITY)])

    assert box.believes(bulletin(CITY)) and not box.believes(bulletin(BRIGADE))


def test_two_who_certify_each_other_hang_in_the_air() -> None:
    rights = ("certify", "bulletin")
    ring = [certificate(CITY, by=BRIGADE, rights=rights),
            certificate(BRIGADE, by=CITY, rights=rights)]  # fmt: skip

    assert not Box(certificates=ring).believes(bulletin(BRIGADE))


def test_a_chain_that_is_too_long_is_not_followed() -> None:
    rights = ("certify", "bulletin")
    links = [key(n) for n in range(50, 56)]
    signers = [ROOT, *links]
    chain = [certificate(of, by=by, rights=rights) for of, by in zip(links, signers, strict=False)]

    believed = [bool(Box(certificates=chain).believes(bulletin(each))) for each in links]

    assert believed == [True, True, True, True, False, False]


# --- revocation ----------------------------------------------------------------------------------


def test_a_revoked_issuer_was_never_believed() -> None:
    box = Box(certificates=[certificate(BRIGADE)], revocations=[revocation(BRIGADE, by=ROOT)])

    assert not box.believes(bulletin(BRIGADE))
    assert not box.believes(bulletin(BRIGADE, issued_at=NOW - 50 * DAY_S, lifetime_s=31 * DAY_S))


def test_a_revoked_issuer_does_not_come_back_with_a_new_certificate() -> None:
    box = Box(
        certificates=[certificate(BRIGADE), certificate(BRIGADE, name="neu")],
        revocations=[revocation(BRIGADE, by=ROOT)],
    )

    assert not box.believes(bulletin(BRIGADE))


def test_with_an_intermediate_goes_all_it_certified() -> None:
    city = certificate(CITY, rights=("certify", "bulletin"))
    box = Box(certificates=[city, certificate(BRIGADE, by=CITY)])
    assert box.believes(bulletin(BRIGADE))

    box.revocations.append(revocation(CITY, by=ROOT))

    assert not box.believes(bulletin(BRIGADE)) and not box.believes(bulletin(CITY))


def test_whoever_lost_his_key_revokes_it_himself() -> None:
    box = Box(certificates=[certificate(BRIGADE)], revocations=[revocation(BRIGADE, by=BRIGADE)])

    assert not box.believes(bulletin(BRIGADE))


def test_a_root_that_revokes_itself_takes_everything_along() -> None:
    box = Box(certificates=[certificate(BRIGADE)], revocations=[revocation(ROOT, by=ROOT)])

    assert not box.believes(bulletin(BRIGADE))


def test_nobody_revokes_whom_he_did_not_certify() -> None:
    certify = ("certify", "bulletin")
    box = Box(
        certificates=[certificate(BRIGADE), certificate(DISTRICT, rights=certify)],
        revocations=[revocation(BRIGADE, by=DISTRICT), revocation(BRIGADE, by=STRANGER),
                     replace(revocation(BRIGADE, by=STRANGER), key=ROOT.id)],
    )  # fmt: skip

    assert box.believes(bulletin(BRIGADE))


# --- the widest scope ----------------------------------------------------------------------------


def city_box(**of_second: object) -> Box:
    return Box(certificates=[certificate(BRIGADE, name="Feuerwehr"),
                             certificate(DISTRICT, name="Bezirk", **of_second)])  # fmt: skip


def test_for_a_whole_city_two_issuers_must_sign() -> None:
    alone = bulletin(BRIGADE, scope=Scope.CITY)
    together = bulletin(BRIGADE, scope=Scope.CITY, second=DISTRICT)

    assert "two issuers" in city_box().why_not(alone)
    assert city_box().believes(together) == "Feuerwehr"


def test_one_issuer_is_not_two() -> None:
    twice = bulletin(BRIGADE, scope=Scope.CITY, second=BRIGADE)
    box = city_box()
    box.certificates.append(certificate(key(30), name="FEUERWEHR"))

    assert not box.believes(twice)
    assert not box.believes(bulletin(BRIGADE, scope=Scope.CITY, second=key(30))), "nor by a new key"


@pytest.mark.parametrize(
    "limits",
    [
        {"scope": Scope.KIEZ},
        {"severity": 0},
        {"rights": ("moderate",)},
        {"languages": ("tr",)},
        {"valid_until": NOW + 60},
    ],
)
def test_the_second_must_be_one_who_could_say_it_himself(limits: dict[str, object]) -> None:
    said = bulletin(BRIGADE, scope=Scope.CITY, second=DISTRICT, severity=1)

    assert city_box().believes(said)
    assert not city_box(**limits).believes(said)


def test_a_second_name_under_other_words_is_none() -> None:
    other = bulletin(BRIGADE, scope=Scope.CITY, second=DISTRICT, text="Anderes")
    body = {"text": "Räumen!", "language": "de", "issued_at": NOW, "serial": 9,
            "second_key": DISTRICT.id}  # fmt: skip
    from kiezbox.records import unpack_body

    taken = unpack_body(KINDS[1], other.body)[0]["second_signature"]
    forged = sign("bulletin", {**body, "second_signature": taken}, BRIGADE, lifetime_s=DAY_S,
                  scope=Scope.CITY)  # fmt: skip

    assert not city_box().believes(forged)


def test_what_one_issuer_signed_alone_is_no_second_name_for_another() -> None:
    alone = bulletin(DISTRICT, scope=Scope.CITY)
    message = second_bytes(1, alone.priority, alone.scope, alone.lifetime_s, alone.body)

    assert DISTRICT.sign(message) != alone.signature


def test_two_on_one_arm_are_one() -> None:
    """Whoever may certify could make himself a second."""
    arm = certificate(CITY, name="Stadt", rights=("certify", "bulletin"))
    box = Box(certificates=[arm, certificate(BRIGADE, by=CITY, name="Feuerwehr"),
                            certificate(DISTRICT, by=CITY, name="Bezirk"),
                            certificate(key(31), name="Polizei")])  # fmt: skip

    def said(first: int, second: int) -> str:
        keys = {1: BRIGADE, 2: DISTRICT, 3: CITY, 4: key(31)}
        return box.believes(bulletin(keys[first], scope=Scope.CITY, second=keys[second]))

    assert not said(1, 2) and not said(1, 3) and not said(3, 2)
    assert said(1, 4) and said(4, 2) and said(3, 4)


# --- what was taken back -------------------------------------------------------------------------


def test_what_its_issuer_took_back_does_not_come_again_under_another_number() -> None:
    box, signed = Box(certificates=[certificate(BRIGADE), certificate(CITY)]), bulletin(BRIGADE)
    taken = {"of": ("kb-a", 1), "issued_at": NOW, "serial": 2, "issuer_serial": 1}
    box.withdrawals.append(record(sign("withdrawal", taken, BRIGADE, lifetime_s=DAY_S)))

    assert "taken it back" in box.why_not(record(signed, origin="kb-replay", sequence=5))
    assert box.believes(bulletin(BRIGADE, serial=3)) and box.believes(bulletin(CITY))


def test_nobody_takes_back_what_another_issued() -> None:
    box = Box(certificates=[certificate(BRIGADE), certificate(CITY)])
    taken = {"of": ("kb-a", 1), "issued_at": NOW, "serial": 2, "issuer_serial": 1}
    for by in (CITY, STRANGER):
        box.withdrawals.append(record(sign("withdrawal", taken, by, lifetime_s=DAY_S)))

    assert box.believes(bulletin(BRIGADE))


def test_codes_ask_for_parameters_that_there_are() -> None:
    assert all(set(code.needs) <= set(PARAMETERS) for code in CODES.values())
    assert len({code.name for code in CODES.values()}) == len(CODES)
