"""Who gets in, and what an outsider learns: the handshake alone, message by message."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nacl.bindings import (
    crypto_aead_chacha20poly1305_ietf_decrypt,
    crypto_aead_chacha20poly1305_ietf_encrypt,
    crypto_scalarmult,
    crypto_scalarmult_base,
)
from nacl.signing import SigningKey, VerifyKey

from kiezbox.peers.handshake import (
    ANSWER_BYTES,
    CALL_BYTES,
    CONFIRM_BYTES,
    MOST_PLAIN,
    Answering,
    BadPeer,
    Calling,
    Sealer,
)
from kiezbox.trust import Key

KEYS = {name: Key(name, bytes([n]) * 32) for n, name in enumerate(("kb-a", "kb-b", "kb-x"), 1)}


def members(box: str) -> list[bytes]:
    return [KEYS[box].public] if box in ("kb-a", "kb-b") else []


def calling(me: str = "kb-a", to: str = "kb-b") -> Calling:
    return Calling(me, KEYS[me], members, to, KEYS[to].public)


def answering(me: str = "kb-b") -> Answering:
    return Answering(me, KEYS[me], members)


def met() -> tuple[Calling, Answering]:
    a, b = calling(), answering()
    b.confirmed(a.answered(b.called(a.call)))
    return a, b


def test_two_members_know_each_other_and_can_speak() -> None:
    a, b = met()

    assert (a.peer, b.peer) == ("kb-b", "kb-a")
    assert a.sealer and a.opener and b.sealer and b.opener
    for n in range(3):
        assert b.opener.open(a.sealer.seal(b"hin %d" % n)[4:]) == b"hin %d" % n
        assert a.opener.open(b.sealer.seal(b"her %d" % n)[4:]) == b"her %d" % n


def test_all_sizes_are_fixed_so_that_no_name_is_told_by_a_length() -> None:
    a, b = calling(), answering()
    answer = b.called(a.call)

    assert (len(a.call), len(answer), len(a.answered(answer))) == (49, 208, 176)
    assert (CALL_BYTES, ANSWER_BYTES, CONFIRM_BYTES) == (49, 208, 176)


def test_a_foreign_caller_made_from_the_description_alone_is_understood() -> None:
    """Written from the module's docstring, with PyNaCl and hashlib and nothing of ours."""
    b = answering()
    secret, own = b"\x77" * 32, SigningKey(KEYS["kb-a"].seed)
    its = KEYS["kb-b"].public
    start = b"\x01" + crypto_scalarmult_base(secret)
    knock = hashlib.blake2b(start, key=its, digest_size=16, person=b"kb peers knock").digest()
    call = start + knock
    answer = b.called(call)
    shared = crypto_scalarmult(secret, answer[:32])

    def derived(use: bytes, h: bytes) -> bytes:
        return hashlib.blake2b(use + h, key=shared, digest_size=32, person=b"kb peers key").digest()

    def hash_(*parts: bytes) -> bytes:
        return hashlib.blake2b(b"".join(parts), digest_size=32).digest()

    h1 = hash_(b"kiezbox peers 1\0", call, answer[:32])
    plain = crypto_aead_chacha20poly1305_ietf_decrypt(
        answer[32:], h1, bytes(12), derived(b"answer", h1)
    )
    said = b"A" + h1 + plain[:64]
    assert plain[:32] == b"kb-b".ljust(32, b"\0") and plain[32:64] == its
    VerifyKey(its).verify(b"kiezbox peer 1\0" + said, plain[64:128])
    mac_key = derived(b"mac", h1)
    assert plain[128:] == hashlib.blake2b(said, key=mac_key, digest_size=32).digest()
    h2 = hash_(h1, answer[32:])
    said = b"C" + h2 + b"kb-a".ljust(32, b"\0") + bytes(own.verify_key)
    mac = hashlib.blake2b(said, key=mac_key, digest_size=32).digest()
    plain = said[-64:] + own.sign(b"kiezbox peer 1\0" + said).signature + mac
    confirm = crypto_aead_chacha20poly1305_ietf_encrypt(
        plain, h2, bytes(12), derived(b"confirm", h2)
    )
    b.confirmed(confirm)
    h3 = hash_(h2, confirm)

    assert b.peer == "kb-a" and b.opener
    length = (5 + 16).to_bytes(4, "big")
    sealed = crypto_aead_chacha20poly1305_ietf_encrypt(
        b"hallo", length, bytes(12), derived(b"from C", h3)
    )
    assert b.opener.open(sealed) == b"hallo"


def test_who_does_not_know_whom_he_calls_hears_nothing() -> None:
    wrong = Calling("kb-a", KEYS["kb-a"], members, "kb-b", KEYS["kb-x"].public)

    with pytest.raises(BadPeer, match="whom he calls"):
        answering().called(wrong.call)


def test_a_stranger_who_knows_the_key_of_the_called_does_not_get_in() -> None:
    stranger = Calling("kb-x", KEYS["kb-x"], members, "kb-b", KEYS["kb-b"].public)
    b = answering()
    confirm = stranger.answered(b.called(stranger.call))

    with pytest.raises(BadPeer, match="no member"):
        b.confirmed(confirm)
    assert b.peer == "" and b.sealer is None


