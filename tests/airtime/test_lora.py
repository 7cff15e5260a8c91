"""Time on air. Expected: what firmware 2.7 writes into its log, and figures that another program
made of the formula in Semtech's data sheet (4.1.1.7).
"""

from __future__ import annotations

import pytest

from kiezbox.airtime import PRESETS, Modulation, airtime_s, band_at
from kiezbox.errors import UsageError


@pytest.mark.parametrize(
    "preset, packet_bytes, expected_ms",
    [
        ("LONG_FAST", 43, 559), ("LONG_FAST", 73, 805), ("LONG_FAST", 123, 1174),
        ("LONG_FAST", 224, 1911), ("LONG_FAST", 104, 1010),
        ("MEDIUM_SLOW", 43, 300), ("MEDIUM_SLOW", 123, 628), ("MEDIUM_SLOW", 224, 1037),
        ("MEDIUM_FAST", 43, 160), ("MEDIUM_FAST", 73, 232), ("MEDIUM_FAST", 224, 570),
        ("SHORT_SLOW", 43, 90), ("SHORT_SLOW", 224, 321),
        ("SHORT_FAST", 43, 48), ("SHORT_FAST", 123, 107), ("SHORT_FAST", 224, 181),
    ],
)  # fmt: skip
def test_a_packet_is_on_the_air_as_long_as_the_radio_says(
    preset: str, packet_bytes: int, expected_ms: int
) -> None:
    assert airtime_s(packet_bytes, PRESETS[preset]) * 1000 == pytest.approx(expected_ms, abs=0.6)


@pytest.mark.parametrize("spreading, expected_ms", [(7, 61.696), (12, 1482.752)])
def test_a_lorawan_join_takes_what_others_calculate(spreading: int, expected_ms: float) -> None:
    found = airtime_s(23, Modulation(spreading, 125_000), preamble=8)

    assert found * 1000 == pytest.approx(expected_ms, abs=0.001)


@pytest.mark.parametrize(
    "frequency_mhz, bandwidth_khz, duty",
    [(869.525, 250, 0.10), (868.1, 125, 0.01), (868.95, 125, 0.001), (869.85, 125, 0.01)],
)
def test_each_sub_band_has_its_limit(
    frequency_mhz: float, bandwidth_khz: float, duty: float
) -> None:
    assert band_at(frequency_mhz, bandwidth_khz).duty == duty


@pytest.mark.parametrize("frequency_mhz", [869.3, 869.6, 868.65, 902.0, 433.5])
def test_where_no_sub_band_has_room_nothing_may_be_sent(frequency_mhz: float) -> None:
    with pytest.raises(UsageError) as refused:
        band_at(frequency_mhz, 250)

    assert "EU_868" in refused.value.hint
