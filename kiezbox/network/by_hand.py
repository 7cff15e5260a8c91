"""Parts without systemd: in a network namespace, in a container, on a maker's desk.

What runs stands in ``{run_dir}/applied.json``, each daemon with its process id and the moment
the kernel started it, so that exactly these processes are ended and never a stranger who was
given the same number. The daemons' words go to ``{run_dir}/log/PART.log``.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import signal
import subprocess
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path

from kiezbox.errors import NetworkError
from kiezbox.network.parts import Part, fill
from kiezbox.posture import Posture

__all__ = ["ByHand", "Running"]

#: Commands that are done at once take so long at most.
COMMAND_S = 30.0
#: And those that may fail.
TRY_S = 5.0
#: A daemon that was asked to end has so long; then it is killed.
END_S = 5.0


@dataclass(slots=True)
class Running:
    """A part that was started, for which posture, from which texts."""

    posture: str
    files: dict[str, str] = field(default_factory=dict)
    pid: int = 0
    #: Of a daemon that had ended before we could look: 0.
    started: int = 0

    @property
    def is_alive(self) -> bool:
        """Whether the daemon is the process that we started; true for what is no daemon."""
        return not self.pid or 0 != self.started == started_at(self.pid)


class ByHand:
    """Starts and ends parts itself and remembers which.

    Raises (all methods): NetworkError, with the command's own last words.
    """

    def __init__(self, run_dir: str) -> None:
        self._run = Path(run_dir)
        self._ledger = self._run / "applied.json"
        self.posture: Posture | None = None
        self.running: dict[str, Running] = {}
        self._load()

    def _load(self) -> None:
        try:
            known = json.loads(self._ledger.read_text(encoding="utf-8"))
            self.running = {name: Running(**each) for name, each in known["parts"].items()}
            self.posture = Posture(known["posture"]) if known["posture"] else None
        except FileNotFoundError:
            return
        except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
            raise NetworkError(
                f"{self._ledger} is not what we wrote: {error}",
                hint="End what runs by hand (hostapd, dnsmasq), remove the file, apply again.",
            ) from error

    def keep(self, posture: Posture | None) -> None:
        """Write down what runs now, and for which posture."""
        self.posture = posture
        known = {
            "posture": posture.value if posture else None,
            "parts": {name: asdict(each) for name, each in self.running.items()},
        }
        new = self._ledger.with_suffix(".new")
        new.write_text(json.dumps(known, indent=1), encoding="utf-8")
        new.replace(self._ledger)

    def is_running(self, part: Part, posture: Posture) -> bool:
        """Whether it was started for this posture (or for any, where it makes no difference)
        and lives.
        """
        known = self.running.get(part.name)
        if known is None or not known.is_alive:
            return False
        return not part.is_per_posture or known.posture == posture.value

    def is_stale(self, part: Part, posture: Posture) -> bool:
        """Whether it runs from a text that has changed since."""
        known = self.running[part.name]
        return any(
            known.files.get(name) != self._digest(name, posture)
            for name in (part.file, *part.files)
        )

    def must_reread(self, part: Part, posture: Posture) -> bool:
        known = self.running[part.name]
        return any(known.files.get(name) != self._digest(name, posture) for name in part.rereads)

    def start(self, part: Part, posture: Posture) -> None:
        """Carry out the part's commands; a daemon is left running."""
        known = Running(posture.value, self._digests(part, posture))
        if part.is_daemon:
            known.pid = self._launch(part, posture)
            known.started = started_at(known.pid)
            self._try(part.then, posture)
        else:
            # Noted first: what fails in the middle has to be taken back as well.
            self.running[part.name] = known
            for command in part.start:
                self._do(part, self._filled(command, posture))
        self.running[part.name] = known
        self.keep(self.posture)

    def reread(self, part: Part, posture: Posture) -> None:
        known = self.running[part.name]
        os.kill(known.pid, signal.SIGHUP)
        known.files = self._digests(part, posture)
        self.keep(self.posture)

    def stop(self, part: Part) -> None:
        """End the part, however much of it is there."""
        known = self.running.pop(part.name, None)
        if known is None:
            return
        if known.pid:
            end(known.pid, known.started)
        else:
            # Half of it may be missing, so it may complain; the bridge it deletes is what counts.
            self._try(part.stop, Posture(known.posture))
        self.keep(self.posture)

    def _try(self, command: tuple[str, ...], posture: Posture) -> None:
        """A command that may fail, if there is one."""
        if not command:
            return
        with contextlib.suppress(OSError, subprocess.TimeoutExpired):
            subprocess.run(
                self._filled(command, posture),
                capture_output=True,
                timeout=TRY_S,
                stdin=subprocess.DEVNULL,
            )

    def last_words(self, part: Part, lines: int = 5) -> str:
        """What a daemon said last."""
        with contextlib.suppress(OSError):
            text = self._log(part).read_text(encoding="utf-8", errors="replace")
            return "\n".join(text.splitlines()[-lines:])
        return ""

    def _environment(self) -> dict[str, str]:
        """The names that stand in commands, as systemd takes them by ``EnvironmentFile=``."""
        lines = (self._run / "environment").read_text(encoding="utf-8").splitlines()
        return dict(line.split("=", 1) for line in lines if "=" in line)

    def _filled(self, command: tuple[str, ...], posture: Posture) -> list[str]:
        return fill(
            command, run=str(self._run), posture=posture.value, environment=self._environment()
        )

    def _digest(self, name: str, posture: Posture) -> str:
        path = self._run / name.format(posture=posture.value)
        try:
            return hashlib.sha256(path.read_bytes()).hexdigest()
        except FileNotFoundError:
            return ""

    def _digests(self, part: Part, posture: Posture) -> dict[str, str]:
        return {
            name: self._digest(name, posture) for name in (part.file, *part.files, *part.rereads)
        }

    def _do(self, part: Part, command: list[str]) -> None:
        try:
            done = subprocess.run(
                command,
                capture_output=True,
                text=True,
                errors="replace",
                timeout=COMMAND_S,
                stdin=subprocess.DEVNULL,
            )
        except FileNotFoundError as error:
            raise NetworkError(f"{part.name}: {command[0]} is not installed") from error
        except subprocess.TimeoutExpired as error:
            raise NetworkError(
                f"{part.name}: `{' '.join(command)}` takes longer than {COMMAND_S:.0f} s"
            ) from error
        if done.returncode:
            words = (done.stderr or done.stdout).strip()
            raise NetworkError(
                f"{part.name}: `{' '.join(command)}` failed",
                hint="\n".join(words.splitlines()[-5:]),
            )

    def _launch(self, part: Part, posture: Posture) -> int:
        """In a session of its own, so that a Ctrl-C at our terminal is not for it."""
        log = self._log(part)
        log.parent.mkdir(mode=0o755, exist_ok=True)
        (command,) = part.start
        argv = self._filled(command, posture)
        try:
            with log.open("wb") as to:
                process = subprocess.Popen(
                    argv,
                    stdin=subprocess.DEVNULL,
                    stdout=to,
                    stderr=to,
                    env={**os.environ, **self._environment()},
                    start_new_session=True,
                    cwd="/",
                )
        except FileNotFoundError as error:
            raise NetworkError(f"{part.name}: {argv[0]} is not installed") from error
        # It outlives us on purpose; without this, Popen complains at its end.
        process.returncode = 0
        return process.pid

    def _log(self, part: Part) -> Path:
        return self._run / "log" / f"{part.name}.log"


def started_at(pid: int) -> int:
    """When the kernel started the process, in its ticks since boot; 0: there is none, or it has
    ended and only waits to be noticed. proc(5), /proc/PID/stat: state is field 3, this 22.
    """
    try:
        rest = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
    except OSError:
        return 0
    fields = rest.rpartition(")")[2].split()
    return 0 if fields[0] in "ZX" else int(fields[19])


def end(pid: int, started: int) -> None:
    """SIGTERM, then SIGKILL, to the daemon and what it started; nothing if it is another one."""
    if not started or started_at(pid) != started:
        return
    for word in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            # It leads a session and a group of its own (start_new_session).
            os.killpg(pid, word)
        until = time.monotonic() + END_S
        while started_at(pid) == started:
            if time.monotonic() > until:
                break
            time.sleep(0.01)
        else:
            return
