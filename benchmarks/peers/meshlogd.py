"""meshlogd's anti-entropy on its own simulated transport: bytes of all messages, both ways."""

from __future__ import annotations

import json
import subprocess

from benchmarks.lib.contest import BENCH, Skipped

NAME = "meshlogd"

APP = """
import hashlib, json, sys

from meshlog import Node, SimNetwork, SimTransport

authors, events, text = json.load(sys.stdin)
net = SimNetwork()
# As its Reticulum transport names authors: an identity's hash, sixteen bytes in hex.
names = [hashlib.sha256(bytes([n])).hexdigest()[:32] for n in range(authors)]
writers = [Node(name, SimTransport(name, net)) for name in names]
for writer in writers:
    for _ in range(events):
        writer.emit("post", {"text": text})
# Two more meet. One has heard all the others.
left, right = (Node(name, SimTransport(name, net)) for name in ("left", "right"))
everything = [event for writer in writers for event in writer.store.all_events()]
net.set_partitions([{"left", "right"}])


def meet():
    before = net.bytes_sent
    left.gossip_round()
    right.gossip_round()
    assert left.frontier() == right.frontier()
    return net.bytes_sent - before


left.store.ingest_many(everything)
found = {"first_bytes": meet()}
found["same_bytes"] = meet()
left.store.ingest_many([writers[0].emit("post", {"text": text}) for _ in range(10)])
found["ten_bytes"] = meet()
print(json.dumps(found))
"""


def measured(authors: int, events: int, text: str) -> dict[str, float]:
    """``first_bytes``, ``same_bytes``, ``ten_bytes``: see ``contests.sync``."""
    if not (BENCH / "meshlogd" / ".complete").exists():
        raise Skipped("not installed: benchmarks/peers.sh")
    done = subprocess.run(
        [str(BENCH / "meshlogd" / "bin" / "python"), "-c", APP],
        input=json.dumps([authors, events, text]),
        capture_output=True, text=True, timeout=120, check=True,
    )  # fmt: skip
    found: dict[str, float] = json.loads(done.stdout)
    return found
