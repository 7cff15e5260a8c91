"""Workers end with their task, come back after it, and never take the others with them."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator

import pytest

from kiezbox.clock import SystemClock
from kiezbox.node import worker as worker_module
from kiezbox.node.worker import Supervisor, Worker

LIMIT_S = 10.0


class Counting:
    """A task that counts its steps and does what it is told in each."""

    def __init__(self, act: Callable[[int], None], pause_s: float = 0.001) -> None:
        self.steps = 0
        self.closed = 0
        self._act = act
        self._pause_s = pause_s

    def step(self) -> float:
        self.steps += 1
        self._act(self.steps)
        return self._pause_s

    def interrupt(self) -> None:
        pass

    def close(self) -> None:
        self.closed += 1


@pytest.fixture
def supervise(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Supervisor]]:
    """Start a supervisor over workers; everything has ended after the test."""
    monkeypatch.setattr(worker_module, "RESTART_PAUSES_S", (0.01, 0.02))
    started: list[Supervisor] = []

    def start(*workers: Worker) -> Supervisor:
        supervisor = Supervisor(list(workers))
        supervisor.start()
        started.append(supervisor)
        return supervisor

    yield start
    for supervisor in started:
        assert supervisor.end(LIMIT_S) == []


def look_until(supervisor: Supervisor, is_reached: Callable[[], bool]) -> None:
    """Let the supervisor do its rounds until something is so."""
    limit = time.monotonic() + LIMIT_S
    while not is_reached():
        assert time.monotonic() < limit, "not reached in time"
        supervisor.look_after(0.01)


def worker_of(task: Counting, name: str = "work", **options: object) -> Worker:
    return Worker(name, lambda counts: task, SystemClock(), **options)  # type: ignore[arg-type]


def test_a_worker_steps_until_it_is_told_to_stop_and_then_closes_its_task(
    supervise: Callable[..., Supervisor],
) -> None:
    task = Counting(lambda n: None)
    supervisor = supervise(worker_of(task))

    look_until(supervisor, lambda: task.steps > 5)
    late = supervisor.end(LIMIT_S)

    assert late == []
    assert task.closed == 1


def test_a_worker_that_dies_is_started_again_and_says_so(
    supervise: Callable[..., Supervisor],
) -> None:
    said: list[str] = []

    def die_twice(step: int) -> None:
        if step <= 2:
            raise RuntimeError("the moon is wrong")

    task = Counting(die_twice)
    worker = worker_of(task, on_trouble=lambda kind, message: said.append(kind))
    supervisor = supervise(worker)

    look_until(supervisor, lambda: task.steps > 4)

    assert said == ["crashed", "crashed"]
    assert supervisor.fatal is None


def test_one_worker_dying_again_and_again_leaves_the_others_alone(
    supervise: Callable[..., Supervisor],
) -> None:
    def die(step: int) -> None:
        raise RuntimeError("always")

    dying, healthy = Counting(die), Counting(lambda n: None)
    supervisor = supervise(worker_of(dying, "dying"), worker_of(healthy, "healthy"))

    look_until(supervisor, lambda: dying.steps > 3 and healthy.steps > 20)

    assert supervisor.fatal is None


def test_a_vital_worker_that_dies_takes_the_process_down(
    supervise: Callable[..., Supervisor],
) -> None:
    def die(step: int) -> None:
        raise RuntimeError("no card")

    supervisor = supervise(worker_of(Counting(die), "store", is_vital=True))

    look_until(supervisor, lambda: supervisor.fatal is not None)

    assert supervisor.is_stopping
    assert "store" in (supervisor.fatal or "")


def test_a_vital_worker_that_hangs_takes_the_process_down(
    supervise: Callable[..., Supervisor],
) -> None:
    release = threading.Event()
    task = Counting(lambda n: release.wait(LIMIT_S) and None)
    supervisor = supervise(worker_of(task, "power", is_vital=True, step_limit_s=0.05))

    look_until(supervisor, lambda: supervisor.fatal is not None)
    release.set()

    assert "stuck" in (supervisor.fatal or "")


def test_a_hung_sensor_is_given_up_opened_anew_and_its_late_answer_thrown_away(
    supervise: Callable[..., Supervisor],
) -> None:
    release = threading.Event()
    results: list[str] = []
    said: list[str] = []

    class Reading:
        def __init__(self, counts: Callable[[], bool]) -> None:
            self.counts = counts
            made.append(self)
            self.is_first = len(made) == 1

        def step(self) -> float:
            if self.is_first:
                release.wait(LIMIT_S)
            if self.counts():
                results.append("late" if self.is_first else "fresh")
            return 0.001

        def interrupt(self) -> None:
            pass

        def close(self) -> None:
            closed.append(self)

    made: list[Reading] = []
    closed: list[Reading] = []
    worker = Worker(
        "sensors.roof",
        Reading,
        SystemClock(),
        step_limit_s=0.05,
        on_trouble=lambda kind, message: said.append(kind),
    )
    supervisor = supervise(worker)
    look_until(supervisor, lambda: "fresh" in results)

    release.set()
    look_until(supervisor, lambda: bool(closed) and closed[0] is made[0])

    assert said == ["stuck"]
    assert "late" not in results


def test_a_nudge_ends_a_pause_at_once(supervise: Callable[..., Supervisor]) -> None:
    task = Counting(lambda n: None, pause_s=3600.0)
    worker = worker_of(task)
    supervisor = supervise(worker)
    look_until(supervisor, lambda: task.steps == 1)

    worker.nudge()

    look_until(supervisor, lambda: task.steps == 2)
