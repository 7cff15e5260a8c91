"""Words to systemd: READY, WATCHDOG, STATUS, over the socket it names (sd_notify(3))."""

from __future__ import annotations

import os
import socket


def notify(text: str) -> None:
    """Send, if there is a systemd that listens; otherwise do nothing."""
    address = os.environ.get("NOTIFY_SOCKET")
    if not address:
        return
    if address.startswith("@"):
        address = "\0" + address[1:]
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as to_systemd:
        try:
            to_systemd.connect(address)
            to_systemd.sendall(text.encode())
        except OSError:
            # systemd restarts; it asks again by its watchdog if it cares.
            return


def watchdog_s() -> float | None:
    """Half of what systemd waits for a sign of life (WatchdogSec), or None."""
    given = os.environ.get("WATCHDOG_USEC", "")
    if not given.isdigit() or os.environ.get("WATCHDOG_PID", str(os.getpid())) != str(os.getpid()):
        return None
    return int(given) / 2_000_000
