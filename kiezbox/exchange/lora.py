"""LoRa as a bearer: every number of the exchange on it, in one place.

All times go by how long a full frame is on the air (``frame_s``): one number suits LongFast,
MediumFast and ShortFast. Found with ``kiezbox simulate kiez`` (docs/simulate.md says what was
tried): they are what keeps a Kiez of twelve boxes equal within a quarter of the channel.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from kiezbox.exchange.exchange import Bearer
from kiezbox.exchange.messages import Message
from kiezbox.exchange.offers import Measure
from kiezbox.exchange.trickle import Chance, Pace

__all__ = ["SHARE", "Turns", "lora_bearer"]

#: Of the channel, so much is what all boxes in earshot together aim at.
SHARE = 0.2

_MINUTE_S = 60.0

#: In full frames: within which time news is given again, and something asked for; after which an
#: answer is lost; the shortest interval between digests, that where nothing is urgent, and the
#: longest.
_SPREAD, _ASK, _AGAIN = 12.0, 60.0, 150.0
_LEAST, _NEWS, _MOST = 100.0, 500.0, 700.0

#: Who has heard a record so often does not give it again; who has heard so many say the same of
#: their holdings keeps silent.
_ENOUGH, _ENOUGH_SAID = 2, 1


def lora_bearer(fits: Callable[[Message], bool], frame_s: float) -> Bearer:
    """``fits``: whether a message is one frame; ``frame_s``: seconds a full one is on the air."""
    return Bearer(
        fits=fits,
        pace=Pace(
            least_s=_LEAST * frame_s,
            news_s=_NEWS * frame_s,
            most_s=_MOST * frame_s,
            enough=_ENOUGH_SAID,
        ),
        spread_s=_SPREAD * frame_s,
        ask_within_s=_ASK * frame_s,
        enough=_ENOUGH,
        ask_again_s=_AGAIN * frame_s,
        answers=Measure(burst=128, hourly=1920),
    )


class Turns:
    """When a box speaks again that has much to say. Radios that all wait for the channel to fall
    silent begin together: twelve with something to say lost every second packet so. So whoever has
    spoken rests, at random, for as long as leaves the others their part. What saves lives never
    rests.
    """

    def __init__(self, random: Chance) -> None:
        self._random = random
        self._spoken: deque[tuple[float, float]] = deque()
        self.free_at = -float("inf")

    def spoke(self, now: float, airtime_s: float, *, busy: float, peers: int) -> None:
        """A packet goes out. ``busy``: share of the last minute in which anybody was heard, or this
        box spoke; ``peers``: boxes in earshot.
        """
        spoken = self._spoken
        spoken.append((now, airtime_s))
        while spoken[0][0] < now - _MINUTE_S:
            spoken.popleft()
        own = sum(each for _, each in spoken) / _MINUTE_S
        left = SHARE - max(0.0, busy - own)
        share = max(SHARE / (peers + 1), left / 2)
        self.free_at = now + airtime_s + 2 * self._random.random() * airtime_s / share
