"""The table ``[abuse]`` of kiezbox.toml: how much one guest may write, and what nobody may."""

from __future__ import annotations

from dataclasses import dataclass

from kiezbox.settings.declaring import setting


@dataclass(frozen=True, slots=True, kw_only=True)
class AbuseSettings:
    """``[abuse]``"""

    client_burst: float = setting(
        30.0,
        help="What one guest (an address) may send at once, in points: a request for help\n"
        "costs 1, a post on the board 3.",
        unit="points",
        least=5,
        most=10000,
    )
    client_per_minute: float = setting(
        3.0, help="What comes back to a guest.", unit="points/min", least=0.1, most=10000
    )
    client_per_day: float = setting(
        150.0,
        help="What a guest may send within a day, in points: whoever sends all night with the\n"
        "addresses of many phones would fill the card.",
        unit="points",
        least=5,
        most=1000000,
    )
    network_factor: float = setting(
        10.0,
        help="So many times as much has one IPv6 /64 of elsewhere, and all those of the emergency\n"
        "WLAN together whose addresses are too many to be told apart.",
        least=1,
        most=1000,
    )
    box_burst: float = setting(
        3000.0,
        help="What this box takes at once from everybody. The last tenth is for requests for help\n"
        "and signs of life, the tenth before it for whoever has not written for a while.",
        unit="points",
        least=100,
        most=1000000,
    )
    box_per_minute: float = setting(
        600.0, help="What comes back to the box.", unit="points/min", least=10, most=1000000
    )
    blocked_words: str = setting(
        "",
        help="A file of words with which nothing is published, one a line; word* and *word* for\n"
        "parts of words. By default blocked-words.txt beside the log of words.\n"
        "`kiezbox moderate block WORD` adds one.",
    )
    moderator_key: str = setting(
        "/etc/kiezbox/moderator.key",
        help="The key that signs what `kiezbox moderate` decides (`kiezbox moderate keys`).",
    )
