"""The benchmarks judge as they say: who is missing never passes, and speed is a ratio."""

from __future__ import annotations

import sys
import threading
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).resolve().parents[2]))

from benchmarks import __main__ as command
from benchmarks.lib import contest
from benchmarks.lib.broker import Receiver, broker
from benchmarks.lib.contest import Goal, Options, Outcome, Skipped
from benchmarks.lib.proc import cpu_s

TWICE = Goal("x1", "race", "laps", "laps", peer="hare", at_least=2)


def outcome(**runs: list[float]) -> Outcome:
    return Outcome("race", "", {who: [{"laps": n} for n in laps] for who, laps in runs.items()})


@pytest.mark.parametrize(
    ("ours", "word"), [([10, 20, 90], "PASS"), ([9, 20, 19], "MISS"), ([20, 20, 20], "PASS")]
)
def test_a_goal_is_judged_by_the_ratio_of_medians(ours: list[float], word: str) -> None:
    assert TWICE.judge(outcome(kiezbox=ours, hare=[10, 10, 10])).word == word


def test_a_missing_peer_is_skipped_and_never_passes() -> None:
    race = outcome(kiezbox=[1000])
    race.skipped["hare"] = "no hare here"

    verdict = TWICE.judge(race)

    assert (verdict.word, verdict.reason) == ("SKIPPED", "hare: no hare here")


def test_the_gate_does_not_open_for_a_skipped_peer(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    race = outcome(kiezbox=[1000])
    monkeypatch.setattr(contest, "goals", lambda: [TWICE])
    monkeypatch.setattr(command, "_measure", lambda name, arguments: race)

    code = command.main(["run", "drain", "--gate"])

    assert code == 1
    assert "SKIPPED" in capsys.readouterr().out


def test_a_contestant_that_cannot_run_is_left_out_and_named() -> None:
    def missing() -> dict[str, float]:
        raise Skipped("not installed")

    race = Outcome("race", "")
    contest.interleave(race, {"kiezbox": lambda: {"laps": 1.0}, "hare": missing}, Options(3))

    assert race.skipped == {"hare": "not installed"}
    assert len(race.runs["kiezbox"]) == 3
    assert "hare" not in race.runs


def test_a_reference_that_halves_its_speed_makes_the_run_noisy() -> None:
    race = outcome(hare=[10, 21])
    race.reference = ("hare", "laps")

    assert race.is_noisy()


def test_every_goal_belongs_to_a_benchmark_there_is() -> None:
    assert {goal.benchmark for goal in contest.goals()} <= command.BENCHMARKS.keys()
    ids = {goal.id for goal in contest.goals()}
    assert ids >= {"a1", "a3", "a4", "a5", "e1", "e2", "e3", "r1"}


def test_a_processors_time_is_counted_to_the_end_of_a_thread() -> None:
    import os

    before = cpu_s(os.getpid())
    thread = threading.Thread(target=lambda: sum(range(2_000_000)))
    thread.start()
    thread.join(30)

    assert cpu_s(os.getpid()) - before > 0.005


@pytest.mark.broker
def test_the_receiver_takes_every_message_of_a_foreign_client_apart() -> None:
    from paho.mqtt import publish

    payloads = [b"x" * n for n in (0, 1, 110, 111, 127, 128, 20_000)]
    try:
        with broker() as port, Receiver(port, "race/#") as receiver:
            messages = [{"topic": f"race/{len(p)}", "payload": p, "qos": 1} for p in payloads]
            publish.multiple(messages, "127.0.0.1", port)
            receiver.settle()
            came = receiver.messages()
    except Skipped as reason:
        pytest.skip(str(reason))

    assert [(topic, payload) for _, topic, payload in came] == [
        (f"race/{len(payload)}", payload) for payload in payloads
    ]
