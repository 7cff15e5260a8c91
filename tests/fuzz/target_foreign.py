"""What comes on port 258, and what somebody has recorded from a radio's cable.

The first byte chooses the reader.
"""

from __future__ import annotations

from kiezbox.foreign.decode import decode, decode_config
from kiezbox.foreign.envelope import config_of, frames, from_radio, to_radio
from kiezbox.foreign.neighbours import Neighbours, document
from kiezbox.foreign.wire import BadMessage

NOW = 1_761_091_200.0

SEEDS = [
    b"0" + bytes.fromhex(each)
    for each in (
        "22310a0808011071180720011080c3bbc206221f0a1d08c892011090de031882ec3d20c0c40728d04130e07640"
        "ac9801488c1f",
        "22340a060802107120001080c3bbc2061a2412001a2008e89ff8ffffffffffff0110ffffffff071880808080f8"
        "ffffffff0150eaad01",
        "221908011071180128cee6ffffffffffffff013098a70138bce302",
        "2a0a0a060801107120001002",
        "2a061080c3bbc206",
        "3219080110051880c3bbc206220d4bc3bc636865206272656e6e74",
    )
] + [
    b"1" + bytes.fromhex("080110e0d4032001287138014002"),
    b"2" + bytes.fromhex("0d0a94c3001d0a1b0dad0c3d4315ffffffff1801220b08820212062a040a0010024803"),
    b"2" + bytes.fromhex("94c3002d082a12290dad0c3d4315ad0c3d4318012216080612124210720e080110e0d4"
                         "032001287138014002350d0c0b0a"),
]  # fmt: skip


def one(data: bytes) -> None:
    """A message or BadMessage; a table that stays small and can be shown."""
    kind, rest = data[:1], data[1:]
    table = Neighbours(most=2)
    for node in range(3):
        table.heard(rest, node, -90, 5.0, NOW + node)
        table.heard_config(rest, node, NOW)
    assert len(table) <= 2
    for each in table.all():
        document(each)
    try:
        if kind == b"0":
            decode(rest, NOW)
        elif kind == b"1":
            decode_config(rest)
    except BadMessage:
        return
    for frame in frames(rest):
        for read in (from_radio, to_radio):
            try:
                packet = read(frame)
                if packet is not None:
                    config_of(packet.payload)
            except BadMessage:
                continue
