"""From "stay connected" to the way back, as a phone without cookies and scripts sees it."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import html5lib
import pytest
from asking import BOX, GUEST, Portal, Shown
from street import NORMAL, NOW, outage, understood, write_facts

from kiezbox.i18n import LANGUAGES, RIGHT_TO_LEFT, lang_of, text_of
from kiezbox.portal.answers import PAGES
from kiezbox.portal.now import PAGE_BYTES, first_page
from kiezbox.portal.staying import connected_page, info_page

PROBE = {"path": "/hotspot-detect.html", "host": "captive.apple.com"}

SVG = "{http://www.w3.org/2000/svg}"

#: CDFER and WBA: a portal page above this may fail in the phones' own windows.
MINI_BROWSER_BYTES = 128_000


def is_let_go(door: Portal, client: str = GUEST) -> bool:
    """Whether the phone is told that it is online."""
    shown = door.ask(PROBE["path"], host=PROBE["host"], client=client)
    assert shown.status in (200, 302)
    return shown.status == 200


def tree(shown: Shown | bytes) -> Any:
    html = shown.decode() if isinstance(shown, bytes) else shown.text
    return html5lib.HTMLParser(strict=True, namespaceHTMLElements=False).parse(html)


def press(door: Portal, page: Shown, which: int = 0, **more: Any) -> Shown:
    """Send the page's form as a browser does."""
    form = list(tree(page).iter("form"))[which]
    assert form.get("method") == "post" and form.get("enctype") is None
    fields = [f"{each.get('name')}={each.get('value')}" for each in form.iter("input")]
    return door.ask(form.get("action"), "POST", body="&".join(fields).encode(), **more)


# --- the way through -----------------------------------------------------------------------------


@pytest.mark.parametrize("language", LANGUAGES)
def test_one_press_and_the_phone_is_let_go(door: Portal, language: str) -> None:
    page = door.ask(f"/{language}")
    assert not is_let_go(door)

    pressed = press(door, page)

    # 303: the phone fetches a whole new page, which makes iOS look again (RFC 9110, 15.4.4).
    assert (pressed.status, pressed.location) == (303, f"/{language}/connected")
    connected = door.ask(pressed.location)
    assert connected.status == 200
    assert tree(connected).find(".//h1").text == text_of(language)["connected"][0]
    assert is_let_go(door)


def test_a_page_in_the_browsers_own_language_stays_in_it(door: Portal) -> None:
    page = door.ask("/", accept_language="tr-TR,tr;q=0.9,en;q=0.8")

    assert tree(page).get("lang") == "tr"
    assert press(door, page).location == "/tr/connected"


@pytest.mark.parametrize("body", [b"", b"token=", b"token=0", b"token=" + b"f" * 40, b"x" * 4096])
def test_without_its_token_the_button_does_nothing(door: Portal, body: bytes) -> None:
    door.ask("/")

    pressed = door.ask("/stay", "POST", body=body)

    assert (pressed.status, pressed.location) == (303, "/")
    assert not is_let_go(door)


def test_nobody_can_press_for_another(door: Portal) -> None:
    theirs = door.ask("/", client="10.42.0.66")
    door.ask("/", client=GUEST)

    press(door, theirs, client=GUEST)

    assert not is_let_go(door, GUEST)


def test_a_second_press_on_the_same_page_only_shows_that_it_worked(door: Portal) -> None:
    page = door.ask("/de")
    press(door, page)

    assert press(door, page).location == "/de/connected"


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE"])
@pytest.mark.parametrize("path", ["/stay", "/leave", "/de/stay", "/de/leave"])
def test_only_a_post_changes_anything(door: Portal, method: str, path: str) -> None:
    door.ask("/de", client="10.42.0.66")
    door.stay()

    for client in (GUEST, "10.42.0.66"):
        shown = door.ask(path, method, client=client)
        assert shown.status in (302, 303) and shown.location == "/"

    assert is_let_go(door, GUEST) and not is_let_go(door, "10.42.0.66")


