"""Codes, passphrases and their hashes."""

from __future__ import annotations

import hashlib
import math
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from kiezbox.desk import words


def test_a_code_is_forty_bits_of_letters_that_nobody_mixes_up() -> None:
    codes = {words.new_code() for _ in range(1000)}

    assert len(codes) == 1000
    used = set("".join(codes)) - {"-"}
    assert used <= set(words.ALPHABET) and len(used) == 32
    # Crockford's base 32 leaves these out.
    assert not used & set("ILOU")
    assert words.CODE_LETTERS * math.log2(len(words.ALPHABET)) >= 40


@given(st.text(words.ALPHABET, min_size=8, max_size=8))
def test_a_code_may_be_typed_in_small_letters_with_spaces_and_with_look_alikes(code: str) -> None:
    typed = f" {code[:4].lower()} {code[4:].lower()}".replace("0", "o").replace("1", "l")

    assert words.plain_code(typed) == words.plain_code(code) == code


def test_a_hash_costs_a_guesser_16_mib_and_five_rounds_and_is_the_standard_s() -> None:
    """OWASP, Password Storage Cheat Sheet: scrypt with N = 2^14, r = 8, p = 5."""
    stored = words.hashed("vier Wörter und ein Baum")

    assert (stored["n"], stored["r"], stored["p"]) == (2**14, 8, 5)
    expected = hashlib.scrypt(
        "vier Wörter und ein Baum".encode(),
        salt=bytes.fromhex(stored["salt"]), n=2**14, r=8, p=5, maxmem=2**26, dklen=32,
    )  # fmt: skip
    assert stored["hash"] == expected.hex()
    assert len(bytes.fromhex(stored["salt"])) == 16


def test_the_same_letters_from_another_keyboard_are_the_same_passphrase() -> None:
    """RFC 8265 §4.2.2: OpaqueString normalises to NFC. macOS composes ö, some keyboards do not."""
    stored = words.hashed("schönes Wetter")

    assert words.matches("scho\u0308nes Wetter", stored)
    assert not words.matches("schones Wetter", stored)


@given(st.text(max_size=300))
def test_any_text_is_either_a_passphrase_or_has_a_fault_with_a_sentence(text: str) -> None:
    from kiezbox.desk.texts import TEXTS

    fault = words.fault_of(text)

    assert fault == "" or all(TEXTS[fault])
    assert (len(text) >= 12) or fault == "too short"


def test_nothing_in_the_room_holds_a_password() -> None:
    room = Path(words.__file__).parent

    text = "".join(path.read_text() for path in room.glob("*.py")).lower()

    assert not [word for word in ("admin", "raspberry", "changeme", "default_pass") if word in text]
