"""LXMF on Reticulum: what a signed message takes as one packet, and the proof that answers it.

The packages make the very packets; no interface is opened.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence

from benchmarks.lib.contest import BENCH, Skipped

NAME = "LXMF with its proof"

APP = """
import json, sys, tempfile

import LXMF, RNS

folder = tempfile.mkdtemp()
with open(folder + "/config", "w") as file:
    file.write("[reticulum]\\nenable_transport = no\\nshare_instance = no\\n")
RNS.Reticulum(folder, loglevel=0)
here, there = RNS.Identity(), RNS.Identity()
source = RNS.Destination(here, RNS.Destination.IN, RNS.Destination.SINGLE, "lxmf", "delivery")
target = RNS.Destination(there, RNS.Destination.OUT, RNS.Destination.SINGLE, "lxmf", "delivery")
sizes = []
for text in json.load(sys.stdin):
    message = LXMF.LXMessage(target, source, text, desired_method=LXMF.LXMessage.OPPORTUNISTIC)
    message.pack()
    packet = message._LXMessage__as_packet()
    packet.pack()
    signature = there.sign(packet.packet_hash)
    if not RNS.Reticulum.should_use_implicit_proof():
        signature = packet.packet_hash + signature
    proof = RNS.Packet(packet.generate_proof_destination(), signature, RNS.Packet.PROOF)
    proof.pack()
    sizes.append([len(packet.raw), len(proof.raw)])
print(json.dumps(sizes), flush=True)
import os
os._exit(0)
"""


def sizes(texts: Sequence[str]) -> list[tuple[int, int]]:
    """Bytes of the packet, and of its proof, for each text."""
    if not (BENCH / "lxmf" / ".complete").exists():
        raise Skipped("not installed: benchmarks/peers.sh")
    done = subprocess.run(
        [str(BENCH / "lxmf" / "bin" / "python"), "-c", APP], input=json.dumps(texts),
        capture_output=True, text=True, timeout=120, check=True,
    )  # fmt: skip
    return [(packet, proof) for packet, proof in json.loads(done.stdout.splitlines()[-1])]
