"""Kills a writing node again and again, and looks at what it had called safe: `killing.py PATH N`.

A program of its own, because it forks: a fresh interpreter for each life would take a hundred
times as long as the life. Kills test the store's restart; what the kernel had not written yet
survives them (`tests/proof` cuts the power).
"""

from __future__ import annotations

import os
import random
import select
import signal
import struct
import sys
import time

import sqlite_utils  # noqa: F401

from kiezbox.clock import SystemClock
from kiezbox.model import Cursor, Measurement, Quantity
from kiezbox.settings import StoreSettings
from kiezbox.store import Store, StoreReader

#: What the writer says is safe: kind (reading, transition), number.
WORD = struct.Struct("<cQ")

#: Longest life, in seconds. The first start of a store takes 0.01.
LIFE_S = 0.06

#: So many lives are ended only after their first word; the others perhaps while they open, or
#: make, the database. On a slow card that takes longer than a life.
SPEAKING = 0.7
FIRST_WORD_S = 10.0


def live(settings: StoreSettings, say: int) -> None:
    """Write until killed; say what is safe once it is."""
    store = Store.open(settings, "kb-1", SystemClock())
    number = 0
    while True:
        number += 1
        for _ in range(number % 5 + 1):
            store.add("roof", [Measurement(Quantity.TEMPERATURE_C, float(number))])
        if number % 3 == 0:
            store.set_cursor(Cursor("mqtt", store.stored_serial))
        if number % 7 == 0:
            safe = store.put_transition("grid", "a", "b", "c", {"n": number})
            os.write(say, WORD.pack(b"t", safe))
        if number % 11 == 0:
            store.fold()
        os.write(say, WORD.pack(b"r", store.flush()))


def one_round(settings: StoreSettings, dice: random.Random) -> list[tuple[bytes, int]]:
    """One life; what it called safe."""
    ear, mouth = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(ear)
        try:
            live(settings, mouth)
        finally:
            os._exit(1)
    os.close(mouth)
    if dice.random() < SPEAKING:
        select.select([ear], [], [], FIRST_WORD_S)
    time.sleep(dice.random() * LIFE_S)
    os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status), f"the node died by itself: {status}"
    heard = b""
    while part := os.read(ear, 1 << 16):
        heard += part
    os.close(ear)
    return [WORD.unpack_from(heard, at) for at in range(0, len(heard), WORD.size)]


def main(path: str, rounds: int) -> None:
    settings = StoreSettings(path=path, journal_kib=16)
    dice = random.Random(rounds)
    safe = transitions = lives = 0
    for number in range(rounds):
        words = one_round(settings, dice)
        if not os.path.exists(path):
            assert not words
            continue
        lives += bool(words)
        safe = max([safe, *(n for kind, n in words if kind == b"r")])
        with StoreReader(path) as reader:
            assert reader.newest_serial >= safe, f"round {number}: {reader.newest_serial} < {safe}"
            kept = {transition.id for transition in reader.transitions(limit=10**6)}
            missing = {n for kind, n in words if kind == b"t"} - kept
            assert not missing, f"round {number}: transitions {missing} are gone"
            transitions = len(kept)
            assert reader.cursor("mqtt").backlog <= reader.newest_serial
    # Every serial up to the newest safe one of its boot is there: no holes.
    with StoreReader(path) as reader:
        boots: dict[int, list[int]] = {}
        for reading in reader.after(0, 10**9):
            boots.setdefault(reading.boot, []).append(reading.counter)
        for counters in boots.values():
            assert counters == list(range(1, len(counters) + 1))
        assert reader.integrity() == []
    print(lives, sum(map(len, boots.values())), transitions)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
