"""The common look: dark when it is dark outside, black on white on paper."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from street import now_json, understood

from kiezbox.portal.style import INNER, NIGHT, STYLE, is_night, style_of

MARGIN_S = 30 * 60

#: Latitude, longitude, sunrise and sunset in UTC, by the almanac (United States Naval Observatory,
#: "Complete Sun and Moon Data for One Day").
DAYS = [
    (51.48, 0.0, "2026-03-20T06:05", "2026-03-20T18:13"),
    (59.91, 10.75, "2026-12-21T08:18", "2026-12-21T14:12"),
    (52.52, 13.40, "2026-01-03T07:16", "2026-01-03T15:04"),
    (-33.87, 151.21, "2025-12-31T18:47", "2026-01-01T09:09"),
]


def at(moment: str) -> float:
    return datetime.fromisoformat(moment).replace(tzinfo=UTC).timestamp()


def night(when: float, latitude: float | None, longitude: float | None, **more: object) -> bool:
    place = {"box__latitude": latitude, "box__longitude": longitude}
    return is_night(understood(now_json(**place, **more), now=when))


@pytest.mark.parametrize(("latitude", "longitude", "rise", "set_"), DAYS)
def test_pages_are_dark_between_sunset_and_sunrise(
    latitude: float, longitude: float, rise: str, set_: str
) -> None:
    for moment, is_dark in ((at(rise) - MARGIN_S, True), (at(rise) + MARGIN_S, False),
                            (at(set_) - MARGIN_S, False), (at(set_) + MARGIN_S, True)):  # fmt: skip
        assert night(moment, latitude, longitude) is is_dark


def test_beyond_the_polar_circle_there_is_no_day_in_winter_and_no_night_in_summer() -> None:
    hours = range(0, 86400, 3600)
    assert all(night(at("2026-01-01") + each, 69.65, 18.96) for each in hours)
    assert not any(night(at("2026-06-21") + each, 69.65, 18.96) for each in hours)


def test_where_the_box_knows_neither_time_nor_place_the_phone_decides() -> None:
    midnight = at("2026-01-03T23:00")

    assert night(midnight, 51.0, 10.0)
    assert not night(midnight, None, None)
    assert not night(midnight, 51.0, 10.0, clock_trusted=False)


def test_the_dark_sheet_is_dark_without_asking_and_paper_is_not() -> None:
    assert "prefers-color-scheme" in STYLE and "prefers-color-scheme" not in NIGHT
    for sheet in (STYLE, NIGHT):
        printed = sheet.partition("@media print")[2]
        assert "--b:#fff" in printed and "--t:#000" in printed


def test_a_page_carries_only_the_rules_it_needs() -> None:
    facts = understood(now_json())

    bare = style_of(facts, "<h1>x</h1>")

    assert len(bare) < len(style_of(facts, "<table><article class=official><ol><button"))
    assert "table{" not in bare and "body{" in bare
    assert "textarea" in INNER and "textarea" not in STYLE
