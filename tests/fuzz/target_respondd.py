"""What strangers send to UDP port 1001, and what babeld's port and neighbours.json may hold.

The first byte chooses the parser, so that spoilt deflate is one of the inputs, and so is good
deflate of spoilt JSON.
"""

from __future__ import annotations

import json
import tempfile
import zlib
from pathlib import Path
from typing import Any

from kiezbox.neighbours import babel
from kiezbox.neighbours.known import broker, read
from kiezbox.neighbours.respondd import answer, neighbour, unpack

NOW = 1_767_466_800.0
FACTS: dict[str, Any] = {
    "id": "kb-1", "name": "Späti", "version": "0.1.0", "place": None, "mac": "02:00:00:00:00:01",
    "mesh": "", "port": "", "kind": "wire", "routing": "", "address": "", "broker_port": 0,
    "uplink": "", "has_uplink": False, "answers_uplink": False, "shares_uplink": False,
    "facts": "/nowhere",
}  # fmt: skip
BOX = {"id": "kb-2", "name": "Zwei", "version": "0.1", "address": "10.43.0.2", "seen_at": NOW,
       "link_local": "fe80::2", "has_uplink": True, "broker_port": 1883}  # fmt: skip
_ABOUT = json.dumps({"kiezbox": BOX}).encode()
_FOLDER = tempfile.TemporaryDirectory(prefix="kiezbox-fuzz-")


def _packed(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(data) + packer.flush()


SEEDS = [
    b"0GET nodeinfo statistics neighbours kiezbox",
    b"0nodeinfo",
    b"1" + _packed(_ABOUT),
    b"2" + _ABOUT,
    b"3BABEL 1.0\nok\nadd neighbour 1 address fe80::2 if kb-mesh reach ffff ureach 0000 rxcost 96"
    b" txcost 96 cost 96\nok\n",
    b"4" + json.dumps({"written_at": NOW, "interface": "kb-mesh", "neighbours": [BOX],
                       "clash": {"what": "id", "with": "kb-2"}}).encode(),
]  # fmt: skip


def one(data: bytes) -> None:
    """An answer or none, a neighbour or none; never an error."""
    kind, rest = data[:1], data[1:]
    if kind == b"1":
        neighbour(unpack(rest), "fe80::2")
    elif kind == b"2":
        neighbour(unpack(_packed(rest)), "fe80::2")
    elif kind == b"3":
        babel.neighbours(rest.decode("ascii", errors="replace"))
    elif kind == b"4":
        Path(_FOLDER.name, "neighbours.json").write_bytes(rest)
        broker(read(_FOLDER.name, NOW))
    else:
        answer(rest, FACTS, "none")
