"""Hostile bytes for every parser: `python -m tests.fuzz.run --inputs 1000000`.

A target is a file ``target_NAME.py`` beside this one with ``one(data: bytes) -> None``: it
returns for any bytes, or a defect is found. It may have ``SEEDS``, good inputs to start from
(a list, or a function that returns one), and ``SLOW``, the factor by which it gets fewer inputs.

Inputs are seeds that were flipped, cut, repeated, spliced and overwritten, a tenth of them plain
noise. What crashes or takes longer than a second is printed with its bytes, and ends the run with
1. The same ``--seed`` gives the same inputs.
"""

from __future__ import annotations

import argparse
import importlib
import random
import signal
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType, ModuleType
from typing import NoReturn

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

#: Longest time of the processor for one input (a busy machine is no defect). The slowest honest
#: one takes a hundredth of that.
LIMIT_S = 1.0

#: Longest input, in bytes.
MOST = 4096

#: Bytes that parsers tend to stumble over.
ODD = b"\x00\x01\x7f\x80\xff\n\r \"'{}[]:;,\\/%$#=-0\xaa\xab"


class TookTooLong(BaseException):
    """Not an Exception: a target that swallows those must not swallow this."""


def names() -> list[str]:
    """The targets there are."""
    return sorted(path.stem.removeprefix("target_") for path in HERE.glob("target_*.py"))


def load(name: str) -> ModuleType:
    return importlib.import_module(f"target_{name}")


def seeds_of(target: ModuleType) -> list[bytes]:
    seeds = getattr(target, "SEEDS", [])
    return list(seeds() if callable(seeds) else seeds) or [b""]


def inputs(seeds: list[bytes], count: int, seed: int) -> Iterator[bytes]:
    """The seeds themselves, then so many others."""
    yield from seeds
    dice = random.Random(seed)
    for _ in range(count - len(seeds)):
        if dice.random() < 0.1:
            yield dice.randbytes(dice.choice((0, 1, 2, 8, 32, 256)))
            continue
        data = bytearray(dice.choice(seeds))
        for _ in range(dice.choice((1, 1, 1, 2, 3, 8))):
            dice.choice(MUTATIONS)(data, seeds, dice)
        yield bytes(data[:MOST])


Mutation = Callable[[bytearray, list[bytes], random.Random], None]


def _flip(data: bytearray, seeds: list[bytes], dice: random.Random) -> None:
    if data:
        data[dice.randrange(len(data))] ^= 1 << dice.randrange(8)


def _overwrite(data: bytearray, seeds: list[bytes], dice: random.Random) -> None:
    if data:
        data[dice.randrange(len(data))] = dice.choice(ODD)


def _insert(data: bytearray, seeds: list[bytes], dice: random.Random) -> None:
    at = dice.randrange(len(data) + 1)
    data[at:at] = bytes((dice.choice(ODD),)) * dice.choice((1, 1, 2, 16))


def _cut(data: bytearray, seeds: list[bytes], dice: random.Random) -> None:
    start = dice.randrange(len(data) + 1)
    del data[start : start + dice.choice((1, 2, 8, len(data)))]


def _repeat(data: bytearray, seeds: list[bytes], dice: random.Random) -> None:
    start = dice.randrange(len(data) + 1)
    data[start:start] = data[start : start + dice.randrange(1, 33)] * dice.choice((1, 2, 20))


def _splice(data: bytearray, seeds: list[bytes], dice: random.Random) -> None:
    other = dice.choice(seeds)
    data[dice.randrange(len(data) + 1) :] = other[dice.randrange(len(other) + 1) :]


MUTATIONS: tuple[Mutation, ...] = (_flip, _overwrite, _insert, _cut, _repeat, _splice)


def fuzz(target: ModuleType, count: int, seed: int = 1) -> tuple[int, float]:
    """Give the target so many inputs; how many it got, and the slowest one's seconds.

    Raises:
        Defect: an input that crashed it or took too long.
    """
    slowest, done = 0.0, 0
    before = signal.signal(signal.SIGPROF, _too_long)
    try:
        for data in inputs(seeds_of(target), count, seed):
            began = time.process_time()
            signal.setitimer(signal.ITIMER_PROF, LIMIT_S)
            try:
                target.one(data)
            except (Exception, TookTooLong) as error:
                raise Defect(data) from error
            finally:
                signal.setitimer(signal.ITIMER_PROF, 0)
            slowest = max(slowest, time.process_time() - began)
            done += 1
    finally:
        signal.signal(signal.SIGPROF, before)
    return done, slowest


class Defect(Exception):
    """A target did not stand an input; the reason is the cause."""

    def __init__(self, data: bytes) -> None:
        super().__init__(f"input of {len(data)} bytes: bytes.fromhex({data.hex()!r})")


def _too_long(number: int, frame: FrameType | None) -> NoReturn:
    raise TookTooLong(f"longer than {LIMIT_S:g} s")


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--inputs", type=int, default=1_000_000, help="for each target")
    parser.add_argument("--target", choices=names(), help="only this one")
    parser.add_argument("--seed", type=int, default=int(time.time()), help="default: the time")
    arguments = parser.parse_args(argv)
    found = 0
    print(f"seed {arguments.seed}")
    for name in [arguments.target] if arguments.target else names():
        target = load(name)
        count = max(1, arguments.inputs // getattr(target, "SLOW", 1))
        began = time.monotonic()
        try:
            done, slowest = fuzz(target, count, arguments.seed)
        except Defect as defect:
            found += 1
            print(f"{name:20} DEFECT, {defect}")
            traceback.print_exception(defect.__cause__)
            continue
        took = time.monotonic() - began
        print(
            f"{name:20} {done:>9,} inputs in {took:6.1f} s, {done / took:>7,.0f}/s,"
            f" slowest {slowest * 1000:.1f} ms",
            flush=True,
        )
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
