"""Flask on bjoern (one thread, libev, its parser in C): the quickest way to run Flask."""

from __future__ import annotations

from pathlib import Path

from benchmarks.lib.contest import BENCH, Skipped

NAME = "Flask + bjoern"

APP = """
import sys

import bjoern
from flask import Flask

app = Flask(__name__)
page = open(sys.argv[1], "rb").read()


@app.get("/")
def first():
    return page


bjoern.run(app, "127.0.0.1", int(sys.argv[2]))
"""


def command(folder: Path, page: bytes, port: int) -> list[str]:
    """What to start so that the page is served on the port."""
    python = BENCH / "bjoern" / "bin" / "python"
    if not (BENCH / "bjoern" / ".complete").exists():
        raise Skipped("not installed: benchmarks/peers.sh")
    (folder / "page").write_bytes(page)
    (folder / "app.py").write_text(APP)
    return [str(python), str(folder / "app.py"), str(folder / "page"), str(port)]
