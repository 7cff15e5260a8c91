"""What may say the time: a DS3231's registers, a node's wish, the mark of who set the clock."""

from __future__ import annotations

import tempfile
from pathlib import Path

from kiezbox.cli._clock_setting import carry_out, read_wish
from kiezbox.clock import Holder, ManualClock, held
from kiezbox.errors import KiezboxError
from kiezbox.sensors.ds3231 import time_of
from kiezbox.timekeeping import LATEST_PLAUSIBLE

SEEDS = [
    b"\x15\x14\x15\x01\x29\x10\x17",
    b"\x07\x30\x72\x03\x01\x03\x26",
    b'{"source": "gps", "name": "sky", "heard_at": 990.0, "time": 1796068800.0}',
    b'{"source": "rtc", "name": "clock", "heard_at": 999, "time": 1796068800}',
    b"gps 18055.884\n",
]

_FOLDER = tempfile.TemporaryDirectory(prefix="kiezbox-fuzz-")
_NOBODY = Holder("", float("inf"))


def one(data: bytes) -> None:
    """A moment of this century, or none; a clock is never set to one beyond it."""
    said = time_of(data[:7].ljust(7, b"\0"))
    assert said is None or 946_684_800 <= said < 4_102_444_800
    path, mark = Path(_FOLDER.name, "wish"), Path(_FOLDER.name, "mark")
    path.write_bytes(data)
    clock = ManualClock(now=30.0)
    found = held(Path(_FOLDER.name, "none"), path, clock)
    assert found.source == "" or found.age_s >= 0
    set_to: list[float] = []
    try:
        read_wish(path, clock.monotonic())
        carry_out(
            path, mark, holds=lambda: _NOBODY, now=clock.now, monotonic=clock.monotonic,
            set_time=set_to.append, known=Path(_FOLDER.name, "none"),
        )  # fmt: skip
    except KiezboxError as error:
        assert str(error) and error.hint
    assert all(1_735_689_600 < at < LATEST_PLAUSIBLE for at in set_to)