def test_reading_any_page_lets_nobody_go(door: Portal) -> None:
    for path in ("/", "/en", "/again", "/info", "/bulletins", "/connected", "/captive", "/healthz"):
        door.ask(path)

    assert not is_let_go(door)


def test_whoever_does_not_stay_is_not_told_so(door: Portal) -> None:
    shown = door.ask("/de/connected")

    assert (shown.status, shown.location) == (302, "/de")


def test_the_way_back_is_a_button(door: Portal) -> None:
    door.stay()

    pressed = press(door, door.ask("/de/connected"))

    assert (pressed.status, pressed.location) == (303, "/de")
    assert not is_let_go(door)


def test_after_a_day_the_phone_is_asked_again(door: Portal) -> None:
    door.stay()
    door.clock.now += 86399
    assert is_let_go(door)

    door.clock.now += 1

    assert not is_let_go(door)


def test_how_long_a_stay_holds_is_a_setting(door: Portal, box: Path) -> None:
    # network.street.stay_s, by way of now.json.
    write_facts(box / "run", outage(network__stay_s=600.0))
    door.stay()
    door.clock.now += 599
    assert is_let_go(door)

    door.clock.now += 1

    assert not is_let_go(door)


def test_a_guest_who_was_away_is_led_to_the_short_page(door: Portal, box: Path) -> None:
    joined = box / "joined" / GUEST
    joined.touch()
    os.utime(joined, (door.clock.now, door.clock.now))
    door.stay()
    door.clock.now += 3600
    os.utime(joined, (door.clock.now, door.clock.now))

    led = door.ask(PROBE["path"], host=PROBE["host"])

    assert (led.status, led.location) == (302, f"http://{BOX}/again")
    short, whole = door.ask("/again"), door.ask("/")
    # What there is to read; the style sheet is the same in both.
    read = [len(shown.body.partition(b"</style>")[2]) for shown in (short, whole)]
    assert read[0] < read[1] * 0.8
    assert press(door, short).location == "/de/connected"
    assert is_let_go(door)
    door.clock.now += 86400
    assert door.ask(PROBE["path"], host=PROBE["host"]).location == f"http://{BOX}/"


def test_another_mode_is_shown_to_all(door: Portal, box: Path) -> None:
    door.stay()

    write_facts(box / "run", outage(mode__name="saving"))

    assert not is_let_go(door)
    door.clock.now += 1
    assert door.stay().location == "/connected"
    write_facts(box / "run", outage(mode__name="saving", written_at=NOW))
    assert is_let_go(door)


def test_a_node_that_has_gone_changes_nothing(door: Portal, box: Path) -> None:
    door.stay()

    (box / "run" / "now.json").unlink()

    assert is_let_go(door)
    assert door.ask("/", host="example.org").location == f"http://{BOX}/"


def test_after_a_restart_the_portal_is_shown_again_and_open_pages_go_on(door: Portal) -> None:
    page = door.ask("/de")
    press(door, page)
    door.restart()

    assert not is_let_go(door)

    assert press(door, page).location == "/de"
    assert press(door, door.ask("/de")).location == "/de/connected"


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_page_for_a_guest_who_is_new_holds_the_word_that_ios_looks_for(
    door: Portal, language: str
) -> None:
    for name in PAGES:
        for path in (f"/{name}", f"/{language}/{name}"):
            shown = door.ask(path, accept_language=language)

            assert b"success" not in shown.body.lower(), path
            assert shown.status != 200 or len(shown.body) > 50


# --- where there is a button ---------------------------------------------------------------------


