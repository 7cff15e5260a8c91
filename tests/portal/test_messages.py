"""Messages to a name and a pick-up word: sealed with both, read by whoever types them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest
from residents import Page, Resident
from street import Portal, fresh, outage, portal, write_facts

from kiezbox.clock import SystemClock
from kiezbox.store.log import Log

BOX = "kb-musterplatz-1"

_NUMBERS = count(2)


def words_path(box: Path) -> str:
    return str(box / "words" / "words.db")


def copied(box: Path) -> bytes:
    found = [Path(words_path(box) + end) for end in ("", "-wal")]
    return b"".join(path.read_bytes() for path in found if path.exists())


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, Portal]]:
    box = tmp_path_factory.mktemp("messages")
    write_facts(box / "run", fresh(outage()))
    Log.open(words_path(box), SystemClock(), box=BOX).close()
    with portal(box, "--secrets", str(box)) as found:
        yield box, found


@pytest.fixture
def folder(shared: tuple[Path, Portal]) -> Path:
    return shared[0]


@pytest.fixture
def resident(shared: tuple[Path, Portal]) -> Resident:
    return Resident(shared[1].port, address=f"127.0.3.{next(_NUMBERS)}")


def letter(name: str, **more: str) -> dict[str, str]:
    fields = {
        "to": name,
        "word": "grüne Gießkanne",
        "from": "O.",
        "text": "Komme <Montag> & bleibe",
    }
    return {**fields, **more}


def leaves(resident: Resident, fields: dict[str, str]) -> Page:
    resident.open("/de/messages")
    return resident.send("/de/messages", fields)


def picks(resident: Resident, to: str, word: str) -> Page:
    resident.open("/de/messages")
    return resident.send("/de/messages/pick", to=to, word=word)


def test_whoever_types_name_and_word_reads_it(resident: Resident) -> None:
    left = leaves(resident, letter("Tante Müßig"))

    page = picks(resident, "tante muessig", "GRUENE giesskanne")

    assert "liegt bereit" in left.text
    assert "Komme &lt;Montag&gt; &amp; bleibe" in page.text
    assert "Von: <bdi>O.</bdi> (ungeprüft)" in page.text


def test_another_word_or_name_finds_nothing(resident: Resident) -> None:
    leaves(resident, letter("Onkel Eins"))

    for to, word in (("Onkel Eins", "rote Gießkanne"), ("Onkel Zwei", "grüne Gießkanne")):
        page = picks(resident, to, word)
        assert "keine Nachricht" in page.text
        assert "Komme" not in page.text


def test_name_and_word_are_not_one_text_cut_anywhere(resident: Resident) -> None:
    leaves(resident, letter("Nach", word="barschaft"))

    assert "Komme" not in picks(resident, "Nachbar", "schaft").text


def test_a_copied_database_holds_neither_name_nor_word_nor_text(
    folder: Path, resident: Resident
) -> None:
    leaves(resident, letter("Vetter Drei", text="Schlüssel unterm Stein"))

    data = copied(folder)
    for secret in ("Vetter", "vetterdrei", "Gießkanne", "gieskane", "Stein"):
        assert secret.encode() not in data


def test_several_messages_wait_for_the_same_person(resident: Resident) -> None:
    for n in range(3):
        leaves(resident, letter("Base Vier", text=f"Brief {n}"))

    page = picks(resident, "Base Vier", "grüne Gießkanne")

    assert all(f"Brief {n}" in page.text for n in range(3))


def test_after_reading_it_can_be_deleted_from_the_card_too(
    folder: Path, resident: Resident
) -> None:
    for n in range(2):
        leaves(resident, letter("Muhme Fünf", text=f"Brief {n}"))
    page = picks(resident, "Muhme Fünf", "grüne Gießkanne")
    fields = re.findall(r'name=id value="(.*?)"><input type=hidden name=proof value="(.*?)"',
                        page.text)  # fmt: skip
    (newest, proof), _ = fields
    token = page.token
    size = len(records(folder))

    forged = resident.send("/de/messages/erase", id=newest, proof="00" * 32, token=token)
    done = resident.send("/de/messages/erase", id=newest, proof=proof, token=token)

    assert "nicht mehr da" in forged.text
    assert "ist gelöscht" in done.text
    page = picks(resident, "Muhme Fünf", "grüne Gießkanne")
    assert "Brief 0" in page.text and "Brief 1" not in page.text
    assert len(records(folder)) == size - 1


def records(folder: Path) -> list[bytes]:
    log = Log.open(words_path(folder), SystemClock(), box=BOX)
    found = [told.body["sealed"] for told in log.records("message")]
    log.close()
    return found


@pytest.mark.parametrize(
    "more, said",
    [
        ({"to": " -- "}, "einen Namen"),
        ({"word": "abc"}, "mindestens 5"),
        ({"text": " \n "}, "schreiben Sie etwas"),
        ({"text": "z" * 1001}, "zu lang"),
    ],
)
def test_what_cannot_be_left_stays_in_the_form_with_a_sentence_why(
    resident: Resident, more: dict[str, str], said: str
) -> None:
    page = leaves(resident, letter("Neffe Sechs", **more))

    assert page.status == 400
    assert said in page.text
    assert "O." in page.text


@pytest.mark.parametrize("name", ["تانت", "Тётя", "Dì Tám", "田中", "😀😀"])
def test_a_name_of_any_alphabet_can_be_written_to(resident: Resident, name: str) -> None:
    page = leaves(resident, letter(name))

    assert "liegt bereit" in page.text or "einen Namen" in page.text
    if "liegt bereit" in page.text:
        assert "Komme" in picks(resident, name.upper(), "grüne Gießkanne").text


def test_the_same_form_sent_twice_is_one_message(resident: Resident) -> None:
    token = resident.open("/de/messages").token
    for _ in range(2):
        resident.send("/de/messages", letter("Enkel Sieben", token=token))

    page = picks(resident, "Enkel Sieben", "grüne Gießkanne")

    assert page.text.count("<article>") == 1


def test_the_page_is_honest_about_its_limits(resident: Resident) -> None:
    page = resident.open("/de/messages")

    assert "kann Wörter durchprobieren" in page.text
    assert "kann jemand in der Nähe mitlesen" in page.text
