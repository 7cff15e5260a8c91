"""The bench: all that is wired to one simulated box, served to that box's node.

The bench lives in one process (``kiezbox demo``, a test), the node in another and reaches it by
address only, as if it were hardware::

    with Bench(folder) as bench:
        bench.attach(0x76, chip)                  # hardware.i2c  = "sim:FOLDER/bench.sock"
        bench.set_pin(17, True)                   # hardware.gpio = "sim:FOLDER/bench.sock"
        port = bench.attach_serial("ttyUSB0", device)   # sensors.….port = "FOLDER/ttyUSB0"
        bench.attach_onewire("28-00000a1b2c3d", part)   # hardware.onewire = "sim:FOLDER/bench.sock"
        bench.fault(0x76, "hang")
        bench.fault(0x76, None)

Bus and pins are served on ``FOLDER/bench.sock`` in the language of ``kiezbox.hardware.wire``, a
thread per connection; a serial line is a pseudo-terminal. A client that dies, stalls or talks
nonsense costs its own connection and nothing else.
"""

from __future__ import annotations

import errno
import logging
import os
import socket
import threading
import time
from typing import TypeVar

from kiezbox.errors import KiezboxError
from kiezbox.hardware import wire
from kiezbox.hardware.simulated import bus as bus_model
from kiezbox.hardware.simulated import onewire as onewire_model
from kiezbox.hardware.simulated import serial_line as serial_model
from kiezbox.hardware.simulated.bus import Chip, SimulatedBus
from kiezbox.hardware.simulated.onewire import OneWirePart, SimulatedOneWire
from kiezbox.hardware.simulated.pins import Pins
from kiezbox.hardware.simulated.serial_line import SerialDevice, SerialLine

__all__ = ["Bench"]

log = logging.getLogger("kiezbox.bench")

F = TypeVar("F")

#: A node needs two connections; more than this is a mistake, and is turned away.
MOST_CLIENTS = 32

#: ``sun_path`` holds 108 bytes with its closing zero (unix(7)).
MOST_PATH = 107


