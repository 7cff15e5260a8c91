"""Every probe at an ADS1115, over any code of the converter and any settings that are let in."""

from __future__ import annotations

import math
import struct

from kiezbox.errors import SettingsError
from kiezbox.model import Flag
from kiezbox.sensors import ads1115
from kiezbox.sensors._ads1115 import RANGES, Sample
from kiezbox.settings import parse

PROBES = tuple(ads1115.PROBES)
_LAYOUT = struct.Struct(">BBh5f")

#: Probe, range, code; then five numbers for the settings; then a curve, as text.
SEEDS = [
    _LAYOUT.pack(0, 4, 20000, 5.7, 16.0, 120.0, 0.0, 5.0),
    _LAYOUT.pack(1, 4, 11520, 120.0, 5.0, 120.0, 0.0, 5.0),
    _LAYOUT.pack(2, 4, 20000, 3.3, 3.3e6, 22e6, 0.0, 0.0),
    _LAYOUT.pack(2, 4, 32767, 3.3, 3.3e6, 0.0, 0.0, 0.0),
    _LAYOUT.pack(3, 4, 9000, 3.3, 3.3e6, 22e6, 0.0, 0.0) + b"5000000 0.5,500000 2,50000 6",
    _LAYOUT.pack(2, 4, -3, 3.3, 1e3, 1e9, 0.0, 0.0) + b"1 300,2 0",
]


def one(data: bytes) -> None:
    """A finite value with a flag and a reason, or settings that are refused."""
    number, range_, code, a, b, c, d, e = _LAYOUT.unpack(data[: _LAYOUT.size].ljust(_LAYOUT.size))
    probe = PROBES[number % len(PROBES)]
    table: dict[str, object] = {"driver": "ads1115", "probe": probe}
    if probe == "voltage":
        table |= {"ratio": a, "most_v": b}
    elif probe == "level":
        table |= {"burden_ohm": a, "at_4_ma_m": d, "at_20_ma_m": e}
    else:
        table |= {"supply_v": a, "series_ohm": b, "end_ohm": c}
    curve = data[_LAYOUT.size :].decode("latin-1")
    if curve:
        table["curve"] = curve.split(",")
    try:
        settings = parse(ads1115.Settings, table)
    except SettingsError as error:
        assert str(error)
        return
    full_scale_v = RANGES[range_ % len(RANGES)][0]
    sample = Sample(code * full_scale_v / 0x8000, code in (-0x8000, 0x7FFF))

    value, flag, reason = ads1115.PROBES[probe].understand(sample, settings)

    assert math.isfinite(value)
    assert (flag is Flag.GOOD) == (reason == "")
    if flag is Flag.GOOD and probe in ("wood", "plaster"):
        assert 0 <= value <= 300
