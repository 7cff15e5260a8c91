"""The neighbours' board, as a resident uses it: without script, cookie or account."""

from __future__ import annotations

import gzip
import re
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from residents import Page, Resident
from street import Portal, fresh, now_json, outage, portal, wait_for, write_facts

from kiezbox.clock import SystemClock
from kiezbox.portal.pages import board
from kiezbox.portal.shown import Shown
from kiezbox.store.believing import trust_of
from kiezbox.store.log import Draft, Log
from kiezbox.store.moderation import decide, queue
from kiezbox.store.moderators import believe
from kiezbox.trust import new_key

BOX = "kb-musterplatz-1"

SENTENCES = (
    "Suche dringend Kerzen oder eine Taschenlampe, bin im Vorderhaus zweiter Stock.",
    "Biete warmes Mittagessen für fünf Personen, ab zwölf Uhr im Hof hinten links.",
    "Die Apotheke an der Ecke hat bis 16 Uhr offen, nur Barzahlung.",
    "Wer kann mir zwei Kisten Wasser in den vierten Stock tragen?",
    "Habe einen Gaskocher übrig, gern zum Ausleihen bis morgen früh.",
    "Turnhalle der Schule ist geöffnet und beheizt, Hunde sind erlaubt.",
    "Suche Kühlbox oder Kühlakkus für Medikamente einer Nachbarin.",
    "Jemand hat im Treppenhaus einen Schlüsselbund verloren, liegt beim Späti.",
    "Kinderbetreuung heute Nachmittag bei uns möglich, drei Plätze frei.",
    "Vorsicht, auf dem Gehweg vor Nummer 14 ist spiegelglattes Eis.",
    "Biete Ladestation am Auto, zehn Minuten pro Handy, Ecke Parkplatz.",
    "Gesucht: Batterien AA, tausche gegen Konserven oder Tee.",
    "Die Pumpe am Platz funktioniert wieder, Wasser bitte abkochen.",
    "Wer spricht Vietnamesisch und kann kurz übersetzen helfen?",
    "Wir sammeln Decken für das Pflegeheim, Abgabe bis 20 Uhr.",
    "Fahrradwerkstatt hilft bei platten Reifen, Spende nicht nötig.",
    "Suche Mitfahrgelegenheit ins Krankenhaus, Dialyse um neun Uhr.",
    "Kaminholz zu verschenken, bitte selbst abholen, solange es reicht.",
    "Die Bäckerei backt mit Holzofen, Brot gibt es ab sieben Uhr.",
    "Unser Kater ist weggelaufen, grau getigert, hört auf Pfeifen.",
)


def open_log(box: Path) -> Log:
    return Log.open(str(box / "words" / "words.db"), SystemClock(), box=BOX)


@pytest.fixture
def served(box: Path) -> Iterator[Portal]:
    write_facts(box / "run", fresh(outage()))
    with portal(box, "--secrets", str(box)) as found:
        yield found


def published(neighbour: Resident, text: str, topic: str = "0", **more: str) -> Page:
    neighbour.open("/de/board/write")
    return neighbour.send("/de/board", topic=topic, text=text, **more)


def link_in(page: Page) -> str:
    """Of the first post on a page."""
    found = re.search(r'href="(/de/board/kb-[^"]+)"', page.text)
    assert found, page.text
    return found.group(1)


def word_in(page: Page) -> str:
    found = re.search(r"<bdi>(\w{3}(?:-\w{3}){3})</bdi>", page.text)
    assert found, page.text
    return found.group(1)


# --- writing -------------------------------------------------------------------------------------


def test_what_a_neighbour_writes_stands_on_the_board_as_it_was_written(served: Portal) -> None:
    neighbour = Resident(served.port)

    published(neighbour, "Suche <b>Kerzen</b>")

    page = Resident(served.port, address="127.0.0.9").open("/en/board")
    assert "Suche &lt;b&gt;Kerzen&lt;/b&gt;" in page.text
    assert "from neighbours, unchecked" in page.text
    assert "<span lang=de>Deutsch</span>" in page.text
    assert "<p dir=auto lang=de>" in page.text


def test_a_form_sent_twice_is_one_post_with_one_word(served: Portal) -> None:
    neighbour = Resident(served.port)
    token = neighbour.open("/de/board/write").token

    pages = [
        neighbour.send("/de/board", token=token, topic="1", text="Biete Suppe") for _ in range(2)
    ]

    assert neighbour.open("/de/board").text.count("Biete Suppe") == 1
    assert word_in(pages[0]) == word_in(pages[1])


