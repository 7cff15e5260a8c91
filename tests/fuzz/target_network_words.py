"""What iw, nmcli and ip say of neighbours and of this computer: cut, foreign, hostile."""

from __future__ import annotations

from kiezbox.network import scan
from kiezbox.network.survey import (
    default_route,
    parse_json,
    parse_managers,
    parse_radios,
    parse_rules,
)

SEEDS = [
    b"BSS 3c:a6:2f:11:22:33(on wlan0)\n\tfreq: 2412\n\tsignal: -47.00 dBm\n\tSSID: Notfall\n",
    b"Wiphy phy0\n\tSupported interface modes:\n\t\t * AP\n\tBand 1:\n\t\tFrequencies:\n"
    b"\t\t\t* 2412 MHz [1] (20.0 dBm)\n\tvalid interface combinations:\n"
    b"\t\t * #{ managed, AP } <= 2048, total <= 2050\n",
    b'[{"dst": "default", "dev": "eth0", "metric": 100}]',
    b"global\ncountry DE: DFS-ETSI\n",
    b"wlan0:connected\neth0:unmanaged\n",
]


def one(data: bytes) -> None:
    """Nothing raises, and what is found can be used."""
    text = data.decode(errors="replace")
    heard = scan.parse(text)
    assert scan.choose(heard, before=6) in (1, 6, 11)
    for radio in parse_radios(text).values():
        assert radio.most_points >= 0
    default_route(parse_json(text))
    parse_managers(text)
    parse_rules(text)
