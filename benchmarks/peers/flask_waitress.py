"""Flask on waitress serving one page: how most would write a portal."""

from __future__ import annotations

from pathlib import Path

from benchmarks.lib.contest import BENCH, Skipped

NAME = "Flask + waitress"

APP = """
import sys

from flask import Flask
from waitress import serve

app = Flask(__name__)
page = open(sys.argv[1], "rb").read()


@app.get("/")
def first():
    return page


serve(app, host="127.0.0.1", port=int(sys.argv[2]), threads=8)
"""


def command(folder: Path, page: bytes, port: int) -> list[str]:
    """What to start so that the page is served on the port."""
    python = BENCH / "flask" / "bin" / "python"
    if not python.exists():
        raise Skipped("not installed: benchmarks/peers.sh")
    (folder / "page").write_bytes(page)
    (folder / "app.py").write_text(APP)
    return [str(python), str(folder / "app.py"), str(folder / "page"), str(port)]
