"""The tables ``[network]`` of kiezbox.toml: the emergency WLAN, the mesh, the way to the world."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass

from kiezbox.errors import SettingsError
from kiezbox.settings.declaring import section, setting

#: Linux allows 15 bytes for the name of an interface (IFNAMSIZ), and these cause no surprises.
_INTERFACE = re.compile(r"[a-zA-Z][a-zA-Z0-9_.-]{0,14}")
_NAME = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?")


def _check_interface(value: str) -> str:
    return "" if not value or _INTERFACE.fullmatch(value) else "is no name of an interface"


def _check_ssid(value: str) -> str:
    size = len(value.encode())
    if not 1 <= size <= 32:
        return f"has {size} bytes; a WLAN's name has 1 to 32"
    return "" if value.isprintable() else "holds a character that cannot be shown"


def _check_country(value: str) -> str:
    return "" if re.fullmatch(r"[A-Z]{2}|", value) else "must be two capital letters (ISO 3166)"


def _check_name(value: str) -> str:
    return "" if not value or _NAME.fullmatch(value) else "is no name such as kiezbox.internal"


def _check_public(value: str) -> str:
    """Phones take a portal at a private address for a broken one (captive portal contract)."""
    try:
        address = ipaddress.IPv4Address(value)
    except ValueError:
        return "is no IPv4 address"
    private = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16", "127.0.0.0/8")
    if any(address in ipaddress.ip_network(net) for net in private) or address.is_multicast:
        return "is private: Samsung and older Android phones refuse a portal there"
    return ""


def _check_pool(value: str) -> str:
    try:
        network = ipaddress.IPv4Network(value)
    except ValueError as error:
        return f"is no IPv4 network: {error}"
    return "" if 16 <= network.prefixlen <= 28 else "must have 16 to 28 bits"


def _check_address(value: str) -> str:
    try:
        ipaddress.IPv4Address(value or "10.43.0.1")
    except ValueError as error:
        return f"is no IPv4 address: {error}"
    return ""


def _check_prefix(value: str) -> str:
    try:
        network = ipaddress.IPv6Network(value or "fd00::/64")
    except ValueError as error:
        return f"is no IPv6 prefix: {error}"
    is_ula = network.subnet_of(ipaddress.IPv6Network("fd00::/8"))
    return "" if is_ula and network.prefixlen == 64 else "must be a /64 within fd00::/8 (RFC 4193)"


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessPointSettings:
    """``[network.access_point]``"""

    kind: str = setting(
        "radio",
        help="radio: this box's own WLAN. external: an access point on an Ethernet port, as a\n"
        "plain bridge (any OpenWrt or Freifunk router). none: this box opens no WLAN.",
        choices=("radio", "external", "none"),
    )
    interface: str = setting(
        "wlan0", help="The radio, or the Ethernet port to the router.", check=_check_interface
    )
    ssid: str = setting(
        "Kiezbox-Notfall",
        help="Name of the emergency WLAN. Never that of an everyday WLAN: phones that know it\n"
        "without a portal stop looking for one.",
        check=_check_ssid,
    )
    country: str = setting(
        "",
        help="Whose radio rules hold here (ISO 3166). Empty: the world's least common ones.",
        check=_check_country,
        example="DE",
    )
    channel: int = setting(
        0, help="0: the quietest of 1, 6 and 11 at the last scan.", least=0, most=13
    )
    owe: bool = setting(
        False,
        help="Also offer the WLAN encrypted (WPA3-OWE transition mode). Needs a radio that can\n"
        "be two access points at once.",
    )
    most_guests: int = setting(
        0, help="Refuse more guests than this; 0: what the radio takes.", least=0, most=2007
    )
    pin: int = setting(
        -1,
        help="BCM number of a line that switches the external access point or radio; -1: none.",
        least=-1,
        most=53,
    )
    off_pin: int = setting(
        -1,
        help="A latching relay has two coils: `pin` is pulsed to switch on, this one to switch\n"
        "off. -1: a plain relay, `pin` stays high while on.",
        least=-1,
        most=53,
    )
    pin_active_high: bool = setting(True, help="Whether a high line means on (or pulse).")

    def __post_init__(self) -> None:
        if self.off_pin >= 0 and self.pin in (-1, self.off_pin):
            raise SettingsError(
                "off_pin needs another pin beside it",
                hint="A latching relay has a coil for on (`pin`) and one for off (`off_pin`).",
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class StreetSettings:
    """``[network.street]``"""

    address: str = setting(
        "198.51.100.1",
        help="Where the portal answers, and what every name means to a guest. From a public\n"
        "range, because phones mistrust private ones; this one is reserved for documentation.",
        check=_check_public,
    )
    https_address: str = setting(
        "198.51.100.2",
        help="Where the portal answers by https, while its certificate is valid.",
        check=_check_public,
    )
    name: str = setting(
        "kiezbox.internal", help="The name a guest may type. It always answers.", check=_check_name
    )
    guests: str = setting(
        "10.42.0.0/22", help="Addresses for guests; the first is the box's.", check=_check_pool
    )
    prefix: str = setting(
        "", help="IPv6 for guests, a /64 of fd00::/8. Empty: made from box.id.", check=_check_prefix
    )
    lease_s: float = setting(
        2700.0, help="How long a guest keeps an address.", unit="s", least=120, most=86400
    )
    stay_s: float = setting(
        86400.0,
        help='How long "stay connected" holds until the phone is asked again.',
        unit="s",
        least=300,
        most=604800,
    )
    slice_open_s: float = setting(
        900.0,
        help="In saving the WLAN is on for so long out of every slice_every_s, from the full\n"
        "hour on, so that neighbours can know when. Equal to slice_every_s: always on.",
        unit="s",
        least=60,
        most=86400,
    )
    slice_every_s: float = setting(
        3600.0, help="See slice_open_s.", unit="s", least=300, most=86400
    )

    def __post_init__(self) -> None:
        if self.address == self.https_address:
            raise SettingsError(
                "https_address must differ from address",
                hint="Only there port 443 is open; everywhere else it is refused at once.",
            )
        if self.slice_open_s > self.slice_every_s:
            raise SettingsError(
                "slice_open_s must be at most slice_every_s",
                hint="The WLAN is on for slice_open_s out of every slice_every_s.",
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class UplinkSettings:
    """``[network.uplink]``"""

    kind: str = setting(
        "system",
        help="How this box reaches Freifunk. system: somebody else manages that (Ethernet, or\n"
        "NetworkManager). wlan: the box joins `ssid` by itself while its own WLAN is off.",
        choices=("system", "wlan", "none"),
    )
    interface: str = setting(
        "", help="The interface to the world. Empty: any default route.", check=_check_interface
    )
    ssid: str = setting("", help="kind wlan: the WLAN to join.", example="musterstadt.freifunk.net")
    password_file: str = setting("", help="kind wlan: file with its password. Empty: open.")
    resolvers: tuple[str, ...] = setting(
        ("9.9.9.9", "2620:fe::9"),
        help="Asked for guests' names beside those of /etc/resolv.conf, which know nothing of an\n"
        "uplink in the mesh. The default is Quad9, a foundation in Zürich.",
    )
    guest_uplink: str = setting(
        "none",
        help="Who may use an uplink that is still there, this box's or another's. none: nobody.\n"
        "emergency-services: guests reach `emergency_services` only and see the portal. all:\n"
        "guests use the internet, shaped, and are not intercepted.",
        choices=("none", "emergency-services", "all"),
    )
    emergency_services: tuple[str, ...] = setting(
        (), help="Addresses or networks of emergency services, IPv4 or IPv6.", example=[]
    )
    guest_kbit_s: int = setting(
        1000, help="What one guest may take of the uplink, each way.", unit="kbit/s", least=16
    )
    share_with_mesh: bool = setting(
        False, help="Whether the guests of meshed boxes may use this box's uplink, too."
    )
    respondd: bool = setting(
        False,
        help="Whether this box answers Freifunk's respondd on the uplink, too, and so appears on\n"
        "Freifunk's maps with its name, place and number of guests. In the mesh it always does.",
    )

    def __post_init__(self) -> None:
        for each in self.resolvers:
            try:
                ipaddress.ip_address(each)
            except (ValueError, TypeError) as error:
                raise SettingsError(
                    f"resolvers holds {each!r}, which is no address",
                    hint="Write addresses such as 9.9.9.9 or 2620:fe::9.",
                ) from error
        for each in self.emergency_services:
            try:
                ipaddress.ip_network(each)
            except (ValueError, TypeError) as error:
                raise SettingsError(
                    f"emergency_services holds {each!r}, which is no address or network",
                    hint="Write addresses; names cannot be looked up in a blackout.",
                ) from error


@dataclass(frozen=True, slots=True, kw_only=True)
class MeshSettings:
    """``[network.mesh]``"""

    interface: str = setting(
        "",
        help="A second radio for the boxes among themselves, or a wire. Empty: no mesh. The\n"
        "Raspberry Pi's own chip cannot do it.",
        check=_check_interface,
    )
    kind: str = setting(
        "80211s",
        help="80211s: an encrypted radio mesh. wire: a cable or an existing mesh's port.",
        choices=("80211s", "wire"),
    )
    name: str = setting("kiezbox-mesh", help="The mesh's id, on the air.", check=_check_ssid)
    key_file: str = setting(
        "/etc/kiezbox/mesh.key",
        help="File with the mesh's password, the same in all boxes of a Kiez (SAE). Made by\n"
        "provisioning, never the same as anybody's default.",
    )
    channel: int = setting(11, help="The same in all boxes.", least=1, most=13)
    routing: str = setting(
        "auto",
        help="batman: layer 2, in the kernel. babel: a daemon, layer 3. plain: 802.11s alone.\n"
        "auto: the first of these that is there.",
        choices=("auto", "batman", "babel", "plain"),
    )
    network: str = setting(
        "10.43.0.0/16", help="IPv4 of the boxes among themselves.", check=_check_pool
    )
    address: str = setting(
        "",
        help="This box's IPv4 address in `network`. Empty: made from box.id. Two boxes made the\n"
        "same (1 in 3000 for 7 boxes)? `kiezbox network neighbours` says so; give one here.",
        check=_check_address,
        example="10.43.7.1",
    )
    broker_port: int = setting(
        0,
        help="An MQTT broker runs on this box, for all boxes of the mesh: its port. 0: none.",
        least=0,
        most=65535,
    )

    def __post_init__(self) -> None:
        network = ipaddress.IPv4Network(self.network)
        if self.address and ipaddress.IPv4Address(self.address) not in network:
            raise SettingsError(
                f"address {self.address} is outside network {self.network}",
                hint="Boxes of one mesh share one network. Leave address empty to have it made.",
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateSettings:
    """``[network.certificate]``"""

    name: str = setting(
        "",
        help="The portal's https name, from a domain that somebody owns. Empty: no https.",
        check=_check_name,
        example="portal.example.org",
    )
    folder: str = setting("/etc/kiezbox/certificate", help="Holds fullchain.pem and privkey.pem.")
    acme_server: str = setting(
        "https://acme-v02.api.letsencrypt.org/directory",
        help="Asked for a new certificate (ACME, DNS-01) on ordinary days.",
    )
    acme_dns: str = setting(
        "",
        help="certbot's DNS plugin, such as rfc2136. Empty: the certificate is somebody else's\n"
        "business.",
    )
    acme_credentials: str = setting(
        "/etc/kiezbox/acme-dns.ini", help="The plugin's credentials file."
    )
    acme_email: str = setting("", help="For the certificate authority. May stay empty.")


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkSettings:
    """``[network]``"""

    run_dir: str = setting(
        "/run/kiezbox-network",
        help="Folder in memory for what each posture needs: hostapd.conf, ruleset.nft, …",
    )
    access_point: AccessPointSettings = section(
        AccessPointSettings, help="The radio that guests speak to."
    )
    street: StreetSettings = section(StreetSettings, help="What a guest's phone finds.")
    uplink: UplinkSettings = section(UplinkSettings, help="The way to Freifunk and the world.")
    mesh: MeshSettings = section(MeshSettings, help="The boxes among themselves.")
    certificate: CertificateSettings = section(
        CertificateSettings, help="A real certificate, for https and RFC 8908. Optional."
    )

    def __post_init__(self) -> None:
        point, mesh = self.access_point, self.mesh
        if point.kind != "none" and mesh.interface and mesh.interface == point.interface:
            raise SettingsError(
                "mesh.interface must differ from access_point.interface",
                hint="The mesh needs a radio of its own: a second WLAN adapter.",
            )
