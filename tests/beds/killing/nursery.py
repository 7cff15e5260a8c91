"""Starts nodes by forking: ``python -m beds.killing.nursery`` reads the paths of settings files.

For each it answers with the pid of a process in which ``kiezbox run --settings PATH`` runs. What
a node imports is imported once, here, and not two hundred times; everything after the imports is
the node's own start.
"""

from __future__ import annotations

import importlib
import os
import random
import signal
import sys

IMPORTED_BEFORE = (
    "kiezbox.cli.run",
    "kiezbox.node.assemble",
    "kiezbox.publishers.mqtt",
    "kiezbox.sensors.bme280",
    "kiezbox.hardware.box",
    # With it loaded the store makes its tables without a process of its own.
    "sqlite_utils",
)


def main() -> None:
    """Until standard input ends."""
    for module in IMPORTED_BEFORE:
        importlib.import_module(module)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the kernel buries them
    for line in sys.stdin:
        pid = os.fork()
        if pid == 0:
            _live(line.strip())
        print(pid, flush=True)


def _live(settings: str) -> None:
    """The node's process: never returns."""
    try:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        random.seed()
        log = os.open(f"{settings}.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.dup2(os.open(os.devnull, os.O_RDWR), 0)
        os.dup2(log, 1)
        os.dup2(log, 2)
        from kiezbox.cli import main as kiezbox

        os._exit(kiezbox(["run", "--settings", settings, "--log", "warning"]))
    except BaseException as error:
        os.write(2, f"{error!r}\n".encode())
        os._exit(70)


if __name__ == "__main__":
    main()
