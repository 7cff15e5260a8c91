"""What each posture needs, for every way a maker can set a box up."""

from __future__ import annotations

import ipaddress
import json

import pytest
from network.computers import box, computer

from kiezbox.network import Interface, Plan, Radio, plan
from kiezbox.network.addresses import street_addresses, street_prefix
from kiezbox.posture import Posture

RADIO = ""
EXTERNAL = '[network.access_point]\nkind = "external"\ninterface = "eth1"\n'
NONE = '[network.access_point]\nkind = "none"\n'
OWE = "[network.access_point]\nowe = true\n"
CLIENT = '[network.uplink]\nkind = "wlan"\nssid = "berlin.freifunk.net"\n'
MESH = '[network.mesh]\ninterface = "wlan1"\n'
SERVICES = (
    '[network.uplink]\nguest_uplink = "emergency-services"\nemergency_services = ["192.0.2.0/24"]\n'
)

EVERY_BOX = {
    "radio": RADIO,
    "external": EXTERNAL,
    "none": NONE,
    "owe": OWE,
    "client on the same radio": CLIENT,
    "mesh": MESH,
    "services": SERVICES,
    "everything": OWE + CLIENT + MESH,
}


def names(planned: Plan) -> list[str]:
    return [part.name for part in planned.parts]


def planned(posture: str, text: str = "", **changes: object) -> Plan:
    changes.setdefault("mesh_key", "a key of more than twelve")
    return plan(Posture(posture), box(text), computer(**changes))


@pytest.mark.parametrize("posture", list(Posture))
@pytest.mark.parametrize("text", EVERY_BOX.values(), ids=EVERY_BOX)
def test_every_part_comes_after_what_it_needs_and_has_its_file(posture: str, text: str) -> None:
    found = planned(posture, text)

    for place, part in enumerate(found.parts):
        assert part.file.format(posture=posture) in found.files
        later = {other.name for other in found.parts[place:]}
        assert not later & {*part.needs, *part.after}


@pytest.mark.parametrize("posture", list(Posture))
@pytest.mark.parametrize("text", EVERY_BOX.values(), ids=EVERY_BOX)
def test_every_word_that_commands_need_stands_in_the_environment(posture: str, text: str) -> None:
    found = planned(posture, text)
    lines = dict(line.split("=", 1) for line in found.files["environment"].splitlines())

    for part in found.parts:
        for command in (*part.start, part.stop):
            for word in command:
                if "${" in word:
                    name = word.partition("${")[2].partition("}")[0]
                    assert lines[name], f"{part.name} needs {name}"


@pytest.mark.parametrize("text", EVERY_BOX.values(), ids=EVERY_BOX)
def test_two_postures_never_want_different_texts_in_one_file(text: str) -> None:
    """Else `prepare` could not lay out all of them at once; and hostapd goes on from one to the
    other because its text is the same."""
    files: dict[str, str] = {}

    for posture in Posture:
        for name, content in planned(posture, text).files.items():
            assert files.setdefault(name, content) == content


@pytest.mark.parametrize("text", EVERY_BOX.values(), ids=EVERY_BOX)
def test_dark_leaves_no_radio_on(text: str) -> None:
    found = planned("dark", text)

    assert names(found) in (["firewall"], ["firewall", "kernel"])
    assert found.interfaces == ()


@pytest.mark.parametrize("posture", ["closed", "dark"])
@pytest.mark.parametrize("text", EVERY_BOX.values(), ids=EVERY_BOX)
def test_without_guests_there_is_no_street_and_no_rule_for_it(posture: str, text: str) -> None:
    found = planned(posture, text)

    assert not {"street", "hostapd", "dnsmasq", "handover"} & set(names(found))
    assert "kb-street" not in found.files[f"{posture}/ruleset.nft"]


@pytest.mark.parametrize("posture", ["emergency", "shared"])
def test_a_radio_opens_the_wlan(posture: str) -> None:
    found = planned(posture)

    assert {"street", "firewall", "hostapd", "dnsmasq"} <= set(names(found))
    assert [each.name for each in found.interfaces] == ["kb-street", "wlan0"]
    assert found.interfaces[1].bridge == "kb-street"


