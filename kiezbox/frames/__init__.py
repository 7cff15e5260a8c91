"""What goes through the air, byte by byte: docs/frames.md. Pure; all that comes in is hostile."""

from __future__ import annotations

from kiezbox.frames.header import BadFrame, Kind, kind_of, sealed, unsealed
from kiezbox.frames.origins import ORIGIN_BYTES, origin_id

#: Our port number within Meshtastic's Data messages, in the range left to applications (256 to 511;
#: 256 is PRIVATE_APP, which everybody tries things with, and 258 is Kiezbox 2.0's).
PORT = 300

#: A frame is no longer, by plan: with Meshtastic's wrapping it fits one packet of 255 bytes, and a
#: signature of its firmware 2.8 is never added to one so long.
MOST_BYTES = 200

__all__ = [
    "MOST_BYTES",
    "ORIGIN_BYTES",
    "PORT",
    "BadFrame",
    "Kind",
    "kind_of",
    "origin_id",
    "sealed",
    "unsealed",
]
