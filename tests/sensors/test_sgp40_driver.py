"""What the driver sgp40 adds to the Adafruit driver: a sample a second, warm-up, a memory."""

from __future__ import annotations

from typing import Any

import adafruit_sgp40
import pytest
from contracts.haste import Watch
from contracts.rig import Reader, Rig

from kiezbox.errors import SensorError, SensorGarbled, SettingsError
from kiezbox.hardware.simulated.sgp40 import SimulatedSgp40
from kiezbox.model import Flag, Measurement
from kiezbox.sensors import sgp40

#: So many seconds of so many ticks, and the index that Sensirion's own algorithm in C
#: (sensirion-gas-index-algorithm 3.2.2) says at the end of each minute.
TICKS = [(240, 30000), (60, 29600), (240, 30010), (30, 29000), (210, 29950), (20, 27500),
         (160, 30050)]  # fmt: skip
INDICES = [37, 97, 100, 100, 134, 79, 98, 100, 100, 97, 93, 98, 100, 86, 79, 83]


@pytest.fixture
def watch(monkeypatch: pytest.MonkeyPatch) -> Watch:
    made = Watch()
    monkeypatch.setattr(adafruit_sgp40, "sleep", made.sleep)
    monkeypatch.setattr(sgp40, "time", made)
    return made


def soldered(rig: Rig, chip: SimulatedSgp40, **table: Any) -> Reader:
    rig.bench.attach(0x59, chip)
    return rig.reader("sgp40", table)


def one(reader: Reader) -> Measurement:
    (measurement,) = reader.read()
    return measurement


class Scripted(SimulatedSgp40):
    """Its signal is the next of ``TICKS`` in each measurement."""

    def __init__(self, watch: Watch) -> None:
        super().__init__(clock=watch)
        self._script = iter([ticks for seconds, ticks in TICKS for _ in range(seconds)])

    def carry_out(self, command: int, arguments: list[int]) -> Any:
        if command == 0x260F:
            self.ticks = next(self._script)
        return super().carry_out(command, arguments)


def test_the_index_is_that_of_sensirions_own_algorithm(rig: Rig, watch: Watch) -> None:
    reader = soldered(rig, Scripted(watch))

    indices = [one(reader).value for _ in INDICES]

    assert indices == pytest.approx(INDICES, abs=1)


def test_a_reading_takes_its_interval_with_a_sample_every_second(rig: Rig, watch: Watch) -> None:
    chip = SimulatedSgp40(clock=watch)
    reader = soldered(rig, chip)
    reader.read()
    before, began = chip.conversions, watch.now

    reader.read()

    assert chip.conversions - before == 60
    # The last sample's second is left to the node, which waits for the interval's end.
    assert 59.0 <= watch.now - began < 60.0


def test_the_first_three_minutes_are_flagged(rig: Rig, watch: Watch) -> None:
    reader = soldered(rig, SimulatedSgp40(clock=watch))

    verdicts = [(m.flag, m.reason) for m in (one(reader) for _ in range(4))]

    assert verdicts == [(Flag.BAD, "warm-up")] * 2 + [(Flag.GOOD, "")] * 2


def test_what_it_learned_outlives_a_fault_of_a_few_minutes_but_not_of_an_hour(
    rig: Rig, watch: Watch
) -> None:
    chip = SimulatedSgp40(clock=watch)
    reader = soldered(rig, chip)
    for _ in range(3):
        reader.read()

    for pause_s, expected in ((300.0, ""), (3600.0, "warm-up")):
        chip.fault = "silence"
        with pytest.raises(SensorError):
            reader.read()
        chip.fault = None
        watch.sleep(pause_s)
        assert one(reader).reason == expected


def test_a_question_lost_now_and_then_costs_no_reading(rig: Rig, watch: Watch) -> None:
    chip = SimulatedSgp40(clock=watch)
    reader = soldered(rig, chip)
    for _ in range(3):
        reader.read()

    rig.bench.fault(0x59, "every_nth_error", n=7)

    assert [one(reader).reason for _ in range(3)] == ["", "", ""]


def test_a_sensor_that_is_gone_is_no_reading_after_three_questions(rig: Rig, watch: Watch) -> None:
    chip = SimulatedSgp40(clock=watch)
    reader = soldered(rig, chip)
    reader.read()
    chip.fault = "silence"
    began = watch.now

    with pytest.raises(SensorError):
        reader.read()

    assert watch.now - began < 3.0


def test_the_neighbours_climate_is_told(rig: Rig, watch: Watch) -> None:
    chip = SimulatedSgp40(clock=watch)
    reader = soldered(rig, chip, climate_from="bath", interval_s=1)
    climate: dict[str, float] = {}
    reader.hardware.neighbour = climate.get
    reader.read()
    assert chip.told == (0x8000, 0x6666)  # table 10, "default"

    climate |= {"bath/temperature_c": 30.0, "bath/humidity_percent": 80.0}
    reader.read()

    assert chip.told[0] == pytest.approx(80 / 100 * 65535, abs=1)
    assert chip.told[1] == pytest.approx((30 + 45) / 175 * 65535, abs=1)


@pytest.mark.parametrize("fault", ["raw_zero", "raw_ones"])
def test_a_word_of_only_zeros_or_ones_is_no_measurement(rig: Rig, watch: Watch, fault: str) -> None:
    chip = SimulatedSgp40(clock=watch)
    reader = soldered(rig, chip)
    for _ in range(3):
        reader.read()
    chip.fault = fault

    assert (one(reader).flag, one(reader).reason) == (Flag.BAD, "raw-sentinel")


@pytest.mark.parametrize(("fault", "words"), [("wrong_id", "Feature set"), ("broken", "Self test")])
def test_another_or_a_broken_chip_is_said(rig: Rig, watch: Watch, fault: str, words: str) -> None:
    chip = SimulatedSgp40(clock=watch)
    reader = soldered(rig, chip)
    chip.fault = fault

    with pytest.raises(SensorGarbled, match=words) as raised:
        reader.read()

    assert "SGP41" in raised.value.hint


def test_a_deadline_without_room_for_the_reading_is_refused(rig: Rig) -> None:
    with pytest.raises(SettingsError, match="deadline_s"):
        rig.reader("sgp40", {"interval_s": 85})
