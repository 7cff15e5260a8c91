"""The first page, as a resident reads it and as a browser parses it."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import html5lib
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from street import NORMAL, NOW, now_json, outage, understood

from kiezbox import i18n
from kiezbox.i18n import LANGUAGES, RIGHT_TO_LEFT, lang_of, text_of
from kiezbox.model import Quantity
from kiezbox.portal import words
from kiezbox.portal.answered import SLOT, Answer, zipped
from kiezbox.portal.bulletins import Bulletin
from kiezbox.portal.guests import NO_TOKEN
from kiezbox.portal.meaning import is_emergency
from kiezbox.portal.now import (
    PAGE_BYTES,
    again_page,
    first_page,
)
from kiezbox.portal.official import Official
from kiezbox.portal.posted import bulletins_page
from kiezbox.portal.style import STYLE
from kiezbox.units import UNITS

DE = text_of("de")
COUNTED = ("minutes", "hours", "days", "days_left")
TEXTS = {language: text_of(language) for language in LANGUAGES}

EXERCISE = now_json(mode__name="exercise", mode__is_exercise=True)
SAVING = now_json(
    mode__name="saving",
    battery__stage="low",
    battery__hours_left_low=3.0,
    battery__hours_left_high=6.0,
)
RETURNING = outage(grid__state="returning", grid__since=NOW - 120)
SITUATIONS: dict[str, Any] = {
    "normal": NORMAL,
    "emergency": outage(),
    "exercise": EXERCISE,
    "saving": SAVING,
    "saving in an outage": outage(mode__name="saving"),
    "dark": now_json(mode__name="dark"),
    "dark in an outage": outage(mode__name="dark"),
    "maintenance": now_json(mode__name="maintenance"),
    "returning": RETURNING,
    "bridging": now_json(grid__state="bridging"),
    "no sensing": now_json(grid__is_sensed=False, grid__state="unknown"),
    "no battery": outage(battery=None),
    "opened by the operator": now_json(
        mode__name="emergency", mode__causes=[{"cause": "operator", "since": NOW, "detail": "x"}]
    ),
    "a cause of tomorrow": now_json(
        mode__name="emergency", mode__causes=[{"cause": "locusts", "since": NOW, "detail": "x"}]
    ),
    "a mode of tomorrow": now_json(mode__name="hibernating"),
    "starting": now_json(mode=None, grid=None, battery=None, latest={}, publishers={}),
    "silent": outage(written_at=NOW - 5400),
    "nothing": None,
    "nonsense": "nonsense",
}


@pytest.fixture(autouse=True)
def in_berlin(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """19:00 UTC is 20:00 here."""
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def posted(*texts: str, age_s: float = 600, **more: Any) -> list[Bulletin]:
    return [
        Bulletin("kb-musterplatz-1", n, NOW - age_s, NOW + 9e4, t, language="de", **more)
        for n, t in enumerate(texts)
    ]


def packed(whole: bytes) -> int:
    """Bytes on the air, as the portal sends it to a phone."""
    return len(zipped(Answer(200, whole, "text/html"), {"accept-encoding": "gzip"}).body)


def cards(html: str) -> list[Any]:
    return list(tree(html).iter("article"))


def page(document: Any, bulletins: Any = (), language: str = "de") -> str:
    return first_page(understood(document), bulletins, language).replace(SLOT, NO_TOKEN).decode()


def tree(html: str) -> Any:
    """The document as the HTML standard's parser sees it; any parse error fails."""
    return html5lib.HTMLParser(strict=True, namespaceHTMLElements=False).parse(html)


def text_of(html: str) -> str:
    """What is read on the page, the style left out."""
    body = tree(html).find("body")
    return " ".join(" ".join(body.itertext()).split())


def headline(document: Any, language: str = "de") -> str:
    return str(tree(page(document, language=language)).find(".//h1").text)


# --- what it says --------------------------------------------------------------------------------


def test_in_a_power_cut_the_page_says_what_since_when_how_long_and_what_first() -> None:
    found = text_of(page(outage(hours=2)))

    assert headline(outage()) == "Stromausfall"
    assert "seit 18:00 Uhr (2 Stunden)" in found
    assert "Diese Box hält wohl noch 8 bis 14 Stunden." in found
    assert found.index("Stromausfall") < found.index("112") < found.index("Was brauchen Sie?")


def test_days_alone_stand_in_another_case_than_days_ago() -> None:
    assert "seit Mittwoch, 12:00 Uhr (3 Tage)" in text_of(page(outage(hours=80)))
    assert words.age(NOW - 80 * 3600, NOW, DE) == "vor 3 Tagen"