def test_an_external_access_point_is_a_port_of_the_street_and_needs_no_hostapd() -> None:
    eth1 = Interface(name="eth1", is_up=False)
    found = planned("emergency", EXTERNAL, interfaces=(eth1,), radios=())

    assert "hostapd" not in names(found)
    assert "link set dev eth1 master kb-street" in found.files["street-up.ip"]
    # It was down before, so it is down afterwards.
    assert "link set dev eth1 down" in found.files["street-down.ip"]
    assert found.lacks == ()


def test_a_box_that_opens_no_wlan_has_no_street_in_any_posture() -> None:
    for posture in Posture:
        assert "street" not in names(planned(posture, NONE))


def test_the_boxs_addresses_on_the_street_are_the_documented_ones() -> None:
    settings = box()
    addresses = [str(address) for address in street_addresses(settings)]

    assert addresses[:3] == ["10.42.0.1/22", "198.51.100.1/32", "198.51.100.2/32"]
    assert addresses[3:] == [f"{street_prefix(settings)[1]}/64", "fe80::1/64"]


def test_the_ipv6_prefix_is_local_differs_between_boxes_and_stays() -> None:
    """RFC 4193 §3.1: fd, 40 bits of global id, 16 bits of subnet."""
    mine, again = street_prefix(box()), street_prefix(box())
    another = street_prefix(box().__class__(box=box().box.__class__(id="kb-2")))

    assert mine == again != another
    assert mine.subnet_of(ipaddress.IPv6Network("fd00::/8")) and mine.prefixlen == 64
    assert int(mine.network_address) & (1 << 80) - 1 == 0


def test_a_prefix_from_the_settings_is_taken_as_it_is() -> None:
    found = planned("emergency", '[network.street]\nprefix = "fd12:3456:789a:1::/64"\n')

    assert "fd12:3456:789a:1::1/64" in found.interfaces[0].addresses


def test_a_machine_without_ipv6_is_not_asked_for_it() -> None:
    found = planned("emergency", has_ipv6=False)

    assert "nodad" not in found.files["street-up.ip"]
    assert "ipv6" not in found.files["emergency/kernel.sysctl"]


def test_networkmanager_is_asked_to_let_go_only_where_it_holds_the_interface() -> None:
    managed = Interface(name="wlan0", phy="phy0", manager="NetworkManager")

    assert "handover" in names(planned("emergency", interfaces=(managed,)))
    assert "handover" not in names(planned("emergency"))


def test_the_box_is_a_client_only_while_its_own_wlan_is_off() -> None:
    assert {"client", "client-address"} <= set(names(planned("closed", CLIENT)))
    assert "client" not in names(planned("emergency", CLIENT))
    assert "KIEZBOX_UPLINK=wlan0\n" in planned("closed", CLIENT).files["environment"]


def test_a_radio_that_joins_a_wlan_afterwards_is_not_put_down_under_it() -> None:
    """Seen on paper: wpa_supplicant has it already when the street goes."""
    down = Interface(name="wlan0", phy="phy0", is_up=False)

    assert "wlan0" not in planned("emergency", CLIENT, interfaces=(down,)).files["street-down.ip"]
    files = planned("emergency", interfaces=(down,)).files
    assert "link set dev wlan0 down" in files["street-down.ip"]


def test_a_mesh_without_its_key_does_not_keep_the_emergency_wlan_off_the_air() -> None:
    found = planned("emergency", MESH, mesh_key=None)

    assert {"street", "firewall", "hostapd", "dnsmasq"} <= set(names(found))
    (lack,) = [lack for lack in found.lacks if "key" in lack.what]
    assert not lack.is_fatal and lack.hint


def test_a_locked_uplink_without_password_is_told_and_nothing_else_suffers() -> None:
    found = planned("closed", CLIENT + 'password_file = "/etc/kiezbox/uplink"\n')

    assert "client" not in names(found)
    assert "/etc/kiezbox/uplink is not there" in [lack.what for lack in found.lacks]


@pytest.mark.parametrize("posture", list(Posture))
def test_no_secret_stands_in_what_everybody_may_read(posture: str) -> None:
    text = MESH + CLIENT + 'password_file = "/etc/kiezbox/uplink"\n'
    machine = computer(mesh_key="mesh-secret-123", client_password="uplink-secret-1")
    found = plan(Posture(posture), box(text), machine)

    public = json.dumps(found.as_facts()) + json.dumps(machine.as_facts()) + repr(machine)
    assert "secret" not in public


# --- what is missing -----------------------------------------------------------------------


