"""Where the demo's boxes ask for official warnings: as NINA's interface answers, but invented.

On this computer only. All its warnings are marked as an exercise (``place.invented``).
"""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from kiezbox.place.invented import warnings

__all__ = ["ARS", "Authority"]

#: A district that is nowhere.
ARS = "000000000000"


class Authority:
    """Answers from the start; ``close`` is idempotent."""

    def __init__(self, now: float) -> None:
        documents = warnings(now)
        listed = [
            {"id": each["identifier"], "version": 1, "sent": each["sent"],
             "i18nTitle": {info["language"].lower(): info["headline"] for info in each["info"]}}
            for each in documents
        ]  # fmt: skip
        answers: dict[str, Any] = {f"/dashboard/{ARS}.json": listed}
        answers |= {f"/warnings/{each['identifier']}.json": each for each in documents}
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.answers = {path: json.dumps(each).encode() for path, each in answers.items()}
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/"
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.1,), name="authority", daemon=True
        )
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join(2)
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    answers: dict[str, bytes]


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    #: Whoever says nothing for so long is gone (seconds).
    timeout = 10

    def do_GET(self) -> None:
        found = self.server.answers.get(self.path)
        self.send_response(404 if found is None else 200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(found or b"")))
        self.end_headers()
        self.wfile.write(found or b"")

    def log_message(self, *_: object) -> None:
        """Nothing: the demo's terminal has one line."""