def test_a_stranger_under_a_member_s_name_does_not_get_in() -> None:
    stranger = Calling("kb-a", KEYS["kb-x"], members, "kb-b", KEYS["kb-b"].public)
    b = answering()

    with pytest.raises(BadPeer, match="no member"):
        b.confirmed(stranger.answered(b.called(stranger.call)))


def test_a_member_s_name_and_key_without_its_secret_do_not_get_in() -> None:
    class Shown(Key):
        @property
        def public(self) -> bytes:
            return KEYS["kb-a"].public

    stranger = Calling("kb-a", Shown("kb-a", b"\x09" * 32), members, "kb-b", KEYS["kb-b"].public)
    b = answering()

    with pytest.raises(BadPeer, match="not that key"):
        b.confirmed(stranger.answered(b.called(stranger.call)))


def test_who_answers_for_another_is_not_told_who_called() -> None:
    a = Calling("kb-a", KEYS["kb-a"], members, "kb-b", KEYS["kb-b"].public)
    evil = Answering("kb-b", KEYS["kb-x"], members)
    start = a.call[:33]
    # He knows the true key, and so passes the knock; but he has not its secret.
    evil._key = KEYS["kb-b"]
    evil.called(a.call)
    evil._key = KEYS["kb-x"]
    sealed = evil._identity(evil._h1, b"answer")

    with pytest.raises(BadPeer):
        a.answered(evil._point + sealed)
    assert start and a.sealer is None


def test_another_member_than_the_called_one_is_not_told_who_called() -> None:
    a = calling()
    other = Answering("kb-a2", KEYS["kb-a"], lambda box: [KEYS["kb-a"].public])
    a._members = lambda box: [KEYS["kb-b"].public, KEYS["kb-a"].public]
    other._key = KEYS["kb-b"]
    other.called(a.call)
    other._key = KEYS["kb-a"]

    with pytest.raises(BadPeer, match="and not kb-b"):
        a.answered(other._point + other._identity(other._h1, b"answer"))


def test_an_answer_is_for_one_call_and_a_confirmation_for_one_answer() -> None:
    a, b = calling(), answering()
    answer = b.called(a.call)
    confirm = a.answered(answer)

    with pytest.raises(BadPeer):
        calling().answered(answer)
    again = answering()
    again.called(a.call)
    with pytest.raises(BadPeer):
        again.confirmed(confirm)


def test_what_one_said_cannot_be_said_back_to_it() -> None:
    a = calling()
    with pytest.raises(BadPeer):
        a.answered(a.call[1:33] + bytes(176))
    b = answering()
    answer = b.called(calling().call)
    with pytest.raises(BadPeer):
        b.confirmed(answer[32:])
    a, b = met()
    assert a.sealer and a.opener
    with pytest.raises(BadPeer):
        a.opener.open(a.sealer.seal(b"hallo")[4:])


@pytest.mark.parametrize("point", [bytes(32), b"\x01" + bytes(31)])
def test_a_point_that_hides_nothing_is_refused(point: bytes) -> None:
    with pytest.raises(BadPeer, match="hides nothing"):
        calling().answered(point + bytes(176))


def test_frames_come_once_and_in_their_order() -> None:
    sender, receiver = Sealer(b"\x05" * 32), Sealer(b"\x05" * 32)
    first, second = (sender.seal(each)[4:] for each in (b"eins", b"zwei"))

    with pytest.raises(BadPeer):
        receiver.open(second)
    receiver = Sealer(b"\x05" * 32)
    assert receiver.open(first) == b"eins"
    with pytest.raises(BadPeer):
        receiver.open(first)


def test_a_connection_ends_before_its_numbers_do() -> None:
    sender = Sealer(bytes(32))
    sender._number = (1 << 32) - 2
    sender.seal(b"")

    with pytest.raises(BadPeer, match="all it may"):
        sender.seal(b"")


@settings(max_examples=60)
@given(st.integers(0, 2), st.integers(0, 10_000), st.integers(1, 255))
def test_one_changed_bit_anywhere_ends_it(which: int, at: int, by: int) -> None:
    a, b = calling(), answering()

    def spoilt(number: int, data: bytes) -> bytes:
        if number != which:
            return data
        place = at % len(data)
        return data[:place] + bytes([data[place] ^ by]) + data[place + 1 :]

    with pytest.raises(BadPeer):
        # X25519 does not look at its point's last bit; the transcript does.
        b.confirmed(spoilt(2, a.answered(spoilt(1, b.called(spoilt(0, a.call))))))
    assert b.sealer is None


@settings(max_examples=60)
@given(st.binary(max_size=400))
def test_nothing_but_bad_peer_comes_of_any_bytes(data: bytes) -> None:
    for act in (calling().answered, answering().called):
        with pytest.raises(BadPeer):
            act(data)
    b = answering()
    b.called(calling().call)
    with pytest.raises(BadPeer):
        b.confirmed(data)


def test_a_frame_holds_what_a_message_needs() -> None:
    assert MOST_PLAIN > (1 << 16) + 20_000
