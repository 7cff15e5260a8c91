"""Foreign eyes on a page: axe-core in a real browser, and what a screen reader is told.

axe is one file that the package axe-playwright-python brings (``make`` installs it); it is injected
over DevTools into a world of its own, which no policy of the page's reaches.
"""

from __future__ import annotations

import json
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from chromium import Chromium

#: Everything of WCAG 2.2 up to AA that a machine can judge, and axe's own "best practices".
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]

#: Roles of what can be worked, which must have names (ARIA 1.2, 5.2.8.4).
WORKABLE = {
    "button", "checkbox", "combobox", "DisclosureTriangle", "link", "listbox", "radio", "searchbox",
    "spinbutton", "textbox", "option",
}  # fmt: skip


@cache
def axe() -> str:
    """The source of axe-core."""
    found = find_spec("axe_playwright_python")
    if found is None or not found.submodule_search_locations:
        pytest.skip("no axe-core here: make .venv/.test installs it")
    path = Path(found.submodule_search_locations[0]) / "axe.min.js"
    return path.read_text(encoding="utf-8")


class Judge:
    """One browser that looks at one page after the other; no page ever runs a script in it."""

    def __init__(self, chromium: Chromium) -> None:
        self.chromium = chromium
        self._world = 0

    def open(self, url: str, width: int = 360) -> None:
        """Loaded with scripts switched off, as in many phones' own windows."""
        self.chromium.ask("Emulation.setScriptExecutionDisabled", value=True)
        self.chromium.open(url, width)
        # What the page had to run has not run; from here on only the judge does.
        self.chromium.ask("Emulation.setScriptExecutionDisabled", value=False)
        self.stay()

    def send(self, number: int) -> None:
        """Send one of the page's forms as it stands, and look at what comes."""
        self.see(f"document.querySelectorAll('main form')[{number}].submit()")
        self.chromium.wait_for_page("the answer to a form")
        self.stay()

    def stay(self) -> None:
        """Look at the page that is there now."""
        frame = self.chromium.ask("Page.getFrameTree")["frameTree"]["frame"]["id"]
        made = self.chromium.ask("Page.createIsolatedWorld", frameId=frame, worldName="judge")
        self._world = made["executionContextId"]
        # Whatever the hour: pages are dark at night, and both schemes shall be seen.
        self.see(
            "for (const sheet of document.querySelectorAll('head style')) sheet.textContent ="
            " sheet.textContent.replace('@media all', '@media(prefers-color-scheme:dark)')"
            ".replace('color-scheme:dark', 'color-scheme:light dark')"
        )

    def see(self, expression: str) -> Any:
        """What a line of JavaScript says about the page."""
        asked = self.chromium.ask(
            "Runtime.evaluate", expression=expression, contextId=self._world,
            returnByValue=True, awaitPromise=True,
        )  # fmt: skip
        assert "exceptionDetails" not in asked, asked
        return asked["result"].get("value")

    def violations(self) -> list[str]:
        """axe's, each with the first element it is about."""
        self.see(f"{axe()};0")
        options = json.dumps({"runOnly": {"type": "tag", "values": TAGS}})
        found: list[str] = self.see(
            f"axe.run(document, {options}).then(found => found.violations.map(each =>"
            " each.id + ': ' + each.nodes[0].html.slice(0, 160) + ' ' +"
            " each.nodes[0].failureSummary.slice(0, 200)))"
        )
        return found

    def set_media(self, media: str = "", scheme: str = "light") -> None:
        """ "print" or the screen, in light or dark."""
        feature = [{"name": "prefers-color-scheme", "value": scheme}]
        self.chromium.ask("Emulation.setEmulatedMedia", media=media, features=feature)

    def widths(self) -> tuple[int, int]:
        """Of what is on the page, and of the window."""
        shown = self.chromium.ask("Page.getLayoutMetrics")
        return shown["cssContentSize"]["width"], shown["cssLayoutViewport"]["clientWidth"]

    def tree(self) -> list[tuple[str, str]]:
        """Roles and names as a screen reader gets them, in its order."""
        nodes = self.chromium.ask("Accessibility.getFullAXTree")["nodes"]
        return [
            (node["role"]["value"], node.get("name", {}).get("value", ""))
            for node in nodes
            if not node["ignored"]
        ]

    def tab(self) -> None:
        """Press the tabulator."""
        for kind in ("rawKeyDown", "keyUp"):
            self.chromium.ask(
                "Input.dispatchKeyEvent", type=kind, key="Tab", windowsVirtualKeyCode=9
            )
