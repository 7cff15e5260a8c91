"""Kiezbox as it is on a box: installed, not linked to a checkout.

A development checkout is found through an import hook that pulls in pathlib, re and urllib at
every start: 10 ms and a mebibyte that no box pays.
"""

from __future__ import annotations

import compileall
import functools
import os
import shutil
import sys
import threading
from collections.abc import Mapping
from pathlib import Path

from benchmarks.lib.contest import BENCH, ROOT

#: As in the units (systemd/): one heap for all threads.
ENVIRONMENT: Mapping[str, str] = {**os.environ, "MALLOC_ARENA_MAX": "1"}


_lock = threading.Lock()


def program() -> str:
    """The command ``kiezbox``, with the code of this checkout.

    benchmarks/peers.sh makes the environment once; the package is copied into it anew at each
    run, which is what pip would do. Without it, the command beside this Python.
    """
    with _lock:
        return _program()


@functools.cache
def _program() -> str:
    own = BENCH / "kiezbox"
    command = own / "bin" / "kiezbox"
    if not command.exists():
        return str(Path(sys.executable).with_name("kiezbox"))
    (site,) = own.glob("lib/python3*/site-packages")
    shutil.rmtree(site / "kiezbox", ignore_errors=True)
    shutil.copytree(
        ROOT / "kiezbox", site / "kiezbox", ignore=shutil.ignore_patterns("__pycache__")
    )
    # As pip does; on a box nobody may write there later.
    compileall.compile_dir(site / "kiezbox", quiet=1)
    return str(command)


def python() -> str:
    """The Python that ``program`` runs with."""
    return str(Path(program()).with_name("python"))


def note() -> str:
    """How Kiezbox was run, for the results."""
    is_own = str(BENCH) in program()
    return "kiezbox: installed" if is_own else "kiezbox: from the checkout (benchmarks/peers.sh!)"
