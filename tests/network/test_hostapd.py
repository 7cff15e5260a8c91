"""hostapd.conf, judged by hostapd itself and by hostile names."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from network.computers import box, computer

from kiezbox.network import Interface, Radio, hostapd
from kiezbox.settings import AccessPointSettings, Settings

ONE_AT_A_TIME = computer(radios=(Radio(phy="phy0", most_points=1),))

#: What a maker may call a WLAN: 1 to 32 bytes that can be shown (settings/network.py).
NAMES = st.text(min_size=1, max_size=32).filter(
    lambda name: len(name.encode("utf-8", "replace")) <= 32 and name.isprintable()
)


def named(ssid: str) -> Settings:
    usual = box()
    point = AccessPointSettings(ssid=ssid)
    network = type(usual.network)(access_point=point)
    return type(usual)(box=usual.box, network=network)


def values(text: str) -> list[tuple[str, str]]:
    return [tuple(line.split("=", 1)) for line in text.splitlines() if line]  # type: ignore[misc]


@given(NAMES)
def test_no_name_can_say_anything_but_itself(ssid: str) -> None:
    usual = values(hostapd.configuration(box(), computer()))
    found = values(hostapd.configuration(named(ssid), computer()))

    (said,) = [value for key, value in found if key == "ssid2"]
    assert bytes.fromhex(said).decode() == ssid
    keys = [key for key, _ in found if key != "utf8_ssid"]
    assert keys == [key for key, _ in usual]


@pytest.mark.parametrize("ssid", ['Notfall "hier"', "#1", "Nöthilfe für Kreuzkölln", "a\\n", " "])
@pytest.mark.parametrize("owe", [False, True])
def test_hostapd_understands_every_line(ssid: str, owe: bool, tmp_path: Path) -> None:
    """It reads the whole file before it looks for the radio, which no computer has."""
    if not shutil.which("hostapd", path="/usr/sbin:/usr/bin"):
        pytest.skip("hostapd is not installed (tests/prepare does)")
    settings = box(f"""
[network]
run_dir = "{tmp_path}"
[network.access_point]
interface = "kb-no-radio"
ssid = '{ssid}'
country = "DE"
owe = {str(owe).lower()}
""")
    machine = computer(interfaces=(Interface(name="kb-no-radio", phy="phy0"),))
    file = tmp_path / "hostapd.conf"
    file.write_text(hostapd.configuration(settings, machine), encoding="utf-8")

    done = subprocess.run(
        ["/usr/sbin/hostapd", str(file)], capture_output=True, text=True, timeout=20
    )

    said = done.stdout + done.stderr
    assert "Line " not in said and "errors found in configuration" not in said
    assert "kb-no-radio" in said
    assert ("bss=" in file.read_text(encoding="utf-8")) == owe


def test_a_line_that_hostapd_does_not_know_would_be_noticed(tmp_path: Path) -> None:
    if not shutil.which("hostapd", path="/usr/sbin:/usr/bin"):
        pytest.skip("hostapd is not installed (tests/prepare does)")
    file = tmp_path / "hostapd.conf"
    file.write_text("interface=kb-no-radio\nap_isolated=1\n", encoding="utf-8")

    done = subprocess.run(
        ["/usr/sbin/hostapd", str(file)], capture_output=True, text=True, timeout=20
    )

    assert "Line 2: unknown configuration item 'ap_isolated'" in done.stdout + done.stderr


def test_the_wlan_is_open_and_its_guests_do_not_see_each_other() -> None:
    found = dict(values(hostapd.configuration(box(), computer())))

    assert found["ap_isolate"] == "1"
    assert "wpa" not in found
    assert found["bridge"] == "kb-street"


def test_a_country_is_told_to_the_phones_and_none_is_invented() -> None:
    german = hostapd.configuration(box('[network.access_point]\ncountry = "DE"\n'), computer())

    assert "country_code=DE\nieee80211d=1\n" in german
    assert "country" not in hostapd.configuration(box(), computer())


def test_the_encrypted_twin_is_hidden_and_both_point_to_each_other() -> None:
    text = hostapd.configuration(box("[network.access_point]\nowe = true\n"), computer())
    first, second = (dict(values(half)) for half in text.split("bss=kb-owe"))

    assert first["owe_transition_ifname"] == "kb-owe"
    assert second["owe_transition_ifname"] == "wlan0"
    assert (second["wpa_key_mgmt"], second["ieee80211w"]) == ("OWE", "2")
    assert second["ignore_broadcast_ssid"] == "1"
    assert second["ssid2"] != first["ssid2"] and len(bytes.fromhex(second["ssid2"])) <= 32
    assert first["ap_isolate"] == second["ap_isolate"] == "1"


def test_a_radio_that_cannot_be_two_gets_the_open_wlan_alone() -> None:
    text = hostapd.configuration(box("[network.access_point]\nowe = true\n"), ONE_AT_A_TIME)

    assert "bss=" not in text and "owe" not in text


@pytest.mark.parametrize(
    ("most_guests", "pool", "admitted"),
    [(0, "10.42.0.0/22", 1021), (25, "10.42.0.0/22", 25), (0, "10.42.0.0/28", 13),
     (0, "10.42.0.0/16", 2007)],
)  # fmt: skip
def test_never_more_guests_than_were_asked_for_than_addresses_or_than_the_standard_has(
    most_guests: int, pool: str, admitted: int
) -> None:
    settings = box(
        f"[network.access_point]\nmost_guests = {most_guests}\n"
        f'[network.street]\nguests = "{pool}"\n'
    )

    assert hostapd.guests(settings) == admitted


@pytest.mark.parametrize(("set_by_hand", "by_scan", "opened"), [(13, 6, 13), (0, 6, 6), (0, 0, 11)])
def test_the_channel_is_the_makers_else_the_scans_else_the_boxs_favourite(
    set_by_hand: int, by_scan: int, opened: int
) -> None:
    settings = box(f"[network.access_point]\nchannel = {set_by_hand}\n")

    assert hostapd.channel(settings, computer(channel=by_scan)) == opened


def test_boxes_that_heard_nobody_are_on_all_three_channels() -> None:
    favourites = [hostapd.favourite(f"kb-{number}") for number in range(300)]

    assert all(80 < favourites.count(channel) < 120 for channel in (1, 6, 11))
