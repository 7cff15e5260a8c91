"""The simulated cells against the equation of AAN 803-05 with numbers put in by hand."""

from __future__ import annotations

import pytest

from kiezbox.hardware.simulated.electrochemical import NO2_CELL, OX_CELL, SimulatedElectrochemical


def test_electrodes_have_the_voltages_of_the_equation() -> None:
    # WEu = WEe + S c + n(T) (AEu - AEe), at 10 °C: n is 1.0 for NO2-B43F and 1.5 for OX-B431.
    cells = SimulatedElectrochemical(clock=lambda: 0.0)

    cells.set_air(50.0, 30.0, 10.0)

    assert [cells._input_v(n) for n in range(4)] == pytest.approx(
        [
            (223 + 0.31 * 50 + 1.0 * 12) / 1000,
            (229 + 12) / 1000,
            (228 + 0.36 * 50 + 0.41 * 30 - 1.5 * 8) / 1000,
            (226 - 8) / 1000,
        ]
    )


def test_without_gas_and_background_only_the_zeros_are_left() -> None:
    still = [cell._replace(background_mv=0.0) for cell in (NO2_CELL, OX_CELL)]

    assert [cell.we_zero_mv for cell in still] == [223.0, 228.0]
    cells = SimulatedElectrochemical(clock=lambda: 0.0)
    cells.set_air(0.0, 0.0, 20.0)
    n = (0.6, 1.7)  # table 3 at 20 °C

    for cell, factor, number in zip((NO2_CELL, OX_CELL), n, (0, 2), strict=True):
        zero_mv = cells._input_v(number) * 1000 - factor * cell.background_mv
        assert zero_mv == pytest.approx(cell.we_zero_mv)


def test_a_board_without_its_plug_has_no_voltage() -> None:
    cells = SimulatedElectrochemical(clock=lambda: 0.0)
    cells.fault = "unplugged_board"

    assert [cells._input_v(n) for n in range(2)] == [0.0, 0.0]
    assert cells._input_v(2) > 0.2
