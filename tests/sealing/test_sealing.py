"""What is sealed opens for whom it was meant for, and for nobody else."""

from __future__ import annotations

import base64
import re
import subprocess
import sys
from hashlib import blake2b
from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nacl.pwhash import argon2id

from kiezbox import sealing
from kiezbox.sealing import NotOpened, code_words, tasks
from kiezbox.sealing.boxes import filled_up, stripped
from kiezbox.sealing.deriving import Work, derived

PAIR = sealing.new_pair()

# --- keys out of what people know -----------------------------------------------------------------


def test_argon2id_is_what_a_known_vector_says() -> None:
    """A vector of test/default/pwhash_argon2id.c in libsodium, made by another implementation."""
    text = b"$argon2id$v=19$m=256,t=3,p=1$MDEyMzQ1Njc$G5ajKFCoUzaXRLdz7UJb5wGkb2Xt+X5/GQjUYtS2+TE"

    assert argon2id.verify(text, b"password")


def test_a_key_is_argon2ids_with_the_parameters_that_the_lock_names() -> None:
    """Against the text form (``$argon2id$v=19$m=…``), which is taken apart here."""
    text = argon2id.str(b"vier Dosen Birnen", 4, 19 * 1024 * 1024).rstrip(b"\0")
    found = re.fullmatch(rb"\$argon2id\$v=19\$m=(\d+),t=(\d+),p=1\$(\S+)\$(\S+)", text)
    assert found
    memory_kib, passes = map(int, found.groups()[:2])
    salt, key = (base64.b64decode(each + b"=" * (-len(each) % 4)) for each in found.groups()[2:])

    assert derived(b"vier Dosen Birnen", salt, Work(passes, memory_kib)) == key


def test_no_use_asks_for_more_than_19_mib() -> None:
    assert sealing.FULL.memory_kib <= 19 * 1024
    assert sealing.LIGHT.memory_kib <= 19 * 1024


@pytest.mark.parametrize("work", [Work(4, 20 * 1024), Work(99, 1024), Work(0, 1024), Work(4, 0)])
def test_a_lock_from_a_damaged_card_cannot_make_the_box_reckon_for_ever(work: Work) -> None:
    with pytest.raises(NotOpened):
        derived(b"x", b"s" * 16, work)


# --- boxes and locks ------------------------------------------------------------------------------


@given(st.binary(max_size=1200))
@settings(max_examples=30)
def test_only_the_private_key_opens_a_box(text: bytes) -> None:
    sealed = sealing.seal(PAIR.public, text)

    assert sealing.unseal(PAIR.private, sealed) == text
    with pytest.raises(NotOpened):
        sealing.unseal(sealing.new_pair().private, sealed)


@pytest.mark.parametrize("at", [0, 8, 40, 60, -1])
def test_a_box_changed_in_one_bit_does_not_open(at: int) -> None:
    sealed = bytearray(sealing.seal(PAIR.public, b"Hinterhaus"))
    sealed[at] ^= 1

    if at == 0:  # It names another key, and is the same box.
        assert sealing.unseal(PAIR.private, bytes(sealed)) == b"Hinterhaus"
        return
    with pytest.raises(NotOpened):
        sealing.unseal(PAIR.private, bytes(sealed))


@pytest.mark.parametrize("sealed", [b"", b"short", bytes(8), bytes(100)])
def test_what_is_no_box_does_not_open(sealed: bytes) -> None:
    with pytest.raises(NotOpened):
        sealing.unseal(PAIR.private, sealed)


def test_a_box_says_for_which_key_it_is_and_not_how_long_it_is() -> None:
    short, long = (sealing.seal(PAIR.public, b"x" * size) for size in (1, 200))

    assert short[:8] == long[:8] == sealing.key_id(PAIR.public)
    assert len(short) == len(long)


@given(st.binary(max_size=300), st.integers(1, 300))
def test_filling_up_can_be_taken_back(text: bytes, step: int) -> None:
    assert len(filled_up(text, step)) % step == 0
    assert stripped(filled_up(text, step)) == text


def test_a_lock_opens_by_its_passphrase_however_the_keyboard_makes_its_letters() -> None:
    locked = sealing.lock(PAIR.private, "zwölf grüne Äpfel")

    assert sealing.unlock(locked, "zwo\u0308lf gru\u0308ne A\u0308pfel ") == PAIR.private
    for wrong in ("zwölf grüne äpfel", "", "x" * 300):
        with pytest.raises(NotOpened):
            sealing.unlock(locked, wrong)


