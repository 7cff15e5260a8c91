"""Having something reckoned by a process of its own (``reckoner``): one use, one process.

Called in the mailroom's own line for what takes long (``asking.Job.prepare``): one at a time, at
most 8 waiting, so no crowd makes the box reckon with more than 19 MiB.
"""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import time
from typing import Any

__all__ = ["MOST_S", "reckoned"]

#: 34 ms on a core of the bench; a small box is twenty times slower, and may have much else to do.
#: A visitor is answered within 10 s (``responder.ANSWER_S``).
MOST_S = 9.0

_ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def reckoned(task: str, **given: Any) -> dict[str, Any]:
    """What ``sealing.tasks.done`` says.

    Raises:
        OSError, ValueError: there was no process to be had, or it gave no answer in time.
    """
    # The same Kiezbox and the same packages, wherever they lie: in a checkout, in an archive.
    paths = filter(None, (_ROOT, os.environ.get("PYTHONPATH")))
    process = subprocess.Popen(
        [sys.executable, "-m", "kiezbox.portal.reckoner"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        close_fds=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
    )
    assert process.stdin is not None and process.stdout is not None
    try:
        process.stdin.write(json.dumps({"task": task, **given}).encode() + b"\n")
        process.stdin.flush()
        found: dict[str, Any] = json.loads(_read(process.stdout.fileno()))
        return found
    finally:
        process.kill()
        process.stdin.close()
        process.stdout.close()
        process.wait()


def _read(file: int) -> bytes:
    """Everything until the other side ends; TimeoutError is an OSError."""
    until = time.monotonic() + MOST_S
    pieces: list[bytes] = []
    poll = select.poll()
    poll.register(file, select.POLLIN)
    while True:
        left = until - time.monotonic()
        if left <= 0 or not poll.poll(left * 1000):
            raise TimeoutError(f"nothing was reckoned in {MOST_S:g} s")
        piece = os.read(file, 65536)
        if not piece:
            return b"".join(pieces)
        pieces.append(piece)
