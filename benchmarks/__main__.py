"""``python -m benchmarks run [NAME …] [--rounds N] [--quick | --long] [--json FILE] [--gate]``"""

from __future__ import annotations

import argparse
import importlib
import os
import re
import sys
import time
from pathlib import Path

from benchmarks.lib.contest import (
    ROOT,
    Options,
    Outcome,
    Skipped,
    Verdict,
    as_json,
    judge,
    machine,
    say,
    table,
)

#: In the order of running; each is a file in contests/. Rounds: normal, quick.
BENCHMARKS = {
    "drain": (5, 1),
    "sd": (3, 1),
    "archive": (3, 1),
    "start": (9, 3),
    "edge": (3, 1),
    "failover": (3, 1),
    "portal": (5, 1),
    "probes": (5, 1),
    "board": (5, 1),
    "pages": (1, 1),
    "letters": (5, 1),
    "rest": (3, 1),
    "senses": (1, 1),
    "flaps": (1, 1),
    "cuts": (1, 1),
    "lora": (1, 1),
    "letters_on_air": (1, 1),
    "sync": (1, 1),
}


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    verbs = parser.add_subparsers(dest="verb", required=True)
    run = verbs.add_parser("run", help="measure, and judge the goals")
    run.add_argument("names", nargs="*", default=["all"], choices=["all", *BENCHMARKS])
    run.add_argument("--rounds", type=int, help="how often each contestant runs")
    speed = run.add_mutually_exclusive_group()
    speed.add_argument(
        "--quick", action="store_true", help="90 s; only figures that hold on any machine"
    )
    speed.add_argument(
        "--long", action="store_true", help="about an hour: 10,000 cuts, 1,000 flaps, real time"
    )
    run.add_argument("--seed", type=int, default=1)
    run.add_argument("--json", type=Path, help="also write the figures here")
    run.add_argument("--save", action="store_true", help="write them to benchmarks/results/")
    run.add_argument("--gate", action="store_true", help="exit with 1 if a goal is missed")
    arguments = parser.parse_args(argv)

    names = list(BENCHMARKS) if "all" in arguments.names else arguments.names
    sys.path.append(str(ROOT / "tests"))  # the foreign SenML resolver, the power-cut bed
    about = machine()
    outcomes = [_measure(name, arguments) for name in names]
    verdicts = judge(outcomes, is_quick=arguments.quick)
    _print(outcomes, verdicts)
    about["load_after"] = os.getloadavg()[0]
    document = as_json(outcomes, verdicts, about)
    for path in _destinations(arguments, about):
        path.write_text(document + "\n", encoding="utf-8")
        say(f"figures in {path}")
    missed = [verdict for verdict in verdicts if verdict.word != "PASS"]
    return 1 if arguments.gate and missed else 0


def _measure(name: str, arguments: argparse.Namespace) -> Outcome:
    normal, quick = BENCHMARKS[name]
    rounds = arguments.rounds or (quick if arguments.quick else normal)
    options = Options(rounds, arguments.quick, arguments.long, arguments.seed)
    begun = time.monotonic()
    try:
        outcome: Outcome = importlib.import_module(f"benchmarks.contests.{name}").measure(options)
    except Skipped as reason:
        outcome = Outcome(name, "", skipped={"kiezbox": str(reason)})
    outcome.notes.append(f"took {time.monotonic() - begun:.0f} s, {rounds} rounds")
    return outcome


def _print(outcomes: list[Outcome], verdicts: list[Verdict]) -> None:
    for outcome in outcomes:
        print("\n".join(table(outcome)), end="\n\n")
    print("\n".join(map(str, verdicts)))


def _destinations(arguments: argparse.Namespace, about: dict[str, object]) -> list[Path]:
    found = [arguments.json] if arguments.json else []
    if arguments.save:
        cpu = re.sub(r"[^a-z0-9]+", "-", str(about["cpu"]).lower()).strip("-")[:40]
        found.append(ROOT / "benchmarks" / "results" / f"{str(about['at'])[:10]}-{cpu}.json")
    return found


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
