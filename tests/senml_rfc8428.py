"""A SenML resolver written from RFC 8428 alone: the foreign receiver of the tests.

The parsers on PyPI cannot play it: kpn-senml 1.0.1 wants an "n" in every record, senml 0.1.0
takes base fields from the first record only, micropython-senml 0.1.1 does not run on CPython.
It knows nothing of Kiezbox; labels it does not know stay beside the resolved ones.
"""

from __future__ import annotations

import json
import re
from typing import Any

#: RFC 8428 section 4.5.1.
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9\-:./_]*")

#: RFC 8428 section 12.1 (the ones that occur here) and RFC 8798 section 2.
PRIMARY_UNITS = {
    "Cel", "%RH", "V", "A", "W", "lon", "lat", "%EL", "Pa", "m", "s", "/", "Ohm", "dB", "lx",
    "count",
}  # fmt: skip
SECONDARY_UNITS = {
    "hPa", "ug/m3", "ms", "min", "h", "mV", "mA", "ppm", "Wh", "kWh", "km/h", "mm", "/100",
}  # fmt: skip

_BASES = {"bn", "bt", "bu", "bv", "bs", "bver"}


def resolve(pack: str | bytes) -> list[dict[str, Any]]:
    """The records of a pack, resolved (section 4.6). Raises ValueError where the RFC forbids."""

    def refuse(constant: str) -> None:
        raise ValueError(f"{constant} is not JSON")

    records = json.loads(pack, parse_constant=refuse)
    if not isinstance(records, list) or not records:
        raise ValueError("a pack is an array of records")
    base: dict[str, Any] = {}
    version: int | None = None
    resolved = []
    for record in records:
        base |= {label: record[label] for label in _BASES & record.keys()}
        if version is None:
            version = record.get("bver", 10)
        elif record.get("bver", version) != version:
            raise ValueError("one pack, two versions")
        resolved.append(_resolved(record, base, version))
    return resolved


def _resolved(record: dict[str, Any], base: dict[str, Any], version: int) -> dict[str, Any]:
    unknown = [label for label in record if label.endswith("_")]
    if unknown:
        raise ValueError(f"must-understand labels: {unknown}")
    if "b" in {label[0] for label in record.keys() - _BASES}:
        raise ValueError("a label that begins with b has base semantics")
    name = base.get("bn", "") + record.get("n", "")
    if not _NAME.fullmatch(name):
        raise ValueError(f"not a name: {name!r}")
    values = record.keys() & {"v", "vs", "vb", "vd"}
    if len(values) > 1 or (not values and "s" not in record):
        raise ValueError(f"one value, not {sorted(values)}")
    out = {label: value for label, value in record.items() if label not in _BASES}
    out["n"] = name
    unit = record.get("u", base.get("bu"))
    if unit is not None:
        if unit not in PRIMARY_UNITS and not (unit in SECONDARY_UNITS and version & 16):
            raise ValueError(f"{unit} is no unit of version {version}")
        out["u"] = unit
    time = base.get("bt", 0) + record.get("t", 0)
    if "bt" in base or "t" in record:
        out["t"] = time
    if "v" in record:
        out["v"] = base.get("bv", 0) + record["v"]
    return out


def is_relative(time: float) -> bool:
    """Section 4.5.3: below 2**28 a time counts from roughly now."""
    return time < 2**28
