"""The MQTT broker of the demo: a real Mosquitto where there is one, else amqtt in a process.

``python -m kiezbox.demo.broker PORT`` is the second: amqtt speaks MQTT 3.1.1 only, so a node
falls back from version 5 as it would with an old broker.
"""

from __future__ import annotations

import getpass
import logging
import shutil
import socket
import sys
from importlib.util import find_spec
from pathlib import Path

from kiezbox.errors import MissingPackage

#: Debian puts it where a user's PATH does not look.
MOSQUITTO = ("mosquitto", "/usr/sbin/mosquitto", "/usr/local/sbin/mosquitto")


def command(folder: Path, port: int) -> tuple[str, list[str]]:
    """(what it is, how to start it), for loopback only, keeping nothing on disk.

    Raises:
        MissingPackage: neither is installed.
    """
    mosquitto = next((found for name in MOSQUITTO if (found := shutil.which(name))), None)
    if mosquitto:
        settings = folder / "mosquitto.conf"
        settings.write_text(
            f"listener {port} 127.0.0.1\n"
            "allow_anonymous true\n"
            "persistence false\n"
            # Without, every acknowledgement that passes an uplink waits 40 ms.
            "set_tcp_nodelay true\n"
            # Started by root it would become the user mosquitto, who may not enter our folder.
            f"user {getpass.getuser()}\n"
            "log_dest stderr\n"
            "log_type error\n"
            "log_type warning\n",
            encoding="utf-8",
        )
        return "Mosquitto", [mosquitto, "-c", str(settings)]
    if find_spec("amqtt") is None:
        raise MissingPackage(
            "demo: there is no MQTT broker on this computer",
            hint="Install one: `pip install 'kiezbox[demo]'` (amqtt) or `apt install mosquitto`.",
        )
    return "amqtt", [sys.executable, "-m", "kiezbox.demo.broker", str(port)]


def free_port() -> int:
    """A port on loopback that nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def answers(port: int) -> bool:
    """Whether something accepts connections there."""
    try:
        socket.create_connection(("127.0.0.1", port), timeout=0.5).close()
    except OSError:
        return False
    return True


def main(port: int) -> None:
    """amqtt, until the process is ended."""
    import asyncio

    from amqtt.broker import Broker

    logging.basicConfig(level=logging.ERROR)
    settings = {
        "listeners": {"default": {"type": "tcp", "bind": f"127.0.0.1:{port}"}},
        "plugins": {"amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True}},
    }

    async def serve() -> None:
        await Broker(settings).start()
        await asyncio.Event().wait()

    asyncio.run(serve())


if __name__ == "__main__":
    main(int(sys.argv[1]))
