"""The demo's page in a real browser: pressed, looked at, on a wide screen and on a phone's."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from portal.chromium import Chromium
from running import Demo, wait_for

pytestmark = pytest.mark.browser

MARKT, KANAL = "kb-marktplatz", "kb-kanalufer"

#: Notes what the browser complains about from the first line of the page on.
WATCH = """
window.troubles = [];
addEventListener("error", (event) => troubles.push(String(event.message)), true);
addEventListener("unhandledrejection", (event) => troubles.push(String(event.reason)));
addEventListener("securitypolicyviolation", (event) => troubles.push(event.blockedURI));
"""


class Browser(Chromium):
    def run(self, script: str) -> Any:
        """The value of a JavaScript expression in the page."""
        answer = self.ask(
            "Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True
        )
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def press_key(self, key: str) -> None:
        code, text = {"Tab": (9, ""), "Enter": (13, "\r")}[key]
        for kind in ("keyDown", "keyUp"):
            self.ask(
                "Input.dispatchKeyEvent",
                type=kind,
                key=key,
                code=key,
                text=text if kind == "keyDown" else "",
                windowsVirtualKeyCode=code,
            )


@pytest.fixture(scope="module")
def browser(demo: Demo) -> Iterator[Browser]:
    with Browser() as browser:
        browser.ask("Page.addScriptToEvaluateOnNewDocument", source=WATCH)
        yield browser


def show(browser: Browser, demo: Demo, width: int) -> None:
    browser.open(demo.address, width, 900)
    wait_for(lambda: browser.run("document.querySelectorAll('.box').length") == 2, "the boxes")


def frames(browser: Browser) -> set[str]:
    """The addresses of the frames in the page."""
    below = browser.ask("Page.getFrameTree")["frameTree"].get("childFrames", [])
    return {frame["frame"]["url"] for frame in below}


def test_a_person_cuts_the_grid_and_sees_the_portal_on_the_phone(
    browser: Browser, demo: Demo
) -> None:
    show(browser, demo, 1280)
    assert browser.run("document.querySelector('#box-name').textContent") == "Marktplatz"
    assert browser.run("document.querySelector('#screen iframe')") is None

    browser.run("document.querySelector('#switches [role=switch]').focus()")
    browser.press_key("Enter")
    try:
        wait_for(
            lambda: browser.run("document.querySelector('#mode').textContent").startswith(
                "Emergency"
            ),
            "the page shows the emergency",
        )
        portal = demo.box(MARKT)["portal"]

        assert browser.run("document.querySelector('#screen iframe').src") == portal
        label = "document.querySelector('.box.open').getAttribute('aria-label')"
        assert browser.run(label) == "Marktplatz, emergency (WLAN open), grid cut"
        assert browser.run("document.querySelectorAll('.block.off').length") > 5
        # A portal that refused to be framed would be chrome-error://chromewebdata/ here.
        wait_for(lambda: portal in frames(browser), "the frame shows the portal")
    finally:
        demo.press("grid", MARKT, True)
    assert browser.run("troubles") == []


def test_the_boxes_on_the_plan_are_reached_and_chosen_by_keyboard(
    browser: Browser, demo: Demo
) -> None:
    show(browser, demo, 1280)
    for _ in range(60):
        browser.press_key("Tab")
        focused = browser.run("document.activeElement.getAttribute('aria-label') || ''")
        if focused.startswith("Kanalufer"):
            break
    else:
        pytest.fail("Tab never reaches the box Kanalufer")

    browser.press_key("Enter")

    wait_for(
        lambda: browser.run("document.querySelector('#box-name').textContent") == "Kanalufer",
        "the panel shows the box",
    )


@pytest.mark.parametrize("width", [360, 720, 1000, 1280])
def test_nobody_has_to_scroll_sideways(browser: Browser, demo: Demo, width: int) -> None:
    show(browser, demo, width)

    assert browser.run("document.documentElement.scrollWidth") <= width


def test_everything_that_can_be_pressed_has_a_name(browser: Browser, demo: Demo) -> None:
    show(browser, demo, 360)

    nameless = browser.run(
        "[...document.querySelectorAll('button, select, [role=button], iframe, a')].filter((e) =>"
        " !(e.textContent.trim() || e.getAttribute('aria-label') || e.title"
        " || e.closest('label'))).map((e) => e.outerHTML)"
    )

    assert nameless == []
