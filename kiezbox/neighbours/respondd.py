"""respondd: how Freifunk's nodes, and our boxes, find each other and say what they are.

``kiezbox-respondd.service``. UDP port 1001, groups
ff02::2:1001 and ff05::2:1001. A request is ``GET`` and names, divided by spaces; the answer a
JSON object with a member for each name that is known, as raw deflate (RFC 1951, no header). A
single name without ``GET`` is answered with its object alone, as plain JSON. What is not a
request gets no answer. (freifunk-gluon/packages, net/respondd: README.md, src/respondd.c.)

Every minute it asks the other boxes of the mesh for ``kiezbox`` and writes what it hears to
``neighbours.json``; it writes ``own``, ``mesh`` or ``none`` to ``uplink`` whenever the kernel's
routes change. Both lie in systemd's RUNTIME_DIRECTORY, or beside FILE's folder without one.

No right but that to its port, one thread, no import that it does not need: it stays resident on
every box for ever.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import socket
import struct
import sys
import time
import zlib
from typing import Any

from kiezbox.neighbours import routes
from kiezbox.neighbours.nodeinfo import SECTIONS, Facts

__all__ = ["GROUPS", "PORT", "Respondd", "Limit", "answer", "main", "neighbour", "unpack"]

PORT = 1001
#: Neighbours on the link, and everybody in the site.
GROUPS = ("ff02::2:1001", "ff05::2:1001")
#: Gluon's own limit; no honest request comes near.
MOST_REQUEST = 255
#: What a hostile answer may become when it is unpacked.
MOST_UNPACKED = 65536
#: Seconds between two questions; the first few come sooner, so that a box that starts soon knows.
#: Boxes of an encrypted radio mesh hear each other 10 to 15 s after the radio is there.
ASK_EVERY_S = 60.0
FIRST_ASKS_S = (0.0, 2.0, 8.0, 16.0, 32.0)
#: What boxes ask each other.
QUESTION = b"GET kiezbox"
#: A neighbour that was not heard for so long has gone: three questions unanswered.
FORGET_S = 3.5 * ASK_EVERY_S
MOST_NEIGHBOURS = 256

#: linux/in6.h; Python has no name for it.
_IPV6_RECVPKTINFO, _IPV6_PKTINFO = 49, 50


class Limit:
    """A token bucket for all and one for each sender. ``rate`` a second, ``burst`` at once."""

    def __init__(self, rate: float, burst: float) -> None:
        self._rate, self._burst = rate, burst
        self._buckets: dict[str, tuple[float, float]] = {}

    def allows(self, sender: str, now: float) -> bool:
        """Whether this one may be answered. ``now`` in seconds of a clock that never goes back."""
        tokens, since = self._buckets.get(sender, (self._burst, now))
        tokens = min(self._burst, tokens + (now - since) * self._rate)
        if len(self._buckets) >= 1024:
            # Somebody invents senders; forgetting the honest ones costs them nothing.
            self._buckets.clear()
        is_allowed = tokens >= 1
        self._buckets[sender] = (tokens - is_allowed, now)
        return is_allowed


def answer(request: bytes, facts: Facts, uplink: str) -> bytes | None:
    """What to send back; None: nothing, since this is no request."""
    if len(request) > MOST_REQUEST:
        return None
    words = request.split(b"\0", 1)[0].decode("ascii", errors="replace")
    if words.startswith("GET "):
        said = {
            name: SECTIONS[name](facts, uplink) for name in words[4:].split(" ") if name in SECTIONS
        }
        packer = zlib.compressobj(9, zlib.DEFLATED, -15)
        return packer.compress(_json(said)) + packer.flush()
    if words in SECTIONS:
        return _json(SECTIONS[words](facts, uplink))
    return None


def unpack(data: bytes) -> dict[str, Any] | None:
    """The JSON object in a respondd's answer; None: there is none."""
    unpacker = zlib.decompressobj(-15)
    try:
        text = unpacker.decompress(data, MOST_UNPACKED)
        if not unpacker.eof:
            return None
        found = json.loads(text)
    except (zlib.error, ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def neighbour(said: dict[str, Any] | None, sender: str) -> dict[str, Any] | None:
    """What another box says about itself, as it goes into neighbours.json; None: it is no box.

    ``sender``: its link-local address, without a zone.
    """
    about = said.get("kiezbox") if said else None
    if not isinstance(about, dict):
        return None
    name, version = about.get("name"), about.get("version")
    box, address, port = about.get("id"), about.get("address"), about.get("broker_port")
    if not isinstance(box, str) or not _is_word(box, 63):
        return None
    is_port = isinstance(port, int) and not isinstance(port, bool) and 0 < port < 65536
    at = about.get("time")
    knows_time = isinstance(at, int | float) and not isinstance(at, bool) and 0 < at < 1e11
    return {
        "id": box,
        "name": name[:80] if isinstance(name, str) and name.isprintable() else box,
        "version": version if isinstance(version, str) and _is_word(version, 31) else "",
        "address": address if isinstance(address, str) and _is_ipv4(address) else "",
        "link_local": sender,
        "has_uplink": about.get("has_uplink") is True,
        "broker_port": port if is_port else 0,
        **({"time": at, "time_at": _since_start()} if knows_time else {}),
    }


def _since_start() -> float:
    """Seconds since the machine's start, by which others know when a time was heard."""
    return round(time.clock_gettime(time.CLOCK_BOOTTIME), 3)


class Respondd:
    """The sockets, and what is known. ``facts`` is respondd.json, ``folder`` where news goes."""

    def __init__(self, facts: Facts, folder: str) -> None:
        self._facts, self._folder = facts, folder
        self._each, self._all = Limit(5, 20), Limit(50, 100)
        #: id → (when heard, what it said). Seconds of the monotonic clock.
        self._neighbours: dict[str, tuple[float, dict[str, Any]]] = {}
        self._clash: dict[str, str] | None = None
        #: Interfaces that we listen on: index → name.
        self._joined: dict[int, str] = {}
        self._uplink = ""
        self._asks = 0
        self._ask_at = 0.0
        self._events = routes.watch()
        self._socket = _open()

    def close(self) -> None:
        """Close the sockets and take the news away: nobody keeps it true any more."""
        self._socket.close()
        self._events.close()
        for name in ("uplink", "neighbours.json"):
            with contextlib.suppress(OSError):
                os.unlink(os.path.join(self._folder, name))

    def run(self) -> None:
        """For ever, until a signal."""
        poll = select.poll()
        poll.register(self._socket, select.POLLIN)
        poll.register(self._events, select.POLLIN)
        self._look()
        self._write_neighbours()
        while True:
            now = time.monotonic()
            if self._mesh_index and now >= self._ask_at:
                self._ask(now)
            wait_s = self._ask_at - now if self._mesh_index else None
            for descriptor, _ in poll.poll(None if wait_s is None else max(0, wait_s) * 1000):
                if descriptor == self._events.fileno():
                    self._drain()
                    self._look()
                else:
                    self._receive()

    # --- the kernel's news ---------------------------------------------------------------

    def _drain(self) -> None:
        """Read away all events: one look serves them all, also those that were lost."""
        while True:
            try:
                self._events.recv(65536)
            except BlockingIOError:
                return
            except OSError:
                # ENOBUFS: more came than fitted.
                continue

    def _look(self) -> None:
        """Interfaces may have come or gone, and routes."""
        found = routes.defaults()
        facts = self._facts
        ours = facts["uplink"] if facts["has_uplink"] else "-"
        uplink = routes.uplink(found, ours=ours, mesh=facts["mesh"])
        if uplink != self._uplink:
            if self._uplink == "own" and facts["shares_uplink"]:
                self._write("withdrawn", f"{time.time():.0f}\n")
            self._uplink = uplink
            self._write("uplink", f"{uplink}\n")
        names = {facts["mesh"]} if facts["mesh"] else set()
        if facts["answers_uplink"]:
            names |= {name for name in found if ours in ("", name)}
            names |= {facts["uplink"]} - {""}
        self._join(names)

    def _join(self, names: set[str]) -> None:
        there = {}
        for name in names:
            with contextlib.suppress(OSError):
                there[socket.if_nametoindex(name)] = name
        for index in there.keys() - self._joined.keys():
            for group in GROUPS:
                member = socket.inet_pton(socket.AF_INET6, group) + struct.pack("=I", index)
                with contextlib.suppress(OSError):
                    self._socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP, member)
            if there[index] == self._facts["mesh"]:
                self._asks, self._ask_at = 0, time.monotonic()
        # Where the interface has gone, the kernel has left the group.
        self._joined = there

    @property
    def _mesh_index(self) -> int:
        mesh = self._facts["mesh"]
        return next((index for index, name in self._joined.items() if name == mesh), 0)

    # --- the other boxes -----------------------------------------------------------------

    def _ask(self, now: float) -> None:
        steps = [
            later - earlier for earlier, later in zip(FIRST_ASKS_S, FIRST_ASKS_S[1:], strict=False)
        ]
        self._ask_at = now + (steps[self._asks] if self._asks < len(steps) else ASK_EVERY_S)
        self._asks += 1
        with contextlib.suppress(OSError):
            # Without a link it cannot be sent; the next one will be.
            self._socket.sendto(QUESTION, (GROUPS[0], PORT, 0, self._mesh_index))
        gone = [box for box, (heard, _) in self._neighbours.items() if now - heard > FORGET_S]
        for box in gone:
            del self._neighbours[box]
        self._write_neighbours()

    def _ask_back(self, sender: Any) -> None:
        """A box that asks is a box: who is new here need not be waited for."""
        address = str(sender[0]).partition("%")[0]
        if all(found["link_local"] != address for _, found in self._neighbours.values()):
            self._socket.sendto(QUESTION, sender)

    def _hear(self, data: bytes, sender: str) -> None:
        found = neighbour(unpack(data), sender)
        if found is None:
            return
        mine = self._facts
        for what in ("id", "address"):
            if found[what] and found[what] == mine[what]:
                self._clash = {"what": what, "value": found[what], "with": found["id"]}
                _log(f"another box has the same {what}, {found[what]}: {found['id']} at {sender}")
        if found["id"] != mine["id"] and (
            found["id"] in self._neighbours or len(self._neighbours) < MOST_NEIGHBOURS
        ):
            self._neighbours[found["id"]] = (time.monotonic(), found)
            self._write_neighbours()

    def _write_neighbours(self) -> None:
        now, here = time.time(), time.monotonic()
        known = [
            {**found, "seen_at": round(now - (here - heard))}
            for _, (heard, found) in sorted(self._neighbours.items())
        ]
        news = {
            "written_at": round(now),
            "interface": self._facts["mesh"],
            "neighbours": known,
            "clash": self._clash,
        }
        self._write("neighbours.json", _json(news).decode() + "\n")

    # --- packets -------------------------------------------------------------------------

    def _receive(self) -> None:
        try:
            data, notes, _, sender = self._socket.recvmsg(65536, 256)
        except OSError:
            # ICMP's word about an answer that nobody waited for.
            return
        index = next(
            (
                struct.unpack("=16sI", note[:20])[1]
                for level, kind, note in notes
                if level == socket.IPPROTO_IPV6 and kind == _IPV6_PKTINFO and len(note) >= 20
            ),
            0,
        )
        if index not in self._joined:
            return
        now, address = time.monotonic(), str(sender[0]).partition("%")[0]
        if not (self._each.allows(address, now) and self._all.allows("", now)):
            return
        reply = answer(data, self._facts, self._uplink)
        if reply is not None:
            with contextlib.suppress(OSError):
                self._socket.sendto(reply, sender)
                if data == QUESTION and index == self._mesh_index and sender[1] == PORT:
                    self._ask_back(sender)
        elif index == self._mesh_index and sender[1] == PORT:
            self._hear(data, address)

    def _write(self, name: str, text: str) -> None:
        """By renaming, so that a reader finds the old or the new, never half."""
        path = os.path.join(self._folder, name)
        with open(f"{path}.new", "w", encoding="utf-8") as file:
            file.write(text)
        os.replace(f"{path}.new", path)


