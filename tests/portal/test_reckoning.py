"""The process that reckons with Argon2: short-lived, bounded, with its secrets on a pipe alone."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from residents import Resident
from street import fresh, outage, portal, wait_for, write_facts

from kiezbox import sealing
from kiezbox.clock import SystemClock
from kiezbox.portal import reckoning
from kiezbox.portal.mailroom import MOST_SLOW
from kiezbox.portal.reckoning import reckoned
from kiezbox.store.log import Log

SECRET = "vier Dosen Birnen"

COMMAND = [sys.executable, "-m", "kiezbox.portal.reckoner"]


@contextmanager
def reckoner(task: dict[str, object] | None = None) -> Iterator[subprocess.Popen[bytes]]:
    """The process, with its task on a pipe that stays open."""
    process = subprocess.Popen(COMMAND, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdin is not None
    try:
        if task:
            process.stdin.write(json.dumps(task).encode() + b"\n")
            process.stdin.flush()
        yield process
    finally:
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            assert pipe is not None
            pipe.close()


def test_it_says_what_the_functions_say() -> None:
    found = reckoned("words", purpose="safe", words=["Hammer Wolke"])

    words = sealing.by_words("safe", "hammer wolke")
    assert found == {name: value.hex() for name, value in words._asdict().items()}


#: Runs a command with what comes on standard input, and says what it needed at most, in KiB
#: (getrusage(2)). A process of its own, because a child begins with its parent's peak.
MEASURE = """
import resource, subprocess, sys
child = subprocess.Popen(sys.argv[1:], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
child.stdin.write(sys.stdin.buffer.read())
child.stdin.flush()
assert child.wait() == 0
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""


def test_it_needs_19_mib_and_what_python_needs() -> None:
    """Its peak, less that of a process that only loads what it loads."""
    code = "import json, threading, signal, nacl.pwhash, nacl.public, nacl.secret;"
    code += " import kiezbox.sealing.tasks"
    task = json.dumps({"task": "words", "purpose": "safe", "words": [SECRET]})

    bare_kib, whole_kib = (
        int(subprocess.check_output([sys.executable, "-c", MEASURE, *command], input=given))
        for command, given in (
            ([sys.executable, "-c", code], b""),
            (COMMAND, task.encode() + b"\n"),
        )
    )

    assert 17 * 1024 < whole_kib - bare_kib < 20 * 1024
    assert whole_kib < 48 * 1024


def test_secrets_are_in_no_argument_and_no_environment() -> None:
    task = {"task": "check", "locked": sealing.lock(bytes(32), SECRET).hex(), "passphrase": SECRET}
    with reckoner() as process:
        assert process.stdin is not None and process.stdout is not None
        # It waits for its task now; everything it was started with is there to be read.
        seen = wait_for(lambda: Path(f"/proc/{process.pid}/cmdline").read_bytes(), "it has begun")
        seen += Path(f"/proc/{process.pid}/environ").read_bytes()
        process.stdin.write(json.dumps(task).encode() + b"\n")
        process.stdin.flush()
        answer = json.loads(process.stdout.read())

    assert "public" in answer
    assert b"reckoner" in seen
    assert SECRET.encode() not in seen and task["locked"].encode() not in seen


def test_it_goes_when_whoever_asked_is_gone() -> None:
    with reckoner() as process:
        assert process.stdin is not None
        process.stdin.close()
        assert process.wait(timeout=10) != 0


def test_it_goes_with_the_portal_in_the_middle_of_its_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stopped where it stands, so that the kill surely meets it at work."""
    write_facts(tmp_path / "run", fresh(outage()))
    path = str(tmp_path / "words" / "words.db")
    Log.open(path, SystemClock(), box="kb-musterplatz-1").close()
    with portal(tmp_path, "--secrets", str(tmp_path)) as served:
        resident = Resident(served.port)
        resident.open("/de/safe")
        sending = threading.Thread(target=_sent_in_vain, args=(resident,))
        sending.start()
        child = wait_for(lambda: _child_of(served.process.pid), "a process reckons")
        os.kill(child, signal.SIGSTOP)
        served.process.kill()
        served.process.wait()
        os.kill(child, signal.SIGCONT)
        sending.join()

        wait_for(lambda: not Path(f"/proc/{child}/cmdline").exists(), "it is gone, too", 10)


def _sent_in_vain(resident: Resident) -> None:
    try:
        resident.send("/de/safe", name="A.")
    except (OSError, ValueError, IndexError):
        return


def _child_of(parent: int) -> int:
    """The reckoner below this process; 0: there is none."""
    listed = Path(f"/proc/{parent}/task").glob("*/children")
    children = " ".join(path.read_text() for path in listed).split()
    for child in children:
        try:
            if b"reckoner" in Path(f"/proc/{child}/cmdline").read_bytes():
                return int(child)
        except OSError:
            continue
    return 0


def test_one_that_hangs_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reckoning, "MOST_S", 0.3)
    started: list[int] = []
    popen = subprocess.Popen

    def hanging(*arguments: object, **options: object) -> subprocess.Popen[bytes]:
        code = "import time; time.sleep(60)"
        process = popen([sys.executable, "-c", code], **options)  # type: ignore[call-overload]
        started.append(process.pid)
        return process  # type: ignore[no-any-return]

    monkeypatch.setattr(subprocess, "Popen", hanging)
    with pytest.raises(TimeoutError):
        reckoned("words", purpose="safe", words=["x"])

    assert not Path(f"/proc/{started[0]}").exists()


def test_a_crowd_is_turned_away_and_never_reckoned_for_two_at_once(tmp_path: Path) -> None:
    write_facts(tmp_path / "run", fresh(outage()))
    path = str(tmp_path / "words" / "words.db")
    Log.open(path, SystemClock(), box="kb-musterplatz-1").close()
    with portal(tmp_path, "--secrets", str(tmp_path)) as served:
        residents = [
            Resident(served.port, address=f"127.0.5.{n + 2}") for n in range(MOST_SLOW * 2)
        ]
        for each in residents:
            each.open("/de/safe")
        threads = [
            threading.Thread(target=each.send, args=("/de/safe",), kwargs={"name": "A."})
            for each in residents
        ]
        for thread in threads:
            thread.start()
        most = 0
        while any(thread.is_alive() for thread in threads):
            most = max(most, _children_of(served.process.pid))
        statuses = [each.page.status for each in residents]

    # 504: a machine with much else to do reckoned for others meanwhile.
    assert {200, 503} <= set(statuses) <= {200, 503, 504}
    assert most == 1


def _children_of(parent: int) -> int:
    count = 0
    for path in Path(f"/proc/{parent}/task").glob("*/children"):
        try:
            count += len(path.read_text().split())
        except OSError:
            continue
    return count