class Bench:
    """One box's chips, ports and pins. All methods may be called from any thread."""

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        self.folder = os.fspath(folder)
        self.bus = SimulatedBus()
        self.onewire = SimulatedOneWire()
        self.pins = Pins()
        self._lines: dict[str, SerialLine] = {}
        self._clients: set[_Client] = set()
        self._lock = threading.Lock()
        self._is_closed = False
        os.makedirs(self.folder, exist_ok=True)
        self._path = os.path.join(self.folder, "bench.sock")
        self._listener = _listen(self._path)
        self._thread = threading.Thread(target=self._accept, name="bench", daemon=True)
        self._thread.start()

    @property
    def address(self) -> str:
        """What ``hardware.i2c`` and ``hardware.gpio`` say to use this bench."""
        return f"sim:{self._path}"

    def attach(self, address: int, chip: Chip) -> None:
        """Solder a chip onto the bus."""
        self.bus.attach(address, chip)

    def attach_serial(self, name: str, device: SerialDevice) -> str:
        """Plug a device into the port ``name`` (say, "ttyUSB0"); returns the port's path."""
        path = os.path.join(self.folder, name)
        if name in self._lines:
            self._lines.pop(name).close()
        self._lines[name] = SerialLine(path, device)
        return path

    def attach_onewire(self, identity: str, part: OneWirePart) -> None:
        """Wire a 1-Wire sensor in; ``identity`` as the kernel writes it."""
        self.onewire.attach(identity, part)

    def set_pin(self, number: int, high: bool | None) -> None:
        """Drive a line from outside; None: nothing is connected to it."""
        self.pins.set(number, high)

    def pin(self, number: int) -> bool:
        """The level of a line; also how an output of the box is looked at. True: high."""
        return self.pins.level(number)

    def fault(self, target: int | str, kind: str | None, **detail: float) -> None:
        """Break something at run time, or (None) mend it.

        ============ ===================================================== =====================
        target       kinds                                                 see
        ============ ===================================================== =====================
        0x76         vanish, every_nth_error, error, slow, hang, bit_flip  simulated.bus
        "ttyUSB0"    unplug, every_nth_error, cut, garbage, silence, slow, simulated.serial_line
                     bit_flip, half_speed
        "28-0000…"   vanish, every_nth_error, slow, hang, bit_flip         simulated.onewire
        "GPIO17"     open, stuck, vanish                                   simulated.pins
        ============ ===================================================== =====================

        ``detail`` are the fields of the fault (``n=3``, ``seconds=0.2``). One fault at a time
        on a target; a new one takes the place of the old.

        Raises:
            ValueError: no such target, kind or detail.
        """
        if isinstance(target, int):
            if target not in self.bus:
                raise ValueError(f"no chip is attached at address 0x{target:02x}")
            self.bus.fault(target, _make(bus_model.FAULTS, kind, detail))
        elif target in self._lines:
            self._lines[target].fault(_make(serial_model.FAULTS, kind, detail))
        elif target in self.onewire:
            self.onewire.fault(target, _make(onewire_model.FAULTS, kind, detail))
        elif target.startswith("GPIO") and target[4:].isdigit() and not detail:
            self.pins.fault(int(target[4:]), kind)
            if kind == "vanish":
                # Whoever had the line loses the connection, as a node loses its chip.
                self._hang_up_all()
        else:
            raise ValueError(f"nothing called {target!r} is attached (or it takes no detail)")

    def close(self) -> None:
        """Take everything down: socket, ports, threads. Idempotent."""
        with self._lock:
            if self._is_closed:
                return
            self._is_closed = True
            clients = list(self._clients)
        self.bus.close()
        self.onewire.close()
        # shutdown(), because close() alone does not wake a thread inside accept().
        self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join(5)
        self._listener.close()
        if os.path.lexists(self._path):
            os.unlink(self._path)
        for client in clients:
            client.hang_up()
        for client in clients:
            client.thread.join(5)
        for line in self._lines.values():
            line.close()

    def __enter__(self) -> Bench:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError as error:
                if self._is_closed:
                    return
                # Out of file numbers, say; those who are connected are served on.
                log.warning("bench: cannot take a connection: %s", error)
                time.sleep(0.1)
                continue
            client = _Client(self, connection)
            with self._lock:
                is_welcome = len(self._clients) < MOST_CLIENTS and not self._is_closed
                if is_welcome:
                    self._clients.add(client)
            if is_welcome:
                client.thread.start()
            else:
                connection.close()

    def _hang_up_all(self) -> None:
        with self._lock:
            clients = list(self._clients)
        for client in clients:
            client.hang_up()

    def _left(self, client: _Client) -> None:
        with self._lock:
            self._clients.discard(client)


