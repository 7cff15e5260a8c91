"""Settings of a simulated radio, read and changed by its own client (``AdminMessage``).

Everything takes effect at once, also between begin and commit, and only what was asked for restarts
the radio (firmware 2.7.26 changes region, preset and channels without a restart, and restarts for
most others). What is not here is answered with an empty acknowledgement.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kiezbox.hardware.simulated.air_agenda import Item
from kiezbox.hardware.simulated.meshtastic_protobufs import CONFIGS, MODULE_CONFIGS
from kiezbox.hardware.simulated.meshtastic_radio import Radio

__all__ = ["Admin"]

SESSION_KEY = b"simulate"


class Admin:
    """Of one radio. ``restart`` is called when it shall go off, and says whether it comes back."""

    def __init__(self, radio: Radio) -> None:
        self.radio = radio
        self.pb = radio.pb
        self._answers: dict[str, Callable[[Any], Any]] = {
            "get_channel_request": self._get_channel,
            "get_owner_request": lambda _: self._answer(get_owner_response=radio.kept.user()),
            "get_config_request": self._get_config,
            "get_module_config_request": self._get_module_config,
            "get_device_metadata_request": lambda _: self._answer(
                get_device_metadata_response=self.metadata()
            ),
            "get_ringtone_request": lambda _: self._answer(
                get_ringtone_response=radio.kept.ringtone
            ),
            "get_canned_message_module_messages_request": lambda _: self._answer(
                get_canned_message_module_messages_response=radio.kept.canned
            ),
            "set_ringtone_message": lambda text: setattr(radio.kept, "ringtone", text),
            "set_canned_message_module_messages": lambda text: setattr(radio.kept, "canned", text),
            "set_owner": self._set_owner,
            "set_channel": radio.kept.set_channel,
            "set_config": radio.kept.set_config,
            "set_module_config": radio.kept.set_modules,
            "remove_by_nodenum": lambda number: radio.kept.nodes.pop(number, None) and None,
            "nodedb_reset": lambda _: radio.kept.nodes.clear(),
            "factory_reset_config": lambda _: self._reset(),
            "factory_reset_device": lambda _: self._reset(),
            "reboot_seconds": lambda seconds: self._restart(seconds, comes_back=True),
            "shutdown_seconds": lambda seconds: self._restart(seconds, comes_back=False),
        }
        self._ordered: Item | None = None
        self.restart: Callable[[bool], None] = lambda comes_back: None

    def obey(self, payload: bytes) -> Any | None:
        """An ``AdminMessage``; the answer, if there is one."""
        message = self.pb.admin.AdminMessage()
        try:
            message.ParseFromString(payload)
        except Exception:  # DecodeError: a client may send anything
            return None
        asked = message.WhichOneof("payload_variant")
        act = self._answers.get(asked or "")
        answer = act(getattr(message, asked)) if act else None
        return answer if isinstance(answer, self.pb.admin.AdminMessage) else None

    def metadata(self) -> Any:
        return self.pb.mesh.DeviceMetadata(
            firmware_version="2.7.26.simulated", device_state_version=24, hasEthernet=True,
            role=self.radio.kept.config.device.role, hw_model=37,
        )  # fmt: skip

    def config(self, part: str) -> Any:
        """A part of the settings as a ``Config``, also if it is empty."""
        config = self.pb.config.Config()
        getattr(config, part).SetInParent()
        if part in self.radio.kept.config.DESCRIPTOR.fields_by_name:
            getattr(config, part).CopyFrom(getattr(self.radio.kept.config, part))
        return config

    def module_config(self, part: str) -> Any:
        config = self.pb.module_config.ModuleConfig()
        getattr(config, part).SetInParent()
        getattr(config, part).CopyFrom(getattr(self.radio.kept.modules, part))
        return config

    def _answer(self, **fields: Any) -> Any:
        return self.pb.admin.AdminMessage(session_passkey=SESSION_KEY, **fields)

    def _get_channel(self, number: int) -> Any:
        # Asked for by its index + 1.
        channels = self.radio.kept.channels
        if not 1 <= number <= len(channels):
            return None
        return self._answer(get_channel_response=channels[number - 1])

    def _get_config(self, number: int) -> Any:
        if not 0 <= number < len(CONFIGS):
            return None
        return self._answer(get_config_response=self.config(CONFIGS[number]))

    def _get_module_config(self, number: int) -> Any:
        if not 0 <= number < len(MODULE_CONFIGS):
            return None
        return self._answer(get_module_config_response=self.module_config(MODULE_CONFIGS[number]))

    def _set_owner(self, user: Any) -> None:
        kept = self.radio.kept
        kept.long_name = user.long_name[:39] or kept.long_name
        kept.short_name = user.short_name[:4] or kept.short_name

    def _reset(self) -> None:
        self.radio.kept.reset()
        self._restart(5, comes_back=True)

    def _restart(self, seconds: int, *, comes_back: bool) -> None:
        if self._ordered:
            self._ordered.cancel()
        if seconds >= 0:  # a negative number only calls off what was ordered
            self._ordered = self.radio.agenda.after(seconds, lambda: self.restart(comes_back))
