"""What a radio must be set to, and how patient its link is."""

from __future__ import annotations

from dataclasses import dataclass

from kiezbox.radio.wire import Shown

__all__ = ["Pace", "Wanted"]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the radio must be set to."""

    region: str
    preset: str
    hop_limit: int
    channel_name: str
    channel_key: bytes

    def differences(self, shown: Shown) -> list[str]:
        """What is otherwise, in words without secrets."""
        pairs = {
            "region": (shown.region, self.region),
            "preset": (shown.preset, self.preset),
            "hop limit": (shown.hop_limit, self.hop_limit),
            "channel": (shown.channel_name, self.channel_name),
        }
        found = [f"{what} {is_!r}, not {be!r}" for what, (is_, be) in pairs.items() if is_ != be]
        if shown.channel_key != self.channel_key:
            found.append("another channel key")
        if not shown.may_send:
            found.append("sending is switched off")
        if shown.is_over_law:
            found.append("the duty cycle is switched off")
        return found


@dataclass(frozen=True, slots=True)
class Pace:
    """Real seconds. ``heartbeat_s``: between questions to a quiet radio; ``silent_s``: a radio that
    has said nothing for so long hangs; ``ask_s``: between questions for room; ``answer_s``: within
    it a radio says that it has a packet; ``setting_s``: between settings; ``retry_s``: before the
    next try to connect, the last one stays; ``steady_s``: a connection that has lasted so long is
    a good one; ``refused_s``: after a radio would not be set up; ``hold_s``: after it said that its
    own hour is full.
    """

    heartbeat_s: float = 20.0
    silent_s: float = 75.0
    ask_s: float = 0.5
    answer_s: float = 2.0
    setting_s: float = 1.0
    retry_s: tuple[float, ...] = (1.0, 2.0, 5.0, 15.0, 60.0)
    steady_s: float = 60.0
    refused_s: float = 600.0
    hold_s: float = 60.0
    close_s: float = 3.0
