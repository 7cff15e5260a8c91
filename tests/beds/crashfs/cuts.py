"""Cut the power of many boxes many times, and count what is lost.

    python -m beds.crashfs.cuts [--cuts 500] [--seed 1] [--json]      (from tests/, as root)
    python -m beds.crashfs.cuts --seed 1 --box 17 --keep DIR          one box again, step by step

A box lives several lives on one disk: it is created, cut, comes up on what survived, shows what
it has, goes on, is cut again. About a third of the cuts fall into the start itself: creation,
recovery, migration, the first rollback journal. Seed and box number decide everything, so a
failure is a seed.

The controls run the same harness where it must find losses: ``normal`` (every SQLite commit with
synchronous=NORMAL), ``eatmydata`` (libeatmydata.so swallows every fsync of the process) and
``lies`` (the disk itself swallows them).
"""

from __future__ import annotations

import argparse
import ctypes.util
import importlib
import json
import os
import pickle
import random
import signal
import subprocess
import sys
import time
import traceback
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from beds.crashfs.ledger import Ledger
from beds.crashfs.mount import Bed, Unavailable

#: Lives of one box, on the average; the last is only looked at.
LIVES = 6
#: Steps after which a life that was not cut is ended by SIGKILL: a cut at rest.
STEPS = 40
#: No life takes so long; one that does, hangs.
LIFE_LIMIT_S = 30
#: No share takes so long: 10,000 cuts take 100 s on two cores, and a loaded machine ten times that.
WORKER_LIMIT_S = 3600
#: Why nothing was measured; ``make test`` skips then.
EXIT_UNAVAILABLE = 77

#: Who lives: the module and class, and what the name of its journal ends with.
KINDS_OF_LIFE = {
    "store": ("beds.crashfs.life", "Life", ".journal"),
    "words": ("beds.crashfs.words_life", "WordsLife", "-wal"),
}
#: Which of them: in the environment, so that the workers know it too.
LIFE = "KIEZBOX_LIFE"

EATMYDATA = "libeatmydata.so"
CONTROLS = ("normal", "eatmydata", "lies")


@dataclass(slots=True)
class Tally:
    """What came out. ``losses`` counts boxes' lives in which something confirmed was gone."""

    cuts: int = 0
    cuts_while_opening: int = 0
    lives: int = 0
    losses: int = 0
    broken: int = 0
    confirmed: int = 0
    problems: list[str] = field(default_factory=list)

    def add(self, other: Tally | dict[str, Any]) -> None:
        values = (
            other if isinstance(other, dict) else {n: getattr(other, n) for n in Tally.__slots__}
        )
        for name in Tally.__slots__:
            setattr(self, name, getattr(self, name) + values[name])


@dataclass(slots=True)
class Ending:
    """How a life ended."""

    messages: list[tuple[Any, ...]]
    was_killed: bool
    status: int
    operations: int


@dataclass(frozen=True, slots=True)
class Plan:
    """One life: what the box does (``seed``), how long, and when it is cut."""

    seed: int
    steps: int = STEPS
    cut_at: int | None = None
    on: str = ""
    after: bool = False


def run_life(bed: Bed, number: str, plan: Plan, *, normal: bool = False) -> Ending:
    """Fork a process that lives on the volume, and listen to it until it is dead."""
    ours, theirs = os.pipe()
    go, ready = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(ours)
        os.close(ready)
        bed.forget_socket()
        _be_the_box(f"{bed.path}/{number}", plan, theirs, go, normal=normal)
    os.close(theirs)
    os.close(go)
    bed.arm(number, pid, plan.cut_at, on=plan.on, after=plan.after)
    os.write(ready, b"g")
    os.close(ready)
    messages = []
    with os.fdopen(ours, "rb") as pipe:
        while (message := _hear(pipe)) is not None:
            messages.append(message)
    _, status = os.waitpid(pid, 0)
    return Ending(messages, os.WIFSIGNALED(status), status, bed.operations(number))


def _hear(pipe: BinaryIO) -> tuple[Any, ...] | None:
    try:
        message: tuple[Any, ...] = pickle.load(pipe)
        return message
    except (EOFError, pickle.UnpicklingError):
        return None


def _be_the_box(folder: str, plan: Plan, pipe: int, go: int, *, normal: bool) -> None:
    """The child's process: never returns."""

    def say(*message: Any) -> None:
        os.write(pipe, pickle.dumps(message))

    try:
        signal.alarm(LIFE_LIMIT_S)
        os.read(go, 1)
        if normal:
            _weaken_sqlite()
        life = _kind_of_life()(Path(folder), plan.seed, say)
        say("up")
        for _ in range(plan.steps):
            life.step()
    except BaseException:
        say("wrong", traceback.format_exc())
        os._exit(1)
    os.kill(os.getpid(), signal.SIGKILL)


