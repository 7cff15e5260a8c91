"""What a modem's or a network's "no" means: wait, and how long, or call a person."""

from __future__ import annotations

from typing import NamedTuple

from kiezbox.errors import PublishError, Refused, Unreachable
from kiezbox.publishers._lora_modem import Outcome

__all__ = ["MOST_PAUSE_S", "PAUSE_S", "TROUBLES", "Trouble"]

#: Pauses after a failure, in seconds; they double. Join requests of a whole city's boxes, after a
#: blackout, must not fill the band on which they are to be answered.
JOIN_PAUSE_S, MOST_JOIN_PAUSE_S = 60.0, 3600.0
PAUSE_S, MOST_PAUSE_S = 15.0, 600.0


class Trouble(NamedTuple):
    error: type[PublishError]
    message: str
    hint: str
    pause_s: float = PAUSE_S
    most_s: float = MOST_PAUSE_S


TROUBLES = {
    Outcome.JOIN_FAILED: Trouble(
        Unreachable,
        "no network lets the modem in",
        "Is a gateway in reach, the antenna on, and are the three keys those of the network?",
        JOIN_PAUSE_S,
        MOST_JOIN_PAUSE_S,
    ),
    Outcome.NOT_JOINED: Trouble(
        Unreachable, "the modem has lost its network", "Nothing to do: it joins again."
    ),
    Outcome.NOT_CONFIRMED: Trouble(
        Unreachable, "no gateway has confirmed the uplink", "Is a gateway in reach?", JOIN_PAUSE_S
    ),
    Outcome.BUSY: Trouble(
        Unreachable, "the modem is busy", "Nothing to do: it is asked again in a while."
    ),
    Outcome.NO_CHANNEL: Trouble(
        Unreachable, "no channel is free", "Nothing to do: the duty cycle allows it later."
    ),
    Outcome.TOO_LONG: Trouble(
        Unreachable, "too long for this data rate; trying less", "Nothing to do."
    ),
    Outcome.WRONG: Trouble(
        Refused,
        "the modem does not take {command}",
        "Is modem in kiezbox.toml the right one, and its firmware new enough (docs/lorawan.md)?",
    ),
}
