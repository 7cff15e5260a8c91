"""The noise driver: one number for the time between two readings, and nothing else of the sound."""

from __future__ import annotations

import pytest
from contracts.haste import Watch
from contracts.rig import Reader, Rig

from kiezbox.errors import SensorGarbled, SettingsError
from kiezbox.hardware.simulated.laeq import (
    CALCULATE,
    READ,
    READY,
    VERSION,
    SimulatedLaeq,
)
from kiezbox.model import Flag, Measurement
from kiezbox.sensors import laeq
from kiezbox.settings import parse


def plugged(rig: Rig, **table: object) -> tuple[SimulatedLaeq, Reader, Watch]:
    watch = Watch()
    board = SimulatedLaeq(clock=watch, calculates_s=0.0)
    rig.bench.attach(0x55, board)
    return board, rig.reader("laeq", {"listen_s": 0, **table}), watch


def test_a_reading_is_the_energy_mean_since_the_one_before(rig: Rig) -> None:
    board, reader, watch = plugged(rig)
    board.set(50.0)
    reader.read()

    # 30 s at 50 dB and 30 s at 80 dB: 10 lg((10^5 + 10^8) / 2) = 76.994 dB.
    watch.now += 30
    board.set(80.0)
    watch.now += 30

    assert reader.read()[0].value == pytest.approx(76.994, abs=0.006)


def test_what_was_heard_before_the_box_started_is_no_part_of_it(rig: Rig) -> None:
    board, reader, watch = plugged(rig)
    board.set(110.0)
    watch.now += 86400

    reader.read()  # opens it, and listens for listen_s: nothing here
    board.set(40.0)
    board._begin()
    watch.now += 60

    assert reader.read()[0].value == pytest.approx(40.0, abs=0.006)


def test_the_first_reading_listens_for_a_while_and_later_ones_do_not_wait(rig: Rig) -> None:
    board = SimulatedLaeq()
    rig.bench.attach(0x55, board)
    reader = rig.reader("laeq", {"listen_s": 0.3})

    reader.read()
    first_s = reader.took_s
    reader.read()

    assert first_s >= 0.3 > reader.took_s


def test_nothing_of_the_sound_but_one_number_is_asked_for_and_kept(rig: Rig) -> None:
    board, reader, _ = plugged(rig)
    measurements = [one for _ in range(3) for one in reader.read()]

    assert {one.quantity.value for one in measurements} == {"laeq_db"}
    # Spectra would be 0x0006 to 0x0009, and from 0x0012 on (DNMS).
    assert set(board.commands) == {VERSION, CALCULATE, READY, READ}
    with pytest.raises(SettingsError, match="interval_s = 1"):
        parse(laeq.Settings, {"driver": "laeq", "interval_s": 1})


def test_a_correction_is_added_and_what_was_said_is_kept(rig: Rig) -> None:
    board, reader, watch = plugged(rig, correction_db=-2.5)
    board.set(60.0)
    watch.now += 60

    (one,) = reader.read()

    assert one == Measurement(one.quantity, 57.5, 60.0)


@pytest.mark.parametrize(
    ("level_db", "reason"), [(12.0, "range"), (135.0, "range"), (0.0, "raw-sentinel")]
)
def test_what_no_microphone_hears_is_flagged(rig: Rig, level_db: float, reason: str) -> None:
    board, reader, watch = plugged(rig)
    board.set(level_db)
    board._begin()

    (one,) = reader.read()

    assert (one.flag, one.reason) == (Flag.BAD, reason)


def test_a_mean_above_its_maximum_is_flagged(rig: Rig) -> None:
    board, reader, _ = plugged(rig)
    board.fault = "contradiction"

    assert reader.read()[0].reason == "cross"


def test_a_microphone_that_is_not_there_is_said(rig: Rig) -> None:
    board, reader, _ = plugged(rig)
    board.fault = "no_microphone"

    with pytest.raises(SensorGarbled, match="hears nothing"):
        reader.read()


@pytest.mark.parametrize(("microphone", "command"), [("ICS-43434", 0x1B), ("IM72D128", 0x1C)])
def test_it_is_told_its_microphone(rig: Rig, microphone: str, command: int) -> None:
    board, reader, _ = plugged(rig, microphone=microphone)

    reader.read()

    assert board.microphone == command
