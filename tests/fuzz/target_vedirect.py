"""Victron's VE.Direct: TEXT blocks with HEX records in between, bytes from a serial line."""

from __future__ import annotations

from kiezbox.sensors.vedirect import MOST_FIELDS, MOST_LABEL, MOST_VALUE, Parser


def _block(text: bytes) -> bytes:
    text += b"\r\nChecksum\t"
    return text + bytes((-sum(text) & 0xFF,))


SEEDS = [
    _block(b"\r\nPID\t0xA05F\r\nV\t12810\r\nI\t-10\r\nPPV\t0\r\nERR\t0\r\nH20\t1"),
    _block(b"\r\nPID\t0x203\r\nV\t12065\r\nI\t-7625\r\nP\t-92\r\nSOC\t---\r\nTTG\t942")
    + _block(b"\r\nH1\t-149322\r\nH2\t-82854"),
    b":7001000C80076\n" + _block(b"\r\nV\t12810") + b":A5010000000000000000\n",
]


def one(data: bytes) -> None:
    """However the bytes are cut, the same blocks come out, and each is text that was in them."""
    whole, pieces = Parser(), Parser()
    step = data[0] % 13 + 1 if data else 1

    blocks = whole.feed(data)
    again = [b for at in range(0, len(data), step) for b in pieces.feed(data[at : at + step])]

    assert again == blocks
    assert len(whole._word) <= max(MOST_LABEL, MOST_VALUE) and len(whole._fields) <= MOST_FIELDS
    for block in blocks:
        assert 0 < len(block) <= MOST_FIELDS
        assert all(label.isascii() and value.isascii() for label, value in block.items())
