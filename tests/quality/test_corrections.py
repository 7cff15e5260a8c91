"""A correction is a series of its own, and a corrected temperature corrects the humidity too."""

from __future__ import annotations

import pytest

from kiezbox.model import Flag, Measurement, Quantity
from kiezbox.quality import corrected

T, RH, P = Quantity.TEMPERATURE_C, Quantity.HUMIDITY_PERCENT, Quantity.PRESSURE_HPA

#: Saturation vapour pressure over water in hPa: Smithsonian Meteorological Tables, 6th edition,
#: table 94 (Goff and Gratch).
SATURATED_HPA = {0: 6.1078, 10: 12.272, 20: 23.373, 24: 29.831, 30: 42.430}


def test_a_bme280_that_its_box_warms_by_4_k_is_really_at_51_percent() -> None:
    """24 °C and 40 % with 4 K of self-heating: sensors-software #783 asked for exactly this."""
    warm, damp = corrected([Measurement(T, 24.0), Measurement(RH, 40.0)], -4.0)

    assert (warm.value, warm.raw) == (20.0, 24.0)
    assert damp.value == pytest.approx(51, abs=0.5)
    assert damp.raw == 40.0


@pytest.mark.parametrize(("read", "offset"), [(24, -4), (30, -10), (10, 10), (30, -20)])
def test_the_water_in_the_air_stays_the_same_by_the_smithsonian_tables(
    read: int, offset: int
) -> None:
    _, damp = corrected([Measurement(T, read), Measurement(RH, 30.0)], offset)

    expected = 30.0 * SATURATED_HPA[read] / SATURATED_HPA[read + offset]
    assert damp.value == pytest.approx(expected, rel=0.003)


def test_pressure_needs_no_correction_and_gets_none() -> None:
    rows = corrected([Measurement(T, 24.0), Measurement(P, 1008.0)], -4.0)

    assert [one.quantity for one in rows] == [T]


def test_a_sensor_without_temperature_has_no_corrected_series() -> None:
    assert corrected([Measurement(RH, 40.0)], -4.0) == []


def test_a_doubted_value_stays_doubted_when_it_is_corrected() -> None:
    rows = corrected(
        [
            Measurement(T, 26.46, None, Flag.SUSPECT, "cross"),
            Measurement(RH, 70.0, None, Flag.BAD, "raw-sentinel"),
        ],
        -4.0,
    )

    assert [(one.flag, one.reason) for one in rows] == [
        (Flag.SUSPECT, "cross"),
        (Flag.BAD, "raw-sentinel"),
    ]


def test_a_dew_point_above_the_temperature_is_impossible_so_the_offset_was_too_large() -> None:
    _, damp = corrected([Measurement(T, 24.0), Measurement(RH, 85.0)], -4.0)

    assert damp.value > 100.0
    assert (damp.flag, damp.reason) == (Flag.BAD, "cross")
