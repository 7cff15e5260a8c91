"""Without a phone: a screen in a shop window, and sheets of paper."""

from __future__ import annotations

import base64
import gzip
import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from chromium import Chromium
from furnished import furnished
from residents import Resident
from street import Portal, fresh, now_json, portal, write_facts

from kiezbox.i18n import LANGUAGES, text_of
from kiezbox.portal.countries import text_in

#: Issue 4, "Sizes".
ZIPPED_BYTES = 3072

SHEETS = ("poster", "poster/bulletins", "poster/safe")


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Portal]:
    with furnished(tmp_path_factory.mktemp("window")) as running:
        yield running


def test_the_screen_goes_through_all_languages_and_begins_again(served: Portal) -> None:
    screen, path, seen = Resident(served.port), "/kiosk", []
    for _ in range(len(LANGUAGES) + 1):
        page = screen.open(path)
        assert page.status == 200
        seen.append(re.search(r'<html lang="([^"]+)"', page.text).group(1))  # type: ignore[union-attr]
        after, path = re.fullmatch(r"(\d+); url=(/\w+/kiosk)", page.headers["refresh"]).groups()  # type: ignore[union-attr]
        assert 10 <= int(after) <= 60

    assert seen[0] == seen[-1] and len(set(seen)) == len(LANGUAGES)


def test_a_screen_that_is_held_stays_as_it_is(served: Portal) -> None:
    page = Resident(served.port).open("/tr/kiosk/still")

    assert "refresh" not in page.headers
    assert "/tr/kiosk>" in page.text


def test_the_screen_has_what_is_official_what_to_do_and_who_helps_nearby(served: Portal) -> None:
    for language in ("de", "ar"):
        page = Resident(served.port).open(f"/{language}/kiosk").text

        now, codes = (text_in("DE", language, room) for room in ("now", "codes"))
        flood = {"de": "Hochwasser am Mühlbach", "ar": "تحذير من الفيضانات"}[language]
        wanted = (now["causes"]["grid_lost"][0], flood, codes["codes"]["water_open"][0],
                  now["first_always"][0][0], text_of(language, "where")["needs"]["help"],
                  "WIFI:T:nopass;S:Kiezbox-Notfall;;")  # fmt: skip
        places = [page.index(each) for each in wanted]
        assert places == sorted(places)
        assert "<form" not in page and "<input" not in page


@pytest.mark.parametrize("path", ["kiosk", "poster", "poster/bulletins", "poster/safe"])
def test_it_is_small_in_every_language(served: Portal, path: str) -> None:
    for language in LANGUAGES:
        text = Resident(served.port).open(f"/{language}/{path}").text

        assert len(gzip.compress(text.encode(), 6)) <= ZIPPED_BYTES, language
        assert text_of(language)["never_ask"] in text


def test_the_poster_leads_to_the_wlan_and_to_the_page(served: Portal) -> None:
    page = Resident(served.port).open("/de/poster").text

    for content in ("WIFI:T:nopass;S:Kiezbox-Notfall;;", "http://198.51.100.1/"):
        assert f'role="img" aria-label="{content}"' in page
    assert all(native in page for native in LANGUAGES.values())


def test_a_box_without_a_wlan_promises_none(tmp_path: Path) -> None:
    bare = {"network__ssid": None, "network__address": None, "network__name": None}
    write_facts(tmp_path / "run", fresh(now_json(**bare)))
    with portal(tmp_path) as running:
        resident = Resident(running.port)
        poster, screen = resident.open("/de/poster"), resident.open("/de/kiosk")

    assert text_of("de", "poster")["no_wlan"] in poster.text
    assert "WIFI:" not in poster.text + screen.text


@pytest.mark.browser
def test_each_sheet_is_one_page_of_a4(served: Portal) -> None:
    with Chromium() as browser:
        for language in ("de", "ar", "vi"):
            for sheet in SHEETS:
                browser.open(f"http://127.0.0.1:{served.port}/{language}/{sheet}", 360)

                printed = browser.ask("Page.printToPDF", preferCSSPageSize=True)["data"]

                pages = re.findall(rb"/Type /Page\b", base64.b64decode(printed))
                assert len(pages) == 1, (language, sheet)


def test_the_sheet_for_a_door_has_official_words_first_and_the_day(served: Portal) -> None:
    page = Resident(served.port).open("/de/poster/bulletins").text

    today = time.localtime()
    wanted = (f"Stand: {today.tm_mday}.{today.tm_mon}.{today.tm_year}, ", "Hochwasser am Mühlbach",
              "Trinkwasser wird ausgegeben", "Warmer Raum")  # fmt: skip
    places = [page.index(each) for each in wanted]
    assert places == sorted(places)


@pytest.mark.browser
def test_a_wide_screen_shows_all_of_it_at_once(served: Portal) -> None:
    with Chromium() as browser:
        for language in ("de", "ar", "ru"):
            for width, height in ((1280, 720), (1920, 1080)):
                browser.open(f"http://127.0.0.1:{served.port}/{language}/kiosk", width, height)

                shown = browser.ask("Page.getLayoutMetrics")["cssContentSize"]

                assert shown["width"] <= width and shown["height"] <= height, (language, shown)
