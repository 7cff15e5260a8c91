"""The bed itself leaves nothing behind, however it ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from beds.netns.bed import LIMIT_S, Bed, wait_for

pytestmark = pytest.mark.bed

TESTS = Path(__file__).resolve().parent.parent.parent

#: A test run of its own, with a daemon in its bed, that waits to be ended.
#: A shell that runs the tests in the background lets its children ignore Ctrl-C.
VICTIM = """
import signal, sys, time
from pathlib import Path
signal.signal(signal.SIGINT, signal.default_int_handler)
from beds.netns.bed import Bed
with Bed(Path(sys.argv[1])) as bed:
    sleeper = bed.start("box", ["sleep", "1000"])
    print(bed.first_process, sleeper.pid, flush=True)
    time.sleep(1000)
"""


def mounts() -> str:
    return Path("/proc/self/mounts").read_text()


def is_there(pid: int) -> bool:
    """Alive: a dead process may wait to be buried by whoever inherits it."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False


def left_names() -> set[Path]:
    """What namespaces and their files are called on this machine, whoever left them."""
    return {path for folder in ("/run/netns", "/etc/netns") for path in Path(folder).glob("*")}


@pytest.mark.parametrize("word", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
def test_when_the_tests_are_ended_their_bed_ends_with_them(
    tmp_path: Path, word: signal.Signals
) -> None:
    before, names = mounts(), left_names()
    victim = subprocess.Popen(
        [sys.executable, "-c", VICTIM, str(tmp_path)],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(TESTS), str(TESTS.parent)])},
    )  # fmt: skip
    try:
        assert victim.stdout is not None
        line = victim.stdout.readline()
        if not line:
            Bed(tmp_path).close()  # says why there can be none
        first, sleeper = map(int, line.split())

        victim.send_signal(word)
        victim.wait(LIMIT_S)

        wait_for(lambda: not is_there(first) and not is_there(sleeper), "the bed's processes end")
    finally:
        victim.kill()
        victim.communicate(timeout=LIMIT_S)
    assert mounts() == before
    assert left_names() == names


def test_a_bed_that_fails_while_it_is_built_is_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    built: list[int] = []

    def fail(bed: Bed) -> None:
        built.append(bed.first_process)
        raise RuntimeError("half-way")

    monkeypatch.setattr(Bed, "_build", fail)
    with pytest.raises(RuntimeError):
        Bed(tmp_path)

    wait_for(lambda: not is_there(built[0]), "the first process ends")


def test_two_beds_do_not_meet(tmp_path: Path) -> None:
    with Bed(tmp_path) as here, Bed(tmp_path) as there:
        here.run("box", "ip link add only-here type bridge")

        shown = there.run("box", "ip -br link").stdout

    assert "only-here" not in shown
