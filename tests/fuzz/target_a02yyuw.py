"""The A02YYUW's distances: bytes from a serial line."""

from __future__ import annotations

from kiezbox.sensors.a02yyuw import LENGTH, Parser

SEEDS = [
    bytes.fromhex("ff07a1a7 ff07a2a8 ff0000ff"),  # the first is printed in the wiki
    bytes.fromhex("a1a7ff07a1a7ffff07a1a7"),
]


def one(data: bytes) -> None:
    """However the bytes are cut, the same distances come out; nothing too long is kept."""
    whole, pieces = Parser(), Parser()
    step = data[0] % 5 + 1 if data else 1

    distances = whole.feed(data)
    again = [d for at in range(0, len(data), step) for d in pieces.feed(data[at : at + step])]

    assert again == distances
    assert len(whole._rest) < LENGTH and len(distances) <= len(data) // LENGTH
    for distance in distances:
        frame = b"\xff" + distance.to_bytes(2, "big")
        assert frame + bytes((sum(frame) & 0xFF,)) in data
