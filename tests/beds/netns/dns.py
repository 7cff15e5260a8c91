"""A DNS client for tests: one question, and everything that the answer says (RFC 1035, 4)."""

from __future__ import annotations

import random
import socket
import struct
from dataclasses import dataclass

A, PTR, TXT, AAAA, SVCB, HTTPS = 1, 12, 16, 28, 64, 65
NOERROR, SERVFAIL, NXDOMAIN, REFUSED = 0, 2, 3, 5


@dataclass(frozen=True)
class Reply:
    rcode: int
    #: Type, time to live, address or raw data.
    answers: tuple[tuple[int, int, str], ...]

    @property
    def addresses(self) -> list[str]:
        return [data for _, _, data in self.answers]


def question(name: str, kind: int, number: int) -> bytes:
    labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split("."))
    return (
        struct.pack("!6H", number, 0x0100, 1, 0, 0, 0)
        + labels
        + b"\0"
        + struct.pack("!2H", kind, 1)
    )


def understood(message: bytes, number: int) -> Reply:
    found, flags, questions, answers, _, _ = struct.unpack_from("!6H", message)
    assert found == number and flags & 0x8000, "no answer to this question"
    at = 12
    for _ in range(questions):
        at = _after_name(message, at) + 4
    records = []
    for _ in range(answers):
        at = _after_name(message, at)
        kind, _, ttl, size = struct.unpack_from("!HHIH", message, at)
        data = message[at + 10 : at + 10 + size]
        at += 10 + size
        family = {A: socket.AF_INET, AAAA: socket.AF_INET6}.get(kind)
        records.append((kind, ttl, socket.inet_ntop(family, data) if family else data.hex()))
    return Reply(flags & 15, tuple(records))


def ask(
    name: str,
    kind: int = A,
    *,
    server: str = "10.42.0.1",
    over: str = "udp",
    timeout_s: float = 2.0,
) -> Reply:
    """Ask; to be called inside a guest's network. Raises OSError (a TimeoutError, mostly)."""
    number = random.randrange(65536)
    family = socket.AF_INET6 if ":" in server else socket.AF_INET
    if over == "udp":
        with socket.socket(family, socket.SOCK_DGRAM) as udp:
            udp.settimeout(timeout_s)
            # Connected: an answer from anybody but the one who was asked does not arrive.
            udp.connect((server, 53))
            udp.send(question(name, kind, number))
            return understood(udp.recv(4096), number)
    with socket.create_connection((server, 53), timeout_s) as tcp:
        message = question(name, kind, number)
        tcp.sendall(struct.pack("!H", len(message)) + message)
        received = b""
        while len(received) < 2 or len(received) < 2 + struct.unpack_from("!H", received)[0]:
            piece = tcp.recv(4096)
            assert piece, "the server hung up"
            received += piece
        return understood(received[2:], number)


def _after_name(message: bytes, at: int) -> int:
    while message[at]:
        if message[at] >= 192:
            return at + 2
        at += 1 + message[at]
    return at + 1
