"""A text by Meshtastic: not signed by firmware 2.7. The package makes the bytes; no radio."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence

from benchmarks.lib.contest import BENCH, Skipped

NAME = "Meshtastic, unsigned"

APP = """
import json, sys

from meshtastic.protobuf import mesh_pb2, portnums_pb2

sizes = []
for text in json.load(sys.stdin):
    data = mesh_pb2.Data(portnum=portnums_pb2.TEXT_MESSAGE_APP, payload=text.encode(), bitfield=1)
    sizes.append(16 + len(data.SerializeToString()))
print(json.dumps(sizes))
"""


def sizes(texts: Sequence[str]) -> list[int]:
    """Bytes of the packet for each text: header of sixteen bytes, and the Data message."""
    if not (BENCH / "meshtastic" / ".complete").exists():
        raise Skipped("not installed: benchmarks/peers.sh")
    done = subprocess.run(
        [str(BENCH / "meshtastic" / "bin" / "python"), "-c", APP], input=json.dumps(texts),
        capture_output=True, text=True, timeout=120, check=True,
    )  # fmt: skip
    found: list[int] = json.loads(done.stdout)
    return found
