"""Help: asked for without script, cookie or account; what is exact is readable by helpers only."""

from __future__ import annotations

import gzip
import re
import sqlite3
from collections.abc import Callable, Iterator
from itertools import count
from math import cos, radians
from pathlib import Path
from typing import Any

import pytest
from asking import GUEST
from asking import Portal as Asked
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from residents import Page, Resident
from street import Portal, fresh, outage, portal, wait_for, write_facts

from kiezbox import sealing
from kiezbox.clock import ManualClock, SystemClock
from kiezbox.place.invented import invented
from kiezbox.place.points import Point
from kiezbox.portal import tickets as portal_tickets
from kiezbox.portal.pages import help as help_page
from kiezbox.portal.sight import Sight
from kiezbox.records import tickets
from kiezbox.store import helping
from kiezbox.store.keyring import Keyring
from kiezbox.store.log import Draft, Log
from kiezbox.store.moderation import queue
from kiezbox.store.places import write_package

BOX = "kb-musterplatz-1"

#: Nobody's: what must never be found in the clear.
PLACE, NAME, PHONE, WORDS = "Hinterhaus, vierter Stock", "wer dort wohnt", "0170 5550199", "Insulin"

ASKED = {
    "need": "1", "block": "Musterweg am Platz", "place": PLACE, "name": NAME, "phone": PHONE,
    "people": "2", "words": WORDS,
}  # fmt: skip


def words_path(box: Path) -> str:
    return str(box / "words" / "words.db")


def open_log(box: Path) -> Log:
    return Log.open(words_path(box), SystemClock(), box=BOX)


def made(box: Path) -> sealing.Pair:
    """A log in this folder, and the helpers' key pair: the box has the public one."""
    write_facts(box / "run", fresh(outage()))
    pair = sealing.new_pair()
    log = open_log(box)
    Keyring(log).set_public("helpers", pair.public)
    log.close()
    return pair


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, Portal, sealing.Pair]]:
    """One portal for all tests that do not kill it: folder, process, key pair."""
    box = tmp_path_factory.mktemp("help")
    pair = made(box)
    with portal(box, "--secrets", str(box)) as found:
        yield box, found, pair


@pytest.fixture
def folder(shared: tuple[Path, Portal, sealing.Pair]) -> Path:
    return shared[0]


@pytest.fixture
def pair(shared: tuple[Path, Portal, sealing.Pair]) -> sealing.Pair:
    return shared[2]


_PHONES = count(2)


@pytest.fixture
def resident(shared: tuple[Path, Portal, sealing.Pair]) -> Resident:
    """Each with a phone, and so with an allowance, of its own."""
    return Resident(shared[1].port, address=f"127.0.1.{next(_PHONES)}")


def asks(resident: Resident, what: str = "ask", **fields: str) -> Page:
    resident.open(f"/de/help/{what}")
    return resident.send(f"/de/help/{what}", {**ASKED, **fields})


def told(page: Page) -> tuple[str, str]:
    """Number and words on the page after sending."""
    number, words = re.findall(r"<p class=w><bdi>(.*?)</bdi>", page.text)
    return number, words


def wait_for_list(resident: Resident, is_so: Callable[[str], bool]) -> str:
    """The list serves everybody for up to a second."""
    found = wait_for(lambda: is_so(resident.open("/de/help/list").text), "the list is so")
    return resident.page.text if found else ""


def state(page: Page) -> str:
    found = re.search(r"<p class=n><b>(.*?)</b>", page.text)
    return found.group(1) if found else ""


# --- what is exact is sealed ----------------------------------------------------------------------


def test_a_copied_database_and_its_wal_hold_nothing_exact(folder: Path, resident: Resident) -> None:
    page = asks(resident)

    assert "ist gespeichert" in page.text
    copied = b"".join(Path(words_path(folder) + end).read_bytes() for end in ("", "-wal"))
    assert b"Musterweg am Platz" in copied
    for exact in (PLACE, NAME, PHONE, WORDS, told(page)[1]):
        assert exact.encode() not in copied
        assert exact.encode("utf-16-le") not in copied