def test_in_english_too() -> None:
    found = text_of(page(outage(hours=2), language="en"))

    assert headline(outage(), "en") == "Power cut"
    assert "since 18:00" in found and "call 112" in found


def test_whoever_reads_no_german_finds_the_way_in_the_first_line() -> None:
    links = list(tree(page(outage())).find(".//nav").iter("a"))

    found = {link.get("lang"): (link.get("href"), link.text) for link in links}
    assert found["en"] == ("/en", "English")
    assert found.keys() == {lang_of(each) for each in LANGUAGES} - {"de"}


@pytest.mark.parametrize("document", [NORMAL, now_json(mode__name="maintenance")])
@pytest.mark.parametrize("language", LANGUAGES)
def test_on_an_ordinary_day_nobody_is_told_what_to_do_first(document: Any, language: str) -> None:
    found = text_of(page(document, language=language))

    assert "112" not in found
    assert TEXTS[language]["readings"] in found


@pytest.mark.parametrize("situation", ["nothing", "nonsense", "a mode of tomorrow", "starting"])
def test_what_the_box_does_not_know_is_never_an_ordinary_day(situation: str) -> None:
    assert headline(SITUATIONS[situation]) == "Lage unbekannt"
    assert "112" in page(SITUATIONS[situation])


def test_a_normal_day_of_a_node_that_has_gone_is_not_called_one() -> None:
    document = now_json(written_at=NOW - 5400)

    assert headline(document) == "Zuletzt: Ein gewöhnlicher Tag"
    assert "misst gerade nicht. Letzter Stand: 18:30 Uhr (vor 1 Stunde)" in text_of(page(document))
    assert '<body class="u">' in page(document), "its head is not green"


def test_an_exercise_cannot_be_missed_and_is_no_emergency() -> None:
    banners = [p for p in tree(page(EXERCISE)).iter("p") if p.get("class") == "x"]

    assert [banner.text for banner in banners] == ["ÜBUNG · EXERCISE"] * 2
    assert '<body class="n">' in page(NORMAL)
    assert text_of(page(EXERCISE)).startswith("ÜBUNG · EXERCISE Kein Notfall")
    assert 'class="x"' not in page(outage()) + page(NORMAL)


def test_a_real_outage_during_an_exercise_shows_no_banner() -> None:
    found = page(outage(mode__name="exercise", mode__is_exercise=True))

    assert 'class="x"' not in found and "Stromausfall" in found


def test_a_lost_grid_is_told_even_where_an_order_keeps_the_mode_normal() -> None:
    document = now_json(grid__state="lost", grid__since=NOW - 60, mode__order={
        "mode": "normal", "until": NOW + 600})  # fmt: skip

    assert headline(document) == "Stromausfall"


def test_power_that_has_come_back_is_told_with_its_reservation() -> None:
    found = text_of(page(RETURNING))

    assert headline(RETURNING) == "Der Strom ist wieder da"
    assert "seit 19:58 Uhr" in found and "Er kann noch einmal ausfallen." in found
    assert "Wie lange" not in found


def test_a_box_that_saves_power_says_so_with_and_without_an_emergency() -> None:
    assert "Der Akku dieser Box ist schwach." in text_of(page(SAVING))
    assert "noch 3 bis 6 Stunden" in text_of(page(SAVING))
    assert headline(SAVING) == "Box spart Strom"
    assert headline(outage(mode__name="saving")) == "Stromausfall"
    assert "Der Akku dieser Box ist schwach." in text_of(page(outage(mode__name="saving")))


@pytest.mark.parametrize(
    "grid, sentence",
    [
        ({"grid__is_sensed": False}, "Diese Box kann nicht selbst erkennen, ob der Strom da ist."),
        ({"grid__is_sensed": True}, "Ob das Stromnetz da ist, weiß diese Box gerade nicht."),
        ({"grid__state": "bridging"}, "Der Strom ist gerade weg."),
        ({"grid__state": None}, "Ob das Stromnetz da ist, weiß diese Box gerade nicht."),
    ],
)
def test_a_box_that_cannot_tell_whether_there_is_power_calls_no_day_ordinary(
    grid: dict[str, Any], sentence: str
) -> None:
    document = now_json(**{"grid__state": "unknown", **grid})

    found = text_of(page(document))

    assert headline(document) == "Kein Notfall gemeldet"
    assert found.count(sentence) == 1
    assert "Das Stromnetz ist da." not in found
    assert '<body class="u">' in page(document)


