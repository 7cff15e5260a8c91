"""``kiezbox foreign decode``: what somebody has typed or recorded, in words."""

from __future__ import annotations

import base64
import binascii
import sys
from collections.abc import Iterator
from typing import Any

from kiezbox.cli._common import print_json
from kiezbox.cli._foreign_words import as_json, config_lines, message_lines
from kiezbox.clock import SystemClock
from kiezbox.errors import UsageError
from kiezbox.foreign import envelope
from kiezbox.foreign.decode import decode, decode_config
from kiezbox.foreign.schema import PORT
from kiezbox.foreign.wire import BadMessage

__all__ = ["MOST_BYTES", "decode_typed"]

#: A recording of a busy day is some MB.
MOST_BYTES = 64 << 20


def decode_typed(texts: list[str], *, is_json: bool) -> int:
    """Needs no settings: it is for a maker with a log in his hand, on any computer."""
    now = SystemClock().now()
    found: list[Any] = []
    is_bad = False
    for text in texts or sys.stdin.read(MOST_BYTES).splitlines():
        if not text.strip():
            continue
        for around, payload, is_config in _unwrapped(text):
            entry: dict[str, Any] = {"payload": payload.hex(), **around}
            lines = [f"{payload.hex() or '(empty)'}{_around(around)}"]
            try:
                if is_config:
                    config = decode_config(payload)
                    entry["config"] = as_json(config)
                    lines += config_lines(config)
                else:
                    message = decode(payload, now)
                    entry["message"] = as_json(message)
                    lines += message_lines(message)
            except BadMessage as error:
                is_bad = True
                entry["error"] = str(error)
                lines.append(f"cannot be read: {error}")
            found.append(entry)
            if not is_json:
                print("\n".join(lines))
    if is_json:
        print_json(found)
    return 1 if is_bad else 0


def _unwrapped(text: str) -> Iterator[tuple[dict[str, Any], bytes, bool]]:
    """Payloads in what was typed, each with what stood around it, and whether it is settings.

    Raises:
        UsageError: it is neither hexadecimal nor base64, or a frame without such a payload.
    """
    data = _bytes_of(text)
    if not data.startswith(b"\x94\xc3"):
        yield {}, data, False
        return
    count = 0
    for frame in envelope.frames(data):
        packet = None
        for read in (envelope.from_radio, envelope.to_radio):
            try:
                packet = packet or read(frame)
            except BadMessage:
                continue
        if packet is None:
            continue
        around = {"from": f"!{packet.sender:08x}", "to": f"!{packet.to:08x}"}
        if packet.port == PORT:
            count += 1
            yield around, packet.payload, False
        elif packet.port == envelope.ADMIN_PORT and (config := envelope.config_of(packet.payload)):
            count += 1
            yield around, config, True
    if not count:
        raise UsageError(
            "this frame carries no message of Kiezbox 2.0", hint="They are on port 258."
        )


def _around(around: dict[str, Any]) -> str:
    return f"  from {around['from']} to {around['to']}" if around else ""


def _bytes_of(text: str) -> bytes:
    plain = "".join(text.split()).replace(":", "").removeprefix("0x")
    for read in (bytes.fromhex, lambda given: base64.b64decode(given, validate=True)):
        try:
            return read(plain)
        except (ValueError, binascii.Error):
            continue
    raise UsageError(
        f"{text[:40]!r} is neither hexadecimal nor base64",
        hint="For example: kiezbox foreign decode 2a040a001002",
    )