def test_a_form_without_the_guests_own_token_is_not_taken_but_kept_filled(served: Portal) -> None:
    neighbour, stranger = Resident(served.port), Resident(served.port, address="127.0.0.3")
    token = neighbour.open("/de/board/write").token

    page = stranger.send(
        "/de/board", token=token, topic="2", text="Nicht von mir, und länger als dreißig"
    )

    assert page.status == 400
    assert "Nicht von mir, und länger als dreißig</textarea>" in page.text
    assert "Nicht von mir" not in neighbour.open("/de/board").text

    again = stranger.send("/de/board", topic="2", text="Nicht von mir, und länger als dreißig")
    assert (again.status, "Ihr Text hängt jetzt" in again.text) == (200, True)


@pytest.mark.parametrize(
    ("text", "topic", "why"),
    [
        ("", "0", "Schreiben Sie bitte etwas"),
        (" \n\u200b\u3164 ", "0", "Schreiben Sie bitte etwas"),
        ("Brot", "", "Wählen Sie bitte"),
        ("Brot", "3", "Wählen Sie bitte"),
        ("Mehr auf www.brot.de", "0", "Links gehen hier nicht"),
        ("ä" * 281, "0", "zu lang"),
        ("👨\u200d👩\u200d👧" * 90, "0", "zu lang"),
        ("Ruf an: 0176 1234567", "0", "Telefonnummer"),
    ],
)
def test_what_is_not_taken_comes_back_with_a_reason(
    served: Portal, text: str, topic: str, why: str
) -> None:
    neighbour = Resident(served.port)

    page = published(neighbour, text, topic)

    assert why in page.text
    assert page.status == (200 if why == "Telefonnummer" else 400)
    assert f"{text}</textarea>" in page.text
    assert "Noch" not in neighbour.open("/de/board").text
    assert "Hier hängt noch nichts." in neighbour.page.text


def test_280_characters_as_a_reader_counts_them_are_taken(served: Portal) -> None:
    neighbour = Resident(served.port)
    # 280 characters, each of two code points that have no single one (UAX #15).
    text = "q\u0308" * 280

    assert "Ihr Text hängt jetzt" in published(neighbour, text).text
    assert text in neighbour.open("/de/board").text


def test_a_telephone_number_is_published_only_by_somebody_who_means_it(served: Portal) -> None:
    neighbour = Resident(served.port)
    published(neighbour, "Ruf an: 0176 1234567")
    assert "name=number_ok" in neighbour.page.text

    neighbour.send("/de/board", topic="0", text="Ruf an: 0176 1234567", number_ok="1")

    assert "0176 1234567" in neighbour.open("/de/board").text


def test_a_post_hangs_as_long_as_its_writer_chose(box: Path, served: Portal) -> None:
    neighbour = Resident(served.port)
    for hours in ("24", "48", "9999", "x"):
        published(neighbour, f"Für {hours}", hours=hours)

    log = open_log(box)
    try:
        lasts = {each.text: each.expires_at - each.written_at for each in log.things("post")}
    finally:
        log.close()

    assert {text: round(seconds / 3600) for text, seconds in lasts.items()} == {
        "Für 24": 24, "Für 48": 48, "Für 9999": 24, "Für x": 24
    }  # fmt: skip


def test_a_post_that_speaks_like_an_authority_is_said_to_be_none(served: Portal) -> None:
    neighbour = Resident(served.port)

    # Cyrillic А and с (UTS #39), and the box's own sign.
    published(neighbour, "✓ Аmtliсh geprüft: alle Läden zu")

    page = neighbour.open("/de/board").text
    assert "Das ist keine amtliche Mitteilung." in page
    assert "✓" not in page
    assert "class=official" not in page


def test_what_is_written_in_an_exercise_is_marked(box: Path, served: Portal) -> None:
    write_facts(box / "run", fresh(now_json(mode__is_exercise=True, mode__name="exercise")))
    neighbour = Resident(served.port)

    published(neighbour, "Probe")

    assert "<b>Übung</b> · <b>Suche</b>" in neighbour.open("/de/board").text


# --- taking down ---------------------------------------------------------------------------------