def test_a_box_that_cannot_sense_the_grid_says_so_in_an_emergency_too() -> None:
    document = now_json(
        mode__name="emergency",
        mode__causes=[{"cause": "operator", "since": NOW, "detail": "emergency"}],
        grid__state="unknown",
        grid__is_sensed=False,
    )

    assert "Diese Box kann nicht selbst erkennen" in text_of(page(document))


def test_without_a_known_battery_nobody_is_promised_hours() -> None:
    assert "Wie lange diese Box noch läuft, ist nicht bekannt." in text_of(
        page(outage(battery=None))
    )


def test_a_clock_that_was_never_set_is_admitted() -> None:
    assert "Uhr dieser Box ist nicht gestellt" in text_of(page(outage(clock_trusted=False)))
    assert "Uhr dieser Box" not in text_of(page(outage()))


def test_further_causes_are_told_beside_the_first() -> None:
    causes = [
        {"cause": "grid_lost", "since": NOW - 60, "detail": "lost"},
        {"cause": "sensor_threshold", "since": NOW - 30, "detail": "Pegel 4,1 m"},
    ]

    found = text_of(page(outage(mode__causes=causes)))

    assert headline(outage(mode__causes=causes)) == "Stromausfall"
    assert "über der Alarmgrenze" in found and "Pegel 4,1 m" in found


def test_a_reading_has_its_unit_and_age_and_a_comma_in_german() -> None:
    assert "Temperatur gerade eben −3,4 °C" in text_of(page(NORMAL))
    assert "Temperature just now −3.4 °C" in text_of(page(NORMAL, language="en"))


def test_a_suspect_reading_is_marked_and_a_bad_one_has_no_number() -> None:
    found = text_of(page(NORMAL))

    assert "Luftfeuchte gerade eben fraglich: 100 %" in found
    assert "Feinstaub PM10 vor 2 Minuten unbrauchbar" in found
    assert "1999" not in found and "2000" not in found


def test_voltages_are_not_what_a_resident_asks_for() -> None:
    assert "13,4" not in text_of(page(NORMAL))


def test_two_sensors_of_a_kind_are_told_apart() -> None:
    latest = {
        f"{sensor}/temperature_c": {"value": 1.0, "flag": 0, "reason": "", "taken_at": NOW}
        for sensor in ("roof", "yard")
    }

    found = text_of(page(now_json(latest=latest)))

    assert "Temperatur (roof)" in found and "Temperatur (yard)" in found


def test_a_bulletin_is_marked_as_what_it_is_with_its_age() -> None:
    found = text_of(page(outage(), posted("Warmer Raum: Turnhalle")))

    assert "vom Betreiber dieser Box, ungeprüft · vor 10 Minuten Warmer Raum: Turnhalle" in found
    english = text_of(page(outage(), posted("x"), "en"))
    assert "from the operator of this box, unverified · 10 minutes ago x" in english


def test_bulletins_that_cannot_be_read_are_not_passed_over() -> None:
    assert "Mitteilungen kann diese Box gerade nicht lesen." in text_of(page(outage(), None))
    assert "Mitteilungen" not in text_of(page(outage(), []))


def test_an_emergency_names_its_bulletins_above_the_fold() -> None:
    link = tree(page(outage(), posted("a", "b"))).find(".//header//a")

    assert (link.text, link.get("href")) == ("Mitteilungen: 2", "#m")


def test_every_page_says_that_nobody_asks_for_passwords_or_money() -> None:
    for situation in SITUATIONS.values():
        assert "Wir fragen nie nach Passwörtern oder Geld." in text_of(page(situation))


# --- who says it ---------------------------------------------------------------------------------


def official(text: str = "", **data: Any) -> Bulletin:
    return Bulletin(
        "kb-zoo-1", 7, NOW - 600, NOW + 9e4, text,
        language="de", issuer="Bezirk", standing="official", data={"severity": 1, **data},
    )  # fmt: skip


def test_what_is_official_stands_above_everything_and_says_who_checked_it() -> None:
    bulletins = [official("Wasser gibt es an der Schule"), *posted("Suppe bei mir")]

    for document in (outage(), NORMAL):
        html = page(document, bulletins)
        first, second = cards(html)

        assert "Bezirk Amtlich · von dieser Box geprüft · vor 10 Minuten Wasser" in text_of(html)
        assert first.get("class") == "official" and second.get("class") is None
        rest = "Zuerst" if document is not NORMAL else "Gemessen"
        assert html.index("an der Schule") < html.index(rest) < html.index("Suppe bei mir")


