"""What every sensor driver must keep to. A new file in kiezbox/sensors/ is picked up by its name;
its twin is told in contracts/twins/ (docs/sensors.md says how).
"""

from __future__ import annotations

import errno
import inspect
import re
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import pytest
from contracts.at_once import at_once, happened
from contracts.haste import HASTE_S
from contracts.rig import Rig, Wired, twin_of, way_of

from kiezbox import sensors
from kiezbox.errors import SensorError, SensorMissing, SensorTimeout
from kiezbox.hardware.simulated import bus, onewire, pins, serial_line
from kiezbox.model import Flag, Measurement, Quantity
from kiezbox.settings import SensorSettings, declarations

#: Bodies that take a ``rig`` run beside those of other drivers.
__all__ = ["happened"]

DRIVERS = sensors.drivers()

#: What controllers say of a bus whose SDA or SCL is held down.
STUCK = (errno.EIO, errno.EAGAIN, errno.EBUSY, errno.EPROTO, errno.EINVAL, errno.ETIMEDOUT)

#: What can go wrong on the way to the sensor: by how it is connected.
WAYS: dict[str, list[Any]] = {
    "i2c": [
        ("vanish", {}),
        ("hang", {}),
        ("slow", {"seconds": 0.2}),  # two transactions are over HASTE_S, also on a slow machine
        *(("error", {"number": number}) for number in STUCK),
        *(("every_nth_error", {"n": n}) for n in (2, 3, 7)),
        *(("bit_flip", {"n": n}) for n in (1, 2, 3, 5, 11)),
    ],
    "serial": [
        *((kind, {}) for kind in ("unplug", "cut", "garbage", "silence", "half_speed")),
        ("slow", {"seconds": 0.15}),  # the shortest frame, of four bytes, takes longer than HASTE_S
        *(("every_nth_error", {"n": n}) for n in (2, 3)),
        *(("bit_flip", {"n": n}) for n in (1, 2, 5)),
    ],
    "onewire": [
        ("vanish", {}),
        ("hang", {}),
        ("slow", {"seconds": 2.0}),
        *(("every_nth_error", {"n": n}) for n in (1, 2, 3)),
        *(("bit_flip", {"n": n}) for n in (1, 2, 3, 5)),
    ],
    "pin": [("vanish", {})],
}
#: Who can be taken for whom, by how they are connected.
STRANGERS = {way: {one for one in DRIVERS if way_of(one) == way} for way in WAYS}
#: A contact says nothing of itself: a torn wire is a contact that never closes, and so is a line
#: that stays as it is. What a driver can still see, it is told by its twin's own faults.
UNSEEN_ON_A_PIN = {"open", "stuck"}

#: How a sensor is taken away, by how it is connected.
GONE = {"i2c": "vanish", "serial": "unplug", "onewire": "vanish", "pin": "vanish"}
#: Faults that leave some reads whole and true.
SOMETIMES_HARMLESS = {"every_nth_error", "bit_flip"}

#: Beyond the deadline: a transaction or a look at the port that is under way may end (1 s).
GRACE_S = 1.5


def faults_on_the_way() -> list[tuple[str, str, dict[str, float]]]:
    return [(driver, kind, detail) for driver in DRIVERS for kind, detail in WAYS[way_of(driver)]]


def faults_inside() -> list[tuple[str, str]]:
    return [(driver, kind) for driver in DRIVERS for kind in twin_of(driver).make().FAULTS]


def outcome(wired: Wired, deadline_s: float | None = HASTE_S) -> str:
    """One read under a fault: "error", "flagged" or "true". Anything else fails the test here."""
    measurements = readings(wired, deadline_s)
    for one in measurements:
        assert one.flag is not Flag.GOOD or wired.is_true(one), f"a wrong value as good: {one}"
    flags = {one.flag for one in measurements}
    return "error" if not flags else "true" if flags == {Flag.GOOD} else "flagged"


