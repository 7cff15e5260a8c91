"""The bytes on the air: cipher, hash and header, by standards and by what foreign programs say."""

from __future__ import annotations

import pytest

from kiezbox.errors import UsageError
from kiezbox.hardware.simulated.air_cipher import (
    DEFAULT_KEY,
    channel_hash,
    channel_key,
    crypt,
    encrypt_block,
)
from kiezbox.hardware.simulated.air_packet import AirPacket

PLAIN = "6bc1bee22e409f96e93d7e117393172a"


@pytest.mark.parametrize(
    ("key", "cipher"),
    [
        ("2b7e151628aed2a6abf7158809cf4f3c", "3ad77bb40d7a3660a89ecaf32466ef97"),
        (
            "603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4",
            "f3eed1bdb5d2a03c064b5a7e3db181f8",
        ),
    ],
)
def test_a_block_is_encrypted_as_the_standard_says(key: str, cipher: str) -> None:
    """NIST SP 800-38A, F.1.1 and F.1.5."""
    assert encrypt_block(bytes.fromhex(key), bytes.fromhex(PLAIN)).hex() == cipher


def test_a_packet_is_encrypted_in_counter_mode_from_its_number_and_its_sender() -> None:
    """NIST SP 800-38A, F.5.1: the first counter block of the example is f0f1…ff; the standard's
    example goes on over four blocks.
    """
    counter = bytes.fromhex("f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff")
    packet_id = int.from_bytes(counter[:8], "little")
    sender = int.from_bytes(counter[8:], "little")
    plain = bytes.fromhex(
        PLAIN + "ae2d8a571e03ac9c9eb76fac45af8e51"
        "30c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710"
    )

    cipher = crypt(bytes.fromhex("2b7e151628aed2a6abf7158809cf4f3c"), sender, packet_id, plain)

    assert cipher.hex() == (
        "874d6191b620e3261bef6864990db6ce9806f66b7970fdff8617187bb9fffdff"
        "5ae4df3edbd5d35e5b4f09020db03eab1e031dda2fbe03d1792170a0f3009cee"
    )


def test_the_public_channel_has_the_hash_that_every_radio_knows_it_by() -> None:
    """As the library computes it (meshtastic.util.generate_channel_hash)."""
    from meshtastic.util import generate_channel_hash

    assert channel_hash("LongFast", channel_key(b"\x01")) == 8
    for name, psk in (("LongFast", DEFAULT_KEY), ("Kiez", bytes(range(32))), ("x", bytes(16))):
        assert channel_hash(name, channel_key(psk)) == generate_channel_hash(name, psk)


def test_a_key_of_a_single_byte_is_one_of_ten_that_all_know() -> None:
    """Meshtastic's ``ChannelSettings.psk``: 0 is no key, 1 the default, 2 to 10 one more each."""
    assert channel_key(b"\x00") == b"" == channel_key(b"")
    assert channel_key(b"\x01") == DEFAULT_KEY
    assert channel_key(b"\x0a") == DEFAULT_KEY[:-1] + b"\x0a"


def test_a_key_that_is_too_long_is_refused() -> None:
    with pytest.raises(UsageError, match="33 bytes"):
        channel_key(bytes(33))


@pytest.mark.parametrize("length", [0, 15, 256])
def test_what_no_radio_sends_is_no_packet(length: int) -> None:
    assert AirPacket.unpack(b"\x01" * length) is None


def test_a_packet_from_nobody_is_no_packet() -> None:
    assert AirPacket.unpack(bytes(16)) is None


def test_every_packet_is_read_as_it_was_written() -> None:
    packet = AirPacket(0x11, 0x22, 0x33, 7, 5, True, 255, b"body", 1, 2, True)

    assert AirPacket.unpack(packet.pack()) == packet
