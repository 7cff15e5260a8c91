"""Every page for everybody: WCAG 2.2 AA by axe-core, a keyboard, a screen reader's tree, paper.

All pages are loaded with scripts switched off. Which pages there are is found by following every
link from the first page and from every room's; forms are also sent empty, because a page that says
what is missing is a page too.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from chromium import Chromium
from furnished import furnished
from judge import WORKABLE, Judge
from residents import Resident
from street import Portal

from kiezbox.i18n import LANGUAGES
from kiezbox.portal.answers import ROOMS

#: The languages the issue names: the source, one from right to left, the one for slow readers.
JUDGED = ("de", "ar", "de_simple")

#: Of ``ROOMS``, what no resident reads: documents for programs.
NOT_PAGES = {"api", "box.json", "city", "captive-portal"}

#: More pages than this of one kind (posts, tickets, points) need not be judged one by one.
MOST_OF_A_KIND = 2

#: So far the keyboard is followed.
MOST_STOPS = 25

#: Fingers need so many pixels (WCAG 2.2, 2.5.5, "Target Size (Enhanced)").
TARGET_PX = 44

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def judge() -> Iterator[Judge]:
    with Chromium() as browser:
        yield Judge(browser)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Portal]:
    with furnished(tmp_path_factory.mktemp("box")) as running:
        yield running


@pytest.fixture(scope="module")
def pages(served: Portal) -> list[str]:
    """Paths of German pages, each without ``/de``."""
    return found_pages(served.port)


def found_pages(port: int) -> list[str]:
    resident = Resident(port)
    waiting = ["", *(f"/{name}" for name in ROOMS if name not in NOT_PAGES)]
    waiting += ["/info", "/bulletins", "/again"]
    found: list[str] = []
    kinds: dict[str, int] = {}
    while waiting:
        path = waiting.pop(0)
        kind = re.sub(r"\d+|[a-z0-9-]+\.\d+", "#", path)
        if path in found or kinds.get(kind, 0) >= MOST_OF_A_KIND:
            continue
        page = resident.open(f"/de{path}")
        if page.status != 200 or "text/html" not in page.headers["content-type"]:
            continue
        if page.path.partition("?")[0] != f"/de{path}".partition("?")[0]:
            continue
        kinds[kind] = kinds.get(kind, 0) + 1
        found.append(path)
        links = re.findall(r'href="?(/de(?:/[^"\s>#]*)?)[">\s#]', page.text)
        waiting += [link.removeprefix("/de").replace("&amp;", "&") for link in links]
    return found


def url(served: Portal, language: str, path: str) -> str:
    return f"http://127.0.0.1:{served.port}/{language}{path}"


@pytest.mark.parametrize("room", sorted(set(ROOMS) - NOT_PAGES))
def test_every_room_has_a_page(served: Portal, pages: list[str], room: str) -> None:
    if f"/{room}" not in pages:
        pytest.skip(f"the page /{room} is not built yet")


@pytest.mark.parametrize("language", JUDGED)
def test_axe_finds_nothing_on_any_page(
    judge: Judge, served: Portal, pages: list[str], language: str
) -> None:
    if language not in LANGUAGES:
        pytest.skip(f"there are no pages in {language} yet")
    judge.set_media()
    found = {}
    for path in pages:
        judge.open(url(served, language, path))
        if violations := judge.violations():
            found[path] = violations

    assert found == {}


@pytest.mark.parametrize(("media", "scheme"), [("", "dark"), ("print", "light")])
def test_axe_finds_nothing_in_the_dark_and_on_paper(
    judge: Judge, served: Portal, pages: list[str], media: str, scheme: str
) -> None:
    judge.set_media(media, scheme)
    found = {}
    for path in pages:
        judge.open(url(served, "de", path))
        if violations := judge.violations():
            found[path] = violations
    judge.set_media()

    assert found == {}


def test_a_form_sent_empty_comes_back_and_says_why(
    judge: Judge, served: Portal, pages: list[str]
) -> None:
    found = {}
    for path in pages:
        judge.open(url(served, "de", path))
        for number in range(judge.see("document.querySelectorAll('main form').length")):
            judge.open(url(served, "de", path))
            judge.send(number)
            if violations := judge.violations():
                found[f"{path} form {number}"] = violations

    assert found == {}


def test_nobody_has_to_scroll_sideways_on_any_page(
    judge: Judge, served: Portal, pages: list[str]
) -> None:
    seen = [(language, path, width) for language in ("de", "ar") for path in pages
            for width in (360, 320, 180)]  # fmt: skip
    wide = []
    for language, path, width in seen:
        judge.open(url(served, language, path), width)
        if judge.widths() != (width, width):
            wide.append((language, path, width, judge.widths()))

    assert wide == []


def test_whatever_can_be_touched_is_as_large_as_a_finger_on_any_page(
    judge: Judge, served: Portal, pages: list[str]
) -> None:
    small = {}
    for path in pages:
        judge.open(url(served, "de", path))
        found = judge.see(
            # Not links within a sentence (the exception "Inline"), nor the radio button itself,
            # whose whole label can be touched.
            "document.querySelectorAll('details').forEach(each => {each.open = true});"
            "Array.from(document.querySelectorAll("
            "'a,button,summary,select,textarea,input:not([type=hidden],[type=radio],"
            "[type=checkbox]),label:has([type=radio],[type=checkbox])')).filter(each =>"
            " !(each.tagName == 'A' && getComputedStyle(each).display == 'inline' &&"
            " each.parentElement.innerText.length > each.innerText.length + 3)).map(each => {"
            "const r = each.getBoundingClientRect();"
            "return [each.innerText || each.name, Math.round(r.width), Math.round(r.height)]})"
        )
        if too_small := [each for each in found if min(each[1:]) < TARGET_PX]:
            small[path] = too_small

    assert small == {}


def test_a_screen_reader_is_told_what_each_thing_is(
    judge: Judge, served: Portal, pages: list[str]
) -> None:
    for path in pages:
        judge.open(url(served, "de", path))
        tree = judge.tree()

        nameless = [role for role, name in tree if role in WORKABLE and not name.strip()]
        assert nameless == [], path
        assert {"main", "navigation", "contentinfo"} <= {role for role, _ in tree}, path
        headings = judge.see(
            "Array.from(document.querySelectorAll('h1,h2,h3,h4'), each => +each.tagName[1])"
        )
        assert headings.count(1) == 1 and headings[0] == 1, (path, headings)
        assert all(b <= a + 1 for a, b in zip(headings, headings[1:], strict=False)), path


@pytest.mark.parametrize("language", ["de", "ar"])
def test_the_keyboard_goes_from_top_to_bottom_and_is_seen(
    judge: Judge, served: Portal, pages: list[str], language: str
) -> None:
    for path in pages:
        judge.open(url(served, language, path))
        seen: list[list[float]] = []
        while len(seen) < MOST_STOPS:
            judge.tab()
            stop = judge.see(
                "(() => {const e = document.activeElement, s = getComputedStyle(e),"
                "r = e.getBoundingClientRect();"
                "const where = Array.from(document.querySelectorAll('body *')).indexOf(e);"
                "return [r.bottom + scrollY, parseFloat(s.outlineWidth),"
                "r.top < innerHeight && r.bottom > 0 ? 1 : 0, where]})()"
            )
            # After the last one comes the browser itself, or the first one again.
            if stop[3] < 0 or stop in seen:
                break
            seen.append(stop)

        assert seen, path
        assert all(b[0] >= a[0] - 60 for a, b in zip(seen, seen[1:], strict=False)), path
        assert all(width >= 2 and is_seen for _, width, is_seen, _ in seen), (path, seen)