def test_only_whoever_has_the_word_takes_a_post_down(served: Portal) -> None:
    writer, stranger = Resident(served.port), Resident(served.port, address="127.0.0.3")
    word = word_in(published(writer, "Suche Kerzen"))
    path = link_in(writer.open("/de/board"))

    stranger.open(path)
    wrong = stranger.send(path, word="bbb-bbb-bbb-bbb", act="withdrawn")
    assert "Dieses Wort passt nicht" in wrong.text
    assert 'value="bbb-bbb-bbb-bbb"' in wrong.text
    assert "Suche Kerzen" in stranger.open("/de/board").text

    stranger.open(path)
    assert "abgehängt" in stranger.send(path, word=word.upper(), act="withdrawn").text
    assert "Suche Kerzen" not in stranger.open("/de/board").text
    assert stranger.open(path).status == 404


def test_a_post_that_was_taken_down_is_on_the_card_no_more(box: Path, served: Portal) -> None:
    writer = Resident(served.port)
    word = word_in(published(writer, "Suche Kerzen, sehr dringend"))
    path = link_in(writer.open("/de/board"))
    files = [box / "words" / f"words.db{side}" for side in ("", "-wal")]

    def is_there() -> bool:
        return any(b"sehr dringend" in file.read_bytes() for file in files if file.exists())

    assert is_there()
    writer.open(path)
    writer.send(path, word=word, act="withdrawn")

    wait_for(lambda: not is_there(), "the card to forget it")


def test_a_moderators_word_is_seen_at_once_and_stays(box: Path, served: Portal) -> None:
    published(Resident(served.port), "Suppe ab 18 Uhr")
    path = link_in(Resident(served.port).open("/de/board"))
    for n in range(3):
        report(served.port, path, f"127.0.0.{5 + n}")
    assert "Suppe" not in Resident(served.port).open("/de/board").text
    words, key = str(box / "words" / "words.db"), new_key("Kiezteam")
    believe(words, key.public, "Kiezteam")
    log = open_log(box)
    log.judge_by(trust_of(log, (), SystemClock()).judge)
    (case,) = queue(log)

    decide(log, case.ref, "restore", key, now=SystemClock().now())
    log.close()

    def is_shown() -> bool:
        return "Suppe" in Resident(served.port).open("/de/board").text

    wait_for(is_shown, "the board to show it again")
    # The portal knows no moderator's key: what was judged stays judged.
    report(served.port, path, "127.0.0.44")
    assert is_shown()


def test_what_is_settled_leaves_the_list_and_says_so(served: Portal) -> None:
    writer = Resident(served.port)
    word = word_in(published(writer, "Suche Kerzen"))
    path = link_in(writer.open("/de/board"))
    writer.open(path)

    writer.send(path, word=word, act="solved")

    assert "Suche Kerzen" not in writer.open("/de/board").text
    assert "Hat sich erledigt." in writer.open(path).text


def test_a_copied_database_holds_neither_the_word_nor_what_proves_it(
    box: Path, served: Portal
) -> None:
    writer = Resident(served.port)
    word = word_in(published(writer, "Suche Kerzen"))
    db = sqlite3.connect(box / "words" / "words.db")
    copied = b"".join(
        str(row).encode() + b"".join(each for each in row if isinstance(each, bytes))
        for table in ("log", "things")
        for row in db.execute(f"SELECT * FROM {table}")
    )
    (solve,) = [told.body["solve"] for told in open_log(box).records("post")]
    db.close()

    assert word.encode() not in copied
    assert word.replace("-", "").encode() not in copied
    # The record's own seal proves nothing.
    log = open_log(box)
    (post,) = log.things("post")
    from kiezbox.records import Ref

    ref = Ref(post.origin, post.sequence)
    log.add(Draft(kind="post_state", fields={"of": ref, "event": "solved", "proof": solve}))
    log.add(Draft(kind="erasure", fields={"of": ref, "proof": solve}))
    assert [each.state for each in log.things("post")] == ["open"]
    log.close()


# --- reporting -----------------------------------------------------------------------------------


def report(port: int, path: str, address: str) -> Page:
    neighbour = Resident(port, address=address)
    neighbour.open(path)
    return neighbour.send(path, act="report", reason="1")


def test_three_neighbours_hide_a_post_and_one_neighbour_never_does(served: Portal) -> None:
    writer = Resident(served.port)
    published(writer, "Nur Betrug")
    path = link_in(writer.open("/de/board"))

    for _ in range(3):
        assert "Ihre Meldung ist angekommen" in report(served.port, path, "127.0.0.5").text
    assert "Nur Betrug" in writer.open("/de/board").text

    report(served.port, path, "127.0.0.6")
    report(served.port, path, "127.0.0.7")

    assert "Nur Betrug" not in writer.open("/de/board").text
    assert "ist verborgen" in writer.open(path).text


