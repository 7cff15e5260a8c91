"""What surrounds a box: cables that can be broken, a battery that obeys physics, places."""

from __future__ import annotations

import csv
import gzip
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from shared import shared_data

from kiezbox.demo import page, places
from kiezbox.demo.battery import CELLS, Battery, rest_v
from kiezbox.demo.recording import Recording
from kiezbox.demo.weather import Weather
from kiezbox.demo.world import GRID_PIN, PARTS, Sky, World
from kiezbox.errors import UsageError

WEB = Path(page.__file__).parent / "web"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path / "bench", 0, speed=1.0)
    yield world
    world.close()


# --- breaking ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "part, kind", [(part, way.kind) for part, (_, _, ways) in PARTS.items() for way in ways]
)
def test_every_part_breaks_in_each_of_its_ways_and_is_mended(
    world: World, part: str, kind: str
) -> None:
    world.break_part(part, kind)
    assert world.broken == {part: kind}

    world.break_part(part, None)
    assert world.broken == {}


def test_a_part_that_breaks_anew_has_only_its_newest_fault(world: World, tmp_path: Path) -> None:
    port = tmp_path / "bench" / "ttyUSB0"
    world.break_part("dust", "unplug")
    assert not port.exists()

    world.break_part("dust", "bad_checksum")

    assert port.exists()
    assert world.broken == {"dust": "bad_checksum"}


@pytest.mark.parametrize("part, kind", [("roof", "silence"), ("dust", "explode"), ("dust", "")])
def test_what_cannot_break_like_that_is_refused(world: World, part: str, kind: str) -> None:
    with pytest.raises(ValueError):
        world.break_part(part, kind)

    assert world.broken == {}


def test_the_grid_pin_is_high_while_the_grid_is_there(world: World) -> None:
    assert world.bench.pin(GRID_PIN)

    world.set_grid(False)

    assert not world.bench.pin(GRID_PIN)


def test_a_flicker_does_not_bring_back_a_grid_that_was_cut(world: World) -> None:
    world.set_grid(False)

    world.flicker()

    assert not world.bench.pin(GRID_PIN)


# --- air -----------------------------------------------------------------------------------------


def test_a_gap_in_the_recording_silences_the_sensor_and_the_end_of_the_gap_wakes_it(
    world: World,
) -> None:
    recording = Recording.read(str(Path(__file__).parent / "recording"))
    sky = Sky(Weather(1), recording, starts_at=1_780_000_000.0)
    site = places.SITES[0]

    silent = sky.air(1_780_000_000.0, 0, site)
    heard = sky.air(1_780_000_060.0, 0, site)

    # The first particulates come 30 s after the first row.
    assert silent.dust is None and silent.climate is not None
    assert heard.dust == (6.17, 11.5)


def test_simulated_weather_is_called_simulated() -> None:
    assert Sky(Weather(1), None, starts_at=0.0).words(0.0) == "simulated weather"


# --- battery -------------------------------------------------------------------------------------


def test_the_cell_rests_where_a_real_cell_does() -> None:
    # CALCE, A123 LiFePO4, C/20: a charge curve lies a little above rest. It ends at a state of
    # charge that the file calls 0.956, at the end-of-charge voltage.
    path = shared_data("power/CALCE_A123_OCV_C20_charge.csv.gz")
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        rows = [(float(row["SOC"]), float(row["Voltage(V)"])) for row in csv.DictReader(file)]
    full = rows[-1][0]

    away = [volts - rest_v(soc / full) for soc, volts in rows if 0.1 <= soc / full <= 0.95]

    assert -0.03 < min(away) and max(away) < 0.09


def test_no_charge_appears_or_is_lost() -> None:
    battery = Battery(capacity_ah=0.15, charge=0.5)
    moved_ah = 0.0

    for _ in range(600):
        battery.step(0.1, mode="emergency", has_grid=False, sun_w_m2=0.0)
        moved_ah += battery.current_a * 0.1 / 3600

    assert battery.charge == pytest.approx(0.5 + moved_ah / 0.15)
    assert moved_ah < 0


def test_a_full_battery_carries_an_emergency_for_about_a_quarter_of_an_hour() -> None:
    # 0.15 Ah at 13.2 V are 2 Wh; 6.2 W empty them in 19 minutes.
    battery = Battery(capacity_ah=0.15, charge=1.0)
    seconds = 0

    while battery.charge > 0.1:
        battery.step(1.0, mode="emergency", has_grid=False, sun_w_m2=0.0)
        seconds += 1

    assert 14 * 60 < seconds < 20 * 60


@pytest.mark.parametrize("forced", ["drain", "charge", None])
@pytest.mark.parametrize("step_s", [0.0, 0.1, 60.0, 86400.0])
def test_a_battery_stays_between_empty_and_full(forced: str | None, step_s: float) -> None:
    battery = Battery(capacity_ah=0.15, charge=0.5, forced=forced)

    for _ in range(50):
        battery.step(step_s, mode="normal", has_grid=forced != "drain", sun_w_m2=1000.0)

        assert 0.0 <= battery.charge <= 1.0
        assert 2.0 * CELLS < battery.voltage_v < 3.65 * CELLS
        # What an INA219 can show on 0.1 ohm.
        assert abs(battery.current_a) < 3.2


# --- places and page -----------------------------------------------------------------------------


def test_every_box_stands_on_the_plan_and_none_on_another() -> None:
    for site in places.SITES:
        assert abs(site.east_m) < 450 and abs(site.north_m) < 300
    for one in places.SITES:
        near = [
            two for two in places.SITES
            if (two.east_m - one.east_m) ** 2 + (two.north_m - one.north_m) ** 2 < 80**2
        ]  # fmt: skip
        assert near == [one]


def test_the_page_projects_from_the_same_middle_as_the_places() -> None:
    script = (WEB / "kiez.js").read_text(encoding="utf-8")

    found = dict(re.findall(r"(latitude|longitude): ([\d.]+)", script.partition("};")[0]))

    assert {name: float(value) for name, value in found.items()} == {
        "latitude": places.LATITUDE,
        "longitude": places.LONGITUDE,
    }


@pytest.mark.parametrize("count", [0, -1, 13])
def test_the_plan_says_how_many_boxes_it_has_room_for(count: int) -> None:
    with pytest.raises(UsageError, match="1 to 12"):
        places.sites(count)


def test_the_page_asks_nobody_outside_for_anything() -> None:
    for path in WEB.iterdir():
        for address in re.findall(r"(?:https?:)?//[\w.-]+\.\w+", path.read_text(encoding="utf-8")):
            assert address == "http://www.w3.org", (path.name, address)


def test_every_file_of_the_page_is_served_and_belongs_to_the_package() -> None:
    served = {name for name, _ in page.FILES.values()}

    assert served == {path.name for path in WEB.iterdir()}
    # What pyproject.toml puts into the package.
    assert {name.rpartition(".")[2] for name in served} <= {"html", "css", "js", "svg"}