def test_whoever_has_the_private_key_reads_what_was_sealed(
    folder: Path, pair: sealing.Pair, resident: Resident
) -> None:
    asks(resident)

    log = open_log(folder)
    first = log.records("ticket")[-1]
    log.close()
    opened = helping.opened(sealing.unseal(pair.private, first.body["sealed_helpers"]))
    assert opened == {
        "name": NAME, "place": PLACE, "phone": PHONE, "words": WORDS, "people": "2",
    }  # fmt: skip


def test_the_lists_and_the_tickets_page_show_need_and_block_only(resident: Resident) -> None:
    number, _ = told(asks(resident))
    stranger = Resident(resident.port, address="127.0.0.9")

    for path in ("/de/help/list", f"/de/help/{number}", "/en/help/list/ask", "/de/help"):
        page = stranger.open(path)
        for exact in (PLACE, NAME, PHONE, WORDS):
            assert exact not in page.text
    page = wait_for_list(stranger, lambda text: "Musterweg am Platz" in text)
    assert "Medikamente" in page


def test_a_box_without_keys_says_so_and_takes_only_what_everybody_may_read(
    box: Path,
) -> None:
    open_log(box).close()
    write_facts(box / "run", fresh(outage()))
    with portal(box, "--secrets", str(box)) as served:
        resident = Resident(served.port)
        form = resident.open("/de/help/ask")
        refused = resident.send("/de/help/ask", ASKED)
        taken = resident.send("/de/help/ask", need="1", block="Musterweg am Platz")
        resident.open("/de/help/emergency")
        resident.send("/de/help/emergency", block="Am Hang")
        # Nobody could open more: so neighbours are told.
        assert wait_for_list(resident, lambda text: "Am Hang" in text)

    assert "kann noch nichts verschlüsseln" in form.text
    assert "name=place" not in form.text
    assert refused.status == 400 and PLACE in refused.text
    assert told(taken)[0]
    copied = b"".join(Path(words_path(box) + end).read_bytes() for end in ("", "-wal"))
    assert PLACE.encode() not in copied


# --- 112 ------------------------------------------------------------------------------------------


def test_the_first_page_says_that_this_is_not_112_and_where_the_nearest_call_point_is(
    box: Path, clock: ManualClock
) -> None:
    package = invented(1)
    (box / "place").mkdir()
    write_package(package, str(box / "place" / "place.db"))
    sight = Sight(str(box / "run"), str(box / "kiezbox.db"), clock)
    latitude, longitude = sight.facts()["box"]["latitude"], sight.facts()["box"]["longitude"]

    def squared(point: Point) -> float:
        east = (point.longitude - longitude) * cos(radians(latitude))
        return (point.latitude - latitude) ** 2 + east**2

    nearest = min((p for p in package.points if p.kind in help_page.CALLS), key=squared)
    text = Asked(sight).ask("/de/help").text

    assert text.index("Das ist nicht 112") < text.index("112 geht nicht?")
    assert "href=tel:112" in text
    assert f"Nächste Stelle: <b><bdi>{nearest.name}</bdi></b>" in text


# --- a number, and a page to come back to ---------------------------------------------------------


def test_a_resident_sees_what_becomes_of_the_request(
    folder: Path, pair: sealing.Pair, resident: Resident
) -> None:
    number, _ = told(asks(resident))
    log = open_log(folder)

    ref, signer = helping.ref_of(BOX, number), sealing.signer_of(pair.private)
    assert ref is not None
    helping.act(log, ref, "take", "helper", who=b"12345678", signer=signer)
    log.close()

    page = resident.open(f"/de/help/{number}")
    assert state(page) == "Jemand kümmert sich darum."
    assert "Durch: Helfende" in page.text
    assert b"12345678".hex() not in page.text