def test_a_signed_bulletin_on_a_box_without_a_clock_is_not_called_official() -> None:
    bulletin = official("Wasser gibt es an der Schule")
    bulletin.standing = "signed"

    html = page(outage(clock_trusted=False), [bulletin])

    assert "Unterschrieben von Bezirk. Gilt es noch? Das kann diese Box nicht" in text_of(html)
    assert "geprüft ·" not in html and cards(html)[0].get("class") is None


def test_another_boxs_operator_is_not_this_ones() -> None:
    html = page(outage(), posted("x", standing="box"))

    assert "von einer anderen Box, ungeprüft" in html and "vom Betreiber" not in html


def test_the_all_clear_looks_like_nothing_else_and_has_its_own_word() -> None:
    html = page(outage(), [official(code="water_safe", is_all_clear=1, severity=2)])
    (card,) = cards(html)

    assert card.get("class") == "official clear"
    assert "Entwarnung: Leitungswasser ist wieder gut" in text_of(html)
    assert "clear" not in page(outage(), [official("x", severity=4)])


def test_nobody_unofficial_gives_an_all_clear_in_green() -> None:
    bulletins = posted("alles gut", data={"is_all_clear": 1})

    assert 'class="' not in str(cards(page(outage(), bulletins))[0].attrib)
    assert "official" not in page(outage(), bulletins)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_coded_bulletin_is_told_in_every_language(language: str) -> None:
    parameters = {"place": "Turnhalle", "until": str(int(NOW + 3600))}
    html = page(outage(), [official(code="warm_room", parameters=parameters)], language)
    codes = i18n.text_of(language, "codes")

    found = text_of(html)

    headline, advice = codes["codes"]["warm_room"]
    assert headline in found and advice in found
    assert codes["parameters"]["place"].format(place="Turnhalle") in found
    assert words.clock_time(NOW + 3600, NOW, TEXTS[language]) in found, "21:00 here"


def test_a_code_of_tomorrow_is_admitted_with_its_number() -> None:
    assert "Mitteilung Nr. 201" in text_of(page(outage(), [official(code="201")]))


def test_free_text_is_marked_with_its_language() -> None:
    bulletins = posted("Suppe bei mir")

    paragraph = next(p for p in tree(page(outage(), bulletins, "ar")).iter("p") if p.get("lang"))

    assert (paragraph.get("lang"), paragraph.get("dir")) == ("de", "auto")
    assert "<small lang=de>Deutsch</small>" in page(outage(), bulletins, "ar")
    assert "<small lang=de>" not in page(outage(), bulletins, "de")


@pytest.mark.parametrize(
    "code, headline, step",
    [
        ("flood_rising", "Hochwasser", "Keller und Tiefgarage verlassen."),
        ("stay_inside", "Rauch oder Gefahrstoff", "Fenster und Türen zu."),
        ("boil_water", "Trinkwasser gestört", "Leitungswasser nicht trinken,"),
        ("fire_nearby", "Brand in der Nähe", "112"),
    ],
)
def test_a_grave_official_word_makes_the_headline_and_the_first_steps(
    code: str, headline: str, step: str
) -> None:
    html = page(NORMAL, [official(code=code, severity=3)])

    assert tree(html).find(".//h1").text == headline
    assert step in text_of(html) and '<body class="e">' in html
    assert "Wie lange diese Box" not in html or NORMAL["battery"]["hours_left_low"] is None


def warning(**fields: Any) -> Official:
    """One that this box fetched, half an hour ago."""
    texts = {"de": {"headline": "Hochwasser an der Oder", "instruction": "Keller räumen."}}
    data = {
        "identifier": "x.1", "severity": "Severe", "event": "Hochwasser", "sent_at": NOW - 1800,
        "fetched_at": NOW - 1200, "fetched_from": "warnung.bund.de", "issuer": "Landesamt",
        **fields,
    }  # fmt: skip
    row = ("kb-musterplatz-1", 9, NOW - 1200, "nina", json.dumps(texts), "kb-musterplatz-1")
    return Official((*row, json.dumps(data)), "de")


def with_warnings(document: Any, *warnings: Official, bulletins: Any = ()) -> str:
    whole = first_page(understood(document), bulletins, "de", warnings)
    assert packed(whole) <= 3000
    return whole.replace(SLOT, NO_TOKEN).decode()


def test_a_warning_stands_above_everything_with_what_to_do_first() -> None:
    html = with_warnings(NORMAL, warning(), bulletins=posted("Suppe"))

    assert tree(html).find(".//h1").text == "Hochwasser"
    assert "seit 19:30 Uhr" in text_of(html) and "Keller und Tiefgarage verlassen." in html
    assert html.index("Keller räumen.") < html.index("Zuerst</h2>") < html.index("Suppe")
    assert "Landesamt" in html and "warnung.bund.de" in html
    assert cards(html)[0].get("class") == "official"


