"""What came in as line protocol, read by rules transcribed from InfluxData's "Line protocol
reference" (v2): elements, special characters, data types. Written without a look at ours.
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple


class Point(NamedTuple):
    measurement: str
    tags: dict[str, str]
    fields: dict[str, Any]
    time: int | None


def _until(text: str, begin: int, ends: str) -> tuple[str, int]:
    """What stands before the next of ``ends`` that has no backslash before it, and where it is."""
    out = []
    while begin < len(text) and text[begin] not in ends:
        if text[begin] == "\\" and begin + 1 < len(text) and text[begin + 1] in ",= ":
            begin += 1
        out.append(text[begin])
        begin += 1
    return "".join(out), begin


def _value(text: str, begin: int) -> tuple[Any, int]:
    if text[begin] == '"':
        out = []
        begin += 1
        while text[begin] != '"':
            if text[begin] == "\\" and text[begin + 1] in '"\\':
                begin += 1
            out.append(text[begin])
            begin += 1
        return "".join(out), begin + 1
    raw, end = _until(text, begin, ", ")
    if re.fullmatch(r"-?\d+i", raw):
        return int(raw[:-1]), end
    if re.fullmatch(r"\d+u", raw):
        return int(raw[:-1]), end
    if raw in ("t", "T", "true", "True", "TRUE"):
        return True, end
    if raw in ("f", "F", "false", "False", "FALSE"):
        return False, end
    if not re.fullmatch(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?", raw):
        raise ValueError(f"no field value: {raw!r}")
    return float(raw), end


def parse_line(text: str) -> Point:
    """One line; raises ValueError or IndexError where it is none."""
    measurement, at = _until(text, 0, ", ")
    if not measurement or measurement.startswith("_"):
        raise ValueError("no measurement")
    tags: dict[str, str] = {}
    while text[at] == ",":
        name, at = _until(text, at + 1, "=")
        tags[name], at = _until(text, at + 1, ", ")
        if not tags[name]:
            raise ValueError("an empty tag")
    fields: dict[str, Any] = {}
    separator = " "
    while at < len(text) and text[at] == separator:
        name, at = _until(text, at + 1, "=")
        fields[name], at = _value(text, at + 1)
        separator = ","
    if not fields:
        raise ValueError("no field")
    rest = text[at:].strip()
    return Point(measurement, tags, fields, int(rest) if rest else None)


def points(body: bytes) -> list[Point]:
    return [parse_line(line) for line in body.decode().split("\n") if line and line[0] != "#"]
