"""Inside the virtual machine: a radio that joins again and again, each time as somebody else.

Frames are made by hand (IEEE 802.11-2020, 9.3.3) and injected through a monitor interface with a
radiotap header. A second interface of the same radio carries the address of the moment, so that
the access point's answers are acknowledged, as a real radio would.
"""

from __future__ import annotations

import fcntl
import random
import select
import socket
import struct
import time
from typing import Any

from air import phy_of, within
from installed import run

ETH_P_ALL = 0x0003
SIOCSIFFLAGS, SIOCSIFHWADDR, IFF_UP, ARPHRD_ETHER = 0x8914, 0x8924, 1, 1
#: Version 0, length 8, nothing present: the radio chooses the rate (radiotap.org).
RADIOTAP = struct.pack("<BBHI", 0, 0, 8, 0)
AUTHENTICATION, ASSOCIATION, ANSWER = 0xB0, 0x00, 0x10
#: Supported rates of 802.11g: 1, 2, 5.5, 11 (basic), 6, 9, 12, 18 Mbit/s; and the others.
RATES = bytes([1, 8, 0x82, 0x84, 0x8B, 0x96, 12, 18, 24, 36, 50, 4, 48, 72, 96, 108])


class Crowd:
    """A radio of many names. ``interface`` is taken from the box's network for good."""

    def __init__(self, interface: str, channel: int, seed: int = 1) -> None:
        self.name = f"crowd-{interface}"
        self._interface, self._monitor = interface, f"{interface}m"
        self._random = random.Random(seed)
        run("ip", "netns", "add", self.name)
        run("iw", "phy", phy_of(interface), "set", "netns", "name", self.name)
        inside = ("ip", "netns", "exec", self.name)
        run(*inside, "iw", "dev", interface, "interface", "add", self._monitor, "type", "monitor")
        run(*inside, "ip", "link", "set", self._monitor, "up")
        run(*inside, "iw", "dev", self._monitor, "set", "channel", str(channel))
        with within(self.name):
            self._air = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
            self._air.bind((self._monitor, 0))
            self._control = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)

    def _become(self, address: bytes) -> None:
        name = self._interface.encode()
        fcntl.ioctl(self._control, SIOCSIFFLAGS, struct.pack("16sH14x", name, 0))
        fcntl.ioctl(
            self._control, SIOCSIFHWADDR, struct.pack("16sH6s8x", name, ARPHRD_ETHER, address)
        )
        fcntl.ioctl(self._control, SIOCSIFFLAGS, struct.pack("16sH14x", name, IFF_UP))

    def _send(self, kind: int, own: bytes, point: bytes, body: bytes) -> None:
        header = struct.pack("<HH", kind, 0) + point + own + point + struct.pack("<H", 0)
        self._air.send(RADIOTAP + header + body)

    def _answered(self, kind: int, own: bytes, limit_s: float) -> bytes | None:
        """The body of the access point's answer to us, or None."""
        end = time.monotonic() + limit_s
        while (left := end - time.monotonic()) > 0 and select.select([self._air], [], [], left)[0]:
            frame = self._air.recv(4096)
            frame = frame[struct.unpack_from("<H", frame, 2)[0] :]
            if frame and frame[0] == kind and frame[4:10] == own:
                return frame[24:]
        return None

    def join(self, point: bytes, ssid: str, times: int, limit_s: float) -> dict[str, Any]:
        """As many associations as there is time for, each with an address of its own."""
        began, counts = time.monotonic(), {"admitted": 0, "refused": 0, "unanswered": 0}
        name = ssid.encode()
        request = struct.pack("<HH", 0x0421, 10) + bytes([0, len(name)]) + name + RATES
        for _ in range(times):
            if time.monotonic() - began > limit_s:
                break
            own = bytes([self._random.randrange(256) & 0xFC | 2]) + self._random.randbytes(5)
            self._become(own)
            self._send(AUTHENTICATION, own, point, struct.pack("<HHH", 0, 1, 0))
            if self._answered(AUTHENTICATION, own, 0.2) is None:
                counts["unanswered"] += 1
                continue
            self._send(ASSOCIATION, own, point, request)
            body = self._answered(ANSWER, own, 0.2)
            if body is None:
                counts["unanswered"] += 1
            else:
                counts["refused" if struct.unpack_from("<H", body, 2)[0] else "admitted"] += 1
        return {**counts, "seconds": time.monotonic() - began}