def test_a_light_warning_is_shown_and_is_no_emergency() -> None:
    html = with_warnings(NORMAL, warning(severity="Minor"))

    assert "Hochwasser an der Oder" in html
    assert tree(html).find(".//h1").text == "Ein gewöhnlicher Tag"


def test_a_warnings_all_clear_is_green_and_no_headline() -> None:
    over = warning(message_type="Cancel", is_all_clear=1)
    over.state = "all_clear"

    html = with_warnings(NORMAL, over)

    assert cards(html)[0].get("class") == "official clear"
    assert tree(html).find(".//h1").text == "Ein gewöhnlicher Tag"


def test_the_gravest_official_word_stands_first_whoever_says_it() -> None:
    grave = official(code="leave_area", severity=4)
    html = with_warnings(outage(), warning(), warning(severity="Minor"), bulletins=[grave])

    assert html.index("Extreme Gefahr") < html.index("Keller räumen.")
    assert 'href="/de/warnings' in html


def test_a_power_cut_comes_before_a_warning_and_both_are_told() -> None:
    found = page(outage(), [official(code="flood_rising", severity=3)])

    assert tree(found).find(".//h1").text == "Stromausfall"
    assert "Große Gefahr: Das Wasser steigt" in text_of(found)


@pytest.mark.parametrize(
    "bulletin",
    [
        official(code="water_open", parameters={"place": "Platz"}),
        official("x", severity=4, is_all_clear=1),
        official("x", severity=4, is_exercise=1),
        *posted("x", data={"severity": 4}),
    ],
)
def test_what_is_not_grave_or_not_official_changes_no_headline(bulletin: Bulletin) -> None:
    assert tree(page(NORMAL, [bulletin])).find(".//h1").text == "Ein gewöhnlicher Tag"


def test_the_box_says_when_its_wlan_will_go_to_time_slices() -> None:
    document = outage(battery__hours_open_low=4.2, battery__hours_open_high=7.9)

    assert "WLAN ohne Pause: noch 4 bis 8 Stunden. Danach ist es zeitweise an." in text_of(
        page(document)
    )
    turns = {"is_open": True, "changes_at": NOW + 900}
    assert "ohne Pause" not in page({**document, "network": {
        **document["network"], "slice": turns}})  # fmt: skip


def test_the_main_tasks_are_on_the_page_with_a_drawing_and_words() -> None:
    needs = ("where", "help", "safe", "board", "messages", "air", "steps", "say", "about")
    # On an ordinary day the readings come first.
    ordinary = ("air", *(name for name in needs if name != "air"))
    for document, names in ((NORMAL, ordinary), (outage(), needs)):
        links = list(tree(page(document)).find(".//ul[@class='tasks']").iter("a"))

        assert [link.get("href") for link in links] == [f"/de/{name}" for name in names]
        assert all("".join(link.itertext()).strip() for link in links)
        assert page(document).count("<svg class=pic ") >= 6


def test_on_an_ordinary_day_readings_come_first() -> None:
    found = text_of(page(NORMAL, posted("Suppe bei mir")))

    assert found.index("Gemessen an dieser Box") < found.index("Was brauchen Sie?")
    assert found.index("Was brauchen Sie?") < found.index("Suppe bei mir")


def test_whoever_has_little_charge_is_told_of_flight_mode() -> None:
    assert "Flugmodus an, dann nur WLAN an." in text_of(page(outage()))


@pytest.mark.parametrize("language", LANGUAGES)
def test_with_all_there_is_to_say_the_page_still_fits(language: str) -> None:
    bulletins = [
        official(code="leave_area", severity=4, parameters={"place": "Straßen am Ufer"}),
        official("Bleiben Sie ruhig. " * 40, severity=3, headline="Lage am Abend"),
        official(code="switch_off", parameters={"at": str(int(NOW + 600))}),
        *posted(*["Wärme & Licht " * 60] * 5),
    ]
    turns = {"is_open": True, "changes_at": NOW + 900}
    document = outage(mode__name="saving", clock_trusted=False, network__slice=turns)

    whole = first_page(understood(document), bulletins, language)

    assert packed(whole) <= 3000
    assert "112" in whole.decode("utf-8", "replace")
    assert_is_kept(whole, language)


