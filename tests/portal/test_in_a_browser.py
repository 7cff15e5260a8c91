"""The first page on a phone's screen, in a real browser."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from chromium import Chromium
from street import fresh, outage, portal, write_facts

#: A small phone; the same in WCAG 2.2's "Reflow" (1280 px at 400 %); the small phone at 200 %.
WIDTHS = (360, 320, 180)

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def chromium() -> Iterator[Chromium]:
    with Chromium() as browser:
        yield browser


def test_nobody_has_to_scroll_sideways(chromium: Chromium, box: Path) -> None:
    write_facts(box / "run", fresh(outage(box__name="Donaudampfschifffahrtsgesellschaft" * 2)))
    with portal(box) as served:
        for path in ("/", "/en", "/mitteilungen", "/en/bulletins"):
            for width in WIDTHS:
                chromium.open(f"http://127.0.0.1:{served.port}{path}", width)

                shown = chromium.ask("Page.getLayoutMetrics")

                assert shown["cssContentSize"]["width"] == width, (path, width)
                assert shown["cssLayoutViewport"]["clientWidth"] == width


def test_the_headline_and_the_first_step_are_on_the_first_screen(
    chromium: Chromium, box: Path
) -> None:
    write_facts(box / "run", fresh(outage()))
    with portal(box) as served:
        chromium.open(f"http://127.0.0.1:{served.port}/", 360, 640)

        root = chromium.ask("DOM.getDocument")["root"]["nodeId"]
        for selector in ("h1", "header p b", "li b"):
            node = chromium.ask("DOM.querySelector", nodeId=root, selector=selector)["nodeId"]
            bottom = chromium.ask("DOM.getBoxModel", nodeId=node)["model"]["border"][7]

            assert bottom <= 640, selector
