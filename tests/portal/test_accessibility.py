"""Every page for everybody: WCAG 2.2 AA by axe-core, a keyboard, a screen reader's tree, paper.

All pages are loaded with scripts switched off. Which pages there are is found by following every
link from the first page and from every room's; forms are also sent empty, because a page that says
what is missing is a page too.
"""

from __future__ import annotations

import gzip
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from chromium import Chromium
from furnished import furnished
from judge import WORKABLE, Judge
from residents import Resident
from street import Portal

from kiezbox.i18n import text_of
from kiezbox.portal.answers import ROOMS

#: The languages the issue names: the source, one from right to left, the one for slow readers.
JUDGED = ("de", "ar", "de_simple")

#: Of ``ROOMS``, what no resident reads: documents for programs.
NOT_PAGES = {"api", "box.json", "city", "captive-portal"}

#: Pages that are made alike: one of each kind is judged here, all of them in the long run.
ALIKE = (
    r"/steps/.+", r"/where/point/.+", r"/where/map.*", r"/where/(?!map|point).+",
    r"/air/(day|week)/.+", r"/board/(seek|offer|info)", r"/help/list/.+",
    r"/(board|warnings|say)/[a-z0-9-]+\.\d+", r".*/\d+",
)  # fmt: skip

#: All pages may be so many, and no more: a crawler must end.
MOST_PAGES = 400

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
    """Paths of German pages, each without ``/de``; one of each kind."""
    kinds: dict[str, str] = {}
    for path in found_pages(served.port, follow=is_new_kind(set())):
        kinds.setdefault(kind_of(path), path)
    return list(kinds.values())


@pytest.fixture(scope="module")
def rooms(pages: list[str]) -> list[str]:
    """The first page and that of each room, and what has a form of its own."""
    return [path for path in pages if path.count("/") < 2 or path in ("/help/ask", "/board/write")]


def kind_of(path: str) -> str:
    return next((each for each in ALIKE if re.fullmatch(each, path)), path)


def is_new_kind(seen: set[str]) -> Callable[[str], bool]:
    def follow(path: str) -> bool:
        kind = kind_of(path)
        is_new = kind not in seen
        seen.add(kind)
        return is_new

    return follow


def found_pages(port: int, *, follow: Callable[[str], bool]) -> list[str]:
    resident = Resident(port)
    waiting = ["", *(f"/{name}" for name in ROOMS if name not in NOT_PAGES)]
    waiting += ["/info", "/bulletins", "/again"]
    found: list[str] = []
    while waiting and len(found) < MOST_PAGES:
        path = waiting.pop(0)
        if path in found or not follow(path):
            continue
        page = resident.open(f"/de{path}")
        if page.status != 200 or "text/html" not in page.headers["content-type"]:
            continue
        if page.path.partition("?")[0] != f"/de{path}".partition("?")[0]:
            continue
        found.append(path)
        links = re.findall(r'href="?(/de(?:/[^"\s>#]*)?)[">\s#]', page.text)
        waiting += [link.removeprefix("/de").replace("&amp;", "&") for link in links]
    return found


def url(served: Portal, language: str, path: str) -> str:
    return f"http://127.0.0.1:{served.port}/{language}{path}"


@pytest.mark.parametrize("room", sorted(set(ROOMS) - NOT_PAGES))
def test_every_room_has_a_page(pages: list[str], room: str) -> None:
    assert f"/{room}" in pages


def violations(judge: Judge, served: Portal, language: str, paths: list[str]) -> dict[str, object]:
    found: dict[str, object] = {}
    for path in paths:
        judge.open(url(served, language, path))
        if violations := judge.violations():
            found[path] = violations
    return found


def test_axe_finds_nothing_on_any_page(judge: Judge, served: Portal, pages: list[str]) -> None:
    judge.set_media()

    assert violations(judge, served, "de", pages) == {}


@pytest.mark.parametrize(
    ("language", "media", "scheme"),
    [
        ("ar", "", "light"), ("de_simple", "", "light"), ("de", "", "dark"),
        ("de", "print", "light"),
    ],
)  # fmt: skip
def test_axe_finds_nothing_in_any_room_in_other_languages_at_night_and_on_paper(
    judge: Judge, served: Portal, rooms: list[str], language: str, media: str, scheme: str
) -> None:
    judge.set_media(media, scheme)
    found = violations(judge, served, language, rooms)
    judge.set_media()

    assert found == {}


def test_axe_finds_nothing_in_any_room_during_an_exercise(
    judge: Judge, tmp_path: Path, rooms: list[str]
) -> None:
    judge.set_media()
    with furnished(tmp_path, "exercise") as practised:
        found = [violations(judge, practised, language, rooms) for language in JUDGED]

    assert found == [{}] * len(JUDGED)


@pytest.mark.long
@pytest.mark.parametrize("language", JUDGED)
@pytest.mark.parametrize(("media", "scheme"), [("", "light"), ("", "dark"), ("print", "light")])
def test_axe_finds_nothing_on_all_pages_that_links_lead_to(
    judge: Judge, served: Portal, language: str, media: str, scheme: str
) -> None:
    everything = found_pages(served.port, follow=lambda path: True)
    judge.set_media(media, scheme)
    found = violations(judge, served, language, everything)
    judge.set_media()

    assert len(everything) > 60
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
    # A small phone, WCAG's "Reflow" (1280 px at 400 %), and the small phone at 200 %.
    seen = [("de", path, width) for path in pages for width in (360, 320, 180)]
    seen += [("ar", path, 180) for path in pages]
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
            "[type=checkbox]),label:has([type=radio],[type=checkbox])'))"
            ".filter(each => each.checkVisibility() &&"
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
        # A screen in a shop window has nothing to navigate with.
        marks = {"main", "contentinfo"}
        if not path.startswith("/kiosk"):
            marks.add("navigation")
        assert marks <= {role for role, _ in tree}, path
        headings = judge.see(
            "Array.from(document.querySelectorAll('h1,h2,h3,h4'), each => +each.tagName[1])"
        )
        assert headings.count(1) == 1 and headings[0] == 1, (path, headings)
        assert all(b <= a + 1 for a, b in zip(headings, headings[1:], strict=False)), path


@pytest.mark.parametrize("language", ["de", pytest.param("ar", marks=pytest.mark.long)])
def test_the_keyboard_goes_from_top_to_bottom_and_is_seen(
    judge: Judge, served: Portal, rooms: list[str], language: str
) -> None:
    for path in rooms:
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


@pytest.mark.parametrize("language", ["de", "ar", "ru"])
def test_every_page_is_small_and_says_that_nobody_asks_for_passwords_or_money(
    served: Portal, pages: list[str], language: str
) -> None:
    resident, large = Resident(served.port), {}
    for path in pages:
        text = resident.open(f"/{language}{path}").text
        assert text_of(language)["never_ask"] in text, path
        # Issue 4, "Sizes": drawings are pages of their own and may be larger.
        most = 25_000 if re.match(r"/where/map|/air/(day|week)/", path) else 3_072
        size = len(gzip.compress(text.encode(), 6))
        if size > most or len(text.encode()) > 15_000 and most < 4_000:
            large[path] = len(text.encode()), size

    assert large == {}
