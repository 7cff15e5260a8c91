"""The GPS driver: sentences of real receivers, fixes, the place, and what it never says."""

from __future__ import annotations

import calendar
from types import SimpleNamespace

import pynmea2
import pytest
from contracts.haste import HASTE_S
from contracts.rig import Reader, Rig
from hypothesis import given
from hypothesis import strategies as st
from serial_captures import Replayed
from shared import shared_data

from kiezbox import sensors
from kiezbox.errors import SensorError, SensorGarbled, SensorMissing, SettingsError
from kiezbox.hardware.simulated.gps import SimulatedGps
from kiezbox.model import Quantity
from kiezbox.sensors import gps
from kiezbox.sensors.gps import Fix, Parser, distance_m, fix_of
from kiezbox.settings import parse

BERLIN = (52.5148, 13.4643)
#: 2026-11-22 12:00:00 UTC.
NOON = calendar.timegm((2026, 11, 22, 12, 0, 0))

GGA = "GNGGA,181141.00,5230.88855,N,01327.85591,E,1,12,0.93,62.6,M,42.1,M,,"
RMC = "GNRMC,181141.00,A,5230.88855,N,01327.85591,E,0.031,,190615,,,A"


def plugged_in(rig: Rig, **table: object) -> tuple[SimulatedGps, Reader]:
    receiver = SimulatedGps(burst_s=0.02)
    port = rig.bench.attach_serial("ttyUSB0", receiver)
    return receiver, rig.reader("gps", {"port": port, **table})


def log_of(name: str) -> bytes:
    """A real receiver's log of gpsd's test suite, without its comments."""
    text = shared_data(f"serial/nmea/{name}.log").read_bytes()
    lines = [line for line in text.splitlines() if line.startswith(b"$")]
    return b"".join(line + b"\r\n" for line in lines)


# --- sentences ------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["gr8013-w", "nl551e"])
def test_the_sentences_of_a_real_receiver_are_all_found(name: str) -> None:
    stream = log_of(name)

    assert [",".join(fields) for fields in Parser().feed(stream)] == [
        line[1 : line.index("*")] for line in stream.decode("ascii").splitlines()
    ]


@pytest.mark.parametrize("name", ["gr8013-w", "nl551e"])
def test_fixes_are_those_of_a_foreign_reader(name: str) -> None:
    last: dict[str, list[str]] = {}
    compared = 0
    for line in log_of(name).decode("ascii").splitlines():
        (fields,) = Parser().feed(line.encode("ascii") + b"\n")
        last[fields[0][2:]] = fields
        if fields[0][2:] != "GGA":
            continue
        theirs, rmc = pynmea2.parse(line), last.get("RMC")
        ours = fix_of(fields, rmc, 0.0)

        assert ours is not None
        assert (ours.quality, ours.satellites) == (theirs.gps_qual, int(theirs.num_sats))
        if theirs.gps_qual:
            assert ours.latitude == pytest.approx(theirs.latitude, abs=1e-9)
            assert ours.longitude == pytest.approx(theirs.longitude, abs=1e-9)
        else:
            assert ours.latitude is None and ours.longitude is None
        if rmc is not None and rmc[2] == "A":
            their_rmc = pynmea2.parse(f"${','.join(rmc)}")
            assert ours.time == pytest.approx(their_rmc.datetime.timestamp(), abs=1e-3)
        elif rmc is not None:
            assert ours.time is None, "a time of the receiver's own clock"
        compared += 1
    assert compared >= 3


@pytest.mark.parametrize("bit", range(8 * len(GGA)))
def test_a_sentence_with_any_one_bit_wrong_is_none(bit: int) -> None:
    checksum = 0
    for byte in GGA.encode("ascii"):
        checksum ^= byte
    wrong = bytearray(GGA.encode("ascii"))
    wrong[bit // 8] ^= 1 << bit % 8

    found = Parser().feed(b"$" + bytes(wrong) + b"*%02X\r\n" % checksum)

    assert found == []


@given(st.lists(st.binary(max_size=30) | st.just(b"$GPGLL,,,,,191418.00,V,N*4E\r\n"), max_size=12))
def test_how_the_bytes_are_cut_makes_no_difference(pieces: list[bytes]) -> None:
    stream, parser = b"".join(pieces), Parser()

    one_by_one = [one for byte in stream for one in parser.feed(bytes((byte,)))]

    assert one_by_one == Parser().feed(stream)


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("", "", (52.514809167, 13.464265167)),
        (",N,", ",S,", (-52.514809167, 13.464265167)),
        (",E,", ",W,", (52.514809167, -13.464265167)),
        ("5230.88855", "5260.88855", None),  # 60 minutes are a degree
        ("5230.88855", "9130.88855", None),
        ("01327.85591", "19927.85591", None),
        ("5230.88855", "", None),
        (",N,", ",,", None),
        (",1,12,", ",0,12,", None),
    ],
)
def test_positions_that_cannot_be_are_none(
    old: str, new: str, expected: tuple[float, float] | None
) -> None:
    fix = fix_of(GGA.replace(old, new, 1).split(","), RMC.split(","), 0.0)

    assert fix is not None
    place = None if fix.latitude is None else (fix.latitude, fix.longitude)
    assert place == (None if expected is None else pytest.approx(expected, abs=1e-8))


