"""Flask on waitress that writes a message into SQLite and commits with each request: how most would
write it.
"""

from __future__ import annotations

from pathlib import Path

from benchmarks.lib.contest import BENCH, Skipped

NAME = "Flask + waitress, a commit per request"

APP = """
import sqlite3
import sys

from flask import Flask, request
from waitress import serve

app = Flask(__name__)
path = sys.argv[1]
with sqlite3.connect(path) as db:
    db.execute("CREATE TABLE IF NOT EXISTS messages (id INTEGER PRIMARY KEY, topic INT, text TEXT)")


@app.get("/")
def form():
    return "<form method=post><textarea name=text></textarea><button>Senden</button></form>"


@app.post("/<path:_>")
def send(_):
    db = sqlite3.connect(path, timeout=30)
    try:
        with db:
            db.execute(
                "INSERT INTO messages (topic, text) VALUES (?, ?)",
                (request.form["topic"], request.form["text"]),
            )
    finally:
        db.close()
    return "<p>Gespeichert."


serve(app, host="127.0.0.1", port=int(sys.argv[2]), threads=4, connection_limit=400)
"""

COUNT = "SELECT count(*), count(DISTINCT text) FROM messages"


def command(folder: Path, port: int) -> list[str]:
    """What to start so that it serves on the port; the messages are in folder/messages.db."""
    python = BENCH / "flask" / "bin" / "python"
    if not python.exists():
        raise Skipped("not installed: benchmarks/peers.sh")
    (folder / "app.py").write_text(APP)
    return [str(python), str(folder / "app.py"), str(folder / "messages.db"), str(port)]
