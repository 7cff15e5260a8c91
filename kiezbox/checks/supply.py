"""Whether the computer itself gets enough voltage: half of all riddles of a Pi on a roof.

The firmware says it: ``rpi_volt`` is its alarm for now (kernel, drivers/hwmon/raspberrypi-hwmon.c);
``get_throttled`` has a bit for each thing since the start (Raspberry Pi documentation, "vcgencmd
get_throttled": 0 under-voltage, 1 frequency capped, 2 throttled, 3 soft temperature limit; 16 to 19
the same, ever since the start).
"""

from __future__ import annotations

from collections.abc import Iterator

from kiezbox.checks import Examined, Finding, Level
from kiezbox.checks._looking import text_of

UNDER_VOLTAGE, HOT = 1 << 0, 1 << 3
SINCE_START = 16

HINT = (
    "Use a supply of 5.1 V and 3 A with a short, thick cable; behind a long one, or a weak USB"
    " port, the card can lose data, and the WLAN stutters."
)


def run(box: Examined) -> Iterator[Finding]:
    bits = _throttled(box)
    if _alarm(box) or (bits is not None and bits & UNDER_VOLTAGE):
        yield Finding(Level.BROKEN, "the computer gets too little voltage just now", HINT)
    elif bits is not None and bits & UNDER_VOLTAGE << SINCE_START:
        yield Finding(
            Level.WARNING, "the computer got too little voltage since it was started", HINT
        )
    elif bits is not None:
        yield Finding(Level.FINE, "the computer's supply is steady")
    if bits is not None and bits & (HOT | HOT << SINCE_START):
        yield Finding(
            Level.WARNING,
            "the computer is, or was, too hot and works slower for it",
            "Give it shade and a way for the air; a case in the sun reaches 70 °C.",
        )


def _alarm(box: Examined) -> bool:
    folder = box.root / "sys/class/hwmon"
    return any(
        text_of(each / "name") == "rpi_volt" and text_of(each / "in0_lcrit_alarm") == "1"
        for each in sorted(folder.glob("hwmon*"))
    )


def _throttled(box: Examined) -> int | None:
    """None where the firmware has no such file: another computer, an older kernel."""
    # Below soc on models before the Pi 5, whose SoC has its address in its name.
    for path in sorted((box.root / "sys/devices/platform").glob("soc*/soc*firmware/get_throttled")):
        try:
            return int(text_of(path), 16)
        except ValueError:
            continue
    return None
