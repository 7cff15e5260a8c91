"""1-Wire through the kernel: a folder with a folder for each sensor (``/sys/bus/w1/devices``).

The kernel does what needs microseconds; what it says is text. Reading ``w1_slave`` starts a
conversion and waits for it (Documentation/w1/slaves/w1_therm.rst).
"""

from __future__ import annotations

import os
import re

from kiezbox.errors import SensorMissing
from kiezbox.hardware import Deadline

__all__ = ["IDENTITY", "FolderOneWire"]

#: Family code and serial number, in hex, as w1.c writes them.
IDENTITY = re.compile(r"[0-9a-f]{2}-[0-9a-f]{12}")

#: Two lines have 75 characters; a file that says more is none of the kernel's.
MOST = 1024


class FolderOneWire:
    """The kernel's folder as one sensor sees it.

    A read under way cannot be cut short: the kernel ends it, after at most five attempts of
    750 ms. The deadline holds before and after it.
    """

    def __init__(self, folder: str, deadline: Deadline) -> None:
        self._folder = folder
        self._deadline = deadline

    def scan(self) -> list[str]:
        try:
            names = os.listdir(self._folder)
        except OSError as error:
            raise SensorMissing(
                f"there is no 1-Wire bus at {self._folder}",
                hint="Switch it on: `dtoverlay=w1-gpio` in /boot/firmware/config.txt, then start"
                " the box anew.",
            ) from error
        return sorted(name for name in names if IDENTITY.fullmatch(name))

    def read(self, identity: str) -> bytes:
        self._deadline.check()
        with open(os.path.join(self._folder, identity, "w1_slave"), "rb") as file:
            text = file.read(MOST)
        self._deadline.check()
        return text