@pytest.mark.parametrize(
    ("old", "new", "is_time"),
    [
        ("", "", True),
        (",A,5", ",V,5", False),
        ("190615", "310615", False),  # June has 30 days
        ("190615", "290200", True),  # 2000 was a leap year
        ("190615", "290215", False),
        ("190615", "001315", False),
        ("190615", "", False),
        ("181141.00", "241141.00", False),
        ("181141.00", "186041.00", False),
    ],
)
def test_times_that_cannot_be_are_none(old: str, new: str, is_time: bool) -> None:
    fix = fix_of(GGA.split(","), RMC.replace(old, new, 1).split(","), 0.0)

    assert fix is not None and (fix.time is not None) is is_time


@pytest.mark.parametrize("gga", ["GNGGA,1,,,,,0", "GNGGA,1,,,,,9,05", "GNGGA,1,,,,,1,x", "GNGGA"])
def test_a_gga_that_is_none_makes_no_fix(gga: str) -> None:
    assert fix_of(gga.split(","), None, 0.0) is None


def test_a_distance_is_that_of_a_published_example() -> None:
    # Rosetta Code, "Haversine formula": Nashville to Los Angeles airport, with 6371.0 km.
    assert distance_m(36.12, -86.67, 33.94, -118.40) == pytest.approx(2_886_444, abs=20)


# --- the receiver ---------------------------------------------------------------------------------


def test_a_reading_is_the_number_of_satellites_and_nothing_else(rig: Rig) -> None:
    receiver, reader = plugged_in(rig)
    receiver.place(*BERLIN)
    receiver.set(7)

    assert [(one.quantity, one.value, one.raw) for one in reader.read()] == [
        (Quantity.SATELLITES, 7.0, None)
    ]


def test_the_last_fix_is_at_hand_for_the_boxs_clock(rig: Rig) -> None:
    receiver, reader = plugged_in(rig)
    receiver._clock = lambda: NOON + 0.25
    receiver.place(*BERLIN)
    before = gps.SystemClock().monotonic()

    reader.read()
    fix = reader.sensor.last_fix

    assert before <= fix.heard_at <= gps.SystemClock().monotonic()
    assert fix.time == NOON + 0.25
    assert (fix.latitude, fix.longitude) == pytest.approx(BERLIN, abs=1e-6)
    assert (fix.quality, fix.satellites, fix.is_measured) == (1, 9, True)


def test_without_a_fix_no_satellites_are_a_good_value_and_there_is_no_time(rig: Rig) -> None:
    receiver, reader = plugged_in(rig)
    receiver.set(0)

    assert [one.value for one in reader.read()] == [0.0]
    assert reader.sensor.last_fix[1:] == (None, None, None, 0, 0)


def test_a_time_that_has_rolled_over_is_not_passed_on(rig: Rig) -> None:
    receiver, reader = plugged_in(rig)
    receiver._clock = lambda: NOON - 1024 * 7 * 86400.0

    reader.read()

    assert reader.sensor.last_fix.time is None
    assert reader.sensor.last_fix.latitude is not None


def test_a_real_receivers_stream_is_read(rig: Rig) -> None:
    port = rig.bench.attach_serial("ttyUSB0", Replayed(log_of("gr8013-w"), 97))
    reader = rig.reader("gps", {"port": port})

    # Its log: 12 satellites, "5230.88669N 01327.85593E"; of 2015, so before any box.
    assert [one.value for one in reader.read()] == [12.0]
    fix = reader.sensor.last_fix
    assert distance_m(fix.latitude, fix.longitude, 52.514778, 13.464266) < 20
    assert fix.time is None


def test_a_receiver_without_rmc_still_counts_its_satellites(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gps, "PATIENCE_S", 0.3)
    receiver, reader = plugged_in(rig)
    sentences = receiver._sentences
    monkeypatch.setattr(receiver, "_sentences", lambda: sentences()[1:])

    assert [one.value for one in reader.read()] == [9.0]
    assert reader.sensor.last_fix.time is None


