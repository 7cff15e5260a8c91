"""Open now? Judged by opening-hours-py, and never "open" where nobody can know."""

from __future__ import annotations

import json
from datetime import date, datetime, timedelta

import pytest
from opening_hours import OpeningHours
from shared import shared_data

from kiezbox.cli._place_building import public_holidays
from kiezbox.place.hours import parse

#: Forms that occur in OpenStreetMap.
UNDERSTOOD = (
    "24/7",
    "Mo-Fr 08:00-18:00",
    "Mo-Fr 08:00-12:00,13:00-16:00; Sa 08:00-13:00",
    "Mo-Fr 7:00-21:30; Sa 10:00-14:00;  Su 8:00-16:00",
    "Mo-Tu 10:00-18:00; We 08:30-15:00; Th-Fr 07:30-13:00; PH off",
    "Mo,We,Fr 08:00-15:00; Tu,Th 10:00-18:00",
    "08:00-21:45; Dec 24 off; Dec 31 08:00-13:00",
    "Apr-Oct 07:00-22:00; Nov-Mar 08:00-20:00",
    "Dec 24-26 off",
    "Apr-Oct",
    "Apr 15-Oct 15",
    "Mo-Su 00:00-24:00",
    "Fr-Mo 20:00-23:00",
    "Mo-Su 22:00-02:00",
    "Mo-Fr 08:00-16:30; Sa,Su off",
    "May 01-Sep 30 Mo-Sa 09:00-20:00",
)

#: What a common reader of German signs would understand and a strict one must not guess at.
NOT_UNDERSTOOD = (
    "",
    "sunrise-sunset",
    "Mo-Fr 08:00+",
    "on work days",
    '"wenn der Tierpark offen ist"',
    'Mo-Fr 09:00-20:00, Sa 09:00-18:00, Su "Schautag"',
    'Mo-Fr 08:00-12:00 || "nach Vereinbarung"',
    "week 1-20 Mo 10:00-12:00",
    "We[1] 10:00-12:00",
    "SH 10:00-12:00",
    "9:30-20:00 Uhr",
    "tgl. 6-22 Uhr",
    "24h (April-Oktober)",
    "Mo-Fr 25:00-26:00",
    "Mo-Fr 08:60-09:00",
    "Mit Schlüssel während Trauerfeiern",
    "Apr 15-Sep 10:00-12:00",
    "Mo-PH 10:00-12:00",
)


def moments() -> list[datetime]:
    """A year, now and then, at odd minutes; and every quarter of an hour of two weeks."""
    year = [datetime(2026, 1, 1) + timedelta(hours=7 * n, minutes=n % 60) for n in range(1250)]
    weeks = [datetime(2026, 12, 20) + timedelta(minutes=15 * n) for n in range(9 * 96)]
    return year + weeks


@pytest.mark.parametrize("text", UNDERSTOOD)
def test_what_is_understood_is_what_a_foreign_reader_understands(text: str) -> None:
    ours, theirs = parse(text), OpeningHours(text)
    assert ours is not None

    for moment in moments():
        now = ours.now(moment)

        # Where a night goes on into a day of another rule, nothing is claimed.
        assert now is None or now.is_open == theirs.is_open(moment), f"{text} at {moment}"


@pytest.mark.parametrize("text", UNDERSTOOD)
def test_the_next_change_is_when_a_foreign_reader_expects_it(text: str) -> None:
    ours, theirs = parse(text), OpeningHours(text)
    assert ours is not None

    for moment in moments()[::9]:
        now = ours.now(moment)
        if now is None or now.changes_in_min is None:
            continue
        change = moment.replace(second=0) + timedelta(minutes=now.changes_in_min)
        if now.changes_in_min < 6 * 1440:
            assert theirs.is_open(change) != now.is_open, f"{text} at {moment}"
            assert theirs.is_open(change - timedelta(minutes=1)) == now.is_open


@pytest.mark.parametrize("text", NOT_UNDERSTOOD)
def test_what_is_not_understood_is_not_guessed_at(text: str) -> None:
    assert parse(text) is None


def test_on_a_day_that_may_be_a_holiday_nothing_is_certain() -> None:
    monday = datetime(2026, 1, 5, 12, 0)

    assert parse("Mo-Fr 10:00-18:00; PH off").now(monday).is_sure is False  # type: ignore[union-attr]
    assert parse("Mo-Fr 10:00-18:00").now(monday).is_sure is True  # type: ignore[union-attr]


