"""Have a say: an operator's question with one voice each, and what people see in the street."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from residents import Page, Resident
from street import Portal, fresh, outage, portal, write_facts

from kiezbox.clock import ManualClock, SystemClock
from kiezbox.records import Ref, Thing
from kiezbox.store import moderation
from kiezbox.store.believing import trust_of
from kiezbox.store.log import Draft, Log
from kiezbox.store.moderators import believe
from kiezbox.trust import Key, new_key

BOX = "kb-musterplatz-1"


def open_log(box: Path) -> Log:
    log = Log.open(str(box / "words" / "words.db"), SystemClock(), box=BOX)
    log.judge_by(trust_of(log, (), SystemClock()).judge)
    return log


@pytest.fixture
def key(box: Path) -> Key:
    """A moderator's, whom this box believes."""
    made = new_key("Kiezteam")
    believe(str(box / "words" / "words.db"), made.public, "Kiezteam")
    return made


@pytest.fixture
def served(box: Path) -> Iterator[Portal]:
    write_facts(box / "run", fresh(outage()))
    with portal(box, "--secrets", str(box)) as found:
        yield found


def asked(box: Path, key: Key, text: str = "Ist das Wasser trüb?") -> Thing:
    log = open_log(box)
    try:
        return moderation.ask(
            log, text, ["ja", "nein"], key, language="de", lifetime_s=86400, now=SystemClock().now()
        )
    finally:
        log.close()


def counts(box: Path) -> list[int]:
    log = open_log(box)
    try:
        (question,) = log.things("question")
        found: list[int] = question.data["counts"]
        return found
    finally:
        log.close()


def vote(port: int, question: Thing, answer: str, address: str) -> Page:
    neighbour = Resident(port, address=address)
    path = f"/de/say/{question.origin}.{question.sequence}"
    neighbour.open(path)
    return neighbour.send(path, answer=answer)


# --- questions -----------------------------------------------------------------------------------


def test_everybody_has_one_voice_and_sees_what_all_have_said(
    box: Path, key: Key, served: Portal
) -> None:
    question = asked(box, key)
    assert "Ist das Wasser trüb?" in Resident(served.port).open("/de/say").text

    assert "Ihre Stimme zählt" in vote(served.port, question, "0", "127.0.0.2").text
    assert "Ihre Stimme zählt" in vote(served.port, question, "1", "127.0.0.3").text
    again = vote(served.port, question, "0", "127.0.0.2")

    assert "schon abgestimmt" in again.text
    assert "2 Stimmen" in again.text
    counted = re.findall(r"<td><bdi dir=ltr>(\d+) \((\d+) %\)</bdi>", again.text)
    assert counted == [("1", "50"), ("1", "50")]
    assert counts(box) == [1, 1]


@pytest.mark.parametrize("answer", ["", "2", "-1", "x", "0'--", "٣"])
def test_an_answer_that_nobody_offered_is_no_voice(
    box: Path, key: Key, served: Portal, answer: str
) -> None:
    question = asked(box, key)

    page = vote(served.port, question, answer, "127.0.0.2")

    assert (page.status, "Wählen Sie bitte eine Antwort" in page.text) == (400, True)
    assert counts(box) == [0, 0]


def test_a_copied_database_does_not_say_who_voted_how(box: Path, key: Key, served: Portal) -> None:
    question = asked(box, key)
    vote(served.port, question, "0", "127.0.0.77")
    db = sqlite3.connect(box / "words" / "words.db")
    copied = b"".join(
        str(row).encode() + b"".join(each for each in row if isinstance(each, bytes))
        for row in db.execute("SELECT * FROM log")
    )
    db.close()

    assert b"127.0.0.77" not in copied


def test_a_closed_question_shows_its_result_and_takes_no_voice(
    box: Path, key: Key, served: Portal
) -> None:
    question = asked(box, key)
    vote(served.port, question, "1", "127.0.0.2")
    stale = Resident(served.port, address="127.0.0.3")
    path = f"/de/say/{question.origin}.{question.sequence}"
    stale.open(path)
    log = open_log(box)
    moderation.close(log, Ref(question.origin, question.sequence), key, now=SystemClock().now())
    log.close()

    page = stale.send(path, answer="0")

    assert "Die Abstimmung ist zu Ende." in page.text
    assert counts(box) == [0, 1]


def test_a_question_of_somebody_whom_the_box_does_not_believe_is_none(
    box: Path, key: Key, served: Portal
) -> None:
    from kiezbox.trust import sign

    stranger = new_key("Amt")
    fields = {"text": "Wo ist Ihr Geld?", "answers": "Bank\nSofa"}
    log = open_log(box)
    log.add(Draft(**sign("question", fields, stranger, lifetime_s=3600)._asdict()))
    log.add(Draft(kind="question", fields=fields))
    forged = sign("question", fields, stranger, lifetime_s=3600)._replace(key=key.id)
    log.add(Draft(**forged._asdict()))
    log.close()

    assert "Wo ist Ihr Geld?" not in Resident(served.port).open("/de/say").text