@pytest.mark.parametrize(
    "document, has_button",
    [
        (outage(), True),
        (outage(network__wanted="shared"), False),
        (outage(network__wanted="closed"), False),
        (NORMAL, False),
        (outage(network__wanted=None), True),
        (None, True),
    ],
)
def test_there_is_a_button_where_guests_are_led_here(document: Any, has_button: bool) -> None:
    assert (b"<button>" in first_page(understood(document), [])) is has_button


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_wlan_with_pauses_says_until_when_it_is_on(language: str) -> None:
    turns = {"is_open": True, "changes_at": NOW + 900}

    page = first_page(understood(outage(network__slice=turns)), [], language).decode("latin-1")

    assert re.search(r"\d\d:15", page)
    never = {"is_open": True, "changes_at": None}
    same = first_page(understood(outage(network__slice=never)), [], language)
    assert same == first_page(understood(outage()), [], language)


# --- what the further pages are made of ----------------------------------------------------------


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("make", [connected_page, info_page])
def test_the_further_pages_are_valid_and_need_nothing_else(make: Any, language: str) -> None:
    whole = make(understood(outage()), language)

    root = tree(whole)
    assert len(whole) <= 1.5 * PAGE_BYTES < MINI_BROWSER_BYTES
    assert root.get("lang") == lang_of(language)
    assert root.get("dir") == ("rtl" if language in RIGHT_TO_LEFT else None)
    assert not {each.tag for each in root.iter()} & {"script", "img", "iframe"}
    links = [each.get("href") for each in root.iter() if each.get("href")]
    assert all(link.startswith(("/", "#", "data:,", "tel:")) for link in links)
    text = whole.decode()
    assert "Success" not in text and "url(" not in text and "xlink" not in text
    headings = [each.tag for each in root.iter() if re.fullmatch("h[1-6]", str(each.tag))]
    assert headings[0] == "h1" and set(headings[1:]) == {"h2"}
    drawings = list(root.iter(SVG + "svg"))
    assert len(drawings) >= 2 and all(each.get("aria-label") for each in drawings)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_words_of_androids_menu_are_shown(language: str) -> None:
    # AOSP CaptivePortalLogin, strings.xml, as the contract quotes them (2.3).
    menus = {
        "de": "Netzwerk im Istzustand verwenden", "en": "Use this network as is",
        "tr": "Bu ağı olduğu gibi kullan", "ar": "استخدام هذه الشبكة كما هي",
        "uk": "Використовувати цю мережу як є", "ru": "Использовать эту сеть",
        "pl": "Używaj tej sieci tak jak jest", "vi": "Sử dụng mạng này",
        "fa": "از این شبکه همانطور که هست استفاده شود",
        "ro": "Utilizați această rețea în starea actuală",
        "de_simple": "Netzwerk im Istzustand verwenden", "fr": "Utiliser ce réseau tel quel",
        "es": "Utilizar esta red tal cual", "it": "Utilizza questa rete così com'è",
    }  # fmt: skip

    root = tree(connected_page(understood(outage()), language))

    assert menus[language] in [p.text for p in root.iter("p") if p.get("class") == "k"]
    assert text_of(language)["close_ios_word"] in [each.text for each in root.iter(SVG + "text")]


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_way_back_is_an_address_that_needs_no_name(language: str) -> None:
    for make in (connected_page, info_page):
        text = " ".join(tree(make(understood(outage()), language)).itertext())

        assert "http://198.51.100.1" in text and "kiezbox.internal" in text
        assert "Kiezbox-Notfall" in text


def test_a_box_that_knows_no_address_of_its_own_promises_none() -> None:
    for make in (connected_page, info_page):
        found = make(understood(outage(network=None))).decode()

        assert "None" not in found and text_of("de")["come_back"] not in found


def test_the_emergency_numbers_can_be_called_by_touch() -> None:
    root = tree(info_page(understood(outage())))

    assert [a.get("href") for a in root.iter("a") if "tel" in a.get("href")] == [
        "tel:112",
        "tel:110",
    ]


def test_what_an_operator_called_his_wlan_stays_text() -> None:
    ssid = '"><script>&;:\\,'

    found = info_page(understood(outage(network__ssid=ssid))).decode()

    assert "<script" not in found
    assert ssid in " ".join(tree(found.encode()).itertext())
