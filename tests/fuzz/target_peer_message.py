"""What a box says to another over IP, when it is let in."""

from __future__ import annotations

from kiezbox.exchange import Digest, Entry, Give, Gone, Item, Ranges, Want
from kiezbox.exchange.audit import Blocks, Heal, Ids, Origins, Root
from kiezbox.peers.wire import BadMessage, pack, unpack
from kiezbox.records import Ref

_SOME = Ranges([(1, 5), (9, 9)])

SEEDS = [
    pack(message)
    for message in (
        Digest(bytes(6), (Entry("kb-a", 1, 9, Ranges([(3, 4)])),)),
        Want("kb-a", (("kb-b", _SOME),)),
        Gone((("kb-b", _SOME),)),
        Give((Item(Ref("kb-a", 1), 5, bytes(80)),)),
        Root(bytes(16)),
        Origins((("kb-a", bytes(16)),)),
        Blocks("kb-a", ((0, bytes(16)),)),
        Ids("kb-a", 0, True, ((1, bytes(16)),)),
        Heal("kb-a", 0, (bytes(80),)),
    )
]


def one(data: bytes) -> None:
    """A message that says the same again, nothing, or BadMessage."""
    try:
        message = unpack(data)
    except BadMessage:
        return
    if message is not None:
        assert unpack(pack(message)) == message
