"""What a LoRaWAN modem answers: bytes from a serial line, in both dialects."""

from __future__ import annotations

from typing import Any

from kiezbox.errors import Unreachable
from kiezbox.publishers._lora_modem import DIALECTS, MOST_LINE, Modem, Outcome

SEEDS = [
    b"\x00+EVT:JOINED\r\n",
    b"\x01OK\r\n\r\n+EVT:SEND_CONFIRMED_FAILED(4)\r\n",
    b"\x02AT_DUTYCYLE_RESTRICTED\r\n",
    b"\x03+JOIN: Start\r\n+JOIN: Network joined\r\n+JOIN: Done\r\n",
    b'\x04+CMSGHEX: PORT: 1; RX: "0102"\r\n+CMSGHEX: ACK Received\r\n+CMSGHEX: Done\r\n',
    b"\x05+MSGHEX: Length error 51\r\n",
    b"\x06+MSGHEX: No band in 13469ms\r\n",
    b"\x07+DR: EU868 DR5  SF7  BW125K \r\n",
    b"\x08+ID: DevEui, 2C:F7:F1:20:24:90:03:63\r\n",
]


class Line:
    """A port that says these bytes in pieces, and then closes."""

    def __init__(self, data: bytes, step: int) -> None:
        self._pieces = [data[at : at + step] for at in range(0, len(data), step)]

    def read(self, size: int) -> bytes:
        if not self._pieces:
            raise OSError("over")
        return self._pieces.pop(0)

    in_waiting = 4096

    def write(self, data: bytes) -> None: ...

    def reset_input_buffer(self) -> None: ...

    def close(self) -> None: ...


def one(data: bytes) -> None:
    """It ends in an outcome whose word is a number, an id or nothing, or it is unreachable."""
    first, rest = data[:1] or b"\0", data[1:]
    for dialect in DIALECTS.values():
        asks = [dialect.who, dialect.join, dialect.rate, dialect.send[-1]]
        asks += [dialect.send_confirmed[-1], *dialect.setup]
        ask = asks[first[0] % len(asks)]
        modem: Any = Modem("fuzz", dialect)
        modem._serial = Line(rest, first[0] % 5 + 1)
        try:
            answer = modem.ask(ask, dict.fromkeys(_FIELDS, 1))
        except Unreachable:
            continue
        assert isinstance(answer.outcome, Outcome)
        assert set(answer.word) <= set("0123456789ABCDEFabcdef:")
        assert all(line and len(line) <= MOST_LINE + 5 for line in answer.lines)
        if answer.outcome is Outcome.TOO_LONG and answer.word:
            assert answer.word.isdecimal()


_FIELDS = ("port", "payload", "tries", "repeats", "dev_eui", "join_eui", "app_key", "rate")
