"""What the portal's tests share: a now.json as the node writes it, a store, a portal process."""

from __future__ import annotations

import json
import os
import select
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from kiezbox.clock import Clock, ManualClock
from kiezbox.settings import StoreSettings
from kiezbox.situation import Facts, understand
from kiezbox.store import Store
from kiezbox.store.log import Draft, Log

#: Saturday 3 January 2026, 19:00 UTC: the first evening of a blackout in Berlin.
NOW = 1_767_466_800.0

LIMIT_S = 20.0

#: now.json, field by field as docs/architecture.md has it, on an ordinary day.
NORMAL: dict[str, Any] = {
    "version": 1,
    "box": {
        "id": "kb-musterplatz-1",
        "name": "Späti am Musterplatz",
        "latitude": 51.163,
        "longitude": 10.448,
        "accuracy_m": 25.0,
        "country": "DE",
        "poison_phone": "000 1234567",
    },
    "operator": {
        "controller": "Nachbarschaftsverein Musterplatz e. V., Musterplatz 1, 00000 Musterstadt",
        "contact": "box@musterplatz.example",
        "privacy_basis": "Art. 6 Abs. 1 lit. d und e DSGVO",
    },
    "written_at": NOW - 2,
    "boot": 7,
    "clock_trusted": True,
    "mode": {
        "name": "normal",
        "since": NOW - 86400,
        "causes": [],
        "wanted": None,
        "wanted_in_s": None,
        "order": None,
        "is_exercise": False,
    },
    "grid": {
        "state": "present",
        "since": NOW - 86400,
        "is_sensed": True,
        "sources": {"mains": "present", "ups": "present"},
    },
    "battery": {
        "stage": "full",
        "charge_percent_low": 91.0,
        "charge_percent_high": 100.0,
        "hours_left_low": None,
        "hours_left_high": None,
        "hours_open_low": None,
        "hours_open_high": None,
        "voltage_v": 13.4,
        "current_a": 0.02,
    },
    "steps": [],
    "latest": {
        "roof/temperature_c": {"value": -3.42, "flag": 0, "reason": "", "taken_at": NOW - 40},
        "roof/humidity_percent": {
            "value": 99.9,
            "flag": 1,
            "reason": "stuck at the upper end",
            "taken_at": NOW - 40,
        },
        "street/pm10_ug_m3": {
            "value": 1999.9,
            "flag": 2,
            "reason": "out of range",
            "taken_at": NOW - 150,
        },
        "battery/voltage_v": {"value": 13.4, "flag": 0, "reason": "", "taken_at": NOW - 2},
    },
    "store": {"state": "ok", "newest_serial": 999, "stored_serial": 950, "buffered": 49},
    "publishers": {
        "mqtt": {"link": "connected", "backlog": 0, "delivered": 900, "confirmed_at": NOW - 30}
    },
    "faults": [],
    "network": {
        "wanted": "closed",
        "since": NOW - 86400,
        "access_point": "radio",
        "ssid": "Kiezbox-Notfall",
        "name": "kiezbox.internal",
        "address": "198.51.100.1",
        "https_name": None,
        "is_on_air": False,
        "slice": None,
        "guests": 0,
        "uplink": "unknown",
        "guest_uplink": "none",
        "stay_s": 86400.0,
        "mesh": None,
    },
}


def now_json(**changes: Any) -> dict[str, Any]:
    """``NORMAL`` with other values: ``now_json(mode__name="saving", battery=None)``."""
    document: dict[str, Any] = json.loads(json.dumps(NORMAL))
    for path, value in changes.items():
        *tables, field = path.split("__")
        table = document
        for name in tables:
            table = table[name]
        table[field] = value
    return document


def outage(hours: float = 2.0, **changes: Any) -> dict[str, Any]:
    """The grid has been lost for so long."""
    since = NOW - hours * 3600
    return now_json(
        **{
            "mode__name": "emergency",
            "mode__since": since,
            "mode__causes": [{"cause": "grid_lost", "since": since, "detail": "lost"}],
            "grid__state": "lost",
            "grid__since": since,
            "grid__sources": {"mains": "lost", "ups": "lost"},
            "battery__stage": "good",
            "battery__charge_percent_low": 61.0,
            "battery__charge_percent_high": 78.0,
            "battery__hours_left_low": 8.4,
            "battery__hours_left_high": 13.2,
            "network__wanted": "emergency",
            "network__is_on_air": True,
            **changes,
        }
    )


def understood(document: Any, now: float = NOW) -> Facts:
    return understand(document, now=now)