@pytest.mark.parametrize("language, said", [("de", "Nicht bestätigt"), ("ar", "غير مؤكَّد")])
def test_what_nobody_has_proven_stands_beside_the_state_and_hides_nothing(
    folder: Path, resident: Resident, language: str, said: str
) -> None:
    number, _ = told(asks(resident, block=f"Gelogen {language}"))
    log = open_log(folder)
    fields = {"of": helping.ref_of(BOX, number), "event": "done", "role": "helper"}
    log.add(Draft(kind="ticket_state", fields={**fields, "proof": bytes(64)}))
    log.close()

    page = resident.open(f"/{language}/help/{number}")
    german = resident.open(f"/de/help/{number}")

    assert said in page.text
    assert state(german) == "Gespeichert. Noch hat es niemand gelesen."
    assert wait_for_list(resident, lambda text: f"Gelogen {language}" in text)


def test_only_the_words_withdraw_a_request(resident: Resident) -> None:
    number, words = told(asks(resident, block="Zum Rückzug"))
    path = f"/de/help/{number}"

    resident.open(path)
    refused = resident.send(path, code="vier falsche Wörter hier", act="withdraw")
    still = state(resident.open(path))
    withdrawn = resident.send(path, code=words.upper().replace(" ", "-"), act="withdraw")

    assert refused.status == 400 and "vier falsche Wörter hier" in refused.text
    assert still == "Gespeichert. Noch hat es niemand gelesen."
    assert state(withdrawn) == "Zurückgezogen."
    assert wait_for_list(resident, lambda text: "Zum Rückzug" not in text)


def test_the_same_form_sent_twice_is_one_ticket_with_the_same_words(resident: Resident) -> None:
    token = resident.open("/de/help/ask").token

    fields = {**ASKED, "block": "Zweimal gedrückt", "token": token}

    first = resident.send("/de/help/ask", fields)
    second = resident.send("/de/help/ask", fields)

    assert told(first) == told(second)
    page = wait_for_list(resident, lambda text: "Zweimal gedrückt" in text)
    assert page.count("Zweimal gedrückt") == 1


def test_a_ticket_is_found_by_typing_its_number(resident: Resident) -> None:
    number, _ = told(asks(resident, "offer"))

    assert "Angebot" in resident.open(f"/de/help?number={number}").text
    assert resident.open("/de/help?number=987654").status == 404


def test_the_list_turns_after_twenty(folder: Path, resident: Resident) -> None:
    log = open_log(folder)
    with log.group():
        for n in range(45):
            draft = helping.ticket_draft({}, what="ask", needs=[2], block=f"Block {n:02}", exact={})
            log.add(draft)
    log.close()

    wait_for_list(resident, lambda text: "Block 44" in text)
    pages = [resident.open(f"/de/help/list/ask/{n}").text for n in (1, 2, 3)]

    assert [page.count("<article") for page in pages[:2]] == [20, 20]
    assert len(set(re.findall(r"Block \d\d", "".join(pages)))) == 45


def test_what_a_moderator_hides_is_on_no_public_page(folder: Path, resident: Resident) -> None:
    """Reports of three neighbours hide as well; helpers see it all the same."""
    number, _ = told(asks(resident, block="Grobe Worte"))
    ref = helping.ref_of(BOX, number)
    log = open_log(folder)
    for n in range(3):
        log.add(Draft(kind="report", fields={"of": ref, "reporter": bytes([n]) * 8}))
    log.close()

    assert wait_for_list(resident, lambda text: "Grobe Worte" not in text)
    page = resident.open(f"/de/help/{number}")
    assert page.status == 200 and "Grobe Worte" not in page.text


