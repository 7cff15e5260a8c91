"""Show a whole Kiez on this computer: simulated boxes, a broker, a page with switches.

  kiezbox demo                          three boxes at http://127.0.0.1:8080/
  kiezbox demo --boxes 5 --speed 10     more of them, and faster
  kiezbox demo --recording DIR          recorded days (sensor.community CSV files) instead of
                                        simulated weather

No root and no other service; it listens on this computer only. Ctrl-C ends everything.
docs/demo.md says what is real in it and what is not.
"""

from __future__ import annotations

import signal
import sys
import threading
from importlib.util import find_spec
from typing import TYPE_CHECKING

from kiezbox.cli._common import Parser
from kiezbox.errors import MissingPackage, UsageError

if TYPE_CHECKING:
    from kiezbox.demo.helpers import Helpers

#: What the demo's processes import, and the package that brings it.
NEEDED = {
    "adafruit_bme280": "adafruit-circuitpython-bme280",
    "adafruit_ina219": "adafruit-circuitpython-ina219",
    "serial": "pyserial",
    "gpiozero": "gpiozero",
    "paho": "paho-mqtt",
    "httptools": "httptools",
    "cbor2": "cbor2",
    "nacl": "pynacl",
}

#: Faster than this the sensors could not keep up: an SDS011 is asked ten times a second then.
MOST_SPEED = 60.0


def main(argv: list[str]) -> int:
    """``kiezbox demo [--boxes 3] [--port 8080] [--speed 1] [--recording DIR]``."""
    parser = Parser("demo", __doc__)
    parser.add_argument("--boxes", type=int, default=3, metavar="N", help="how many (default 3)")
    parser.add_argument(
        "--port", type=int, default=8080, help="of the page, on this computer only (default 8080)"
    )
    parser.add_argument(
        "--speed", type=float, default=1.0, metavar="N", help="how fast time runs (default 1)"
    )
    parser.add_argument(
        "--recording", metavar="DIR", help="replay sensor.community CSV files from this folder"
    )
    arguments = parser.parse_args(argv)
    if not 1 <= arguments.speed <= MOST_SPEED:
        raise UsageError(f"demo: --speed {arguments.speed:g} is outside 1 to {MOST_SPEED:g}")
    _check_packages()
    stop = threading.Event()
    # Before anything is started: whatever comes, everything is taken down in order.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: stop.set())
    return _show(arguments.boxes, arguments.port, arguments.speed, arguments.recording, stop)


def _show(boxes: int, port: int, speed: float, recording: str | None, stop: threading.Event) -> int:
    from kiezbox.demo.kiez import Kiez
    from kiezbox.demo.page import Page

    page = Page(port)
    try:
        with Kiez(boxes=boxes, speed=speed, recording=recording) as kiez:
            kiez.start(stop)
            page.serve(kiez)
            if not stop.is_set():
                _say(boxes, page.address, kiez.helpers)
            if kiez.left_out():
                print(f"kiezbox: recording: {kiez.left_out()}", file=sys.stderr)
            kiez.run(stop)
            page.close()
    finally:
        page.close()
    return 0


def _say(boxes: int, address: str, helpers: Helpers) -> None:
    """Two lines; whoever closed the pipe behind us gets a demo without them."""
    some = "1 box" if boxes == 1 else f"{boxes} boxes"
    print(f"Kiezbox demo: {some} at {address} (Ctrl-C ends it)")
    print(
        f"Be a helper: Help, at its foot For helpers: number {helpers.number}, code"
        f' "{helpers.code}" (once on each box)',
        flush=True,
    )


def _check_packages() -> None:
    missing = [package for module, package in NEEDED.items() if find_spec(module) is None]
    if missing:
        raise MissingPackage(
            f"demo: not installed: {', '.join(missing)}",
            hint="`make demo` in the checkout installs all; or: pip install 'kiezbox[demo]'.",
        )
