"""Which country a package is of, and what follows: whom residents call, and its public holidays."""

from __future__ import annotations

import time
from datetime import date
from pathlib import Path

import pytest

from kiezbox.cli import main
from kiezbox.cli._place_building import HOLIDAY_YEARS, public_holidays
from kiezbox.clock import ManualClock
from kiezbox.errors import UsageError
from kiezbox.node.facts import Facts
from kiezbox.node.latest import Latest
from kiezbox.place.invented import invented
from kiezbox.settings import BoxSettings, StoreSettings
from kiezbox.store import Store
from kiezbox.store.places import read_meta, read_package, write_package

#: sachsen.de, "Gesetz über Sonn- und Feiertage": with the Reformation and the day of repentance,
#: which falls on the Wednesday before 23 November; Easter Sunday 2026 was 5 April.
SAXONY_2026 = (
    "2026-01-01 2026-04-03 2026-04-06 2026-05-01 2026-05-14 2026-05-25 2026-10-03 2026-10-31"
    " 2026-11-18 2026-12-25 2026-12-26"
).split()


def built(path: Path, *options: str) -> str:
    out = str(path / "place.db")
    assert main(["place", "build", "--invented", "1", "--out", out, *options]) == 0
    return out


def test_a_package_carries_the_public_holidays_of_its_region(tmp_path: Path) -> None:
    out = built(tmp_path, "--region", "DE-SN")

    package = read_package(out)

    assert (package.country, package.region) == ("DE", "DE-SN")
    this_year = int(time.strftime("%Y"))
    years = {int(day[:4]) for day in package.holidays}
    assert years == set(range(this_year, this_year + HOLIDAY_YEARS))
    assert [date.fromisoformat(day).isoformat() for day in package.holidays] == list(
        package.holidays
    )


def test_the_holidays_are_those_that_the_land_has_by_law() -> None:
    found = [day for day in public_holidays("DE", "DE-SN", 2026) if day < "2027"]

    assert found == SAXONY_2026


def test_a_package_without_a_country_has_no_holidays_and_check_says_what_that_means(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = str(tmp_path / "place.db")
    write_package(invented(1)._replace(country=""), out)

    assert main(["place", "check", out]) == 0

    assert "no country" in capsys.readouterr().out


def test_a_country_without_a_calendar_is_told_and_built_all_the_same(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    # ISO 3166: user-assigned, no country's.
    out = built(tmp_path, "--country", "XX")

    assert "no calendar of public holidays for XX" in capsys.readouterr().err
    assert read_package(out).country == "XX"


@pytest.mark.parametrize(
    "options",
    [("--country", "Germany"), ("--country", "DE", "--region", "AT-9"), ("--region", "9")],
)
def test_what_is_no_country_is_refused(tmp_path: Path, options: tuple[str, ...]) -> None:
    with pytest.raises(UsageError):
        built(tmp_path, *options)


def test_a_package_of_an_older_kiezbox_is_read_as_it_is(tmp_path: Path) -> None:
    import sqlite3

    path = str(tmp_path / "old.db")
    write_package(invented(1), path)
    with sqlite3.connect(path) as db:
        db.execute("DELETE FROM meta WHERE key IN ('country', 'region', 'holidays')")
    db.close()

    package = read_package(path)

    assert (package.country, package.region, package.holidays) == ("", "", ())


# --- what the node makes of it -------------------------------------------------------------------


def told(
    folder: Path, box: BoxSettings, place_path: str, *, radio_country: str = ""
) -> tuple[object, object]:
    """Country and poison helpline as they stand in now.json."""
    clock = ManualClock(1.8e9)
    store = Store.open(StoreSettings(path=str(folder / "kiezbox.db")), "kb-1", clock)
    try:
        facts = Facts(
            box, str(folder), clock=clock, store=store, latest=Latest(lambda: None),
            on_change=lambda: None, place_path=place_path, radio_country=radio_country,
        )  # fmt: skip
        found = facts.document()["box"]
        return found["country"], found["poison_phone"]
    finally:
        store.close()


def test_residents_are_told_the_numbers_of_the_place(tmp_path: Path) -> None:
    out = built(tmp_path, "--region", "DE-SN")

    assert told(tmp_path, BoxSettings(id="kb-1"), out) == ("DE", "0361 730730")


def test_what_the_operator_set_goes_before_the_package(tmp_path: Path) -> None:
    out = built(tmp_path, "--region", "DE-SN")
    box = BoxSettings(id="kb-1", country="AT", poison_phone="000 1")

    assert told(tmp_path, box, out) == ("AT", "000 1")
    # The package's region is no region of another country.
    assert told(tmp_path, BoxSettings(id="kb-1", country="AT"), out) == ("AT", "01 406 43 43")


def test_without_a_package_no_country_is_made_up(tmp_path: Path) -> None:
    assert told(tmp_path, BoxSettings(id="kb-1"), str(tmp_path / "none.db")) == (None, None)
    (tmp_path / "broken.db").write_bytes(b"no database")
    assert read_meta(str(tmp_path / "broken.db")) == {}
    assert told(tmp_path, BoxSettings(id="kb-1"), str(tmp_path / "broken.db")) == (None, None)


def test_without_a_package_the_radio_says_which_country_this_is(tmp_path: Path) -> None:
    found = told(tmp_path, BoxSettings(id="kb-1"), str(tmp_path / "none.db"), radio_country="DE")

    assert found == ("DE", None)
    # A package is nearer to the truth than a radio that was bought elsewhere.
    out = built(tmp_path, "--region", "AT-9")
    assert told(tmp_path, BoxSettings(id="kb-1"), out, radio_country="DE")[0] == "AT"


def test_a_package_that_is_installed_later_is_noticed(tmp_path: Path) -> None:
    clock = ManualClock(1.8e9)
    path = tmp_path / "place.db"
    store = Store.open(StoreSettings(path=str(tmp_path / "kiezbox.db")), "kb-1", clock)
    try:
        facts = Facts(
            BoxSettings(id="kb-1"), str(tmp_path), clock=clock, store=store,
            latest=Latest(lambda: None), on_change=lambda: None, place_path=str(path),
        )  # fmt: skip
        assert facts.document()["box"]["country"] is None

        write_package(invented(1)._replace(country="CH"), str(path))

        assert facts.document()["box"]["country"] == "CH"
    finally:
        store.close()