def lacks(text: str = "", **changes: object) -> dict[str, bool]:
    return {lack.what: lack.is_fatal for lack in planned("emergency", text, **changes).lacks}


def test_a_complete_box_lacks_nothing() -> None:
    assert lacks('[network.access_point]\ncountry = "DE"\n') == {}


def test_a_program_that_is_not_installed_is_named_with_its_package() -> None:
    found = planned("emergency", programs=computer().programs - {"dnsmasq"})

    assert ("dnsmasq is not installed", "apt install dnsmasq-base") in [
        (lack.what, lack.hint) for lack in found.lacks
    ]


@pytest.mark.parametrize(
    ("what", "text", "changes"),
    [
        ("there is no interface wlan0", "", {"interfaces": ()}),
        ("wlan0 is no WLAN radio", "", {"interfaces": (Interface(name="wlan0"),)}),
        (
            "wlan0 cannot be an access point",
            "",
            {"radios": (Radio(phy="phy0", modes=frozenset({"managed"})),)},
        ),
        (
            "wlan0 may not open an access point on channel 13",
            "[network.access_point]\nchannel = 13\n",
            {"radios": (Radio(phy="phy0", channels=tuple(range(1, 12))),)},
        ),
    ],
)
def test_what_makes_the_wlan_impossible_is_said(
    what: str, text: str, changes: dict[str, object]
) -> None:
    assert lacks(text, **changes)[what]


@pytest.mark.parametrize(
    ("word", "text", "changes"),
    [
        ("radio rules", '[network.access_point]\ncountry = "DE"\n',
         {"has_regulatory_database": False}),
        ("two access points", OWE, {"radios": (Radio(phy="phy0", most_points=1),)}),
        ("dhcpcd looks after wlan0", "",
         {"interfaces": (Interface(name="wlan0", phy="phy0", manager="dhcpcd"),)}),
        ("no interface wlan1 for the mesh", MESH, {}),
    ],
)  # fmt: skip
def test_what_only_makes_it_worse_is_said_and_does_not_stop_it(
    word: str, text: str, changes: dict[str, object]
) -> None:
    found = lacks(text, **changes)

    assert [is_fatal for what, is_fatal in found.items() if word in what] == [False]
    assert "hostapd" in names(planned("emergency", text, **changes))


# --- forwarding ----------------------------------------------------------------------------

BEFORE = {"net/ipv6/conf/all/forwarding": "0", "net/ipv6/conf/eth0/accept_ra": "1"}


def test_nothing_is_forwarded_while_guests_have_no_uplink() -> None:
    for posture in Posture:
        assert "forwarding = 1" not in "".join(planned(posture).files.values())


def test_with_an_uplink_for_all_only_shared_forwards_and_the_rest_put_back_what_was() -> None:
    text = '[network.uplink]\nguest_uplink = "all"\n'

    shared = planned("shared", text, before=BEFORE).files["shared/kernel.sysctl"]
    assert "net/ipv4/conf/kb-street/forwarding = 1" in shared
    assert "net/ipv4/conf/eth0/forwarding = 1" in shared
    # A router no longer listens to routers, unless told to (kernel, ip-sysctl: accept_ra = 2).
    assert "net/ipv6/conf/all/forwarding = 1" in shared
    assert "net/ipv6/conf/eth0/accept_ra = 2" in shared
    for posture in ("closed", "emergency", "dark"):
        kernel = planned(posture, text, before=BEFORE).files[f"{posture}/kernel.sysctl"]
        assert "forwarding = 1" not in kernel
        assert "net/ipv6/conf/all/forwarding = 0" in kernel
        assert "net/ipv6/conf/eth0/accept_ra = 1" in kernel


def test_for_emergency_services_the_emergency_posture_forwards_too() -> None:
    kernel = planned("emergency", SERVICES, before=BEFORE).files["emergency/kernel.sysctl"]

    assert "net/ipv4/conf/kb-street/forwarding = 1" in kernel


@pytest.mark.parametrize("posture", ["emergency", "shared"])
def test_the_box_believes_no_guest_who_says_that_he_is_a_router(posture: str) -> None:
    kernel = planned(posture).files[f"{posture}/kernel.sysctl"]

    assert "net/ipv6/conf/kb-street/accept_ra = 0" in kernel
    assert "net/ipv4/conf/kb-street/accept_redirects = 0" in kernel
