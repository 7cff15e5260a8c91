"""Radios on an air whose time passes as the test says, and the same with clients."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

from kiezbox.hardware.simulated.air import Air
from kiezbox.hardware.simulated.air_agenda import Agenda
from kiezbox.hardware.simulated.air_paths import Links, Paths
from kiezbox.hardware.simulated.meshtastic_radio import Radio
from kiezbox.hardware.simulated.meshtastic_settings import Kept


class Reader:
    """Keeps what a radio has for its client."""

    def __init__(self) -> None:
        self.packets: list[Any] = []
        self.notices: list[str] = []
        self.statuses: list[tuple[int, int]] = []

    def packet(self, packet: Any) -> None:
        self.packets.append(packet)

    def notice(self, notification: Any) -> None:
        self.notices.append(notification.message)

    def queue_status(self, res: int, packet_id: int) -> None:
        self.statuses.append((res, packet_id))

    def payloads(self, port: int = 300) -> list[bytes]:
        return [each.decoded.payload for each in self.packets if each.decoded.portnum == port]

    def routing(self) -> list[tuple[int, int, int]]:
        """(who says it, of which packet, error)."""
        said = []
        for each in self.packets:
            if each.decoded.portnum == 5:
                payload = each.decoded.payload
                assert len(payload) == 2 and payload[0] == 0x18  # Routing.error_reason
                said.append((getattr(each, "from"), each.decoded.request_id, payload[1]))
        return said


class Town:
    """Radios that everybody hears, unless ``paths`` says otherwise; node numbers from 0x101 on."""

    def __init__(
        self, *names: str, paths: Paths | None = None, region: str = "EU_868",
        preset: str = "LONG_FAST", seed: int = 1,
    ) -> None:  # fmt: skip
        self.agenda = Agenda()
        self.air = Air(self.agenda, paths or Links(), random.Random(seed))
        self.radios: dict[str, Radio] = {}
        self.readers: dict[str, Reader] = {}
        for index, name in enumerate(names):
            kept = Kept(0x101 + index, name)
            enums = kept.pb.config.Config.LoRaConfig
            kept.config.lora.region = enums.RegionCode.Value(region)
            kept.config.lora.modem_preset = enums.ModemPreset.Value(preset)
            radio = Radio(self.air, kept, name, random.Random(f"{seed} {name}"))
            radio.client = self.readers[name] = Reader()
            radio.switch_on()
            self.radios[name] = radio

    def send(self, name: str, payload: bytes, to: str | int = 0xFFFF_FFFF, **how: Any) -> int:
        radio = self.radios[name]
        number = self.radios[to].kept.number if isinstance(to, str) else to
        data = radio.pb.mesh.Data(portnum=how.pop("port", 300), payload=payload)
        return radio.send(data, number, **how)

    def pass_time(self, seconds: float) -> None:
        self.agenda.run_until(self.agenda.now + seconds)

    def sent_by(self, name: str) -> list[Any]:
        return [each for each in self.air.recorded if each.sender == name]


def in_a_line(*names: str) -> Links:
    """Each hears its two neighbours and nobody else."""
    near = {pair: 0.0 for pair in zip(names, names[1:], strict=False)}
    near |= {(after, before): 0.0 for before, after in near}
    return Links(near, others=1.0)


def until(town: Town, holds: Callable[[], bool], limit_s: float = 120.0) -> float:
    """Let time pass until it holds; the seconds it took."""
    began = town.agenda.now
    while not holds():
        due = town.agenda.next_at()
        assert due is not None and due - began < limit_s, "it did not happen"
        town.agenda.run_until(due)
    return town.agenda.now - began