# --- where it should be ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("north_degrees", "is_moved"),
    # A degree of latitude is 111.2 km on the sphere.
    [(0.0, False), (0.00178, False), (0.00182, True)],
)
def test_a_box_200_m_from_its_place_is_a_fault(
    rig: Rig, north_degrees: float, is_moved: bool
) -> None:
    receiver, reader = plugged_in(rig, latitude=BERLIN[0], longitude=BERLIN[1])
    receiver.place(BERLIN[0] + north_degrees, BERLIN[1])

    if not is_moved:
        assert reader.read()[0].value == 9.0
        return
    for _ in range(2):
        with pytest.raises(gps.Moved, match="202 m from its place") as raised:
            reader.read()
        assert raised.value.kind == "moved" and "carried off" in raised.value.hint
    receiver.place(*BERLIN)
    assert reader.read()[0].value == 9.0


def test_one_fix_elsewhere_is_an_echo_between_houses(rig: Rig) -> None:
    receiver, reader = plugged_in(rig, latitude=BERLIN[0], longitude=BERLIN[1])
    places = iter([(BERLIN[0] + 0.01, BERLIN[1])])
    where = receiver._where

    def once() -> str:
        receiver.place(*next(places, BERLIN))
        return where()

    receiver._where = once  # type: ignore[method-assign]

    assert reader.read()[0].value == 9.0


def test_a_receiver_that_falls_silent_while_it_is_doubted_gives_no_reading(rig: Rig) -> None:
    receiver, reader = plugged_in(rig, latitude=BERLIN[0], longitude=BERLIN[1])
    receiver.place(48.1, 11.6)
    reader.deadline.start(5)
    sensor = reader.module.open(reader.settings, reader.hardware)
    next_fix = sensor._next_fix

    def and_then_nothing() -> Fix | None:
        fix = next_fix()
        receiver.fault = "silence"
        return fix

    sensor._next_fix = and_then_nothing
    reader.sensor = sensor

    with pytest.raises(SensorError) as raised:
        reader.read(deadline_s=HASTE_S)
    assert raised.value.kind != "moved"


@pytest.mark.parametrize("quality", [0, 6, 7, 8])
def test_a_place_that_no_satellite_gave_moves_no_box(rig: Rig, quality: int) -> None:
    receiver, reader = plugged_in(rig, latitude=BERLIN[0], longitude=BERLIN[1])
    receiver.place(48.1, 11.6)
    receiver.quality = quality

    assert reader.read()[0].value == 9.0


def test_without_a_place_of_its_own_it_takes_the_boxs() -> None:
    box = SimpleNamespace(latitude=52.5, longitude=13.4)
    nowhere = SimpleNamespace(latitude=None, longitude=None)
    table = {"driver": "gps"}

    assert parse(gps.Settings, sensors.completed(gps, table, box)).latitude == 52.5
    assert parse(gps.Settings, sensors.completed(gps, table, nowhere)).latitude is None
    own = {**table, "latitude": 48.1, "longitude": 11.6}
    assert sensors.completed(gps, own, box) == own
    with pytest.raises(SettingsError, match="belong together"):
        parse(gps.Settings, sensors.completed(gps, {**table, "latitude": 48.1}, box))


# --- what is wrong --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fault", "kind", "words"),
    [
        ("silence", SensorMissing, "says nothing"),
        ("garbage", SensorGarbled, "no whole frame"),
        ("bad_checksum", SensorGarbled, "no whole frame"),
        ("binary", SensorGarbled, "no whole frame"),
        ("no_gga", SensorGarbled, "says GNGLL, GNRMC, GNVTG and no whole GGA"),
    ],
)
def test_what_is_wrong_is_said_in_a_sentence(
    rig: Rig, fault: str, kind: type[SensorError], words: str
) -> None:
    receiver, reader = plugged_in(rig)
    receiver.fault = fault

    with pytest.raises(kind, match=words) as raised:
        reader.read(deadline_s=HASTE_S)

    assert rig.bench.folder in str(raised.value), "the sentence names the port"
    assert raised.value.hint


def test_half_a_place_is_refused() -> None:
    with pytest.raises(SettingsError, match="belong together"):
        gps.Settings(driver="gps", latitude=52.5)


def test_a_fix_is_a_small_thing_that_cannot_be_changed() -> None:
    fix = Fix(1.0, None, None, None, 0, 0)

    with pytest.raises(AttributeError):
        fix.time = 1.0  # type: ignore[misc]
    assert not fix.is_measured
