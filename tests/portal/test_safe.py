"""I am safe: found by whoever has the words, and by nobody who leafs through."""

from __future__ import annotations

import gzip
import re
import socket
import threading
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest
from residents import Page, Resident
from street import Portal, fresh, now_json, outage, portal, read_all, split, write_facts

from kiezbox.clock import ManualClock, SystemClock
from kiezbox.store.log import Log

BOX = "kb-musterplatz-1"

SAID = {"name": "A. N.", "place": "Turnhalle", "note": "Die Katze ist auch hier"}


def words_path(box: Path) -> str:
    return str(box / "words" / "words.db")


def copied(box: Path) -> bytes:
    found = [Path(words_path(box) + end) for end in ("", "-wal")]
    return b"".join(path.read_bytes() for path in found if path.exists())


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, Portal]]:
    box = tmp_path_factory.mktemp("safe")
    write_facts(box / "run", fresh(outage()))
    Log.open(words_path(box), SystemClock(), box=BOX).close()
    with portal(box, "--secrets", str(box)) as found:
        yield box, found


@pytest.fixture
def folder(shared: tuple[Path, Portal]) -> Path:
    return shared[0]


_PHONES = count(2)


@pytest.fixture
def resident(shared: tuple[Path, Portal]) -> Resident:
    return Resident(shared[1].port, address=f"127.0.2.{next(_PHONES)}")


def says(resident: Resident, **fields: str) -> Page:
    resident.open("/de/safe")
    return resident.send("/de/safe", {**SAID, **fields})


def told(page: Page) -> tuple[str, str]:
    """The family's words, and the code to delete it."""
    words, code = re.findall(r"<p class=w><bdi>(.*?)</bdi>", page.text)
    return words, code


def looks(resident: Resident, words: str, language: str = "de") -> Page:
    resident.open(f"/{language}/safe")
    return resident.send(f"/{language}/safe/look", words=words)


def test_the_family_finds_it_by_the_words_however_they_are_typed(resident: Resident) -> None:
    words, _ = told(says(resident))
    family = Resident(resident.port, address="127.0.2.200")

    for typed in (words, words.upper(), words.replace(" ", "-"), words.replace(" ", "")):
        page = looks(family, typed, "en")
        assert "Die Katze ist auch hier" in page.text
        assert "Turnhalle" in page.text and "A. N." in page.text


def test_four_words_and_a_code_of_three_are_given(resident: Resident) -> None:
    words, code = told(says(resident))

    assert (len(words.split()), len(code.split())) == (4, 3)


def test_a_copied_database_says_nothing_of_whoever_is_safe(
    folder: Path, resident: Resident
) -> None:
    words, code = told(says(resident))

    data = copied(folder)
    for secret in (*SAID.values(), words, code, words.replace(" ", "")):
        assert secret.encode() not in data


def test_other_words_find_nothing_and_say_that_this_means_nothing(resident: Resident) -> None:
    says(resident)

    page = looks(resident, "abend acker adler ahorn")

    assert page.status == 200
    assert "heißt nicht, dass etwas passiert ist" in page.text
    assert "Turnhalle" not in page.text


def test_a_word_that_is_none_of_ours_is_named(resident: Resident) -> None:
    page = looks(resident, "abend acker adlerr ahorn")

    assert page.status == 400
    assert "„adlerr“" in page.text


def test_each_form_of_a_page_carries_the_guests_own_token_zipped_or_not(
    resident: Resident,
) -> None:
    """Or only the first form of a page could be sent."""
    for coding in ("identity", "gzip"):
        tokens = re.findall(r'name=token value="(.*?)"', unzipped(resident, coding))

        assert len(tokens) == 2
        assert all(re.fullmatch("[0-9a-f]{40}", token) for token in tokens)


def unzipped(resident: Resident, coding: str) -> str:
    head = f"GET /de/safe HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept-Encoding: {coding}\r\n"
    with socket.create_connection(
        ("127.0.0.1", resident.port), timeout=20, source_address=(resident.address, 0)
    ) as connection:
        connection.sendall(f"{head}Connection: close\r\n\r\n".encode())
        _, headers, body = split(read_all(connection))
    is_zipped = headers.get("content-encoding") == "gzip"
    assert is_zipped == (coding == "gzip")
    return (gzip.decompress(body) if is_zipped else body).decode()


def test_there_is_no_list(resident: Resident) -> None:
    says(resident)

    for path in ("/de/safe", "/de/safe/list", "/de/safe/look", "/de/safe/1", f"/de/safe/{BOX}.1"):
        page = resident.open(path)
        assert "Turnhalle" not in page.text and "A. N." not in page.text


