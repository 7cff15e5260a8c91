"""The demo's children: real processes that die with it and are started again when they die."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType

from kiezbox.errors import KiezboxError

HERE = Path(__file__).resolve().parent

#: As systemd's RestartSec in systemd/kiezbox-node.service.
RESTART_S = 1.0

#: What a child may take to end by itself; together with the rest, Ctrl-C takes less than 3 s.
END_S = 2.0


class Folder:
    """A folder of the demo's own, mode 0700, in memory where there is one; removed at the end.

    A small process, the janitor, removes it, because the demo itself may be killed.
    """

    def __init__(self) -> None:
        parent = os.environ.get("XDG_RUNTIME_DIR", "")
        if not (os.path.isdir(parent) and os.access(parent, os.W_OK)):
            parent = tempfile.gettempdir()
        self.path = Path(tempfile.mkdtemp(prefix="kiezbox-demo-", dir=parent))
        self._janitor = subprocess.Popen(
            [sys.executable, "-I", "-S", str(HERE / "janitor.py"), str(self.path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            start_new_session=True,
        )

    def close(self) -> None:
        """Remove the folder and all in it. Idempotent."""
        assert self._janitor.stdin is not None
        if not self._janitor.stdin.closed:
            self._janitor.stdin.close()
            self._janitor.wait(timeout=10)


class Child:
    """One process. Only the main thread starts and looks after it; ``kill`` is for anyone.

    That is not a matter of taste: the kernel sends the death signal when the *thread* ends that
    started the child, and the main thread is the last to go.
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        *,
        folder: Path,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.name = name
        self.log = folder / f"{name}.log"
        #: How often it died and was started again.
        self.restarts = 0
        #: How it ended the last time, as a sentence; empty while it never did.
        self.last_end = ""
        self._command = command
        self._folder = folder
        self._environment = {**os.environ, **(environment or {})}
        self._process: subprocess.Popen[bytes] | None = None
        self._restart_at = 0.0

    @property
    def pid(self) -> int | None:
        """The process, or None while there is none."""
        process = self._process
        return process.pid if process is not None and process.returncode is None else None

    def start(self) -> None:
        """Start it in a session of its own: Ctrl-C at the terminal reaches the demo only."""
        leash = [sys.executable, "-I", "-S", str(HERE / "leash.py"), str(os.getpid())]
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [*leash, *self._command],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self._folder,
                env=self._environment,
                start_new_session=True,
            )

    def look_after(self) -> bool:
        """Start it again if it died; True if it died just now."""
        if self._process is None:
            if time.monotonic() >= self._restart_at:
                self.restarts += 1
                self.start()
            return False
        code = self._process.poll()
        if code is None:
            return False
        self.last_end = _ending(code)
        self._process = None
        self._restart_at = time.monotonic() + RESTART_S
        return True

    def kill(self) -> None:
        """kill -9."""
        process = self._process
        if process is not None:
            # Popen.send_signal looks first, so that a pid given away again is never hit.
            process.send_signal(signal.SIGKILL)

    def ask_to_end(self) -> None:
        """SIGTERM, as systemd does."""
        if self._process is not None:
            self._process.terminate()

    def end(self, until: float) -> None:
        """Wait until that moment (``time.monotonic()``), then kill. Idempotent."""
        process, self._process = self._process, None
        if process is None:
            return
        try:
            process.wait(timeout=max(0.0, until - time.monotonic()))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def complaint(self) -> KiezboxError:
        """What to say when it does not come up: its own last words."""
        try:
            words = self.log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        except OSError:
            words = []
        said = "\n".join(words[-4:]) or "It said nothing."
        return KiezboxError(f"demo: {self.name} does not come up ({self.last_end})", hint=said)


class Children:
    """All of them; a context manager that leaves none behind."""

    def __init__(self) -> None:
        self._all: list[Child] = []

    def __enter__(self) -> Children:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.end()

    def start(self, child: Child) -> Child:
        """Start it, and look after it from now on."""
        self._all.append(child)
        child.start()
        return child

    def look_after(self) -> list[Child]:
        """See to every child once; those that died just now."""
        return [child for child in self._all if child.look_after()]

    def end(self) -> None:
        """End them all together, last started first asked. Idempotent."""
        for child in reversed(self._all):
            child.ask_to_end()
        until = time.monotonic() + END_S
        for child in reversed(self._all):
            child.end(until)


def _ending(code: int) -> str:
    if code >= 0:
        return f"ended with code {code}"
    try:
        return f"was ended by {signal.Signals(-code).name}"
    except ValueError:
        return f"was ended by signal {-code}"
