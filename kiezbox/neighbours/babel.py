"""What babeld knows: the neighbours, and how well they are heard.

``kiezbox.network.babel`` writes its settings.
"""

from __future__ import annotations

import socket

__all__ = ["PORT", "dump", "neighbours"]

#: Where babeld tells its neighbours: TCP on ::1, for reading only. Not a Unix socket, which a
#: babeld that was killed leaves behind and the next one refuses to replace.
PORT = 33123

#: Seconds for babeld on this machine.
_LIMIT_S = 0.3
_MOST = 1 << 20


def dump() -> str:
    """What babeld answers to ``dump``; "" where there is none. Its greeting ends with a line
    ``ok``, and so does its answer (babeld(8), "Local configuration interface").
    """
    said = b""
    try:
        with socket.create_connection(("::1", PORT), timeout=_LIMIT_S) as talk:
            talk.settimeout(_LIMIT_S)
            talk.sendall(b"dump\n")
            while said.count(b"\nok\n") < 2 and len(said) < _MOST:
                part = talk.recv(65536)
                if not part:
                    break
                said += part
    except OSError:
        return ""
    return said.decode("ascii", errors="replace")


def neighbours(dump: str) -> list[dict[str, str]]:
    """The neighbours in babeld's answer to ``dump``: its words as they stand.

    A line is ``add neighbour ID address ADDRESS if IFACE reach HEX ureach HEX rxcost N txcost N
    cost N``. Lines of other form are passed over.
    """
    found = []
    for line in dump.splitlines():
        words = line.split()
        if words[:2] == ["add", "neighbour"] and len(words) % 2 == 1:
            found.append(dict(zip(words[3::2], words[4::2], strict=True)))
    return found
