"""A simulated Meshtastic radio on a shared air, as firmware 2.7 behaves (docs/radio.md, its section
"The simulated air", says what is modelled and what not, and from which sources).

What it hears it passes to its client, relays, and acknowledges; what its client gives it, it sends,
again if nobody acknowledges. Its client's side (frames, handshake, throttles) is in
``meshtastic_client``, settings from outside in ``meshtastic_admin``.
"""

from __future__ import annotations

import logging
import random
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any, Protocol

from kiezbox.airtime import airtime_s
from kiezbox.hardware.simulated.air import Air, Tuning
from kiezbox.hardware.simulated.air_agenda import Item
from kiezbox.hardware.simulated.air_cipher import crypt
from kiezbox.hardware.simulated.air_packet import BROADCAST, HEADER_BYTES, MOST_BYTES, AirPacket
from kiezbox.hardware.simulated.meshtastic_count import AirCount
from kiezbox.hardware.simulated.meshtastic_outbox import Outbox, retry_s
from kiezbox.hardware.simulated.meshtastic_protobufs import PORTS, Error, protobufs
from kiezbox.hardware.simulated.meshtastic_settings import Kept, Key

__all__ = ["Radio", "Reader"]

log = logging.getLogger("kiezbox.air")

#: How many packets it knows again, and for how long (firmware: FLOOD_EXPIRE_TIME).
SEEN, SEEN_S = 400, 600.0
#: It sends a packet that wants an acknowledgement so often, and no more.
TRIES = 3
ACK, RELIABLE, DEFAULT, BACKGROUND = 120, 70, 64, 10
CLIENT_MUTE, ROUTER, REPEATER = 1, 2, 4
ROUTERS = {ROUTER, REPEATER, 11}
MOST_HOPS = 7


class Reader(Protocol):
    """Who gets what the radio has for its client."""

    def packet(self, packet: Any) -> None: ...
    def notice(self, notification: Any) -> None: ...
    def queue_status(self, res: int, packet_id: int) -> None: ...


@dataclass(slots=True)
class _Pending:
    packet: AirPacket
    channel: int
    priority: int
    tries_left: int
    timer: Item | None = None


