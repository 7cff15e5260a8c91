"""Runs in a network namespace of its own: two radios on the air, one unchanged client, and foreign
nodes by multicast. Prints what happened as JSON.

argv: the foreign packages' Python, a folder.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from meshtastic.tcp_interface import TCPInterface
from pubsub import pub
from radio_air.clients import SPEED, Inbox, until

from kiezbox.clock import ScaledClock
from kiezbox.hardware.simulated.air_multicast import Multicast
from kiezbox.hardware.simulated.meshtastic_air import MeshtasticAir

FOREIGN = 0x0A0B0C0D


def prepare() -> None:
    for words in ("link set lo up multicast on", "route add 224.0.0.0/4 dev lo"):
        subprocess.run(["ip", *words.split()], check=True, timeout=10)


def main() -> None:
    python, folder = sys.argv[1:]
    prepare()
    inbox, told = Inbox(), []
    pub.subscribe(inbox.on_packet, "meshtastic.receive")
    with MeshtasticAir(ScaledClock(SPEED, time.time())) as kiez:
        radio = kiez.add("north", tcp=0, says_who_it_is=False)
        assert radio.address is not None
        client = TCPInterface(radio.address[0], portNumber=radio.address[1])
        group = Multicast(kiez.loop, kiez.air)
        foreign = subprocess.Popen(
            [python, str(Path(__file__).with_name("foreign_node.py")), folder, str(radio.number)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip

        def listen() -> None:
            assert foreign.stdout is not None
            for line in foreign.stdout:
                told.append(json.loads(line))

        def has_said(what: str, **about: Any) -> Any:
            wanted = {"what": what, **about}.items()
            return next((each for each in told if wanted <= each.items()), None)

        listener = threading.Thread(target=listen, daemon=True)
        listener.start()
        try:
            texts = until(
                lambda: len(found := inbox.of(client, "TEXT_MESSAGE_APP")) == 2 and found,
                "both foreign texts arrive", 40,
            )  # fmt: skip
            sent = until(lambda: has_said("sent"), "the foreign node says its packet's number")
            until(lambda: has_said("acknowledged", request=sent["id"]), "our radio acknowledges")
            until(lambda: inbox.of(client, "NODEINFO_APP"), "the foreign node says who it is")
            ours = client.sendData(bytes(range(100)), FOREIGN, portNum=300, wantAck=True)
            until(lambda: (FOREIGN, "NONE") in inbox.routing(client, ours.id), "the foreign ack")
            until(lambda: has_said("heard", sender=radio.number, port=300), "the frame is heard")
            print(
                json.dumps(
                    {
                        "texts": sorted(each["decoded"]["text"] for each in texts),
                        "senders": sorted({each["from"] for each in texts}),
                        "ack": has_said("acknowledged", request=sent["id"])["sender"]
                        == radio.number,
                        "heard": has_said("heard", sender=radio.number, port=300)["payload"],
                        "name": client.nodes["!0a0b0c0d"]["user"]["longName"],
                        "on_air": sum(each.sender == "multicast" for each in kiez.recorded()),
                    }
                )
            )
        finally:
            assert foreign.stdin is not None
            foreign.stdin.close()
            try:
                foreign.wait(10)
            except subprocess.TimeoutExpired:
                foreign.kill()
                foreign.wait(10)
            listener.join(5)
            client.close()
            group.close()


main()
