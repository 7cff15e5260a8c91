"""Plantower's frames: bytes from a serial line."""

from __future__ import annotations

from kiezbox.sensors.plantower import LENGTHS, LONGEST, Parser

SEEDS = [
    # Captured from a PMSx003, a PMS5003T and a PMS3003.
    bytes.fromhex("424d001c000000080008000000080008 00d20046002d001e00000000 970002c5"),
    bytes.fromhex("424d001c001700270029001600230029100804a90116000c00d400e09a0004aa"),
    bytes.fromhex("424d0014000100010001000100010001000000000051 00fa"),
    bytes.fromhex("424d0004e4000177 424d424d"),
]


def one(data: bytes) -> None:
    """However the bytes are cut, the same frames come out, and nothing is kept that is too long."""
    whole, pieces = Parser(), Parser()
    step = data[0] % 13 + 1 if data else 1

    frames = whole.feed(data)
    again = [f for at in range(0, len(data), step) for f in pieces.feed(data[at : at + step])]

    assert again == frames
    assert len(whole._rest) < LONGEST
    for frame in frames:
        assert frame.length in LENGTHS and len(frame.words) == frame.length // 2 - 1
        body = b"BM" + frame.length.to_bytes(2, "big")
        body += b"".join(word.to_bytes(2, "big") for word in frame.words)
        assert body + sum(body).to_bytes(2, "big") in data
        if frame.is_report:
            assert all(0 <= value <= 0xFFFF for value in frame.particulates)
            assert 0 <= frame.error_code <= 0xFF and frame.has_no_particles in (True, False)
