"""What a Meshtastic radio does with a channel's key: AES in counter mode, and the channel's hash.

A real radio's chip does this; here it must be done in Python, and only here: nothing that a box
keeps secret goes through this file. Written out because no package of the core has plain AES, and a
simulation needs neither its speed nor its silence (it takes time that depends on the key).

Source: NIST FIPS 197 (the cipher) and SP 800-38A, 6.5 (counter mode); Meshtastic firmware 2.7,
``CryptoEngine`` and ``Channels`` (nonce, short keys, hash).
"""

from __future__ import annotations

from functools import lru_cache

from kiezbox.errors import UsageError

__all__ = ["DEFAULT_KEY", "channel_hash", "channel_key", "crypt", "encrypt_block"]

#: The key that everybody has: a channel whose key is the single byte 1.
DEFAULT_KEY = bytes.fromhex("d4f1bb3a20290759f0bcffabcf4e6901")

BLOCK_BYTES = 16


def _double(value: int) -> int:
    """Times x in GF(2^8) (FIPS 197, 4.2)."""
    return (value << 1) ^ (0x11B if value & 0x80 else 0)


def _substitutions() -> bytes:
    """The S-box (FIPS 197, 5.1.1): the inverse in GF(2^8), then an affine transformation."""
    powers, value = [], 1
    for _ in range(255):
        powers.append(value)
        value ^= _double(value)  # times 3, which generates all of them
    inverse = {power: powers[-index % 255] for index, power in enumerate(powers)}
    box = bytearray()
    for each in range(256):
        turned = inverse.get(each, 0)
        mixed = turned
        for _ in range(4):
            turned = ((turned << 1) | (turned >> 7)) & 0xFF
            mixed ^= turned
        box.append(mixed ^ 0x63)
    return bytes(box)


SBOX = _substitutions()


def _columns() -> list[list[int]]:
    """A byte's part in a column after SubBytes and MixColumns, for each of its four rows."""
    tables: list[list[int]] = [[], [], [], []]
    for value in SBOX:
        twice, thrice = _double(value), _double(value) ^ value
        column = (twice, value, value, thrice)
        for row in range(4):
            turned = column[-row:] + column[:-row] if row else column
            tables[row].append(int.from_bytes(bytes(turned), "big"))
    return tables


MIX0, MIX1, MIX2, MIX3 = _columns()


@lru_cache(maxsize=256)
def _schedule(key: bytes) -> tuple[int, ...]:
    """The round keys as 32-bit words (FIPS 197, 5.2)."""
    count = len(key) // 4
    words = [int.from_bytes(key[at : at + 4], "big") for at in range(0, len(key), 4)]
    constant = 1
    while len(words) < 4 * (count + 7):
        word = words[-1]
        if len(words) % count == 0:
            word = ((word << 8) | (word >> 24)) & 0xFFFFFFFF
        if len(words) % count == 0 or (count == 8 and len(words) % 8 == 4):
            word = int.from_bytes(bytes(SBOX[each] for each in word.to_bytes(4, "big")), "big")
        if len(words) % count == 0:
            word ^= constant << 24
            constant = _double(constant)
        words.append(words[-count] ^ word)
    return tuple(words)


def encrypt_block(key: bytes, block: bytes) -> bytes:
    """One block of sixteen bytes; ``key``: 16 or 32 bytes.

    >>> encrypt_block(bytes(range(16)), bytes.fromhex("00112233445566778899aabbccddeeff")).hex()
    '69c4e0d86a7b0430d8cdb78070b4c55a'
    """
    keys = _schedule(key)
    a, b, c, d = (int.from_bytes(block[at : at + 4], "big") ^ keys[at // 4] for at in (0, 4, 8, 12))
    last = len(keys) - 4
    for at in range(4, last, 4):
        a, b, c, d = (
            MIX0[w >> 24] ^ MIX1[x >> 16 & 255] ^ MIX2[y >> 8 & 255] ^ MIX3[z & 255] ^ keys[at + i]
            for i, (w, x, y, z) in enumerate(
                ((a, b, c, d), (b, c, d, a), (c, d, a, b), (d, a, b, c))
            )
        )
    out = bytearray()
    for i, (w, x, y, z) in enumerate(((a, b, c, d), (b, c, d, a), (c, d, a, b), (d, a, b, c))):
        word = (
            SBOX[w >> 24] << 24
            | SBOX[x >> 16 & 255] << 16
            | SBOX[y >> 8 & 255] << 8
            | SBOX[z & 255]
        )
        out += (word ^ keys[last + i]).to_bytes(4, "big")
    return bytes(out)


@lru_cache(maxsize=1024)
def _stream(key: bytes, counter: bytes, blocks: int) -> bytes:
    # Kept, because a dozen radios decrypt the same packet.
    start = int.from_bytes(counter, "big")
    return b"".join(
        encrypt_block(key, ((start + index) % (1 << 128)).to_bytes(BLOCK_BYTES, "big"))
        for index in range(blocks)
    )


def crypt(key: bytes, sender: int, packet_id: int, data: bytes) -> bytes:
    """Encrypt or decrypt a packet's Data. ``key``: 16 or 32 bytes, or none at all (plain).

    The counter begins with the packet's number and its sender's (64 bits each, low byte first).
    """
    if not key:
        return data
    counter = packet_id.to_bytes(8, "little") + sender.to_bytes(8, "little")
    stream = _stream(key, counter, -(-len(data) // BLOCK_BYTES))
    return bytes(a ^ b for a, b in zip(data, stream, strict=False))


def channel_key(psk: bytes) -> bytes:
    """The key that a channel's setting stands for: none, one of ten known ones, or its own.

    Raises:
        UsageError: more than 32 bytes.
    """
    if len(psk) > 32:
        raise UsageError(
            f"a channel's key of {len(psk)} bytes", hint="It has 0, 1, 16 or 32 bytes (psk)."
        )
    if not psk or psk == b"\x00":
        return b""
    if len(psk) == 1:
        return DEFAULT_KEY[:-1] + bytes(((DEFAULT_KEY[-1] + psk[0] - 1) & 0xFF,))
    # Shorter ones are filled up with zeros, as the firmware does (with a warning).
    return psk.ljust(16 if len(psk) <= 16 else 32, b"\x00")


def channel_hash(name: str, key: bytes) -> int:
    """By which a receiver sees which of its channels a packet may be of; ``key``: as expanded."""
    folded = 0
    for each in name.encode() + key:
        folded ^= each
    return folded