class _Client:
    """One connection and the thread that serves it."""

    def __init__(self, bench: Bench, connection: socket.socket) -> None:
        self._bench = bench
        self._connection = connection
        connection.setblocking(False)
        self._lines: set[int] = set()
        self._sending = threading.Lock()
        self.thread = threading.Thread(target=self._serve, name="bench-client", daemon=True)

    def hang_up(self) -> None:
        """End the connection; the thread notices."""
        try:
            self._connection.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass  # it has ended already

    def _serve(self) -> None:
        self._bench.pins.watch(self._level_changed)
        try:
            while True:
                kind, body = wire.receive(self._connection, None)
                _ANSWERS[kind](self, body)
        except (OSError, KeyError, ValueError) as error:
            # Gone, or it does not speak our language: either way this connection ends here.
            log.debug("bench: a client left: %r", error)
        finally:
            self._bench.pins.unwatch(self._level_changed)
            self._bench._left(self)
            self._connection.close()

    def _transfer(self, body: bytes) -> None:
        head = body[: wire.TRANSFER_HEAD.size]
        if len(head) < wire.TRANSFER_HEAD.size:
            raise ValueError("half a TRANSFER")
        address, parts, count = wire.TRANSFER_HEAD.unpack(head)
        if count > wire.MOST_DATA:
            raise ValueError(f"a read of {count} bytes")
        out = body[wire.TRANSFER_HEAD.size :] if parts & wire.WRITES else None
        wanted = count if parts & wire.READS else None
        try:
            data = self._bench.bus.carry_out(address, out, wanted, self._is_gone)
        except OSError as error:
            self._send(wire.frame(wire.ERROR, wire.NUMBER.pack(error.errno or errno.EIO)))
        except Exception:
            log.exception("bench: the model at 0x%02x failed", address)
            self._send(wire.frame(wire.ERROR, wire.NUMBER.pack(errno.EIO)))
        else:
            self._send(wire.frame(wire.DATA, data))

    def _onewire(self, body: bytes) -> None:
        bus = self._bench.onewire
        try:
            identity = body.decode("ascii")
            data = bus.text(identity, self._is_gone) if identity else bus.names()
        except OSError as error:
            self._send(wire.frame(wire.ERROR, wire.NUMBER.pack(error.errno or errno.EIO)))
        else:
            self._send(wire.frame(wire.DATA, data))

    def _line(self, body: bytes) -> None:
        if len(body) != wire.PAIR.size:
            raise ValueError("a LINE of the wrong length")
        number, use = wire.PAIR.unpack(body)
        if use >= len(wire.USES):
            raise ValueError(f"no use of a line has the number {use}")
        pins = self._bench.pins
        # Under the pins' lock, so that no change falls between the first LEVEL and the next.
        with pins.quiet():
            self._lines.discard(number)
            pins.use(number, wire.USES[use])
            if pins.is_gone(number):
                return  # no such chip just now: nobody answers
            self._lines.add(number)
            self._level_changed(number, pins.level(number))

    def _level_changed(self, number: int, high: bool) -> None:
        if number in self._lines:
            self._send(wire.frame(wire.LEVEL, wire.PAIR.pack(number, high)))

    def _send(self, data: bytes) -> None:
        """Send at once and whole; a client that lets its buffer fill up is cut off.

        Never waits: the caller may be the one who sets a pin.
        """
        with self._sending:
            try:
                is_sent = self._connection.send(data) == len(data)
            except OSError:
                is_sent = False
        if not is_sent:
            self.hang_up()

    def _is_gone(self) -> bool:
        try:
            return self._connection.recv(1, socket.MSG_PEEK) == b""
        except BlockingIOError:
            return False
        except OSError:
            return True


#: What a client may ask for.
_ANSWERS = {
    wire.TRANSFER: _Client._transfer,
    wire.LINE: _Client._line,
    wire.ONEWIRE: _Client._onewire,
}


def _make(faults: dict[str, type[F]], kind: str | None, detail: dict[str, float]) -> F | None:
    if kind is None:
        return None
    if kind not in faults:
        raise ValueError(f"{kind!r} is not one of {', '.join(faults)}")
    try:
        return faults[kind](**detail)
    except TypeError as error:
        raise ValueError(f"{kind}: {error}") from error


def _listen(path: str) -> socket.socket:
    """A listening socket at ``path``, for this user only; a dead bench's socket is replaced."""
    if len(os.fsencode(path)) > MOST_PATH:
        raise KiezboxError(
            f"the path of the bench is too long for a socket: {path}",
            hint=f"Choose a folder whose path is shorter than {MOST_PATH - 11} bytes.",
        )
    try:
        wire.connect(path, 1.0).close()
    except (FileNotFoundError, ConnectionRefusedError):
        pass
    else:
        raise KiezboxError(
            f"another bench is running in {os.path.dirname(path)}",
            hint="Give this one a folder of its own, or end the other.",
        )
    if os.path.lexists(path):
        os.unlink(path)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        listener.bind(path)
        os.chmod(path, 0o600)
        listener.listen(128)
    except BaseException:
        listener.close()
        raise
    return listener