#: ISO 3166-1 alone: the days that all sixteen Länder have.
GERMAN = frozenset(map(date.fromisoformat, public_holidays("DE", "", 2026)))


@pytest.mark.parametrize(
    "text",
    [
        *(each for each in UNDERSTOOD if "PH" in each),
        "Mo-Fr 08:00-18:00; PH off",
        "Mo-Sa 07:00-20:00; Su,PH 09:00-12:00",
        "Mo-Su,PH 10:00-22:00",
        "Mo-Fr 20:00-23:00; PH 10:00-12:00",
    ],
)
def test_where_the_holidays_are_known_the_hours_are_what_a_foreign_reader_says(text: str) -> None:
    ours, theirs = parse(text), OpeningHours(text, country="DE")
    assert ours is not None
    easter_and_christmas = [
        datetime(2026, month, day) + timedelta(minutes=45 * n)
        for month, day in ((4, 2), (4, 30), (5, 23), (10, 2), (12, 24))
        for n in range(4 * 32)
    ]

    for moment in easter_and_christmas:
        now = ours.now(moment, GERMAN)

        assert now is not None and now.is_open == theirs.is_open(moment), f"{text} at {moment}"
        assert now.is_sure
        if now.changes_in_min is not None:
            change = moment + timedelta(minutes=now.changes_in_min)
            assert theirs.is_open(change) != now.is_open, f"{text} at {moment}"


def test_a_shop_that_says_nothing_of_holidays_is_doubtful_on_one_and_on_no_other_day() -> None:
    shop, always = parse("Mo-Sa 08:00-20:00"), parse("24/7")
    assert shop is not None and always is not None
    good_friday, day_before = datetime(2026, 4, 3, 12, 0), datetime(2026, 4, 2, 12, 0)

    assert shop.now(good_friday, GERMAN).is_sure is False  # type: ignore[union-attr]
    assert shop.now(day_before, GERMAN).is_sure is True  # type: ignore[union-attr]
    # "Opens tomorrow", and tomorrow is Good Friday.
    assert shop.now(day_before.replace(hour=21), GERMAN).is_sure is False  # type: ignore[union-attr]
    assert always.now(good_friday, GERMAN).is_sure is True  # type: ignore[union-attr]


def test_a_night_that_runs_into_a_day_of_another_rule_is_not_claimed_to_be_open() -> None:
    hours = parse("Fr 20:00-04:00; Sa off")
    assert hours is not None

    assert hours.now(datetime(2026, 1, 2, 23, 0)).is_open  # type: ignore[union-attr]
    assert hours.now(datetime(2026, 1, 3, 2, 0)) is None


def test_line_breaks_and_german_days_mean_what_they_say() -> None:
    hours = parse("Mo-Sa 07:00-22:00\nSo 10:00-22:00")
    assert hours is not None

    assert hours.now(datetime(2026, 1, 4, 9, 0)).is_open is False  # type: ignore[union-attr]
    assert hours.now(datetime(2026, 1, 4, 10, 0)).is_open is True  # type: ignore[union-attr]
    assert parse("24h") == parse("24/7")


def test_no_real_opening_hours_make_the_reader_stumble_or_say_more_than_the_foreign_one() -> None:
    folder = shared_data("poi")
    texts = {
        str(feature["properties"].get(column) or "")
        for name, column in (
            ("berlin_toiletten_wfs", "oeffnungszeiten"),
            ("berlin_defibrillators_osm", "opening_hours"),
        )
        for feature in json.loads((folder / f"{name}.geojson").read_text("utf-8"))["features"]
    }
    understood = {text: hours for text in texts if (hours := parse(text))}

    assert len(understood) >= 15
    for text, hours in understood.items():
        try:
            theirs = OpeningHours(text)
        except Exception:
            # What is no OpenStreetMap: "24h", German days on lines of their own, "Ph".
            assert text in ("24h", "geschlossen") or "\n" in text or "Ph" in text
            continue
        for moment in moments()[::7]:
            now = hours.now(moment)
            assert now is None or now.is_open == theirs.is_open(moment), f"{text} at {moment}"
