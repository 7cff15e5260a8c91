"""The side of a simulated Meshtastic radio that its client sees (firmware's ``PhoneAPI``).

Bytes come in, frames are asked for: the port takes the next one when it has room for it, so a
client that does not read stops nobody and fills no memory. One client at a time; the newest wins.
"""

from __future__ import annotations

import logging
from collections import OrderedDict, deque
from collections.abc import Callable, Iterator
from typing import Any

from kiezbox.hardware.simulated.meshtastic_admin import Admin
from kiezbox.hardware.simulated.meshtastic_outbox import SLOTS
from kiezbox.hardware.simulated.meshtastic_protobufs import CONFIGS, MODULE_CONFIGS, PORTS
from kiezbox.hardware.simulated.meshtastic_radio import Radio
from kiezbox.hardware.simulated.meshtastic_stream import Deframer, frame

__all__ = ["Client"]

log = logging.getLogger("kiezbox.air")

#: What a client asks for to get no other nodes, or nothing but nodes.
ONLY_CONFIG, ONLY_NODES = 69420, 69421

#: A client's packet is dropped, and nobody is told, if the one before on that port was so recent.
#: (Not so PRIVATE_APP and others: they are not held back.)
THROTTLES_S = {
    PORTS.TELEMETRY: 10.0, PORTS.POSITION: 10.0, PORTS.WAYPOINT: 10.0, PORTS.ALERT: 10.0,
    PORTS.TEXT: 2.0, PORTS.TRACEROUTE: 30.0,
}  # fmt: skip
#: Of those, the ones that are dropped without a queue's status, too.
UNANSWERED = {PORTS.TRACEROUTE}

#: Longer payloads do not fit into the firmware's structure: the message is not understood.
PAYLOAD_MOST = 233
#: A client's packet that comes again, among so many, is dropped.
REMEMBERED_IDS = 20
#: Packets that wait for a client. When full, a text displaces the oldest; others are dropped.
WAITING = 100