def test_three_neighbours_report_a_request_and_it_waits_for_a_moderator(
    folder: Path, shared: tuple[Path, Portal, sealing.Pair], resident: Resident
) -> None:
    number, _ = told(asks(resident, block="Gemeine Worte"))
    path = f"/de/help/{BOX}.{number}"
    for n in (1, 1, 2, 3):
        neighbour = Resident(shared[1].port, address=f"127.0.2.{n}")
        assert "Gemeine Worte" in neighbour.open(path).text, "two neighbours hide nothing"
        answer = neighbour.send(path, act="report", reason="2")
        assert "Ihre Meldung ist angekommen" in answer.text

    assert wait_for_list(resident, lambda text: "Gemeine Worte" not in text)
    page = resident.open(path)
    assert "Gemeine Worte" not in page.text and "value=report" not in page.text
    log = open_log(folder)
    (case,) = [case for case in queue(log) if case.thing.text == "Gemeine Worte"]
    log.close()
    assert case.kind == "ticket" and case.reporters == 3
    assert case.reports == {"insult or threat": 3}
    assert state(page) == "Gespeichert. Noch hat es niemand gelesen.", "helpers see it as before"


def test_whoever_is_short_of_time_is_told_not_to_wait(resident: Resident) -> None:
    oxygen = asks(resident, need="0").text
    company = asks(resident, need="5").text
    spoken = asks(resident, "emergency", place="Hof", words="Ich kann nicht sprechen").text

    assert "Warten Sie nicht nur auf Antwort" in oxygen
    assert "Warten Sie nicht" not in company
    assert "Das ist kein Anruf bei 112" in spoken
    for page in (oxygen, spoken):
        assert "/de/where/help" in page


def test_a_page_of_twenty_is_short_enough_for_a_crowded_wlan(
    folder: Path, resident: Resident
) -> None:
    log = open_log(folder)
    with log.group():
        for n in range(20):
            block = f"Lange Straße zwischen der Kirche und dem Platz, Aufgang {n}"
            log.add(helping.ticket_draft({}, what="ask", needs=[n % 7, 6], block=block, exact={}))
    log.close()
    wait_for_list(resident, lambda text: "Aufgang 19" in text)

    for path in ("/list", "", "/ask", "/offer", "/emergency"):
        for language in ("de", "ru", "fa"):
            text = resident.ask("GET", f"/{language}/help{path}", b"", {}).text.encode()
            assert len(text) <= 15_000
            assert len(gzip.compress(text, 6)) <= 3000, (path, language)


# --- emergencies in words -------------------------------------------------------------------------


def test_an_emergency_in_words_needs_place_and_problem_and_keeps_what_was_written(
    resident: Resident,
) -> None:
    page = asks(resident, "emergency", place="")

    assert page.status == 400
    assert WORDS in page.text and NAME in page.text
    assert "den genauen Ort" in page.text


@pytest.mark.parametrize("people", ["0", "1000", "-1", "zwei", "1e3", "٣x"])
def test_only_one_to_999_people_are_a_number(resident: Resident, people: str) -> None:
    page = asks(resident, "emergency", people=people)

    assert page.status == 400
    assert "1 bis 999" in page.text


def test_an_emergency_in_words_stands_in_no_public_list(resident: Resident) -> None:
    page = asks(resident, "emergency", people="999", block="Stiller Winkel")

    assert "kein Anruf bei 112" in page.text
    for topic in ("ask", "offer", "emergency"):
        listed = resident.open(f"/de/help/list/{topic}")
        assert "Stiller Winkel" not in listed.text


# --- hostile --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "fields, said",
    [
        ({"block": "<script>alert(1)</script>"}, "&lt;script&gt;"),
        ({"block": "Platz \u202etxet\u2066 hier"}, "Platz"),
        ({"block": "www.example.com"}, "keine Internetadressen"),
        ({"block": "Ruf 0171 5550000"}, "keine Telefonnummer"),
        ({"block": ""}, "Straße oder Block"),
        ({"block": "x" * 500}, "zu lang"),
        ({"need": "99"}, "mindestens eines"),
        ({"place": "y" * 2000}, "zu lang"),
        ({"words": '"' * 901}, "zu lang"),
    ],
)
def test_hostile_fields_are_taken_as_text_or_refused_in_a_sentence(
    resident: Resident, fields: dict[str, str], said: str
) -> None:
    page = asks(resident, **fields)
    shown = page.text + wait_for_list(resident, lambda text: page.status == 400 or said in text)

    assert page.status in (200, 400)
    assert said in shown
    assert "<script" not in shown and "\u202e" not in shown


