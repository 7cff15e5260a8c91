"""Runs with the foreign packages' own Python: ``mudp`` sends and listens, ``vnode`` is a node.

argv: a folder for vnode, and the number of the radio that it shall write to. A line of JSON for
each thing that happens; ends when its input does.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from mudp import send_text_message
from pubsub import pub
from vnode import VirtualNode


def say(what: str, **about: Any) -> None:
    print(json.dumps({"what": what, **about}), file=sys.__stdout__, flush=True)


def on_packet(packet: Any, portnum: int, addr: Any) -> None:
    sender = getattr(packet, "from")
    text = packet.decoded.payload.hex()
    say("heard", sender=sender, port=portnum, payload=text, hops=packet.hop_limit)


def on_ack(packet: Any, routing: Any, addr: Any, pending: Any) -> None:
    say("acknowledged", sender=getattr(packet, "from"), request=packet.decoded.request_id)


def main() -> None:
    folder, radio = Path(sys.argv[1]), int(sys.argv[2])
    sys.stdout = sys.stderr  # mudp prints what it sends
    pub.subscribe(on_packet, "mesh.rx.decoded")
    pub.subscribe(on_ack, "mesh.rx.ack")
    (folder / "node.json").write_text(
        json.dumps({"node_id": "!0a0b0c0d", "long_name": "Foreign", "short_name": "FOR"})
    )
    node = VirtualNode(folder / "node.json")
    node.start()
    send_text_message("by mudp", node_id="!0a0b0c0d")
    sent = node.sendText("by vnode", destinationId=radio, wantAck=True)
    say("sent", id=sent.id)
    sys.stdin.read()
    node.stop()


main()
