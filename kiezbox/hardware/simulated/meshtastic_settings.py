"""What a simulated radio keeps when it restarts: name, settings, channels, whom it knows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from kiezbox.airtime import PRESETS, Modulation
from kiezbox.hardware.simulated.air import Tuning
from kiezbox.hardware.simulated.air_cipher import channel_hash, channel_key
from kiezbox.hardware.simulated.meshtastic_protobufs import MODULE_CONFIGS, protobufs

__all__ = ["CHANNELS", "DUTY", "Key", "Kept"]

CHANNELS = 8
#: Nodes it remembers; the one that was heard longest ago goes first.
NODES = 100
#: Share of an hour a radio may send, by region (firmware's ``RDEF`` table); elsewhere all of it.
DUTY = {"EU_868": 0.10, "EU_433": 0.10, "UA_868": 0.01, "UA_433": 0.10}
#: What the firmware calls a preset, where it is no name with big letters inside.
PRESET_NAMES = {"LONG_MODERATE": "LongMod"}
#: Widths that a setting names by a whole number (kHz).
WIDTHS_HZ = {31: 31_250, 62: 62_500, 200: 203_125, 400: 406_250, 800: 812_500, 1600: 1_625_000}
DISABLED, PRIMARY = 0, 1


class Key(NamedTuple):
    """A channel as it is on the air: its slot, the code (hash) in a packet's header, the key."""

    slot: int
    code: int
    key: bytes


class Kept:
    """``number``: the node's, from 4 to 0xFFFFFFFE, and not ending in a zero byte (a packet's
    header names a relay by that byte, and 0 is nobody).
    """

    def __init__(self, number: int, name: str) -> None:
        self.pb = protobufs()
        self.number = number
        self.long_name = name[:39]
        self.short_name = f"{number & 0xFFFF:04x}"
        self.reboots = 0
        self.reset()

    def reset(self) -> None:
        """As it comes out of the box, but for its name: no region, LongFast, the public channel."""
        self.config = self.pb.localonly.LocalConfig()
        self.modules = self.pb.localonly.LocalModuleConfig()
        lora = self.config.lora
        lora.use_preset = True
        lora.hop_limit = 3
        lora.tx_enabled = True
        lora.tx_power = 27
        lora.sx126x_rx_boosted_gain = True
        self.config.device.node_info_broadcast_secs = 10_800
        self.modules.telemetry.device_update_interval = 3600
        self.channels = [self.pb.channel.Channel(index=index) for index in range(CHANNELS)]
        self.channels[0].role = PRIMARY
        self.channels[0].settings.psk = b"\x01"
        #: A tune and ready-made messages, which it only keeps.
        self.ringtone = self.canned = ""
        self.nodes: dict[int, Any] = {}

    @property
    def region(self) -> str:
        return self._name(self.pb.config.Config.LoRaConfig.RegionCode, self.config.lora.region)

    @property
    def preset(self) -> str:
        return self._name(
            self.pb.config.Config.LoRaConfig.ModemPreset, self.config.lora.modem_preset
        )

    @staticmethod
    def _name(enumeration: Any, number: int) -> str:
        try:
            return str(enumeration.Name(number))
        except ValueError:  # a client may send a number that has no name
            return ""

    @property
    def duty(self) -> float:
        """The share of an hour that it may send."""
        return 1.0 if self.config.lora.override_duty_cycle else DUTY.get(self.region, 1.0)

    @property
    def modulation(self) -> Modulation:
        lora = self.config.lora
        if lora.use_preset or not 5 <= lora.spread_factor <= 12 or not lora.bandwidth:
            # What does not fit into the slot falls back to LongFast, as in the firmware.
            return PRESETS.get(self.preset, PRESETS["LONG_FAST"])
        width_hz = WIDTHS_HZ.get(lora.bandwidth, min(lora.bandwidth, 1600) * 1000)
        return Modulation(lora.spread_factor, width_hz, min(max(lora.coding_rate, 5), 8))

    @property
    def tuning(self) -> Tuning | None:
        """None without a region: the radio is silent until somebody says where it is."""
        region = self.region
        return None if region in ("", "UNSET") else Tuning(region, self.modulation)

    def user(self) -> Any:
        return self.pb.mesh.User(
            id=f"!{self.number:08x}",
            long_name=self.long_name,
            short_name=self.short_name,
            hw_model=37,  # PORTDUINO: a radio that is a program
            role=self.config.device.role,
            macaddr=self.number.to_bytes(6, "big"),
        )

    def keys(self) -> Iterator[Key]:
        """The channels that are in use."""
        primary = channel_key(self.channels[0].settings.psk)
        for channel in self.channels:
            if channel.role == DISABLED:
                continue
            settings = channel.settings
            key = channel_key(settings.psk) if settings.psk else primary
            yield Key(channel.index, channel_hash(settings.name or self._preset_name(), key), key)

    def _preset_name(self) -> str:
        if not self.config.lora.use_preset:
            return "Custom"
        preset = self.preset or "LONG_FAST"
        return PRESET_NAMES.get(preset, "".join(word.title() for word in preset.split("_")))

    def own_info(self, now: float) -> Any:
        """As a client is told of this node; ``now``: Unix seconds."""
        return self.pb.mesh.NodeInfo(num=self.number, user=self.user(), last_heard=int(now))

    def node(self, number: int) -> Any:
        """What is known of another node; made if there is nothing yet."""
        if number not in self.nodes and len(self.nodes) >= NODES - 1:
            del self.nodes[min(self.nodes, key=lambda each: self.nodes[each].last_heard)]
        return self.nodes.setdefault(number, self.pb.mesh.NodeInfo(num=number))

    def set_config(self, config: Any) -> None:
        """``config``: a ``Config`` with one part; what is outside its limits is cut off."""
        part = config.WhichOneof("payload_variant")
        if part and part in self.config.DESCRIPTOR.fields_by_name:
            getattr(self.config, part).CopyFrom(getattr(config, part))
        self.config.lora.hop_limit = min(self.config.lora.hop_limit, 7)

    def set_modules(self, config: Any) -> None:
        part = config.WhichOneof("payload_variant")
        if part in MODULE_CONFIGS:
            getattr(self.modules, part).CopyFrom(getattr(config, part))

    def set_channel(self, channel: Any) -> bool:
        """False for what no radio takes."""
        settings = channel.settings
        if not 0 <= channel.index < CHANNELS or len(settings.psk) > 32:
            return False
        if len(settings.name.encode()) > 11 or (channel.index == 0 and channel.role != PRIMARY):
            return False
        self.channels[channel.index].CopyFrom(channel)
        return True
