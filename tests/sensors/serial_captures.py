"""Bytes that real sensors sent, and a sensor that sends them again."""

from __future__ import annotations

import csv

from shared import shared_data


def captured(sensor: str, width: int) -> tuple[list[bytes], list[dict[str, str]]]:
    """A capture of PyPMS: its frames, of so many bytes each, and their decoded values."""
    dump = shared_data(f"serial/pypms/{sensor}.hexdump").read_text()
    frames = [bytes.fromhex(line[10 : 9 + 3 * width]) for line in dump.splitlines()]
    with shared_data(f"serial/pypms/{sensor}.csv").open() as file:
        return frames, list(csv.DictReader(file, skipinitialspace=True))


class Replayed:
    """A sensor that says what a real one said, a piece at a time, for ever."""

    tick_s = 0.01

    def __init__(self, stream: bytes, piece: int) -> None:
        self._stream = stream
        self._piece = piece
        self._at = 0

    def received(self, data: bytes) -> bytes:
        return b""

    def due(self, now_monotonic: float) -> bytes:
        at = self._at % len(self._stream)
        self._at += self._piece
        return (self._stream[at:] + self._stream)[: self._piece]


class Answering:
    """A sensor that answers every message with the same bytes."""

    tick_s = 0.01

    def __init__(self, answer: bytes) -> None:
        self._answer = answer
        self.heard: list[bytes] = []

    def received(self, data: bytes) -> bytes:
        self.heard.append(data)
        return self._answer

    def due(self, now_monotonic: float) -> bytes:
        return b""
