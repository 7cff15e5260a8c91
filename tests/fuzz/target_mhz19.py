"""The MH-Z19's answers: bytes from a serial line."""

from __future__ import annotations

from kiezbox.sensors.mhz19 import LENGTH, Parser

SEEDS = [
    bytes.fromhex("ff86027c42000000ba"),  # captured from an MH-Z19B
    bytes.fromhex("ff0186000000000079 ff86027b42000000bb"),
    bytes.fromhex("ff9b000013880000ca ffffff8601"),
]


def one(data: bytes) -> None:
    """However the bytes are cut, the same answers come out; nothing too long is kept."""
    whole, pieces = Parser(), Parser()
    step = data[0] % 7 + 1 if data else 1

    frames = whole.feed(data)
    again = [f for at in range(0, len(data), step) for f in pieces.feed(data[at : at + step])]

    assert again == frames
    assert len(whole._rest) < LENGTH and len(frames) <= len(data) // LENGTH
    for frame in frames:
        assert frame.command != 0x01 and len(frame.data) == 6
        assert 0 <= frame.co2_ppm <= 0xFFFF and 0 <= frame.range_ppm <= 0xFFFF
        content = bytes((frame.command,)) + frame.data
        assert b"\xff" + content + bytes((-sum(content) & 0xFF,)) in data