# --- many posts ----------------------------------------------------------------------------------


def fill(box: Path, count: int) -> None:
    """One in fifty seeks."""
    log = open_log(box)
    with log.group():
        for n in range(count):
            topic = 0 if n % 50 == 7 else 1 + n % 2
            fields = {"topic": topic, "text": f"{SENTENCES[n % 20]} {n}", "language": "de"}
            log.add(Draft(kind="post", fields=fields))
    log.close()


def test_every_page_has_twenty_posts_in_three_kilobytes_and_they_follow_without_a_gap(
    box: Path, served: Portal
) -> None:
    fill(box, 90)
    neighbour = Resident(served.port)
    seen: list[int] = []
    path = "/de/board"
    for _ in range(5):
        page = neighbour.open(path)
        seen += map(int, re.findall(r" (\d+)</p>", page.text))
        zipped = len(gzip.compress(page.text.encode(), 6))
        assert len(page.text.encode()) <= 15_000
        assert zipped <= 3072, zipped
        older = re.search(r'href="([^"]+)">Ältere', page.text)
        path = older.group(1) if older else ""

    assert path == ""
    assert seen == list(range(89, -1, -1))


@pytest.mark.parametrize("text", ["ж" * 280, "語" * 280, "a" * 280])
def test_a_page_of_the_longest_posts_is_no_larger(box: Path, served: Portal, text: str) -> None:
    log = open_log(box)
    with log.group():
        for n in range(30):
            shuffled = "".join(
                chr(ord(letter) + (n * 7 + i * i) % 25) for i, letter in enumerate(text)
            )
            log.add(Draft(kind="post", fields={"topic": 0, "text": shuffled, "language": "de"}))
    log.close()

    page = Resident(served.port).open("/de/board")

    assert 2 <= page.text.count("<article") <= 20
    assert len(page.text.encode()) <= 15_000
    assert "Ältere" in page.text


def test_a_topic_has_only_its_own_also_on_its_older_pages(box: Path, served: Portal) -> None:
    fill(box, 1300)
    neighbour = Resident(served.port)

    first = neighbour.open("/de/board/seek")
    older = re.search(r'href="([^"]+)">Ältere', first.text)
    assert older
    second = neighbour.open(older.group(1))

    numbers = [*map(int, re.findall(r" (\d+)</p>", first.text + second.text))]
    assert numbers == [n for n in range(1299, -1, -1) if n % 50 == 7]


@pytest.mark.parametrize("count", [2_000, pytest.param(10_000, marks=pytest.mark.long)])
def test_with_ten_thousand_posts_each_page_reads_no_more_than_it_shows(
    box: Path, count: int
) -> None:
    fill(box, count)
    shown = Shown(str(box / "words" / "words.db"))
    before, pages, seen = board._FOR_EVER, 0, 0
    while rows := shown.rows(board._OF_ALL, (time.time(), *before)):
        rows = rows[: board.PAGE_POSTS]
        pages, seen = pages + 1, seen + len(rows)
        before = rows[-1][2], rows[-1][0], rows[-1][1]

    assert (pages, seen) == (count // 20, count)
    for sql in (board._OF_ALL, board._OF_TOPIC):
        topic = ["seek"] if sql is board._OF_TOPIC else []
        plan = str(shown.rows(f"EXPLAIN QUERY PLAN {sql}", (0, *board._FOR_EVER, *topic)))
        assert "USING INDEX things_board" in plan
        assert "B-TREE" not in plan


def test_a_board_that_cannot_be_read_says_so(tmp_path: Path) -> None:
    write_facts(tmp_path / "run", fresh(outage()))
    with portal(tmp_path) as served:
        page = Resident(served.port).open("/de/board")

    assert (page.status, "gerade nicht lesen" in page.text) == (200, True)


@pytest.mark.parametrize(
    "path",
    ["/de/board/all/nonsense", "/de/board/all/kb-musterplatz-1.999999", "/de/board/%00",
     "/de/board/all/../../etc", "/de/board/kb-musterplatz-1.99999999999999999999"],
)  # fmt: skip
def test_an_address_that_nobody_gave_leads_to_a_calm_page(served: Portal, path: str) -> None:
    page = Resident(served.port).open(path)

    assert page.status in (200, 404)
    assert "<h1>Aushang</h1>" in page.text
