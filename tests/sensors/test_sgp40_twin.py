"""The simulated SGP40 against the data sheet and the unchanged Adafruit driver."""

from __future__ import annotations

import adafruit_sgp40
import pytest
from contracts.haste import Watch

from kiezbox.hardware.simulated.bus import SimulatedBus
from kiezbox.hardware.simulated.sgp40 import SimulatedSgp40


@pytest.fixture
def watch(monkeypatch: pytest.MonkeyPatch) -> Watch:
    made = Watch()
    monkeypatch.setattr(adafruit_sgp40, "sleep", made.sleep)
    return made


def adafruit(chip: SimulatedSgp40) -> adafruit_sgp40.SGP40:
    bus = SimulatedBus()
    bus.attach(0x59, chip)
    return adafruit_sgp40.SGP40(bus)


@pytest.mark.parametrize("ticks", [20_001, 30_000, 52_767])
def test_the_unchanged_adafruit_driver_reads_the_ticks_the_twin_was_set_to(
    watch: Watch, ticks: int
) -> None:
    chip = SimulatedSgp40(clock=watch)
    chip.set(ticks)

    assert adafruit(chip).raw == ticks


@pytest.mark.parametrize(
    ("percent", "celsius", "command"),
    [
        # Tables 9 and 10: the command without correction, and the ends of what can be told.
        (50, 25, "260f 8000a2 666693"),
        (0, -45, "260f 000081 000081"),
        (100, 130, "260f ffffac ffffac"),
    ],
)
def test_the_commands_of_the_sheet_are_taken_as_what_they_mean(
    watch: Watch, percent: float, celsius: float, command: str
) -> None:
    chip = SimulatedSgp40(clock=watch)
    chip.write(bytes.fromhex(command))

    assert chip.told[0] / 65535 * 100 == pytest.approx(percent, abs=0.002)
    assert chip.told[1] / 65535 * 175 - 45 == pytest.approx(celsius, abs=0.002)


def test_measuring_takes_30_ms_in_which_it_acknowledges_nothing(watch: Watch) -> None:
    chip = SimulatedSgp40(clock=watch)
    chip.write(bytes.fromhex("260f8000a2666693"))

    watch.sleep(0.029)
    with pytest.raises(OSError, match="no acknowledge"):
        chip.read(3)
    watch.sleep(0.001)

    assert chip.read(3)[:2] == (30_000).to_bytes(2, "big")


def test_the_self_test_says_table_13(watch: Watch) -> None:
    chip = SimulatedSgp40(clock=watch)
    for fault, expected in ((None, "d400"), ("broken", "4b00")):
        chip.fault = fault
        chip.write(bytes.fromhex("280e"))
        watch.sleep(0.25)
        assert chip.read(3)[:2].hex() == expected


def test_the_plate_is_hot_from_the_first_measurement_until_it_is_switched_off(
    watch: Watch,
) -> None:
    chip = SimulatedSgp40(clock=watch)
    assert not chip.is_hot
    chip.write(bytes.fromhex("260f8000a2666693"))
    watch.sleep(0.03)
    assert chip.is_hot

    chip.write(bytes.fromhex("3615"))

    assert not chip.is_hot


def test_an_sgp41_is_refused_by_the_adafruit_driver(watch: Watch) -> None:
    chip = SimulatedSgp40(clock=watch)
    chip.fault = "wrong_id"

    with pytest.raises(RuntimeError, match="Feature set"):
        adafruit(chip)


def test_a_gap_in_the_signal_is_no_acknowledge(watch: Watch) -> None:
    chip = SimulatedSgp40(clock=watch)
    chip.set(None)

    with pytest.raises(OSError, match="no acknowledge"):
        chip.write(b"")
