"""A simulated air as a process of its own, for trying by hand:

    python -m kiezbox.hardware.simulated.meshtastic_serve 3 --speed 10

Each radio says where it is reached; Ctrl-C ends all of them.
"""

from __future__ import annotations

import argparse
import signal
import sys
import threading
import time
from collections.abc import Sequence

from kiezbox.clock import ScaledClock
from kiezbox.errors import KiezboxError
from kiezbox.hardware.simulated.air_paths import Links
from kiezbox.hardware.simulated.meshtastic_air import MeshtasticAir


def main(argv: Sequence[str] | None = None) -> int:
    """Serve until a signal comes."""
    parser = argparse.ArgumentParser(
        prog="meshtastic_serve", description="Simulated Meshtastic radios that share an air."
    )
    parser.add_argument("radios", type=int, help="how many")
    parser.add_argument("--port", type=int, default=4403, help="the first one's TCP port")
    parser.add_argument("--speed", type=float, default=1.0, help="how fast time passes on the air")
    parser.add_argument("--preset", default="LONG_FAST", help="LONG_FAST, MEDIUM_FAST …")
    parser.add_argument("--region", default="EU_868", help="EU_868, or UNSET as from the shop")
    parser.add_argument("--loss", type=float, default=0.0, help="share of packets lost, 0 to 1")
    wanted = parser.parse_args(argv)
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    clock = ScaledClock(wanted.speed, time.time())
    try:
        with MeshtasticAir(clock, paths=Links(others=wanted.loss)) as air:
            for index in range(wanted.radios):
                name = f"radio {index + 1}"
                radio = air.add(
                    name, tcp=wanted.port + index, region=wanted.region, preset=wanted.preset
                )
                assert radio.address is not None
                host, port = radio.address
                print(f"!{radio.number:08x}  meshtastic --host {host}:{port} --info", flush=True)
            stop.wait()
    except KiezboxError as error:
        print(f"kiezbox: {error}\n         {error.hint}", file=sys.stderr)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
