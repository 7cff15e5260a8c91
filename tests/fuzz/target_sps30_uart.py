"""The SPS30's SHDLC frames: bytes from a serial line."""

from __future__ import annotations

from kiezbox.sensors.sps30_uart import LONGEST, Frame, Parser

SEEDS = [
    bytes.fromhex("7e00004300bc7e"),  # "command not allowed in current state", PyPMS
    bytes.fromhex("7e00030000fc7e 7e00030000fc7e"),
    bytes.fromhex("7e 00 d2 00 05 00 00 00 00 00 28 7e"),
    bytes.fromhex("7e 00 03 00 04 7d5e 7d5d 7d31 7d33 d9 7e"),
]


def one(data: bytes) -> None:
    """However the bytes are cut, the same frames come out, and nothing is kept that is too long."""
    whole, pieces = Parser(), Parser()
    step = data[0] % 13 + 1 if data else 1

    frames = whole.feed(data)
    again = [f for at in range(0, len(data), step) for f in pieces.feed(data[at : at + step])]

    # What is longer than a frame can be is forgotten, at other places if it comes in pieces.
    if len(data) <= LONGEST:
        assert again == frames
    assert len(whole._rest) <= LONGEST and len(pieces._rest) <= LONGEST
    for frame in frames:
        assert isinstance(frame, Frame) and len(frame.data) <= 255
        assert 0 <= frame.command <= 255 and 0 <= frame.state <= 255
