"""Keys, certificates and what carries them, judged by RFC 8032, OpenSSL and a random editor."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from issuing import BRIGADE, DAY_S, NOW, ROOT, bulletin, certificate, key

from kiezbox.records import Scope
from kiezbox.trust import (
    BadCertificate,
    BadKey,
    Certificate,
    Key,
    NotTaken,
    WrongPassphrase,
    certificate_line,
    certify,
    is_sealed,
    key_id,
    lines_of,
    new_key,
    pack_certificate,
    pack_key,
    public_of,
    signed_line,
    unpack_certificate,
    unpack_key,
)
from kiezbox.trust.certificates import is_signed_by, verifies

#: RFC 8032, 7.1, TEST 1 and TEST 2: secret key, public key, message, signature.
RFC_8032 = [
    (
        "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701"
        "cf9b46bd25bf5f0595bbe24655141438e7a100b",
    ),
    (
        "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d"
        "0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
    ),
]

#: SubjectPublicKeyInfo of an Ed25519 key (RFC 8410, 4), up to the 32 bytes.
SPKI = bytes.fromhex("302a300506032b6570032100")


@pytest.mark.parametrize("seed, public, message, signature", RFC_8032)
def test_keys_sign_as_rfc_8032_says(seed: str, public: str, message: str, signature: str) -> None:
    made = Key("", bytes.fromhex(seed))

    assert made.public.hex() == public
    assert made.sign(bytes.fromhex(message)).hex() == signature
    assert verifies(made.public, bytes.fromhex(message), bytes.fromhex(signature))


def test_openssl_finds_a_bulletins_signature_good_and_a_changed_one_bad(tmp_path: Path) -> None:
    from issuing import record

    said = record(bulletin(BRIGADE))
    files = {
        "key.der": SPKI + BRIGADE.public,
        "words": said.signed_bytes(),
        "changed": said.signed_bytes() + b"!",
        "signature": said.signature,
    }
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)

    def is_good(words: str) -> bool:
        command = ["openssl", "pkeyutl", "-verify", "-pubin", "-keyform", "DER", "-inkey",
                   "key.der", "-rawin", "-in", words, "-sigfile", "signature"]  # fmt: skip
        return subprocess.run(command, cwd=tmp_path, capture_output=True).returncode == 0

    assert is_good("words") and not is_good("changed")


def test_a_key_id_is_the_beginning_of_the_keys_blake2b(tmp_path: Path) -> None:
    (tmp_path / "key").write_bytes(ROOT.public)
    done = subprocess.run(
        ["b2sum", "key"], cwd=tmp_path, capture_output=True, text=True, check=True
    )

    assert key_id(ROOT.public).hex() == done.stdout[:16]


# --- key files -----------------------------------------------------------------------------------


def test_a_key_comes_back_out_of_its_file() -> None:
    made = new_key("Feuerwehr 12")

    assert unpack_key(pack_key(made)) == made
    assert not is_sealed(pack_key(made))
    assert public_of(pack_key(made)) == public_of(made.public.hex() + "\n") == made.public


def test_a_sealed_key_opens_with_its_passphrase_only_and_shows_no_secret() -> None:
    made = new_key("Feuerwehr")
    text = pack_key(made, "drei alte Linden")

    assert is_sealed(text) and made.seed.hex() not in text
    assert public_of(text) == made.public, "the public half needs no passphrase"
    assert unpack_key(text, "drei alte Linden") == made
    for wrong in ("", "drei alte Linden "):
        with pytest.raises(WrongPassphrase):
            unpack_key(text, wrong)


def test_a_key_never_shows_its_secret_by_accident() -> None:
    made = new_key("x")

    assert made.seed.hex() not in repr(made) and repr(made.seed)[2:-1] not in f"{made}"


@pytest.mark.parametrize(
    "change",
    [
        {"kiezbox_key": 2},
        {"public": ROOT.public.hex()},
        {"secret": "00"},
        {"secret": 7},
        {"secret": None, "sealed": "00", "salt": "00", "passes": 10**9, "memory": 1},
    ],
)
def test_a_damaged_key_file_is_refused(change: dict[str, object]) -> None:
    document = {**json.loads(pack_key(key(9))), **change}

    with pytest.raises(BadKey):
        unpack_key(json.dumps(document))


@given(st.text(max_size=80))
def test_no_text_is_a_key_by_chance(text: str) -> None:
    with pytest.raises(BadKey):
        unpack_key(text)


# --- certificates --------------------------------------------------------------------------------


def test_a_certificate_comes_back_as_it_was_and_names_its_signer() -> None:
    made = certificate(
        BRIGADE, name="Bezirk Mitte", rights=("bulletin", "moderate"), scope=Scope.KIEZ,
        severity=3, languages=("de", "tr"), area="die Straßen um den Platz",
    )  # fmt: skip

    assert unpack_certificate(pack_certificate(made)) == made
    assert is_signed_by(made, ROOT.public) and not is_signed_by(made, BRIGADE.public)


@given(st.binary(max_size=300))
def test_no_bytes_are_a_certificate_by_chance(data: bytes) -> None:
    with pytest.raises(BadCertificate):
        unpack_certificate(b"\x01" + data)


def test_a_certificate_with_any_bit_turned_is_none_or_not_signed() -> None:
    packed = pack_certificate(certificate(BRIGADE))

    for bit in range(8 * len(packed)):
        changed = bytearray(packed)
        changed[bit // 8] ^= 1 << bit % 8
        try:
            found = unpack_certificate(bytes(changed))
        except BadCertificate:
            continue
        assert not is_signed_by(found, ROOT.public)


@pytest.mark.parametrize(
    "fields",
    [
        {"name": ""},
        {"name": "x" * 81},
        {"name": "Feuer\u202ewehr"},
        {"name": "zwei\nZeilen"},
        {"public_key": bytes(31)},
        {"rights": ("everything",)},
        {"rights": ("bulletin", "bulletin")},
        {"scope": 3},
        {"severity": 5},
        {"languages": ("x" * 13,)},
        {"valid_until": NOW - 200 * DAY_S},
        {"valid_until": NOW + 3000 * DAY_S},
    ],
)
def test_what_may_not_stand_in_a_certificate_is_refused_before_it_is_signed(
    fields: dict[str, object],
) -> None:
    with pytest.raises(BadCertificate):
        certificate(BRIGADE, **fields)


def test_a_certificate_is_at_most_as_long_as_a_records_field() -> None:
    longest = Certificate(
        name="ä" * 40, public_key=BRIGADE.public, rights=("bulletin", "moderate", "certify"),
        languages=tuple(f"language-{n:03}" for n in range(20)), area="ü" * 100,
        valid_from=NOW, valid_until=NOW + 1000 * DAY_S,
    )  # fmt: skip

    assert len(pack_certificate(certify(longest, ROOT))) <= 1000


# --- on the way ----------------------------------------------------------------------------------


def test_certificates_and_revocations_come_through_an_e_mail() -> None:
    made, said = certificate(BRIGADE), bulletin(BRIGADE)
    text = f"Guten Tag,\r\n\r\n{certificate_line(made)}\r\n  {signed_line(said)}\r\n-- \r\nGruß"

    assert list(lines_of(text)) == [made, said]


def test_a_line_that_was_cut_is_named_and_the_others_are_taken() -> None:
    line = certificate_line(certificate(BRIGADE))

    cut, whole = lines_of(f"{line[:-9]}\n{line}\n")

    assert isinstance(cut, NotTaken) and cut.number == 1
    assert whole == certificate(BRIGADE)


@given(st.text(max_size=200))
def test_whatever_stands_behind_the_word_nothing_breaks(text: str) -> None:
    found = list(lines_of(f"certificate {text}\nsigned {text}"))

    assert all(isinstance(each, NotTaken) for each in found)