def _kind_of_life() -> Any:
    module, name, _ = KINDS_OF_LIFE[os.environ.get(LIFE, "store")]
    return getattr(importlib.import_module(module), name)


def _weaken_sqlite() -> None:
    """The control: whatever durability the store asks SQLite for, it gets NORMAL."""
    import re
    import sqlite3

    asks = re.compile(r"(?i)(synchronous\s*=\s*)(\w+)")

    class Weak(sqlite3.Connection):
        def execute(self, sql: str, *rest: Any) -> sqlite3.Cursor:
            return super().execute(asks.sub(r"\1NORMAL", sql), *rest)

        def executescript(self, sql: str) -> sqlite3.Cursor:
            return super().executescript(asks.sub(r"\1NORMAL", sql))

    connect = sqlite3.connect
    sqlite3.connect = lambda *a, **k: connect(*a, **{"factory": Weak} | k)  # type: ignore


class Bench:
    """A mounted bed, and how long a start takes on it."""

    def __init__(self, bed: Bed, *, normal: bool = False, lies: bool = False) -> None:
        self.bed = bed
        self.normal = normal
        self.lies = lies
        self.journal = KINDS_OF_LIFE[os.environ.get(LIFE, "store")][2]
        #: Operations of a first start, and of one after a cut: measured, so that cuts meet them.
        number = bed.new_volume()
        self.birth = run_life(bed, number, Plan(1, steps=0)).operations
        number = bed.survivor(number, 1)
        run_life(bed, number, Plan(2))
        number = bed.survivor(number, 1)
        self.start = run_life(bed, number, Plan(3, steps=0)).operations
        bed.drop(number)

    def plan(self, rng: random.Random, *, is_first: bool) -> Plan:
        """Draw the next cut: a third while opening, a third in the journal, a third anywhere."""
        length = self.birth if is_first else self.start
        kind = rng.choice(("opening", "journal", "anywhere"))
        cut_at, on = {
            "opening": (rng.randint(1, length), ""),
            # Counted by themselves: there is one operation on the journal for ten of SQLite's.
            "journal": (1 + int(rng.expovariate(1 / 5)), self.journal),
            "anywhere": (length + 1 + int(rng.expovariate(1 / 40)), ""),
        }[kind]
        return Plan(rng.getrandbits(32), cut_at=cut_at, on=on, after=rng.random() < 0.3)

    def box(self, seed: int, box: int, *, keep: Path | None = None) -> Tally:
        """All lives of one box; the last is not cut, but only looked at."""
        rng = random.Random(f"{seed}/{box}")
        tally = Tally()
        ledger = Ledger()
        number = self.bed.new_volume(lies=self.lies)
        lives = rng.randint(LIVES - 2, LIVES + 2)
        for life in range(lives + 1):
            plan = self.plan(rng, is_first=life == 0) if life < lives else Plan(life, steps=0)
            if keep:
                _dump(self.bed.contents(number), keep / f"life-{life}")
            ending = run_life(self.bed, number, plan, normal=self.normal)
            tally.lives += 1
            if plan.cut_at:
                tally.cuts += 1
                tally.cuts_while_opening += ("up",) not in ending.messages
            wrong = _believe(ledger, ending, tally)
            if wrong:
                where = f"--seed {seed} --box {box}, life {life}, {plan}"
                tally.problems += [f"{where}: {problem}" for problem in wrong]
                break
            number = self.bed.survivor(number, rng.getrandbits(32))
        self.bed.drop(number)
        return tally


def _believe(ledger: Ledger, ending: Ending, tally: Tally) -> list[str]:
    """Enter what a life said into the ledger; returns what is wrong."""
    wrong: list[str] = []
    lost = 0
    for verb, *rest in ending.messages:
        if verb == "up":
            continue
        if verb == "wrong":
            wrong.append(rest[0])
            tally.broken += 1
            continue
        tally.confirmed += verb == "did"
        more = getattr(ledger, verb)(*rest)
        lost += len(more)
        wrong += more
    if ending.was_killed and os.WTERMSIG(ending.status) == signal.SIGALRM:
        wrong.append(f"the box hung for {LIFE_LIMIT_S} s")
        tally.broken += 1
    tally.losses += lost > 0
    return wrong


def _dump(contents: dict[str, bytes], folder: Path) -> None:
    for path, content in contents.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)


# --- the processes that do it ------------------------------------------------------------------


def work(cuts: int, seed: int, first: int, step: int, control: str) -> Tally:
    """One process' share: the boxes first, first + step, … until so many cuts were made."""
    total = Tally()
    with Bed() as bed:
        bench = Bench(bed, normal=control == "normal", lies=control == "lies")
        box = first
        while total.cuts < cuts:
            total.add(bench.box(seed, box))
            box += step
    return total


