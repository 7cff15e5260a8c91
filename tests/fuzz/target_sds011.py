"""The SDS011's frames: bytes from a serial line."""

from __future__ import annotations

from kiezbox.sensors.sds011 import KINDS, LENGTH, Parser

SEEDS = [
    bytes.fromhex("AAC0 D404 3A0A A160 1DAB"),  # printed in the protocol
    bytes.fromhex("AAC5 0601 0100 A160 09AB AAC0 0600 0600 58D9 3DAB"),
    bytes.fromhex("AAC0 AAC0 ABAA A160 20AB"),
    bytes.fromhex("AACF 0E00 1000 E905 0CAB"),  # captured from an SDS198
]


def one(data: bytes) -> None:
    """However the bytes are cut, the same frames come out, and nothing is kept that is too long."""
    whole, pieces = Parser(), Parser()
    step = data[0] % 13 + 1 if data else 1

    frames = whole.feed(data)
    again = [f for at in range(0, len(data), step) for f in pieces.feed(data[at : at + step])]

    assert again == frames
    assert len(whole._rest) < LENGTH
    assert len(frames) <= len(data) // LENGTH
    for frame in frames:
        assert frame.kind in KINDS and len(frame.data) == 6
        assert 0 <= frame.pm2_5 <= 6553.5 and 0 <= frame.pm10 <= 6553.5
        checked = bytes((0xAA, frame.kind, *frame.data, sum(frame.data) & 0xFF, 0xAB))
        assert checked in data
