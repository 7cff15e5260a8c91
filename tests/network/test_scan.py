"""The choice of a channel, from what iw says and from what hostile neighbours call themselves."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiezbox.clock import ManualClock
from kiezbox.network import scan
from kiezbox.network.scan import Heard

#: As iw 5.19 prints it (scan.c: print_bss_handler): a line per network, its parts indented by a
#: tab, signal in dBm; ssid_escape leaves printable ASCII and writes the rest as \xNN.
ONE = """BSS 3c:a6:2f:11:22:33(on wlan0)
\tlast seen: 1234.567s [boottime]
\tTSF: 123456789 usec (0d, 00:02:03)
\tfreq: 2412
\tbeacon interval: 100 TUs
\tcapability: ESS Privacy ShortSlotTime RadioMeasure (0x1411)
\tsignal: -47.00 dBm
\tlast seen: 80 ms ago
\tInformation elements from Probe Response frame:
\tSSID: FRITZ!Box 7590
\tSupported rates: 1.0* 2.0* 5.5* 11.0* 6.0 9.0 12.0 18.0
\tDS Parameter set: channel 1
BSS 3c:a6:2f:11:22:44(on wlan0) -- associated
\tfreq: 2462.0
\tsignal: -71.00 dBm
\tSSID: berlin.freifunk.net
BSS 3c:a6:2f:11:22:55(on wlan0)
\tfreq: 5180
\tsignal: -40.00 dBm
\tSSID: fast
"""


def test_the_networks_of_2_4_ghz_are_heard_with_channel_and_loudness() -> None:
    # iw 5.19 prints "2412", 6 prints "2412.0"; the one at 5180 MHz takes nobody's air.
    assert scan.parse(ONE) == [Heard(1, -47.0), Heard(11, -71.0)]


@pytest.mark.parametrize(
    "name",
    [
        r"x\x0a\x09freq: 2437",
        "BSS 3c:a6:2f:00:00:00(on wlan0)",
        "signal: -1.00 dBm",
        "\\x00" * 32,
        "",
    ],
)
def test_a_neighbours_name_cannot_invent_a_network(name: str) -> None:
    text = ONE.replace("FRITZ!Box 7590", name)

    assert scan.parse(text) == scan.parse(ONE)


@given(st.text())
def test_any_text_is_read_without_harm(text: str) -> None:
    assert all(1 <= heard.channel <= 14 for heard in scan.parse(text))


@given(st.data())
def test_a_scan_cut_anywhere_is_read_without_harm(data: st.DataObject) -> None:
    text = ONE[: data.draw(st.integers(0, len(ONE)))]

    assert set(scan.parse(text)) <= set(scan.parse(ONE))


def test_the_quietest_channel_is_chosen() -> None:
    assert scan.choose([Heard(1, -40.0), Heard(6, -45.0), Heard(11, -80.0)], before=1) == 11


def test_a_network_between_two_channels_weighs_on_both() -> None:
    """20 MHz wide, 5 MHz apart: one on channel 3 covers half of 1 and a quarter of 6."""
    weights = scan.weights([Heard(3, -50.0)])

    assert weights[1] == pytest.approx(weights[6] * 2)
    assert weights[11] == 0


def test_where_nobody_is_heard_the_choice_stays() -> None:
    assert [scan.choose([], before) for before in (1, 6, 11)] == [1, 6, 11]


def test_a_little_less_noise_is_no_reason_to_change() -> None:
    """Each change writes to the card; 1 dB is what a curtain makes."""
    assert scan.choose([Heard(1, -60.0), Heard(6, -61.0), Heard(11, -61.0)], before=1) == 1
    assert scan.choose([Heard(1, -60.0), Heard(6, -70.0), Heard(11, -61.0)], before=1) == 6


def test_a_choice_outlives_a_restart(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setenv("STATE_DIRECTORY", str(tmp_path / "state"))
    assert scan.chosen() == 0

    scan.remember(6, ManualClock())

    assert scan.chosen() == 6


@pytest.mark.parametrize("content", ["", "{", "[]", '{"channel": "6"}', '{"channel": 7}', "null"])
def test_a_damaged_memory_is_no_choice(
    content: str,
    tmp_path,  # type: ignore[no-untyped-def]
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("STATE_DIRECTORY", str(tmp_path))
    (tmp_path / "channel.json").write_text(content)

    assert scan.chosen() == 0
