"""The bench's language: bytes from whoever reaches its socket."""

from __future__ import annotations

import socket

from kiezbox.hardware import wire

SEEDS = [
    wire.frame(wire.TRANSFER, wire.TRANSFER_HEAD.pack(0x76, wire.WRITES | wire.READS, 8) + b"\xf7"),
    wire.frame(wire.LINE, wire.PAIR.pack(17, 1)),
    wire.frame(wire.DATA, bytes(8)) + wire.frame(wire.ERROR, wire.NUMBER.pack(121)),
    wire.frame(wire.LEVEL, wire.PAIR.pack(17, 0)) * 3,
]


def one(data: bytes) -> None:
    """Frames that were sent whole come out; then ConnectionError, and never more than was sent."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.sendall(data)
        ours.shutdown(socket.SHUT_WR)
        taken = 0
        try:
            while True:
                kind, body = wire.receive(theirs, 0.5, 0.5)
                assert len(body) <= wire.MOST
                assert data[taken : taken + wire.HEADER.size + len(body)] == wire.frame(kind, body)
                taken += wire.HEADER.size + len(body)
        except ConnectionError:
            assert taken <= len(data)