def assert_is_kept(whole: bytes, language: str) -> None:
    """The tip for an empty phone, and "save this page"."""
    text, html = i18n.text_of(language), whole.decode("utf-8", "replace")
    assert all(each in html for each in (*text["save_battery"], text["keep"][0]))


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("situation", SITUATIONS)
def test_whoever_has_an_emergency_is_told_to_save_the_phone_and_this_page(
    situation: str, language: str
) -> None:
    facts = understood(SITUATIONS[situation])
    if not is_emergency(facts):
        return

    whole = first_page(facts, posted("Wärme & <b>Licht</b>\n" * 20, "zwei"), language)

    assert_is_kept(whole, language)


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_language_lends_another_its_hours(language: str) -> None:
    # Russian has one form ("ч"), and was once given English's second one: "2 hours".
    english = {"hour", "hours", "minute", "minutes", "day", "days"}

    words = set(text_of(page(outage(), None, language)).split())

    assert language == "en" or language == "fr" or not words & english


# --- what it is made of --------------------------------------------------------------------------


@pytest.mark.parametrize(
    "situation, language",
    # Parsing strictly costs 10 ms a page: all situations in three languages, the longest in all.
    [
        (situation, language)
        for situation in SITUATIONS
        for language in LANGUAGES
        if language in ("de", "en", "ar") or situation in ("dark in an outage", "silent", "nothing")
    ],
)
def test_every_page_is_valid_small_and_needs_nothing_else(situation: str, language: str) -> None:
    facts = understood(SITUATIONS[situation])
    bulletins = posted("Wärme & <b>Licht</b>\n" * 20, "zwei")

    for whole in (first_page(facts, bulletins, language), first_page(facts, None, language)):
        assert len(whole) <= PAGE_BYTES and packed(whole) <= 3000
    for page in (whole, bulletins_page(facts, bulletins, language), again_page(facts, language)):
        html = page.replace(SLOT, NO_TOKEN).decode()
        root = tree(html)
        assert root.get("lang") == lang_of(language)
        assert root.get("dir") == ("rtl" if language in RIGHT_TO_LEFT else None)
        assert not {each.tag for each in root.iter()} & {"script", "img", "iframe"}
        assert all("style" not in each.keys() for each in root.iter())
        links = [each.get("href") for each in root.iter() if each.get("href")]
        assert all(link.startswith(("/", "#", "data:,")) for link in links)
        assert "url(" not in html and "@import" not in html
        # CDFER: no page of a captive portal may hold the word iOS looks for.
        assert "Success" not in html


@pytest.mark.parametrize("language", LANGUAGES)
def test_headings_descend_without_a_gap_and_landmarks_are_there(language: str) -> None:
    root = tree(page(now_json(grid__state="bridging"), posted("x"), language))

    tags = [each.tag for each in root.iter() if re.fullmatch("h[1-6]", str(each.tag))]
    assert tags[0] == "h1" and set(tags[1:]) == {"h2"} and len(tags) >= 4
    assert {"main", "nav", "header", "footer"} <= {each.tag for each in root.iter()}
    assert all(row.find("th").get("scope") == "row" for row in root.iter("tr"))


@pytest.mark.parametrize("field", ["name", "detail", "text"])
def test_what_others_wrote_stays_text(field: str) -> None:
    attack = "</p><script>alert(1)</script><a href='//evil'>\"&"
    document = outage(
        box__name=attack if field == "name" else "x",
        mode__causes=[{"cause": "official_warning", "since": NOW, "detail": attack}],
    )

    root = tree(page(document, posted(attack)))

    assert "evil" not in str([each.get("href") for each in root.iter()])
    assert not list(root.iter("script"))
    assert attack.replace("\n", "") in " ".join(root.itertext())


def test_direction_marks_cannot_turn_a_bulletin_around() -> None:
    found = page(outage(), posted("Tor \u202eneffo\u202c"))

    assert "\u202e" not in found and "Tor neffo" in found
    assert '<p dir=auto lang="de">Tor neffo' in found, "and right-to-left text finds its side"


def test_a_line_break_in_a_bulletin_is_kept() -> None:
    assert ">eins\nzwei</p>" in page(outage(), posted("eins\r\nzwei"))
    assert "white-space:pre-line" in STYLE


@pytest.mark.parametrize("text", ["&" * 1000, "ä" * 500, "😀" * 250, "x" * 1000, "wo " * 333])
def test_a_bulletin_too_long_for_the_page_is_cut_and_stands_whole_on_the_next(text: str) -> None:
    bulletins = posted(*[text] * 5)

    html = page(outage(), bulletins)
    shown = [p for p in tree(html).iter("p") if p.get("dir") == "auto"]

    assert len(html.encode()) <= PAGE_BYTES
    assert shown and shown[0].text[:10] == text[:10]
    assert '<a href="/de/bulletins">Alle Mitteilungen (5)</a>' in html
    pages = [bulletins_page(understood(NORMAL), bulletins, "de", n + 1) for n in range(5)]
    whole = [p.text for each in pages for p in tree(each.decode()).iter("p") if p.get("dir")]
    assert whole == [text.strip()] * 5