def readings(wired: Wired, deadline_s: float | None = HASTE_S) -> Sequence[Measurement]:
    """One read; none at all where it ended in an error of ours, in time and with a hint."""
    try:
        return wired.reader.read(deadline_s)
    except SensorError as error:
        allowed_s = deadline_s or wired.reader.settings.deadline_s
        assert wired.reader.took_s < allowed_s + GRACE_S
        assert str(error) and error.hint, "an error says what is wrong and what to do"
        return ()


def well_read(wired: Wired) -> Sequence[Measurement]:
    """One read with nothing amiss. The twin is a thread of a busy machine: what ran out of time is
    read again, as the node does it.
    """
    for _ in range(3):
        with suppress(SensorTimeout):
            return wired.reader.read()
    return wired.reader.read()


def quantities_of(wired: Wired) -> tuple[Quantity, ...]:
    """A driver whose settings decide what it measures says so in ``quantities(settings)``."""
    module = wired.reader.module
    measured: tuple[Quantity, ...] = module.QUANTITIES
    if hasattr(module, "quantities"):
        measured = module.quantities(wired.reader.settings)
    assert set(measured) <= set(module.QUANTITIES)
    return measured


def read_until_good(wired: Wired, attempts: int = 4) -> None:
    outcomes = []
    for _ in range(attempts):
        outcomes.append(outcome(wired, deadline_s=None))
        if outcomes[-1] == "true":
            return
    pytest.fail(f"did not come back: {outcomes}")


def test_all_faults_of_bus_and_line_are_tried() -> None:
    assert {kind for kind, _ in WAYS["i2c"]} == set(bus.FAULTS)
    assert {kind for kind, _ in WAYS["serial"]} == set(serial_line.FAULTS)
    assert {kind for kind, _ in WAYS["onewire"]} == set(onewire.FAULTS)
    assert {kind for kind, _ in WAYS["pin"]} == set(pins.FAULTS) - UNSEEN_ON_A_PIN


@pytest.mark.parametrize("driver", DRIVERS)
def test_a_driver_declares_its_settings_and_what_it_measures(driver: str) -> None:
    module = sensors.load(driver)

    assert issubclass(module.Settings, SensorSettings)
    assert module.QUANTITIES and all(isinstance(q, Quantity) for q in module.QUANTITIES)
    assert list(inspect.signature(module.open).parameters) == ["settings", "hardware"]
    helps = [declaration.help for _, declaration in declarations(module.Settings)]
    assert all(helps), "every setting explains itself"


@pytest.mark.parametrize("driver", DRIVERS)
def test_a_drivers_docstring_is_a_wiring_guide(driver: str) -> None:
    guide = sensors.load(driver).__doc__ or ""

    assert driver.upper() in guide.splitlines()[0]
    for word in ("Wiring", "Supply", "Current", "Pitfalls", "Package", "Source"):
        assert re.search(rf"^{word}\b.*:", guide, re.MULTILINE), f"no line begins with {word!r}"
    where = r"0x[0-9a-f]{2}|baud|GPIO"
    assert re.search(where, guide), "the address, the speed of the port, or the pin"


@at_once
@pytest.mark.parametrize("driver", DRIVERS)
def test_a_driver_reads_what_its_twin_is_shown(driver: str, rig: Rig) -> None:
    wired = Wired(driver, rig)

    for n in range(3):
        wired.turn(n)
        measurements = well_read(wired)

        assert [one.quantity for one in measurements] == list(quantities_of(wired))
        assert all(one.flag is Flag.GOOD and one.reason == "" for one in measurements)
        assert all(wired.is_true(one) for one in measurements)


@at_once
@pytest.mark.parametrize("driver", DRIVERS)
def test_a_driver_says_that_nothing_is_there(driver: str, rig: Rig) -> None:
    wired = Wired(driver, rig)
    gone = GONE[way_of(driver)]
    wired.fault(gone)

    with pytest.raises(SensorMissing) as raised:
        wired.reader.read()

    assert raised.value.hint