def _open() -> socket.socket:
    """Questions go out from the same port as answers: so the firewall needs one hole, and a
    question by multicast has no connection that an answer could be tracked to.
    """
    opened = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
    opened.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    opened.setsockopt(socket.IPPROTO_IPV6, _IPV6_RECVPKTINFO, 1)
    opened.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_LOOP, 0)
    opened.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, 1)
    opened.setblocking(False)
    opened.bind(("::", PORT))
    return opened


def _json(what: object) -> bytes:
    return json.dumps(what, ensure_ascii=False, separators=(",", ":")).encode()


def _is_word(text: str, most: int) -> bool:
    return (
        0 < len(text) <= most
        and text.isascii()
        and text.replace(".", "").replace("-", "").replace("+", "").isalnum()
    )


def _is_ipv4(text: str) -> bool:
    try:
        socket.inet_pton(socket.AF_INET, text)
    except (OSError, ValueError):
        return False
    return True


def _log(text: str) -> None:
    print(f"respondd: {text}", file=sys.stderr, flush=True)


def _leave(number: int, frame: object) -> None:
    raise SystemExit(0)


def main(arguments: list[str]) -> int:
    """``arguments``: the file that ``mesh.files`` made."""
    (path,) = arguments
    with open(path, encoding="utf-8") as file:
        facts = json.load(file)
    folder = os.environ.get("RUNTIME_DIRECTORY") or os.path.dirname(os.path.dirname(path))
    signal.signal(signal.SIGTERM, _leave)
    try:
        respondd = Respondd(facts, folder)
    except OSError as error:
        _log(f"cannot listen on UDP port {PORT}: {error.strerror}")
        return 9
    try:
        respondd.run()
    except KeyboardInterrupt:
        pass
    finally:
        respondd.close()
    return 0