@pytest.mark.parametrize("language", ["de", "ru", "ar"])
@pytest.mark.parametrize(
    "letters", ["abcdefghijklmnopqrstuvwxyzäöüß ,.", "абвгдежзийклмнопрст ", "🔥💧⚡🏠"]
)
def test_every_page_of_all_bulletins_comes_in_one_breath(language: str, letters: str) -> None:
    # Words that no packer can shorten, as long as a record lets them be.
    chance = Random(7)
    texts = ["".join(chance.choices(letters, k=most)) for most in (1000, 500, 20, 280, 250)]
    bulletins = [
        official(text.encode()[:1000].decode("utf-8", "ignore"), headline=text[:40], severity=2)
        for text in texts * 4
    ]
    document = outage(mode__name="saving", clock_trusted=False)

    seen: list[str] = []
    for number in range(1, 30):
        whole = bulletins_page(understood(document), bulletins, language, number)
        assert len(whole) <= PAGE_BYTES and packed(whole) <= 3000, number
        seen += [p.text for p in tree(whole.decode()).iter("p") if p.get("dir") and p.text]
        if f"?page={number + 1}" not in whole.decode():
            break

    assert seen == [" ".join(each.text.split(" ")).strip() for each in bulletins]


def test_readings_too_many_for_the_page_are_counted() -> None:
    latest = {
        f"s{n}/temperature_c": {"value": 1.0, "flag": 0, "reason": "", "taken_at": NOW}
        for n in range(60)
    }

    html = page(now_json(latest=latest), posted("Wasser am Platz"))

    rows = len(list(tree(html).iter("tr")))
    assert len(html.encode()) <= PAGE_BYTES and rows >= 2
    assert f"und {60 - rows} weitere" in html and "Wasser am Platz" in html


values = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=90)
documents = st.fixed_dictionaries(
    {},
    optional={
        key: values
        | st.dictionaries(st.sampled_from([*NORMAL[key]] or ["x"]), values, max_size=8)
        | st.lists(values, max_size=3)
        if isinstance(NORMAL[key], dict)
        else values
        for key in NORMAL
    },
)


@given(documents, st.lists(st.text(max_size=300), max_size=4), st.sampled_from(list(LANGUAGES)))
@settings(max_examples=50, deadline=None)
def test_whatever_the_node_left_behind_there_is_a_valid_page(
    document: Any, texts: list[str], language: str
) -> None:
    html = page(document, posted(*texts), language)

    assert len(html.encode()) <= PAGE_BYTES
    tree(html)


# --- colours and catalogues ----------------------------------------------------------------------


