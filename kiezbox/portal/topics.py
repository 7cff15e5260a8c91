"""Which first steps belong to which cause. Light: the first page may load it.

The words stand in ``i18n/LANGUAGE/steps.po``; ``portal.pages.steps`` shows each topic at
``/LANGUAGE/steps/TOPIC`` and all of them at ``/LANGUAGE/steps``.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["PREPARED", "TOPICS", "TOPIC_OF_CAUSE", "topics_of"]

#: In the order of the overview, each with those that belong to it.
TOPICS: dict[str, tuple[str, ...]] = {
    "power": ("fumes", "eat", "cold", "medical", "back"),
    "back": ("power", "eat"),
    "call": ("aid", "fire"),
    "aid": ("call", "fumes"),
    "fire": ("call", "smoke", "aid"),
    "smoke": ("call", "aid"),
    "flood": ("eat", "power"),
    "storm": ("power", "call"),
    "heat": ("medical", "call"),
    "cold": ("fumes", "eat"),
    "fumes": ("call", "cold", "aid"),
    "medical": ("call", "power"),
    "eat": ("fumes", "supplies"),
    "network": ("call", "supplies"),
    "supplies": ("eat", "power"),
}

#: Those to read before anything happens.
PREPARED = ("supplies", "network", "aid", "power")

#: A cause (``mode``, or what a warning is about) → its topic. Whatever is not here has none.
TOPIC_OF_CAUSE = {
    "grid_lost": "power", "power": "power", "returning": "back", "power_returns": "back",
    "uplink_lost": "network", "network": "network",
    "fire": "fire",
    "smoke": "smoke", "hazard": "smoke", "hazardous": "smoke", "chemical": "smoke",
    "release": "smoke", "air": "smoke",
    "flood": "flood", "rain": "flood", "water": "flood", "storm_surge": "flood",
    "storm": "storm", "thunderstorm": "storm", "wind": "storm",
    "heat": "heat",
    "cold": "cold", "frost": "cold", "snow": "cold", "ice": "cold",
    "drinking_water": "eat", "supplies": "supplies",
}  # fmt: skip


def topics_of(causes: Iterable[str]) -> list[str]:
    """The topics of some causes, each once, in the order of the causes.

    >>> topics_of(["grid_lost", "operator", "power", "frost"])
    ['power', 'cold']
    """
    found = (TOPIC_OF_CAUSE.get(cause) for cause in causes)
    return list(dict.fromkeys(topic for topic in found if topic))
