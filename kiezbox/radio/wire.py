"""The package ``meshtastic``, loaded when it is needed, and held to what a daemon can live with.

Its interface does the handshake and the framing. What would let it grow, hang or end the process is
taken out (../docs/radio.md, "The library"): it keeps no nodes but its own, publishes nothing,
queues nothing, does not wait for room in the radio, does not connect again behind our back and has
no timer. What it does in its reader thread is to hand a packet over.
"""

from __future__ import annotations

import logging
import socket
import struct
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from types import SimpleNamespace
from typing import Any, NamedTuple, Protocol

from kiezbox.errors import MissingPackage, Unreachable
from kiezbox.frames import PORT

__all__ = ["Address", "Listener", "Shown", "Wire", "address_of", "protobufs"]

TCP_PORT = 4403

#: A radio that does not answer a connection, or takes longer for its settings, is not there.
CONNECT_S, HANDSHAKE_S, WRITE_S = 10.0, 60.0, 10.0

#: Of ``FromRadio``: what the library itself has to know.
_SETTINGS = {"my_info", "metadata", "config", "moduleConfig", "channel", "config_complete_id"}

ADMIN = 6


class Address(NamedTuple):
    """``path`` of a serial line, or ``host`` and ``port``."""

    path: str
    host: str
    port: int


def address_of(text: str) -> Address | None:
    """None: it is none.

    >>> address_of("tcp:10.0.0.7"), address_of("/dev/serial/by-id/usb-x").path
    (Address(path='', host='10.0.0.7', port=4403), '/dev/serial/by-id/usb-x')
    """
    if text.startswith("/"):
        return Address(text, "", 0)
    kind, _, where = text.partition(":")
    host, _, port = where.rpartition(":") if where.count(":") == 1 else (where, "", "")
    if kind != "tcp" or not host or (port and not port.isdecimal()):
        return None
    number = int(port or TCP_PORT)
    return Address("", host, number) if 0 < number < 65536 else None


class Listener(Protocol):
    """Told in the library's reader thread; must be quick and raise nothing."""

    def packet(self, packet: Any) -> None: ...
    def queue_status(self, free: int, most: int, res: int, packet_id: int) -> None: ...
    def metrics(self, channel_utilization: float, air_util_tx: float) -> None: ...
    def lost(self, wire: Wire, why: str) -> None: ...


@dataclass(frozen=True, slots=True)
class Shown:
    """What the radio says of itself. ``channel_key``: of its first channel."""

    number: int
    firmware: str
    region: str
    preset: str
    hop_limit: int
    may_send: bool
    is_over_law: bool
    channel_name: str
    channel_key: bytes


@cache
def protobufs() -> Any:
    """The library's modules that are needed.

    Raises:
        MissingPackage: it is not installed.
    """
    try:
        import meshtastic.serial_interface
        import meshtastic.tcp_interface
        from meshtastic.protobuf import admin_pb2, config_pb2, mesh_pb2, telemetry_pb2
    except ImportError as error:
        raise MissingPackage(
            f"a Meshtastic radio needs the package {error.name}",
            hint="pip install 'kiezbox[lora]'",
        ) from error
    # What goes wrong is said by whoever owns the link, once.
    logging.getLogger("meshtastic").setLevel(logging.CRITICAL)
    return SimpleNamespace(
        admin=admin_pb2, mesh=mesh_pb2, config=config_pb2, telemetry=telemetry_pb2,
        tcp=meshtastic.tcp_interface.TCPInterface,
        serial=meshtastic.serial_interface.SerialInterface,
    )  # fmt: skip


class _Tamed:
    """Stands in front of one of the library's interfaces."""

    _wire: Wire
    myInfo: Any
    isConnected: threading.Event
    _rxThread: threading.Thread

    def _handleFromRadio(self, data: bytes) -> None:
        told = protobufs().mesh.FromRadio()
        try:
            told.ParseFromString(data)
        except Exception:  # DecodeError: noise on a cable
            return
        if self._wire.take(told, self.myInfo) in _SETTINGS:
            super()._handleFromRadio(data)  # type: ignore[misc]

    def _handleLogByte(self, byte: bytes) -> None:
        """Noise, or the radio's log: a line without an end would be kept for ever."""

    def _sendToRadio(self, told: Any) -> None:
        self._sendToRadioImpl(told)  # type: ignore[attr-defined]

    def _startHeartbeat(self) -> None:
        """The link has its own."""

    def _disconnected(self) -> None:
        super()._disconnected()  # type: ignore[misc]
        self._wire.is_lost("the connection has ended")

    def _waitConnected(self, timeout: float = HANDSHAKE_S) -> None:
        until = time.monotonic() + HANDSHAKE_S
        while not self.isConnected.wait(0.1):
            if self._wire.why_lost:
                raise ConnectionError(self._wire.why_lost)
            if time.monotonic() > until or not self._rxThread.is_alive():
                raise TimeoutError("the radio does not tell its settings")


class _TamedTcp(_Tamed):
    hostname: str
    portNumber: int

    def myConnect(self) -> None:
        found = socket.create_connection((self.hostname, self.portNumber), timeout=CONNECT_S)
        found.settimeout(None)
        found.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        # The reader waits without an end, the sender must not.
        limit = struct.pack("ll", int(WRITE_S), 0)
        found.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, limit)
        found.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(3 * WRITE_S * 1000))
        self.socket = found

    def _reconnect(self) -> None:
        raise ConnectionError("the radio has closed the connection")


@cache
def _classes() -> tuple[Any, Any]:
    pb = protobufs()
    return (
        type("Tcp", (_TamedTcp, pb.tcp), {}), type("Serial", (_Tamed, pb.serial), {})
    )  # fmt: skip