def measure(
    cuts: int, *, seed: int = 1, jobs: int = 2, control_cuts: int = 40, life: str = "store"
) -> dict[str, Any]:
    """Cut ``cuts`` times, ``jobs`` processes side by side, and the controls in the same run.

    Raises:
        Unavailable: no root, no /dev/fuse.
    """
    begun = time.monotonic()
    shares = [cuts // jobs + (n < cuts % jobs) for n in range(jobs)]
    workers = [_worker(share, seed, n, jobs, "", life) for n, share in enumerate(shares)]
    total = Tally()
    for worker in workers:
        total.add(_result(worker))
    controls = {}
    wanted = [name for name in CONTROLS if name != "eatmydata" or _eatmydata()]
    running = {name: _worker(control_cuts, seed, 0, 1, name, life) for name in wanted}
    for name, worker in running.items():
        tally = Tally()
        tally.add(_result(worker))
        controls[name] = {n: getattr(tally, n) for n in Tally.__slots__ if n != "problems"}
        controls[name]["example"] = tally.problems[:1]
    seconds = time.monotonic() - begun
    result = {name: getattr(total, name) for name in Tally.__slots__}
    return {
        **result,
        "seed": seed,
        "seconds": round(seconds, 1),
        "controls": controls,
        "controls_missing": [name for name in CONTROLS if name not in wanted],
    }


def _eatmydata() -> str | None:
    """The library's name if the loader finds it."""
    return EATMYDATA if ctypes.util.find_library("eatmydata") else None


def _worker(
    cuts: int, seed: int, first: int, step: int, control: str, life: str
) -> subprocess.Popen[str]:
    environment = {**os.environ, LIFE: life}
    environment["PYTHONPATH"] = str(Path(__file__).resolve().parents[2])
    if control == "eatmydata":
        environment["LD_PRELOAD"] = EATMYDATA
    numbers = [str(n) for n in (cuts, seed, first, step)]
    return subprocess.Popen(
        [sys.executable, "-m", "beds.crashfs.cuts", "--worker", *numbers, control],
        env=environment, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip


def _result(worker: subprocess.Popen[str]) -> dict[str, Any]:
    out, _ = worker.communicate(timeout=WORKER_LIMIT_S)
    if worker.returncode == EXIT_UNAVAILABLE:
        raise Unavailable(out.strip())
    if worker.returncode != 0:
        raise RuntimeError(f"a worker ended with {worker.returncode}: {out}")
    found: dict[str, Any] = json.loads(out)
    return found


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cuts", type=int, default=int(os.environ.get("KIEZBOX_CUTS", "500")))
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--box", type=int, help="only this box, in this process")
    parser.add_argument("--control", default="", choices=("", *CONTROLS), help="with --box")
    parser.add_argument("--keep", type=Path, help="with --box: write the disk before each life")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--life", choices=KINDS_OF_LIFE, default=os.environ.get(LIFE, "store"))
    parser.add_argument("--worker", nargs=5, help=argparse.SUPPRESS)
    arguments = parser.parse_args(argv)
    os.environ[LIFE] = arguments.life
    # Imported before the forks, so that no life pays for it; with sqlite-utils loaded, the store
    # makes its tables in the process that is cut.
    _kind_of_life()
    import sqlite_utils  # noqa: F401

    try:
        if arguments.worker:
            *numbers, control = arguments.worker
            tally = work(*map(int, numbers), control)
            print(json.dumps({name: getattr(tally, name) for name in Tally.__slots__}))
            return 0
        if arguments.box is not None:
            with Bed() as bed:
                bench = Bench(
                    bed, normal=arguments.control == "normal", lies=arguments.control == "lies"
                )
                tally = bench.box(arguments.seed, arguments.box, keep=arguments.keep)
            print("\n".join(tally.problems) or "nothing lost")
            return 1 if tally.problems else 0
        result = measure(
            arguments.cuts, seed=arguments.seed, jobs=arguments.jobs, life=arguments.life
        )
    except Unavailable as error:
        print(error)
        return EXIT_UNAVAILABLE
    if arguments.json:
        print(json.dumps(result, indent=1))
    else:
        print(report(result))
    blind = [name for name, control in result["controls"].items() if not control["losses"]]
    return 1 if result["problems"] or blind else 0


def report(result: dict[str, Any]) -> str:
    """The figures in a few lines."""
    lines = [
        f"{result['cuts']} cuts ({result['cuts_while_opening']} of them while opening),"
        f" {result['confirmed']} things confirmed: {result['losses']} losses,"
        f" {result['broken']} broken; {result['seconds']} s with the controls",
    ]
    for name, control in result["controls"].items():
        lines.append(
            f"control {name}: {control['cuts']} cuts, {control['losses']} losses,"
            f" {control['broken']} broken"
        )
    for name in result["controls_missing"]:
        lines.append(f"control {name}: SKIPPED, not installed")
    return "\n".join([*lines, *result["problems"][:20]])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
