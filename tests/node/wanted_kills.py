"""Kills a deciding node again and again, and looks at what it wanted: `wanted_kills.py DIR N`.

A program of its own, because it forks (see tests/store/killing.py). Each life is the real power
worker's task over the real store, its grid coming and going as fast as it can be written down.
"""

from __future__ import annotations

import os
import random
import select
import signal
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import sqlite_utils  # noqa: F401
from evening import Evening

from kiezbox.mode import Mode
from kiezbox.posture import usual
from kiezbox.store import StoreReader, Transition

LIFE_S = 0.04
FIRST_WORD_S = 20.0

#: Every look decides something, and nothing waits.
FAST = {
    "power": {
        "interval_s": 1,
        "bridge_s": 0.5,
        "return_hold_s": 0,
        "grid": {"mains": {"driver": "pin"}},
    },
    "mode": {"wlan_pause_s": 0},
}


def live(folder: Path, say: int) -> None:
    """Decide until killed; say so after the first word."""
    evening = Evening(folder, **FAST)
    expected = posture_of(newest(folder))
    assert evening.wanted() == [expected], f"{evening.wanted()} at the start, not {expected}"
    os.write(say, b"!")
    while True:
        for word in ("lost", "present"):
            evening.source.word = word
            for _ in range(2):
                evening.clock.advance(2)
                evening.powering.step()


def newest(folder: Path) -> Transition | None:
    with StoreReader(str(folder / "kiezbox.db")) as reader:
        found = reader.transitions("mode")
    return found[0] if found else None


def posture_of(transition: Transition | None) -> str:
    return str(usual(Mode(transition.after) if transition else Mode.NORMAL))


def one_life(folder: Path, dice: random.Random) -> bool:
    """Whether it lived long enough to say a word."""
    ear, mouth = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(ear)
        try:
            live(folder, mouth)
        finally:
            os._exit(1)
    os.close(mouth)
    if dice.random() < 0.8:
        select.select([ear], [], [], FIRST_WORD_S)
    time.sleep(dice.random() * LIFE_S)
    os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    said = os.read(ear, 1)
    os.close(ear)
    assert os.WIFSIGNALED(status), f"the node died by itself: {status}"
    return bool(said)


def look(folder: Path) -> str:
    """What is wanted after a life: what the newest transition says, or the one before it."""
    names = os.listdir(folder / "run" / "wanted")
    assert len(names) == 1, names
    last = newest(folder)
    allowed = {posture_of(last)}
    if last is not None and last.carried_out_at is None:
        allowed.add(str(usual(Mode(last.before))))
    assert names[0] in allowed, f"{names[0]} is wanted, but the store says {last}"
    return names[0]


def main(folder: Path, rounds: int) -> None:
    dice = random.Random(rounds)
    Evening(folder, **FAST).stop()
    lives = transitions = 0
    seen: dict[str, int] = {}
    for _ in range(rounds):
        lives += one_life(folder, dice)
        word = look(folder)
        seen[word] = seen.get(word, 0) + 1
    with StoreReader(str(folder / "kiezbox.db")) as reader:
        transitions = len(reader.transitions("mode", limit=10**6))
    print(lives, transitions, seen.get("closed", 0), seen.get("emergency", 0))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