def test_the_code_takes_it_away_from_the_card_too(folder: Path, resident: Resident) -> None:
    words, code = told(says(resident))
    page = looks(resident, words)
    (lookup,) = re.findall(r'name=lookup value="([0-9a-f]+)"', page.text)
    assert bytes.fromhex(lookup) in copied(folder)

    refused = resident.send("/de/safe/erase", lookup=lookup, code="abend acker adler")
    there = looks(resident, words)
    done = resident.send("/de/safe/erase", lookup=lookup, code=code.upper())
    gone = looks(resident, words)

    assert refused.status == 400 and "nichts gelöscht" in refused.text
    assert "Turnhalle" in there.text
    assert "ist gelöscht" in done.text
    assert "Turnhalle" not in gone.text
    assert bytes.fromhex(lookup) not in copied(folder)


def test_the_same_form_sent_twice_gives_the_same_words(resident: Resident) -> None:
    token = resident.open("/de/safe").token

    pages = [resident.send("/de/safe", {**SAID, "token": token}) for _ in range(2)]

    assert told(pages[0]) == told(pages[1])
    assert looks(resident, told(pages[0])[0]).text.count("In Sicherheit.") == 1


def test_somebody_who_leaves_everything_empty_is_safe_too(resident: Resident) -> None:
    resident.open("/de/safe")
    words, _ = told(resident.send("/de/safe"))

    assert "In Sicherheit." in looks(resident, words).text


@pytest.mark.parametrize(
    "fields",
    [
        {"name": "<img src=x onerror=alert(1)>"},
        {"note": "\u202e\u2066 gnal"},
        {"place": "\x00\x07\ud7ff"},
        {"note": "\U0001f9d1\u200d\U0001f692" * 20},
    ],
)
def test_hostile_fields_come_out_as_text(resident: Resident, fields: dict[str, str]) -> None:
    page = looks(resident, told(says(resident, **fields))[0])

    assert "In Sicherheit." in page.text
    assert "<img" not in page.text and "\u202e" not in page.text and "\x00" not in page.text


def test_what_is_too_long_is_still_in_the_form(resident: Resident) -> None:
    page = says(resident, note="x" * 900)

    assert page.status == 400
    assert "x" * 900 in page.text


def test_it_ends_three_days_after_the_power_is_back(tmp_path: Path) -> None:
    clock = ManualClock(1_767_466_800.0)
    log = Log.open(str(tmp_path / "words.db"), clock, box=BOX)
    from kiezbox.store.log import Draft

    fields = {"lookup": b"l" * 16, "sealed": b"s" * 200}
    log.add(Draft(kind="safe", fields=fields))
    log.power_is_back(clock.now())

    clock.advance(72 * 3600 - 60)
    there = log.found("safe", b"l" * 16)
    clock.advance(120)

    assert len(there) == 1
    assert log.found("safe", b"l" * 16) == []
    assert log.erase() == 1
    log.close()


@pytest.mark.long
def test_whoever_got_words_is_found_though_the_portal_dies_again_and_again(tmp_path: Path) -> None:
    """The words are reckoned with before anything is stored, so there is more time to die in."""
    write_facts(tmp_path / "run", fresh(outage()))
    Log.open(words_path(tmp_path), SystemClock(), box=BOX).close()
    given, unsure = [], 0
    for turn in range(2):
        with portal(tmp_path, "--secrets", str(tmp_path)) as served:
            for n in range(6):
                resident = Resident(served.port, address=f"127.0.6.{turn * 6 + n + 2}")
                resident.open("/de/safe")
                # From before the reckoning to after the answer.
                killing = threading.Timer(0.05 * (turn + 1), served.process.kill)
                if n == 3:
                    killing.start()
                try:
                    given.append(told(resident.send("/de/safe", SAID))[0])
                except (OSError, ValueError, IndexError):
                    unsure += 1
                    break
            served.process.kill()

    with portal(tmp_path, "--secrets", str(tmp_path)) as served:
        for n, words in enumerate(given):
            family = Resident(served.port, address=f"127.0.6.{100 + n}")
            assert "Turnhalle" in looks(family, words).text
    assert len(given) >= 6


def test_in_an_exercise_it_says_so(tmp_path: Path) -> None:
    write_facts(tmp_path / "run", fresh(now_json(mode__name="exercise", mode__is_exercise=True)))
    Log.open(words_path(tmp_path), SystemClock(), box=BOX).close()
    with portal(tmp_path, "--secrets", str(tmp_path)) as served:
        resident = Resident(served.port)
        page = looks(resident, told(says(resident))[0])

    assert "<b>ÜBUNG</b>" in page.text