def test_two_locks_of_the_same_key_have_nothing_in_common() -> None:
    one, other = (sealing.lock(PAIR.private, "zwölf grüne Äpfel") for _ in range(2))

    assert one[:6] == other[:6]
    assert one[6:22] != other[6:22] and one[22:] != other[22:]
    assert PAIR.private not in one


@pytest.mark.parametrize("locked", [b"", b"\1" * 10, b"\2" + bytes(99), b"\1\4" + b"\xff" * 98])
def test_what_is_no_lock_does_not_open(locked: bytes) -> None:
    with pytest.raises(NotOpened):
        sealing.unlock(locked, "zwölf grüne Äpfel")


# --- by words -------------------------------------------------------------------------------------


def test_words_find_and_open_and_everything_else_does_not() -> None:
    words = sealing.by_words("safe", "hammer wolke insel brot")
    sealed = sealing.seal_by(words.key, b"gut")

    assert sealing.open_by(words.key, sealed) == b"gut"
    for purpose, typed in (("safe", "hammer wolke insel topf"), ("message", "hammer wolke insel")):
        other = sealing.by_words(purpose, typed)
        assert other.lookup != words.lookup
        with pytest.raises(NotOpened):
            sealing.open_by(other.key, sealed)


def test_the_same_words_for_another_purpose_are_other_words() -> None:
    assert sealing.by_words("safe", "a b").lookup != sealing.by_words("message", "a b").lookup


def test_name_and_word_are_not_one_text_cut_anywhere() -> None:
    first = sealing.by_words("message", "nach", "barschaft")

    assert first.lookup != sealing.by_words("message", "nachbar", "schaft").lookup


def test_a_lookup_says_nothing_of_key_and_proof() -> None:
    words = sealing.by_words("safe", "hammer wolke insel brot")

    assert len({words.lookup, words.key[:16], words.proof[:16]}) == 3


def test_a_proof_is_checked_by_whoever_holds_the_check_and_made_by_nobody_else() -> None:
    proof = sealing.stretched("hammer-wolke-insel-brot", b"12345678")
    check = sealing.check_of(sealing.stretched("Hammer Wolke Insel Brot", b"12345678"))

    assert sealing.is_proof_of(proof, check)
    assert not sealing.is_proof_of(sealing.stretched("hammer", b"12345678"), check)
    for wrong in (b"", check, bytes(32), proof[:31]):
        assert not sealing.is_proof_of(wrong, check)
    assert not sealing.is_proof_of(proof, b"")


def test_only_the_words_of_a_ticket_sign_for_it() -> None:
    kept = sealing.ticket_check("Hammer Wolke Insel Brot", b"12345678")
    signer = sealing.ticket_signer("hammer-wolke-insel-brot", kept)
    signed = sealing.signature(signer, b"withdraw")

    assert sealing.is_signed(kept[8:], b"withdraw", signed)
    assert not sealing.is_signed(kept[8:], b"reopen", signed)
    assert sealing.ticket_signer("hammer", kept) == b""
    assert sealing.ticket_signer("hammer-wolke-insel-brot", kept[:-1]) == b""


def test_a_signature_is_that_of_rfc_8032() -> None:
    """Section 7.1, TEST 2."""
    secret = bytes.fromhex("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb")
    public = "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c"
    signed = (
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
        "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
    )

    assert sealing.verifier_of(secret).hex() == public
    assert sealing.signature(secret, b"\x72").hex() == signed
    assert sealing.is_signed(bytes.fromhex(public), b"\x72", bytes.fromhex(signed))


def test_what_a_role_signs_with_belongs_to_its_public_key_and_opens_nothing() -> None:
    pair = sealing.new_pair()
    signer = sealing.signer_of(pair.private)
    signed = sealing.signature(signer, b"done")

    assert sealing.is_signed(sealing.verifying_half(pair.public), b"done", signed)
    with pytest.raises(sealing.NotOpened):
        sealing.unseal(signer, sealing.seal(pair.public, b"Hinterhaus"))


@pytest.mark.parametrize("verifier", [b"", bytes(32), b"\1" + bytes(31), bytes(31), b"\xff" * 32])
def test_what_is_no_key_has_signed_nothing(verifier: bytes) -> None:
    for signed in (bytes(64), b"", b"\xff" * 64, bytes(63)):
        assert not sealing.is_signed(verifier, b"done", signed)


# --- code words -----------------------------------------------------------------------------------


@pytest.mark.parametrize("language", ["de", "en"])
def test_four_words_are_forty_bits(language: str) -> None:
    words = code_words.lists()[language]

    assert len({sealing.folded(word) for word in words}) == len(words) >= 1024


