"""Which first steps belong to which cause. Light: the first page may load it.

The words stand in ``i18n/LANGUAGE/steps.po``; ``portal.pages.steps`` shows each topic at
``/LANGUAGE/steps/TOPIC`` and all of them at ``/LANGUAGE/steps``.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["TOPICS", "TOPIC_OF_CAUSE", "topics_of"]

#: In the order of the overview: what people ask for most often first.
TOPICS = (
    "power", "call", "fire", "smoke", "flood", "storm", "heat", "cold", "network", "supplies",
)  # fmt: skip

#: A cause (``mode`` and what a warning is about) → its topic. Whatever is not here has none of its
#: own.
TOPIC_OF_CAUSE = {
    "grid_lost": "power", "power": "power",
    "uplink_lost": "network", "network": "network",
    "fire": "fire",
    "smoke": "smoke", "hazard": "smoke", "hazardous": "smoke", "chemical": "smoke",
    "release": "smoke", "air": "smoke",
    "flood": "flood", "rain": "flood", "water": "flood", "storm_surge": "flood",
    "storm": "storm", "thunderstorm": "storm", "wind": "storm",
    "heat": "heat",
    "cold": "cold", "frost": "cold", "snow": "cold", "ice": "cold",
    "drinking_water": "supplies", "supplies": "supplies",
}  # fmt: skip


def topics_of(causes: Iterable[str]) -> list[str]:
    """The topics of some causes, each once, in the order of the causes.

    >>> topics_of(["grid_lost", "operator", "power", "frost"])
    ['power', 'cold']
    """
    found = (TOPIC_OF_CAUSE.get(cause) for cause in causes)
    return list(dict.fromkeys(topic for topic in found if topic))