def wait_for(what: Callable[[], Any], why: str, limit_s: float = LIMIT_S) -> Any:
    """The first true answer, or a failure that says what was waited for."""
    limit = time.monotonic() + limit_s
    while not (answer := what()):
        assert time.monotonic() < limit, f"not within {limit_s:g} s: {why}"
        time.sleep(0.005)
    return answer


def write_facts(run_dir: Path, document: Any) -> None:
    """As the node does: aside, then over the old one."""
    run_dir.mkdir(exist_ok=True)
    (run_dir / "now.json.new").write_text(json.dumps(document), encoding="utf-8")
    os.replace(run_dir / "now.json.new", run_dir / "now.json")
    latest = document.get("latest") if isinstance(document, dict) else None
    if isinstance(latest, dict):
        hang_outside(run_dir.parent, *{name.partition("/")[0] for name in latest})


def hang_outside(folder: Path, *sensors: str) -> None:
    """Tell the portal, as the node does, that these sensors hang where nobody lives."""
    shown = {sensor: [[0, None]] for sensor in sensors}
    (folder / "public.json").write_text(json.dumps(shown), encoding="utf-8")


def fresh(document: dict[str, Any]) -> dict[str, Any]:
    """The same, written this moment by the machine's clock."""
    return {**document, "written_at": time.time()}


def make_store(folder: Path, clock: ManualClock | None = None) -> Path:
    """A real store, closed again."""
    open_store(folder, clock).close()
    return folder / "kiezbox.db"


def open_store(folder: Path, clock: ManualClock | None = None) -> Store:
    settings = StoreSettings(path=str(folder / "kiezbox.db"), run_dir=str(folder / "run"))
    return Store.open(settings, "kb-musterplatz-1", clock or ManualClock(NOW))


def post(folder: Path, *texts: str, clock: Clock | None = None, **fields: Any) -> None:
    """Bulletins of the box's operator, in a real log of words; by the machine's clock, which a
    portal process has, too.
    """
    path = str(folder / "words" / "words.db")
    log = Log.open(path, clock or ManualClock(time.time()), box="kb-musterplatz-1")
    with closing(log):
        for text in texts:
            log.add(Draft(kind="bulletin", fields={"text": text, "language": "de", **fields}))


class Portal:
    """A running ``kiezbox portal``."""

    def __init__(self, process: subprocess.Popen[str], port: int) -> None:
        self.process = process
        self.port = port

    def connect(self, timeout_s: float = 5.0) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=timeout_s)

    def ask(self, request: bytes | str = "/") -> tuple[int, dict[str, str], bytes]:
        """Status, headers by their lower-case names, body; of a path or of raw bytes."""
        if isinstance(request, str):
            request = (
                f"GET {request} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n".encode()
            )
        with self.connect() as connection:
            connection.sendall(request)
            return split(read_all(connection))

    def has_slow_page(self) -> bool:
        """Whether what takes long is answered, too."""
        return self.ask("/info")[0] == 200


def read_all(connection: socket.socket) -> bytes:
    pieces = []
    while piece := connection.recv(65536):
        pieces.append(piece)
    return b"".join(pieces)


def split(response: bytes) -> tuple[int, dict[str, str], bytes]:
    head, _, body = response.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    pairs = (line.split(": ", 1) for line in lines)
    return int(first.split()[1]), {name.lower(): value for name, value in pairs}, body


@contextmanager
def portal(folder: Path, *more: str, environment: dict[str, str] | None = None) -> Iterator[Portal]:
    """``kiezbox portal`` on a free port, over folder/run and folder/kiezbox.db."""
    arguments = [
        *("--run-dir", str(folder / "run"), "--store", str(folder / "kiezbox.db")),
        *("--listen", "127.0.0.1:0"),
    ]
    with running([*arguments, *more], environment=environment) as found:
        yield found


@contextmanager
def running(
    arguments: Sequence[str],
    *,
    environment: dict[str, str] | None = None,
    **options: Any,
) -> Iterator[Portal]:
    process = subprocess.Popen(
        [sys.executable, "-m", "kiezbox", "portal", *arguments],
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **(environment or {})},
        **options,
    )
    try:
        yield Portal(process, _port(process))
    finally:
        process.kill()
        process.communicate(timeout=LIMIT_S)


def _port(process: subprocess.Popen[str]) -> int:
    """From the line it begins with: ``kiezbox portal: http://127.0.0.1:40123/``."""
    assert process.stderr is not None
    readable, _, _ = select.select([process.stderr], [], [], LIMIT_S)
    assert readable, "the portal says nothing"
    line = process.stderr.readline()
    assert "http://" in line, line + (process.stderr.read() if process.poll() else "")
    return int(line.rsplit(":", 1)[1].strip("/\n"))
