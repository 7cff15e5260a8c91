"""What ``plan`` knows about this computer: facts, read by ``survey``, never settings. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from types import MappingProxyType
from typing import Any

__all__ = ["Interface", "Machine", "Radio"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Radio:
    """A WLAN chip, as ``iw phy`` describes it."""

    phy: str
    driver: str = ""
    #: iw's words: "managed", "AP", "mesh point", …
    modes: frozenset[str] = frozenset({"managed", "AP"})
    #: How many access points it can be at once (``valid interface combinations``).
    most_points: int = 1
    #: Channels of 2.4 GHz on which it may open an access point, by today's radio rules.
    channels: tuple[int, ...] = tuple(range(1, 14))
    #: How many guests its firmware admits; None: not known to be fewer than the standard's 2007.
    most_guests: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Interface:
    """A network interface that is there."""

    name: str
    #: The radio's ``phy``, or "" for a wire.
    phy: str = ""
    is_up: bool = False
    #: Who else looks after it: "NetworkManager", "systemd-networkd", "dhcpcd", … or "".
    manager: str = ""
    #: The bridge whose port it is, or "".
    bridge: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """This computer. The defaults are one that lacks nothing but interfaces."""

    interfaces: tuple[Interface, ...] = ()
    radios: tuple[Radio, ...] = ()
    #: Which of the programs we start are installed.
    programs: frozenset[str] = frozenset(
        {"hostapd", "dnsmasq", "nft", "ip", "iw", "sysctl", "wpa_supplicant", "udhcpc", "nmcli"}
    )
    #: Whether the kernel has batman-adv.
    has_batman: bool = False
    has_ipv6: bool = True
    #: Whether the street is there just now, so that its port is not as it was before.
    has_street: bool = False
    #: Whose radio rules the kernel goes by: "DE", "00" for the world's, "" for not known.
    country: str = ""
    #: Whether the kernel's database of radio rules is installed.
    has_regulatory_database: bool = True
    #: What the last scan chose of 1, 6 and 11; 0: there was none.
    channel: int = 0
    #: The interface with a default route, "" for none.
    uplink: str = ""
    #: Whether the https certificate is valid for 7 days or more, by a clock that is trusted.
    has_certificate: bool = False
    #: What ``mesh.key_file`` holds; None: there is no such file, or we may not read it.
    mesh_key: str | None = field(default=None, repr=False)
    #: What ``uplink.password_file`` holds, likewise.
    client_password: str | None = field(default=None, repr=False)
    #: Kernel settings (sysctl keys with slashes) as they were before us, to be put back.
    before: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def has_babel(self) -> bool:
        return "babeld" in self.programs

    def interface(self, name: str) -> Interface | None:
        """The interface of that name, if it is there."""
        return next((each for each in self.interfaces if each.name == name), None)

    def radio_of(self, name: str) -> Radio | None:
        """The radio behind an interface; None for a wire, or where there is no such interface."""
        found = self.interface(name)
        if found is None or not found.phy:
            return None
        return next((each for each in self.radios if each.phy == found.phy), None)

    def as_facts(self) -> dict[str, Any]:
        """For programs that look at the box; without the secrets."""
        return {
            "interfaces": [asdict(each) for each in self.interfaces],
            "radios": [
                asdict(each) | {"modes": sorted(each.modes), "channels": list(each.channels)}
                for each in self.radios
            ],
            "programs": sorted(self.programs),
            "has_batman": self.has_batman,
            "has_ipv6": self.has_ipv6,
            "country": self.country,
            "has_regulatory_database": self.has_regulatory_database,
            "uplink": self.uplink,
        }