@at_once
@pytest.mark.parametrize("driver", DRIVERS)
def test_a_sensor_unplugged_between_two_reads_comes_back_by_itself(driver: str, rig: Rig) -> None:
    wired = Wired(driver, rig)
    gone = GONE[way_of(driver)]
    well_read(wired)

    wired.fault(gone)
    assert [outcome(wired) for _ in range(2)] == ["error", "error"]
    wired.fault(None)

    wired.turn(1)
    read_until_good(wired)


@at_once
@pytest.mark.parametrize("driver", DRIVERS)
def test_closing_twice_and_after_the_cable_is_gone_is_fine(driver: str, rig: Rig) -> None:
    wired = Wired(driver, rig)
    well_read(wired)
    sensor = wired.reader.sensor
    wired.fault(GONE[way_of(driver)])

    sensor.close()
    sensor.close()


@at_once
@pytest.mark.parametrize(
    ("driver", "kind", "detail"),
    faults_on_the_way(),
    ids=lambda value: (
        "-".join(f"{k}{v:g}" for k, v in value.items()) if isinstance(value, dict) else str(value)
    ),
)
def test_a_fault_on_the_way_never_makes_a_wrong_value_good(
    driver: str, kind: str, detail: dict[str, float], rig: Rig
) -> None:
    wired = Wired(driver, rig)
    well_read(wired)

    wired.fault(kind, **detail)
    outcomes = set()
    for n in range(12 if kind in SOMETIMES_HARMLESS else 1):
        wired.turn(n)
        outcomes.add(outcome(wired))
    wired.fault(None)

    if kind not in SOMETIMES_HARMLESS:
        assert outcomes == {"error"}
    read_until_good(wired)


@at_once
@pytest.mark.parametrize(("driver", "kind"), faults_inside())
def test_a_fault_inside_never_makes_a_wrong_value_good(driver: str, kind: str, rig: Rig) -> None:
    wired = Wired(driver, rig)
    well_read(wired)

    wired.part.fault = kind
    wired.turn(1)
    outcomes = [outcome(wired)]
    wired.part.fault = None

    if kind not in getattr(wired.twin, "HARMLESS_ONCE_OPEN", set()):
        assert "true" not in outcomes
    read_until_good(wired)


@at_once
@pytest.mark.parametrize(("driver", "kind"), faults_inside())
def test_a_sensor_found_broken_is_opened_once_it_is_mended(
    driver: str, kind: str, rig: Rig
) -> None:
    wired = Wired(driver, rig)
    wired.part.fault = kind
    outcomes = [outcome(wired)]
    wired.part.fault = None

    if kind not in getattr(wired.twin, "HARMLESS", set()):
        assert "true" not in outcomes
    read_until_good(wired)


@at_once
@pytest.mark.parametrize("driver", [one for one in DRIVERS if len(STRANGERS[way_of(one)]) > 1])
def test_another_sensor_in_its_place_is_never_taken_for_it(driver: str, rig: Rig) -> None:
    wired = Wired(driver, rig)
    well_read(wired)

    for name in STRANGERS[way_of(driver)] - {driver}:
        stranger, its = twin_of(name).make(), twin_of(name)
        its.show(stranger, its.WORLDS[0])
        wired.exchange(stranger)
        wired.world = {q: value for q, value in its.WORLDS[0].items() if q in wired.world}
        for one in readings(wired):
            # Some speak the same language (SHT3x and HDC302x); then what they say is true.
            is_excused = one.quantity in wired.world and wired.is_true(one)
            is_excused |= one.value == getattr(wired.twin, "NOBODY_CAN_TELL", None)
            assert one.flag is not Flag.GOOD or is_excused, f"{name} says {one}"

        wired.turn(0)
        wired.exchange(wired.part)
        read_until_good(wired)