def test_a_question_sent_again_is_the_same_and_ends_when_it_does(
    box: Path, key: Key, served: Portal
) -> None:
    question = asked(box, key)
    log = open_log(box)
    record = log.records("question")[0].record
    again = Draft(
        kind="question", body=record.body, lifetime_s=record.lifetime_s, key=record.key,
        signature=record.signature,
    )  # fmt: skip
    log.add(again)
    page = Resident(served.port).open("/de/say").text
    assert page.count("Ist das Wasser trüb?") == 1
    assert f"{question.origin}.{question.sequence}" in page

    later = ManualClock(SystemClock().now() + record.lifetime_s + 1)
    verdict = trust_of(log, (), later).judge(record, log.records("question")[0].body)
    log.close()

    assert verdict == ""


def test_the_2000th_voice_costs_what_the_first_did_and_counting_anew_gives_the_same(
    box: Path, key: Key
) -> None:
    question = asked(box, key)
    log = open_log(box)
    ref = Ref(question.origin, question.sequence)
    steps = [0]

    def voices(first: int, count: int) -> float:
        """Steps of SQLite's machine for each (sqlite3_progress_handler)."""
        steps[0] = 0
        with log.group():
            for n in range(first, first + count):
                fields = {"of": ref, "answer": n % 2}
                log.add(Draft(kind="voice", fields=fields, once=n.to_bytes(16, "big")))
        return steps[0] * 10 / count

    log._db.set_progress_handler(lambda: steps.__setitem__(0, steps[0] + 1), 10)
    first = voices(1, 200)
    voices(201, 1600)
    last = voices(1801, 200)
    log._db.set_progress_handler(None, 10)

    assert last < 1.5 * first
    assert log.things("question")[0].data["counts"] == [1000, 1000]
    log.rebuild()
    assert log.things("question")[0].data["counts"] == [1000, 1000]
    log.close()


# --- observations --------------------------------------------------------------------------------


def seen(neighbour: Resident, what: str, block: str) -> Page:
    neighbour.open("/de/say/report")
    return neighbour.send("/de/say/report", what=what, block=block)


def test_what_somebody_sees_is_read_by_others_in_their_own_language(served: Portal) -> None:
    page = seen(Resident(served.port), "water2", "Uferstraße 5")
    assert "15 Zentimeter reißen Menschen um" in page.text

    other = Resident(served.port, address="127.0.0.9").open("/en/say").text

    assert "Water on the street, knee deep" in other
    assert "<span dir=auto>Uferstraße 5</span>" in other
    assert "from neighbours, unchecked" in other


@pytest.mark.parametrize(
    ("what", "block", "why"),
    [
        ("water2", "", "wo das ist"),
        ("", "Uferstraße 5", "was Sie sehen"),
        ("flood", "Uferstraße 5", "was Sie sehen"),
        ("heat", "www.heiss.de", "Links gehen hier nicht"),
        ("heat", "0176 1234567", "Telefonnummern gehen hier nicht"),
        ("heat", "x" * 61, "zu lang"),
    ],
)
def test_what_is_not_taken_comes_back_with_a_reason(
    served: Portal, what: str, block: str, why: str
) -> None:
    neighbour = Resident(served.port)

    page = seen(neighbour, what, block)

    assert (page.status, why in page.text) == (400, True)
    assert f'value="{block}"' in page.text
    assert "in den letzten Stunden" in neighbour.open("/de/say").text


def test_older_reports_follow_by_link_without_a_gap(box: Path, served: Portal) -> None:
    log = open_log(box)
    with log.group():
        for n in range(50):
            log.add(Draft(kind="observation", fields={"code": 3, "block": f"Platz {n}."}))
    log.close()
    neighbour = Resident(served.port)
    found: list[int] = []
    path = "/de/say"
    while path:
        page = neighbour.open(path)
        found += map(int, re.findall(r"Platz (\d+)\.", page.text))
        older = re.search(r'href="([^"]+)">Ältere', page.text)
        path = older.group(1) if older else ""

    assert found == list(range(49, -1, -1))


def test_a_code_of_a_newer_box_shows_nothing_here(box: Path, served: Portal) -> None:
    log = open_log(box)
    log.add(Draft(kind="observation", fields={"code": 200, "block": "Mond"}))
    log.close()

    assert "Mond" not in Resident(served.port).open("/de/say").text


def test_the_word_list_of_the_operator_holds_here_too(box: Path, served: Portal) -> None:
    rules = {"limits": {}, "blocked": ["Depp"]}
    (box / "run" / "abuse.json").write_text(json.dumps(rules))

    page = seen(Resident(served.port), "heat", "beim D e p p")

    assert (page.status, "So hängen wir das nicht aus." in page.text) == (400, True)


def test_three_neighbours_hide_an_observation(served: Portal) -> None:
    seen(Resident(served.port), "smoke", "Platz, haha")
    link = re.search(r'href="(/de/say/kb-[^"]+)"', Resident(served.port).open("/de/say").text)
    assert link
    for n in range(3):
        neighbour = Resident(served.port, address=f"127.0.0.{30 + n}")
        assert "Platz, haha" in neighbour.open(link.group(1)).text
        page = neighbour.send(link.group(1), act="report", reason="0")
        assert "Ihre Meldung ist angekommen" in page.text

    assert "Platz, haha" not in Resident(served.port).open("/de/say").text
    assert Resident(served.port).open(link.group(1)).status == 404
