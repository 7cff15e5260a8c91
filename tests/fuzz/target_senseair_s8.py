"""The Senseair S8's Modbus answers: bytes from a serial line."""

from __future__ import annotations

from kiezbox.sensors.senseair_s8 import MOST_REGISTERS, Parser, crc16, request

SEEDS = [
    bytes.fromhex("fe04020190acd8"),  # TDE2067's example: 400 ppm
    request(4, 0, 4) + bytes.fromhex("fe0408000000000000019016e6"),
    request(6, 0x1F, 0),
    bytes.fromhex("fe840203a5") + bytes.fromhex("fefe04020190acd8"),
]


def one(data: bytes) -> None:
    """However the bytes are cut, the same answers come out; nothing too long is kept."""
    whole, pieces = Parser(), Parser()
    step = data[0] % 7 + 1 if data else 1

    frames = whole.feed(data)
    again = [f for at in range(0, len(data), step) for f in pieces.feed(data[at : at + step])]

    assert again == frames
    assert len(whole._rest) < 5 + 2 * MOST_REGISTERS
    for frame in frames:
        is_read = frame.function in (3, 4)
        content = (
            bytes((0xFE, frame.function, *([len(frame.data)] if is_read else []))) + frame.data
        )
        assert content + crc16(content).to_bytes(2, "little") in data
        assert 0 <= frame.register(0) <= 0xFFFF and 0 <= frame.register(3) <= 0xFFFF