def luminance(colour: str) -> float:
    """WCAG 2.2, "relative luminance"."""
    digits = colour.strip("#")
    digits = "".join(d * 2 for d in digits) if len(digits) == 3 else digits
    channels = [int(digits[n : n + 2], 16) / 255 for n in (0, 2, 4)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    """WCAG 2.2, "contrast ratio"."""
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def schemes() -> list[dict[str, str]]:
    """The variables in the light scheme and in the dark one."""
    light, dark = (dict(re.findall(r"--(\w):(#\w+)", block)) for block in STYLE.split("@media")[:2])
    return [light, {**light, **dark}]


def test_text_has_a_contrast_of_seven_to_one_in_both_schemes() -> None:
    for scheme in schemes():
        for text in ("t", "m", "a", "g"):
            assert contrast(scheme[text], scheme["b"]) >= 7, (text, scheme)
        assert contrast(scheme["t"], scheme["w"]) >= 7
    heads = re.findall(r"header\{[^}]*background:(#\w+)", STYLE.partition("@media print")[0])
    assert len(heads) == 3
    assert all(contrast("#fff", head) >= 7 for head in heads)
    assert contrast("#000", "#ffd600") >= 7
    (button,) = re.findall(
        r"[}]button,[.]button\{[^}]*background:(#\w+);color:#fff", STYLE.replace("\n", "")
    )
    assert contrast("#fff", button) >= 7


def shape(entry: Any) -> Any:
    """A catalogue entry without its words: keys, lengths and placeholders."""
    if isinstance(entry, dict):
        return {key: shape(value) for key, value in entry.items()}
    if isinstance(entry, (list, tuple)):
        return [shape(value) for value in entry]
    return sorted(set(re.findall(r"\{(\w+)", entry))) if isinstance(entry, str) else type(entry)


# The date is written in another order with other numbers of digits, not with other parts.
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_has_the_same_keys_and_placeholders(language: str) -> None:
    found, german = shape(TEXTS[language]), shape(DE)
    for key in COUNTED:
        # As many forms as the language has, and the last one counts.
        forms, _ = found.pop(key), german.pop(key)
        assert len(forms) in (1, 2, 4) and forms[-1] == ["count"]
    assert found == german


def test_every_language_has_a_file_and_every_file_a_language() -> None:
    folders = {path.parent.name for path in Path(i18n.__file__).parent.glob("*/now.po")}

    assert folders == LANGUAGES.keys()
    assert set(RIGHT_TO_LEFT) <= folders


@pytest.mark.parametrize("language", sorted(LANGUAGES.keys() - {"de", "en", "de_simple"}))
def test_no_entry_was_left_untranslated(language: str) -> None:
    def leaves(entry: Any) -> Iterator[str]:
        if isinstance(entry, str):
            yield re.sub(r"\{.*?\}", "", entry)
        elif isinstance(entry, (dict, list, tuple)):
            for each in entry.values() if isinstance(entry, dict) else entry:
                yield from leaves(each)

    long = {leaf for name in ("de", "en") for leaf in leaves(TEXTS[name]) if len(leaf) > 18}

    assert not long & set(leaves(TEXTS[language]))


@pytest.mark.parametrize(
    "hours, arabic",
    # CLDR, plural rules of Arabic: one, two, few (3 to 10), many (11 to 99), other.
    [
        (1, "ساعة"),
        (2, "ساعتين"),
        (3, "3 ساعات"),
        (10, "10 ساعات"),
        (11, "11 ساعة"),
        (40, "40 ساعة"),
    ],
)
def test_arabic_counts_as_arabic_does(hours: int, arabic: str) -> None:
    assert words.duration(hours * 3600, TEXTS["ar"]) == arabic


def test_quantities_are_shown_in_their_units() -> None:
    for text in TEXTS.values():
        for name, (_, unit, decimals) in text["quantities"].items():
            known = UNITS[Quantity(name)]
            assert (unit, int(decimals)) == (known.text, known.decimals)


@pytest.mark.parametrize(
    "low, high, expected",
    [
        (8.4, 13.2, "8 bis 14 Stunden"),
        (0.2, 0.8, "weniger als eine Stunde"),
        (0.5, 2.5, "höchstens 3 Stunden"),
        (0.5, 1.0, "höchstens 1 Stunde"),
        (5.0, 5.0, "etwa 5 Stunden"),
        (60.0, 100.0, "2 bis 5 Tage"),
        (40.0, 60.0, "40 bis 60 Stunden"),
        (7.9, None, "mindestens 7 Stunden"),
        (None, 4.0, "höchstens 4 Stunden"),
        (9.0, 3.0, "3 bis 9 Stunden"),
        (0.5, None, None),
        (None, None, None),
    ],
)
def test_the_band_of_hours_is_never_narrower_than_what_is_known(
    low: float | None, high: float | None, expected: str | None
) -> None:
    assert words.band(low, high, DE) == expected


@pytest.mark.parametrize(
    "seconds, expected",
    [
        (-3600, "Zeit unklar"),
        (-30, "gerade eben"),
        (59, "gerade eben"),
        (60, "vor 1 Minute"),
        (3599, "vor 59 Minuten"),
        (3600, "vor 1 Stunde"),
        (47.9 * 3600, "vor 47 Stunden"),
        (48 * 3600, "vor 2 Tagen"),
    ],
)
def test_ages_are_told_in_their_largest_unit(seconds: float, expected: str) -> None:
    assert words.age(NOW - seconds, NOW, DE) == expected


def test_a_moment_of_another_day_has_its_weekday_or_date() -> None:
    # 3 January 2026 was a Saturday.
    assert words.clock_time(NOW - 3600, NOW, DE) == "19:00 Uhr"
    assert words.clock_time(NOW - 86400, NOW, DE) == "Freitag, 20:00 Uhr"
    assert words.clock_time(NOW - 30 * 86400, NOW, DE) == "4.12.2025, 20:00 Uhr"


@given(st.text(max_size=400), st.integers(min_value=40, max_value=400))
@settings(max_examples=100, deadline=None)
def test_a_shortened_text_fits(text: str, most: int) -> None:
    text = text.encode("utf-8", "replace").decode()

    found = words.shortened(text, most)

    assert len(words.escape(found).encode()) <= most
    assert found == text or text.startswith(found[:-2].rstrip())