def test_the_longest_that_fits_is_sealed_whole(resident: Resident) -> None:
    longest = {"place": "ö" * 150, "name": '"' * 120, "phone": "\\" * 60, "words": "\u0634" * 450}

    page = asks(resident, **longest)

    assert told(page)[0]


# --- nothing confirmed is lost --------------------------------------------------------------------


def test_whoever_got_a_number_finds_it_though_the_portal_dies_again_and_again(
    tmp_path: Path,
) -> None:
    made(box := tmp_path)
    confirmed, unsure = [], 0
    for turn in range(5):
        with portal(box, "--secrets", str(box)) as served:
            resident = Resident(served.port)
            form = resident.open("/de/help/ask")
            for n in range(20):
                fields = {**ASKED, "block": f"Block {turn}-{n:02}", "token": form.token}
                # Somewhere between the first byte and the last answer.
                if n == 5 + turn:
                    served.process.kill()
                try:
                    confirmed.append(told(resident.send("/de/help/ask", fields)))
                except (OSError, ValueError, IndexError):
                    unsure += 1
                    break

    assert unsure
    with portal(box, "--secrets", str(box)) as served:
        resident = Resident(served.port)
        for number, _ in confirmed:
            assert resident.open(f"/de/help/{number}").status == 200
    db = sqlite3.connect(words_path(box))
    assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    db.close()


def test_a_form_filled_in_before_a_crash_is_the_same_ticket_after_it(
    tmp_path: Path,
) -> None:
    made(box := tmp_path)
    with portal(box, "--secrets", str(box)) as served:
        resident = Resident(served.port)
        token = resident.open("/de/help/ask").token
        first = told(resident.send("/de/help/ask", {**ASKED, "token": token}))
        served.process.kill()
    with portal(box, "--secrets", str(box)) as served:
        again = told(Resident(served.port).send("/de/help/ask", {**ASKED, "token": token}))

    assert again == first


# --- one truth ------------------------------------------------------------------------------------


def test_the_portal_and_the_rules_agree_on_states_needs_and_limits() -> None:
    from kiezbox.i18n import text_of

    assert portal_tickets.ENDED == tuple(map(str, tickets.ENDED))
    assert {name: help_page.MOST[name] for name in helping.EXACT} == helping.EXACT
    for language in ("de", "en"):
        text: dict[str, Any] = text_of(language, "help")
        assert len(text["need"]) == len(helping.NEEDS)
        assert set(text["state"]) == set(map(str, tickets.State))
        assert set(text["role"]) == set(map(str, tickets.Role))
        assert set(text["event"]) == {"received", *map(str, tickets.Event)}


# --- whatever is asked for ------------------------------------------------------------------------


@given(
    st.sampled_from(["help", "safe", "messages", "helper"]),
    st.lists(st.text(st.characters(min_codepoint=33, max_codepoint=126, exclude_characters="?#"),
                     max_size=20), max_size=4),
    st.binary(max_size=200),
    st.sampled_from(["GET", "POST"]),
)  # fmt: skip
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_path_and_form_come_the_answer_is_a_page(
    door: Asked, room: str, parts: list[str], body: bytes, method: str
) -> None:
    token = door.forms.token(GUEST)
    sent = body + b"&token=" + token if method == "POST" else b""

    page = door.ask("/".join(("/de", room, *parts)), method, body=sent)

    assert page.status in (200, 303, 400, 403, 404, 429)
    assert "Traceback" not in page.text