class Client:
    """``wake`` is called when there is something to be read (``next_frame``)."""

    def __init__(self, radio: Radio) -> None:
        self.radio = radio
        self.pb = radio.pb
        self.wake: Callable[[], None] = lambda: None
        self.bad_messages = 0
        self.admin = Admin(radio)
        self._packets: deque[Any] = deque()
        self._statuses: deque[Any] = deque(maxlen=SLOTS)
        self._notices: deque[Any] = deque(maxlen=4)
        self.begin()
        radio.client = self

    def begin(self) -> None:
        """A client has come, or gone. What waits for one stays."""
        self._deframer = Deframer()
        self._handshake: Iterator[Any] = iter(())
        self._is_ready = False
        self._ids: OrderedDict[int, None] = OrderedDict()
        self._last_at: dict[int, float] = {}
        self._statuses.clear()
        self._notices.clear()

    def restarted(self) -> None:
        """The radio was off: nothing waits any more. A client that is still there is told."""
        had_client = self._is_ready
        self._packets.clear()
        self.begin()
        if had_client:
            self._handshake = iter((self.pb.mesh.FromRadio(rebooted=True),))
            self.wake()

    # From the radio.

    def packet(self, packet: Any) -> None:
        if len(self._packets) >= WAITING:
            if packet.decoded.portnum != PORTS.TEXT:
                return
            self._packets.popleft()
        self._packets.append(packet)
        self.wake()

    def notice(self, notification: Any) -> None:
        self._notices.append(notification)
        self.wake()

    def queue_status(self, res: int, packet_id: int) -> None:
        self._statuses.append(
            self.pb.mesh.QueueStatus(
                res=res, free=self.radio.outbox.free, maxlen=SLOTS, mesh_packet_id=packet_id
            )
        )
        self.wake()

    def next_frame(self) -> bytes | None:
        """What the client gets next; None: nothing now. Nothing but what it asked for before it has
        asked for the settings.
        """
        message = next(self._handshake, None)
        if message is None and self._is_ready:
            if self._statuses:
                message = self.pb.mesh.FromRadio(queueStatus=self._statuses.popleft())
            elif self._notices:
                message = self.pb.mesh.FromRadio(clientNotification=self._notices.popleft())
            elif self._packets:
                message = self.pb.mesh.FromRadio(packet=self._packets.popleft())
        return None if message is None else frame(message.SerializeToString())

    # From the client: anything may come.

    def received(self, data: bytes) -> None:
        """Bytes from the client, in any pieces."""
        for message in self._deframer.feed(data):
            wanted = self.pb.mesh.ToRadio()
            try:
                wanted.ParseFromString(message)
            except Exception:  # DecodeError, or a text that is none
                self.bad_messages += 1
                continue
            self._obey(wanted)

    def _obey(self, wanted: Any) -> None:
        match wanted.WhichOneof("payload_variant"):
            case "want_config_id":
                self._is_ready = False
                self._handshake = self._tell_all(wanted.want_config_id)
                self.wake()
            case "heartbeat":
                self.queue_status(0, 0)
            case "disconnect":
                self.begin()
            case "packet":
                self._take(wanted.packet)

    def _tell_all(self, nonce: int) -> Iterator[Any]:
        """The settings, in the order in which firmware 2.7.26 told them."""
        told = self.pb.mesh.FromRadio
        kept = self.radio.kept
        own = kept.own_info(self.radio.agenda.time)
        self._fill_metrics(own.device_metrics)
        if nonce != ONLY_NODES:
            yield told(
                my_info=self.pb.mesh.MyNodeInfo(
                    my_node_num=kept.number,
                    reboot_count=kept.reboots,
                    min_app_version=30200,
                    pio_env="kiezbox-simulated",
                    nodedb_count=len(kept.nodes) + 1,
                )  # fmt: skip
            )
            yield told(deviceuiConfig={})
        yield told(node_info=own)
        if nonce != ONLY_NODES:
            yield told(metadata=self.admin.metadata())
            for channel in kept.channels:
                yield told(channel=channel)
            for part in CONFIGS:
                yield told(config=self.admin.config(part))
            for part in MODULE_CONFIGS:
                yield told(moduleConfig=self.admin.module_config(part))
        if nonce != ONLY_CONFIG:
            for node in list(kept.nodes.values()):
                yield told(node_info=node)
        self._is_ready = True
        yield told(config_complete_id=nonce)

    def _take(self, packet: Any) -> None:
        if not self.radio.is_on or packet.WhichOneof("payload_variant") != "decoded":
            return
        data = packet.decoded
        if len(data.payload) > PAYLOAD_MOST:
            self.bad_messages += 1
            return
        if packet.id and packet.id in self._ids:
            return
        self._ids[packet.id] = None
        if len(self._ids) > REMEMBERED_IDS:
            self._ids.popitem(last=False)
        now = self.radio.agenda.now
        pause_s = THROTTLES_S.get(data.portnum, 0.0)
        if now - self._last_at.get(data.portnum, -60.0) < pause_s:
            if data.portnum not in UNANSWERED:
                self.queue_status(0, packet.id)
            return
        if pause_s:
            self._last_at[data.portnum] = now
        packet_id = packet.id or self.radio.new_id()
        if packet.to == self.radio.kept.number:
            self.queue_status(0, packet_id)
            self._take_local(packet, packet_id)
            return
        sent = self.pb.mesh.Data()
        sent.CopyFrom(data)
        sent.ClearField("source")
        sent.ClearField("dest")
        res = self.radio.send(
            sent, packet.to, channel=packet.channel, hop_limit=packet.hop_limit,
            want_ack=packet.want_ack, packet_id=packet_id,
            priority=min(max(packet.priority, 0), 120),
        )  # fmt: skip
        self.queue_status(res, packet_id)

    def _take_local(self, packet: Any, packet_id: int) -> None:
        data = packet.decoded
        answer = self.admin.obey(data.payload) if data.portnum == PORTS.ADMIN else None
        if answer is not None and data.want_response:
            payload = answer.SerializeToString()
            answer_data = self.pb.mesh.Data(
                portnum=PORTS.ADMIN, payload=payload, request_id=packet_id
            )
            self.radio.tell(answer_data)
        elif data.want_response or packet.want_ack:
            self.radio.tell(self.radio.routing(packet_id, 0), priority=120)

    # What the radio says of itself.

    def tell_metrics(self) -> None:
        """The radio's own metrics, for its client alone; firmware does so each minute."""
        telemetry = self.pb.telemetry.Telemetry(time=int(self.radio.agenda.time))
        self._fill_metrics(telemetry.device_metrics)
        self._tell_telemetry(telemetry)

    def tell_statistics(self) -> None:
        """The same with counts; firmware does so each quarter of an hour."""
        radio, now = self.radio, self.radio.agenda.now
        telemetry = self.pb.telemetry.Telemetry(time=int(radio.agenda.time))
        stats = telemetry.local_stats
        stats.uptime_seconds = int(now - radio.booted_at)
        stats.channel_utilization = 100 * radio.count.busy_share(now)
        stats.air_util_tx = 100 * radio.count.sent_share(now)
        stats.num_packets_tx = radio.outbox.packets_sent
        stats.num_packets_rx = radio.packets_heard
        stats.num_rx_dupe = radio.packets_again
        stats.num_total_nodes = len(radio.kept.nodes) + 1
        self._tell_telemetry(telemetry)

    def _tell_telemetry(self, telemetry: Any) -> None:
        data = self.pb.mesh.Data(portnum=PORTS.TELEMETRY, payload=telemetry.SerializeToString())
        self.radio.tell(data, to=0xFFFF_FFFF)

    def _fill_metrics(self, metrics: Any) -> None:
        now = self.radio.agenda.now
        metrics.battery_level = 101  # on mains
        metrics.voltage = 5.0
        metrics.channel_utilization = 100 * self.radio.count.busy_share(now)
        metrics.air_util_tx = 100 * self.radio.count.sent_share(now)
        metrics.uptime_seconds = int(now - self.radio.booted_at)
