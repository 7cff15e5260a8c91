"""Rounds: every contestant in every round, in shuffled order, judged by its goals."""

from __future__ import annotations

import json
import os
import platform
import random
import statistics
import sys
import time
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
BENCH = ROOT / ".bench"
KIEZBOX = "kiezbox"


class Skipped(Exception):
    """A contestant that cannot take part; the message says why. It never passes."""


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line asked for."""

    rounds: int
    is_quick: bool = False
    is_long: bool = False
    seed: int = 1


#: One run of one contestant: metric → figure.
Run = Mapping[str, float]


@dataclass(slots=True)
class Outcome:
    """What a benchmark has seen. ``runs`` holds one entry per round; nothing is averaged away."""

    name: str
    #: What was given to everybody, and what a figure means.
    setting: str
    runs: dict[str, list[Run]] = field(default_factory=dict)
    skipped: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    #: The contestant whose spread tells how noisy the machine was, and its metric.
    reference: tuple[str, str] | None = None

    def median(self, contestant: str, metric: str) -> float | None:
        values = [run[metric] for run in self.runs.get(contestant, []) if metric in run]
        return statistics.median(values) if values else None

    def is_noisy(self) -> bool:
        """The reference was more than twice as fast in one round as in another."""
        if self.reference is None:
            return False
        contestant, metric = self.reference
        values = [run[metric] for run in self.runs.get(contestant, []) if run.get(metric)]
        return len(values) > 1 and max(values) > 2 * min(values)


def interleave(
    outcome: Outcome, contestants: Mapping[str, Callable[[], Run]], options: Options
) -> None:
    """Run everybody ``rounds`` times. A contestant that is skipped once is out."""
    rng = random.Random(options.seed)
    for number in range(options.rounds):
        order = [name for name in contestants if name not in outcome.skipped]
        rng.shuffle(order)
        for name in order:
            say(f"{outcome.name}: round {number + 1} of {options.rounds}: {name} …")
            try:
                outcome.runs.setdefault(name, []).append(contestants[name]())
            except Skipped as reason:
                outcome.skipped[name] = str(reason)
                outcome.runs.pop(name, None)


def say(line: str) -> None:
    """Progress, for a person who waits."""
    print(line, file=sys.stderr, flush=True)


@dataclass(frozen=True, slots=True)
class Goal:
    """One line of goals.toml: our median against a limit, or against a peer's."""

    id: str
    benchmark: str
    metric: str
    help: str
    #: The peer we are compared with; empty: ``limit`` is absolute.
    peer: str = ""
    contestant: str = KIEZBOX
    at_least: float | None = None
    at_most: float | None = None
    #: Holds on any machine (bytes, counts): --quick judges it too.
    is_machine_independent: bool = False

    def judge(self, outcome: Outcome) -> Verdict:
        ours = outcome.median(self.contestant, self.metric)
        if ours is None:
            reason = outcome.skipped.get(self.contestant, "not measured in this run")
            return Verdict(self, "SKIPPED", None, reason)
        figure = ours
        if self.peer:
            theirs = outcome.median(self.peer, self.metric)
            if theirs is None:
                reason = outcome.skipped.get(self.peer, "not measured in this run")
                return Verdict(self, "SKIPPED", None, f"{self.peer}: {reason}")
            if theirs == 0:
                return Verdict(self, "SKIPPED", None, f"{self.peer} measured 0")
            figure = ours / theirs
        is_met = (self.at_least is None or figure >= self.at_least) and (
            self.at_most is None or figure <= self.at_most
        )
        return Verdict(self, "PASS" if is_met else "MISS", figure, "")


@dataclass(frozen=True, slots=True)
class Verdict:
    goal: Goal
    word: str
    figure: float | None
    reason: str

    def __str__(self) -> str:
        goal = self.goal
        wanted = f">= {goal.at_least:g}" if goal.at_least is not None else f"<= {goal.at_most:g}"
        of = f" x {goal.peer}" if goal.peer else ""
        seen = self.reason if self.figure is None else f"{self.figure:.4g}"
        return f"{self.word:8}{goal.id:4}{goal.help}: {seen} (goal {wanted}{of})"


def goals() -> list[Goal]:
    """All of goals.toml."""
    table = tomllib.loads((ROOT / "benchmarks" / "goals.toml").read_text(encoding="utf-8"))
    return [Goal(**entry) for entry in table["goal"]]


def judge(outcomes: Sequence[Outcome], *, is_quick: bool) -> list[Verdict]:
    """A verdict on every goal whose benchmark ran; in --quick, speed does not count."""
    by_name = {outcome.name: outcome for outcome in outcomes}
    return [
        goal.judge(by_name[goal.benchmark])
        for goal in goals()
        if goal.benchmark in by_name and (goal.is_machine_independent or not is_quick)
    ]


def machine() -> dict[str, Any]:
    """What it ran on; goes into the results."""
    cpu = "?"
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith(("model name", "Model")):
            cpu = line.partition(":")[2].strip()
            break
    return {
        "cpu": cpu,
        "cores": os.cpu_count(),
        "kernel": platform.release(),
        "python": platform.python_version(),
        "load_before": os.getloadavg()[0],
        "at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
    }


def table(outcome: Outcome) -> list[str]:
    """The figures for a person: median (min … max) of each metric of each contestant."""
    noisy = "  [noisy: the reference's rounds differ more than twofold]" * outcome.is_noisy()
    lines = [f"== {outcome.name}{noisy}", outcome.setting]
    for name, runs in outcome.runs.items():
        parts = []
        for metric in dict.fromkeys(metric for run in runs for metric in run):
            values = [run[metric] for run in runs if metric in run]
            spread = f" ({min(values):.4g} … {max(values):.4g})" if len(values) > 1 else ""
            parts.append(f"{metric} {statistics.median(values):.4g}{spread}")
        lines.append(f"  {name}: " + "; ".join(parts))
    lines += [f"  {name}: SKIPPED ({reason})" for name, reason in outcome.skipped.items()]
    return lines + [f"  {note}" for note in outcome.notes]


def as_json(outcomes: Sequence[Outcome], verdicts: Sequence[Verdict], about: Any) -> str:
    """One document per run; goes to benchmarks/results/."""
    return json.dumps(
        {
            "machine": about,
            "verdicts": [
                {"id": v.goal.id, "goal": v.goal.help, "word": v.word, "figure": v.figure,
                 "reason": v.reason}
                for v in verdicts
            ],
            "benchmarks": [
                {"name": o.name, "setting": o.setting, "noisy": o.is_noisy(), "runs": o.runs,
                 "skipped": o.skipped, "notes": o.notes}
                for o in outcomes
            ],
        },
        indent=1,
        ensure_ascii=False,
    )  # fmt: skip