class Wire:
    """One connection to one radio, from its handshake to its end. Whoever made it closes it."""

    def __init__(self, address: Address, listener: Listener) -> None:
        """Connect; takes up to a minute.

        Raises:
            Unreachable: nobody there, or no radio. It is closed then.
            MissingPackage: ``meshtastic`` is not installed.
        """
        self.heard_at = time.monotonic()
        self.why_lost = ""
        self._listener = listener
        tcp, serial = _classes()
        self._radio: Any = None
        try:
            if address.path:
                self._radio = serial(address.path, connectNow=False, noNodes=True)
            else:
                self._radio = tcp(
                    address.host, portNumber=address.port, connectNow=False, noNodes=True
                )
            self._radio._wire = self
            self._radio.connect()
            self.shown = self._show()
        except BaseException as error:  # the library ends in SystemExit, too
            self.close()
            where = address.path or f"{address.host}:{address.port}"
            raise Unreachable(
                f"no radio at {where}: {error or type(error).__name__}",
                hint="Is it plugged in, switched on, and in nobody else's use?",
            ) from error

    # --- in the reader's thread ------------------------------------------------------------------

    def take(self, told: Any, own: Any) -> str:
        """What it is; handed over where it is ours."""
        kind: str = told.WhichOneof("payload_variant") or ""
        self.heard_at = time.monotonic()
        if kind == "packet":
            self._listener.packet(told.packet)
        elif kind == "queueStatus":
            status = told.queueStatus
            self._listener.queue_status(
                status.free, status.maxlen, status.res, status.mesh_packet_id
            )
        elif kind == "rebooted":
            self.is_lost("it has restarted")
        elif kind == "node_info" and own is not None and told.node_info.num == own.my_node_num:
            metrics = told.node_info.device_metrics
            self._listener.metrics(metrics.channel_utilization, metrics.air_util_tx)
        return kind

    def is_lost(self, why: str) -> None:
        if not self.why_lost:
            self.why_lost = why
            self._listener.lost(self, why)

    # --- in the link's thread --------------------------------------------------------------------

    def send(
        self, payload: bytes, *, to: int, hops: int, want_ack: bool, priority: int, port: int = PORT
    ) -> int:
        """Hand it to the radio; the packet's id.

        Raises:
            Unreachable: it did not take it.
        """
        return int(
            self._do(
                lambda: self._radio.sendData(
                    payload, destinationId=to, portNum=port, wantAck=want_ack, hopLimit=hops,
                    priority=priority,
                )
            ).id
        )  # fmt: skip

    def heartbeat(self) -> None:
        """The radio answers with its queue's status.

        Raises:
            Unreachable: it did not take it.
        """
        self._do(self._radio.sendHeartbeat)

    def set_up(self, wanted: Shown, pause: Callable[[], object]) -> None:
        """Change region, preset, hop limit and the first channel, all at once, slowly: the radio's
        own queue has four places.

        Raises:
            Unreachable: it did not take it, or has restarted meanwhile, as some do.
        """
        pb = protobufs()
        enums = pb.config.Config.LoRaConfig
        lora = pb.config.Config.LoRaConfig()
        lora.CopyFrom(self._radio.localNode.localConfig.lora)
        lora.region = enums.RegionCode.Value(wanted.region)
        lora.modem_preset = enums.ModemPreset.Value(wanted.preset)
        lora.use_preset = lora.tx_enabled = True
        lora.override_duty_cycle = False
        lora.hop_limit = wanted.hop_limit
        channel = type(self._radio.localNode.channels[0])()
        channel.CopyFrom(self._radio.localNode.channels[0])
        channel.role = channel.PRIMARY
        channel.settings.name, channel.settings.psk = wanted.channel_name, wanted.channel_key
        steps = [pb.admin.AdminMessage() for _ in range(4)]
        steps[0].begin_edit_settings = True
        steps[1].set_config.lora.CopyFrom(lora)
        steps[2].set_channel.CopyFrom(channel)
        steps[3].commit_edit_settings = True
        for step in steps:
            self.send(
                step.SerializeToString(), to=self.shown.number, hops=0, want_ack=True, priority=70,
                port=ADMIN,
            )  # fmt: skip
            pause()

    def close(self) -> None:
        """Takes as long as it takes: the library waits for its reader. Idempotent."""
        self.why_lost = self.why_lost or "closed"
        if self._radio is not None:
            try:
                self._radio.close()
            except BaseException:  # of a line that is gone, everything is raised
                logging.getLogger("kiezbox").debug("radio: closing", exc_info=True)

    def _do(self, act: Callable[[], Any]) -> Any:
        if self.why_lost:
            raise Unreachable(f"the radio: {self.why_lost}")
        try:
            return act()
        except BaseException as error:  # SystemExit included
            self.is_lost(f"it takes nothing: {error or type(error).__name__}")
            raise Unreachable(f"the radio: {self.why_lost}") from error

    def _show(self) -> Shown:
        node = self._radio.localNode
        lora, channel = node.localConfig.lora, node.channels[0]
        metadata = self._radio.metadata
        return Shown(
            number=int(self._radio.myInfo.my_node_num),
            firmware=metadata.firmware_version if metadata else "",
            region=_name(lora.RegionCode, lora.region),
            preset=_name(lora.ModemPreset, lora.modem_preset) if lora.use_preset else "",
            hop_limit=int(lora.hop_limit),
            may_send=bool(lora.tx_enabled),
            is_over_law=bool(lora.override_duty_cycle),
            channel_name=channel.settings.name,
            channel_key=bytes(channel.settings.psk),
        )


def _name(enumeration: Any, number: int) -> str:
    try:
        return str(enumeration.Name(number))
    except ValueError:  # newer than the library
        return f"?{number}"
