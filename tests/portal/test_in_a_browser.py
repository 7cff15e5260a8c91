"""The pages on a phone's screen, in a real browser."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from chromium import Chromium
from street import Portal, fresh, outage, portal, wait_for, write_facts

from kiezbox.i18n import LANGUAGES, text_of

#: A small phone; the same in WCAG 2.2's "Reflow" (1280 px at 400 %); the small phone at 200 %.
WIDTHS = (360, 320, 180)

#: Fingers need so many pixels (WCAG 2.2, 2.5.5, "Target Size").
TARGET_PX = 44

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def chromium() -> Iterator[Chromium]:
    with Chromium() as browser:
        yield browser


@pytest.fixture
def served(box: Path) -> Iterator[Portal]:
    """A portal in an outage with time slices, its name as long as the longest word."""
    turns = {"is_open": True, "changes_at": time.time() + 900}
    document = outage(box__name="Donaudampfschifffahrtsgesellschaft" * 2, network__slice=turns)
    write_facts(box / "run", fresh(document))
    with portal(box) as running:
        yield running


def evaluate(chromium: Chromium, expression: str) -> Any:
    """What a line of JavaScript says about the page; the pages have none of their own."""
    asked = chromium.ask("Runtime.evaluate", expression=expression, returnByValue=True)
    assert "exceptionDetails" not in asked, asked
    return asked["result"].get("value")


def widths(chromium: Chromium) -> tuple[int, int]:
    """Of what is on the page, and of the window."""
    shown = chromium.ask("Page.getLayoutMetrics")
    return shown["cssContentSize"]["width"], shown["cssLayoutViewport"]["clientWidth"]


def test_nobody_has_to_scroll_sideways(chromium: Chromium, served: Portal) -> None:
    chromium.open(f"http://127.0.0.1:{served.port}/de", 360)
    evaluate(chromium, "document.forms[0].submit()")
    wait_for(lambda: "/connected" in evaluate(chromium, "location.pathname"), "the next page")
    seen = [("/de", width) for width in WIDTHS]
    seen += [(f"/de/{name}", 180) for name in ("bulletins", "info", "connected", "again")]
    seen += [(f"/{language}", 180) for language in LANGUAGES]
    seen += [(f"/{language}/connected", 180) for language in ("ar", "ru", "vi")]

    for path, width in seen:
        chromium.open(f"http://127.0.0.1:{served.port}{path}", width)

        assert widths(chromium) == (width, width), (path, width)


def test_the_headline_and_the_first_step_are_on_the_first_screen(
    chromium: Chromium, box: Path
) -> None:
    write_facts(box / "run", fresh(outage()))
    with portal(box) as served:
        for language in LANGUAGES:
            chromium.open(f"http://127.0.0.1:{served.port}/{language}", 360, 640)
            for selector in ("h1", "header p b", "button", "li b"):
                bottom = evaluate(
                    chromium, f"document.querySelector('{selector}').getBoundingClientRect().bottom"
                )

                assert bottom <= 640, (language, selector)


def test_in_a_flood_that_the_box_measured_they_are_there_as_well(
    chromium: Chromium, box: Path
) -> None:
    facts = fresh(outage(grid__state="present"))
    now = facts["written_at"]
    facts["mode"]["causes"] = [
        {"cause": "sensor_threshold", "since": now - 1700, "detail": "brook/water_level_m ≥ 1.50 m"}
    ]
    facts["latest"]["brook/water_level_m"] = {
        "value": 1.62, "flag": 0, "reason": "", "taken_at": now - 200,
    }  # fmt: skip
    facts["steps"] = [
        {
            "sensor": "brook", "quantity": "water_level_m", "room": None, "step": "alarm",
            "since": now - 1800, "value": 1.62, "taken_at": now - 200, "is_stale": False,
            "datum": "sea", "marks": {"alarm": 1.5},
        }
    ]  # fmt: skip
    write_facts(box / "run", facts)
    with portal(box) as served:
        for language in LANGUAGES:
            chromium.open(f"http://127.0.0.1:{served.port}/{language}", 360, 640)
            for selector in ("h1", "header p b", "button", "li b"):
                bottom = evaluate(
                    chromium, f"document.querySelector('{selector}').getBoundingClientRect().bottom"
                )

                assert bottom <= 640, (language, selector)
            assert "62" in evaluate(chromium, "document.querySelector('header').innerText")


def test_whatever_can_be_touched_is_as_large_as_a_finger(
    chromium: Chromium, served: Portal
) -> None:
    for path in ("/de", "/ar", "/ru/info", "/vi/bulletins"):
        chromium.open(f"http://127.0.0.1:{served.port}{path}", 360)

        found = evaluate(
            chromium,
            # Not those within a sentence (its exception "Inline").
            "document.querySelectorAll('details').forEach(each => {each.open = true});"
            "Array.from(document.querySelectorAll('a:not(header a),button'), each => {"
            "const r = each.getBoundingClientRect();"
            "return [each.innerText, r.width, r.height]})",
        )

        assert len(found) > 9
        assert [each for each in found if min(each[1:]) < TARGET_PX] == [], path


def test_whoever_uses_a_keyboard_sees_where_he_is(chromium: Chromium, served: Portal) -> None:
    chromium.open(f"http://127.0.0.1:{served.port}/de", 360)

    for _ in LANGUAGES:
        chromium.ask("Input.dispatchKeyEvent", type="rawKeyDown", key="Tab",
                     windowsVirtualKeyCode=9)  # fmt: skip
        chromium.ask("Input.dispatchKeyEvent", type="keyUp", key="Tab", windowsVirtualKeyCode=9)

    found = evaluate(
        chromium,
        "const s = getComputedStyle(document.activeElement);"
        "[document.activeElement.tagName, s.outlineStyle, parseFloat(s.outlineWidth)]",
    )
    assert found[:2] == ["A", "solid"] and found[2] >= 2


@pytest.mark.parametrize("language", ["de", "fa"])
def test_the_button_leads_to_the_page_that_says_what_to_tap(
    chromium: Chromium, served: Portal, language: str
) -> None:
    chromium.open(f"http://127.0.0.1:{served.port}/{language}", 360)

    evaluate(chromium, "document.querySelector('button').click()")

    connected = text_of(language)["connected"][0]
    wait_for(
        lambda: evaluate(chromium, "document.querySelector('h1')?.innerText") == connected,
        "the page that says so",
    )
    assert evaluate(chromium, "document.cookie + localStorage.length + history.length") != ""
    assert evaluate(chromium, "document.cookie") == ""
    drawn = evaluate(
        chromium,
        "Array.from(document.querySelectorAll('svg'), each => each.getBoundingClientRect().width)",
    )
    assert len(drawn) == 3 and all(100 <= width <= 330 for width in drawn)
