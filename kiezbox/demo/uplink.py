"""A box's way to the broker, which the demo can cut: a TCP proxy on loopback.

Cutting it is a matter of the network, not of the node: connections are reset, new ones too.
"""

from __future__ import annotations

import contextlib
import socket
import struct
import threading

#: Close with a reset instead of a goodbye: SO_LINGER on, 0 s (socket(7)).
RESET = struct.pack("ii", 1, 0)


class Uplink:
    """Listens on ``port`` as long as it exists; ``is_cut`` says whether it leads anywhere."""

    def __init__(self, broker_port: int) -> None:
        self._broker = ("127.0.0.1", broker_port)
        self._lock = threading.Lock()
        self._ends: set[socket.socket] = set()
        self.is_cut = False
        # Stays open while cut: a port that was given back could be somebody else's by the time
        # the uplink is restored.
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._is_closed = False
        threading.Thread(target=self._accept, name=f"uplink {self.port}", daemon=True).start()

    def cut(self) -> None:
        """No way to the broker from now on."""
        with self._lock:
            self.is_cut = True
            ends, self._ends = self._ends, set()
        for end in ends:
            _reset(end)

    def restore(self) -> None:
        """The way is free again; the node has to notice by itself."""
        self.is_cut = False

    def close(self) -> None:
        """Cut it for good. Idempotent."""
        self._is_closed = True
        # close() alone would leave accept() waiting for ever.
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.cut()

    def _accept(self) -> None:
        while not self._is_closed:
            try:
                node, _ = self._listener.accept()
            except OSError:
                return
            if self.is_cut:
                _reset(node)
                continue
            try:
                broker = socket.create_connection(self._broker, timeout=5)
            except OSError:
                _reset(node)
                continue
            broker.settimeout(None)
            for end in (node, broker):
                end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self._lock:
                if self.is_cut:
                    _reset(node)
                    _reset(broker)
                    continue
                self._ends |= {node, broker}
            for here, there in ((node, broker), (broker, node)):
                threading.Thread(target=self._pump, args=(here, there), daemon=True).start()

    def _pump(self, here: socket.socket, there: socket.socket) -> None:
        """Carry bytes one way until either side ends."""
        try:
            while data := here.recv(65536):
                there.sendall(data)
        except OSError:
            pass
        with self._lock:
            mine = {here, there} & self._ends
            self._ends -= mine
        for end in mine:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()


def _reset(end: socket.socket) -> None:
    with contextlib.suppress(OSError):
        end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
    with contextlib.suppress(OSError):
        # Wakes a thread that waits in recv() on it; close() alone does not.
        end.shutdown(socket.SHUT_RD)
    end.close()