@pytest.mark.parametrize("language", ["de", "en"])
def test_no_word_is_taken_for_another(language: str) -> None:
    """None is a letter away from another as they are folded, and none begins another."""
    words = [sealing.folded(word) for word in code_words.lists()[language]]

    # All that comes of a word by leaving out one letter: what is a letter away shares one of them.
    shorter: dict[str, set[str]] = {}
    for word in words:
        for at in range(len(word)):
            shorter.setdefault(word[:at] + "*" + word[at + 1 :], set()).add(word)
            shorter.setdefault(word[:at] + word[at + 1 :], set()).add(word)
        shorter.setdefault(word, set()).add(word)

    assert [each for each in shorter.values() if any(map(is_near, combinations(each, 2)))] == []
    ordered = sorted(words)
    assert [p for p in zip(ordered, ordered[1:], strict=False) if p[1].startswith(p[0])] == []


def is_near(pair: tuple[str, str]) -> bool:
    """At most one letter put in, left out or changed."""
    one, other = sorted(pair, key=len)
    if len(other) - len(one) > 1:
        return False
    at = next((n for n, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), len(one))
    return one[at + (len(one) == len(other)) :] == other[at + 1 :]


@pytest.mark.parametrize("language", ["de", "en"])
def test_every_keyboard_types_our_words(language: str) -> None:
    for word in code_words.lists()[language]:
        assert re.fullmatch("[a-z]{4,9}", word)


def test_words_are_as_random_as_the_bytes_they_come_from() -> None:
    """Each of ten bits counts, and none twice: chi-squared of 40,000 words over 1,024, 99.9 %."""
    words = code_words.lists()["de"]
    counts = dict.fromkeys(words, 0)
    for n in range(10_000):
        seed = blake2b(n.to_bytes(4, "big"), digest_size=16).digest()
        for word in sealing.words_of(seed, "de"):
            counts[word] += 1

    expected = 40_000 / len(words)
    spread = sum((count - expected) ** 2 / expected for count in counts.values())
    assert 880 < spread < 1170


@pytest.mark.parametrize(
    "typed, same",
    [
        ("Hammer Wolke", "hammer-wolke"),
        ("HAMMER\u00a0 wolke,", "hammerwolke"),
        ("Müller Gruß", "mueller gruss"),
        ("Müller", "Muller"),
        ("STRASSE", "straße"),
        ("İstanbul ışık", "istanbul isik"),
        ("Łódź", "lodz"),
        ("Tiếng Việt", "tieng viet"),
        ("Ёлка", "елка"),
        ("أحمر", "احمر"),
        ("ماهی", "ماهي"),
        ("کتاب", "كتاب"),
        ("٤٢", "42"),
        ("ｗｏｌｋｅ", "wolke"),
        ("𝐖𝐨𝐥𝐤𝐞", "wolke"),
    ],
)
def test_words_are_the_same_however_they_are_typed(typed: str, same: str) -> None:
    assert sealing.folded(typed) == sealing.folded(same) != ""


@given(st.text(max_size=60) | st.text("aeouns ßäÜ", max_size=20))
def test_folding_twice_is_folding_once(typed: str) -> None:
    once = sealing.folded(typed)

    assert sealing.folded(once) == once


def test_an_unknown_word_is_named_and_a_list_typed_together_is_not_judged() -> None:
    assert sealing.stranger("hammer acker wolkken") == "wolkken"
    assert sealing.stranger("abend acker people robot") == ""
    assert sealing.stranger("abendackerpeoplerobot") == ""


# --- tasks ----------------------------------------------------------------------------------------


def test_a_task_says_wrong_for_every_reason_and_nothing_more() -> None:
    locked = sealing.lock(PAIR.private, "zwölf grüne Äpfel").hex()
    sealed = sealing.seal(sealing.new_pair().public, b"x").hex()

    wrong = {"locked": locked, "passphrase": "anders", "sealed": sealed}
    foreign = {"locked": locked, "passphrase": "zwölf grüne Äpfel", "sealed": sealed}

    assert tasks.done("open", wrong) == tasks.done("open", foreign) == {"wrong": 1}
    assert tasks.done("check", foreign) == {
        "public": PAIR.public.hex(),
        "signer": sealing.signer_of(PAIR.private).hex(),
    }


def test_sealing_is_loaded_without_libsodium() -> None:
    """25 ms that the portal's pages need not pay before somebody sends something."""
    code = "import sys, kiezbox.sealing; sys.exit('nacl' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