class Radio:
    """``client`` is set before the first packet. Everything is called in the agenda's thread."""

    client: Reader

    def __init__(self, air: Air, kept: Kept, name: str, chance: random.Random) -> None:
        self.air = air
        self.agenda = air.agenda
        self.kept = kept
        self.name = name
        self.pb = protobufs()
        self.is_on = False
        self._chance = chance
        self._start()

    def _start(self) -> None:
        self.booted_at = self.agenda.now
        self.count = AirCount()
        self.outbox = Outbox(
            self.air, self, self.count, self._chance, lambda: self.client.queue_status(0, 0)
        )
        self.packets_heard = self.packets_again = 0
        self._seen: OrderedDict[tuple[int, int], float] = OrderedDict()
        self._pending: dict[int, _Pending] = {}

    def switch_on(self) -> None:
        """Begin to hear and send. Idempotent."""
        if not self.is_on:
            self._start()
            self.is_on = True
            self.kept.reboots += 1
            self.air.join(self)

    def switch_off(self) -> None:
        """The power is gone: what waited, and what it counted, is lost. Idempotent."""
        self.is_on = False
        self.air.leave(self)
        self.outbox.close()
        for each in self._pending.values():
            if each.timer:
                each.timer.cancel()
        self._pending.clear()

    @property
    def tuning(self) -> Tuning | None:
        return self.kept.tuning if self.is_on and self.kept.config.lora.tx_enabled else None

    # What the air brings.

    def noticed(self, airtime_s: float) -> None:
        self.count.noticed(self.agenda.now, airtime_s)

    def heard(self, data: bytes, rssi_dbm: float, snr_db: float) -> None:
        packet = AirPacket.unpack(data)
        if packet is None or not self.is_on:
            return
        self.packets_heard += 1
        if packet.sender == self.kept.number:
            self._heard_own(packet)
        elif self._was_seen(packet.key):
            self.packets_again += 1
            self._heard_again(packet, snr_db)
        else:
            self._heard_new(packet, rssi_dbm, snr_db)

    def _heard_own(self, packet: AirPacket) -> None:
        """A neighbour relays what this radio sent: to its client that counts as an acknowledgement
        (from the radio itself), and it does not send again, be it for everybody or for one.
        """
        if pending := self._pending.get(packet.id):
            self._stop_trying(packet.id)
            self._tell_routing(packet.id, Error.NONE, pending.channel)

    def _heard_again(self, packet: AirPacket, snr_db: float) -> None:
        is_from_sender = packet.hop_start > 0 and packet.hop_start == packet.hop_limit
        if not is_from_sender:
            # Somebody else relayed it: one is enough, but for a router, which is there for that.
            if self.kept.config.device.role not in ROUTERS:
                self.outbox.cancel(packet.key)
        elif not self.outbox.has(packet.key) and not self._relay(packet, snr_db):
            if packet.to == self.kept.number and packet.want_ack and (found := self._open(packet)):
                self._send_routing(packet.sender, packet.id, Error.NONE, found[0].slot, hops=0)

    def _heard_new(self, packet: AirPacket, rssi_dbm: float, snr_db: float) -> None:
        found = self._open(packet)
        self._note_node(packet, snr_db)
        is_for_us = packet.to == self.kept.number
        if is_for_us or packet.is_broadcast:
            self._deliver(packet, found, rssi_dbm, snr_db)
        if is_for_us:
            self._answer(packet, found)
        elif found and packet.is_broadcast and found[1].portnum == PORTS.NODEINFO:
            self._learn(packet.sender, found[1])
        self._relay(packet, snr_db)

    def _deliver(
        self, packet: AirPacket, found: tuple[Key, Any] | None, rssi_dbm: float, snr_db: float
    ) -> None:
        told = self._told(packet.sender, packet.to, packet.id)
        told.rx_snr = round(snr_db * 4) / 4
        told.rx_rssi = round(rssi_dbm)
        told.hop_limit, told.hop_start = packet.hop_limit, packet.hop_start
        told.want_ack, told.via_mqtt = packet.want_ack, packet.via_mqtt
        told.next_hop, told.relay_node = packet.next_hop, packet.relay
        told.transport_mechanism = 1  # TRANSPORT_LORA
        if found:
            told.channel = found[0].slot
            told.decoded.CopyFrom(found[1])
            told.priority = ACK if found[1].portnum == PORTS.ROUTING else 0
        else:
            told.channel = packet.channel
            told.encrypted = packet.body
        self.client.packet(told)

    def _answer(self, packet: AirPacket, found: tuple[Key, Any] | None) -> None:
        """To a packet for this node alone."""
        if found is None:
            if packet.want_ack:
                error = Error.NO_CHANNEL if packet.channel else Error.PKI_UNKNOWN_PUBKEY
                self._send_routing(packet.sender, packet.id, error, 0, hops=self._hops_back(packet))
            return
        key, data = found
        hops = self._hops_back(packet)
        if data.portnum == PORTS.ROUTING:
            self._stop_trying(data.request_id)
            if packet.want_ack:  # of an acknowledgement: nobody relays it
                self._send_routing(packet.sender, packet.id, Error.NONE, key.slot, hops=0)
            return
        if data.portnum == PORTS.NODEINFO:
            self._learn(packet.sender, data)
        if data.want_response and data.portnum == PORTS.NODEINFO:
            self.send_node_info(packet.sender, key.slot, request_id=packet.id)
        elif data.want_response:
            # Settings from afar need a key of the owner's, which no simulated radio has.
            is_admin = data.portnum == PORTS.ADMIN
            error = Error.NOT_AUTHORIZED if is_admin else Error.NO_RESPONSE
            self._send_routing(packet.sender, packet.id, error, key.slot, hops=hops)
            return
        if packet.want_ack:
            self._send_routing(
                packet.sender, packet.id, Error.NONE, key.slot, hops=hops,
                want_ack=data.portnum == PORTS.TEXT,
            )  # fmt: skip

    def _hops_back(self, packet: AirPacket) -> int:
        """As many as it came by, and two to spare; the sender's own limit if that is less."""
        if not packet.hop_start:
            return 0
        taken = max(0, packet.hop_start - packet.hop_limit)
        return min(taken + 2, max(taken, self.kept.config.lora.hop_limit or 3))

    def _relay(self, packet: AirPacket, snr_db: float) -> bool:
        """Whether it takes it on."""
        is_ours = self.kept.number in (packet.to, packet.sender)
        if is_ours or not packet.hop_limit or not packet.id:
            return False
        if self.kept.config.device.role == CLIENT_MUTE or self._is_over_duty():
            return False
        onward = packet._replace(hop_limit=packet.hop_limit - 1, relay=self.kept.number & 0xFF)
        self.outbox.put(onward, RELIABLE if packet.want_ack else DEFAULT, snr_db)
        return True

    def _open(self, packet: AirPacket) -> tuple[Key, Any] | None:
        """By which channel it can be read, and what is in it; None if by none."""
        for key in self.kept.keys():
            if key.code != packet.channel:
                continue
            data = self.pb.mesh.Data()
            try:
                data.ParseFromString(crypt(key.key, packet.sender, packet.id, packet.body))
            except Exception:  # DecodeError; a wrong key makes garbage of it
                continue
            if data.portnum:
                return key, data
        return None

    def _was_seen(self, key: tuple[int, int]) -> bool:
        """And remember it."""
        now = self.agenda.now
        seen_at = self._seen.pop(key, None)
        self._seen[key] = now
        if len(self._seen) > SEEN:
            self._seen.popitem(last=False)
        return seen_at is not None and now - seen_at < SEEN_S

    def _note_node(self, packet: AirPacket, snr_db: float) -> None:
        node = self.kept.node(packet.sender)
        node.last_heard = int(self.agenda.time)
        node.snr = round(snr_db * 4) / 4
        node.hops_away = max(0, packet.hop_start - packet.hop_limit)

    def _learn(self, sender: int, data: Any) -> None:
        user = self.pb.mesh.User()
        try:
            user.ParseFromString(data.payload)
        except Exception:  # DecodeError: from the air, anything may come
            return
        self.kept.node(sender).user.CopyFrom(user)

    # What goes out.

    def send(
        self, data: Any, to: int, *, channel: int = 0, hop_limit: int | None = None,
        want_ack: bool = False, packet_id: int = 0, priority: int = 0,
    ) -> int:  # fmt: skip
        """Send Data; the answer is an error (0: queued). What fails is told to the client, too."""
        packet_id = packet_id or self.new_id()
        default_hops = self.kept.config.lora.hop_limit or 3
        hops = default_hops if hop_limit is None or (want_ack and not hop_limit) else hop_limit
        hops = min(hops, MOST_HOPS)
        data.bitfield = bool(self.kept.config.lora.config_ok_to_mqtt) | data.want_response << 1
        plain = data.SerializeToString()
        key = next((each for each in self.kept.keys() if each.slot == channel), None)
        if self._is_over_duty():
            return self._refuse_duty(packet_id, channel)
        if key is None:
            return self._refuse(packet_id, Error.NO_CHANNEL, 0)
        if HEADER_BYTES + len(plain) > MOST_BYTES:
            return self._refuse(packet_id, Error.TOO_LARGE, channel)
        if self.tuning is None:
            return Error.DISABLED
        packet = AirPacket(
            to, self.kept.number, packet_id, hops, hops, want_ack and to != BROADCAST, key.code,
            crypt(key.key, self.kept.number, packet_id, plain), relay=self.kept.number & 0xFF,
        )  # fmt: skip
        priority = priority or (RELIABLE if want_ack else DEFAULT)
        if want_ack:
            self._stop_trying(packet_id)
            self._pending[packet_id] = _Pending(packet, channel, priority, TRIES - 1)
        if not self.outbox.put(packet, priority):
            self._stop_trying(packet_id)
            return Error.QUEUE_FULL
        if want_ack:
            self._try_later(packet_id)
        return Error.NONE

    def new_id(self) -> int:
        return self._chance.randrange(1, 1 << 32)

    def _try_later(self, packet_id: int) -> None:
        pending = self._pending[packet_id]
        modulation = self.kept.modulation
        seconds = airtime_s(HEADER_BYTES + len(pending.packet.body), modulation)
        wait_s = retry_s(seconds, modulation, self.count.busy_share(self.agenda.now))
        pending.timer = self.agenda.after(wait_s, lambda: self._try_again(packet_id))

    def _try_again(self, packet_id: int) -> None:
        pending = self._pending.get(packet_id)
        if pending is None:
            return
        if not pending.tries_left:
            self._stop_trying(packet_id)
            self._tell_routing(packet_id, Error.MAX_RETRANSMIT, pending.channel)
        elif self._is_over_duty():
            self._stop_trying(packet_id)
            self._refuse_duty(packet_id, pending.channel)
        else:
            pending.tries_left -= 1
            self.outbox.put(pending.packet, pending.priority)
            self._try_later(packet_id)

    def _stop_trying(self, packet_id: int) -> None:
        if pending := self._pending.pop(packet_id, None):
            self.outbox.cancel(pending.packet.key)
            if pending.timer:
                pending.timer.cancel()

    def _is_over_duty(self) -> bool:
        return self.kept.duty < 1 and self.count.sent_share(self.agenda.now) > self.kept.duty

    def _refuse(self, packet_id: int, error: int, channel: int) -> int:
        self._tell_routing(packet_id, error, channel)
        return error

    def _refuse_duty(self, packet_id: int, channel: int) -> int:
        minutes = self.count.silent_minutes(self.agenda.now, self.kept.duty)
        self.client.notice(
            self.pb.mesh.ClientNotification(
                reply_id=packet_id,
                time=int(self.agenda.time),
                level=30,  # WARNING
                message=f"Duty cycle limit exceeded. You can send again in {minutes} mins",
            )  # fmt: skip
        )
        return self._refuse(packet_id, Error.DUTY_CYCLE_LIMIT, channel)

    def _send_routing(
        self, to: int, request_id: int, error: int, channel: int, *, hops: int,
        want_ack: bool = False,
    ) -> None:  # fmt: skip
        data = self.routing(request_id, error)
        # No default for its hops: an acknowledgement that nobody shall relay has none.
        if want_ack and not hops:
            want_ack = False
        self.send(data, to, channel=channel, hop_limit=hops, want_ack=want_ack, priority=ACK)

    def routing(self, request_id: int, error: int) -> Any:
        """An acknowledgement (0) or a refusal, as Data."""
        payload = self.pb.mesh.Routing(error_reason=error).SerializeToString()
        return self.pb.mesh.Data(portnum=PORTS.ROUTING, payload=payload, request_id=request_id)

    def _tell_routing(self, packet_id: int, error: int, channel: int) -> None:
        """To this radio's own client, and not by the air."""
        self.tell(self.routing(packet_id, error), channel=channel, priority=ACK)

    def tell(
        self, data: Any, *, to: int | None = None, channel: int = 0, priority: int = 0
    ) -> None:
        """Data of the radio's own, for its client."""
        told = self._told(self.kept.number, self.kept.number if to is None else to, self.new_id())
        told.channel = channel
        told.decoded.CopyFrom(data)
        told.priority = priority
        self.client.packet(told)

    def _told(self, sender: int, to: int, packet_id: int) -> Any:
        told = self.pb.mesh.MeshPacket(to=to, id=packet_id, rx_time=int(self.agenda.time))
        setattr(told, "from", sender)
        return told

    def send_node_info(self, to: int = BROADCAST, channel: int = 0, *, request_id: int = 0) -> None:
        """Say who this is."""
        payload = self.kept.user().SerializeToString()
        data = self.pb.mesh.Data(portnum=PORTS.NODEINFO, payload=payload, request_id=request_id)
        self.send(data, to, channel=channel, priority=BACKGROUND)
